import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  rmdirSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { createIngest, listRejects, type IngestStage } from "../../ingest/index.js";
import { MeterKeys } from "../../ingest/registry/meter-keys.js";
import { Archive } from "../../ingest/pickup/archive.js";
import { DropFolder } from "../../ingest/pickup/drop-folder.js";
import type { LogProducer } from "../../infra/log/log.js";
import type { ConfigInput } from "../../schemas/config.js";
import { readsBlock, sequenceAt, type ReadsBlock } from "../../schemas/reads.js";
import { meterMessage } from "../../schemas/meters.js";
import { METER_PARTITIONS } from "../../schemas/topics.js";
import { expectAccountedFor } from "../harness/accounted.js";
import { OAKVALE, startStores, type TestStores } from "../harness/stores.js";
import { zipOf } from "../harness/zip.js";

const START = Date.UTC(2026, 4, 1);
const HEADER = "meter,time,litres,serial";
const stamp = (hour: number) =>
  new Date(START + hour * 3_600_000).toISOString().slice(0, 16).replace("T", " ");
const row = (meter: string, hour: number, litres: number | string = hour, serial = "") =>
  `${meter},${stamp(hour)},${litres},${serial}`;
const table = (...rows: string[]) => [HEADER, ...rows].join("\n") + "\n";

function utility(folder: string): ConfigInput["utilities"][number] {
  const at = (name: string) => join(folder, "drop", name);
  const complete = { by: "stability", seconds: 0 } as const;
  const profile = {
    columns: { meter: "meter", time: "time", usage: "litres", serial: "serial" },
    time: { zone: "UTC" },
  };
  return {
    ...OAKVALE,
    languages: ["en"],
    sources: [
      { id: "ami", folder: at("ami"), format: "csv", complete, profile },
      {
        id: "packed",
        folder: at("packed"),
        format: "csv",
        complete,
        profile: { ...profile, compression: "gzip" },
      },
      {
        id: "marked",
        folder: at("marked"),
        format: "csv",
        complete: { by: "marker", suffix: ".done" },
        profile,
      },
      {
        id: "steady",
        folder: at("steady"),
        files: "day-*.csv",
        format: "csv",
        complete: { by: "stability", seconds: 0.6 },
        profile,
      },
      {
        id: "odd",
        folder: at("odd"),
        format: "csv",
        complete,
        profile: { ...profile, unit: "m3" },
        maxFileBytes: 5000,
      },
      { id: "customers", folder: at("customers"), format: "crosswalk", complete },
    ],
  };
}

let test: TestStores;
let ingest: IngestStage;

beforeAll(async () => {
  test = await startStores("ingest", { config: (folder) => ({ utilities: [utility(folder)] }) });
  for (const { folder } of test.settings.config.utilities[0]!.sources) mkdirSync(folder, { recursive: true });
  ingest = await test.start(createIngest(test.context()));
});
afterAll(async () => {
  try {
    await expectAccountedFor(test);
  } finally {
    await test.close();
  }
});

const dropFolder = (source: string) => join(test.folder, "drop", source);

/** Drops a file as a head-end does: under a partial name, then renamed. */
function drop(source: string, name: string, content: string | Buffer): void {
  const path = join(dropFolder(source), name);
  writeFileSync(`${path}.part`, content);
  renameSync(`${path}.part`, path);
}

interface Entry {
  readonly file: number;
  readonly state: string;
  readonly rows: number;
  readonly rejected: number;
  readonly reads: number;
  readonly no_reads: number;
  readonly values_rejected: number;
  readonly duplicate_of: number | null;
  readonly again_of: number | null;
  readonly correction: boolean;
  readonly reason: string | null;
  readonly archive_path: string | null;
  readonly archive_key: Buffer | null;
  readonly announced: boolean;
  readonly work_path: string | null;
}

const ledger = (name: string) =>
  test.stores.database.query<Entry>("SELECT * FROM files WHERE name = $1 ORDER BY file", [name]);

async function taken(source: string, name: string, content: string | Buffer): Promise<Entry> {
  drop(source, name, content);
  await ingest.drain();
  return (await ledger(name)).at(-1)!;
}

/** The log, with something done before each append. */
function logWhose(before: () => Promise<unknown>): typeof test.stores.log {
  const { log } = test.stores;
  return Object.assign(Object.create(log) as typeof log, {
    producer: async (): Promise<LogProducer> => {
      const producer = await log.producer();
      return {
        append: async (batches) => {
          await before();
          return producer.append(batches);
        },
        close: () => producer.close(),
      };
    },
  });
}

/** Every block in the log, partition by partition. */
async function blocksInLog(): Promise<ReadsBlock[]> {
  const blocks: ReadsBlock[] = [];
  for (let partition = 0; partition < METER_PARTITIONS; partition++) {
    for await (const { records } of test.stores.log.read("reads", partition, 0)) {
      for (const { value, key } of records) {
        const block = readsBlock.parse(JSON.parse(Buffer.from(value!).toString("utf8")));
        expect(key).toBe(block.meter);
        blocks.push(block);
      }
    }
  }
  return blocks;
}

async function blocksOf(file: number): Promise<ReadsBlock[]> {
  return (await blocksInLog()).filter((block) => block.file === file);
}

async function readsOf(file: number): Promise<number> {
  return (await blocksOf(file)).reduce((sum, { ml }) => sum + ml.filter((value) => value !== null).length, 0);
}

