import { csvProfile, type CsvProfile } from "../../schemas/profile.js";
import type { SourceConfig } from "../../schemas/config.js";

/**
 * Badger BEACON range export (FORMATS §1.2): all fields quoted, the set of columns varies, so they go by name. `Flow` is
 * the interval's volume, `Read` the register, each with a unit of its own; stamps are local and end at hh:59.
 */
const BEACON_RANGE = {
  columns: {
    meter: "Meter_ID",
    channel: "Register_Number",
    time: "Flow_Time",
    usage: "Flow",
    register: "Read",
    unit: "Flow_Unit",
    registerUnit: "Read_Unit",
    quality: "Estimated_Flag",
  },
  time: { format: "YYYY-MM-DD HH:mm", stamp: "end", snap: 60 },
  quality: { estimated: ["1"] },
} as const;

/** The profile of a source of meter reads: its own, or the preset of its format with its additions. */
export function profileOf(source: SourceConfig): CsvProfile {
  if (source.format === "beacon-range") return csvProfile.parse(BEACON_RANGE);
  return source.profile!;
}
