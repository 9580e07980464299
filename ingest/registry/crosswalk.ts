import type { Vault } from "../../infra/crypto/vault.js";
import { partitionOf, type LogProducer } from "../../infra/log/log.js";
import type { Database, Queryable } from "../../infra/postgres/database.js";
import { TimeZone } from "../../infra/time-zone.js";
import { canonicalAccount, canonicalZip } from "../../schemas/canonical.js";
import { meterClass, type MeterMessage, type MeterSetting } from "../../schemas/meters.js";
import { METER_PARTITIONS } from "../../schemas/topics.js";
import type { Reject } from "../check/rejects.js";
import { CsvRows, fieldText, type CsvRow } from "../formats/csv-rows.js";
import { FileRejected } from "../formats/reads-csv.js";
import { compileTimeFormat } from "../formats/time-format.js";
import type { MeterKeys } from "./meter-keys.js";

/**
 * The crosswalk: who is served where, through which meter. CSV with a header; columns by name, in any order:
 * `meter_id`, `account_id`, `location_id` (required), `name`, `address`, `zip`, `email`, `phone`, `move_in`, `move_out`
 * (YYYY-MM-DD, local), `class` (single-family, multi-family, commercial, irrigation, always-on), `normal_flow_l_per_h`.
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
] as const;
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

/** Cuts a crosswalk file into rows, rejecting the wrong ones. @throws FileRejected without a required column */
export async function readCrosswalk(
  chunks: AsyncIterable<Buffer>,
  timeZone: string,
  reject: (reject: Reject) => void,
): Promise<CrosswalkRow[]> {
  const rows: CrosswalkRow[] = [];
  const zone = new TimeZone(timeZone);
  const readDate = compileTimeFormat("YYYY-MM-DD");
  const stamp = { day: 0, second: 0, offset: 0, epoch: 0 };
  let columns: Map<Column, number> | undefined;

  const onRow = (row: CsvRow) => {
    if (columns === undefined) {
      columns = columnsOf(row);
      return;
    }
    const get = (column: Column) => {
      const index = columns!.get(column);
      return index === undefined ? "" : fieldText(row, index).trim();
    };
    const { line, offset, length } = row;
    const refuse = (code: Reject["code"], field: string, value: string | null) =>
      reject({ line, offset, length, code, field, value });
    const missing = REQUIRED.find((column) => get(column) === "");
    if (missing !== undefined) {
      if (Array.from({ length: row.count }, (_, i) => fieldText(row, i).trim()).every((text) => text === ""))
        return;
      return refuse("missing-field", missing, null);
    }
    const dates: (number | undefined)[] = [];
    for (const column of ["move_in", "move_out"] as const) {
      const text = get(column);
      if (text === "") {
        dates.push(undefined);
        continue;
      }
      const bytes = Buffer.from(text);
      if (!readDate(bytes, 0, bytes.length, stamp)) return refuse("bad-date", column, text.slice(0, 80));
      const local = stamp.day * 86_400;
      dates.push(zone.instantsOf(local)[0] ?? local - zone.offsetAt(local));
    }
    const setting: MeterSetting = { from: 0 };
    const classWord = get("class");
    if (classWord !== "") {
      const parsed = meterClass.safeParse(classWord);
      if (!parsed.success) return refuse("missing-field", "class", classWord.slice(0, 80));
      setting.class = parsed.data;
    }
    const flow = get("normal_flow_l_per_h");
    if (flow !== "") {
      const litres = Number(flow);
      if (!(litres >= 0 && litres < 1e6))
        return refuse("bad-number", "normal_flow_l_per_h", flow.slice(0, 80));
      setting.continuousFlowRate = Math.round(litres * 1000);
    }
    rows.push({
      meterId: get("meter_id"),
      accountId: get("account_id"),
      locationId: get("location_id"),
      name: get("name"),
      address: get("address"),
      zip: get("zip"),
      email: get("email"),
      phone: get("phone"),
      moveIn: dates[0],
      moveOut: dates[1],
      settings: Object.keys(setting).length > 1 ? [setting] : [],
    });
  };
  const onTooLong = (line: number, offset: number) =>
    reject({ line, offset, length: 0, code: "row-too-long", field: "row", value: null });

  const scanner = new CsvRows({ delimiter: ",", quote: '"' });
  for await (const chunk of chunks) scanner.push(chunk, false, onRow, onTooLong);
  scanner.push(Buffer.alloc(0), true, onRow, onTooLong);
  if (columns === undefined) throw new FileRejected("header", "The file ended before a header row.");
  return rows;
}

function columnsOf(row: CsvRow): Map<Column, number> {
  const names = Array.from({ length: row.count }, (_, i) => fieldText(row, i).trim().toLowerCase());
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
  const { database, keys } = stores;
  await keys.learn(rows.map(({ meterId }) => ({ meterId, serial: "" })));
  for (let at = 0; at < rows.length; at += ROWS_PER_TRANSACTION) {
    const chunk = rows.slice(at, at + ROWS_PER_TRANSACTION);
    await database.transaction(async (transaction) => {
      for (const row of chunk) await applyRow(transaction, row, utility, now, stores);
    });
  }
  const messages = new Map<string, MeterMessage>();
  for (const { meterId, settings } of rows) {
    if (settings.length > 0) {
      const meter = keys.keyOf(meterId);
      messages.set(meter, { v: 1, utility, meter, settings: [...settings] });
    }
  }
  await stores.producer.append(
    [...messages.values()].map((message) => ({
      topic: "meters",
      partition: partitionOf(message.meter, METER_PARTITIONS),
      records: [{ key: message.meter, value: Buffer.from(JSON.stringify(message)) }],
    })),
  );
}

async function applyRow(
  transaction: Queryable,
  row: CrosswalkRow,
  utility: string,
  now: Date,
  { vault, keys }: { readonly vault: Vault; readonly keys: MeterKeys },
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

  const meter = keys.keyOf(row.meterId);
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
  const [holds] = await transaction.query<{ occupancy_id: number }>(
    `SELECT occupancy_id FROM occupancies WHERE premise_id = $1 AND account_id = $2
       AND (valid_until IS NULL OR ($3::timestamptz IS NOT NULL AND valid_from = $3))`,
    [premiseId, accountId, since ?? null],
  );
  if (holds !== undefined) {
    await transaction.query("UPDATE occupancies SET valid_until = $2 WHERE occupancy_id = $1", [
      holds.occupancy_id,
      until,
    ]);
    return;
  }
  if (until === null) {
    // Another account holds the premise from now on: the former occupancy ends, and with it its consents.
    await transaction.query(
      "UPDATE occupancies SET valid_until = $2 WHERE premise_id = $1 AND valid_until IS NULL",
      [premiseId, since ?? now],
    );
  }
  const [former] = await transaction.query("SELECT 1 FROM occupancies WHERE premise_id = $1 LIMIT 1", [
    premiseId,
  ]);
  await transaction.query(
    `INSERT INTO occupancies (utility, account_id, premise_id, valid_from, valid_until) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (account_id, premise_id, valid_from) DO UPDATE SET valid_until = excluded.valid_until`,
    [utility, accountId, premiseId, since ?? (former === undefined ? new Date(0) : now), until],
  );
}