const settled = async (condition: () => boolean | Promise<boolean>) => {
  for (let i = 0; i < 600 && !(await condition()); i++) await sleep(25);
  expect(await condition()).toBe(true);
};

describe("a file of reads", () => {
  it("goes into the log block by block, traced to its lines, and into the ledger", async () => {
    const rows = Array.from({ length: 200 }, (_, hour) => row("M-1", hour));
    const entry = await taken("ami", "first days.csv", table(...rows, row("M-2", 0, ""), row("M-2", 1, "x")));
    expect(entry).toMatchObject({
      state: "archived",
      rows: 201,
      rejected: 1,
      reads: 200,
      no_reads: 1,
      values_rejected: 1,
      correction: false,
      announced: true,
      work_path: null,
    });
    const blocks = await blocksOf(entry.file);
    expect(blocks.map(({ count }) => count).toSorted()).toEqual([1, 200]);
    const first = blocks.find(({ count }) => count === 200)!;
    expect(first).toMatchObject({
      utility: "oakvale",
      source: "ami",
      kind: "usage",
      file: entry.file,
      register: 0,
    });
    expect(sequenceAt(first.time, 3)).toBe(START / 1000 + 3 * 3600);
    expect(sequenceAt(first.line, 3)).toBe(5);
    expect(first.ml[3]).toBe(3000);
    const rejects = await listRejects(test.stores.database, { file: entry.file, limit: 10 });
    expect(rejects).toMatchObject([{ line: 203, code: "bad-number", field: "usage", value: "x" }]);
    const [message] = await filesMessages(entry.file);
    expect(message).toMatchObject({ state: "published", rows: 201, rejected: 1, reads: 200, meters: 2 });
  });

  it("publishes nothing when its bytes come again, under whatever name", async () => {
    const text = table(row("M-1", 100));
    const first = await taken("ami", "once.csv", text);
    for (const name of ["once.csv", "other name.csv"]) {
      const again = await taken("ami", name, text);
      expect(again).toMatchObject({
        state: "duplicate",
        duplicate_of: first.file,
        reads: 0,
        announced: true,
      });
      expect(await blocksOf(again.file)).toEqual([]);
    }
  });

  it("is a correction with a higher number when its name comes with other bytes", async () => {
    const first = await taken("ami", "corrected.csv", table(row("M-1", 200, 5)));
    const second = await taken("ami", "corrected.csv", table(row("M-1", 200, 6)));
    expect(second).toMatchObject({ state: "archived", correction: true });
    expect(second.file).toBeGreaterThan(first.file);
    expect((await blocksOf(second.file))[0]!.ml).toEqual([6000]);
  });

  it("numbers the registers of a meter in the order in which they come", async () => {
    const rows = [
      row("M-9", 0, 1, "S-1"),
      row("M-9", 1, 1, "S-1"),
      row("M-9", 2, 1, "S-2"),
      row("M-9", 3, 1, "S-1"),
    ];
    const entry = await taken("ami", "exchange.csv", table(...rows));
    const numbers = (await blocksOf(entry.file)).flatMap(({ register, count }) =>
      Array<number>(count).fill(register),
    );
    expect(numbers.sort((a, b) => a - b)).toEqual([1, 1, 1, 2]);
    const later = await taken(
      "ami",
      "exchange 2.csv",
      table(row("M-9", 4, 1, "S-3"), row("M-9", 5, 1, "S-2")),
    );
    expect((await blocksOf(later.file)).map(({ register }) => register).sort()).toEqual([2, 3]);
  });

  it("is taken under names with blanks, line breaks, accents and 250 bytes", async () => {
    const names = [
      "two words.csv",
      "line\nbreak.csv",
      "été – 水道.csv",
      "水".repeat(82) + ".csv",
      "a".repeat(249),
    ];
    for (const [i, name] of names.entries()) {
      writeFileSync(join(dropFolder("ami"), name), table(row("M-1", 300 + i)));
    }
    await ingest.drain();
    for (const name of names) expect(await ledger(name)).toMatchObject([{ state: "archived", reads: 1 }]);
  });

  it("is taken only when whole: not hidden, not partial, not a link, folder or pipe", async () => {
    const folder = dropFolder("ami");
    const text = table(row("M-1", 400));
    for (const name of [".hidden.csv", "a.csv.part", "b.csv.filepart", "c.TMP"])
      writeFileSync(join(folder, name), text);
    writeFileSync(join(test.folder, "outside.csv"), text);
    symlinkSync(join(test.folder, "outside.csv"), join(folder, "link.csv"));
    mkdirSync(join(folder, "folder.csv"));
    execFileSync("mkfifo", [join(folder, "pipe.csv")]);
    await ingest.drain();
    for (const name of [
      ".hidden.csv",
      "a.csv.part",
      "b.csv.filepart",
      "c.TMP",
      "link.csv",
      "folder.csv",
      "pipe.csv",
    ]) {
      expect(existsSync(join(folder, name))).toBe(true);
      expect(await ledger(name)).toEqual([]);
    }
  });

  it("waits for its marker, which goes with it", async () => {
    const path = join(dropFolder("marked"), "m.csv");
    writeFileSync(path, table(row("M-1", 410)));
    await sleep(600);
    expect(await ledger("m.csv")).toEqual([]);
    writeFileSync(`${path}.done`, "");
    await ingest.drain();
    expect(await ledger("m.csv")).toMatchObject([{ state: "archived" }]);
    expect(readdirSync(dropFolder("marked"))).toEqual([]);
  });

  it("waits until it stands still, and is left where its name is not the source's", async () => {
    const path = join(dropFolder("steady"), "day-1.csv");
    writeFileSync(join(dropFolder("steady"), "readme.txt"), "x");
    writeFileSync(path, `${HEADER}\n`);
    for (let hour = 0; hour < 8; hour++) {
      appendFileSync(path, row("M-1", 420 + hour) + "\n");
      await sleep(150);
    }
    await ingest.drain();
    expect(await ledger("day-1.csv")).toMatchObject([{ state: "archived", reads: 8 }]);
    expect(readdirSync(dropFolder("steady"))).toEqual(["readme.txt"]);
  });
});

