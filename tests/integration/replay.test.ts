import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { replayFile } from "../../cli/commands/rejects.js";
import { storyOf } from "../../cli/commands/files.js";
import { createDetect } from "../../detect/index.js";
import type { Settings } from "../../infra/config/load-config.js";
import type { Stage } from "../../infra/stage.js";
import { createIngest } from "../../ingest/index.js";
import { compareRejects, fileStory, findFile, listRejects } from "../../ingest/pickup/ledger.js";
import { expectAccountedFor } from "../harness/accounted.js";
import { startStores, type TestStores } from "../harness/stores.js";

let test: TestStores;
let ingest: Stage;
let detect: Stage;

beforeAll(async () => {
  test = await startStores("replay");
  mkdirSync(join(test.folder, "drop", "ami"), { recursive: true });
  ingest = await test.start(createIngest(test.context()));
  detect = await test.start(createDetect({ ...test.context(), clickhouse: test.stores.clickhouse }));
  // Merges would take away what the counts are compared with.
  await test.stores.clickhouse.command("SYSTEM STOP MERGES curbstop.intervals");
});
afterAll(async () => {
  try {
    await expectAccountedFor(test);
  } finally {
    await test.close();
  }
});

const HEADER = "meter,time,litres,quality\n";

async function taken(name: string, text: string) {
  writeFileSync(join(test.folder, "drop", "ami", name), text);
  await ingest.drain();
  await detect.drain();
  return (await findFile(test.stores.database, name, {}))!;
}

const hour = (h: number) => `2026-05-0${1 + Math.floor(h / 24)} ${String(h % 24).padStart(2, "0")}:00`;
const rows = (hours: readonly number[], value: (h: number) => string) =>
  hours.map((h) => `R1,${hour(h)},${value(h)},\n`).join("");
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

/** Rows of the utility in ClickHouse: every version, and as they stand. */
async function stored(): Promise<{ versions: number; standing: number; litres: number }> {
  const [row] = await test.stores.clickhouse.query<{ versions: string; standing: string; litres: number }>(
    `SELECT (SELECT count() FROM curbstop.intervals) AS versions, count() AS standing, sum(litres) AS litres FROM curbstop.usage`,
  );
  return { versions: Number(row!.versions), standing: Number(row!.standing), litres: row!.litres };
}

/** The settings with a profile that also reads the numbers that were rejected. */
function mended({ config, ...rest }: Settings): Settings {
  return {
    ...rest,
    config: {
      ...config,
      utilities: config.utilities.map((utility) => ({
        ...utility,
        sources: utility.sources.map((source) =>
          source.id === "ami" ? { ...source, profile: { ...source.profile!, thousands: " " } } : source,
        ),
      })),
    },
  };
}

const replayed = (file: Parameters<typeof replayFile>[0], settings: Settings) =>
  replayFile(file, {
    settings,
    stores: test.stores,
    logger: test.context().logger,
    alone: false,
    waitSeconds: 60,
  });

