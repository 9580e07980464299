import { ACLARA_STAR } from "./formats/aclara.js";
import { BEACON_BILLING } from "./formats/billing.js";

/** What a format that has a layout of its own fixes of an option. A source's own adds to it or overrides it. */
const PRESETS: Readonly<Record<string, Readonly<Record<string, object>>>> = {
  /**
   * Badger BEACON range export: all fields quoted; the set of columns varies with the request, so they go by name. `Flow`
   * is the interval's volume, `Read` the register, each with a unit of its own. Stamps are local and end at hh:59.
   */
  "beacon-range": {
    profile: {
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
    },
  },
  "aclara-star": { profile: ACLARA_STAR },
  "beacon-billing": { billing: BEACON_BILLING },
  // Nothing of these must be said.
  cmep: { cmep: {} },
  nem: { nem: {} },
  espi: { espi: {} },
  "json-lines": { jsonLines: {} },
  crosswalk: { profile: {} },
};

/**
 * A configuration as written, with the profile of each source of a preset format made whole. Whatever has not the shape
 * of a configuration is left for its schema to refuse.
 */
export function withPresets(config: unknown): unknown {
  return mapList(config, "utilities", (utility) =>
    mapList(utility, "sources", (source) => {
      if (!isRecord(source)) return source;
      const preset = PRESETS[String(source["format"])];
      if (preset === undefined) return source;
      const merged = Object.entries(preset).map(([option, fixed]) => [
        option,
        merge(fixed, source[option] ?? {}),
      ]);
      return { ...source, ...(Object.fromEntries(merged) as object) };
    }),
  );
}

/** Members of `additions` over those of `preset`; a member that is `null` takes the preset's away. */
function merge(preset: object, additions: unknown): unknown {
  if (!isRecord(additions)) return additions;
  const merged: Record<string, unknown> = { ...preset };
  for (const [name, value] of Object.entries(additions)) {
    const under = merged[name];
    if (value === null) Reflect.deleteProperty(merged, name);
    else merged[name] = isRecord(under) && isRecord(value) ? merge(under, value) : value;
  }
  return merged;
}

function mapList(of: unknown, name: string, change: (member: unknown) => unknown): unknown {
  if (!isRecord(of) || !Array.isArray(of[name])) return of;
  return { ...of, [name]: (of[name] as unknown[]).map(change) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