async function filesMessages(file: number): Promise<Record<string, unknown>[]> {
  const messages: Record<string, unknown>[] = [];
  for await (const { records } of test.stores.log.read("files", 0, 0)) {
    for (const { value } of records) messages.push(JSON.parse(Buffer.from(value!).toString("utf8")));
  }
  return messages.filter((message) => message["file"] === file);
}

describe("a file that can't be understood", () => {
  it.each([
    ["empty.csv", "ami", "", "ended before a header"],
    ["header.csv", "ami", "id,when,litres,serial\nSECRET-7,2026-05-01 00:00,1,\n", "no column for meter"],
    ["large.csv", "odd", table(...Array.from({ length: 300 }, (_, i) => row("M-1", i))), "maxFileBytes"],
    ["utf16.csv", "ami", Buffer.from(table(row("SECRET-7", 1)), "utf16le"), "NUL bytes"],
    ["bomb.csv", "packed", gzipSync(Buffer.alloc(50 << 20, `${HEADER}\n`)), "unpacks"],
  ])("is rejected whole, with a report beside it: %s", async (name, source, content, reason) => {
    const entry = await taken(source, name, content);
    expect(entry).toMatchObject({ state: "rejected", reads: 0, rows: 0, announced: true });
    expect(entry.reason).toContain(reason);
    expect(await blocksOf(entry.file)).toEqual([]);
    const report = readFileSync(join(dropFolder(source), "rejected", `${name}.rejected.json`), "utf8");
    expect(JSON.parse(report)).toMatchObject({ file: entry.file, reason: entry.reason });
    expect(report).not.toContain("SECRET-7");
    expect((await filesMessages(entry.file))[0]).toMatchObject({ state: "rejected" });
  });

  it("publishes nothing of a gzip file that was cut off, though its first rows are sound", async () => {
    const whole = gzipSync(
      table(...Array.from({ length: 20_000 }, (_, i) => row(`M-${i % 40}`, Math.floor(i / 40)))),
      {
        level: 0,
      },
    );
    const entry = await taken("packed", "cut.csv.gz", whole.subarray(0, whole.length / 2));
    expect(entry).toMatchObject({ state: "rejected", reads: 0 });
    expect(await blocksOf(entry.file)).toEqual([]);
    const mended = await taken("packed", "cut.csv.gz", whole);
    expect(mended).toMatchObject({ state: "archived", correction: true, reads: 20_000 });
  });

  it("is processed again when its bytes come again, and by reingest, after a mend of the profile", async () => {
    const text = "id,when,litres,serial\nM-1,2026-05-30 00:00,4,\n";
    const rejected = await taken("odd", "mend.csv", text);
    expect(rejected.state).toBe("rejected");
    const config = structuredClone(test.settings.config);
    const odd = config.utilities[0]!.sources.find(({ id }) => id === "odd")!;
    Object.assign(odd.profile!.columns, { meter: "id", time: "when" });
    const mended = createIngest({ ...test.context(), config });
    const done = await mended.reingest(rejected.file);
    expect(done).toMatchObject({ state: "archived", again_of: rejected.file, reads: 1, correction: false });
    expect((await blocksOf(done.file))[0]!.ml).toEqual([4_000_000]);
    await mended.stop();
    const again = await taken("odd", "mend.csv", text);
    expect(again).toMatchObject({ state: "duplicate", duplicate_of: done.file });
    const broken = await taken("odd", "broken.csv", "nothing\n1\n");
    expect(await taken("odd", "broken.csv", "nothing\n1\n")).toMatchObject({
      state: "rejected",
      again_of: broken.file,
    });
    await expect(ingest.reingest(again.file)).rejects.toThrow(`reingest that one`);
    await expect(ingest.reingest(999_999)).rejects.toThrow("There is no file 999999");
  });
});

describe("bad rows", () => {
  it("are rejected one by one, listed with line and code, without the ids that stood in them", async () => {
    const entry = await taken(
      "ami",
      "bad rows.csv",
      table(
        row("M-1", 500),
        "SECRET-8,2026-05-40 00:00,1,",
        '"SECRET-8,2026-05-01 00:00,1,',
        row("M-1", 501, "-3"),
        "SECRET-8,2026-05-01 00:00",
        ",2026-05-01 00:00,SECRET-8,",
        row("M-1", 502),
      ),
    );
    expect(entry).toMatchObject({ state: "archived", rows: 2, rejected: 5, reads: 2, values_rejected: 5 });
    expect(entry.reads + entry.no_reads + entry.values_rejected).toBe(7);
    const rejects = await listRejects(test.stores.database, { file: entry.file, limit: 10 });
    expect(rejects.map(({ line, code }) => [line, code])).toEqual([
      [3, "bad-time"],
      [4, "stray-quote"],
      [5, "negative-usage"],
      [6, "too-few-columns"],
      [7, "missing-meter"],
    ]);
    expect(JSON.stringify(rejects)).not.toContain("SECRET-8");
    expect(test.logged.join("")).not.toContain("SECRET");
  });
});

