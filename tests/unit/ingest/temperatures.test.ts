import { readFileSync } from "node:fs";
import fc from "fast-check";
import { parse } from "yaml";
import type { z } from "zod";
import { FileRejected } from "../../../ingest/formats/format.js";
import { readTemperatures } from "../../../ingest/weather/temperatures.js";
import { temperatureOptions } from "../../../schemas/formats/temperatures.js";

type Options = z.input<typeof temperatureOptions>;
const BY_NAME: Options = { columns: { time: "time", temperature: "temp" } };
const NOW = Date.UTC(2026, 0, 20) / 1000;
const at = (iso: string) => Date.parse(iso) / 1000;

/** All that a text holds. @param cuts bytes at which it is cut into chunks */
async function read(text: string, options: Options = BY_NAME, cuts: readonly number[] = []) {
  const bytes = Buffer.from(text);
  const ends = [...new Set(cuts)].filter((cut) => cut > 0 && cut < bytes.length).sort((a, b) => a - b);

  async function* chunks() {
    for (const [i, end] of [...ends, bytes.length].entries())
      yield Buffer.from(bytes.subarray(ends[i - 1] ?? 0, end));
  }

  async function* texts() {
    yield chunks();
  }
  const portions = readTemperatures(texts(), "America/Denver", temperatureOptions.parse(options), NOW);
  const all = { temperatures: [] as [number, number][], without: 0, leftOut: 0, rejects: [] as unknown[] };
  for (;;) {
    const { done, value } = await portions.next();
    if (done === true) return { ...all, unknownColumns: value };
    all.temperatures.push(...value.temperatures.map(({ time, value: of }) => [time, of] as [number, number]));
    all.without += value.without;
    all.leftOut += value.leftOut;
    all.rejects.push(...value.rejects.map(({ line, code, field, value: of }) => [line, code, field, of]));
  }
}
const refusal = (text: string, options?: Options) =>
  read(text, options).then(
    () => "taken",
    (error: unknown) => (error instanceof FileRejected ? error.message : `${error as Error}`),
  );

it("reads a time that is spread over columns", async () => {
  const columns = { time: ["Year", "Month", "Day", "Time (LST)"], temperature: "Temp" };
  const text = "Year,Month,Day,Time (LST),Temp\n2026,1,14,06:00,-4.1\n2026,1,14,,-4\n";
  const found = await read(text, { columns, time: { format: "YYYY MM DD HH:mm" } });
  expect(found.temperatures).toEqual([[at("2026-01-14T13:00Z"), -410]]);
  expect(found.rejects).toEqual([[3, "bad-time", "time", "2026 1 14 "]]);
});

it("reads an export of a weather service: Fahrenheit, UTC, a station of several, M for none", async () => {
  const text =
    "#DEBUG: an export\nstation,valid,tmpf,sknt\nDEN,2026-01-14 06:53,-4.00,8\nBJC,2026-01-14 06:53,0.0,3\n" +
    "DEN,2026-01-14 07:53,M,\nDEN,2026-01-14 08:53,20.0,4\n";
  const found = await read(text, {
    skipRows: 1,
    columns: { time: "valid", temperature: "tmpf" },
    filters: [{ column: "station", only: ["den"] }],
    time: { zone: "UTC" },
    unit: "F",
  });
  expect(found).toEqual({
    temperatures: [
      [at("2026-01-14T06:53Z"), -2000],
      [at("2026-01-14T08:53Z"), -667],
    ],
    without: 1,
    leftOut: 1,
    rejects: [],
    unknownColumns: ["sknt"],
  });
});

it("reads a national service's file: semicolons, decimal comma, no header, its own stamps", async () => {
  const found = await read(
    "433;2026011403;3;-11,4;90\n433;2026011404;3;-999;90\n433;2026011405;3;-0,04;90\n",
    {
      delimiter: ";",
      decimal: ",",
      header: false,
      columns: { time: 2, temperature: 4 },
      time: { format: "YYYYMMDDHH", zone: "UTC" },
    },
  );
  expect(found.temperatures).toEqual([
    [at("2026-01-14T03:00Z"), -1140],
    [at("2026-01-14T05:00Z"), -4],
  ]);
  expect([found.without, found.rejects]).toEqual([1, []]);
});

