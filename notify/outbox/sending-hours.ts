import { TimeZone } from "../../infra/time-zone.js";
import type { UtilityConfig } from "../../schemas/config.js";

const DAY = 86_400;

/** Hours that a contact chose (local, hh:mm); `null`: those of the utility. */
export interface OwnHours {
  readonly send_from: string | null;
  readonly send_until: string | null;
}

/** The local hours in which alerts of a utility may be sent. */
export class SendingHours {
  readonly #zone: TimeZone;
  readonly #from: number;
  readonly #until: number;
  /** Hours of contacts that are within these, by their beginning and end. */
  readonly #within = new Map<string, SendingHours>();

  /** @param from,until seconds of the local day */
  constructor({
    zone,
    from,
    until,
  }: {
    readonly zone: TimeZone;
    readonly from: number;
    readonly until: number;
  }) {
    this.#zone = zone;
    this.#from = from;
    this.#until = until;
  }

  static of({
    timeZone,
    alerts,
  }: {
    readonly timeZone: string;
    readonly alerts: Pick<UtilityConfig["alerts"], "sendFrom" | "sendUntil">;
  }): SendingHours {
    const [from, until] = [secondOfDay(alerts.sendFrom), secondOfDay(alerts.sendUntil)];
    return new SendingHours({ zone: new TimeZone(timeZone), from, until });
  }

  /** Those of a contact within these. Where they have no time in common, these hold: an alert that never goes is none. */
  within({ send_from, send_until }: OwnHours): SendingHours {
    if (send_from === null || send_until === null) return this;
    const name = `${send_from} ${send_until}`;
    let own = this.#within.get(name);
    if (own === undefined) {
      const [from, until] = this.#common(secondOfDay(send_from), secondOfDay(send_until));
      own = from >= until ? this : new SendingHours({ zone: this.#zone, from, until });
      this.#within.set(name, own);
    }
    return own;
  }

  /** Seconds of a local day that these hours and those from `from` to `until` have in common; of a night, where all lies on one side of midnight. */
  #common(from: number, until: number): readonly [from: number, until: number] {
    if (this.#from === this.#until) return [from, until];
    if (this.#from < this.#until) return [Math.max(from, this.#from), Math.min(until, this.#until)];
    // A night: what lies in its morning, or in its evening.
    return until <= this.#until || from >= this.#from ? [from, until] : [0, 0];
  }

  /**
   * The instant (UTC milliseconds) from which a message may go: `now` itself within the hours, else their next
   * beginning. Hours that end before they begin span midnight; equal ones are the whole day.
   */
  next(now: number): number {
    const second = Math.floor(now / 1000);
    const day = this.#zone.dayOf(second);
    if (this.#contains(second + this.#zone.offsetAt(second) - day * DAY)) return now;
    for (let ahead = 0; ; ahead++) {
      const local = (day + ahead) * DAY + this.#from;
      // In the hour that spring leaves out, the clock shows the next one.
      const start = this.#zone.instantsOf(local)[0] ?? local - this.#zone.offsetAt(local - DAY);
      if (start > second) return start * 1000;
    }
  }

  /** Seconds until the hours that hold at `now` (UTC milliseconds) end; those of the whole day never do. */
  left(now: number): number {
    if (this.#from === this.#until) return Infinity;
    const second = Math.floor(now / 1000);
    const day = this.#zone.dayOf(second);
    for (let ahead = 0; ; ahead++) {
      const local = (day + ahead) * DAY + this.#until;
      const end = this.#zone.instantsOf(local)[0] ?? local - this.#zone.offsetAt(local - DAY);
      if (end > second) return end - second;
    }
  }

  #contains(time: number): boolean {
    if (this.#from === this.#until) return true;
    return this.#from < this.#until
      ? time >= this.#from && time < this.#until
      : time >= this.#from || time < this.#until;
  }
}

function secondOfDay(clockTime: string): number {
  const [hours, minutes] = clockTime.split(":").map(Number);
  return hours! * 3600 + minutes! * 60;
}
