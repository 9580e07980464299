import { createWriteStream, readFileSync, writeFileSync, type WriteStream } from "node:fs";
import { once } from "node:events";
import { seeded } from "./random.js";

export interface BenchShape {
  readonly meters: number;
  readonly days: number;
  readonly seed: number;
  /** UTC seconds of the first hour. */
  readonly start: number;
}

const HOURS = 24;

/** Columns of `long.csv`, as a source's profile names them. */
export const LONG_COLUMNS = { meter: "meter_id", time: "timestamp", usage: "value", quality: "flag" };

/** How `wide.csv` is read. */
export const WIDE_PROFILE = {
  layout: "wide" as const,
  columns: { meter: "meter_id", time: "date", first: "h1" },
  time: { format: "YYYY-MM-DD", zone: "UTC" },
};

/**
 * Hourly usage of a town in litres with one decimal: mornings and evenings, dry nights, 0.1 % of hours missing, leaks
 * that run for days on some meters, and rare hours far above the meter's own. Sorted by meter, then time.
 *
 * `long.csv`: meter_id,timestamp,value,flag. `wide.csv`: meter_id,date,h1…h24.
 * @returns the number of reads, the same in both files
 */
export async function generateTown(shape: BenchShape, longPath: string, widePath: string): Promise<number> {
  const long = createWriteStream(longPath, { highWaterMark: 1 << 20 });
  const wide = createWriteStream(widePath, { highWaterMark: 1 << 20 });
  const random = seeded(shape.seed);
  const stamps: string[] = [];
  for (let hour = 0; hour < shape.days * HOURS; hour++) {
    stamps.push(new Date((shape.start + hour * 3600) * 1000).toISOString().slice(0, 16).replace("T", " "));
  }
  long.write("meter_id,timestamp,value,flag\n");
  wide.write(`meter_id,date,${Array.from({ length: HOURS }, (_, i) => `h${i + 1}`).join(",")}\n`);
  let reads = 0;
  for (let meter = 0; meter < shape.meters; meter++) {
    const id = `M${String(1_000_000 + meter)}`;
    const size = 0.5 + random() * 1.5;
    const leakFrom = random() < 0.025 ? Math.floor(random() * (shape.days - 3) * HOURS) : Infinity;
    const leakUntil = leakFrom + 30 + Math.floor(random() * 200);
    const leak = 2 + Math.floor(random() * 20);
    let longText = "";
    let wideText = "";
    for (let day = 0; day < shape.days; day++) {
      wideText += `${id},${stamps[day * HOURS]!.slice(0, 10)}`;
      for (let h = 0; h < HOURS; h++) {
        const hour = day * HOURS + h;
        const busy = h < 6 ? 0.08 : h < 9 ? 0.75 : h < 17 ? 0.4 : h < 23 ? 0.7 : 0.25;
        let tenths = random() < busy ? Math.floor(random() * random() * 900 * size) : 0;
        if (random() < 0.00025) tenths += 9_000 + Math.floor(random() * 9_000);
        if (hour >= leakFrom && hour < leakUntil) tenths += leak * 10;
        if (random() < 0.001) {
          wideText += ",";
          continue;
        }
        const value = `${Math.floor(tenths / 10)}.${tenths % 10}`;
        longText += `${id},${stamps[hour]},${value},\n`;
        wideText += `,${value}`;
        reads++;
      }
      wideText += "\n";
    }
    await write(long, longText);
    await write(wide, wideText);
  }
  for (const stream of [long, wide]) {
    stream.end();
    await once(stream, "finish");
  }
  return reads;
}

async function write(stream: WriteStream, text: string): Promise<void> {
  if (!stream.write(text)) await once(stream, "drain");
}

/** Makes a file of each day of a wide one, beside it. @returns their paths, by day */
export function splitByDay(path: string, days: number): string[] {
  const [header, ...rows] = readFileSync(path, "utf8").trimEnd().split("\n");
  return Array.from({ length: days }, (_, day) => {
    const own = `${path}.${day}`;
    writeFileSync(own, [header, ...rows.filter((_row, i) => i % days === day), ""].join("\n"));
    return own;
  });
}
