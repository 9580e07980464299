import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { FORMAT_FILES, type FormatFile } from "../../../bench/formats/town.js";
import { nameMeter } from "../../../ingest/block-text.js";
import { reading, type ReadingTotals } from "../../../ingest/reading.js";
import type { Reject } from "../../../ingest/check/rejects.js";
import type { SourceConfig } from "../../../schemas/config.js";
import { OAKVALE, settingsOf } from "../../harness/stores.js";
import { zipOf } from "../../harness/zip.js";

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "curbstop-packed-"))));
afterAll(() => rmSync(folder, { recursive: true }));

const TOWN = { meters: 4, days: 2 };
const READ_AT = Date.UTC(2026, 5, 1) / 1000;

function sourceOf({ source }: FormatFile, encoding?: "latin1"): SourceConfig {
  const { profile = {}, ...rest } = source;
  const written = { ...rest, ...(encoding === undefined ? source : { profile: { ...profile, encoding } }) };
  const utility = { ...OAKVALE, languages: [...OAKVALE.languages] };
  const sources = [{ id: "ami", folder, ...written }];
  return settingsOf(folder, { utilities: [{ ...utility, sources }] }).config.utilities[0]!.sources[0]!;
}

interface Found {
  readonly totals: ReadingTotals;
  /** Blocks as they are published, without their lines, in any order. */
  readonly blocks: readonly string[];
  readonly lines: readonly number[];
  readonly rejects: readonly Reject[];
}

async function found(source: SourceConfig, bytes: Buffer): Promise<Found> {
  const path = join(folder, "file");
  writeFileSync(path, bytes);
  const job = {
    path,
    bytes: bytes.length,
    file: 7,
    utility: "oakvale",
    timeZone: "UTC",
    source,
    checks: {},
    now: READ_AT,
    name: "packed",
    lateUntil: -Infinity,
  };
  const blocks: string[] = [];
  const lines: number[] = [];
  const rejects: Reject[] = [];
  const portions = reading(job);
  for (;;) {
    const { done, value } = await portions.next();
    if (done === true) return { totals: value, blocks: blocks.sort(), lines, rejects };
    rejects.push(...value.rejects);
    const named = Buffer.from(value.text);
    for (const [i, at] of value.keysAt.entries())
      nameMeter(named, at, "0".repeat(16), value.registers[value.registerOf[i]!]!.serial === "" ? 0 : 1);
    let from = 0;
    for (const [i, end] of value.ends.entries()) {
      const text = named.toString("utf8", from, end);
      const { line, ...block } = JSON.parse(text) as { line: number[] | { from: number } };
      lines.push(Array.isArray(line) ? line[0]! : line.from);
      blocks.push(JSON.stringify({ ...value.registers[value.registerOf[i]!], ...block }));
      from = end;
    }
  }
}

const textOf = ({ text }: FormatFile, town: { from?: number; meters: number; days: number }) =>
  [...text(town)].join("");
const MARK = "\uFEFF";
const bigEndian = (text: string) => Buffer.from(text, "utf16le").swap16();

describe.each(FORMAT_FILES.map((file) => [file.name, file] as const))("a file of %s", (_, file) => {
  const source = () => sourceOf(file);
  const text = textOf(file, TOWN);
  let plain: Found;
  beforeAll(async () => (plain = await found(source(), Buffer.from(text))));

  it("holds what was written into it", () => {
    expect(plain.rejects).toEqual([]);
    expect(plain.totals).toMatchObject({
      reads: TOWN.meters * TOWN.days * file.readsPerDay,
      meters: TOWN.meters,
      rejected: 0,
    });
  });

  it.each([
    ["gzip", () => gzipSync(text)],
    ["zip", () => zipOf([{ name: "reads.txt", bytes: text }])],
    ["UTF-8 with a byte order mark", () => Buffer.from(MARK + text)],
    ["UTF-16, little endian", () => Buffer.from(MARK + text, "utf16le")],
    ["UTF-16, big endian", () => bigEndian(MARK + text)],
    ["gzip of UTF-16", () => gzipSync(bigEndian(MARK + text))],
    ["zip of UTF-16", () => zipOf([{ name: "reads.txt", bytes: Buffer.from(MARK + text, "utf16le") }])],
  ] as const)("holds the same as %s", async (_how, packed) => {
    expect(await found(source(), packed())).toEqual(plain);
  });

  it("holds the same as Latin-1, where the source says so", async () => {
    expect(await found(sourceOf(file, "latin1"), Buffer.from(text, "latin1"))).toEqual(plain);
  });

  it("is the sum of the members of a zip archive, each row at a line of its own", async () => {
    const half = TOWN.meters / 2;
    const [first, second] = [0, half].map((from) => textOf(file, { ...TOWN, from, meters: half }));
    const packed = zipOf([
      { name: "b.txt", bytes: second! },
      { name: "a.txt", bytes: Buffer.from(MARK + first!, "utf16le") },
    ]);
    const { totals, blocks, lines } = await found(source(), packed);
    expect(blocks).toEqual(plain.blocks);
    const [one, other] = [
      await found(source(), Buffer.from(first!)),
      await found(source(), Buffer.from(second!)),
    ];
    // A row of all meters becomes two.
    expect(totals).toEqual({ ...plain.totals, rows: one.totals.rows + other.totals.rows });
    expect(new Set(lines).size).toBe(new Set(one.lines).size + new Set(other.lines).size);
    expect(Math.max(...lines)).toBeGreaterThan(first!.split("\n").length - 1);
  });

  it("is rejected before a read of it is published where its packing was cut off", async () => {
    for (const packed of [gzipSync(text), zipOf([{ name: "reads.txt", bytes: text }])]) {
      const cut = packed.subarray(0, Math.floor(packed.length * 0.9));
      await expect(found(source(), cut)).rejects.toThrow(/cut off/);
    }
  });
});

it("tells the rejects of each member at their place in the whole", async () => {
  const source = sourceOf(FORMAT_FILES[0]!);
  const head = "meter,time,litres,flag\n";
  const row = (value: string) => `W1,2026-01-05 00:00,${value},\n`;
  // The first member's last line has no end.
  const first = head + row("1") + row("x").trimEnd();
  const second = head + row("y");
  const { rejects, totals } = await found(
    source,
    zipOf([
      { name: "1.csv", bytes: first },
      { name: "2.csv", bytes: second },
    ]),
  );
  expect(totals).toMatchObject({ rows: 1, rejected: 2, reads: 1, valuesRejected: 2 });
  expect(rejects).toMatchObject([
    { line: 3, offset: head.length + row("1").length, value: "x" },
    { line: 5, offset: first.length + head.length, value: "y" },
  ]);
});

it("publishes nothing of an archive with a member that is not of its source", async () => {
  const source = sourceOf(FORMAT_FILES[0]!);
  const path = join(folder, "mixed");
  const bytes = zipOf([
    { name: "1.csv", bytes: textOf(FORMAT_FILES[0]!, TOWN) },
    { name: "2.csv", bytes: "something,else\n1,2\n" },
  ]);
  writeFileSync(path, bytes);
  const job = {
    path,
    bytes: bytes.length,
    file: 7,
    utility: "oakvale",
    timeZone: "UTC",
    source,
    checks: {},
    now: READ_AT,
    name: "packed",
    lateUntil: -Infinity,
  };
  await expect(reading(job).next()).rejects.toThrow("no column");
});
