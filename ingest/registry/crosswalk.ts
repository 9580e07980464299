import type { Vault } from "../../infra/crypto/vault.js";
import type { LogProducer } from "../../infra/log/log.js";
import type { Database, Queryable } from "../../infra/postgres/database.js";
import { TimeZone } from "../../infra/time-zone.js";
import { canonicalAccount, canonicalMeter, canonicalZip } from "../../schemas/canonical.js";
import { hasCardNumber } from "../../schemas/card-number.js";
import { meterClass, type MeterSetting } from "../../schemas/meters.js";
import type { RejectCode } from "../check/rejects.js";
import type { Reject } from "../check/rejects.js";
import type { CsvProfile } from "../../schemas/profile.js";
import { MILLILITRES, unitOf } from "../../schemas/units.js";
import { CsvRows, fieldText, type CsvRow } from "../formats/csv-rows.js";
import { FileRejected } from "../formats/format.js";
import { TextPlace } from "../formats/joined-texts.js";
import { unknownColumns } from "../formats/row-filter.js";
import { compileTimeFormat } from "../formats/time-format.js";
import type { MeterKeys } from "./meter-keys.js";
import { capacityOf } from "./meter-size.js";
import { tellMeters } from "./tell-meters.js";

/**
 * The crosswalk: who is served where, through which meter. CSV with a header; columns by name, in any order:
 * `meter_id`, `account_id`, `location_id` (required), `name`, `address`, `zip`, `email`, `phone`, `move_in`, `move_out`
 * (YYYY-MM-DD, local), `class` (single-family, multi-family, commercial, irrigation, always-on), `normal_flow_l_per_h`,
 * `inactive_since` (YYYY-MM-DD, local: the meter is not in service from the beginning of that day), `meter_size` (see
 * meter-size.ts), `register_unit` and `multiplier` (what one of the meter's register is).
 */
const REQUIRED = ["meter_id", "account_id", "location_id"] as const;
const OPTIONAL = [
  "name",
  "address",
  "zip",
  "email",
  "phone",
  "move_in",
  "move_out",
  "class",
  "normal_flow_l_per_h",
  "inactive_since",
  "meter_size",
  "register_unit",
  "multiplier",
] as const;
/** Where words about people stand; ids may look like anything. */
const PERSONAL = ["name", "address", "zip", "email", "phone"] as const;
type Column = (typeof REQUIRED)[number] | (typeof OPTIONAL)[number];

export interface CrosswalkRow {
  readonly meterId: string;
  readonly accountId: string;
  readonly locationId: string;
  readonly name: string;
  readonly address: string;
  readonly zip: string;
  readonly email: string;
  readonly phone: string;
  /** UTC seconds, where given. */
  readonly moveIn: number | undefined;
  readonly moveOut: number | undefined;
  readonly settings: readonly MeterSetting[];
}

export interface Crosswalk {
  readonly rows: CrosswalkRow[];
  readonly rejects: Reject[];
  /** Columns of the header that are passed over. */
  readonly unknownColumns: readonly string[];
}

/**
 * Cuts a crosswalk file into rows, rejecting the wrong ones.
 * @param texts as UTF-8, each with a header of its own
 * @param profile delimiter, quote and the canonical form of meter ids
 * @throws FileRejected without a required column
 */
export async function readCrosswalk(
  texts: AsyncIterable<AsyncIterable<Buffer>>,
  timeZone: string,
  profile: Pick<CsvProfile, "delimiter" | "quote" | "meterId">,
): Promise<Crosswalk> {
  const all = { rows: [] as CrosswalkRow[], rejects: [] as Reject[] };
  const unknown = new Set<string>();
  const place = new TextPlace();
  for await (const chunks of texts) {
    const { lines, bytes } = place;
    const counted = async function* () {
      for await (const chunk of chunks) {
        place.pass(chunk);
        yield chunk;
      }
    };
    const { rows, rejects, unknownColumns: names } = await readText(counted(), timeZone, profile);
    place.end();
    for (const name of names) unknown.add(name);
    for (const row of rows) all.rows.push(row);
    for (const one of rejects)
      all.rejects.push({ ...one, line: lines + one.line, offset: bytes + one.offset });
  }
  return { ...all, unknownColumns: [...unknown] };
}