it("brings rows in once that a mended profile takes, and nothing twice", async () => {
  // Ten hours are written with a blank between thousands, and one is no number at all.
  const bad = new Set([3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  const value = (h: number) =>
    h === 20 ? "lots" : bad.has(h) ? `1 0${String(h).padStart(2, "0")}` : String(h);
  const first = await taken("first.csv", HEADER + rows(upTo(48), value));
  expect(first).toMatchObject({ reads: 37, rejected: 11 });
  const before = await stored();
  expect(before.standing).toBe(37);

  const report = await replayed(first, mended(test.settings));
  expect(report).toEqual({
    file: first.file,
    again: first.file + 1,
    state: "archived",
    reason: null,
    rows: { before: 11, takenNow: 10, stillRejected: 1, rejectedAnew: 0 },
    rejected: 1,
    reads: 47,
    compared: { added: 10, equal: 37, corrected: 0, outranked: 0 },
  });
  const after = await stored();
  const litres = [...bad].reduce((sum, h) => sum + 1000 + h, 0);
  expect(after.standing - before.standing).toBe(10);
  expect(after.litres - before.litres).toBeCloseTo(litres, 6);

  const again = await replayed(first, mended(test.settings));
  expect(again).toMatchObject({
    rows: { before: 11, takenNow: 10, stillRejected: 1 },
    compared: { added: 0, equal: 47, corrected: 0, outranked: 0 },
  });
  expect(await stored()).toMatchObject({ standing: after.standing, litres: after.litres });
  const [copies] = await test.stores.clickhouse.query<{ tables: string }>(
    "SELECT count() AS tables FROM system.tables WHERE name LIKE 'replay%'",
  );
  expect(Number(copies!.tables)).toBe(0);
}, 120_000);

it("tells corrected reads and those that better ones outrank", async () => {
  const old = await taken(
    "old.csv",
    HEADER + "R2,2026-05-01 00:00,1,\nR2,2026-05-01 01:00,2,E\nR2,2026-05-01 02:00,x,\n",
  );
  await taken("actual.csv", HEADER + "R2,2026-05-01 00:00,5,\nR2,2026-05-01 01:00,6,\n");
  expect(await replayed(old, test.settings)).toMatchObject({
    rows: { before: 1, takenNow: 0, stillRejected: 1, rejectedAnew: 0 },
    // Its actual read is the newest again; its estimate stays below the actual one.
    compared: { added: 0, equal: 0, corrected: 1, outranked: 1 },
  });
});

it("replays a file that was rejected whole", async () => {
  const other = await taken("whole.csv", "meter;time;litres;quality\nR3;2026-05-01 00:00;4;\n");
  expect(other).toMatchObject({ state: "rejected" });
  const settings = structuredClone(test.settings);
  const source = settings.config.utilities[0]!.sources.find(({ id }) => id === "ami")!;
  Object.assign(source.profile!, { delimiter: ";" });
  expect(await replayed(other, settings)).toMatchObject({
    state: "archived",
    rows: null,
    rejected: 0,
    compared: { added: 1, equal: 0, corrected: 0, outranked: 0 },
  });
});

it("refuses what can't be replayed, with the mend", async () => {
  const file = (await findFile(test.stores.database, "first.csv", {}))!;
  const { database } = test.stores;
  const set = (column: string, value: string | null) =>
    database.query(`UPDATE files SET ${column} = $1 WHERE file = $2`, [value, file.file]);
  await set("archive_path", null);
  await expect(replayed(file, test.settings)).rejects.toThrow(/no longer in the archive/);
  await set("archive_path", file.archive_path);
  await set("source", "gone");
  await expect(replayed(file, test.settings)).rejects.toThrow(
    /Source gone .* no longer in the configuration/,
  );
  await set("source", "ami");
});

it("tells a file's story: runs, duplicates, corrections, what it replaced, lag and the detector", async () => {
  const first = await taken(
    "story.csv",
    HEADER + "S1,2026-05-01 00:00,1,\nS1,2026-05-01 01:00,2,\nS1,x,3,\nS1,y,3,\n",
  );
  await taken(
    "story-copy.csv",
    HEADER + "S1,2026-05-01 00:00,1,\nS1,2026-05-01 01:00,2,\nS1,x,3,\nS1,y,3,\n",
  );
  const second = await taken("story.csv", HEADER + "S1,2026-05-01 01:00,7,\nS1,2026-05-01 02:00,3,\n");
  const story = (await storyOf(test.stores, first.file))!;
  expect(story).toMatchObject({
    file: { name: "story.csv", reads: 2, rejected: 2 },
    rejects: [{ code: "bad-time", rows: 2, values: 2 }],
    duplicates: [{ name: "story-copy.csv", state: "duplicate" }],
    runs: [{ file: first.file }],
    sameName: [{ file: second.file, correction: true }],
    stored: {
      standing: 1,
      replaced: [],
      replacedBy: [{ file: second.file, reads: 1 }],
    },
    unjudged: { blocks: 0, ofFile: 0 },
  });
  // Claimed on 1 June, the reads ended on 1 May at 01:00 and 02:00.
  expect(story.stored!.lag).toEqual({
    least: 31 * 86_400 - 7_200,
    median: 31 * 86_400 - 7_200,
    most: 31 * 86_400 - 3_600,
  });
  expect((await storyOf(test.stores, second.file))!.stored).toMatchObject({
    standing: 2,
    replaced: [{ file: first.file, reads: 1, otherValue: 1 }],
    replacedBy: [],
  });
  expect(await storyOf(test.stores, 999_999)).toBeUndefined();
});

it("counts the same once ClickHouse has merged", async () => {
  await test.stores.clickhouse.command("SYSTEM START MERGES curbstop.intervals");
  await test.stores.clickhouse.command("OPTIMIZE TABLE curbstop.intervals FINAL");
  const [first, second] = await test.stores.database.query<{ file: number }>(
    "SELECT file FROM files WHERE name = 'story.csv' ORDER BY file",
  );
  expect((await storyOf(test.stores, second!.file))!.stored).toMatchObject({
    standing: 2,
    replaced: [{ file: first!.file, reads: 1, otherValue: 1 }],
  });
});

it("says how many blocks of a file the detector has before it", async () => {
  await detect.stop();
  writeFileSync(join(test.folder, "drop", "ami", "late.csv"), HEADER + "T1,2026-05-01 00:00,1,\n");
  await ingest.drain();
  const late = (await findFile(test.stores.database, "late.csv", {}))!;
  expect((await storyOf(test.stores, late.file))!.unjudged).toEqual({ blocks: 1, ofFile: 1 });
  expect((await storyOf(test.stores, late.file - 1))!.unjudged).toEqual({ blocks: 1, ofFile: 0 });
});

it("lists rejects by source, reason, line and time of the file", async () => {
  const { database } = test.stores;
  const first = (await findFile(database, "first.csv", {}))!;
  const of = (filter: object) => listRejects(database, { limit: 1_000, ...filter });
  expect(await of({ file: first.file, line: 22 })).toMatchObject([{ code: "bad-number", value: "lots" }]);
  expect(await of({ file: first.file, code: "bad-time" })).toEqual([]);
  expect(await of({ source: "customers" })).toEqual([]);
  const all = await of({ source: "ami" });
  expect(all).toHaveLength(17);
  expect(await of({ since: new Date(Date.UTC(2026, 4, 31)) })).toHaveLength(all.length);
  expect(await of({ until: new Date(Date.UTC(2026, 4, 31)) })).toEqual([]);
  expect(await compareRejects(database, first.file, first.file)).toEqual({
    before: 1,
    takenNow: 0,
    stillRejected: 1,
    rejectedAnew: 0,
  });
  expect(await fileStory(database, 999_999)).toBeUndefined();
});
