import fc from "fast-check";
import { TimeZone } from "../../../infra/time-zone.js";
import { Flag } from "../../../schemas/flags.js";
import { MILLILITRES, type Unit } from "../../../schemas/units.js";
import { at, readText, type FoundRead, type ProfileInput } from "../../harness/read-text.js";

const HOUR = 3600;

interface Row {
  readonly meter: string;
  readonly hour: number;
  /** Hundredths; undefined: no read. */
  readonly value: number | undefined;
  readonly estimated: boolean;
}

const row: fc.Arbitrary<Row> = fc.record({
  meter: fc.constantFrom("A", "00b", 'a"b', "x,y", "é;", "M|1"),
  hour: fc.nat(20_000),
  value: fc.option(fc.nat(100_000_000), { nil: undefined, freq: 8 }),
  estimated: fc.boolean(),
});

/** How the file of a table is written. */
interface Writing {
  readonly delimiter: string;
  readonly decimal: "." | ",";
  readonly end: string;
  readonly quoted: boolean;
  readonly header: boolean;
  readonly stamp: "beginning" | "end";
  readonly unit: Unit;
  readonly order: readonly ("meter" | "time" | "usage" | "quality" | "other")[];
  /** Year, month, day and hour have a column each. */
  readonly spread: boolean;
}

const writing: fc.Arbitrary<Writing> = fc.record({
  delimiter: fc.constantFrom(",", ";", "\t", "|"),
  decimal: fc.constantFrom(".", ","),
  end: fc.constantFrom("\n", "\r\n", "\r"),
  quoted: fc.boolean(),
  header: fc.boolean(),
  stamp: fc.constantFrom("beginning", "end"),
  unit: fc.constantFrom("L", "gal", "ccf", "m3"),
  order: fc.shuffledSubarray(["meter", "time", "usage", "quality", "other"] as const, { minLength: 5 }),
  spread: fc.boolean(),
});
const PARTS = ["year", "month", "day", "hour"] as const;

const START = at("2024-01-01T00:00Z");

function written(
  rows: readonly Row[],
  how: Writing,
): { lines: string[]; text: string; profile: ProfileInput } {
  const { delimiter, decimal, end, quoted, header, stamp, unit, spread } = how;
  const order = how.order.flatMap((name) => (name === "time" && spread ? PARTS : [name]));
  const field = (text: string) =>
    quoted || text.includes(delimiter) || text.startsWith('"') ? `"${text.replaceAll('"', '""')}"` : text;
  const line = ({ meter, hour, value, estimated }: Row) => {
    const shown = START + (hour + (stamp === "end" ? 1 : 0)) * HOUR;
    const time = new Date(shown * 1000);
    const cells = {
      meter,
      time: time.toISOString().slice(0, 16).replace("T", " "),
      year: String(time.getUTCFullYear()),
      month: String(time.getUTCMonth() + 1),
      day: String(time.getUTCDate()),
      hour: String(time.getUTCHours()),
      usage: value === undefined ? "" : (value / 100).toFixed(2).replace(".", decimal),
      quality: estimated ? "E" : "",
      other: "5/8 in",
    };
    return order.map((name) => field(cells[name])).join(delimiter);
  };
  const lines = rows.map(line);
  const place = (name: (typeof order)[number]) => (header ? name : order.indexOf(name) + 1);
  const text = [...(header ? [order.join(delimiter)] : []), ...lines].join(end) + end;
  return {
    lines,
    text,
    profile: {
      delimiter,
      decimal,
      header,
      unit,
      columns: {
        meter: place("meter"),
        time: spread ? PARTS.map(place) : place("time"),
        usage: place("usage"),
        quality: place("quality"),
      },
      time: { zone: "UTC", stamp, ...(spread ? { format: "YYYY MM DD HH" } : {}) },
    },
  };
}

const expected = (rows: readonly Row[], { unit, header }: Writing): Partial<FoundRead>[] =>
  rows.map(({ meter, hour, value, estimated }, i) => ({
    meter,
    kind: "usage",
    time: START + hour * HOUR,
    length: HOUR,
    ml: value === undefined ? null : Math.round((value / 100) * MILLILITRES[unit]),
    delivered: value === undefined ? null : value / 100,
    flags: estimated ? Flag.estimated : 0,
    line: i + (header ? 2 : 1),
  }));

it("reads back what was written, by any profile and however the bytes are cut into chunks", () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 30 }), writing, fc.array(fc.nat(2000)), (rows, how, cuts) => {
      const { text, profile } = written(rows, how);
      const found = readText(text, profile, { cuts });
      expect(found.rejects).toEqual([]);
      expect(found.rows).toBe(rows.length);
      expect(found.reads).toMatchObject(expected(rows, how));
      expect(readText(text, profile)).toEqual(found);
    }),
    { numRuns: 300 },
  );
});

