import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { createDetect } from "../../detect/index.js";
import type { Stage } from "../../infra/stage.js";
import { createIngest } from "../../ingest/index.js";
import type { ConfigInput } from "../../schemas/config.js";
import { expectAccountedFor } from "../harness/accounted.js";
import { OAKVALE, startStores, type TestStores } from "../harness/stores.js";
import { zipOf } from "../harness/zip.js";

const NOW = Date.UTC(2026, 5, 1);
const HOUR = 3_600_000;
const HEADER = "meter,time,litres,quality";
/** Zones of the sources whose stamps are local. */
const ZONES = {
  pacific: "America/Los_Angeles",
  central: "Europe/Berlin",
  halfhour: "Australia/Lord_Howe",
  india: "Asia/Kolkata",
  chatham: "Pacific/Chatham",
  utc: "UTC",
} as const;
const MOST_FILE_BYTES = 40 << 20;

function utility(folder: string): ConfigInput["utilities"][number] {
  const source = (id: string, more: object = {}, profile: object = {}) => ({
    id,
    folder: join(folder, "drop", id),
    format: "csv" as const,
    complete: { by: "stability" as const, seconds: 0 },
    maxFileBytes: MOST_FILE_BYTES,
    profile: {
      columns: { meter: "meter", time: "time", usage: "litres", quality: "quality" },
      time: { zone: "UTC" },
      resolution: 0.1,
      ...profile,
    },
    ...more,
  });
  const local = Object.entries(ZONES).map(([id, zone]) =>
    source(id, {}, { columns: { meter: "meter", time: "time", register: "litres" }, time: { zone } }),
  );
  const wide = source(
    "wide",
    {},
    {
      layout: "wide",
      columns: { meter: "meter", time: "date", first: 3 },
      time: { format: "YYYY-MM-DD", zone: "America/Los_Angeles" },
    },
  );
  const steady = source("steady", { complete: { by: "stability", seconds: 0.6 } });
  const latin = source("latin", {}, { encoding: "latin1" });
  const one = source(
    "one",
    {},
    { meterFrom: { fileName: "{meter}.csv" }, columns: { time: "time", usage: "litres" } },
  );
  const matrix = source("matrix", {}, { layout: "matrix", columns: { time: "time", first: 2 } });
  const pivot = source("pivot", {}, { layout: "pivot", columns: { meter: "meter" } });
  const sources = [source("ami"), wide, steady, latin, one, matrix, pivot, ...local];
  return { ...OAKVALE, languages: ["en"], sources };
}

let test: TestStores;
let ingest: Stage;
let detect: Stage;
/** Rows of reads that were put in, by the name of the file. */
const rowsIn = new Map<string, number>();

beforeAll(async () => {
  test = await startStores("bad-input", {
    config: (folder) => ({ utilities: [utility(folder)] }),
    now: NOW,
  });
  for (const { folder } of test.settings.config.utilities[0]!.sources) mkdirSync(folder, { recursive: true });
  const context = test.context();
  ingest = await test.start(createIngest(context));
  detect = await test.start(createDetect({ ...context, clickhouse: test.stores.clickhouse }));
});
afterAll(async () => {
  try {
    await expectAccountedFor(test, rowsIn);
  } finally {
    await test.close();
  }
});

const stampOf = (ms: number) => new Date(ms).toISOString().slice(0, 16).replace("T", " ");
const MAY = Date.UTC(2026, 4, 1);
const row = (meter: string, hour: number, litres: number | string, quality = "") =>
  `${meter},${stampOf(MAY + hour * HOUR)},${litres},${quality}`;
const table = (...rows: string[]) => [HEADER, ...rows].join("\n") + "\n";
const at = (source: string, name: string) => join(test.folder, "drop", source, name);

interface Entry {
  readonly file: number;
  readonly state: string;
  readonly rows: number;
  readonly rejected: number;
  readonly reads: number;
  readonly reason: string | null;
  readonly correction: boolean;
  readonly duplicate_of: number | null;
}