async function readText(
  chunks: AsyncIterable<Buffer>,
  timeZone: string,
  profile: Pick<CsvProfile, "delimiter" | "quote" | "meterId">,
): Promise<Crosswalk> {
  const rows: CrosswalkRow[] = [];
  const rejects: Reject[] = [];
  const zone = new TimeZone(timeZone);
  const readDate = compileTimeFormat("YYYY-MM-DD");
  const stamp = { day: 0, second: 0, offset: 0, epoch: 0 };
  let columns: Map<Column, number> | undefined;
  let passedOver: readonly string[] = [];
  let width = 0;

  const onRow = (row: CsvRow) => {
    const fields = Array.from({ length: row.count }, (_, i) => fieldText(row, i, profile.quote).trim());
    if (columns === undefined) {
      columns = columnsOf(fields);
      passedOver = unknownColumns(fields, new Set(columns.values()), true);
      width = fields.length;
      return;
    }
    const get = (column: Column) => {
      const index = columns!.get(column);
      return index === undefined ? "" : (fields[index] ?? "");
    };
    const { line, offset, length } = row;
    // A shifted column puts a name where a class should be: no value of such a file is kept.
    const refuse = (code: RejectCode, field: Column | "row") => {
      rejects.push({ line, offset, length, code, field, value: null });
    };
    if (fields.every((text) => text === "")) return;
    if (fields.length > width) return refuse("too-many-columns", "row");
    const missing = REQUIRED.find((column) => get(column) === "");
    if (missing !== undefined) return refuse("missing-field", missing);
    const card = PERSONAL.find((column) => hasCardNumber(get(column)));
    if (card !== undefined) return refuse("card-number", card);
    const dates: (number | undefined)[] = [];
    for (const column of ["move_in", "move_out", "inactive_since"] as const) {
      const text = get(column);
      if (text === "") {
        dates.push(undefined);
        continue;
      }
      const bytes = Buffer.from(text);
      if (!readDate(bytes, 0, bytes.length, stamp)) return refuse("bad-date", column);
      dates.push(zone.firstInstantFrom(stamp.day * 86_400));
    }
    const [moveIn, moveOut, inactiveSince] = dates;
    if (moveIn !== undefined && moveOut !== undefined && moveOut < moveIn)
      return refuse("moved-out-before-in", "move_out");
    const setting: MeterSetting = { from: 0 };
    const classWord = get("class");
    if (classWord !== "") {
      const parsed = meterClass.safeParse(classWord.toLowerCase());
      if (!parsed.success) return refuse("unknown-class", "class");
      setting.class = parsed.data;
    }
    const flow = get("normal_flow_l_per_h");
    if (flow !== "") {
      const litres = Number(flow);
      if (!(litres >= 0 && litres < 1e6)) return refuse("bad-number", "normal_flow_l_per_h");
      setting.continuousFlowRate = Math.round(litres * 1000);
    }
    const size = get("meter_size");
    if (size !== "") {
      setting.capacity = capacityOf(size);
      if (setting.capacity === undefined) return refuse("unknown-size", "meter_size");
    }
    const multiplier = get("multiplier");
    const unitWord = get("register_unit");
    if (unitWord !== "" || multiplier !== "") {
      const unit = unitOf(unitWord);
      if (unit === undefined) return refuse("unknown-unit", "register_unit");
      const times = multiplier === "" ? 1 : Number(multiplier);
      if (!(times > 0 && times < 1e6)) return refuse("bad-number", "multiplier");
      setting.mlPerUnit = MILLILITRES[unit] * times;
    }
    rows.push({
      meterId: canonicalMeter(get("meter_id"), profile.meterId),
      accountId: get("account_id"),
      locationId: get("location_id"),
      name: get("name"),
      address: get("address"),
      zip: get("zip"),
      email: get("email"),
      phone: get("phone"),
      moveIn,
      moveOut,
      settings: [
        ...(Object.keys(setting).length > 1 ? [setting] : []),
        // Where the column is there and empty, the meter is in service again.
        ...(inactiveSince !== undefined
          ? [{ from: inactiveSince, inService: false }]
          : columns.has("inactive_since")
            ? [{ from: 0, inService: true }]
            : []),
      ],
    });
  };

  const scanner = new CsvRows(profile, {
    row: onRow,
    fault: (code, line, offset, length) =>
      rejects.push({ line, offset, length, code, field: "row", value: null }),
  });
  for await (const chunk of chunks) scanner.push(chunk, false);
  scanner.push(Buffer.alloc(0), true);
  if (columns === undefined) throw new FileRejected("header", "The file ended before a header row.");
  return { rows, rejects, unknownColumns: passedOver };
}

