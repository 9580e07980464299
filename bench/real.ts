import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { SteppedClock } from "../infra/clock.js";
import { KARRATHA_START } from "./evaluate/homes.js";
import { judgeHours, judgeRegisters, type OracleAnswer } from "./oracle.js";
import { openPath, type PathUtility, type StraightPath } from "./path.js";
import { sqlAt, type Sql } from "./sql.js";

export interface RealOptions {
  /** Folder that holds `daiad/` and `karratha/`. */
  readonly shared: string;
  readonly json: boolean;
  readonly out: NodeJS.WritableStream;
  /** Only so many homes of each set, the first in the file; all by default. */
  readonly homes?: number;
}

export interface RealSet {
  readonly set: "daiad" | "karratha";
  readonly homes: number;
  readonly rows: number;
  readonly reads: number;
  readonly rejects: Readonly<Record<string, number>>;
  readonly intervals: number;
  readonly litres: number;
  /** Days of meters that intervals cover. */
  readonly meterDays: number;
  /** Anomalies found, and how many that is in 1,000 meter-days. */
  readonly anomalies: Readonly<
    Record<string, { readonly count: number; readonly perThousandMeterDays: number }>
  >;
  readonly seconds: number;
  /** Continuous flows that the oracle found. */
  readonly oracleFlows: number;
  /** What the way and the oracle don't agree on; empty where they do. */
  readonly differences: readonly string[];
}

export interface RealResult {
  readonly sets: readonly RealSet[];
  readonly exitCode: 0 | 1;
}

interface RealFile {
  readonly utility: PathUtility;
  readonly file: readonly [folder: string, name: string];
  /** What is dropped, from the text as published. */
  readonly dropped: (text: string) => string;
  readonly judge: (sql: Sql, path: string) => Promise<OracleAnswer>;
}

const KARRATHA_OFFSET = 8 * 3600;

const SETS: readonly RealFile[] = [
  {
    utility: {
      id: "daiad",
      timeZone: "Europe/Madrid",
      sources: {
        reads: {
          compression: "gzip",
          delimiter: ";",
          columns: { meter: "user key", time: "datetime", register: "meter reading" },
          time: { format: "DD/MM/YYYY HH:mm:ss" },
          resolution: 1,
        },
      },
    },
    file: ["daiad", "swm_trialA.csv.gz"],
    dropped: (text) => text,
    judge: (sql, path) =>
      judgeRegisters(sql, { path, gzip: true, zone: "Europe/Madrid", winter: 3600, summer: 7200 }),
  },
  {
    utility: {
      id: "karratha",
      timeZone: "Australia/Perth",
      sources: {
        reads: {
          compression: "gzip",
          columns: { meter: "meter", time: "time", usage: "litres" },
          resolution: 1,
        },
      },
    },
    file: ["karratha", "hourly_litres.csv.gz"],
    dropped: withStamps,
    judge: (sql, path) => judgeHours(sql, { path, gzip: true, start: KARRATHA_START }),
  },
];

/**
 * Takes real meter data through ingest, log and detector, and compares the continuous flows, interval by interval volume
 * included, with those of an oracle that shares no code with them. Exit code 1 where they differ.
 * @throws Error where a data set is absent; it names the file
 */
