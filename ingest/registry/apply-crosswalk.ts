import type { Vault } from "../../infra/crypto/vault.js";
import type { LogProducer } from "../../infra/log/log.js";
import type { Database, Queryable } from "../../infra/postgres/database.js";
import { canonicalAccount, canonicalZip } from "../../schemas/canonical.js";
import type { CrosswalkRow } from "./crosswalk.js";
import type { MeterKeys } from "./meter-keys.js";
import { tellMeters } from "./tell-meters.js";

const ROWS_PER_TRANSACTION = 1_000;

interface Registry {
  readonly utility: string;
  readonly now: Date;
  readonly vault: Vault;
  /** Number of the file that says it. */
  readonly file: number | null;
}

/**
 * Brings the registry to what the rows say, one after the other, and tells the detector what it must know of the meters.
 * Rows that say nothing new write nothing. A utility's rows come from one caller at a time.
 * @param file its number in the ledger: what it says is known to come from there
 */
export async function applyCrosswalk(
  rows: readonly CrosswalkRow[],
  utility: string,
  { now, file }: { readonly now: Date; readonly file: number | null },
  stores: {
    readonly database: Database;
    readonly vault: Vault;
    readonly keys: MeterKeys;
    readonly producer: LogProducer;
  },
): Promise<void> {
  const { database, vault, keys, producer } = stores;
  const registry = { utility, now, vault, file };
  for (let at = 0; at < rows.length; at += ROWS_PER_TRANSACTION) {
    const chunk = rows.slice(at, at + ROWS_PER_TRANSACTION);
    const meters = await keys.ofMeters(chunk.map(({ meterId }) => meterId));
    await database.transaction((transaction) => applyRows(transaction, chunk, meters, registry));
  }
  await tellMeters(database, producer);
}

/** A row, and what it is about. */
interface Placed {
  readonly row: CrosswalkRow;
  readonly meter: string;
  readonly premise: number;
  readonly account: number;
}

async function applyRows(
  on: Queryable,
  rows: readonly CrosswalkRow[],
  meters: ReadonlyMap<string, string>,
  registry: Registry,
): Promise<void> {
  const { utility, vault, now } = registry;
  const locations = rows.map(({ locationId }) => vault.hash(utility, "location", locationId));
  const numbers = rows.map(({ accountId }) => vault.hash(utility, "account", canonicalAccount(accountId)));
  const premises = await keepPremises(on, rows, locations, registry);
  const accounts = await keepAccounts(on, rows, numbers, registry);
  const placed = rows.map((row, i) => ({
    row,
    meter: meters.get(row.meterId)!,
    premise: premises.get(locations[i]!.toString("hex"))!,
    account: accounts.get(numbers[i]!.toString("hex"))!,
  }));
  await keepCustomers(on, placed, registry);
  const moved = await keepPlacements(on, placed, now);
  const changed = await keepOccupancies(on, placed, registry);
  await keepSettings(on, placed, moved, changed, registry);
}

