import type { TimeZone } from "../../infra/time-zone.js";
import type { TrialSeries } from "./trial.js";

const DAY = 86_400;
const HOUR = 3_600;
/** Register reads further apart say nothing of one hour. */
const MOST_APART = 5_400;

/** Usage of an interval, delivered or between two register reads. UTC seconds, mL. */
export interface Flow {
  readonly beginning: number;
  readonly length: number;
  readonly ml: number;
}

/** Reads of a series in order of time, those without a value left out: indices into its arrays. */
export function inOrder({ time, ml }: TrialSeries): number[] {
  const order: number[] = [];
  let sorted = true;
  for (let i = 0; i < time.length; i++) {
    if (Number.isNaN(ml[i])) continue;
    if (order.length > 0 && time[i]! < time[order.at(-1)!]!) sorted = false;
    order.push(i);
  }
  return sorted ? order : order.sort((a, b) => time[a]! - time[b]! || a - b);
}

/** The usage that a series tells of, of at most an hour and a half each; a fall of a register is none. */
export function* flowsOf(series: TrialSeries): Generator<Flow> {
  const { time, length, ml, kind } = series;
  let before = -1;
  for (const i of inOrder(series)) {
    if (kind !== "register") {
      if (length[i]! <= MOST_APART) yield { beginning: time[i]!, length: length[i]!, ml: ml[i]! };
    } else {
      if (before >= 0) {
        const apart = time[i]! - time[before]!;
        const flow = ml[i]! - ml[before]!;
        if (apart > 0 && apart <= MOST_APART && flow >= 0)
          yield { beginning: time[before]!, length: apart, ml: flow };
      }
      before = i;
    }
  }
}

/** Litres of each local hour by local day (days from 1970-01-01); null where nothing begins in the hour. */
export function hourlyDay(series: TrialSeries, zone: TimeZone): Map<number, (number | null)[]> {
  const days = new Map<number, (number | null)[]>();
  for (const { beginning, ml } of flowsOf(series)) {
    const local = beginning + zone.offsetAt(beginning);
    const day = Math.floor(local / DAY);
    const hours = days.get(day) ?? new Array<number | null>(24).fill(null);
    const hour = Math.floor((local - day * DAY) / HOUR);
    hours[hour] = (hours[hour] ?? 0) + ml / 1000;
    days.set(day, hours);
  }
  return days;
}
