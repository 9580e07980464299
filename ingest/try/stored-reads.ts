import type { ClickHouse } from "../../infra/clickhouse/client.js";

/** Which file's reads, and from when to when they are (UTC seconds): it bounds the months that are looked at. */
export interface FileReads {
  readonly utility: string;
  readonly file: number;
  readonly first: number;
  readonly last: number;
}

/** What became of a file's reads. */
export interface StoredReads {
  /** Reads of the file that stand now. */
  readonly standing: number;
  /** Reads of earlier standing in whose place its own came, by their file. */
  readonly replaced: readonly {
    readonly file: number;
    readonly reads: number;
    readonly otherValue: number;
  }[];
  /** Reads of other files that stand above its own, by their file. */
  readonly replacedBy: readonly { readonly file: number; readonly reads: number }[];
  /** Seconds from the end of a read to `arrivedAt`; null without a read. */
  readonly lag: { readonly least: number; readonly median: number; readonly most: number } | null;
}

const IDENTITY = "kind, meter, channel, time";
const STANDING = "(bitTest(flags, 0) = 0, file, line)";

/** All reads as they were delivered, whether they stand or not, in order of their standing. */
const ALL_READS = `(
  SELECT toString(kind) AS kind, meter, toString(channel) AS channel, at AS time, length, ml, flags, file, line, 0 AS stands
  FROM curbstop.superseded_reads FINAL WHERE ${within("at")}
  UNION ALL
  SELECT 'register' AS kind, meter, toString(channel) AS channel, at AS time, 0 AS length, ml, flags, file, line, 1 AS stands
  FROM curbstop.register_reads FINAL WHERE ${within("at")}
  UNION ALL
  SELECT 'usage' AS kind, meter, toString(channel) AS channel, start AS time, length, ml, flags, file, line, 1 AS stands
  FROM curbstop.intervals FINAL WHERE ${within("start")} AND origin = 'delivered'
  UNION ALL
  SELECT 'bill' AS kind, meter, toString(channel) AS channel, start AS time, length, ml, flags, file, line,
         row_number() OVER (PARTITION BY meter, channel, start ORDER BY ${STANDING} DESC) = 1 AS stands
  FROM curbstop.bills FINAL WHERE ${within("start")}
)`;

function within(time: string): string {
  return `utility = {utility:String} AND ${time} >= toDateTime({first:UInt32}) AND ${time} <= toDateTime({last:UInt32})`;
}

/** @param arrivedAt UTC seconds */
export async function storedReads(
  clickhouse: ClickHouse,
  of: FileReads,
  arrivedAt: number,
): Promise<StoredReads> {
  const mine = "file = {file:UInt32}";
  const own = `SELECT ${IDENTITY}, max(${STANDING}) AS latest, min(${STANDING}) AS earliest, argMax(ml, ${STANDING}) AS mine
    FROM ${ALL_READS} WHERE ${mine} GROUP BY ${IDENTITY}`;
  const beside = `SELECT ${IDENTITY}, a.file AS file, a.ml AS ml, mine, latest, earliest, ${STANDING.replaceAll(/flags|file|line/g, "a.$&")} AS standing
    FROM ${ALL_READS} AS a INNER JOIN (${own}) AS o USING (${IDENTITY}) WHERE a.${mine.replace("=", "!=")}`;
  const ask = <T>(query: string) => clickhouse.query<T>(query, { ...of, arrivedAt });
  const [[standing], lags, replaced, replacedBy] = await Promise.all([
    ask<{ reads: string }>(`SELECT count() AS reads FROM ${ALL_READS} WHERE ${mine} AND stands = 1`),
    ask<{ lag: string; reads: string }>(
      `SELECT toInt64({arrivedAt:UInt32}) - toUnixTimestamp(time) - toInt64(length) AS lag, count() AS reads
       FROM ${ALL_READS} WHERE ${mine} GROUP BY lag`,
    ),
    ask<{ file: number; reads: string; otherValue: string }>(
      `SELECT file, count() AS reads, countIf(ml != mine) AS otherValue
       FROM (SELECT * FROM (${beside}) WHERE standing < earliest ORDER BY standing DESC LIMIT 1 BY ${IDENTITY})
       GROUP BY file ORDER BY file`,
    ),
    ask<{ file: number; reads: string }>(
      `SELECT file, count() AS reads
       FROM (SELECT * FROM (${beside}) WHERE standing > latest ORDER BY standing LIMIT 1 BY ${IDENTITY})
       GROUP BY file ORDER BY file`,
    ),
  ]);
  return {
    standing: Number(standing!.reads),
    replaced: replaced.map(({ file, reads, otherValue }) => ({
      file,
      reads: Number(reads),
      otherValue: Number(otherValue),
    })),
    replacedBy: replacedBy.map(({ file, reads }) => ({ file, reads: Number(reads) })),
    lag: lagOf(lags),
  };
}

function lagOf(rows: readonly { readonly lag: string; readonly reads: string }[]): StoredReads["lag"] {
  const lags = rows.map(({ lag, reads }) => ({ lag: Number(lag), reads: Number(reads) }));
  lags.sort((a, b) => a.lag - b.lag);
  const [least, most] = [lags[0], lags.at(-1)];
  if (least === undefined || most === undefined) return null;
  let left = lags.reduce((total, { reads }) => total + reads, 0) / 2;
  const median = lags.find(({ reads }) => (left -= reads) <= 0) ?? most;
  return { least: least.lag, median: median.lag, most: most.lag };
}

/** How the reads of a file that stand compare with the best that other files brought for their times. */
export interface ComparedReads {
  /** No other file has a read of their time. */
  readonly added: number;
  /** A read of the same volume is below them: it counts once, as before. */
  readonly equal: number;
  /** A read of another volume is below them. */
  readonly corrected: number;
}

export async function comparedReads(clickhouse: ClickHouse, of: FileReads): Promise<ComparedReads> {
  const [row] = await clickhouse.query<{ added: string; equal: string; corrected: string }>(
    `SELECT countIf(others = 0) AS added, countIf(others > 0 AND mine = was) AS equal,
            countIf(others > 0 AND mine != was) AS corrected
     FROM (
       SELECT anyIf(ml, stands = 1) AS mine, countIf(file != {file:UInt32}) AS others,
              argMaxIf(ml, ${STANDING}, file != {file:UInt32}) AS was
       FROM ${ALL_READS} GROUP BY ${IDENTITY} HAVING countIf(file = {file:UInt32} AND stands = 1) > 0)`,
    { ...of },
  );
  return {
    added: Number(row!.added),
    equal: Number(row!.equal),
    corrected: Number(row!.corrected),
  };
}