/** Address and ZIP of premises; the last row that says one counts. Premise ids by hash in hex. */
async function keepPremises(
  on: Queryable,
  rows: readonly CrosswalkRow[],
  hashes: readonly Buffer[],
  registry: Registry,
): Promise<ReadonlyMap<string, number>> {
  const { utility, vault, file } = registry;
  interface Premise {
    readonly premise_id: number;
    readonly location_hash: Buffer;
    readonly address_sealed: Buffer | null;
    readonly address_file: number | null;
    readonly zip_hash: Buffer | null;
    readonly zip_file: number | null;
  }
  const said = new Map<string, { hash: Buffer; address: string; zip: string }>();
  for (const [i, { address, zip }] of rows.entries()) {
    const one = lookUp(said, hashes[i]!.toString("hex"), () => ({ hash: hashes[i]!, address: "", zip: "" }));
    if (address !== "") one.address = address;
    if (zip !== "") one.zip = zip;
  }
  const found = await on.query<Premise>(
    `SELECT premise_id, location_hash, address_sealed, address_file, zip_hash, zip_file FROM premises
     WHERE utility = $1 AND location_hash = ANY ($2::bytea[])`,
    [utility, [...said.values()].map(({ hash }) => hash)],
  );
  const known = new Map(found.map((premise) => [premise.location_hash.toString("hex"), premise]));
  const news = [...said].flatMap(([key, { hash, address, zip }]) => {
    const before = known.get(key);
    const context = "premises.address";
    const of = { sealed: before?.address_sealed, file: before?.address_file };
    const sealed = sealedIfNew(registry, context, address, of);
    const zipHash = zip === "" ? null : vault.hash(utility, "zip", canonicalZip(zip));
    const isSame = zipHash !== null && before?.zip_hash?.equals(zipHash) === true;
    const newZip = zipHash !== null && !(isSame && hasOrigin(before.zip_file, registry));
    return before === undefined || sealed !== null || newZip ? [{ hash, sealed, zipHash }] : [];
  });
  if (news.length > 0) {
    const written = await on.query<Pick<Premise, "premise_id" | "location_hash">>(
      `INSERT INTO premises (utility, location_hash, address_sealed, zip_hash, address_file, zip_file)
       SELECT $1, hash, address, zip, CASE WHEN address IS NOT NULL THEN $5::bigint END, CASE WHEN zip IS NOT NULL THEN $5::bigint END
       FROM unnest($2::bytea[], $3::bytea[], $4::bytea[]) AS said (hash, address, zip)
       ON CONFLICT (utility, location_hash) DO UPDATE SET
         address_sealed = coalesce(excluded.address_sealed, premises.address_sealed),
         address_file = CASE WHEN excluded.address_sealed IS NULL THEN premises.address_file ELSE $5 END,
         zip_hash = coalesce(excluded.zip_hash, premises.zip_hash),
         zip_file = CASE WHEN excluded.zip_hash IS NULL THEN premises.zip_file ELSE $5 END
       RETURNING premise_id, location_hash`,
      [
        utility,
        news.map(({ hash }) => hash),
        news.map(({ sealed }) => sealed),
        news.map(({ zipHash }) => zipHash),
        file,
      ],
    );
    const unread = { address_sealed: null, address_file: null, zip_hash: null, zip_file: null };
    found.push(...written.map((one) => ({ ...one, ...unread })));
  }
  return new Map(found.map(({ location_hash, premise_id }) => [location_hash.toString("hex"), premise_id]));
}

/** Account ids by hash in hex. */
async function keepAccounts(
  on: Queryable,
  rows: readonly CrosswalkRow[],
  hashes: readonly Buffer[],
  { utility, vault }: Registry,
): Promise<ReadonlyMap<string, number>> {
  interface Account {
    readonly account_id: number;
    readonly number_hash: Buffer;
  }
  const said = new Map(hashes.map((hash, i) => [hash.toString("hex"), { hash, row: rows[i]! }]));
  const ids = new Map<string, number>();
  const take = (accounts: readonly Account[]) => {
    for (const { number_hash, account_id } of accounts) ids.set(number_hash.toString("hex"), account_id);
  };
  take(
    await on.query<Account>(
      `SELECT account_id, number_hash FROM accounts WHERE utility = $1 AND number_hash = ANY ($2::bytea[])`,
      [utility, [...said.values()].map(({ hash }) => hash)],
    ),
  );
  const news = [...said].filter(([key]) => !ids.has(key)).map(([, one]) => one);
  if (news.length > 0) {
    take(
      await on.query<Account>(
        `INSERT INTO accounts (utility, number_hash, number_sealed)
         SELECT $1, * FROM unnest($2::bytea[], $3::bytea[])
         ON CONFLICT (utility, number_hash) DO UPDATE SET number_hash = excluded.number_hash
         RETURNING account_id, number_hash`,
        [
          utility,
          news.map(({ hash }) => hash),
          news.map(({ row }) => vault.seal(utility, "accounts.number", row.accountId)),
        ],
      ),
    );
  }
  return ids;
}

const CUSTOMER_COLUMNS = ["name", "email", "phone"] as const;

