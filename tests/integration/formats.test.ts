import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FORMAT_FILES } from "../../bench/formats/town.js";
import { createDetect } from "../../detect/index.js";
import { createIngest } from "../../ingest/index.js";
import type { ConfigInput } from "../../schemas/config.js";
import { expectAccountedFor } from "../harness/accounted.js";
import { OAKVALE, startStores, type TestStores } from "../harness/stores.js";
import { zipOf } from "../harness/zip.js";

type SourceInput = ConfigInput["utilities"][number]["sources"][number];

const SAMPLES = "../shared/samples";
const present = existsSync(SAMPLES);
const title = "takes every public sample file through the real path";
if (!present) process.stderr.write(`SKIPPED: "${title}": ${SAMPLES} is absent\n`);

/** The samples by their folders; electricity is let in as if it were water, to try the formats. */
const KINDS: Readonly<Record<string, Omit<SourceInput, "id" | "folder" | "complete">>> = {
  beacon: { format: "beacon-range" },
  nem: { format: "nem", nem: { treatAs: { KWH: "L", KVARH: "L", VARH: "L", "": "L" } } },
  greenbutton: { format: "espi", espi: { commodities: [1], treatAs: { 72: "L" } } },
  wmbus: { format: "json-lines" },
};

let test: TestStores | undefined;
afterEach(() => test?.close());

async function takesSamples(): Promise<void> {
  test = await startStores("formats", {
    config: (folder) => ({
      utilities: [
        {
          ...OAKVALE,
          languages: ["en"],
          sources: Object.entries(KINDS).map(([id, options]) => ({
            id,
            folder: join(folder, "drop", id),
            complete: { by: "stability" as const, seconds: 0 },
            ...options,
          })),
        },
      ],
    }),
    now: Date.UTC(2026, 10, 25),
  });
  const dropped: string[] = [];
  for (const id of Object.keys(KINDS)) {
    const drop = join(test.folder, "drop", id);
    mkdirSync(drop, { recursive: true });
    for (const name of readdirSync(join(SAMPLES, id))) {
      // The time stamps of the telegrams are all of the year 1111.
      const text = readFileSync(join(SAMPLES, id, name), "utf8");
      const dated = text.replaceAll("1111-11-11T11:11:11Z", "2026-05-01T07:00:00Z");
      writeFileSync(join(drop, `${name}.part`), dated);
      renameSync(join(drop, `${name}.part`), join(drop, name));
      dropped.push(name);
    }
  }
  const context = test.context();
  const ingest = await test.start(createIngest(context));
  const detect = await test.start(createDetect({ ...context, clickhouse: test.stores.clickhouse }));
  await ingest.drain();
  await detect.drain();

  const { database, clickhouse } = test.stores;
  const ledger = await database.query<{
    name: string;
    state: string;
    rows: number;
    rejected: number;
    reads: number;
  }>("SELECT * FROM files ORDER BY name");
  expect(ledger.map(({ name }) => name).sort()).toEqual([...dropped].sort());
  for (const { name, state, rows, reads } of ledger)
    expect([name, state, rows > 0, reads > 0]).toEqual([name, "archived", true, true]);
  const [rejected] = await database.query<{ n: number }>(
    "SELECT count(DISTINCT (file, line))::int AS n FROM rejects",
  );
  expect(rejected!.n).toBe(ledger.reduce((sum, file) => sum + file.rejected, 0));

  await expectAccountedFor(test);

  // Each read once: what the files hold is judged, and what they hold twice is stored once.
  const [stored] = await clickhouse.query<{ n: string }>(
    `SELECT count() AS n FROM (SELECT 1 FROM curbstop.register_reads FINAL
       UNION ALL SELECT 1 FROM curbstop.intervals FINAL WHERE origin = 'delivered')`,
  );
  const judged = await context.metrics.detectorReads.get();
  const count = (outcome: string) =>
    judged.values.find(({ labels }) => labels["outcome"] === outcome)?.value ?? 0;
  expect(count("accepted") + count("superseded")).toBe(ledger.reduce((sum, file) => sum + file.reads, 0));
  expect(Number(stored!.n)).toBeGreaterThan(0);
  expect(Number(stored!.n)).toBeLessThanOrEqual(count("accepted"));
}

(present ? it : it.skip)(title, takesSamples, 60_000);

it("takes a file of every format, zipped, through the real path: each read of it stands, and none twice", async () => {
  const town = { meters: 3, days: 2 };
  test = await startStores("formats-zipped", {
    config: (folder) => ({
      utilities: [
        {
          ...OAKVALE,
          languages: ["en"],
          timeZone: "UTC",
          sources: FORMAT_FILES.map(({ source }, i) => ({
            id: `format-${i}`,
            folder: join(folder, "drop", `format-${i}`),
            complete: { by: "stability" as const, seconds: 0 },
            ...source,
          })),
        },
      ],
    }),
    now: Date.UTC(2026, 5, 1),
  });
  const context = test.context();
  const ingest = await test.start(createIngest(context));
  for (const [i, { text }] of FORMAT_FILES.entries()) {
    const at = join(test.folder, "drop", `format-${i}`, "reads.zip");
    mkdirSync(join(at, ".."), { recursive: true });
    // Meters of its own for each format.
    const members = [0, 1].map((half) => ({
      name: `${half}.txt`,
      bytes: [...text({ ...town, from: 100 * i + 10 * half })].join(""),
    }));
    writeFileSync(`${at}.part`, zipOf(members));
    renameSync(`${at}.part`, at);
  }
  await ingest.drain();
  const detect = await test.start(createDetect({ ...context, clickhouse: test.stores.clickhouse }));
  await detect.drain();
  await expectAccountedFor(test);
  const { database, clickhouse } = test.stores;
  const stored = await clickhouse.query<{ file: number; n: string }>(
    `SELECT file, count() AS n FROM (
       SELECT file FROM curbstop.reads_current UNION ALL SELECT file FROM curbstop.usage WHERE origin = 'delivered'
     ) GROUP BY file`,
  );
  const standing = new Map(stored.map(({ file, n }) => [file, Number(n)]));
  const files = await database.query<{ file: number; source: string; state: string; reads: number }>(
    "SELECT file, source, state, reads FROM files",
  );
  expect(files).toHaveLength(FORMAT_FILES.length);
  for (const { file, source, state, reads } of files) {
    const { name, readsPerDay } = FORMAT_FILES[Number(source.slice("format-".length))]!;
    expect([name, state, reads]).toEqual([name, "archived", 2 * town.meters * town.days * readsPerDay]);
    // The next day's previous read is the day's current one: they count once.
    const once = name === "billing" || name === "nem13" ? 2 * town.meters * (town.days + 1) : reads;
    expect([name, standing.get(file)]).toEqual([name, once]);
  }
}, 60_000);
