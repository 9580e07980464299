import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FORMAT_FILES } from "../../bench/formats/town.js";
import { sourceOf } from "../../bench/formats/in-child.js";
import { reading } from "../../ingest/reading.js";

/** The rows of a bench's table, as it prints them; it runs from `dist`. */
function table(bench: "speed" | "sizes", parts: readonly string[], variables: NodeJS.ProcessEnv): string[][] {
  const out = execFileSync(process.execPath, [`dist/bench/formats/${bench}.js`, ...parts], {
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "", ...variables },
  });
  return out
    .trim()
    .split("\n")
    .map((line) => line.slice(2, -2).split(" | "));
}

const number = (cell: string) => Number(cell.replaceAll(",", ""));

it("a file ten times as large needs hardly more memory, whatever the order of its rows", () => {
  const rows = table("sizes", ["growing"], { CURBSTOP_BENCH_SCALE: "0.05" });
  expect(rows.slice(1).map(([count, order]) => [number(count!), order])).toEqual([
    [25_000, "by meter"],
    [250_000, "by meter"],
    [2_500_000, "by meter"],
    [250_000, "by time"],
    [2_500_000, "by time"],
  ]);
  // The first file is read before the memory that every file needs is taken. When garbage goes makes a third of a
  // peak; rows that stayed would make it several times as high.
  expect(number(rows[3]![6]!)).toBeLessThan(1.5);
  for (const row of rows.slice(1)) expect(number(row[5]!)).toBeLessThan(300);
}, 120_000);

it("a line of 100 MB is rejected alone, or with its file where it has no rows, in bounded memory", () => {
  const rows = table("sizes", ["longLines"], {}).slice(1);
  expect(rows.map(([name]) => name)).toEqual(FORMAT_FILES.map(({ name }) => name));
  for (const [name, , peak, taken, rejected, end] of rows) {
    expect([name, number(peak!) < 250]).toEqual([name, true]);
    if (name === "espi") expect(end).toMatch(/more than 1048576 characters/);
    else expect([name, number(taken!) > 0, rejected, end]).toEqual([name, true, "1", "is taken"]);
  }
}, 120_000);

it("the bench of formats reads what it wrote, in every format", () => {
  const rows = table("speed", [], { CURBSTOP_BENCH_BYTES: "100000" }).slice(1);
  expect(rows.map(([name]) => name)).toEqual(FORMAT_FILES.map(({ name }) => name));
  for (const [name, , reads] of rows) expect([name, number(reads!) > 0]).toEqual([name, true]);
}, 120_000);

describe("a row of a million columns", () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "curbstop-columns-"))));
  afterAll(() => rmSync(folder, { recursive: true }));

  const totals = async (text: string) => {
    const path = join(folder, "file");
    writeFileSync(path, text);
    const source = sourceOf(FORMAT_FILES[0]!);
    const now = Date.UTC(2026, 5, 1) / 1000;
    const portions = reading({
      path,
      bytes: text.length,
      file: 1,
      utility: "u",
      timeZone: "UTC",
      source,
      checks: {},
      now,
      name: "sizes",
      lateUntil: -Infinity,
    });
    const codes: string[] = [];
    for (;;) {
      const { done, value } = await portions.next();
      if (done === true) return { ...value, codes };
      codes.push(...value.rejects.map(({ code }) => code));
    }
  };

  it("is rejected alone, also as the header", async () => {
    const sound = "W1,2026-01-05 00:00,1,\n";
    const header = "meter,time,litres,flag\n";
    const wide = ",".repeat(1_000_000) + "\n";
    expect(await totals(header + sound + wide + sound)).toMatchObject({
      rows: 2,
      rejected: 1,
      codes: ["row-too-long"],
    });
    await expect(totals(wide + sound)).rejects.toThrow(/header/);
  });
});
