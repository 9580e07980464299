import { randomBytes } from "node:crypto";
import type { Vault } from "../../infra/crypto/vault.js";
import type { Database } from "../../infra/postgres/database.js";

/** Keys are looked up so many at a time. */
const CHUNK = 5_000;

/**
 * Meter keys and register numbers of one utility: looked up by keyed hash, made where they are new, kept in memory while
 * a file is read.
 */
export class MeterKeys {
  readonly #database: Database;
  readonly #vault: Vault;
  readonly #utility: string;
  readonly #clock: () => number;
  readonly #keys = new Map<string, string>();
  readonly #registers = new Map<string, number>();

  constructor(database: Database, vault: Vault, utility: string, clock: () => number) {
    this.#database = database;
    this.#vault = vault;
    this.#utility = utility;
    this.#clock = clock;
  }

  /** The key of a meter that `learn` has seen. */
  keyOf(meterId: string): string {
    return this.#keys.get(meterId)!;
  }

  /** Number of a register that `learn` has seen; 0 for files that name none. */
  registerOf(meterId: string, serial: string): number {
    return serial === "" ? 0 : this.#registers.get(`${meterId}\0${serial}`)!;
  }

  async learn(meters: Iterable<{ readonly meterId: string; readonly serial: string }>): Promise<void> {
    const unknownMeters = new Set<string>();
    const unknownRegisters = new Map<string, { meterId: string; serial: string }>();
    for (const { meterId, serial } of meters) {
      if (!this.#keys.has(meterId)) unknownMeters.add(meterId);
      const name = `${meterId}\0${serial}`;
      if (serial !== "" && !this.#registers.has(name)) unknownRegisters.set(name, { meterId, serial });
    }
    const ids = [...unknownMeters];
    for (let at = 0; at < ids.length; at += CHUNK) await this.#learnKeys(ids.slice(at, at + CHUNK));
    for (const [name, { meterId, serial }] of unknownRegisters) {
      this.#registers.set(name, await this.#learnRegister(this.keyOf(meterId), serial));
    }
  }

  async #learnKeys(ids: readonly string[]): Promise<void> {
    const vault = this.#vault;
    const utility = this.#utility;
    const byHash = new Map(ids.map((id) => [vault.hash(utility, "meter", id).toString("hex"), id]));
    const hashes = [...byHash.keys()];
    const take = (rows: readonly { meter_key: string; hash: string }[]) => {
      for (const { meter_key, hash } of rows) this.#keys.set(byHash.get(hash)!, meter_key);
    };
    const select = `SELECT meter_key, encode(id_hash, 'hex') AS hash FROM meters
      WHERE utility = $1 AND id_hash IN (SELECT decode(h, 'hex') FROM unnest($2::text[]) AS h)`;
    take(await this.#database.query(select, [utility, hashes]));
    const fresh = hashes.filter((hash) => !this.#keys.has(byHash.get(hash)!));
    if (fresh.length === 0) return;
    const keys = fresh.map(() => randomBytes(8).toString("hex"));
    const sealed = fresh.map((hash) => vault.seal(utility, "meters.id", byHash.get(hash)!).toString("hex"));
    // Of two importers that meet a meter at once, one wins and both read what it wrote.
    await this.#database.query(
      `INSERT INTO meters (meter_key, utility, id_hash, id_sealed, created_at)
       SELECT k, $1, decode(h, 'hex'), decode(s, 'hex'), $5 FROM unnest($2::text[], $3::text[], $4::text[]) AS t(k, h, s)
       ON CONFLICT (utility, id_hash) DO NOTHING`,
      [utility, keys, fresh, sealed, new Date(this.#clock())],
    );
    take(await this.#database.query(select, [utility, fresh]));
  }

  async #learnRegister(meterKey: string, serial: string): Promise<number> {
    const hash = this.#vault.hash(this.#utility, "serial", serial);
    return this.#database.transaction(async (transaction) => {
      await transaction.query("SELECT 1 FROM meters WHERE meter_key = $1 FOR UPDATE", [meterKey]);
      const [known] = await transaction.query<{ number: number }>(
        "SELECT number FROM registers WHERE meter_key = $1 AND serial_hash = $2",
        [meterKey, hash],
      );
      if (known !== undefined) return known.number;
      const [made] = await transaction.query<{ number: number }>(
        `INSERT INTO registers (meter_key, number, serial_hash, serial_sealed)
         SELECT $1, coalesce(max(number), 0) + 1, $2, $3 FROM registers WHERE meter_key = $1 RETURNING number`,
        [meterKey, hash, this.#vault.seal(this.#utility, "registers.serial", serial)],
      );
      return made!.number;
    });
  }
}
