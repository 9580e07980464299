import type { ClickHouse } from "../infra/clickhouse/client.js";
import type { TimeZone } from "../infra/time-zone.js";
import type { AnomalyMessage, RuleName } from "../schemas/anomalies.js";
import { METER_KEY } from "./history.js";

const DAY = 86_400;
const HOUR = 3_600;
/** What is usual is looked for in so many days before an anomaly. */
const USUAL_DAYS = 14;

/** An anomaly as ClickHouse has it. Times are UTC seconds, volumes millilitres, rates millilitres an hour. */
export interface FoundAnomaly {
  readonly utility: string;
  readonly id: string;
  readonly meter: string;
  /** Empty where nobody said it. */
  readonly class: string;
  readonly rule: RuleName;
  readonly ruleVersion: number;
  readonly state: AnomalyMessage["state"];
  /** Empty while it goes on. */
  readonly reason: string;
  readonly start: number;
  readonly end: number;
  readonly detectedAt: number;
  readonly rate: number;
  readonly volume: number;
  readonly evidence: Readonly<Record<string, number | string | boolean | null>>;
  readonly backfill: boolean;
}

/** A version of an anomaly. */
export interface FoundVersion {
  readonly version: number;
  readonly state: AnomalyMessage["state"];
  readonly reason: string;
  readonly end: number;
  /** When it was stored, UTC seconds. */
  readonly storedAt: number;
}

export interface AnomalyFilter {
  readonly utility?: string | undefined;
  readonly rule?: string | undefined;
  /** Those that go on alone. */
  readonly open?: boolean | undefined;
  readonly limit: number;
}

type Row = Omit<FoundAnomaly, "evidence" | "backfill" | "rate" | "volume"> & {
  readonly evidence: string;
  readonly backfill: number;
  readonly rate: string;
  readonly volume: string;
};

const SELECTED = `SELECT utility, toString(id) AS id, ${METER_KEY} AS meter, class, rule, rule_version AS ruleVersion, state, reason,
  toUnixTimestamp(a.start) AS start, toUnixTimestamp(a.end) AS end, toUnixTimestamp(detected_at) AS detectedAt, rate, volume,
  evidence, backfill FROM curbstop.anomalies AS a FINAL`;

/** Anomalies as they stand, those that were seen last first; without the withdrawn. */
export async function listAnomalies(
  clickhouse: ClickHouse,
  { utility, rule, open, limit }: AnomalyFilter,
): Promise<FoundAnomaly[]> {
  const where = [
    "state != 'withdrawn'",
    ...(utility === undefined ? [] : ["utility = {utility:String}"]),
    ...(rule === undefined ? [] : ["rule = {rule:String}"]),
    ...(open === true ? ["state != 'closed'"] : []),
  ];
  const rows = await clickhouse.query<Row>(
    `${SELECTED} WHERE ${where.join(" AND ")} ORDER BY detected_at DESC, id LIMIT {limit:UInt32}`,
    { ...(utility === undefined ? {} : { utility }), ...(rule === undefined ? {} : { rule }), limit },
  );
  return rows.map(anomalyOf);
}

/** Those whose ids begin so, two at most: the withdrawn as well. */
export async function anomaliesNamed(clickhouse: ClickHouse, id: string): Promise<FoundAnomaly[]> {
  const rows = await clickhouse.query<Row>(
    `${SELECTED} WHERE startsWith(toString(id), {id:String}) ORDER BY id LIMIT 2`,
    { id },
  );
  return rows.map(anomalyOf);
}

function anomalyOf({ evidence, backfill, rate, volume, ...row }: Row): FoundAnomaly {
  return {
    ...row,
    rate: Number(rate),
    volume: Number(volume),
    evidence: JSON.parse(evidence) as FoundAnomaly["evidence"],
    backfill: backfill === 1,
  };
}

/** Its versions, oldest first. */
export function versionsOf(
  clickhouse: ClickHouse,
  { utility, meter, id }: FoundAnomaly,
): Promise<FoundVersion[]> {
  return clickhouse.query<FoundVersion>(
    `SELECT version, state, reason, toUnixTimestamp(h.end) AS end, toUnixTimestamp(stored_at) AS storedAt
     FROM curbstop.anomaly_history AS h FINAL WHERE utility = {utility:String} AND meter = {meter:UInt64} AND id = {id:String}
     ORDER BY version`,
    { utility, meter: BigInt(`0x${meter}`).toString(), id },
  );
}

/** Hours of a local day, 0 to 23, in litres; null: not known. */
export type DayHours = readonly (number | null)[];

/** What flowed at its meter by hours. */
export interface AnomalyHours {
  /** Days from 1970-01-01 of the local day in which the evidence sufficed. */
  readonly day: number;
  readonly thatDay: DayHours;
  /** The middle one of each hour of the local day, over the two weeks before it began. */
  readonly usual: DayHours;
}

/** @param zone the utility's */
export async function hoursAround(
  clickhouse: ClickHouse,
  { utility, meter, start, detectedAt }: FoundAnomaly,
  zone: TimeZone,
): Promise<AnomalyHours> {
  const day = zone.dayOf(detectedAt - 1);
  const [from, until] = [start - USUAL_DAYS * DAY, zone.firstInstantFrom((day + 1) * DAY)];
  const rows = await clickhouse.query<{ hour: number; ml: string }>(
    `SELECT toUnixTimestamp(toStartOfHour(u.start)) AS hour, sum(ml) AS ml FROM curbstop.usage AS u
     WHERE utility = {utility:String} AND meter = {meter:UInt64} AND length <= ${HOUR}
       AND u.start >= toDateTime({from:Int64}) AND u.start < toDateTime({until:Int64})
     GROUP BY hour ORDER BY hour`,
    { utility, meter: BigInt(`0x${meter}`).toString(), from: Math.max(0, from), until },
  );
  const thatDay = new Array<number | null>(24).fill(null);
  const before: number[][] = Array.from({ length: 24 }, () => []);
  for (const { hour, ml } of rows) {
    const local = hour + zone.offsetAt(hour);
    const ofDay = Math.floor((local % DAY) / HOUR);
    const litres = Number(ml) / 1000;
    if (zone.dayOf(hour) === day) thatDay[ofDay] = (thatDay[ofDay] ?? 0) + litres;
    if (hour + HOUR <= start) before[ofDay]!.push(litres);
  }
  return { day, thatDay, usual: before.map(middleOf) };
}

function middleOf(litres: readonly number[]): number | null {
  if (litres.length === 0) return null;
  const sorted = [...litres].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)]!;
}