/** Names and addresses of the accounts' holders; the last row that says one counts. */
async function keepCustomers(on: Queryable, rows: readonly Placed[], registry: Registry): Promise<void> {
  const { utility, file } = registry;
  interface Customer {
    readonly account_id: number;
    readonly name_sealed: Buffer | null;
    readonly name_file: number | null;
    readonly email_sealed: Buffer | null;
    readonly email_file: number | null;
    readonly phone_sealed: Buffer | null;
    readonly phone_file: number | null;
  }
  const said = new Map<number, { name: string; email: string; phone: string }>();
  for (const { account, row } of rows) {
    const one = lookUp(said, account, () => ({ name: "", email: "", phone: "" }));
    for (const column of CUSTOMER_COLUMNS) if (row[column] !== "") one[column] = row[column];
  }
  const found = await on.query<Customer>(
    `SELECT account_id, name_sealed, name_file, email_sealed, email_file, phone_sealed, phone_file
     FROM customers WHERE account_id = ANY ($1)`,
    [[...said.keys()]],
  );
  const known = new Map(found.map((customer) => [customer.account_id, customer]));
  const news = [...said].flatMap(([account, texts]) => {
    const before = known.get(account);
    const sealed = CUSTOMER_COLUMNS.map((column) =>
      sealedIfNew(registry, `customers.${column}`, texts[column], {
        sealed: before?.[`${column}_sealed`],
        file: before?.[`${column}_file`],
      }),
    );
    return before === undefined || sealed.some((one) => one !== null) ? [{ account, sealed }] : [];
  });
  if (news.length === 0) return;
  await on.query(
    `INSERT INTO customers (utility, account_id, name_sealed, email_sealed, phone_sealed, name_file, email_file, phone_file)
     SELECT $1, account, name, email, phone, CASE WHEN name IS NOT NULL THEN $6::bigint END,
       CASE WHEN email IS NOT NULL THEN $6::bigint END, CASE WHEN phone IS NOT NULL THEN $6::bigint END
     FROM unnest($2::bigint[], $3::bytea[], $4::bytea[], $5::bytea[]) AS said (account, name, email, phone)
     ON CONFLICT (account_id) DO UPDATE SET
       name_sealed = coalesce(excluded.name_sealed, customers.name_sealed),
       name_file = CASE WHEN excluded.name_sealed IS NULL THEN customers.name_file ELSE $6 END,
       email_sealed = coalesce(excluded.email_sealed, customers.email_sealed),
       email_file = CASE WHEN excluded.email_sealed IS NULL THEN customers.email_file ELSE $6 END,
       phone_sealed = coalesce(excluded.phone_sealed, customers.phone_sealed),
       phone_file = CASE WHEN excluded.phone_sealed IS NULL THEN customers.phone_file ELSE $6 END`,
    [
      utility,
      news.map(({ account }) => account),
      ...CUSTOMER_COLUMNS.map((_, i) => news.map(({ sealed }) => sealed[i])),
      file,
    ],
  );
}

/** Whether it is known which file said what is kept; what came before that was written down is written anew, once. */
function hasOrigin(of: number | null | undefined, { file }: Registry): boolean {
  return typeof of === "number" || file === null;
}

/** The sealed text where it is another one than before. */
function sealedIfNew(
  registry: Registry,
  context: string,
  text: string,
  before: { readonly sealed: Buffer | null | undefined; readonly file: number | null | undefined },
): Buffer | null {
  const { vault, utility } = registry;
  if (text === "") return null;
  if (before.sealed && hasOrigin(before.file, registry)) {
    try {
      if (vault.unseal(utility, context, before.sealed).toString() === text) return null;
    } catch {
      // What does not open is written anew.
    }
  }
  return vault.seal(utility, context, text);
}

/** A span of time, in milliseconds since 1970; `until` null: still. */
interface Span {
  readonly from: number;
  until: number | null;
  /** How it stands in the registry; `gone`: there, and no longer true. */
  state: "kept" | "changed" | "new" | "gone";
}

function spanOf({ valid_from, valid_until }: Valid): Span {
  return { from: valid_from.getTime(), until: valid_until?.getTime() ?? null, state: "kept" };
}

interface Valid {
  readonly valid_from: Date;
  readonly valid_until: Date | null;
}

function endAt(span: Span, until: number | null): void {
  if (span.until === until) return;
  span.until = until;
  if (span.state === "kept") span.state = "changed";
}

/** Members of spans as columns for `unnest`: first those of `members`, then from and until. */
function columnsOf<T extends Span>(spans: readonly T[], members: readonly (keyof T)[]): unknown[][] {
  return [
    ...members.map((member) => spans.map((span) => span[member])),
    spans.map(({ from }) => new Date(from)),
    spans.map(({ until }) => (until === null ? null : new Date(until))),
  ];
}

/**
 * Which meter measures which premise: a meter measures one at a time, and left the one before when it came here. Where
 * nobody says when that was, it was when the customer moved in, or now.
 * @returns meters of which that changed
 */
