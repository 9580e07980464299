import type pg from "pg";
import type { Database } from "../../infra/postgres/database.js";

/**
 * Lets one process of several do a work: the one that holds a session's lock in PostgreSQL, which ends with its
 * connection. Where the connection breaks, another may come first.
 */
export class SoleOwner {
  readonly #database: Database;
  #name = "";
  #session: pg.Client | undefined;
  #ours = false;
  #released = false;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Names the work. */
  of(name: string): void {
    this.#name = name;
  }

  /** Whether the work is ours, taking it where it is free. One call at a time. */
  async isOurs(): Promise<boolean> {
    if (this.#ours) return true;
    const session = this.#session ?? (await this.#connect());
    const { rows } = await session.query<{ ours: boolean }>(
      "SELECT pg_try_advisory_lock(hashtext($1)) AS ours",
      [this.#name],
    );
    this.#ours = this.#session === session && rows[0]?.ours === true;
    return this.#ours;
  }

  /** For good: a connection that is only being made is given back as soon as it is there. */
  async release(): Promise<void> {
    this.#released = true;
    const session = this.#session;
    this.#session = undefined;
    this.#ours = false;
    await session?.end().catch(() => undefined);
  }

  async #connect(): Promise<pg.Client> {
    const session = await this.#database.connect();
    if (this.#released) {
      await session.end().catch(() => undefined);
      throw new Error("The work was given up while its lock was taken.");
    }
    this.#session = session;
    session.once("end", () => {
      if (this.#session !== session) return;
      this.#session = undefined;
      this.#ours = false;
    });
    return session;
  }
}
