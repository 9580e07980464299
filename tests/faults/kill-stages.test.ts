import { killSchedules } from "./kill-schedules.js";

killSchedules(
  "stages",
  Array.from({ length: 20 }, (_, i) => i + 1),
);
