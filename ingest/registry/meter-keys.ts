import { randomBytes } from "node:crypto";
import type { Vault } from "../../infra/crypto/vault.js";
import type { Database } from "../../infra/postgres/database.js";

/** Keys are looked up so many at a time. */
const CHUNK = 5_000;
/** Keys kept in memory; beyond it all are forgotten and looked up again. */
const MOST_KEPT = 500_000;

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

  /**
   * Keys of meters and numbers of their registers, made where they are new; number 0 for a register without a serial.
   * Calls may overlap.
   */
  async of(
    registers: readonly { readonly meterId: string; readonly serial: string }[],
  ): Promise<{ readonly meters: string[]; readonly numbers: number[] }> {
    for (;;) {
      await this.#learn(registers);
      const meters: string[] = [];
      const numbers: number[] = [];
      for (const { meterId, serial } of registers) {
        const meter = this.#keys.get(meterId);
        const number = serial === "" ? 0 : this.#registers.get(`${meterId}\0${serial}`);
        // Another call may have forgotten it meanwhile.
        if (meter === undefined || number === undefined) break;
        meters.push(meter);
        numbers.push(number);
      }
      if (numbers.length === registers.length) return { meters, numbers };
    }
  }

  /** Keys of meters by their ids. */
  async ofMeters(meterIds: Iterable<string>): Promise<ReadonlyMap<string, string>> {
    const ids = [...new Set(meterIds)];
    const { meters } = await this.of(ids.map((meterId) => ({ meterId, serial: "" })));
    return new Map(ids.map((meterId, i) => [meterId, meters[i]!]));
  }

  async #learn(registers: readonly { readonly meterId: string; readonly serial: string }[]): Promise<void> {
    if (this.#keys.size > MOST_KEPT || this.#registers.size > MOST_KEPT) {
      this.#keys.clear();
      this.#registers.clear();
    }
    const unknownMeters = new Set<string>();
    const unknownRegisters = new Map<string, { meterId: string; serial: string }>();
    for (const { meterId, serial } of registers) {
      if (!this.#keys.has(meterId)) unknownMeters.add(meterId);
      const name = `${meterId}\0${serial}`;
      if (serial !== "" && !this.#registers.has(name)) unknownRegisters.set(name, { meterId, serial });
    }
    const ids = [...unknownMeters];
    for (let at = 0; at < ids.length; at += CHUNK) await this.#learnKeys(ids.slice(at, at + CHUNK));
    const unknown = [...unknownRegisters];
    for (let at = 0; at < unknown.length; at += CHUNK)
      await this.#learnRegisters(unknown.slice(at, at + CHUNK));
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
    const random = randomBytes(8 * fresh.length).toString("hex");
    const keys = fresh.map((_, i) => random.slice(16 * i, 16 * i + 16));
    const sealed = fresh.map((hash) => vault.seal(utility, "meters.id", byHash.get(hash)!).toString("hex"));
    // Of two importers that meet a meter at once, one wins and both read what it wrote.
    take(
      await this.#database.query(
        `INSERT INTO meters (meter_key, utility, id_hash, id_sealed, created_at)
         SELECT k, $1, decode(h, 'hex'), decode(s, 'hex'), $5 FROM unnest($2::text[], $3::text[], $4::text[]) AS t(k, h, s)
         ON CONFLICT (utility, id_hash) DO NOTHING RETURNING meter_key, encode(id_hash, 'hex') AS hash`,
        [utility, keys, fresh, sealed, new Date(this.#clock())],
      ),
    );
    const others = fresh.filter((hash) => !this.#keys.has(byHash.get(hash)!));
    if (others.length > 0) take(await this.#database.query(select, [utility, others]));
  }

  async #learnRegisters(
    registers: readonly (readonly [name: string, { readonly meterId: string; readonly serial: string }])[],
  ): Promise<void> {
    const vault = this.#vault;
    const utility = this.#utility;
    // A meter whose key another call has forgotten meanwhile is learned again with it.
    registers = registers.filter(([, { meterId }]) => this.#keys.has(meterId));
    const names = new Map<string, string>();
    const keys: string[] = [];
    const hashes: string[] = [];
    const serials: string[] = [];
    for (const [name, { meterId, serial }] of registers) {
      const key = this.#keys.get(meterId)!;
      const hash = vault.hash(utility, "serial", serial).toString("hex");
      names.set(`${key}/${hash}`, name);
      keys.push(key);
      hashes.push(hash);
      serials.push(serial);
    }
    const select = `SELECT meter_key, encode(serial_hash, 'hex') AS hash, number FROM registers
      WHERE (meter_key, serial_hash) IN (SELECT k, decode(h, 'hex') FROM unnest($1::text[], $2::text[]) AS t(k, h))`;
    type Found = { readonly meter_key: string; readonly hash: string; readonly number: number };
    const take = (rows: readonly Found[]) => {
      for (const { meter_key, hash, number } of rows)
        this.#registers.set(names.get(`${meter_key}/${hash}`)!, number);
    };
    take(await this.#database.query<Found>(select, [keys, hashes]));
    const fresh = registers.flatMap(([name], i) => (this.#registers.has(name) ? [] : [i]));
    if (fresh.length === 0) return;
    const freshKeys = fresh.map((i) => keys[i]!);
    const freshHashes = fresh.map((i) => hashes[i]!);
    const sealed = fresh.map((i) => vault.seal(utility, "registers.serial", serials[i]!).toString("hex"));
    await this.#database.transaction(async (transaction) => {
      // Numbers go up without holes: of two importers that meet a meter's registers at once, one waits.
      await transaction.query(
        "SELECT 1 FROM meters WHERE meter_key = ANY($1::text[]) ORDER BY meter_key FOR UPDATE",
        [freshKeys],
      );
      await transaction.query(
        `INSERT INTO registers (meter_key, number, serial_hash, serial_sealed)
         SELECT k, (SELECT coalesce(max(number), 0) FROM registers WHERE meter_key = k)
                   + row_number() OVER (PARTITION BY k ORDER BY i), decode(h, 'hex'), decode(s, 'hex')
         FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS t(k, h, s, i)
         WHERE NOT EXISTS (SELECT 1 FROM registers WHERE meter_key = k AND serial_hash = decode(h, 'hex'))`,
        [freshKeys, freshHashes, sealed],
      );
    });
    take(await this.#database.query<Found>(select, [freshKeys, freshHashes]));
  }
}