const ledger = (name: string) =>
  test.stores.database.query<Entry>("SELECT * FROM files WHERE name = $1 ORDER BY file", [name]);

/** Drops a file, and waits until all that stands in it is judged and stored. */
async function taken(source: string, name: string, content: string | Buffer, rows?: number): Promise<Entry> {
  if (rows !== undefined) rowsIn.set(name, rows);
  writeFileSync(`${at(source, name)}.part`, content);
  renameSync(`${at(source, name)}.part`, at(source, name));
  await judged();
  return (await ledger(name)).at(-1)!;
}

async function judged(): Promise<void> {
  await ingest.drain();
  await detect.drain();
}

/** What stands of a file: number of intervals, and their litres. */
async function standing(file: number): Promise<{ readonly intervals: number; readonly litres: number }> {
  const [found] = await test.stores.clickhouse.query<{ n: string; ml: string }>(
    `SELECT count() AS n, sum(ml) AS ml FROM curbstop.usage WHERE file = ${file} AND origin = 'delivered'`,
  );
  return { intervals: Number(found!.n), litres: Number(found!.ml) / 1000 };
}

/** Register reads that stand of a file, in order: seconds since 1970 and litres. */
async function registers(file: number): Promise<[number, number][]> {
  const rows = await test.stores.clickhouse.query<{ second: number; ml: string }>(
    `SELECT toUnixTimestamp(at) AS second, ml FROM curbstop.reads_current WHERE file = ${file} ORDER BY at`,
  );
  return rows.map(({ second, ml }) => [second, Number(ml) / 1000]);
}

const codesOf = async (file: number) =>
  (
    await test.stores.database.query<{ line: number; code: string }>(
      "SELECT line, code FROM rejects WHERE file = $1 ORDER BY line, place",
      [file],
    )
  ).map(({ line, code }) => `${line} ${code}`);

describe("the same again", () => {
  const day = (change: Readonly<Record<number, number>> = {}) =>
    table(...Array.from({ length: 24 }, (_, hour) => row("AGAIN", hour, change[hour] ?? hour)));

  it("same file twice: counts once", async () => {
    const first = await taken("ami", "twice.csv", day(), 24);
    const again = await taken("ami", "twice.csv", day());
    expect(again).toMatchObject({ state: "duplicate", duplicate_of: first.file, reads: 0 });
    expect(await standing(first.file)).toEqual({ intervals: 24, litres: 276 });
    expect(await standing(again.file)).toEqual({ intervals: 0, litres: 0 });
  });

  it("same bytes, other name: counts once", async () => {
    expect(await taken("ami", "other name.csv", day())).toMatchObject({ state: "duplicate" });
  });

  it("same name, other bytes, a whole day with three corrections: the three replace, the others stay", async () => {
    const second = await taken("ami", "twice.csv", day({ 3: 30, 7: 70, 11: 110 }), 24);
    expect(second).toMatchObject({ state: "archived", correction: true, reads: 24 });
    const [sum] = await test.stores.clickhouse.query<{ n: string; ml: string; other: string }>(
      `SELECT count() AS n, sum(ml) AS ml, countIf(file = ${second.file}) AS other FROM curbstop.usage
       WHERE meter IN (SELECT meter FROM curbstop.usage WHERE file = ${second.file})`,
    );
    expect([Number(sum!.n), Number(sum!.ml) / 1000]).toEqual([24, 276 + 27 + 63 + 99]);
    expect(Number(sum!.other)).toBeGreaterThanOrEqual(3);
  });

  it("overlap of two files: each hour counts once", async () => {
    const hours = (from: number, to: number) =>
      table(...Array.from({ length: to - from }, (_, i) => row("OVER", from + i, 10)));
    const first = await taken("ami", "overlap 1.csv", hours(0, 20), 20);
    const second = await taken("ami", "overlap 2.csv", hours(10, 30), 20);
    const [a, b] = [await standing(first.file), await standing(second.file)];
    expect(a.intervals + b.intervals).toBe(30);
    expect(a.litres + b.litres).toBe(300);
  });
});