describe("the archive", () => {
  it("holds the original, encrypted, and gives it back", async () => {
    const text = table(row("PLAIN-TEXT-METER", 600));
    const entry = await taken("ami", "kept.csv", text);
    const root = join(test.settings.config.dataDirectory, "archive");
    const stored = readFileSync(join(root, entry.archive_path!));
    for (const word of ["PLAIN-TEXT-METER", "meter,time"]) expect(stored.includes(word)).toBe(false);
    expect(stored.subarray(0, 2)).not.toEqual(Buffer.from([0x1f, 0x8b]));
    const archive = new Archive(root, test.stores.vault);
    const to = join(test.folder, "restored.csv");
    await archive.restore(entry.archive_path!, "oakvale", entry.file, entry.archive_key!, to);
    expect(readFileSync(to, "utf8")).toBe(text);

    stored[stored.length - 20]! ^= 1;
    writeFileSync(join(root, "changed"), stored);
    rmSync(to);
    await expect(archive.restore("changed", "oakvale", entry.file, entry.archive_key!, to)).rejects.toThrow();
    expect(existsSync(to)).toBe(false);
  });

  it("forgets originals after the retention, and says so when one is asked for again", async () => {
    const entry = await taken("ami", "old.csv", table(row("M-1", 610)));
    const path = join(test.settings.config.dataDirectory, "archive", entry.archive_path!);
    expect(existsSync(path)).toBe(true);
    const before = test.clock.now();
    test.clock.set(before + 91 * 86_400_000);
    await ingest.stop();
    ingest = await test.start(createIngest(test.context()));
    // The file goes first: a row that said so too early would leave it behind for ever.
    await settled(async () => (await ledger("old.csv"))[0]?.archive_path === null);
    expect(existsSync(path)).toBe(false);
    expect(await ledger("old.csv")).toMatchObject([{ state: "archived", archive_key: null }]);
    await expect(ingest.reingest(entry.file)).rejects.toThrow("no longer in the archive");
    test.clock.set(before);
  });
});

