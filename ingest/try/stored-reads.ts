import type { ClickHouse } from "../../infra/clickhouse/client.js";

/** Reads of a file in ClickHouse: registers, and delivered usage. */
const TABLES = [
  { table: "register_reads", time: "at", length: "toUInt32(0)", only: "1" },
  { table: "intervals", time: "start", length: "length", only: "origin = 'delivered'" },
] as const;

/** Which file's reads, and from when to when they are (UTC seconds): it bounds the months that are looked at. */
export interface FileReads {
  readonly utility: string;
  readonly file: number;
  readonly first: number;
  readonly last: number;
}

/** What is left in ClickHouse of a file's reads. */
export interface StoredReads {
  /** Reads of the file that stand now. */
  readonly standing: number;
  /** Reads of the file that are stored, whether they stand or not. */
  readonly stored: number;
  /** Reads of earlier standing in whose place its own came, by their file. */
  readonly replaced: readonly {
    readonly file: number;
    readonly reads: number;
    readonly otherValue: number;
  }[];
  /** Reads of other files that came in place of its own. */
  readonly replacedBy: readonly { readonly file: number; readonly reads: number }[];
  /** A merge has joined parts with its rows: rows that were replaced may be gone, so the counts above are the least. */
  readonly merged: boolean;
  /** Seconds from the end of a read to `arrivedAt`; null without a read. */
  readonly lag: { readonly least: number; readonly median: number; readonly most: number } | null;
}

const WHERE = "utility = {utility:String}";

function within(time: string): string {
  return `${time} >= toDateTime({first:UInt32}) AND ${time} <= toDateTime({last:UInt32})`;
}