describe("files of one meter, named after it", () => {
  const day = (litres: number) =>
    [
      "time,litres",
      ...Array.from({ length: 24 }, (_, hour) => `${stampOf(MAY + hour * HOUR)},${litres}`),
      "",
    ].join("\n");
  const metersOf = async (file: number) => {
    const [found] = await test.stores.clickhouse.query<{ n: string }>(
      `SELECT uniqExact(meter) AS n FROM curbstop.usage WHERE file = ${file} AND origin = 'delivered'`,
    );
    return Number(found!.n);
  };

  it("same bytes, other name: another meter's; the same of both again: counts once", async () => {
    const first = await taken("one", "NAMED-1.csv", day(1), 24);
    const other = await taken("one", "NAMED-2.csv", day(1), 24);
    expect([first.state, other.state]).toEqual(["archived", "archived"]);
    for (const { file } of [first, other])
      expect(await standing(file)).toEqual({ intervals: 24, litres: 24 });
    expect(await taken("one", "NAMED-2.csv", day(1))).toMatchObject({
      state: "duplicate",
      duplicate_of: other.file,
    });
  });

  it("an archive of them: each member of its own meter", async () => {
    const members = ["NAMED-3", "NAMED-4"].map((meter) => ({ name: `may/${meter}.csv`, bytes: day(2) }));
    const entry = await taken("one", "may.zip", zipOf(members), 48);
    expect(await standing(entry.file)).toEqual({ intervals: 48, litres: 96 });
    expect(await metersOf(entry.file)).toBe(2);
  });

  it("another name: rejected whole, and taken once it is right", async () => {
    const wrong = await taken("one", "NAMED-5 (1).txt", day(3));
    expect(wrong).toMatchObject({ state: "rejected", reads: 0 });
    expect(wrong.reason).toMatch(/name is not of the pattern "\{meter\}\.csv"/);
    expect(await taken("one", "NAMED-5.csv", day(3), 24)).toMatchObject({ state: "archived", reads: 24 });
  });
});

describe("a column a meter", () => {
  it("takes each, and of a row that is shifted none", async () => {
    const text = "time,COL-1,COL-2\n2026-05-01 00:00,1,2\n2026-05-01 01:00,3,x\n2026-05-01 02:00,1,2,3\n";
    const entry = await taken("matrix", "matrix.csv", text, 3);
    expect(entry).toMatchObject({ state: "archived", rows: 1, rejected: 2, reads: 3 });
    expect(await standing(entry.file)).toEqual({ intervals: 3, litres: 6 });
    expect(await codesOf(entry.file)).toEqual(["3 bad-number", "4 too-many-columns"]);
  });
});

describe("a column a time", () => {
  it("takes each, and of a row that is shifted none", async () => {
    const times = "2026-05-01 00:00,2026-05-01 01:00";
    const text = `meter,${times},Total\nROW-1,1,2,3\nROW-2,3,x,3\nROW-3,1,2,3,4\n`;
    const entry = await taken("pivot", "pivot.csv", text, 3);
    expect(entry).toMatchObject({ state: "archived", rows: 1, rejected: 2, reads: 3 });
    expect(await standing(entry.file)).toEqual({ intervals: 3, litres: 6 });
    expect(await codesOf(entry.file)).toEqual(["3 bad-number", "4 too-many-columns"]);
  });
});