describe("what goes wrong around a file", () => {
  it("is finished by the next run when the stage is stopped in the middle", async () => {
    // One read a meter and day: many blocks, so that the log is appended to more than once.
    const rows = Array.from({ length: 16_000 }, (_, i) => row(`R-${i >> 5}`, 24 * (i & 31), 1));
    await ingest.stop();
    // A log that takes nothing: the stage is stopped while it waits with the file half done.
    let appends = 0;
    const log = logWhose(async () => {
      appends++;
      throw new Error("broken off");
    });
    const broken = await test.start(createIngest({ ...test.context(), log }));
    drop("ami", "middle.csv", table(...rows));
    await settled(() => appends >= 1 && broken.health().reason === "waiting for log");
    await broken.stop();
    expect(await ledger("middle.csv")).toMatchObject([{ state: "publishing", announced: false }]);
    ingest = await test.start(createIngest(test.context()));
    await ingest.drain();
    const [entry] = await ledger("middle.csv");
    expect(entry).toMatchObject({ state: "archived", reads: 16_000, rows: 16_000 });
    const seen = new Set<string>();
    for (const { meter, time, count } of await blocksOf(entry!.file))
      for (let i = 0; i < count; i++) seen.add(`${meter}/${sequenceAt(time, i)}`);
    expect(seen.size).toBe(16_000);
  });

  it("takes up a file that was claimed and not entered", async () => {
    await ingest.stop();
    const work = join(test.settings.config.dataDirectory, "work", "oakvale", "ami");
    writeFileSync(join(work, "abc_left over.csv"), table(row("M-1", 700)));
    writeFileSync(join(work, "abc_draft.csv.part"), "half of a fi");
    ingest = await test.start(createIngest(test.context()));
    await ingest.drain();
    expect(await ledger("left over.csv")).toMatchObject([{ state: "archived", reads: 1 }]);
    expect(readdirSync(work)).toEqual([]);
  });

  it("takes up a file that was claimed on another file system and not copied", async () => {
    await ingest.stop();
    const id = readFileSync(join(test.settings.config.dataDirectory, "work", ".id"), "utf8");
    writeFileSync(join(dropFolder("ami"), `.claimed-${id}-xyz_far away.csv`), table(row("M-1", 701)));
    writeFileSync(join(dropFolder("ami"), `.claimed-another-xyz_not ours.csv`), table(row("M-1", 702)));
    ingest = await test.start(createIngest(test.context()));
    await ingest.drain();
    expect(await ledger("far away.csv")).toMatchObject([{ state: "archived", reads: 1 }]);
    expect(await ledger("not ours.csv")).toEqual([]);
  });

  it("starts although a claimed file can't be brought over, and takes it once it can", async () => {
    await ingest.stop();
    const id = readFileSync(join(test.settings.config.dataDirectory, "work", ".id"), "utf8");
    const claimed = join(dropFolder("ami"), `.claimed-${id}-xyz_barred.csv`);
    mkdirSync(claimed);
    ingest = await test.start(createIngest(test.context()));
    drop("ami", "beside.csv", table(row("M-1", 703)));
    await ingest.drain();
    expect(await ledger("beside.csv")).toMatchObject([{ state: "archived", reads: 1 }]);
    expect(test.logged.some((line) => line.includes("can't be brought over"))).toBe(true);
    await ingest.stop();
    rmdirSync(claimed);
    writeFileSync(claimed, table(row("M-1", 704)));
    ingest = await test.start(createIngest(test.context()));
    await ingest.drain();
    expect(await ledger("barred.csv")).toMatchObject([{ state: "archived", reads: 1 }]);
  });

  it("keeps other files going while one meets an error, says so, and takes it when the error has passed", async () => {
    const root = join(test.settings.config.dataDirectory, "archive");
    renameSync(root, `${root}.away`);
    writeFileSync(root, "in the way");
    drop("ami", "poison.csv", table(row("M-1", 710)));
    await settled(() => ingest.health().reason?.includes("wait for another try") === true);
    drop("ami", "after.csv", table(row("M-1", 711)));
    await settled(async () => (await ledger("after.csv"))[0]?.state === "published");
    expect(await ledger("poison.csv")).toMatchObject([{ state: "published", announced: false }]);
    rmSync(root);
    renameSync(`${root}.away`, root);
    await settled(() => ingest.health().ready);
    expect(await ledger("poison.csv")).toMatchObject([{ state: "archived", announced: true }]);
    expect(await ledger("after.csv")).toMatchObject([{ state: "archived", reads: 1 }]);
  });

  it("takes files of every source in turn: many in one keep no other waiting", async () => {
    await ingest.stop();
    const many = Array.from({ length: 120 }, (_, i) => `many ${String(i).padStart(3, "0")}.csv`);
    for (const [i, name] of many.entries())
      writeFileSync(join(dropFolder("ami"), name), table(row(`MANY-${i}`, 0)));
    writeFileSync(join(dropFolder("odd"), "first.csv"), table(row("OTHER", 0)));
    // So slow a log that the many take several looks at the folders, however fast the machine.
    const log = logWhose(() => sleep(25));
    ingest = await test.start(createIngest({ ...test.context(), log }));
    await settled(async () => (await ledger("first.csv"))[0]?.state === "archived");
    drop("odd", "second.csv", table(row("OTHER", 1)));
    await settled(async () => (await ledger("second.csv"))[0]?.state === "archived");
    await ingest.drain();
    const order = await test.stores.database.query<{ name: string }>(
      "SELECT name FROM files WHERE name LIKE 'many %' OR name IN ('first.csv', 'second.csv') ORDER BY file",
    );
    const names = order.map(({ name }) => name);
    expect(names.filter((name) => name.startsWith("many"))).toEqual(many);
    expect(names.indexOf("first.csv")).toBeLessThan(2);
    expect(names.indexOf("second.csv")).toBeLessThan(many.length);
  });

  it("leaves a file that is written to between the look and the claim", async () => {
    const folder = new DropFolder(test.settings.config.utilities[0]!.sources[0]!, "another");
    await ingest.stop();
    const path = join(dropFolder("ami"), "between.csv");
    writeFileSync(path, table(row("BETWEEN", 0)));
    expect((await folder.complete()).names).toEqual(["between.csv"]);
    appendFileSync(path, row("BETWEEN", 1) + "\n");
    expect(await folder.claim("between.csv", join(test.folder, "claimed.csv"))).toBe(false);
    expect(existsSync(path)).toBe(true);
    ingest = await test.start(createIngest(test.context()));
    await ingest.drain();
    expect(await ledger("between.csv")).toMatchObject([{ state: "archived", reads: 2 }]);
  });

  it("gives one file to one of two stages on one drop folder, and leaves the other waiting", async () => {
    const second = await test.start(createIngest(test.context()));
    await settled(() => second.health().reason?.includes("ingests into this data directory") === true);
    for (let i = 0; i < 20; i++) drop("ami", `shared-${i}.csv`, table(row("M-1", 720 + i)));
    await ingest.drain();
    const states = await test.stores.database.query("SELECT state FROM files WHERE name LIKE 'shared-%'");
    expect(states).toEqual(Array(20).fill({ state: "archived" }));
    await ingest.stop();
    await settled(() => second.health().ready);
    drop("ami", "taken over.csv", table(row("M-1", 745)));
    await second.drain();
    expect(await ledger("taken over.csv")).toMatchObject([{ state: "archived", reads: 1 }]);
    await second.stop();
    ingest = await test.start(createIngest(test.context()));
  });

  it("enters what a file holds now as the next delivery where its sender went on writing", async () => {
    await ingest.stop();
    const work = join(test.settings.config.dataDirectory, "work", "oakvale", "ami");
    let grown = false;
    const stores = test.stores;
    const log = Object.assign(Object.create(stores.log) as typeof stores.log, {
      producer: async (): Promise<LogProducer> => {
        const producer = await stores.log.producer();
        return {
          append: async (batches) => {
            const [name] = readdirSync(work);
            if (!grown && name !== undefined) {
              grown = true;
              appendFileSync(join(work, name), "\n" + row("M-1", 751) + "\n");
            }
            await producer.append(batches);
          },
          close: () => producer.close(),
        };
      },
    });
    const stage = await test.start(createIngest({ ...test.context(), log }));
    drop("ami", "growing.csv", table(row("M-1", 750)));
    await stage.drain();
    await stage.stop();
    const [first, second, more] = await ledger("growing.csv");
    expect(first).toMatchObject({ state: "rejected", announced: true });
    expect(first!.reason).toContain("written to after it was taken");
    expect(second).toMatchObject({ state: "archived", correction: true, reads: 2 });
    expect(more).toBeUndefined();
    expect(await readsOf(second!.file)).toBe(2);
    ingest = await test.start(createIngest(test.context()));
  });
});

