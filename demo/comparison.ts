import { METER_KEY } from "../detect/history.js";
import type { ClickHouse } from "../infra/clickhouse/client.js";
import type { Clock } from "../infra/clock.js";
import type { Stores } from "../infra/stores.js";
import { listFiles, listRejects } from "../ingest/index.js";
import { MeterKeys } from "../ingest/registry/meter-keys.js";
import type { Delivery } from "./deliveries.js";
import { ReadKind } from "./home-water.js";
import { UTILITY } from "./settings.js";
import type { Town } from "./town.js";
import { trueAnomalies } from "./truth.js";

/** An anomaly as planted or as found; times in UTC seconds. */
export interface Judged {
  readonly home: number;
  readonly rule: string;
  readonly start: number;
  readonly end: number;
  readonly state: "goes on" | "over";
  readonly litres: number;
}

/** One line of "planted against found": at least one of the two is there. */
export interface AnomalyLine {
  readonly what: string;
  readonly planted: Judged | undefined;
  readonly found: Judged | undefined;
  readonly equal: boolean;
}

const LITRES_PER_TENTH = 0.3785411784;

/** Homes by meter key: the one place where the demo looks behind the keys. */
export async function homesByMeter(
  town: Town,
  { database, vault }: Stores,
  clock: Clock,
): Promise<ReadonlyMap<string, number>> {
  const keys = new MeterKeys(database, vault, UTILITY, () => clock.now());
  const meters = await keys.ofMeters(town.homes.map(({ meterId }) => meterId));
  return new Map(town.homes.map(({ meterId, number }) => [meters.get(meterId)!, number]));
}

export async function compareAnomalies(
  town: Town,
  clickhouse: ClickHouse,
  homeOf: ReadonlyMap<string, number>,
): Promise<AnomalyLine[]> {
  const rows = await clickhouse.query<{
    meter: string;
    rule: string;
    state: string;
    start: number;
    end: number;
    litres: number;
  }>(
    `SELECT ${METER_KEY} AS meter, rule, state, toUnixTimestamp(start) AS start,
            toUnixTimestamp(end) AS end, litres
     FROM curbstop.anomalies_current WHERE utility = {utility:String} ORDER BY start`,
    { utility: UTILITY },
  );
  const left = new Set(
    rows.map(({ meter, rule, state, start, end, litres }): Judged => {
      const goesOn = state === "opened" || state === "updated";
      return {
        home: homeOf.get(meter) ?? 0,
        rule,
        start,
        end,
        state: goesOn ? "goes on" : "over",
        litres,
      };
    }),
  );
  const lines: AnomalyLine[] = [];
  for (const home of town.homes) {
    for (const one of trueAnomalies(town, home, town.days - 1)) {
      const planted: Judged = {
        home: home.number,
        rule: one.rule,
        start: town.instantOf(one.from),
        end: town.instantOf(one.until),
        state: one.open ? "goes on" : "over",
        litres: one.volume * LITRES_PER_TENTH,
      };
      const found = [...left].find(
        ({ home: number, rule, start, end }) =>
          number === home.number && rule === one.rule && start < planted.end && end > planted.start,
      );
      if (found !== undefined) left.delete(found);
      const what = town.planted.find(
        ({ home: number, rule, from, until }) =>
          number === home.number && rule === one.rule && from < one.until && until > one.from,
      )?.what;
      lines.push({
        what: what ?? "not planted",
        planted,
        found,
        equal: what !== undefined && found !== undefined && same(planted, found),
      });
    }
  }
  for (const one of town.planted) {
    if (lines.some(({ what, planted }) => what === one.what && planted?.home === one.home)) continue;
    const planted: Judged = {
      home: one.home,
      rule: one.rule,
      start: town.instantOf(one.from),
      end: town.instantOf(one.until),
      state: "over",
      litres: 0,
    };
    lines.push({ what: one.what, planted, found: undefined, equal: false });
  }
  for (const found of left) {
    const home = town.homes.find(({ number }) => number === found.home);
    lines.push({ what: home?.negative ?? "ordinary usage", planted: undefined, found, equal: false });
  }
  return lines.sort((a, b) => startOf(a) - startOf(b));
}

const startOf = ({ planted, found }: AnomalyLine) => (planted ?? found)!.start;

function same(planted: Judged, found: Judged): boolean {
  return (
    planted.start === found.start &&
    planted.end === found.end &&
    planted.state === found.state &&
    // Each interval's millilitres are rounded once.
    Math.abs(planted.litres - found.litres) < 0.001 * ((planted.end - planted.start) / 3600 + 1)
  );
}

