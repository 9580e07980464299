import { TimeZone } from "../../infra/time-zone.js";
import type { Series } from "./format.js";
import type { Stamp } from "./time-format.js";

const DAY = 86_400;
const HOUR = 3_600;

/** In which order times come: it tells the two of the hour that comes twice apart. */
export type TimeOrder = Pick<Series, "last" | "descending">;

/**
 * Instants of stamps on a source's clock. Times are seconds: `local` from 1970-01-01T00:00 on that clock, instants from
 * then in UTC.
 */
export class LocalTimes {
  /** `undefined`: UTC. */
  readonly zone: TimeZone | undefined;
  #day = NaN;
  #offset: number | undefined;

  /** @param zone IANA zone; `utility` stands for `utilityZone` */
  constructor(zone: string, utilityZone: string) {
    const name = zone === "utility" ? utilityZone : zone;
    this.zone = name === "UTC" ? undefined : new TimeZone(name);
  }

  /**
   * The instant at which the clock shows `local`; NaN where it never does, and of NaN. In the hour that comes twice, the order of the
   * series' stamps tells which of the two it is.
   */
  instantOf(local: number, series: TimeOrder): number {
    if (this.zone === undefined || Number.isNaN(local)) return local;
    const offset = this.steadyOffsetOf(Math.floor(local / DAY));
    if (offset !== undefined) return local - offset;
    const [one, other] = this.zone.instantsOf(local);
    if (one === undefined) return NaN;
    if (other === undefined || series.last < 0) return one;
    return series.descending ? (series.last <= other ? one : other) : series.last >= one ? other : one;
  }

  /** The clock's offset from UTC, seconds, if it does not change around the local day (days from 1970-01-01). */
  steadyOffsetOf(day: number): number | undefined {
    if (this.zone === undefined) return 0;
    if (day !== this.#day) {
      this.#day = day;
      this.#offset = this.zone.steadyOffset(day);
    }
    return this.#offset;
  }

  /** The instant nearest to `instant` at which the clock shows a multiple of `length`. */
  onGrid(instant: number, length: number): number {
    const local = instant + (this.zone?.offsetAt(instant) ?? 0);
    return instant + Math.round(local / length) * length - local;
  }

  /** Where the interval that ends at `end` begins. One longer than an hour is counted by the clock. */
  beginningOf(end: number, length: number): number {
    if (this.zone === undefined || length <= HOUR) return end - length;
    return this.zone.firstInstantFrom(end + this.zone.offsetAt(end) - length);
  }

  /** Where the interval that begins at `beginning` ends. One longer than an hour is counted by the clock. */
  endOf(beginning: number, length: number): number {
    if (this.zone === undefined || length <= HOUR) return beginning + length;
    return this.zone.firstInstantFrom(beginning + this.zone.offsetAt(beginning) + length);
  }
}

/**
 * The instant of a stamp where nothing tells the hour that comes twice apart: the first of the two; undefined where the clock
 * never shows it.
 * @param zone of stamps that carry none; undefined: UTC
 * @param isDate without a time of day: where the clock is put forward over midnight, the day begins later
 */
export function firstInstant(
  { day, second, offset, epoch }: Stamp,
  zone: TimeZone | undefined,
  isDate: boolean,
): number | undefined {
  if (!Number.isNaN(epoch)) return epoch;
  const local = day * DAY + second;
  if (!Number.isNaN(offset)) return local - offset;
  if (zone === undefined) return local;
  return isDate ? zone.firstInstantFrom(local) : zone.instantsOf(local)[0];
}

/** Tells `series` of the stamp read last, for the order of the next. */
export function stamped(series: TimeOrder, instant: number): void {
  if (series.last >= 0 && instant !== series.last) series.descending = instant < series.last;
  series.last = instant;
}