async function keepPlacements(
  on: Queryable,
  rows: readonly Placed[],
  now: Date,
): Promise<ReadonlySet<string>> {
  interface Placement extends Span {
    readonly premise: number;
    readonly meter: string;
  }
  const found = await on.query<Valid & { readonly premise_id: number; readonly meter_key: string }>(
    `SELECT premise_id, meter_key, valid_from, valid_until FROM premise_meters
     WHERE meter_key = ANY ($1::char(16)[]) FOR UPDATE`,
    [[...new Set(rows.map(({ meter }) => meter))]],
  );
  const byMeter = new Map<string, Placement[]>();
  const all = found.map((row): Placement => ({
    premise: row.premise_id,
    meter: row.meter_key,
    ...spanOf(row),
  }));
  for (const one of all) lookUp(byMeter, one.meter, () => []).push(one);
  const moved = new Set<string>();
  for (const { row, meter, premise } of rows) {
    const placements = lookUp(byMeter, meter, () => []);
    const add = (from: number, until: number | null) => {
      moved.add(meter);
      const same = placements.find((one) => one.premise === premise && one.from === from);
      if (same !== undefined) return endAt(same, until);
      const placement: Placement = { premise, meter, from, until, state: "new" };
      placements.push(placement);
      all.push(placement);
    };
    const since = inMilliseconds(row.meterSince);
    const until = inMilliseconds(row.meterUntil);
    const at = (end: number | null) => placements.find((one) => one.premise === premise && one.until === end);
    const here = (until === undefined ? undefined : at(until)) ?? at(null);
    if (here !== undefined && (since === undefined || here.from === since)) {
      if (until === undefined || here.until === until) continue;
      moved.add(meter);
      endAt(here, until);
    } else if (here !== undefined) {
      // It came at another time than was known, and until then was where it had been.
      for (const one of placements) if (one !== here && one.until === here.from) endAt(one, since!);
      placements.splice(placements.indexOf(here), 1);
      if (here.state === "new") all.splice(all.indexOf(here), 1);
      else here.state = "gone";
      add(since!, until ?? here.until);
    } else if (until === undefined) {
      const open = placements.filter((one) => one.until === null);
      // Where nobody says more, it came when it left the place before, or when it is first heard to be here.
      const left = open.length > 0 ? now.getTime() : Math.max(0, ...placements.map((one) => one.until!));
      const came = since ?? (placements.length > 0 ? inMilliseconds(row.moveIn) : undefined) ?? left;
      for (const one of open) endAt(one, came);
      add(came, null);
    } else {
      // Of a former place: where the meter is now stays as it is.
      add(since ?? 0, until);
    }
  }
  const [changed, news] = [all.filter(({ state }) => state === "changed"), all.filter(isNew)];
  const gone = all.filter(({ state }) => state === "gone");
  if (gone.length > 0) {
    await on.query(
      `DELETE FROM premise_meters p USING unnest($1::bigint[], $2::char(16)[], $3::timestamptz[]) AS g (premise, meter, since)
       WHERE p.premise_id = g.premise AND p.meter_key = g.meter AND p.valid_from = g.since`,
      columnsOf(gone, ["premise", "meter"]).slice(0, 3),
    );
  }
  if (changed.length > 0) {
    await on.query(
      `UPDATE premise_meters p SET valid_until = c.until
       FROM unnest($1::bigint[], $2::char(16)[], $3::timestamptz[], $4::timestamptz[]) AS c (premise, meter, since, until)
       WHERE p.premise_id = c.premise AND p.meter_key = c.meter AND p.valid_from = c.since`,
      columnsOf(changed, ["premise", "meter"]),
    );
  }
  if (news.length > 0) {
    await on.query(
      `INSERT INTO premise_meters (premise_id, meter_key, valid_from, valid_until)
       SELECT * FROM unnest($1::bigint[], $2::char(16)[], $3::timestamptz[], $4::timestamptz[])
       ON CONFLICT DO NOTHING`,
      columnsOf(news, ["premise", "meter"]),
    );
  }
  return moved;
}

function inMilliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}

function isNew({ state }: Span): boolean {
  return state === "new";
}

interface Occupancy extends Span {
  /** Undefined for a new one. */
  readonly id: number | undefined;
  readonly premise: number;
  readonly account: number;
}

/**
 * Who holds the account of which premise: one at a time.
 * @returns premises where that changed
 */