describe("many small files", () => {
  const names = (kind: string) => Array.from({ length: 40 }, (_, i) => `${kind} ${String(i + 10)}.csv`);
  /** Numbers of the files in the order of their names, and in that of their blocks in the log. */
  async function orders(kind: string) {
    const rows = await test.stores.database.query<{ file: number; state: string }>(
      "SELECT file, state FROM files WHERE name LIKE $1 ORDER BY name",
      [`${kind} %`],
    );
    expect(rows.map(({ state }) => state)).toEqual(names(kind).map(() => "archived"));
    const numbers = new Set(rows.map(({ file }) => file));
    const inLog = (await blocksInLog()).map(({ file }) => file).filter((file) => numbers.has(file));
    return { byName: rows.map(({ file }) => file), inLog };
  }
  const inOrder = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b);

  it("are numbered in the order of their names, and published in that of their numbers", async () => {
    await ingest.stop();
    for (const [i, name] of names("beside").entries()) drop("ami", name, table(row("M-9", i)));
    ingest = await test.start(createIngest(test.context()));
    await ingest.drain();
    const { byName, inLog } = await orders("beside");
    expect(byName).toEqual(inOrder(byName));
    expect(inLog).toEqual(byName);
  });

  it("that were claimed when the process ended are numbered in the order of their claims", async () => {
    await ingest.stop();
    const work = join(test.settings.config.dataDirectory, "work", "oakvale", "ami");
    for (const [i, name] of [...names("claimed").entries()].reverse())
      writeFileSync(
        join(work, `m0000000${String(i).padStart(4, "0")}ab_${name}`),
        table(row("M-9", 100 + i)),
      );
    ingest = await test.start(createIngest(test.context()));
    await ingest.drain();
    const { byName, inLog } = await orders("claimed");
    expect(byName).toEqual(inOrder(byName));
    expect(inLog).toEqual(byName);
  });
});