function columnsOf(header: readonly string[]): Map<Column, number> {
  const names = header.map((name) => name.toLowerCase());
  const columns = new Map<Column, number>();
  for (const column of [...REQUIRED, ...OPTIONAL]) {
    const index = names.indexOf(column);
    if (index >= 0) columns.set(column, index);
  }
  const missing = REQUIRED.filter((column) => !columns.has(column));
  if (missing.length > 0) {
    throw new FileRejected(
      "header",
      `The header has no column ${missing.join(", ")}. A crosswalk needs ${REQUIRED.join(", ")}.`,
    );
  }
  return columns;
}

const ROWS_PER_TRANSACTION = 500;

/** Brings the registry to what the rows say, and tells the detector what it must know of the meters. */
export async function applyCrosswalk(
  rows: readonly CrosswalkRow[],
  utility: string,
  now: Date,
  stores: {
    readonly database: Database;
    readonly vault: Vault;
    readonly keys: MeterKeys;
    readonly producer: LogProducer;
  },
): Promise<void> {
  const { database } = stores;
  const keys = await stores.keys.ofMeters(rows.map(({ meterId }) => meterId));
  for (let at = 0; at < rows.length; at += ROWS_PER_TRANSACTION) {
    const chunk = rows.slice(at, at + ROWS_PER_TRANSACTION);
    await database.transaction(async (transaction) => {
      for (const row of chunk) await applyRow(transaction, row, keys.get(row.meterId)!, utility, now, stores);
      // Of rows about one meter the last with settings counts.
      const settings = new Map(
        chunk
          .filter((row) => row.settings.length > 0)
          .map((row) => [keys.get(row.meterId)!, JSON.stringify(row.settings)]),
      );
      await keepSettings(
        transaction,
        settings,
        chunk.map(({ meterId }) => keys.get(meterId)!),
      );
    });
  }
  await tellMeters(database, stores.producer);
}

/** Keeps what rows say of their meters for the detector; who moved in or out may end or bring what residents declared. */
async function keepSettings(
  transaction: Queryable,
  settings: ReadonlyMap<string, string>,
  meters: readonly string[],
): Promise<void> {
  await transaction.query(
    `UPDATE meters m SET registry_settings = s.settings
     FROM unnest($1::char(16)[], $2::jsonb[]) AS s (meter_key, settings) WHERE m.meter_key = s.meter_key`,
    [[...settings.keys()], [...settings.values()]],
  );
  await transaction.query(
    `INSERT INTO meters_to_tell SELECT unnest($1::char(16)[]) UNION
       SELECT p.meter_key FROM premise_meters p JOIN occupancies o USING (premise_id)
         JOIN declarations USING (occupancy_id) WHERE p.meter_key = ANY ($2)
     ON CONFLICT DO NOTHING`,
    [[...settings.keys()], meters],
  );
}