/** What became of a file, expected and in the ledger. */
export interface FileLine {
  readonly name: string;
  readonly note: string;
  readonly state: string;
  readonly correction: boolean;
  readonly reads: number;
  readonly rejected: number;
  /** Why the whole file was rejected. */
  readonly reason: string | null;
  readonly equal: boolean;
}

/** The ledger against what was dropped, in the order of drops. */
export async function compareFiles(stores: Stores, deliveries: readonly Delivery[]): Promise<FileLine[]> {
  const ledger = await listFiles(stores.database, { utility: UTILITY, limit: 10_000 });
  const left = ledger.reverse();
  const lines = deliveries.map((delivery): FileLine => {
    const at = left.findIndex(({ name, source }) => name === delivery.name && source === delivery.source);
    const [file] = at < 0 ? [] : left.splice(at, 1);
    const state = file?.state ?? "missing";
    const correction = file?.correction ?? false;
    const reads = file?.reads ?? 0;
    const rejected = file?.rejected ?? 0;
    return {
      name: delivery.name,
      note: delivery.note ?? "",
      state,
      correction,
      reads,
      rejected,
      reason: file?.reason ?? null,
      equal:
        state === delivery.state &&
        correction === delivery.correction &&
        reads === delivery.reads &&
        rejected === delivery.rejects.length,
    };
  });
  const others = left.map(({ name, state, correction, reads, rejected, reason }): FileLine => ({
    name,
    note: "was not dropped",
    state,
    correction,
    reads,
    rejected,
    reason,
    equal: false,
  }));
  return [...lines, ...others];
}

export interface RejectLine {
  readonly file: string;
  readonly line: number;
  readonly code: string;
  readonly field: string;
  readonly value: string | null;
  readonly equal: boolean;
}

/** Rejected rows against the bad rows that were dropped, in order of file and line. */
export async function compareRejects(stores: Stores, deliveries: readonly Delivery[]): Promise<RejectLine[]> {
  const names = new Map(
    (await listFiles(stores.database, { utility: UTILITY, limit: 10_000 })).map(({ file, name }) => [
      file,
      name,
    ]),
  );
  const rejects = await listRejects(stores.database, { utility: UTILITY, limit: 10_000 });
  const expected = deliveries.flatMap(({ name, rejects: codes }) => codes.map((code) => ({ name, code })));
  const lines = rejects.map(({ file, line, code, field, value }): RejectLine => {
    const name = names.get(file) ?? "";
    const at = expected.findIndex((one) => one.name === name && one.code === code);
    if (at >= 0) expected.splice(at, 1);
    return { file: name, line, code, field, value, equal: at >= 0 };
  });
  const missing = expected.map(({ name, code }) => ({
    file: name,
    line: 0,
    code,
    field: "",
    value: null,
    equal: false,
  }));
  return [...lines, ...missing];
}

/** Usage of the whole town in ClickHouse against what the homes used, litres. */
export interface UsageLine {
  readonly reads: number;
  readonly expectedReads: number;
  readonly litres: number;
  readonly expectedLitres: number;
  readonly equal: boolean;
}

/**
 * The usage in ClickHouse, read as the analyst, against what the homes used between their first read and their last: what
 * flows while a meter is exchanged no register tells.
 */
export async function compareUsage(town: Town, analyst: ClickHouse): Promise<UsageLine> {
  const [row] = await analyst.query<{ reads: number; litres: number }>(
    `SELECT toUInt32(count()) AS reads, (SELECT sum(litres) FROM curbstop.usage WHERE utility = {utility:String}) AS litres
     FROM curbstop.reads_current WHERE utility = {utility:String}`,
    { utility: UTILITY },
  );
  let expectedReads = 0;
  let tenths = 0;
  for (const { water } of town.homes) {
    const read = [...water.reads.keys()].filter((hour) => water.reads[hour] !== ReadKind.missing);
    expectedReads += read.length;
    tenths += water.usage.subarray(read[0], read.at(-1)).reduce((sum, one) => sum + one, 0);
    if (water.exchangedAt < 0) continue;
    const [before, after] = [
      read.findLast((hour) => hour < water.exchangedAt)!,
      read.find((hour) => hour >= water.exchangedAt)!,
    ];
    tenths -= water.usage.subarray(before, after).reduce((sum, one) => sum + one, 0);
  }
  const expectedLitres = tenths * LITRES_PER_TENTH;
  const { reads, litres } = { reads: row?.reads ?? 0, litres: row?.litres ?? 0 };
  const equal = reads === expectedReads && Math.abs(litres - expectedLitres) < 0.001 * (expectedReads + 1);
  return { reads, expectedReads, litres, expectedLitres, equal };
}
