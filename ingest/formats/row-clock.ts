import type { TimeZone } from "../../infra/time-zone.js";
import type { CsvProfile } from "../../schemas/profile.js";
import type { Series } from "./format.js";
import type { Stamp } from "./time-format.js";

const DAY = 86_400;
const HOUR = 3_600;

/** In which order times come: it tells the two of the repeated hour apart. */
export type TimeOrder = Pick<Series, "last" | "descending">;

/** Keeps in mind that a time came. */
export function passed(order: TimeOrder, instant: number): void {
  if (order.last >= 0 && instant !== order.last) order.descending = instant < order.last;
  order.last = instant;
}

/** Where on the time line a value lies: UTC seconds of its beginning, and its length in seconds (a register's is 0). */
export interface Span {
  readonly at: number;
  readonly length: number;
}

/** What the stamps of a CSV mean, by its profile's `time`. */
export class RowClock {
  readonly #time: CsvProfile["time"];
  readonly #zone: TimeZone | undefined;
  #steadyDay = NaN;
  #steadyOffset: number | undefined;
  readonly #span = { at: 0, length: 0 };

  /** @param zone of stamps without an offset; `undefined` for UTC */
  constructor(time: CsvProfile["time"], zone: TimeZone | undefined) {
    this.#time = time;
    this.#zone = zone;
  }

  /** The zone's offset, seconds, if it does not change around the local day (days from 1970-01-01). */
  steadyOffsetOf(localDay: number): number | undefined {
    if (this.#zone === undefined) return 0;
    if (localDay !== this.#steadyDay) {
      this.#steadyDay = localDay;
      this.#steadyOffset = this.#zone.steadyOffset(localDay);
    }
    return this.#steadyOffset;
  }

  /** UTC seconds of a stamp; `undefined` where the local clock has no such time. */
  instantOf(stamp: Stamp, order: TimeOrder): number | undefined {
    if (!Number.isNaN(stamp.epoch)) return stamp.epoch;
    const local = stamp.day * DAY + stamp.second;
    if (!Number.isNaN(stamp.offset)) return local - stamp.offset;
    if (this.#zone === undefined) return local;
    const offset = this.steadyOffsetOf(stamp.day);
    if (offset !== undefined && stamp.second <= DAY) return local - offset;
    if (this.#time.hours === "elapsed") {
      const begin = this.#zone.firstInstantFrom(stamp.day * DAY);
      const end = this.#zone.firstInstantFrom((stamp.day + 1) * DAY);
      return begin + stamp.second <= end ? begin + stamp.second : undefined;
    }
    const [one, other] = this.#zone.instantsOf(local);
    if (one === undefined || other === undefined) return one;
    switch (this.#time.repeatedHour) {
      case "first":
        return one;
      case "second":
        return other;
      case "order":
        if (order.last < 0) return one;
        return order.descending ? (order.last <= other ? one : other) : order.last >= one ? other : one;
    }
  }

  /**
   * What a value of the instant is of; `undefined` where that is not on the grid of intervals.
   * @returns valid until the next call
   */
  spanOf(instant: number, kind: Series["kind"]): Span | undefined {
    const { interval, snap, stamp } = this.#time;
    let at = instant;
    let length = 0;
    if (kind === "usage") {
      length = interval;
      if (snap > 0) {
        const local = at + (this.#zone?.offsetAt(at) ?? 0);
        const grid = Math.round(local / length) * length;
        if (Math.abs(grid - local) > snap) return undefined;
        at += grid - local;
      }
      if (length > HOUR && this.#zone !== undefined) {
        // A local day has 23 or 25 hours where the clock is changed.
        const local = at + this.#zone.offsetAt(at);
        const other = this.#zone.firstInstantFrom(stamp === "end" ? local - length : local + length);
        length = Math.abs(other - at);
        if (other < at) at = other;
      } else if (stamp === "end") {
        at -= length;
      }
    }
    this.#span.at = at;
    this.#span.length = length;
    return this.#span;
  }
}
