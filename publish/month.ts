import type { ClickHouse } from "../infra/clickhouse/client.js";
import type { Queryable, Transactions } from "../infra/postgres/database.js";
import { TimeZone } from "../infra/time-zone.js";
import type { UtilityConfig } from "../schemas/config.js";
import { partition, volumeOf, type Group, type PublishPolicy } from "./partition.js";

/** One row of what is published: customers and cubic metres to three digits. */
export interface PublishedRow {
  /** Classes of customers, joined by "+"; "other" where nobody said what they are. */
  readonly classes: string;
  readonly customers: number;
  readonly cubicMetres: number;
}

/** A month as it is published. */
export interface Publication {
  /** YYYY-MM. */
  readonly month: string;
  readonly rows: readonly PublishedRow[];
  readonly clause: string;
  readonly by: string;
  readonly at: Date;
}

/** The month can't be published; the message says why. */
export class NotPublishable extends Error {
  override readonly name = "NotPublishable";
}

interface Stores {
  readonly database: Transactions;
  readonly clickhouse: ClickHouse;
}

/** Reads of a month go on coming for a while. */
const LATE_DAYS = 5;
const DAY = 86_400;
const METERS_AT_ONCE = 10_000;

/**
 * What all customers of a utility used in a month, by class, as its policy lets it be published. A month that was published
 * is shown as it was: published twice, with another customer, it would tell of that one by the difference.
 * @param month YYYY-MM, in the utility's time zone
 * @param write it is published now, and kept as it is for good
 * @throws NotPublishable
 */
export async function publishMonth(
  { database, clickhouse }: Stores,
  utility: Pick<UtilityConfig, "id" | "timeZone" | "publish">,
  month: string,
  { by, now, write }: { readonly by: string; readonly now: Date; readonly write: boolean },
): Promise<Publication & { readonly isNew: boolean }> {
  const { publish } = utility;
  if (publish === undefined)
    throw new NotPublishable(
      "Nothing of this utility may be published: set `publish` with the clause of its contract.",
    );
  const [from, until] = boundsOf(month, utility.timeZone);
  const days = (now.getTime() / 1000 - until) / DAY;
  if (days < LATE_DAYS)
    throw new NotPublishable(
      days < 0
        ? `${month} is not over yet.`
        : `Reads of ${month} still come: it can be published ${LATE_DAYS} days after its end.`,
    );
  return database.of(utility.id).transaction(async (transaction) => {
    const [before] = (await published(transaction, utility.id)).filter((one) => one.month === month);
    if (before !== undefined) return { ...before, isNew: false };
    const groups = await groupsOf({ database: transaction, clickhouse }, utility.id, from, until);
    const found = partition(groups, publish);
    if (found === undefined)
      throw new NotPublishable(
        `Too few customers in ${month}, or one of them used too much of it: nothing can be published.`,
      );
    const rows = found.map(rowOf);
    if (write) {
      await transaction.query(
        `INSERT INTO publications (utility, month, rows, policy, clause, published_by, published_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)`,
        [utility.id, month, JSON.stringify(rows), JSON.stringify(policyOf(publish)), publish.clause, by, now],
      );
    }
    return { month, rows, clause: publish.clause, by, at: now, isNew: true };
  });
}

/** What was published of a utility, by month. */
export async function published(on: Queryable, utility: string): Promise<Publication[]> {
  return on.query<Publication>(
    `SELECT month, rows, clause, published_by AS by, published_at AS at FROM publications WHERE utility = $1 ORDER BY month`,
    [utility],
  );
}

function policyOf({ customers, residential, maxSharePercent }: PublishPolicy): PublishPolicy {
  return { customers, residential, maxSharePercent };
}

function rowOf(group: Group): PublishedRow {
  return {
    classes: group.classes.map((name) => (name === "" ? "other" : name)).join("+"),
    customers: threeDigits(group.use.size),
    cubicMetres: threeDigits(volumeOf(group) / 1e6),
  };
}

function threeDigits(value: number): number {
  return Number(value.toPrecision(3));
}

/** First instant of a month and of the next, UTC seconds. */
function boundsOf(month: string, timeZone: string): [from: number, until: number] {
  const [, year, number] = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(month) ?? [];
  if (year === undefined) throw new NotPublishable(`Expected a month such as 2026-05, received "${month}".`);
  const zone = new TimeZone(timeZone);
  const at = (index: number) => zone.firstInstantFrom(Date.UTC(Number(year), index, 1) / 1000);
  return [at(Number(number) - 1), at(Number(number))];
}

/**
 * Customers of a month by class. A customer is who held the account of the meter's premise when the month ended; a meter
 * of which nobody said where it stands is one by itself. Who used nothing counts.
 */
async function groupsOf(
  { database, clickhouse }: { readonly database: Queryable; readonly clickhouse: ClickHouse },
  utility: string,
  from: number,
  until: number,
): Promise<Group[]> {
  const used = await clickhouse.query<{ key: string; volume: string }>(
    `SELECT leftPad(lower(hex(meter)), 16, '0') AS key, sum(ml) AS volume FROM curbstop.usage
     WHERE utility = {utility:String} AND start >= {from:DateTime('UTC')} AND start < {until:DateTime('UTC')}
     GROUP BY meter ORDER BY meter`,
    { utility, from, until },
  );
  const classes = new Map<string, Map<string, number>>();
  for (let at = 0; at < used.length; at += METERS_AT_ONCE) {
    const meters = used.slice(at, at + METERS_AT_ONCE);
    const known = await database.query<{ meter_key: string; class: string; customer: string }>(
      `SELECT m.meter_key,
         coalesce((SELECT s ->> 'class' FROM jsonb_array_elements(m.registry_settings) AS s WHERE s ? 'class' LIMIT 1), '') AS class,
         coalesce((SELECT coalesce('a' || o.account_id, 'p' || p.premise_id) FROM premise_meters p
           LEFT JOIN occupancies o ON o.premise_id = p.premise_id AND o.valid_from < $2 AND (o.valid_until IS NULL OR o.valid_until >= $2)
           WHERE p.meter_key = m.meter_key AND p.valid_from < $2 AND (p.valid_until IS NULL OR p.valid_until >= $2)
           ORDER BY p.valid_from DESC, o.valid_from DESC NULLS LAST LIMIT 1), 'm' || m.meter_key) AS customer
       FROM meters m WHERE m.meter_key = ANY ($1::char(16)[])`,
      [meters.map(({ key }) => key), new Date(until * 1000)],
    );
    const byKey = new Map(known.map((one) => [one.meter_key, one]));
    for (const { key, volume } of meters) {
      const { class: name, customer } = byKey.get(key) ?? { class: "", customer: `m${key}` };
      let customers = classes.get(name);
      if (customers === undefined) classes.set(name, (customers = new Map<string, number>()));
      customers.set(customer, (customers.get(customer) ?? 0) + Number(volume));
    }
  }
  return [...classes].map(([name, use]) => ({ classes: [name], use }));
}
