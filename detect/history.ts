import type { ClickHouse } from "../infra/clickhouse/client.js";
import type { AnomalyMessage, RuleName } from "../schemas/anomalies.js";
import type { Finding } from "./checks/finding.js";
import type { Known } from "./lifecycle.js";
import { newChannel, type Channel } from "./channel.js";
import { MeterState } from "./meter-state.js";
import type { Found } from "./rules/rule.js";

/** A row of `register_reads` (`length` 0) or a delivered one of `intervals`; `key` is the meter key in hex. */
export interface StoredRead {
  readonly key: string;
  readonly channel: string;
  readonly time: number;
  readonly length: number;
  readonly ml: string;
  readonly flags: number;
  readonly file: number;
  readonly line: number;
  readonly register: number;
  readonly delivered: number;
  readonly unit: string;
}

export interface StoredAnomaly {
  readonly key: string;
  readonly id: string;
  readonly version: number;
  readonly rule: RuleName;
  readonly rule_version: number;
  readonly state: AnomalyMessage["state"];
  readonly reason: string;
  readonly start: number;
  readonly end: number;
  readonly detected_at: number;
  readonly rate: string;
  readonly volume: string;
  readonly evidence: string;
}

/** A meter's key as messages have it, in SQL. */
export const METER_KEY = "leftPad(lower(hex(meter)), 16, '0')";

/** What files told of a register of a meter. */
export interface StoredRegister {
  readonly key: string;
  readonly channel: string;
  readonly resolution: string;
  readonly modulus: string;
  readonly modulus_file: number;
}

/** The newest row of a finding, other than a report without a value. */
export interface FindingRow extends Omit<Finding, "open"> {
  readonly key: string;
  readonly open: number;
  readonly gone: number;
  readonly version: string;
}

/**
 * States that keep the whole history of the meters, from ClickHouse: for reads older than what a state keeps, and for
 * states that were lost. Everything written so far must be in ClickHouse.
 * @param before the states as they are, for what ClickHouse does not hold; a meter without one was lost
 */
export async function loadHistory(
  clickhouse: ClickHouse,
  utility: string,
  before: ReadonlyMap<string, MeterState | undefined>,
): Promise<MeterState[]> {
  const meters = [...before.keys()].map((meter) => BigInt(`0x${meter}`));
  const where = "utility = {utility:String} AND meter IN ({meters:Array(UInt64)})";
  const parameters = { utility, meters };
  const key = `${METER_KEY} AS key`;
  const [facts, registers, usage, anomalies, findings] = await Promise.all([
    clickhouse.query<StoredRegister>(
      `SELECT ${key}, channel, resolution, modulus, modulus_file FROM curbstop.meter_registers FINAL WHERE ${where}`,
      parameters,
    ),
    clickhouse.query<StoredRead>(
      `SELECT ${key}, channel, toUnixTimestamp(at) AS time, 0 AS length, ml, flags, file, line, register, delivered, unit
       FROM curbstop.register_reads FINAL WHERE ${where} ORDER BY key, channel, time`,
      parameters,
    ),
    clickhouse.query<StoredRead>(
      `SELECT ${key}, channel, toUnixTimestamp(start) AS time, length, ml, flags, file, line, 0 AS register, delivered, unit
       FROM curbstop.intervals FINAL WHERE ${where} AND origin = 'delivered' ORDER BY key, channel, time`,
      parameters,
    ),
    clickhouse.query<StoredAnomaly>(
      `SELECT ${key}, id, version, rule, rule_version, state, reason, toUnixTimestamp(start) AS start,
              toUnixTimestamp(end) AS end, toUnixTimestamp(detected_at) AS detected_at, rate, volume, evidence
       FROM curbstop.anomalies FINAL WHERE ${where} ORDER BY key, start`,
      parameters,
    ),
    // Also those that are gone: their rows may come from messages that are still to be judged here.
    clickhouse.query<FindingRow>(
      `SELECT ${key}, code, toUnixTimestamp(f.start) AS start, max(f.version) AS version,
              toUnixTimestamp(argMax(f.end, f.version)) AS end, argMax(f.open, f.version) AS open,
              argMax(f.value, f.version) AS value, argMax(f.limit, f.version) AS limit, argMax(f.gone, f.version) AS gone
       FROM curbstop.check_findings AS f WHERE ${where} AND f.end > f.start
       GROUP BY meter, code, f.start ORDER BY key, f.start`,
      parameters,
    ),
  ]);

  return statesOf(utility, before, { facts, registers, usage, anomalies, findings });
}

