import { z } from "zod";
import { utilityId } from "./reads.js";

/** A time in which it was at or below the utility's limit of frost, UTC seconds: `until` not included. */
const coldSpell = z.object({ from: z.int().min(0), until: z.int().min(0) });
export type ColdSpell = z.infer<typeof coldSpell>;

/**
 * A message of topic `temperatures`, version 1 (compacted, keyed by utility, the same in each partition): when it was cold
 * where the utility's meters are, in order of time, as far as it is known now. The newest message replaces the older ones.
 */
export const temperatureMessage = z.object({
  v: z.literal(1),
  utility: utilityId,
  cold: z.array(coldSpell),
});
export type TemperatureMessage = z.infer<typeof temperatureMessage>;

export interface Temperature {
  /** UTC seconds. */
  readonly time: number;
  /** Hundredths of a degree Celsius. */
  readonly value: number;
}

/** A temperature holds until the next one, and no longer than this (seconds): after that nobody knows. */
const LONGEST_HOLD = 3 * 3600;

/**
 * Times in which it was at or below a limit. What was measured last holds for no time yet, so that a later one only adds
 * to what was known.
 * @param temperatures in order of time, one for each time
 * @param below degrees Celsius
 */
export function coldSpells(temperatures: Iterable<Temperature>, below: number): ColdSpell[] {
  const spells: ColdSpell[] = [];
  let before: Temperature | undefined;
  for (const now of temperatures) {
    if (before !== undefined && before.value <= Math.round(below * 100)) {
      const until = Math.min(now.time, before.time + LONGEST_HOLD);
      const last = spells.at(-1);
      if (last?.until === before.time) last.until = until;
      else spells.push({ from: before.time, until });
    }
    before = now;
  }
  return spells;
}

/** From when on two lists of spells differ, UTC seconds; Infinity where they don't. */
export function spellsDifferFrom(one: readonly ColdSpell[], other: readonly ColdSpell[]): number {
  for (let i = 0; i < Math.max(one.length, other.length); i++) {
    const [a, b] = [one[i], other[i]];
    if (a?.from === b?.from && a?.until === b?.until) continue;
    if (a === undefined || b === undefined || a.from !== b.from)
      return Math.min(a?.from ?? Infinity, b?.from ?? Infinity);
    return Math.min(a.until, b.until);
  }
  return Infinity;
}