export async function runReal(options: RealOptions): Promise<RealResult> {
  const { shared, json, out } = options;
  for (const { file } of SETS) {
    const path = join(shared, ...file);
    if (!existsSync(path))
      throw new Error(`${path} is absent; name the folder that holds ${file[0]}/ with --data.`);
  }
  const folder = mkdtempSync(join(tmpdir(), "curbstop-real-"));
  chmodSync(folder, 0o755);
  try {
    const utilities = SETS.map(({ utility }) => utility);
    const way = await openPath(folder, utilities, new SteppedClock(Date.UTC(2026, 0, 1)));
    try {
      const sets: RealSet[] = [];
      for (const set of SETS) {
        const result = await take(set, way, folder, options);
        if (!json) out.write(report(result));
        sets.push(result);
      }
      const exitCode = sets.some(({ differences }) => differences.length > 0) ? 1 : 0;
      if (json) out.write(JSON.stringify({ sets, exitCode }, null, 2) + "\n");
      return { sets, exitCode };
    } finally {
      await way.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function take(
  set: RealFile,
  way: StraightPath,
  folder: string,
  options: RealOptions,
): Promise<RealSet> {
  const { id } = set.utility;
  const published = join(options.shared, ...set.file);
  const original = join(folder, `${id}-original.csv.gz`);
  const dropped = join(folder, `${id}.csv.gz`);
  if (options.homes === undefined) copyFileSync(published, original);
  else writeFileSync(original, gzipSync(firstHomes(textOf(published), options.homes)));
  writeFileSync(dropped, gzipSync(set.dropped(textOf(original))));

  const from = performance.now();
  await way.take(dropped, id, "reads");
  const seconds = (performance.now() - from) / 1000;

  const oracle = await set.judge(sqlAt(way.stores.clickhouseUrl), original);
  return { ...(await outcome(way, id, oracle)), seconds };
}

function textOf(path: string): string {
  return gunzipSync(readFileSync(path)).toString("utf8");
}

/** The header and the rows of the meters that come first. */
function firstHomes(text: string, homes: number): string {
  const [header, ...rows] = text.split("\n");
  const meters = new Set<string>();
  const kept = rows.filter((row) => {
    const meter = /^[^,;]+/.exec(row)?.[0];
    if (meter === undefined) return false;
    if (meters.size < homes) meters.add(meter);
    return meters.has(meter);
  });
  return [header, ...kept].join("\n") + "\n";
}

/** `hour_index` as the local time at which the hour begins. */
function withStamps(text: string): string {
  const rows = text.split("\n").filter((row) => row !== "");
  const stamped = rows.slice(1).map((row) => {
    const [meter, hour, litres] = row.split(",");
    const local = new Date((KARRATHA_START + KARRATHA_OFFSET + Number(hour) * 3600) * 1000);
    return `${meter},${local.toISOString().slice(0, 16).replace("T", " ")},${litres}`;
  });
  return ["meter,time,litres", ...stamped].join("\n") + "\n";
}

async function outcome(
  way: StraightPath,
  id: string,
  oracle: OracleAnswer,
): Promise<Omit<RealSet, "seconds">> {
  const { clickhouse, database, vault } = way.stores;
  const [file] = await database.query<{
    file: number;
    rows: number;
    reads: number;
    meters: number;
    state: string;
  }>("SELECT file, rows, reads, meters, state FROM files WHERE utility = $1", [id]);
  const codes = await database.query<{ code: string; count: number }>(
    "SELECT code, count(*) AS count FROM rejects WHERE file = $1 GROUP BY code ORDER BY code",
    [file!.file],
  );
  const [usage] = await clickhouse.query<{ n: string; ml: string; days: number }>(
    "SELECT count() AS n, sum(ml) AS ml, sum(length) / 86400 AS days FROM curbstop.usage WHERE utility = {id:String}",
    { id },
  );
  const found = await clickhouse.query<{
    key: string;
    rule: string;
    start: number;
    end: number;
    volume: string;
  }>(
    `SELECT lower(leftPad(hex(meter), 16, '0')) AS key, rule, toUnixTimestamp(start) AS start, toUnixTimestamp(end) AS end, volume
     FROM curbstop.anomalies FINAL WHERE utility = {id:String} AND state != 'withdrawn' ORDER BY key, start`,
    { id },
  );
  const meterDays = usage!.days;
  const anomalies: Record<string, { count: number; perThousandMeterDays: number }> = {};
  for (const rule of ["continuous-flow", "spike"]) {
    const count = found.filter((one) => one.rule === rule).length;
    anomalies[rule] = { count, perThousandMeterDays: (count / meterDays) * 1000 };
  }

  const keys = await database.query<{ key: string; hash: string }>(
    "SELECT meter_key AS key, encode(id_hash, 'hex') AS hash FROM meters WHERE utility = $1",
    [id],
  );
  const keyByHash = new Map(keys.map(({ key, hash }) => [hash, key]));
  const differences: string[] = [];
  if (file!.state !== "archived") differences.push(`the file is ${file!.state}, not archived`);
  const litres = Number(usage!.ml) / 1000;
  if (Number(usage!.n) !== oracle.intervals)
    differences.push(`intervals: Curbstop ${usage!.n}, oracle ${oracle.intervals}`);
  if (litres !== oracle.litres) differences.push(`litres: Curbstop ${litres}, oracle ${oracle.litres}`);
  const left = new Set(
    oracle.flows.map((flow) => {
      const key = keyByHash.get(vault.hash(id, "meter", flow.meter).toString("hex")) ?? "unknown meter";
      return flowName(key, flow.start, flow.end, flow.litres);
    }),
  );
  for (const { key, rule, start, end, volume } of found) {
    if (rule !== "continuous-flow") continue;
    const name = flowName(key, start, end, Number(volume) / 1000);
    if (!left.delete(name)) differences.push(`only Curbstop: ${name}`);
  }
  for (const name of left) differences.push(`only oracle: ${name}`);
  return {
    set: id as RealSet["set"],
    homes: file!.meters,
    rows: file!.rows,
    reads: file!.reads,
    rejects: Object.fromEntries(codes.map(({ code, count }) => [code, count])),
    intervals: Number(usage!.n),
    litres,
    meterDays,
    anomalies,
    oracleFlows: oracle.flows.length,
    differences: differences.sort((a, b) => (a.slice(a.indexOf(":")) < b.slice(b.indexOf(":")) ? -1 : 1)),
  };
}

function flowName(key: string, start: number, end: number, litres: number): string {
  const at = (second: number) => new Date(second * 1000).toISOString().slice(0, 19) + "Z";
  return `meter ${key} from ${at(start)} to ${at(end)}, ${litres} L`;
}

function report(set: RealSet): string {
  const { homes, reads, rows, intervals, litres, meterDays, anomalies, rejects, seconds, differences } = set;
  const whole = (value: number) => Math.round(value).toLocaleString("en");
  const rejected = Object.entries(rejects);
  const lines = [
    `${set.set}: ${homes} homes, ${whole(rows)} rows, ${whole(reads)} reads in ${seconds.toFixed(1)} s`,
    `  rejected: ${rejected.length === 0 ? "none" : rejected.map(([code, count]) => `${whole(count)} ${code}`).join(", ")}`,
    `  ${whole(intervals)} intervals, ${whole(litres)} L, ${whole(meterDays)} meter-days`,
    ...Object.entries(anomalies).map(
      ([rule, { count, perThousandMeterDays }]) =>
        `  ${rule}: ${count}, ${perThousandMeterDays.toFixed(1)} in 1,000 meter-days`,
    ),
    differences.length === 0
      ? `  the oracle agrees on all ${set.oracleFlows} continuous flows, on intervals and on litres`
      : `  THE ORACLE DIFFERS (${differences.length}):`,
    ...differences.map((line) => `    ${line}`),
    "",
  ];
  return lines.join("\n") + "\n";
}
