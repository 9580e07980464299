import type { Clock } from "../../infra/clock.js";
import type { Database } from "../../infra/postgres/database.js";
import type { LookUp } from "../channels/twilio-lookup.js";

/** Numbers move from one network to another: after so long one is asked for again. */
const HOLDS_MS = 365 * 86_400_000;

/** Whether what was found at that time still counts. `now`: UTC milliseconds. */
export function holds(lookedUpAt: Date | null, now: number): boolean {
  return lookedUpAt !== null && now - lookedUpAt.getTime() < HOLDS_MS;
}

/** A provider that had no answer is left alone for so long. */
const REST_MS = 60_000;

/** Looks a number up before the first text to it, and once a year. What gets no answer is written to like any other number. */
export class LineLookUp {
  readonly #lookUp: LookUp;
  readonly #database: Database;
  readonly #clock: Clock;
  /** Until when (monotonic) nothing is asked. */
  #rests = 0;

  constructor(lookUp: LookUp, { database, clock }: { readonly database: Database; readonly clock: Clock }) {
    this.#lookUp = lookUp;
    this.#database = database;
    this.#clock = clock;
  }

  /**
   * Whether texts can't reach a contact's number, as far as is known.
   * @param number E.164
   */
  async isLandline(
    { contact_id, looked_up_at }: { readonly contact_id: string; readonly looked_up_at: Date | null },
    number: string,
  ): Promise<boolean> {
    const now = this.#clock.now();
    if (holds(looked_up_at, now) || performance.now() < this.#rests) return false;
    const line = await this.#lookUp(number);
    if (line === undefined) {
      this.#rests = performance.now() + REST_MS;
      return false;
    }
    await this.#database.query(
      `UPDATE contacts SET line = $2, carrier = $3, looked_up_at = $4 WHERE contact_id = $1 AND erased_at IS NULL`,
      [contact_id, line.kind, line.carrier ?? null, new Date(now)],
    );
    return line.kind === "landline";
  }
}
