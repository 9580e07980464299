import type pg from "pg";
import type { Database } from "../infra/postgres/database.js";

/** Class of the advisory locks of partitions that a detector has work of in hand. */
const LOCK = 0x43_44;

/**
 * Lets a partition's new owner wait until the former one has saved what it has in hand: a group of Kafka gives a
 * partition away before that. They are locks of a session in PostgreSQL, so they end with their process, and where the
 * connection breaks the epoch of the partition still fences.
 */
export class PartitionLocks {
  readonly #database: Database;
  #session: Promise<pg.Client> | undefined;
  #asked: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Whether the partition is ours, taking it where it is free. */
  take(partition: number): Promise<boolean> {
    return this.#ask("pg_try_advisory_lock", partition);
  }

  /** Gives the partition back; one that is not ours stays whose it is. */
  async release(partition: number): Promise<void> {
    if (this.#session !== undefined) await this.#ask("pg_advisory_unlock", partition).catch(() => undefined);
  }

  /** Gives all back, as soon as the server takes notice, for good: what is still to be asked is not, on no new connection either. */
  close(): void {
    this.#closed = true;
    this.#session?.then((session) => session.end()).catch(() => undefined);
    this.#session = undefined;
  }

  /** One after the other, as a connection takes them. */
  #ask(what: "pg_try_advisory_lock" | "pg_advisory_unlock", partition: number): Promise<boolean> {
    const answer = this.#asked.then(async () => {
      if (this.#closed) throw new Error("The locks of partitions were given back.");
      const session = await this.#connected();
      const { rows } = await session.query<{ done: boolean }>(`SELECT ${what}($1, $2) AS done`, [
        LOCK,
        partition,
      ]);
      return rows[0]!.done;
    });
    this.#asked = answer.catch(() => undefined);
    return answer;
  }

  #connected(): Promise<pg.Client> {
    if (this.#session !== undefined) return this.#session;
    const session = this.#database.connect();
    this.#session = session;
    const forget = () => {
      if (this.#session === session) this.#session = undefined;
    };
    session.then((client) => client.once("error", forget).once("end", forget), forget);
    return session;
  }
}
