/**
 * Local time of a zone. Offsets come from the platform's zone data through `Intl` and are kept for each UTC day: a
 * look-up costs a few comparisons.
 */
export class TimeZone {
  readonly #format: Intl.DateTimeFormat;
  readonly #days = new Map<number, UtcDay>();

  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  }

  /** The local day looked up last: from `#dayFrom` on until `#dayUntil` (UTC seconds), within one offset. */
  #day = 0;
  #dayFrom = Infinity;
  #dayUntil = -Infinity;

  /** Days from 1970-01-01 to the local date of an instant (UTC seconds). */
  dayOf(second: number): number {
    if (second >= this.#dayFrom && second < this.#dayUntil) return this.#day;
    const offset = this.offsetAt(second);
    const day = Math.floor((second + offset) / DAY);
    const from = day * DAY - offset;
    if (this.offsetAt(from) === offset && this.offsetAt(from + DAY - 1) === offset) {
      this.#day = day;
      this.#dayFrom = from;
      this.#dayUntil = from + DAY;
    }
    return day;
  }

  /** An instant up to which the local date of `second` lasts: its end, or `second` itself on a day on which clocks change. */
  dayEndsAfter(second: number): number {
    this.dayOf(second);
    return second >= this.#dayFrom && second < this.#dayUntil ? this.#dayUntil : second;
  }

  /** Hour, 0 to 23, that a wall clock shows at an instant (UTC seconds). */
  hourOf(second: number): number {
    if (second >= this.#dayFrom && second < this.#dayUntil)
      return Math.floor((second - this.#dayFrom) / 3600);
    return Math.floor(((((second + this.offsetAt(second)) % DAY) + DAY) % DAY) / 3600);
  }

  /**
   * Instants (UTC seconds) that a wall clock shows as `local`, seconds from 1970-01-01T00:00 on that clock: none in the
   * hour that is left out in spring, two, in order, in the hour that comes twice in autumn.
   */
  instantsOf(local: number): number[] {
    const earlier = local - this.offsetAt(local - DAY);
    const later = local - this.offsetAt(local + DAY);
    const found = [earlier, later].filter(
      (instant, i, all) => instant + this.offsetAt(instant) === local && all.indexOf(instant) === i,
    );
    return found.sort((a, b) => a - b);
  }

  /**
   * The first instant (UTC seconds) at which a wall clock shows `local`, or a later time where the clock was put forward
   * over it.
   */
  firstInstantFrom(local: number): number {
    const [first] = this.instantsOf(local);
    if (first !== undefined) return first;
    // Between the time by the offset after the transition and that by the offset before it.
    let low = local - this.offsetAt(local + DAY);
    let high = local - this.offsetAt(local - DAY);
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (middle + this.offsetAt(middle) > local) high = middle;
      else low = middle;
    }
    return high;
  }

  /** Offset from UTC (seconds) if it is the same from the day before a local date to the day after, else `undefined`. */
  steadyOffset(localDay: number): number | undefined {
    const before = this.offsetAt((localDay - 1) * DAY);
    return before === this.offsetAt((localDay + 2) * DAY) ? before : undefined;
  }

  /** Seconds to add to UTC for the local time at an instant. */
  offsetAt(second: number): number {
    const utcDay = Math.floor(second / DAY);
    let known = this.#days.get(utcDay);
    if (known === undefined) {
      known = this.#learn(utcDay);
      this.#days.set(utcDay, known);
    }
    return second < known.transition ? known.before : known.after;
  }

  #learn(utcDay: number): UtcDay {
    const start = utcDay * DAY;
    const before = this.#look(start);
    const after = this.#look(start + DAY);
    let low = start;
    let high = start + DAY;
    while (before !== after && high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.#look(middle) === after) high = middle;
      else low = middle;
    }
    return { transition: high, before, after };
  }

  #look(second: number): number {
    const part: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(second * 1000)) part[type] = Number(value);
    const local = Date.UTC(
      part["year"]!,
      part["month"]! - 1,
      part["day"],
      part["hour"],
      part["minute"],
      part["second"],
    );
    return local / 1000 - second;
  }
}

/** Offsets from UTC in seconds before and from the transition on (the end of the day, where there is none). */
interface UtcDay {
  readonly transition: number;
  readonly before: number;
  readonly after: number;
}

const DAY = 86_400;
