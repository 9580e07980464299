/**
 * Measures what it costs to judge meters anew from their reads in ClickHouse, where reads come that are older than what
 * the detector keeps of a meter: `npm run bench:recompute`. Ends with 1 where the volumes don't come out as they should.
 */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { SteppedClock } from "../infra/clock.js";
import { detectConfig } from "../schemas/detect-config.js";
import { generateTown, WIDE_PROFILE } from "./generate.js";
import { openPath } from "./path.js";
import { measured } from "./processes.js";

const HELP = `npm run bench:recompute -- [options]

  --meters N   meters of the town (default 1000)
  --days N     days of hourly reads that are stored of each (default 120)
  --late N     meters of which a day comes again, corrected (default 100)
`;
const START = Date.UTC(2026, 0, 5) / 1000;
const DAY = 86_400;
/** Day of the town, from 0, that comes again with a litre more in each hour. */
const LATE_DAY = 10;

const { values } = parseArgs({
  options: {
    help: { type: "boolean", default: false },
    meters: { type: "string", default: "1000" },
    days: { type: "string", default: "120" },
    late: { type: "string", default: "100" },
  },
});
if (values.help) process.stdout.write(HELP);
else await main(Number(values.meters), Number(values.days), Number(values.late));

async function main(meters: number, days: number, late: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "curbstop-recompute-"));
  chmodSync(folder, 0o755);
  const town = join(folder, "town.csv");
  const reads = await generateTown(
    { meters, days: days + 1, seed: 1, start: START },
    join(folder, "long.csv"),
    town,
  );
  const [header, ...rows] = readFileSync(town, "utf8").trimEnd().split("\n");
  const ofDay = (day: number) => rows.filter((_, i) => i % (days + 1) === day);
  const file = (name: string, lines: readonly string[]) => {
    const path = join(folder, name);
    writeFileSync(path, [header, ...lines, ""].join("\n"));
    return path;
  };
  const whole = file(
    "whole.csv",
    rows.filter((_, i) => i % (days + 1) < days),
  );
  const fresh = file("fresh.csv", ofDay(days).slice(0, late));
  let corrected = 0;
  const old = file(
    "late.csv",
    ofDay(LATE_DAY)
      .slice(0, late)
      .map((row) => {
        const [meter, day, ...hours] = row.split(",");
        const more = hours.map((litres) => {
          if (litres === "") return "";
          corrected++;
          return (Number(litres) + 1).toFixed(1);
        });
        return [meter, day, ...more].join(",");
      }),
  );
  const way = await openPath(
    join(folder, "place"),
    [{ id: "bench", timeZone: "UTC", sources: { wide: WIDE_PROFILE }, rules: detectConfig.parse({}).rules }],
    new SteppedClock((START + (days + 1) * DAY) * 1000),
  );
  const litres = async () => {
    const [sum] = await way.stores.clickhouse.query<{ litres: number }>(
      "SELECT sum(litres) AS litres FROM curbstop.usage",
    );
    return Math.round(sum!.litres * 10) / 10;
  };
  try {
    process.stderr.write(`Storing ${reads.toLocaleString("en")} reads …\n`);
    await way.take(whole, "bench", "wide");
    const plain = await measured(() => way.take(fresh, "bench", "wide"));
    const before = await litres();
    const again = await measured(() => way.take(old, "bench", "wide"));
    const more = Math.round((await litres()) - before);
    const each = (again.cost.seconds - plain.cost.seconds) / late;
    process.stdout.write(
      `A day of ${late} meters, new: ${plain.cost.seconds.toFixed(2)} s, ${plain.cost.cpuSeconds?.toFixed(2)} CPU s.\n` +
        `A day ${days - LATE_DAY} days old, corrected: ${again.cost.seconds.toFixed(2)} s, ${again.cost.cpuSeconds?.toFixed(2)} CPU s.\n` +
        `Judging a meter anew from ${(24 * (days + 1)).toLocaleString("en")} stored reads: ${(1000 * each).toFixed(1)} ms, ` +
        `${Math.round((24 * (days + 1)) / each).toLocaleString("en")} reads a second.\n`,
    );
    if (more !== corrected) {
      process.stderr.write(`The usage grew by ${more} L where ${corrected} were delivered.\n`);
      process.exitCode = 1;
    }
  } finally {
    await way.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
