/**
 * Days of a time zone. Offsets come from the platform's zone data through `Intl` and are kept for each UTC day: a
 * look-up costs a few comparisons.
 */
export class LocalDays {
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

  /** Days from 1970-01-01 to the local date of an instant (UTC seconds). */
  dayOf(second: number): number {
    const utcDay = Math.floor(second / DAY);
    let known = this.#days.get(utcDay);
    if (known === undefined) {
      known = this.#learn(utcDay);
      this.#days.set(utcDay, known);
    }
    return Math.floor((second + (second < known.transition ? known.before : known.after)) / DAY);
  }

  #learn(utcDay: number): UtcDay {
    const start = utcDay * DAY;
    const before = this.#offsetAt(start);
    const after = this.#offsetAt(start + DAY);
    let low = start;
    let high = start + DAY;
    while (before !== after && high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.#offsetAt(middle) === after) high = middle;
      else low = middle;
    }
    return { transition: high, before, after };
  }

  #offsetAt(second: number): number {
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