async function applyRow(
  transaction: Queryable,
  row: CrosswalkRow,
  meter: string,
  utility: string,
  now: Date,
  { vault }: { readonly vault: Vault },
): Promise<void> {
  const seal = (context: string, text: string) => (text === "" ? null : vault.seal(utility, context, text));
  const [premise] = await transaction.query<{ premise_id: number }>(
    `INSERT INTO premises (utility, location_hash, address_sealed, zip_hash) VALUES ($1, $2, $3, $4)
     ON CONFLICT (utility, location_hash) DO UPDATE SET
       address_sealed = coalesce(excluded.address_sealed, premises.address_sealed),
       zip_hash = coalesce(excluded.zip_hash, premises.zip_hash)
     RETURNING premise_id`,
    [
      utility,
      vault.hash(utility, "location", row.locationId),
      seal("premises.address", row.address),
      row.zip === "" ? null : vault.hash(utility, "zip", canonicalZip(row.zip)),
    ],
  );
  const [account] = await transaction.query<{ account_id: number }>(
    `INSERT INTO accounts (utility, number_hash, number_sealed) VALUES ($1, $2, $3)
     ON CONFLICT (utility, number_hash) DO UPDATE SET number_hash = excluded.number_hash RETURNING account_id`,
    [
      utility,
      vault.hash(utility, "account", canonicalAccount(row.accountId)),
      vault.seal(utility, "accounts.number", row.accountId),
    ],
  );
  const premiseId = premise!.premise_id;
  const accountId = account!.account_id;
  await transaction.query(
    `INSERT INTO customers (utility, account_id, name_sealed, email_sealed, phone_sealed) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (account_id) DO UPDATE SET
       name_sealed = coalesce(excluded.name_sealed, customers.name_sealed),
       email_sealed = coalesce(excluded.email_sealed, customers.email_sealed),
       phone_sealed = coalesce(excluded.phone_sealed, customers.phone_sealed)`,
    [
      utility,
      accountId,
      seal("customers.name", row.name),
      seal("customers.email", row.email),
      seal("customers.phone", row.phone),
    ],
  );

  const since = row.moveIn === undefined ? undefined : new Date(row.moveIn * 1000);
  const [placed] = await transaction.query(
    "SELECT 1 FROM premise_meters WHERE premise_id = $1 AND meter_key = $2 AND valid_until IS NULL",
    [premiseId, meter],
  );
  if (placed === undefined) {
    // A meter measures one premise at a time: it left the one before when it came here.
    const moved = await transaction.query(
      "UPDATE premise_meters SET valid_until = $2 WHERE meter_key = $1 AND valid_until IS NULL RETURNING 1",
      [meter, since ?? now],
    );
    await transaction.query(
      "INSERT INTO premise_meters (premise_id, meter_key, valid_from) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
      [premiseId, meter, moved.length > 0 ? (since ?? now) : new Date(0)],
    );
  }

  const until = row.moveOut === undefined ? null : new Date(row.moveOut * 1000);
  if (until === null) {
    // The premise has one account at a time: the former's occupancy ends, and with it its consents.
    await transaction.query(
      `UPDATE occupancies SET valid_until = greatest(valid_from, $3)
       WHERE premise_id = $1 AND account_id <> $2 AND valid_until IS NULL`,
      [premiseId, accountId, since ?? now],
    );
  }
  // An account may come back to a premise: a row about the former stay must not end the present one.
  const [holds] = await transaction.query<{ occupancy_id: number }>(
    `SELECT occupancy_id FROM occupancies WHERE premise_id = $1 AND account_id = $2
       AND (valid_from = $3::timestamptz OR valid_until = $4::timestamptz
            OR (valid_until IS NULL AND ($4::timestamptz IS NULL OR valid_from < $4::timestamptz)))
     ORDER BY valid_from = $3::timestamptz DESC NULLS LAST, valid_until = $4::timestamptz DESC NULLS LAST LIMIT 1`,
    [premiseId, accountId, since ?? null, until],
  );
  if (holds !== undefined) {
    await transaction.query("UPDATE occupancies SET valid_until = $2 WHERE occupancy_id = $1", [
      holds.occupancy_id,
      until,
    ]);
    return;
  }
  let from = since;
  if (from === undefined) {
    // Without a date of moving in: from the end of who was there before, so that nobody sees a former occupant's usage.
    const [former] = await transaction.query<{ valid_until: Date | null }>(
      `SELECT max(valid_until) AS valid_until FROM occupancies
       WHERE premise_id = $1 AND valid_until <= coalesce($2, 'infinity'::timestamptz)`,
      [premiseId, until],
    );
    from = former!.valid_until ?? new Date(0);
  }
  await transaction.query(
    `INSERT INTO occupancies (utility, account_id, premise_id, valid_from, valid_until) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (account_id, premise_id, valid_from) DO UPDATE SET valid_until = excluded.valid_until`,
    [utility, accountId, premiseId, from, until],
  );
}
