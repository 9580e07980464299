import { rowsOf, type Sql } from "./sql.js";

/**
 * A brute-force judge of continuous flow: SQL over the delivered rows as ClickHouse itself parsed them. It shares no
 * code and no table with ingest and detect; it only knows the rule as DETECTION describes it and the default settings:
 * 24 hours at 3,785 mL/h, holes of 4 hours before it opened and 7 days after, falls of a register up to 20 L taken as
 * jitter, 11.4 m³/h as the most that passes a meter.
 */
export interface OracleFlow {
  readonly meter: string;
  /** UTC seconds. */
  readonly start: number;
  readonly end: number;
  /** Litres. */
  readonly litres: number;
}

export interface OracleAnswer {
  readonly reads: number;
  readonly intervals: number;
  readonly litres: number;
  readonly flows: readonly OracleFlow[];
}

const RATE = 3.785;
const HOURS = 24;
const GAP_HOURS = 4;
const HOLE_DAYS = 7;
const STEP_BACK = 20;
const MOST_PER_HOUR = 11_400;
const LONGEST_HOUR = 5_400;
const SHORTEST_UNIT = 1_800;

/** Rows in the order of the file: one thread. */
const IN_ORDER = { input_format_parallel_parsing: 0, max_threads: 1, max_insert_threads: 1 };

export interface RegisterFile {
  readonly path: string;
  readonly gzip: boolean;
  /** Zone of the stamps, and its two offsets from UTC in seconds. */
  readonly zone: string;
  readonly winter: number;
  readonly summer: number;
}

/** `meter;dd/MM/yyyy HH:mm:ss;register in litres;…` with a header. */
export async function judgeRegisters(sql: Sql, file: RegisterFile): Promise<OracleAnswer> {
  const { zone, winter, summer } = file;
  await begin(sql);
  await sql(
    `INSERT INTO oracle.delivered SELECT rowNumberInAllBlocks(), meter, stamp, toInt64(toFloat64(litres))
     FROM input('meter String, stamp String, litres String, difference String') FORMAT CSV`,
    {
      file: file.path,
      gzip: file.gzip,
      settings: { ...IN_ORDER, format_csv_delimiter: ";", input_format_csv_skip_first_lines: 1 },
    },
  );
  const shows = (instant: string, offset: number) =>
    `timeZoneOffset(toDateTime(${instant}, '${zone}')) = ${offset}`;
  // A wall clock's time has the instants at which the zone's clock shows it: none in the hour that spring leaves out;
  // two in the hour that autumn repeats, of which a meter's second pass through it is the later.
  await sql(
    `INSERT INTO oracle.reads SELECT meter, at, argMax(litres, row) FROM (
       SELECT meter, row, litres, multiIf(in_summer AND in_winter, if(second, later, earlier), in_summer, earlier, later) AS at
       FROM (
         SELECT meter, row, litres, local - ${summer} AS earlier, local - ${winter} AS later,
                ${shows("earlier", summer)} AS in_summer, ${shows("later", winter)} AS in_winter,
                max(local) OVER (PARTITION BY meter, toDate(local), in_summer AND in_winter ORDER BY row
                  ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) >= local AS second
         FROM (SELECT *, toUnixTimestamp(parseDateTime(stamp, '%d/%m/%Y %H:%i:%s', 'UTC')) AS local FROM oracle.delivered))
       WHERE in_summer OR in_winter)
     GROUP BY meter, at`,
  );
  // Segments end where the register falls by more than jitter; within one, usage is the growth of its highest value.
  await sql(
    `INSERT INTO oracle.intervals SELECT meter, start, at - start, top - top_before, fallen FROM (
       SELECT meter, at, start, litres < top_before - ${STEP_BACK} AS fallen,
              max(litres) OVER (PARTITION BY meter, segment ORDER BY at) AS top,
              max(litres) OVER (PARTITION BY meter, segment ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS top_before,
              row_number() OVER (PARTITION BY meter, segment ORDER BY at) AS place,
              lagInFrame(at) OVER (PARTITION BY meter, segment ORDER BY at) AS start
       FROM (SELECT meter, at, litres, sum(falls) OVER (PARTITION BY meter ORDER BY at) AS segment
             FROM (SELECT meter, at, litres,
                          litres < lagInFrame(litres, 1, litres) OVER (PARTITION BY meter ORDER BY at) - ${STEP_BACK} AS falls
                   FROM oracle.reads)))
     WHERE place > 1`,
  );
  const [undecided] = await rowsOf(sql, "SELECT countIf(fallen) FROM oracle.intervals");
  if (Number(undecided![0]) > 0)
    throw new Error("The oracle can't judge a register that falls below its highest value in small steps.");
  return judge(sql);
}

