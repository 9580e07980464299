import type { z } from "zod";
import type { csvProfile } from "../profile.js";

/**
 * Readings export of Aclara STAR as a csv profile, to be merged with a source's own: one row a register and reading, UTC
 * stamps in `ReadingTime`. `ScaledRead` may be `ERROR`, which is no read. The unit stands only within `Description`
 * (`… 0.001CuFt`): cubic feet here; a utility whose meters register in another must name it. Detector checks sit in fire
 * lines, where only a test or a leak of the line flows: they are no customers' meters.
 */
export const ACLARA_STAR = {
  columns: { meter: "MeterSN", time: "ReadingTime", register: "ScaledRead" },
  time: { format: "YYYY-MM-DD HH:mm:ss.SSS", zone: "UTC" },
  unit: "ft3",
  filters: [{ column: "AccountType", except: ["DETECTOR CHECK"] }],
} satisfies z.input<typeof csvProfile>;