describe("a crosswalk", () => {
  const head =
    "meter_id,account_id,location_id,name,address,zip,email,phone,move_in,move_out,class,normal_flow_l_per_h\n";
  const occupancies = (location: string) =>
    test.stores.database.query<{ account_id: number; valid_from: Date; valid_until: Date | null }>(
      `SELECT o.account_id, o.valid_from, o.valid_until FROM occupancies o JOIN premises p USING (premise_id)
       WHERE p.location_hash = $1 ORDER BY o.valid_from, o.account_id`,
      [test.stores.vault.hash("oakvale", "location", location)],
    );

  it("fills the registry, ends the former occupancy, and leaves no plain text", async () => {
    const entry = await taken(
      "customers",
      "customers 1.csv",
      head +
        `X-1,A-1,L-1,"Ann ""Canary"" Doe","1 Main St, Apt 2",90210,ann@canary.example,555-0100,2024-01-01,,single-family,12.5\n` +
        "X-2,A-2,L-2,,,,,,,,,\n",
    );
    expect(entry).toMatchObject({ state: "archived", rows: 2, rejected: 0 });
    const [customer] = await test.stores.database.query<{ name_sealed: Buffer }>(
      "SELECT name_sealed FROM customers WHERE name_sealed IS NOT NULL",
    );
    expect(customer!.name_sealed.includes("Canary")).toBe(false);
    expect(test.stores.vault.unseal("oakvale", "customers.name", customer!.name_sealed).toString()).toBe(
      'Ann "Canary" Doe',
    );

    const changed = await taken("customers", "customers 2.csv", head + "X-1,A-3,L-1,Bob,,,,,2026-03-01,,,\n");
    expect(changed.rejected).toBe(0);
    const rows = await occupancies("L-1");
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatchObject({ valid_until: new Date("2026-03-01T08:00:00Z") });
    expect(rows[1]).toMatchObject({ valid_from: new Date("2026-03-01T08:00:00Z"), valid_until: null });
  });

  it("gives a meter's setting to the detector's topic", async () => {
    const messages: unknown[] = [];
    for (let partition = 0; partition < METER_PARTITIONS; partition++) {
      for await (const { records } of test.stores.log.read("meters", partition, 0))
        for (const { value } of records) messages.push(JSON.parse(Buffer.from(value!).toString("utf8")));
    }
    // Once for the setting, and once more when another moved in.
    const settings = [{ from: 0, class: "single-family", continuousFlowRate: 12_500 }];
    expect(messages).toMatchObject(new Array(2).fill({ utility: "oakvale", settings }));
    expect((messages[1] as { settings: unknown }).settings).toEqual(settings);
  });

  it("tells the detector when nobody holds the account of a home, and that somebody does again", async () => {
    const keys = new MeterKeys(test.stores.database, test.stores.vault, "oakvale", () => test.clock.now());
    const told = async () => {
      const meter = (await keys.ofMeters(["VA-1"])).get("VA-1");
      const all: unknown[] = [];
      for (let partition = 0; partition < METER_PARTITIONS; partition++)
        for await (const { records } of test.stores.log.read("meters", partition, 0))
          for (const { key, value } of records)
            if (key === meter) all.push(meterMessage.parse(JSON.parse(value!.toString())).settings);
      return all;
    };
    const at = (iso: string) => Date.parse(iso) / 1000;
    const out = { from: at("2026-02-01T00:00-08:00"), away: true };
    await taken("customers", "vacant 1.csv", head + "VA-1,VA-A,VA-L,,,,,,2025-01-01,,,\n");
    expect(await told()).toEqual([]);
    await taken("customers", "vacant 2.csv", head + "VA-1,VA-A,VA-L,,,,,,2025-01-01,2026-02-01,,\n");
    expect(await told()).toEqual([[out]]);
    const back = "VA-1,VA-B,VA-L,,,,,,2026-03-01,,,\n";
    await taken("customers", "vacant 3.csv", head + back);
    await taken("customers", "vacant 4.csv", head + back);
    expect(await told()).toEqual([[out], [out, { from: at("2026-03-01T00:00-08:00"), away: false }]]);
    // Whoever follows on the same day leaves no time in which nobody is home.
    await taken("customers", "vacant 5.csv", head + "VA-1,VA-C,VA-L,,,,,,2026-05-01,,,\n");
    expect((await told()).at(-1)).toEqual([out, { from: at("2026-03-01T00:00-08:00"), away: false }]);
  });

  it("keeps the present occupancy when a row tells of a former one, whichever comes first and however often", async () => {
    const former = "X-3,A-5,L-3,,,,,,,2025-06-01,,\n";
    const present = "X-3,A-6,L-3,,,,,,2025-06-01,,,\n";
    const earlier = "X-3,A-6,L-3,,,,,,2020-01-01,2021-01-01,,\n";
    for (const [i, rows] of [
      present + former,
      former + present + earlier,
      present + earlier + former,
    ].entries())
      expect(await taken("customers", `stays ${i}.csv`, head + rows)).toMatchObject({ rejected: 0 });
    const found = await occupancies("L-3");
    expect(found.map(({ valid_until }) => valid_until?.toISOString().slice(0, 10) ?? null)).toHaveLength(3);
    expect(found.filter(({ valid_until }) => valid_until === null)).toHaveLength(1);
    for (const { valid_from, valid_until } of found)
      if (valid_until !== null) expect(valid_until.getTime()).toBeGreaterThan(valid_from.getTime());
  });

  it("knows since when a meter measures a premise, and until when, whichever row comes first and however often", async () => {
    const columns = "meter_id,account_id,location_id,move_in,meter_since,meter_until\n";
    const placements = async (meter: string) => {
      const rows = await test.stores.database.query<{ location: Buffer; since: Date; until: Date | null }>(
        `SELECT p.location_hash AS location, m.valid_from AS since, m.valid_until AS until
         FROM premise_meters m JOIN premises p USING (premise_id)
         WHERE m.meter_key = $1 ORDER BY m.valid_from, m.valid_until`,
        [(await keys.ofMeters([meter])).get(meter)],
      );
      const names = ["P-1", "P-2", "P-3"];
      const day = (date: Date | null) => date && date.toISOString().slice(0, 10);
      return rows.map(({ location, since, until }) => [
        names.find((name) => test.stores.vault.hash("oakvale", "location", name).equals(location)),
        day(since),
        day(until),
      ]);
    };
    const keys = new MeterKeys(test.stores.database, test.stores.vault, "oakvale", () => test.clock.now());
    let n = 0;
    const drop = (...rows: readonly string[]) =>
      taken("customers", `placed ${++n}.csv`, columns + rows.map((row) => `${row}\n`).join(""));
    const former = "PM-1,A-1,P-1,,,2025-03-01";
    const present = "PM-1,A-2,P-2,,2025-03-10,";
    for (const rows of [[former, present], [present, former], [present]]) {
      expect(await drop(...rows)).toMatchObject({ rejected: 0 });
      expect(await placements("PM-1")).toEqual([
        ["P-1", "1970-01-01", "2025-03-01"],
        ["P-2", "2025-03-10", null],
      ]);
    }
    // The customer moved in long before the meter came; that date counts where no other is said.
    await drop("PM-2,A-3,P-1,2020-01-01,,", "PM-2,A-4,P-2,2019-05-01,2025-06-01,");
    expect(await placements("PM-2")).toEqual([
      ["P-1", "1970-01-01", "2025-06-01"],
      ["P-2", "2025-06-01", null],
    ]);
    // It came later than was known: what flowed before was the former place's.
    await drop("PM-2,A-4,P-2,2019-05-01,2025-06-15,");
    expect(await placements("PM-2")).toEqual([
      ["P-1", "1970-01-01", "2025-06-15"],
      ["P-2", "2025-06-15", null],
    ]);
    // It was taken out, and is back elsewhere without a date.
    await drop("PM-2,A-4,P-2,,2025-06-15,2025-09-01");
    await drop("PM-2,A-5,P-3,,,");
    expect(await placements("PM-2")).toEqual([
      ["P-1", "1970-01-01", "2025-06-15"],
      ["P-2", "2025-06-15", "2025-09-01"],
      ["P-3", "2025-09-01", null],
    ]);
    expect(await drop("PM-3,A-6,P-3,,2025-09-01,2025-08-01", "PM-3,A-6,P-3,,soon,")).toMatchObject({
      rows: 0,
      rejected: 2,
    });
    expect(await placements("PM-3")).toEqual([]);
  });

  it("writes nothing where rows say nothing new, and tells of a meter again where its class is another", async () => {
    const rows = Array.from(
      { length: 2_000 },
      (_, i) =>
        `N-${i},NA-${i},NL-${i},Doe ${i},${i} Main St,90210,n${i}@canary.example,555-${i},2024-01-01,,single-family,\n`,
    );
    const state = () =>
      test.stores.database.query(
        `SELECT 'premise' AS what, premise_id::text AS id, xmin::text FROM premises UNION ALL
         SELECT 'account', account_id::text, xmin::text FROM accounts UNION ALL
         SELECT 'customer', customer_id::text, xmin::text FROM customers UNION ALL
         SELECT 'meter', meter_key, xmin::text FROM meters UNION ALL
         SELECT 'placement', premise_id || meter_key || valid_from, xmin::text FROM premise_meters UNION ALL
         SELECT 'occupancy', occupancy_id::text, xmin::text FROM occupancies ORDER BY 1, 2`,
      );
    const told = async () => {
      let count = 0;
      for (let partition = 0; partition < METER_PARTITIONS; partition++)
        for await (const { records } of test.stores.log.read("meters", partition, 0)) count += records.length;
      return count;
    };
    const first = await taken("customers", "nightly 1.csv", head + rows.join(""));
    expect(first).toMatchObject({ rows: 2_000, rejected: 0 });
    const [before, toldBefore] = [await state(), await told()];
    expect(before.length).toBeGreaterThanOrEqual(12_000);
    await taken("customers", "nightly 2.csv", head + "\n" + rows.join(""));
    expect(await state()).toEqual(before);
    expect(await told()).toBe(toldBefore);

    const other = rows[0]!.replace("Doe 0", "Roe").replace("single-family", "commercial");
    await taken("customers", "nightly 3.csv", head + other + rows.slice(1).join(""));
    const after = await state();
    expect(
      after.filter((one, i) => JSON.stringify(one) !== JSON.stringify(before[i])).map((one) => one["what"]),
    ).toEqual(["customer", "meter"]);
    expect(await told()).toBe(toldBefore + 1);
  });

  it("changes nothing where a later text of an archive is no crosswalk", async () => {
    const count = () => test.stores.database.query("SELECT count(*)::int AS n FROM premises");
    const before = await count();
    const entry = await taken(
      "customers",
      "two.zip",
      zipOf([
        { name: "a.csv", bytes: head + "Z-1,Z-1,Z-1,,,,,,,,,\n" },
        { name: "b.csv", bytes: "meter_id,account_id\nX,A\n" },
      ]),
    );
    expect(entry).toMatchObject({ state: "rejected", rows: 0 });
    expect(await count()).toEqual(before);
  });

  it("rejects sizes, units and multipliers that it does not know", async () => {
    const entry = await taken(
      "customers",
      "sizes.csv",
      "meter_id,account_id,location_id,meter_size,register_unit,multiplier\n" +
        "X-5,A-7,L-5,huge,,\nX-5,A-7,L-5,,pints,\nX-5,A-7,L-5,,gal,-1\nX-5,A-7,L-5,,,10\nX-5,A-7,L-5,1,gal,10\n",
    );
    expect(entry).toMatchObject({ rows: 1, rejected: 4 });
    const rejects = await listRejects(test.stores.database, { file: entry.file, limit: 10 });
    expect(rejects.map(({ code, field }) => [code, field])).toEqual([
      ["unknown-size", "meter_size"],
      ["unknown-unit", "register_unit"],
      ["bad-number", "multiplier"],
      ["unknown-unit", "register_unit"],
    ]);
  });

  it("rejects wrong rows one by one, and never keeps what is personal in them", async () => {
    const entry = await taken(
      "customers",
      "customers bad.csv",
      head +
        "X-4,,L-4,Canary,,,,,,,,\n" +
        "X-4,A-4,L-4,Canary,,,,,2026-13-01,,,\n" +
        "X-4,A-4,L-4,Canary,,,,,2026-02-01,2026-01-01,,\n" +
        "X-4,A-4,L-4,Canary,,,,,,,palace,\n" +
        "X-4,A-4,L-4,Canary,,,,,,,,much\n" +
        "X-4,A-4,L-4,Canary,1 Main St, Apt 2,,,,,,,\n" +
        "X-4,A-4,L-4,Canary 4111 1111 1111 1111,,,,,,,,\n" +
        "X-4,A-4,L-4,Canary,,,,,,,,\n",
    );
    expect(entry).toMatchObject({ state: "archived", rows: 1, rejected: 7 });
    const rejects = await listRejects(test.stores.database, { file: entry.file, limit: 10 });
    expect(rejects.map(({ line, code, field, value }) => [line, code, field, value])).toEqual([
      [2, "missing-field", "account_id", null],
      [3, "bad-date", "move_in", null],
      [4, "moved-out-before-in", "move_out", null],
      [5, "unknown-class", "class", null],
      [6, "bad-number", "normal_flow_l_per_h", null],
      [7, "too-many-columns", "row", null],
      [8, "card-number", "name", null],
    ]);
  });

  it("is rejected whole without a required column or in another encoding", async () => {
    expect(await taken("customers", "short.csv", "meter_id,account_id\nX,A\n")).toMatchObject({
      state: "rejected",
    });
    const latin = await taken(
      "customers",
      "latin.csv",
      Buffer.from(head + "X-5,A-5,L-5,José,,,,,,,,\n", "latin1"),
    );
    expect(latin).toMatchObject({ state: "rejected" });
    expect(latin.reason).toContain("not utf-8");
  });
});