/** `meter,hour index,litres` with a header; hour 0 begins at `start` (UTC seconds). */
export async function judgeHours(
  sql: Sql,
  file: { readonly path: string; readonly gzip: boolean; readonly start: number },
): Promise<OracleAnswer> {
  await begin(sql);
  await sql(
    `INSERT INTO oracle.intervals SELECT meter, ${file.start} + hour * 3600, 3600, litres, 0
     FROM input('meter String, hour Int64, litres Int64') FORMAT CSV`,
    { file: file.path, gzip: file.gzip, settings: { input_format_csv_skip_first_lines: 1 } },
  );
  return judge(sql);
}

async function begin(sql: Sql): Promise<void> {
  await sql("DROP DATABASE IF EXISTS oracle");
  await sql("CREATE DATABASE oracle");
  await sql(
    "CREATE TABLE oracle.delivered (row UInt64, meter String, stamp String, litres Int64) ENGINE = Memory",
  );
  await sql("CREATE TABLE oracle.reads (meter String, at Int64, litres Int64) ENGINE = Memory");
  await sql(
    "CREATE TABLE oracle.intervals (meter String, start Int64, length Int64, litres Int64, fallen UInt8) ENGINE = Memory",
  );
  await sql("CREATE TABLE oracle.hours (meter String, start Int64, end Int64, litres Int64) ENGINE = Memory");
}

/** Flows in `oracle.intervals`. */
async function judge(sql: Sql): Promise<OracleAnswer> {
  const most = `${MOST_PER_HOUR} * length / 3600`;
  // What says something about the flow of its time: intervals of about an hour, the dry ones of any length, and short
  // ones where they make up a whole hour.
  await sql(
    `INSERT INTO oracle.hours
     SELECT meter, start, start + length, litres FROM oracle.intervals
     WHERE length >= ${SHORTEST_UNIT} AND litres <= ${most} AND (length <= ${LONGEST_HOUR} OR litres = 0)
     UNION ALL
     SELECT meter, intDiv(start, 3600) * 3600 AS hour, hour + 3600, sum(litres) FROM oracle.intervals
     WHERE length < ${SHORTEST_UNIT} GROUP BY meter, hour HAVING sum(length) = 3600 AND max(litres > ${most}) = 0`,
  );
  // Between two dry hours flowing ones make up parts, cut by holes of more than the gap; a part goes on with the next
  // one only where it has lasted long enough to be told and the hole is no longer than the longest.
  const flows = await rowsOf(
    sql,
    `SELECT meter, run.1, run.2, run.4 FROM (
       SELECT meter, arrayFold(
           (runs, part) -> if(
             notEmpty(runs) AND runs[-1].3 >= ${HOURS * 3600} AND part.1 - runs[-1].2 <= ${HOLE_DAYS * 86_400},
             arrayPushBack(arrayPopBack(runs),
               (runs[-1].1, part.2, runs[-1].3 + part.3, runs[-1].4 + part.4)),
             arrayPushBack(runs, part)),
           arraySort(groupArray((first, last, seconds, litres))),
           CAST([], 'Array(Tuple(Int64, Int64, Int64, Int64))')) AS runs
       FROM (
         SELECT meter, dry, part, min(start) AS first, max(end) AS last, sum(end - start) AS seconds, sum(litres) AS litres
         FROM (SELECT meter, start, end, litres, dry, sum(hole) OVER (PARTITION BY meter, dry ORDER BY start) AS part
               FROM (SELECT meter, start, end, litres, dry,
                            start - lagInFrame(end, 1, start) OVER (PARTITION BY meter, dry ORDER BY start) > ${GAP_HOURS * 3600} AS hole
                     FROM (SELECT meter, start, end, litres, litres >= ${RATE} * (end - start) / 3600 AS flows,
                                  sum(NOT flows) OVER (PARTITION BY meter ORDER BY start) AS dry
                           FROM oracle.hours)
                     WHERE flows))
         GROUP BY meter, dry, part)
       GROUP BY meter, dry)
     ARRAY JOIN runs AS run
     WHERE run.3 >= ${HOURS * 3600} ORDER BY meter, run.1`,
  );
  const [totals] = await rowsOf(
    sql,
    `SELECT (SELECT count() FROM oracle.reads), count(), sum(litres) FROM oracle.intervals`,
  );
  const [reads, intervals, litres] = totals!.map(Number);
  return {
    reads: reads! === 0 ? intervals! : reads!,
    intervals: intervals!,
    litres: litres!,
    flows: flows.map(([meter, start, end, volume]) => ({
      meter: meter!,
      start: Number(start),
      end: Number(end),
      litres: Number(volume),
    })),
  };
}
