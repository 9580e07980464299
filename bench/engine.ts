import { startClickHouse } from "../infra/clickhouse/embedded-server.js";
import { rowsOf, sqlAt } from "./sql.js";

/** An anomaly, named by what both sides can compare: times in UTC seconds, volume in millilitres. */
export interface Answer {
  readonly rule: string;
  readonly start: number;
  readonly end: number;
  readonly volume: number;
}

export interface Answers {
  readonly reads: number;
  /** Millilitres of all reads. */
  readonly volume: number;
  readonly anomalies: readonly Answer[];
}

/** ClickHouse alone: the same server binary, in a directory of its own, driven by SQL over HTTP. */
export interface Engine {
  /** Loads the file into a table. The body goes through HTTP: `file()` was no faster (docs/performance.md). */
  load(layout: "long" | "wide", path: string): Promise<void>;
  findFlows(rule: FlowRule): Promise<Answer[]>;
  findSpikes(rule: SpikeRule): Promise<Answer[]>;
  /** Empties the table. */
  clear(): Promise<void>;
  totals(): Promise<Pick<Answers, "reads" | "volume">>;
  stop(): Promise<void>;
}

export interface FlowRule {
  readonly hours: number;
  /** Litres in an hour from which it flows. */
  readonly minLitres: number;
  readonly maxGapHours: number;
}

export interface SpikeRule {
  readonly minLitres: number;
  readonly deviations: number;
  readonly minDays: number;
}

const HOURS = Array.from({ length: 24 }, (_, i) => `h${i + 1}`);

/**
 * How each layout gets into the table. LowCardinality was the fastest type for the id, and the table is fsynced like
 * ours.
 */
const LOADS = {
  long: `INSERT INTO bench.town SELECT meter_id, timestamp, value
    FROM input('meter_id String, timestamp DateTime(\\'UTC\\'), value Float64, flag String') FORMAT CSVWithNames`,
  wide: `INSERT INTO bench.town SELECT meter_id, toDateTime(date, 'UTC') + hour * 3600, assumeNotNull(litres)
    FROM (SELECT meter_id, date, [${HOURS.join(", ")}] AS hours
          FROM input('meter_id String, date Date, ${HOURS.map((h) => `${h} Nullable(Float64)`).join(", ")}'))
    ARRAY JOIN hours AS litres, range(24) AS hour
    WHERE litres IS NOT NULL FORMAT CSVWithNames`,
};

export async function startEngine(directory: string): Promise<Engine> {
  const server = await startClickHouse({ directory, utilities: [] });
  const ask = sqlAt(server.url);

  async function anomalies(rule: string, statement: string): Promise<Answer[]> {
    const rows = await rowsOf(ask, statement);
    return rows.map((row) => {
      const [start, end, volume] = row.map(Number);
      return { rule, start: start!, end: end!, volume: volume! };
    });
  }

  await ask("CREATE DATABASE bench");
  await ask(`CREATE TABLE bench.town (
      meter LowCardinality(String), at DateTime('UTC') CODEC(Delta, ZSTD(1)), litres Float64 CODEC(ZSTD(1)))
    ENGINE = MergeTree ORDER BY (meter, at) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`);

  return {
    load: async (layout, path) => {
      await ask(LOADS[layout], { file: path });
    },
    // Runs of flowing hours between dry ones: reads that follow the same dry hour belong together.
    findFlows: ({ hours, minLitres, maxGapHours }) =>
      anomalies(
        "continuous-flow",
        `SELECT toUnixTimestamp(min(at)), toUnixTimestamp(max(at)) + 3600, toInt64(round(sum(litres) * 1000))
         FROM (SELECT meter, at, litres, litres >= ${minLitres} AS flows,
                      sum(NOT flows) OVER (PARTITION BY meter ORDER BY at) AS dry
               FROM bench.town)
         WHERE flows GROUP BY meter, dry
         HAVING count() >= ${hours} AND max(at) - min(at) + 3600 <= (count() + ${maxGapHours}) * 3600`,
      ),
    // Only meters with an hour above the floor need their peaks; each of those hours is judged by the days before it.
    findSpikes: ({ minLitres, deviations, minDays }) =>
      anomalies(
        "spike",
        `WITH high AS (SELECT meter, at, litres FROM bench.town WHERE litres > ${minLitres}),
              peaks AS (SELECT meter, toDate(at) AS day, max(litres) AS peak FROM bench.town
                        WHERE meter IN (SELECT meter FROM high) GROUP BY meter, day HAVING count() >= 20),
              judged AS (SELECT meter, at, any(litres) AS litres,
                           arrayMap(p -> p.2, arrayReverseSort(groupArray((day, peak)))) AS all,
                           arraySlice(all, 1, 28) AS before,
                           arrayReduce('quantileExactInclusive(0.5)', before) AS middle,
                           arrayReduce('quantileExactInclusive(0.5)', arrayMap(p -> abs(p - middle), before)) AS mad,
                           greatest(${minLitres}, middle + ${deviations} * greatest(1.4826 * mad, middle / 10)) AS most
                         FROM high INNER JOIN peaks ON high.meter = peaks.meter
                         WHERE day < toDate(at) GROUP BY meter, at
                         HAVING length(before) >= ${minDays} AND litres > most)
         SELECT toUnixTimestamp(min(at)), toUnixTimestamp(max(at)) + 3600, toInt64(round(sum(litres) * 1000))
         FROM (SELECT meter, at, litres,
                      toUnixTimestamp(at) / 3600 - row_number() OVER (PARTITION BY meter ORDER BY at) AS run FROM judged)
         GROUP BY meter, run`,
      ),
    clear: async () => {
      await ask("TRUNCATE TABLE bench.town");
    },
    async totals() {
      const [row] = await rowsOf(ask, "SELECT count(), toInt64(round(sum(litres) * 1000)) FROM bench.town");
      const [reads, volume] = row!.map(Number);
      return { reads: reads!, volume: volume! };
    },
    stop: () => server.stop(),
  };
}