/** @param arrivedAt UTC seconds */
export async function storedReads(
  clickhouse: ClickHouse,
  of: FileReads,
  arrivedAt: number,
): Promise<StoredReads> {
  const parameters = { ...of };
  const all = await Promise.all(
    TABLES.map(async ({ table, time, length, only }) => {
      const where = `${WHERE} AND ${within(time)} AND ${only}`;
      const mine = `${where} AND file = {file:UInt32}`;
      const [stored] = await clickhouse.query<{ stored: string; merged: number }>(
        `SELECT count(DISTINCT meter, channel, ${time}) AS stored,
                max(toUInt32OrZero(splitByChar('_', _part)[4])) > 0 AS merged FROM curbstop.${table} WHERE ${mine}`,
        parameters,
      );
      const [standing] = await clickhouse.query<{ standing: string }>(
        `SELECT count() AS standing FROM curbstop.${table} FINAL WHERE ${mine}`,
        parameters,
      );
      const lags = await clickhouse.query<{ lag: string; reads: string }>(
        `SELECT toInt64({arrivedAt:UInt32}) - toUnixTimestamp(${time}) - toInt64(${length}) AS lag, count() AS reads
         FROM curbstop.${table} WHERE ${mine} GROUP BY lag`,
        { ...parameters, arrivedAt },
      );
      const identity = `meter, channel, ${time}`;
      const own = `SELECT ${identity}, max(version) AS latest, min(version) AS earliest, argMax(ml, version) AS mine
                   FROM curbstop.${table} WHERE ${mine} GROUP BY ${identity}`;
      const others = `SELECT ${identity}, version, file, ml FROM curbstop.${table} WHERE ${where} AND file != {file:UInt32}`;
      const replaced = await clickhouse.query<{ file: number; reads: string; otherValue: string }>(
        `SELECT file, count() AS reads, countIf(ml != mine) AS otherValue FROM (
           SELECT ${identity}, file, ml, mine FROM (${own}) AS o INNER JOIN (${others}) AS t USING (${identity})
           WHERE version < earliest ORDER BY version DESC LIMIT 1 BY ${identity})
         GROUP BY file ORDER BY file`,
        parameters,
      );
      const replacedBy = await clickhouse.query<{ file: number; reads: string }>(
        `SELECT file, count() AS reads FROM (
           SELECT ${identity}, file FROM (${own}) AS o INNER JOIN (${others}) AS t USING (${identity})
           WHERE version > latest ORDER BY version LIMIT 1 BY ${identity})
         GROUP BY file ORDER BY file`,
        parameters,
      );
      return { stored: stored!, standing: Number(standing!.standing), lags, replaced, replacedBy };
    }),
  );
  return {
    standing: sum(all.map(({ standing }) => standing)),
    stored: sum(all.map(({ stored }) => Number(stored.stored))),
    replaced: byFile(all.flatMap(({ replaced }) => replaced)).map(({ file, rows }) => ({
      file,
      reads: sum(rows.map(({ reads }) => Number(reads))),
      otherValue: sum(rows.map(({ otherValue }) => Number(otherValue))),
    })),
    replacedBy: byFile(all.flatMap(({ replacedBy }) => replacedBy)).map(({ file, rows }) => ({
      file,
      reads: sum(rows.map(({ reads }) => Number(reads))),
    })),
    merged: all.some(({ stored }) => stored.merged === 1),
    lag: lagOf(all.flatMap(({ lags }) => lags)),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

function byFile<T extends { readonly file: number }>(rows: readonly T[]): { file: number; rows: T[] }[] {
  const files = [...new Set(rows.map(({ file }) => file))].sort((a, b) => a - b);
  return files.map((file) => ({ file, rows: rows.filter((row) => row.file === file) }));
}

function lagOf(rows: readonly { readonly lag: string; readonly reads: string }[]): StoredReads["lag"] {
  const lags = rows.map(({ lag, reads }) => ({ lag: Number(lag), reads: Number(reads) }));
  lags.sort((a, b) => a.lag - b.lag);
  const [least, most] = [lags[0], lags.at(-1)];
  if (least === undefined || most === undefined) return null;
  let left = sum(lags.map(({ reads }) => reads)) / 2;
  const median = lags.find(({ reads }) => (left -= reads) <= 0) ?? most;
  return { least: least.lag, median: median.lag, most: most.lag };
}

/** How the reads of another run of a file stand to those that were there before it. */
export interface ReplayedReads {
  /** Their time had no read. */
  readonly added: number;
  /** Their time had a read of the same volume, which they replace: it counts once, as before. */
  readonly equal: number;
  /** Their time had a read of another volume, which they replace. */
  readonly corrected: number;
}

/**
 * The reads of a utility between two times, kept aside so that those of a file can be compared with them later: the
 * rows that these replace go with the next merge.
 */
export class ReadsBefore {
  readonly #clickhouse: ClickHouse;
  readonly #table: string;
  readonly #of: FileReads;

  private constructor(clickhouse: ClickHouse, table: string, of: FileReads) {
    this.#clickhouse = clickhouse;
    this.#table = table;
    this.#of = of;
  }

  /** @param of `file` names the copy: one replay of a file at a time */
  static async keep(clickhouse: ClickHouse, of: FileReads): Promise<ReadsBefore> {
    const table = `curbstop.replay_before_${of.file}`;
    await clickhouse.command(
      `CREATE OR REPLACE TABLE ${table} (kind UInt8, meter UInt64, channel String, time DateTime('UTC'), ml Int64)
       ENGINE = MergeTree ORDER BY (kind, meter, channel, time)`,
    );
    for (const [kind, { table: from, time, only }] of TABLES.entries()) {
      const range = `${time} >= toDateTime(${of.first}) AND ${time} <= toDateTime(${of.last})`;
      await clickhouse.command(
        `INSERT INTO ${table} SELECT ${kind}, meter, channel, ${time}, ml FROM curbstop.${from} FINAL
         WHERE utility = '${of.utility}' AND ${range} AND ${only}`,
      );
    }
    return new ReadsBefore(clickhouse, table, of);
  }

  /** How the reads of `file` that stand now compare with those that were kept. */
  async compare(file: number): Promise<ReplayedReads> {
    const counts = await Promise.all(
      TABLES.map(({ table, time, only }, kind) =>
        this.#clickhouse.query<{ added: string; equal: string; corrected: string }>(
          `SELECT countIf(known = 0) AS added, countIf(known = 1 AND ml = was) AS equal,
                  countIf(known = 1 AND ml != was) AS corrected
           FROM (SELECT meter, toString(channel) AS channel, ${time} AS time, ml FROM curbstop.${table} FINAL
                 WHERE ${WHERE} AND ${within(time)} AND ${only} AND file = {file:UInt32}) AS n
           LEFT JOIN (SELECT meter, channel, time, ml AS was, toUInt8(1) AS known FROM ${this.#table}
                      WHERE kind = ${kind}) AS b USING (meter, channel, time)`,
          { ...this.#of, file },
        ),
      ),
    );
    const rows = counts.map(([row]) => row!);
    return {
      added: sum(rows.map(({ added }) => Number(added))),
      equal: sum(rows.map(({ equal }) => Number(equal))),
      corrected: sum(rows.map(({ corrected }) => Number(corrected))),
    };
  }

  async drop(): Promise<void> {
    await this.#clickhouse.command(`DROP TABLE IF EXISTS ${this.#table}`);
  }
}
