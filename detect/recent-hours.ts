import { DOUBTFUL } from "../schemas/flags.js";
import { LONGEST_HOUR } from "./registers.js";

const HOUR = 3600;
/** Hours that a message about an anomaly shows. */
export const RECENT_HOURS = 48;

/** Seconds of an hour that tell of it: reads jitter by half an hour. */
const LEAST_READ = HOUR / 2;

/** An interval as it is kept. */
interface Interval {
  readonly start: number;
  readonly length: number;
  readonly ml: number;
  readonly flags: number;
  readonly counts: boolean;
}

/**
 * The meter's volume in each of the last 48 hours (UTC) up to the one in which `end` lies, all registers together, oldest
 * first. An interval belongs to the hour of its middle. `null`: the hour was not read, not in full, or is an estimate; of
 * an interval longer than an hour and a half nobody knows the hours, unless nothing flowed.
 * @param rows intervals of each register
 */
export function recentHours(
  rows: readonly (readonly Interval[])[],
  end: number,
): { readonly from: number; readonly ml: (number | null)[] } {
  const from = (Math.ceil(end / HOUR) - RECENT_HOURS) * HOUR;
  const volumes = new Array<number | null>(RECENT_HOURS).fill(0);
  for (const intervals of rows) {
    const seconds = new Array<number>(RECENT_HOURS).fill(0);
    const add = (at: number, length: number, ml: number) => {
      const hour = Math.floor((at - from) / HOUR);
      if (hour < 0 || hour >= RECENT_HOURS) return;
      seconds[hour]! += length;
      if (volumes[hour] !== null) volumes[hour]! += ml;
    };
    for (const { start, length, ml, flags, counts } of intervals) {
      if (!counts || (flags & DOUBTFUL) !== 0 || start + length <= from) continue;
      if (length <= LONGEST_HOUR) add(start + length / 2, length, ml);
      else if (ml === 0)
        for (let at = Math.max(start, from); at < start + length && at < end; at += HOUR) add(at, HOUR, 0);
    }
    for (let hour = 0; hour < RECENT_HOURS; hour++) if (seconds[hour]! < LEAST_READ) volumes[hour] = null;
  }
  return { from, ml: volumes };
}