describe("a file that is not whole", () => {
  it("truncated: the last row is rejected or read as it stands, the others are taken", async () => {
    const whole = table(row("CUT", 0, 1), row("CUT", 1, 2), row("CUT", 2, 3));
    const entry = await taken("ami", "truncated.csv", whole.slice(0, -8), 3);
    expect(entry).toMatchObject({ rows: 2, rejected: 1, reads: 2 });
    expect(await standing(entry.file)).toEqual({ intervals: 2, litres: 3 });
  });

  it("replaced by rename while it is waited for: what stands there in the end is taken, once", async () => {
    writeFileSync(at("steady", "replaced.csv"), table(row("SWAP", 0, 1)));
    await sleep(200);
    writeFileSync(at("steady", "new.tmp"), table(row("SWAP", 0, 2), row("SWAP", 1, 3)));
    renameSync(at("steady", "new.tmp"), at("steady", "replaced.csv"));
    rowsIn.set("replaced.csv", 2);
    await judged();
    const [entry, more] = await ledger("replaced.csv");
    expect(more).toBeUndefined();
    expect(await standing(entry!.file)).toEqual({ intervals: 2, litres: 5 });
  });

  it("deleted while it is waited for: nothing is entered, and the next file is taken", async () => {
    writeFileSync(at("steady", "gone.csv"), table(row("GONE", 0, 1)));
    await sleep(200);
    rmSync(at("steady", "gone.csv"));
    const entry = await taken("steady", "after.csv", table(row("GONE", 1, 1)), 1);
    expect(entry).toMatchObject({ state: "archived", reads: 1 });
    expect(await ledger("gone.csv")).toEqual([]);
  });

  it("time of change in the future or long past: taken when it stands still", async () => {
    for (const [name, year] of [
      ["future.csv", 2090],
      ["past.csv", 1971],
    ] as const) {
      writeFileSync(at("steady", name), table(row(`MTIME-${year}`, 0, 1)));
      utimesSync(at("steady", name), new Date(Date.UTC(year, 0)), new Date(Date.UTC(year, 0)));
      rowsIn.set(name, 1);
    }
    await judged();
    expect(await ledger("future.csv")).toMatchObject([{ state: "archived", reads: 1 }]);
    expect(await ledger("past.csv")).toMatchObject([{ state: "archived", reads: 1 }]);
  });

  it("0 bytes: rejected whole, with the reason", async () => {
    const entry = await taken("ami", "nothing.csv", "");
    expect(entry).toMatchObject({ state: "rejected", reason: "The file ended before a header row." });
  });

  it("partial name (.part, .filepart): left until it is renamed", async () => {
    for (const ending of [".part", ".filepart"])
      writeFileSync(at("ami", `half.csv${ending}`), table(row("PART", 0, 1)));
    await judged();
    expect(await ledger("half.csv")).toEqual([]);
    for (const ending of [".part", ".filepart"]) {
      expect(existsSync(at("ami", `half.csv${ending}`))).toBe(true);
      rmSync(at("ami", `half.csv${ending}`));
    }
  });
});

describe("time out of order", () => {
  it("out of order, late by an hour and by thirty days: the same reads as in order", async () => {
    const hours = [20, 3, 700, 4, 0, 701, 21, 1, 2];
    const entry = await taken("ami", "shuffled.csv", table(...hours.map((hour) => row("LATE", hour, 1))), 9);
    expect(await standing(entry.file)).toEqual({ intervals: 9, litres: 9 });
    const late = await taken("ami", "late.csv", table(row("LATE", 22, 1), row("LATE", 702 - 720, 5)), 2);
    expect(await standing(late.file)).toEqual({ intervals: 2, litres: 6 });
  });

  it("future timestamps and a clock that was reset: rejected, and the meter's later reads are taken", async () => {
    const inFuture = (ms: number) => `CLOCK,${stampOf(NOW + ms)},1,`;
    const rows = [
      inFuture(25 * HOUR),
      inFuture(365 * 24 * HOUR),
      "CLOCK,1970-01-01 00:00,1,",
      inFuture(10 * 60_000),
    ];
    const entry = await taken("ami", "clock.csv", table(...rows), 4);
    expect(await codesOf(entry.file)).toEqual(["2 time-in-future", "3 time-in-future", "4 time-too-early"]);
    const after = await taken("ami", "clock after.csv", table(row("CLOCK", 0, 2)), 1);
    expect(await standing(after.file)).toEqual({ intervals: 1, litres: 2 });
  });
});

