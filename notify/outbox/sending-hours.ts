import { TimeZone } from "../../infra/time-zone.js";
import type { UtilityConfig } from "../../schemas/config.js";

const DAY = 86_400;

/** The local hours in which alerts of a utility may be sent. */
export class SendingHours {
  readonly #zone: TimeZone;
  readonly #from: number;
  readonly #until: number;

  constructor({
    timeZone,
    alerts,
  }: {
    readonly timeZone: string;
    readonly alerts: Pick<UtilityConfig["alerts"], "sendFrom" | "sendUntil">;
  }) {
    this.#zone = new TimeZone(timeZone);
    this.#from = secondOfDay(alerts.sendFrom);
    this.#until = secondOfDay(alerts.sendUntil);
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