/** States that keep all the reads given: `loadHistory` without the way to ClickHouse. */
export function statesOf(
  utility: string,
  before: ReadonlyMap<string, MeterState | undefined>,
  stored: {
    readonly facts: readonly StoredRegister[];
    readonly registers: readonly StoredRead[];
    readonly usage: readonly StoredRead[];
    readonly anomalies: readonly StoredAnomaly[];
    readonly findings: readonly FindingRow[];
  },
): MeterState[] {
  const states = new Map<string, MeterState>();
  for (const [meter, old] of before) {
    const state = new MeterState(utility, meter);
    state.hydrated = true;
    if (old !== undefined) {
      state.settings = old.settings;
      state.backfill = old.backfill;
      state.known = old.known;
      state.moved = old.moved;
      for (const [name, { resolution, modulus, modulusFile }] of old.channels) {
        state.channels.set(name, { ...newChannel(), resolution, modulus, modulusFile });
      }
    }
    states.set(meter, state);
  }
  for (const told of stored.facts) learn(states.get(told.key)!.channel(told.channel), told);
  for (const read of stored.registers) keep(states.get(read.key)!.channel(read.channel), "registers", read);
  for (const read of stored.usage) keep(states.get(read.key)!.channel(read.channel), "usage", read);
  for (const anomaly of stored.anomalies) {
    const state = states.get(anomaly.key)!;
    remember(state, anomaly);
    // What a lost state knew of them: not fewer have moved.
    if (before.get(anomaly.key) === undefined) state.moved++;
  }
  for (const state of states.values()) state.findings.forget();
  for (const row of stored.findings) rememberFinding(states.get(row.key)!, row);
  return [...states.values()];
}

/** Whether any read was ever stored. */
export async function holdsReads(clickhouse: ClickHouse): Promise<boolean> {
  const rows = await clickhouse.query(
    "SELECT 1 FROM (SELECT 1 FROM curbstop.register_reads LIMIT 1 UNION ALL SELECT 1 FROM curbstop.intervals LIMIT 1) LIMIT 1",
  );
  return rows.length > 0;
}

/** What the state knows itself is as new as what is stored, or newer. */
function learn(channel: Channel, stored: StoredRegister): void {
  const resolution = Number(stored.resolution);
  if (resolution > 0 && (channel.resolution === 0 || resolution < channel.resolution))
    channel.resolution = resolution;
  if (stored.modulus_file <= channel.modulusFile) return;
  channel.modulus = Number(stored.modulus);
  channel.modulusFile = stored.modulus_file;
}

function keep(channel: Channel, kind: "registers" | "usage", read: StoredRead): void {
  const { time, length, flags, file, line, register } = read;
  if (time < channel.firstSeen) channel.firstSeen = time;
  const asDelivered = kind === "usage" ? { value: read.delivered, unit: read.unit } : undefined;
  channel[kind].insert({ time, length, ml: Number(read.ml), flags, file, line, register, asDelivered });
}

function rememberFinding(state: MeterState, { key: _, open, gone, version, ...rest }: FindingRow): void {
  state.findings.remember({
    finding: { ...rest, open: open === 1 },
    gone: gone === 1,
    version: Number(version),
  });
}

/** The state's own memory of an anomaly is newer than, or equal to, what is stored. */
function remember(state: MeterState, stored: StoredAnomaly): void {
  if (state.known.some(({ id, version }) => id === stored.id && version >= stored.version)) return;
  const found: Found = {
    rule: stored.rule,
    ruleVersion: stored.rule_version,
    start: stored.start,
    end: stored.end,
    detectedAt: stored.detected_at,
    rate: Number(stored.rate),
    volume: Number(stored.volume),
    closed: stored.state === "closed" ? (stored.reason as Found["closed"]) : null,
    evidence: JSON.parse(stored.evidence) as Found["evidence"],
  };
  const known: Known = {
    id: stored.id,
    version: stored.version,
    found,
    withdrawn: stored.state === "withdrawn",
  };
  state.known = [...state.known.filter(({ id }) => id !== stored.id), known];
}
