import { killSchedules } from "./kill-schedules.js";

killSchedules(
  "all",
  Array.from({ length: 10 }, (_, i) => i + 21),
);