it("rejects exactly the rows that are wrong, and counts every row and value once", () => {
  const bad = fc.constantFrom(
    "B,2026-05-40 00:00,1,",
    "B,2026-05-01 00:00,1.2.3,",
    ",2026-05-01 00:00,1,",
    "B,2026-05-01 00:00",
    '"B,2026-05-01 00:00,1,',
    'B,2026-05-01 00:00,"1"2,',
    "B,2026-05-01 00:00,-4,",
    "B,2999-01-01 00:00,1,",
    "B,,,x",
    "B\u0000,2026-05-01 00:00,1,",
    "\u0001\u0002\u0003",
    "B,2026-05-01 00:00,1e999,",
  );
  const how: Writing = {
    delimiter: ",",
    decimal: ".",
    end: "\n",
    quoted: false,
    header: true,
    stamp: "beginning",
    unit: "L",
    order: ["meter", "time", "usage", "quality"],
    spread: false,
  };
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 4, arbitrary: row }, { weight: 1, arbitrary: bad }), { maxLength: 30 }),
      fc.array(fc.nat(1000)),
      (rows, cuts) => {
        const lines = rows.map((one) => (typeof one === "string" ? one : written([one], how).lines[0]!));
        const { profile } = written([], how);
        const found = readText(["meter,time,usage,quality", ...lines].join("\n"), profile, { cuts });
        const wrong = rows.flatMap((one, i) => (typeof one === "string" ? [i + 2] : []));
        expect(found.rejects.map(({ line }) => line)).toEqual(wrong);
        expect(found.reads.map(({ line }) => line)).toEqual(
          rows.flatMap((one, i) => (typeof one === "string" ? [] : [i + 2])),
        );
        expect(found.rows + found.rejected).toBe(rows.length);
        expect(found.reads.length + found.valuesRejected).toBe(rows.length);
      },
    ),
    { numRuns: 300 },
  );
});

it("counts every value of register-and-usage rows, of wide rows, of rows of all meters and of all times once", () => {
  const cell = fc.constantFrom("1", "", "x", "-1", "2.5");
  fc.assert(
    fc.property(
      fc.array(fc.array(cell, { minLength: 24, maxLength: 24 }), { maxLength: 6 }),
      fc.constantFrom("2026-05-01", "2026-05-40", "2026-12-31"),
      (table, day) => {
        const { reads, valuesRejected, rows, rejected } = readText(
          `m,d,i1${",i".repeat(23)}\n${table.map((cells) => `A,${day},${cells.join(",")}\n`).join("")}`,
          { layout: "wide", columns: { meter: "m", time: "d", first: "i1" }, time: { format: "YYYY-MM-DD" } },
        );
        expect(reads.length + valuesRejected).toBe(24 * table.length);
        expect(rows + rejected).toBe(table.length);
        const matrix = readText(
          `t,${Array.from({ length: 24 }, (_, i) => `M${i}`).join(",")}\n${table.map((cells) => `${day} 00:00,${cells.join(",")}\n`).join("")}`,
          { layout: "matrix", columns: { time: "t", first: 2 } },
        );
        expect(matrix.reads.length + matrix.valuesRejected).toBe(24 * table.length);
        expect(matrix.rows + matrix.rejected).toBe(table.length);
        expect(matrix.rejects.length > 0).toBe(matrix.rejected > 0);
        const pivot = readText(
          `m,${Array.from({ length: 24 }, (_, i) => `2026-05-01 ${i}:00`).join(",")}\n${table.map((cells) => `A,${cells.join(",")}\n`).join("")}`,
          { layout: "pivot", columns: { meter: "m" } },
        );
        expect(pivot.reads.length + pivot.valuesRejected).toBe(24 * table.length);
        expect(pivot.rows + pivot.rejected).toBe(table.length);
        const both = readText(`m,t,u,r\n${table.map(([u, r]) => `A,${day} 00:00,${u},${r}\n`).join("")}`, {
          columns: { meter: "m", time: "t", usage: "u", register: "r" },
        });
        expect(both.reads.length + both.valuesRejected).toBe(2 * table.length);
        expect(both.rows + both.rejected).toBe(table.length);
      },
    ),
  );
});

it("finds every interval of a local file again, across the changes of the clock in any zone", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(
        "America/Los_Angeles",
        "Australia/Adelaide",
        "Australia/Lord_Howe",
        "America/Santiago",
        "Europe/Dublin",
      ),
      fc.integer({ min: 0, max: 360 }),
      fc.constantFrom(900, 1800, 3600),
      fc.constantFrom("beginning", "end"),
      fc.boolean(),
      (timeZone, day, interval, stamp, backwards) => {
        // Lord Howe changes by half an hour: hourly stamps of a file would be off the grid there.
        fc.pre(timeZone !== "Australia/Lord_Howe" || interval < 3600);
        const zone = new TimeZone(timeZone);
        const from = at("2025-01-01T00:00Z") + day * 86_400;
        const times = Array.from({ length: (4 * 86_400) / interval }, (_, i) => from + i * interval);
        if (backwards) times.reverse();
        const lines = times.map((time) => {
          const instant = time + (stamp === "end" ? interval : 0);
          const shown = new Date((instant + zone.offsetAt(instant)) * 1000).toISOString();
          return `A,${shown.slice(0, 10)} ${shown.slice(11, 16)},1`;
        });
        const { reads, rejects } = readText(
          ["meter,time,usage", ...lines].join("\n"),
          {
            columns: { meter: "meter", time: "time", usage: "usage" },
            time: { interval, stamp: stamp },
          },
          { timeZone },
        );
        expect(rejects).toEqual([]);
        // The first rows of a file have none before them that would tell the hours apart.
        expect(reads.map(({ time }) => time).slice(8)).toEqual(times.slice(8));
      },
    ),
    { numRuns: 150 },
  );
});