async function keepOccupancies(
  on: Queryable,
  rows: readonly Placed[],
  { utility, now }: Registry,
): Promise<ReadonlySet<number>> {
  interface Found extends Valid {
    readonly occupancy_id: number;
    readonly premise_id: number;
    readonly account_id: number;
  }
  const found = await on.query<Found>(
    `SELECT occupancy_id, premise_id, account_id, valid_from, valid_until FROM occupancies
     WHERE premise_id = ANY ($1) FOR UPDATE`,
    [[...new Set(rows.map(({ premise }) => premise))]],
  );
  const byPremise = new Map<number, Occupancy[]>();
  for (const row of found) {
    const { occupancy_id: id, premise_id: premise, account_id: account } = row;
    lookUp(byPremise, premise, () => []).push({ id, premise, account, ...spanOf(row) });
  }
  for (const placed of rows)
    occupy(
      lookUp(byPremise, placed.premise, () => []),
      placed,
      now.getTime(),
    );
  const all = [...byPremise.values()].flat();
  const [changed, news] = [all.filter(({ state }) => state === "changed"), all.filter(isNew)];
  if (changed.length > 0) {
    await on.query(
      `UPDATE occupancies o SET valid_until = c.until
       FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[]) AS c (id, since, until)
       WHERE o.occupancy_id = c.id`,
      columnsOf(changed, ["id"]),
    );
  }
  if (news.length > 0) {
    await on.query(
      `INSERT INTO occupancies (utility, premise_id, account_id, valid_from, valid_until)
       SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::timestamptz[], $5::timestamptz[])
       ON CONFLICT (account_id, premise_id, valid_from) DO UPDATE SET valid_until = excluded.valid_until`,
      [utility, ...columnsOf(news, ["premise", "account"])],
    );
  }
  return new Set([...changed, ...news].map(({ premise }) => premise));
}

/** What a row says of a premise's occupancies (`stays`) becomes true of them. */
function occupy(stays: Occupancy[], { row, premise, account }: Placed, now: number): void {
  const since = row.moveIn === undefined ? undefined : row.moveIn * 1000;
  const until = row.moveOut === undefined ? null : row.moveOut * 1000;
  if (until === null) {
    // The premise has one account at a time: the former's occupancy ends, and with it its consents.
    for (const stay of stays)
      if (stay.account !== account && stay.until === null) endAt(stay, Math.max(stay.from, since ?? now));
  }
  // An account may come back to a premise: a row about the former stay must not end the present one.
  const own = stays.filter((stay) => stay.account === account).sort((a, b) => b.from - a.from);
  const spoken =
    own.find(({ from }) => from === since) ??
    own.find((stay) => until !== null && stay.until === until) ??
    own.find((stay) => stay.until === null && (until === null || stay.from < until));
  if (spoken !== undefined) return endAt(spoken, until);
  // Without a date of moving in: from the end of who was there before, so that nobody sees a former occupant's usage.
  const ends = stays.flatMap((stay) => stay.until ?? []).filter((end) => end <= (until ?? Infinity));
  const from = since ?? Math.max(0, ...ends);
  const again = own.find((stay) => stay.from === from);
  if (again !== undefined) return endAt(again, until);
  stays.push({ id: undefined, premise, account, from, until, state: "new" });
}

/**
 * Keeps what rows say of their meters for the detector, and lets it be told of meters for which that is another now; who
 * moved in or out may end or bring what residents declared, and that nobody is home.
 */
async function keepSettings(
  on: Queryable,
  rows: readonly Placed[],
  moved: ReadonlySet<string>,
  occupied: ReadonlySet<number>,
  { file }: Registry,
): Promise<void> {
  // Of rows about one meter the last with settings counts.
  const settings = new Map(
    rows
      .filter(({ row }) => row.settings.length > 0)
      .map(({ row, meter }) => [meter, JSON.stringify(row.settings)]),
  );
  if (settings.size === 0 && moved.size === 0 && occupied.size === 0) return;
  await on.query(
    `WITH said AS (
       UPDATE meters m SET registry_settings = s.settings, settings_file = $5::bigint
       FROM unnest($1::char(16)[], $2::jsonb[]) AS s (meter_key, settings)
       WHERE m.meter_key = s.meter_key 
         AND (m.registry_settings <> s.settings OR (m.settings_file IS NULL AND $5::bigint IS NOT NULL))
       RETURNING m.meter_key)
     INSERT INTO meters_to_tell
       SELECT meter_key FROM said UNION
       SELECT p.meter_key FROM premise_meters p JOIN occupancies o USING (premise_id)
         WHERE (p.meter_key = ANY ($3::char(16)[]) OR p.premise_id = ANY ($4::bigint[]))
           AND (o.valid_until IS NOT NULL OR EXISTS (SELECT 1 FROM declarations d WHERE d.occupancy_id = o.occupancy_id))
     ON CONFLICT DO NOTHING`,
    [[...settings.keys()], [...settings.values()], [...moved], [...occupied], file],
  );
}

function lookUp<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