describe("local time", () => {
  /** Local stamps of a zone for every half hour of UTC between two instants. */
  const local = (zone: string, from: number, to: number): string[] => {
    const write = new Intl.DateTimeFormat("sv-SE", {
      timeZone: zone,
      dateStyle: "short",
      timeStyle: "short",
    });
    return Array.from({ length: (to - from) / (HOUR / 2) }, (_, i) => write.format(from + (i * HOUR) / 2));
  };
  /** The days around each change of clocks before now, and the leap day. */
  const SPANS: readonly (readonly [keyof typeof ZONES, number, number])[] = [
    ["pacific", Date.UTC(2025, 10, 1), Date.UTC(2025, 10, 4)],
    ["pacific", Date.UTC(2026, 2, 7), Date.UTC(2026, 2, 10)],
    ["central", Date.UTC(2025, 9, 25), Date.UTC(2025, 9, 28)],
    ["halfhour", Date.UTC(2026, 3, 3), Date.UTC(2026, 3, 6)],
    ["india", Date.UTC(2026, 3, 3), Date.UTC(2026, 3, 4)],
    ["chatham", Date.UTC(2026, 3, 3), Date.UTC(2026, 3, 6)],
    ["utc", Date.UTC(2024, 1, 28), Date.UTC(2024, 2, 2)],
  ];

  it.each(SPANS)(
    "%s: each real half hour counts once, the hour that comes twice in its order",
    async (id, from, to) => {
      const stamps = local(ZONES[id], from, to);
      const rows = stamps.map((stamp, i) => `DST,${stamp},${1000 + i},`);
      const entry = await taken(id, `${id} ${from}.csv`, table(...rows), rows.length);
      expect(entry).toMatchObject({ rejected: 0, reads: rows.length });
      expect(await registers(entry.file)).toEqual(
        stamps.map((_, i) => [(from + (i * HOUR) / 2) / 1000, 1000 + i]),
      );
    },
  );

  it("spring gap: a stamp that the clock leaves out is rejected alone", async () => {
    const stamps = ["2026-03-08 01:59", "2026-03-08 02:30", "2026-03-08 03:00"];
    const entry = await taken(
      "pacific",
      "gap.csv",
      table(...stamps.map((time, i) => `GAP,${time},${i},`)),
      3,
    );
    expect(await codesOf(entry.file)).toEqual(["3 no-such-local-time"]);
    expect((await registers(entry.file)).map(([second]) => second)).toEqual([
      Date.UTC(2026, 2, 8, 9, 59) / 1000,
      Date.UTC(2026, 2, 8, 10) / 1000,
    ]);
  });

  it("wide rows of 24 columns on days of 23 and 25 hours: no hour is invented, none is lost", async () => {
    const head = `meter,date,${Array.from({ length: 24 }, (_, i) => `h${i + 1}`).join(",")}`;
    const hours = (empty?: number) =>
      Array.from({ length: 24 }, (_, i) => (i === empty ? "" : "1")).join(",");
    const rows = [`W,2026-03-08,${hours(2)}`, `W,2025-11-02,${hours()}`, `V,2026-03-08,${hours()}`];
    const entry = await taken("wide", "wide.csv", [head, ...rows].join("\n"), 3);
    expect(await codesOf(entry.file)).toEqual(["4 missing-hour-used"]);
    const [seconds] = await test.stores.clickhouse.query<{ seconds: string; n: string }>(
      `SELECT sum(length) AS seconds, count() AS n FROM curbstop.usage WHERE file = ${entry.file}`,
    );
    expect([Number(seconds!.seconds) / 3600, Number(seconds!.n)]).toEqual([23 + 25 + 23, 23 + 24 + 23]);
  });
});

