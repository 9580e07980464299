import { TimeZone } from "../../infra/time-zone.js";
import { JURISDICTIONS, type Jurisdiction } from "../../schemas/jurisdictions.js";
import type { UtilityConfig } from "../../schemas/config.js";

const DAY = 86_400;
/** Days ahead within which several hours must have a time in common: laws differ by the day of the week. */
const AHEAD_MS = 8 * DAY * 1000;

/** Hours and zone that a contact chose (local, hh:mm; IANA); `null`: those of the utility. */
export interface OwnHours {
  readonly send_from: string | null;
  readonly send_until: string | null;
  readonly time_zone: string | null;
}

/** What the configuration says of a utility's hours. */
interface HoursConfig {
  readonly timeZone: string;
  readonly jurisdiction?: UtilityConfig["jurisdiction"];
  readonly alerts: Pick<UtilityConfig["alerts"], "sendFrom" | "sendUntil">;
}

/** The hours in which alerts of a utility, or of one contact, may be sent: all of several windows at once. */
export class SendingHours {
  readonly #utility: HoursConfig;
  readonly #windows: readonly DailyHours[];
  /** Hours of contacts that are within these, by what they chose. */
  readonly #within = new Map<string, SendingHours>();

  private constructor(utility: HoursConfig, windows: readonly DailyHours[]) {
    this.#utility = utility;
    this.#windows = windows;
  }

  /** Those of the configuration, within those of the law that it names. */
  static of(utility: HoursConfig): SendingHours {
    const zone = new TimeZone(utility.timeZone);
    const { sendFrom, sendUntil } = utility.alerts;
    const windows = [new DailyHours(zone, secondOfDay(sendFrom), secondOfDay(sendUntil))];
    if (utility.jurisdiction !== undefined)
      windows.push(DailyHours.ofLaw(zone, JURISDICTIONS[utility.jurisdiction]));
    return new SendingHours(utility, windows);
  }

  /**
   * What these hours and those of a contact have in common; one in another zone is written to where it is day in both.
   * Where they have no time in common, these hold: an alert that never goes is none.
   */
  within({ send_from, send_until, time_zone }: OwnHours): SendingHours {
    if (send_from === null && time_zone === null) return this;
    const name = `${send_from} ${send_until} ${time_zone}`;
    const known = this.#within.get(name);
    if (known !== undefined) return known;
    const { timeZone, alerts } = this.#utility;
    const zone = new TimeZone(time_zone ?? timeZone);
    const [from, until] = [send_from ?? alerts.sendFrom, send_until ?? alerts.sendUntil];
    const windows = [...this.#windows, new DailyHours(zone, secondOfDay(from), secondOfDay(until))];
    const both = new SendingHours(this.#utility, windows);
    const own = both.#nextIn(Date.UTC(2026, 0, 4)) === undefined ? this : both;
    this.#within.set(name, own);
    return own;
  }

  /** The instant (UTC milliseconds) from which a message may go: `now` itself within the hours, else their next beginning. */
  next(now: number): number {
    return this.#nextIn(now) ?? this.#windows[0]!.next(now);
  }

  /** The beginning of the hours that follow those that hold at `now`, or that come next (UTC milliseconds); of hours without end a day later. */
  nextDay(now: number): number {
    const from = this.next(now);
    const left = this.left(from);
    return left === Infinity ? now + DAY * 1000 : this.next(from + left * 1000);
  }

  /** Seconds until the hours that hold at `now` (UTC milliseconds) end; those of the whole day never do. */
  left(now: number): number {
    return Math.min(...this.#windows.map((window) => window.left(now)));
  }

  #nextIn(now: number): number | undefined {
    let at = now;
    while (at - now <= AHEAD_MS) {
      const moved = this.#windows.reduce((time, window) => window.next(time), at);
      if (moved === at) return at;
      at = moved;
    }
    return undefined;
  }
}

/** Hours of each local day. */
class DailyHours {
  readonly #zone: TimeZone;
  readonly #days: readonly [from: number, until: number];
  readonly #sundays: readonly [from: number, until: number];

  /**
   * @param from,until seconds of the local day; hours that end before they begin span midnight, equal ones are the whole day
   */
  constructor(
    zone: TimeZone,
    from: number,
    until: number,
    sundays: readonly [number, number] = [from, until],
  ) {
    this.#zone = zone;
    this.#days = [from, until];
    this.#sundays = sundays;
  }

  static ofLaw(zone: TimeZone, { days, sundays = days }: Jurisdiction): DailyHours {
    return new DailyHours(zone, secondOfDay(days.from), secondOfDay(days.until), [
      secondOfDay(sundays.from),
      secondOfDay(sundays.until),
    ]);
  }

  next(now: number): number {
    const second = Math.floor(now / 1000);
    const day = this.#zone.dayOf(second);
    if (this.#contains(day, second + this.#zone.offsetAt(second) - day * DAY)) return now;
    for (let ahead = 0; ; ahead++) {
      const local = (day + ahead) * DAY + this.#of(day + ahead)[0];
      // In the hour that spring leaves out, the clock shows the next one.
      const start = this.#zone.instantsOf(local)[0] ?? local - this.#zone.offsetAt(local - DAY);
      if (start > second) return start * 1000;
    }
  }

  left(now: number): number {
    const second = Math.floor(now / 1000);
    const day = this.#zone.dayOf(second);
    const [from, until] = this.#of(day);
    if (from === until) return Infinity;
    for (let ahead = 0; ; ahead++) {
      const local = (day + ahead) * DAY + this.#of(day + ahead)[1];
      const end = this.#zone.instantsOf(local)[0] ?? local - this.#zone.offsetAt(local - DAY);
      if (end > second) return end - second;
    }
  }

  #contains(day: number, time: number): boolean {
    const [from, until] = this.#of(day);
    if (from === until) return true;
    return from < until ? time >= from && time < until : time >= from || time < until;
  }

  /** @param day days since 1970-01-01, a Thursday */
  #of(day: number): readonly [from: number, until: number] {
    return (day + 4) % 7 === 0 ? this.#sundays : this.#days;
  }
}

function secondOfDay(clockTime: string): number {
  const [hours, minutes] = clockTime.split(":").map(Number);
  return hours! * 3600 + minutes! * 60;
}