it("takes stamps on the utility's clock, and the first of an hour that comes twice", async () => {
  const { temperatures } = await read("time,temp\n2026-01-14 00:00,-5\n2025-11-02 01:30,3\n");
  expect(temperatures).toEqual([
    [at("2026-01-14T00:00-07:00"), -500],
    [at("2025-11-02T01:30-06:00"), 300],
  ]);
});

it("rejects what is wrong, row by row, and says where and what", async () => {
  const rows = [
    "yesterday,3",
    "2026-01-14 00:00,cold",
    "2026-01-14 01:00,-400",
    "2026-01-14 02:00,61",
    "2026-02-14 00:00,1",
    "1975-01-14 00:00,1",
    "2025-03-09 02:30,1",
    "2026-01-14 03:00",
    '2026-01-14 04:00,"5',
    "",
    "2026-01-14 05:00,1.234.5",
    "2026-01-14 06:00,-1e1",
  ];
  const { rejects, temperatures } = await read(`time,temp\n${rows.join("\n")}\n`);
  expect(rejects).toEqual([
    [2, "bad-time", "time", "yesterday"],
    [3, "bad-number", "temperature", "cold"],
    [4, "not-air", "temperature", "-400"],
    [5, "not-air", "temperature", "61"],
    [6, "time-in-future", "time", "2026-02-14 00:00"],
    [7, "time-too-early", "time", "1975-01-14 00:00"],
    [8, "no-such-local-time", "time", "2025-03-09 02:30"],
    [9, "too-few-columns", "row", "1 columns"],
    [10, "stray-quote", "row", null],
    [12, "bad-number", "temperature", "1.234.5"],
  ]);
  expect(temperatures).toEqual([[at("2026-01-14T06:00-07:00"), -1000]]);
});

it("refuses a file that is none of its source's", async () => {
  expect(await refusal("")).toContain("before its first row");
  expect(await refusal("date,temp\n")).toContain(
    'no column for time "time"; it has 2 columns. Mend source.temperatures.columns',
  );
  expect(await refusal("time,temp,temp\n")).toContain('for temperature "temp" more than once');
  expect(await refusal(`time,temp\n${"a,b\n".repeat(10_000)}`)).toContain("None of the first 10000 rows");
  expect(await refusal(`time,temp\n2026-01-14 06:00,1\n${"a,b\n".repeat(10_000)}`)).toBe("taken");
});

it("reads the example of its page", async () => {
  const [page] = readFileSync("docs/formats/temperatures.md", "utf8").split("| option");
  const [, yaml] = /```yaml\n([^]*?)```/.exec(page!)!;
  const [, csv] = /```csv\n([^]*?)```/.exec(page!)!;
  const { temperatures } = parse(yaml!) as { temperatures: Options };
  expect(await read(csv!, temperatures)).toEqual({
    temperatures: [
      [at("2026-01-14T06:53Z"), -2000],
      [at("2026-01-14T08:53Z"), -667],
    ],
    without: 1,
    leftOut: 1,
    rejects: [],
    unknownColumns: [],
  });
});

it("finds the same however the file is cut, and counts each row once", async () => {
  const row = fc.oneof(
    fc
      .tuple(fc.integer({ min: 0, max: 500 }), fc.integer({ min: -999, max: 999 }))
      .map(
        ([hour, tenths]) =>
          `${new Date((NOW - hour * 3600) * 1000).toISOString().slice(0, 16).replace("T", " ")},${tenths / 10}`,
      ),
    fc.constantFrom("2026-01-14 00:00,M", "x,y", "one", "2026-01-14 00:00,9,9", '"2026-01-14 00:00","4"'),
    fc
      .string({ maxLength: 12 })
      .filter((text) => !/[\r\n]/.test(text) && text.trim() !== "" && !/^[\s,"]*$/.test(text)),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { maxLength: 20 }),
      fc.array(fc.nat(400), { maxLength: 8 }),
      async (rows, cuts) => {
        const text = ["time,temp", ...rows].join("\r\n");
        const whole = await read(text);
        expect(await read(text, BY_NAME, cuts)).toEqual(whole);
        expect(whole.temperatures.length + whole.without + whole.rejects.length).toBe(rows.length);
      },
    ),
    { numRuns: 1000 },
  );
});
