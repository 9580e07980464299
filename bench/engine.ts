import { createReadStream, statSync } from "node:fs";
import { request } from "node:http";
import { pipeline } from "node:stream/promises";
import { startClickHouse } from "../infra/clickhouse/embedded-server.js";

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
  const address = new URL(server.url);

  function ask(sql: string, file?: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const call = request(
        {
          host: address.hostname,
          port: address.port,
          method: "POST",
          path: `/?wait_end_of_query=1&query=${encodeURIComponent(sql)}`,
          headers: {
            "X-ClickHouse-User": address.username,
            "X-ClickHouse-Key": address.password,
            "Content-Length": file === undefined ? 0 : statSync(file).size,
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () => {
            const text = Buffer.concat(chunks).toString("utf8");
            if (response.statusCode === 200) resolve(text);
            else reject(new Error(text.slice(0, 2000)));
          });
        },
      );
      call.on("error", reject);
      if (file === undefined) call.end();
      else pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), call).catch(reject);
    });
  }

  async function anomalies(rule: string, sql: string): Promise<Answer[]> {
    const text = await ask(`${sql} FORMAT TSV`);
    return text
      .split("\n")
      .filter(Boolean)
      .map((line) => {
        const [start, end, volume] = line.split("\t").map(Number);
        return { rule, start: start!, end: end!, volume: volume! };
      });
  }

  await ask("CREATE DATABASE bench");
  await ask(`CREATE TABLE bench.town (
      meter LowCardinality(String), at DateTime('UTC') CODEC(Delta, ZSTD(1)), litres Float64 CODEC(ZSTD(1)))
    ENGINE = MergeTree ORDER BY (meter, at) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`);

  return {
    load: async (layout, path) => {
      await ask(LOADS[layout], path);
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
    async totals() {
      const [reads, volume] = (
        await ask("SELECT count(), toInt64(round(sum(litres) * 1000)) FROM bench.town FORMAT TSV")
      )
        .split("\t")
        .map(Number);
      return { reads: reads!, volume: volume! };
    },
    stop: () => server.stop(),
  };
}
