import type { CsvProfile } from "../../schemas/profile.js";
import type { Series } from "./format.js";
import type { LocalTimes, TimeOrder } from "./local-times.js";
import type { Stamp } from "./time-format.js";

const DAY = 86_400;
/** Orders by which always the one of the hour that comes twice is taken. */
const FIRST: TimeOrder = { last: -1, descending: false };
const SECOND: TimeOrder = { last: Infinity, descending: false };

/** Where on the time line a value lies: UTC seconds of its beginning, and its length in seconds (a register's is 0). */
export interface Span {
  readonly at: number;
  readonly length: number;
}

/** What the stamps of a CSV mean, by its profile's `time`. */
export class RowClock {
  readonly #time: CsvProfile["time"];
  readonly #times: LocalTimes;
  readonly #span = { at: 0, length: 0 };

  /** @param times of stamps without an offset */
  constructor(time: CsvProfile["time"], times: LocalTimes) {
    this.#time = time;
    this.#times = times;
  }

  /** UTC seconds of a stamp; `undefined` where the local clock has no such time. */
  instantOf(stamp: Stamp, order: TimeOrder): number | undefined {
    if (!Number.isNaN(stamp.epoch)) return stamp.epoch;
    const local = stamp.day * DAY + stamp.second;
    if (!Number.isNaN(stamp.offset)) return local - stamp.offset;
    const { zone } = this.#times;
    if (zone === undefined) return local;
    const offset = this.#times.steadyOffsetOf(stamp.day);
    if (offset !== undefined && stamp.second <= DAY) return local - offset;
    const { hours, repeatedHour } = this.#time;
    if (hours === "elapsed") {
      const begin = zone.firstInstantFrom(stamp.day * DAY);
      const end = zone.firstInstantFrom((stamp.day + 1) * DAY);
      return begin + stamp.second <= end ? begin + stamp.second : undefined;
    }
    const by = repeatedHour === "order" ? order : repeatedHour === "first" ? FIRST : SECOND;
    const instant = this.#times.instantOf(local, by);
    return Number.isNaN(instant) ? undefined : instant;
  }

  /**
   * What a value of the instant is of; `undefined` where that is not on the grid of intervals.
   * @returns valid until the next call
   */
  spanOf(instant: number, kind: Series["kind"]): Span | undefined {
    const { interval, snap, stamp } = this.#time;
    this.#span.at = instant;
    this.#span.length = 0;
    if (kind !== "usage") return this.#span;
    const at = snap > 0 ? this.#times.onGrid(instant, interval) : instant;
    if (Math.abs(at - instant) > snap) return undefined;
    const start = stamp === "end" ? this.#times.beginningOf(at, interval) : at;
    this.#span.at = start;
    this.#span.length = (stamp === "end" ? at : this.#times.endOf(at, interval)) - start;
    return this.#span;
  }
}