describe("poison rows", () => {
  const POISON: readonly (readonly [what: string, row: string, code: string | null])[] = [
    ["NaN", "P,2026-05-01 00:00,NaN,", null],
    ["1e999", "P,2026-05-01 01:00,1e999,", "bad-number"],
    ["-0", "P,2026-05-01 02:00,-0,", null],
    ["negative usage", "P,2026-05-01 03:00,-5,", "negative-usage"],
    ["1,234 in quotes", 'P,2026-05-01 04:00,"1,234",', "bad-number"],
    ["12.3.4", "P,2026-05-01 05:00,12.3.4,", "bad-number"],
    ["too few columns", "P,2026-05-01 06:00", "too-few-columns"],
    ["too many columns", "P,2026-05-01 07:00,1,,more,and more", null],
    ["a stray quote", 'P,2026-05-01 08:00,"1,', "stray-quote"],
    ["a quote within", 'P,2026-05-01 09:00,1"2,', "bad-number"],
    ["NUL", "P\0,2026-05-01 10:00,1,", "bad-id"],
    ["invalid UTF-8", "P\u00ff,2026-05-01 11:00,1,", "bad-id"],
    ["2^70", `P,2026-05-01 12:00,${2 ** 70},`, "out-of-range"],
    ["no meter", ",2026-05-01 13:00,1,", "missing-meter"],
    ["31 April", "P,2026-04-31 00:00,1,", "bad-time"],
    ["infinity", "P,2026-05-01 14:00,Infinity,", "bad-number"],
  ];

  it.each(POISON)("%s: this row alone", async (what, poison, code) => {
    const name = `poison ${what.replace(/\W/g, "_")}.csv`;
    const bytes = Buffer.from(table(row("SOUND", 1, 3), poison, row("SOUND", 2, 4)), "latin1");
    // A byte of NUL near the beginning says that it is no text at all.
    const entry = await taken(
      "ami",
      name,
      Buffer.concat([
        Buffer.from(table(...Array<string>(200).fill(row("SOUND", 0, 1)))),
        bytes.subarray(HEADER.length + 1),
      ]),
      203,
    );
    expect(entry.state).toBe("archived");
    expect((await codesOf(entry.file)).map((one) => one.split(" ")[1])).toEqual(code === null ? [] : [code]);
    const [sound] = await test.stores.clickhouse.query<{ litres: number }>(
      `SELECT sum(litres) AS litres FROM curbstop.usage WHERE file = ${entry.file} AND line > 201 AND ml IN (3000, 4000)`,
    );
    expect(sound!.litres).toBe(7);
  });
});

describe("archives and names", () => {
  const text = table(row("PACK", 0, 1));

  it("zip bomb and gzip bomb: rejected, and nothing is written beside", async () => {
    const zeros = Buffer.alloc(64 << 20, "P,2026-05-01 00:00,0,\n");
    expect(await taken("ami", "bomb.zip", zipOf([{ name: "a.csv", bytes: zeros }]))).toMatchObject({
      state: "rejected",
      reason: expect.stringContaining("unpacks to more than"),
    });
    expect(await taken("ami", "bomb.gz", gzipSync(zeros))).toMatchObject({
      state: "rejected",
      reason: expect.stringContaining("unpacks to more than"),
    });
  });

  it("nested archive, encrypted member, cut archive: rejected, each with its reason", async () => {
    const nested = zipOf([{ name: "b.zip", bytes: zipOf([{ name: "a.csv", bytes: text }]) }]);
    expect((await taken("ami", "nested.zip", nested)).reason).toContain("within the packed file");
    const secret = zipOf([{ name: "a.csv", bytes: text, encrypted: true }]);
    expect((await taken("ami", "secret.zip", secret)).reason).toContain("encrypted");
    const cut = zipOf([{ name: "a.csv", bytes: text }]).subarray(0, -5);
    expect((await taken("ami", "cut.zip", cut)).reason).toContain("cut off");
  });

  it("path traversal names: rejected, and no file appears outside", async () => {
    const climbing = zipOf([{ name: "../../../climbed.csv", bytes: text }]);
    expect(await taken("ami", "climb.zip", climbing)).toMatchObject({ state: "rejected" });
    for (const folder of [test.folder, join(test.folder, "drop"), join(test.folder, "data"), ".."])
      expect(existsSync(join(folder, "climbed.csv"))).toBe(false);
  });

  it("zip with several members: one file, every row of it", async () => {
    const packed = zipOf([
      { name: "day 1.csv", bytes: table(row("ZIP", 0, 1), row("ZIP", 1, "x")) },
      { name: "day 2.csv", bytes: table(row("ZIP", 24, 2)) },
    ]);
    const entry = await taken("ami", "days.zip", packed, 3);
    expect(entry).toMatchObject({ rows: 2, rejected: 1, reads: 2 });
    expect(await standing(entry.file)).toEqual({ intervals: 2, litres: 3 });
  });

  it("symlink, FIFO, folder named x.csv: left alone, and never waited for", async () => {
    writeFileSync(join(test.folder, "secret.csv"), text);
    symlinkSync(join(test.folder, "secret.csv"), at("ami", "link.csv"));
    execFileSync("mkfifo", [at("ami", "pipe.csv")]);
    mkdirSync(at("ami", "x.csv"));
    expect(await taken("ami", "beside.csv", table(row("BESIDE", 0, 1)), 1)).toMatchObject({ reads: 1 });
    for (const name of ["link.csv", "pipe.csv", "x.csv"]) {
      expect(await ledger(name)).toEqual([]);
      expect(existsSync(at("ami", name))).toBe(true);
      rmSync(at("ami", name), { recursive: true });
    }
  });
});

