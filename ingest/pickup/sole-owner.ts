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

  constructor(database: Database) {
    this.#database = database;
  }

  /** Names the work. */
  of(name: string): void {
    this.#name = name;
  }

  /** Whether the work is ours, taking it where it is free. */
  async isOurs(): Promise<boolean> {
    if (this.#session !== undefined) return true;
    const session = await this.#database.connect();
    try {
      const { rows } = await session.query<{ ours: boolean }>(
        "SELECT pg_try_advisory_lock(hashtext($1)) AS ours",
        [this.#name],
      );
      if (rows[0]?.ours !== true) {
        await session.end();
        return false;
      }
    } catch (error) {
      await session.end().catch(() => undefined);
      throw error;
    }
    this.#session = session;
    session.once("end", () => {
      if (this.#session === session) this.#session = undefined;
    });
    return true;
  }

  async release(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.end().catch(() => undefined);
  }
}