describe("encodings and line ends", () => {
  const MARK = "\uFEFF";
  const text = (meter: string) => table(row(meter, 0, 1), row(meter, 1, 2), row(meter, 2, 3));
  const big = (of: string) => Buffer.from(of, "utf16le").swap16();
  const same = async (source: string, name: string, bytes: Buffer) => {
    const entry = await taken(source, name, bytes, 3);
    expect(entry).toMatchObject({ state: "archived", rows: 3, rejected: 0, reads: 3 });
    expect(await standing(entry.file)).toEqual({ intervals: 3, litres: 6 });
  };

  it.each([
    ["UTF-16 LE", (of: string) => Buffer.from(MARK + of, "utf16le")],
    ["UTF-16 BE", (of: string) => big(MARK + of)],
    ["UTF-8 with BOM", (of: string) => Buffer.from(MARK + of)],
    ["CR only", (of: string) => Buffer.from(of.replaceAll("\n", "\r"))],
    ["CRLF", (of: string) => Buffer.from(of.replaceAll("\n", "\r\n"))],
    ["mixed ends", (of: string) => Buffer.from(of.replace("\n", "\r").replace("\n", "\r\n"))],
    ["blank rows between", (of: string) => Buffer.from(of.replaceAll("\n", "\n\n,,,\n"))],
  ] as const)("%s: the same reads as UTF-8", async (what, encode) => {
    await same("ami", `${what}.csv`, encode(text(what)));
  });

  it("Latin-1: the same reads where the source says so", async () => {
    await same("latin", "latin1.csv", Buffer.from(text("Zähler"), "latin1"));
  });

  it("Latin-1 in a source of UTF-8: the rows whose meter can't be told are rejected, with their lines", async () => {
    const bytes = Buffer.from(table(row("Zähler", 0, 1), row("PLAIN", 0, 2)), "latin1");
    const entry = await taken("ami", "latin in utf8.csv", bytes, 2);
    expect(await codesOf(entry.file)).toEqual(["2 bad-id"]);
    expect(await standing(entry.file)).toEqual({ intervals: 1, litres: 2 });
  });

  it("UTF-16 without a mark: one clear refusal", async () => {
    const entry = await taken("ami", "no mark.csv", Buffer.from(text("X"), "utf16le"));
    expect(entry).toMatchObject({ state: "rejected", reason: expect.stringContaining("NUL bytes") });
  });

  it("EBCDIC: one clear refusal", async () => {
    // Code page 037: letters and digits lie elsewhere, a line ends with 0x25.
    const letters = new Map(Array.from(HEADER, (one, i) => [one, 0x81 + i]));
    const bytes = Buffer.from(
      Array.from(text("X"), (one) => (one === "\n" ? 0x25 : (letters.get(one) ?? 0xf0))),
    );
    const entry = await taken("ami", "ebcdic.csv", bytes);
    expect(entry).toMatchObject({ state: "rejected", reads: 0 });
    expect(entry.reason).toMatch(/header/);
  });
});
