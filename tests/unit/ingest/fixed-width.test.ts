import { readFileSync } from "node:fs";
import fc from "fast-check";
import { parse } from "yaml";
import type { z } from "zod";
import { FixedWidth } from "../../../ingest/formats/fixed-width.js";
import { MOST_FRUITLESS_ROWS } from "../../../ingest/formats/format.js";
import { Flag } from "../../../schemas/flags.js";
import {
  FIXED_WIDTH_PRESETS,
  fixedWidthLayout,
  fixedWidthOptions,
} from "../../../schemas/formats/fixed-width.js";
import { MILLILITRES } from "../../../schemas/units.js";
import { cutsOf, FUZZ, fuzzed, mutated, NOW, readFormat } from "../../harness/read-format.js";
import { seeded } from "../../../bench/random.js";
import { at } from "../../harness/read-text.js";

type Options = z.input<typeof fixedWidthOptions>;

/** One kind of line: meter 1-8, serial 9-14, date 15-22, reading 23-30, unit 31-34, quality 35. */
const FLAT: Options = {
  records: [
    {
      prefix: "",
      columns: {
        meter: { from: 1, to: 8 },
        serial: { from: 9, to: 14 },
        date: { from: 15, to: 22 },
        reading: { from: 23, to: 30 },
        unit: { from: 31, to: 34 },
        quality: { from: 35, to: 35 },
      },
    },
  ],
  zone: "UTC",
};

function read(text: string | Buffer, options: Options = FLAT, cuts: readonly number[] = []) {
  const fixedWidth = fixedWidthOptions.parse(options);
  return readFormat(
    (sink) => new FixedWidth({ fixedWidth, timeZone: "America/Los_Angeles", now: NOW }, sink),
    text,
    cuts,
  );
}

interface Parts {
  readonly meter?: string;
  readonly serial?: string;
  readonly date?: string;
  readonly reading?: string;
  readonly unit?: string;
  readonly quality?: string;
}

function flat(parts: Parts = {}): string {
  const {
    meter = "M-1",
    serial = "",
    date = "20260501",
    reading = "00001234",
    unit = "",
    quality = "",
  } = parts;
  return (
    meter.padEnd(8) +
    serial.padEnd(6) +
    date.padEnd(8) +
    reading.padStart(8) +
    unit.padEnd(4) +
    quality.padEnd(1)
  );
}

/** What one line becomes: millilitres and flags, or the code of its reject. */
function one(parts: Parts, options: Options = FLAT) {
  const { reads, rejects } = read(flat(parts), options);
  expect(reads.length + rejects.length).toBe(1);
  return rejects[0]?.code ?? [reads[0]!.ml, reads[0]!.flags];
}

/** A line with texts at their places. */
function placed(...texts: readonly (readonly [from: number, text: string])[]): string {
  let line = "";
  for (const [from, text] of texts) line = line.padEnd(from - 1) + text;
  return line;
}

describe("a line", () => {
  it("is a register read of its meter at its date", () => {
    const { reads, rejects, rows, rejected } = read(`${flat({ serial: "S1", unit: "GAL" })}\r\n`);
    expect(rejects).toEqual([]);
    expect([rows, rejected]).toEqual([1, 0]);
    expect(reads).toEqual([
      {
        meter: "M-1",
        channel: "",
        serial: "S1",
        kind: "register",
        time: at("2026-05-01T00:00Z"),
        length: 0,
        ml: Math.round(1234 * MILLILITRES.gal),
        delivered: 1234,
        unit: "gal",
        flags: 0,
        line: 1,
      },
    ]);
  });

  it("is of the source's unit where it names none, times the multiplier", () => {
    expect(one({})).toEqual([1_234_000, 0]);
    expect(one({}, { ...FLAT, unit: "m3", multiplier: 10 })).toEqual([12_340_000_000, 0]);
    expect(one({ unit: "CUFX" })).toBe("unknown-unit");
    expect(one({ unit: "CUFX" }, { ...FLAT, treatAs: { cufx: "L" } })).toEqual([1_234_000, 0]);
  });

  it("may leave its decimal point out", () => {
    const options: Options = { ...FLAT, impliedDecimals: 2 };
    expect(one({}, options)).toEqual([12_340, 0]);
    expect(read(flat(), options).series[0]!.decimals).toBe(2);
    expect(one({ reading: "12.5" }, options)).toEqual([12_500, 0]);
    expect(one({ reading: "-5" })).toEqual([-5_000, 0]);
  });

  it("of a blank reading is no read, never 0", () => {
    expect(one({ reading: " " })).toEqual([null, 0]);
    expect(read(flat().slice(0, 22)).reads.map(({ ml }) => ml)).toEqual([null]);
  });

  it("of a word or number for it is no read either", () => {
    expect(one({ reading: "ERROR" })).toEqual([null, 0]);
    expect(one({ reading: "999999" }, { ...FLAT, noRead: ["999999"] })).toEqual([null, 0]);
    expect(one({ reading: "999998" }, { ...FLAT, noRead: ["999999"] })).toEqual([999_998_000, 0]);
  });

  it("says by its word what the read is worth", () => {
    const quality = { estimated: ["E", "x"], adjusted: ["A"], suspect: ["?"], noRead: ["S"] };
    const options: Options = { ...FLAT, quality };
    expect(one({ quality: "e" }, options)).toEqual([1_234_000, Flag.estimated]);
    expect(one({ quality: "X" }, options)).toEqual([1_234_000, Flag.estimated]);
    expect(one({ quality: "A" }, options)).toEqual([1_234_000, Flag.adjusted]);
    expect(one({ quality: "?" }, options)).toEqual([1_234_000, Flag.suspect]);
    expect(one({ quality: "S", reading: "ABC" }, options)).toEqual([null, 0]);
    expect(one({ quality: "R" }, options)).toEqual([1_234_000, 0]);
  });

  it("is rejected where something of it is wrong; of its values the shape is told", () => {
    const refused = (parts: Parts) => {
      const { rejects, rows, rejected, valuesRejected } = read(flat(parts));
      expect([rows, rejected, valuesRejected]).toEqual([0, 1, 1]);
      return rejects.map(({ code, field, value }) => [code, field, value])[0];
    };
    expect(refused({ meter: "" })).toEqual(["missing-meter", "meter", null]);
    expect(refused({ meter: "a\u0001b" })).toEqual(["bad-id", "meter", null]);
    expect(refused({ reading: "Ann Doe" })).toEqual(["bad-number", "reading", "aaa aaa"]);
    expect(refused({ date: "2026-5-1" })).toEqual(["bad-date", "date", "9999-9-9"]);
    expect(refused({ date: "" })).toEqual(["bad-date", "date", ""]);
    expect(refused({ date: "20260230" })).toEqual(["bad-date", "date", "99999999"]);
    expect(refused({ date: "20270101" })).toEqual(["time-in-future", "date", "99999999"]);
    expect(refused({ date: "19700101" })).toEqual(["time-too-early", "date", "99999999"]);
    expect(refused({ unit: "Ann" })).toEqual(["unknown-unit", "unit", "aaa"]);
    expect(refused({ reading: "9e12", unit: "m3" })).toEqual(["out-of-range", "reading", "9a99"]);
  });

  it("that ends within its reading is rejected: a part of a number is another number", () => {
    const { rejects } = read(flat().slice(0, 29));
    expect(rejects.map(({ code, value }) => [code, value])).toEqual([["too-few-columns", "29 characters"]]);
    expect(read(flat().trimEnd()).rows).toBe(1);
  });

  it("is counted in characters, not in bytes", () => {
    expect(one({ meter: "Zähl€r1" })).toEqual([1_234_000, 0]);
    expect(read(flat({ meter: "Z😀" })).reads).toHaveLength(0);
    expect(read(flat({ meter: "Z😀" }).replace("  ", "   ")).reads[0]!.meter).toBe("Z😀");
  });

  it("may be ended by LF or CRLF, the last by nothing; blank ones and the end mark of DOS are passed over", () => {
    const text = `${flat()}\r\n\r\n   \n${flat({ meter: "M-2" })}\n\u001a`;
    const { reads, rejects } = read(text);
    expect(rejects).toEqual([]);
    expect(reads.map(({ meter, line }) => [meter, line])).toEqual([
      ["M-1", 1],
      ["M-2", 4],
    ]);
  });

  it("of more than a mebibyte is rejected, and nothing else", () => {
    const long = "x".repeat(1024 * 1024 + 1);
    const text = `${flat()}\n${long}\n${flat()}\n${long}`;
    const expected = [
      [2, 36, long.length, "row-too-long"],
      [4, 36 + long.length + 1 + 36, long.length, "row-too-long"],
    ];
    for (const cuts of [[], [100], [2_000_000], [40, 1_048_700, 1_048_800]]) {
      const { rejects, rows } = read(text, FLAT, cuts);
      expect(rows).toBe(2);
      expect(rejects.map(({ line, offset, length, code }) => [line, offset, length, code])).toEqual(expected);
    }
  });

  it("is stamped by the clock of the source's zone", () => {
    const options: Options = {
      records: [
        {
          prefix: "R",
          columns: {
            meter: { from: 2, to: 5 },
            date: { from: 6, to: 13 },
            time: { from: 14, to: 17 },
            reading: { from: 18, to: 20 },
          },
        },
      ],
      date: "MMDDYYYY",
      time: "HHmm",
    };
    const times = (clock: string, more: Options = {}) => {
      const found = read(`RM-1 ${clock}007`, { ...options, ...more });
      return found.rejects[0]?.code ?? new Date(found.reads[0]!.time * 1000).toISOString().slice(0, 16);
    };
    expect(times("050120260730")).toBe("2026-05-01T14:30");
    expect(times("050120260730", { zone: "UTC" })).toBe("2026-05-01T07:30");
    expect(times("05012026    ")).toBe("2026-05-01T07:00");
    expect(times("050120262561")).toBe("bad-time");
    expect(times("030820260230")).toBe("no-such-local-time");
    const twice = ["110120260030", "110120260130", "110120260130"].map((clock) => `RM-1 ${clock}007`);
    expect(read(twice.join("\n"), options).reads.map(({ time }) => time)).toEqual([
      at("2026-11-01T07:30Z"),
      at("2026-11-01T08:30Z"),
      at("2026-11-01T09:30Z"),
    ]);
  });
});

describe("records above the reading", () => {
  const options: Options = {
    records: [
      { prefix: "RT", columns: { date: { from: 3, to: 10 } } },
      { prefix: "PR" },
      { prefix: "MT", columns: { meter: { from: 3, to: 8 }, serial: { from: 9, to: 12 } } },
      { prefix: "RD", columns: { reading: { from: 3, to: 8 } } },
      { prefix: "OR", columns: { date: { from: 3, to: 10 }, quality: { from: 11, to: 11 } } },
    ],
    zone: "UTC",
  };
  const found = (...lines: string[]) => {
    const { reads, rejects } = read(lines.join("\n"), options);
    return [
      ...reads.map(({ meter, serial, time, delivered }) => [
        meter,
        serial,
        new Date(time * 1000).toISOString().slice(0, 10),
        delivered,
      ]),
      ...rejects.map(({ line, code }) => [line, code]),
    ];
  };

  it("hold for the readings below them, until one of the same or a higher rank comes", () => {
    expect(
      found(
        "RT20260501",
        "PR",
        "MTM-1   S-1 ",
        "RD000007",
        "MTM-2   ",
        "RD000008",
        "RD000009",
        "RT20260502",
        "MTM-3",
        "RD000001",
        "PR",
        "RD000002",
      ),
    ).toEqual([
      ["M-1", "S-1", "2026-05-01", 7],
      ["M-2", "", "2026-05-01", 8],
      ["M-2", "", "2026-05-01", 9],
      ["M-3", "", "2026-05-02", 1],
      [12, "missing-meter"],
    ]);
  });

  it("may be followed by records that add to the reading above them", () => {
    expect(
      found("RT20260501", "MTM-1", "RD000007", "OR20260430E", "RD000008", "MTM-2", "RD000009", "OR        "),
    ).toEqual([
      ["M-1", "", "2026-04-30", 7],
      ["M-1", "", "2026-05-01", 8],
      ["M-2", "", "2026-05-01", 9],
    ]);
    expect(read("RT20260501\nMTM-1\nRD000007\nOR20260430E", options).reads[0]!.flags).toBe(Flag.estimated);
  });

  it("are forgotten where a line can't be understood: no read goes to another meter", () => {
    const { reads, rejects, rows, rejected, valuesRejected } = read(
      ["RT20260501", "MTM-1", "RD000007", "MYM-2", "RD000008", "RT20260501", "MTM-3", "RD000009"].join("\n"),
      options,
    );
    expect(reads.map(({ meter, delivered }) => [meter, delivered])).toEqual([
      ["M-1", 7],
      ["M-3", 9],
    ]);
    expect(rejects.map(({ line, code, value }) => [line, code, value])).toEqual([
      [4, "unknown-record", null],
      [5, "missing-meter", null],
    ]);
    expect([rows, rejected, valuesRejected]).toEqual([2, 2, 1]);
  });

  it("are told by their prefix, wherever it stands", () => {
    const shifted: Options = {
      records: [
        { prefix: "M", at: 4, columns: { meter: { from: 5, to: 8 }, date: { from: 9, to: 16 } } },
        { prefix: "R", at: 4, columns: { reading: { from: 5, to: 8 } } },
      ],
      zone: "UTC",
    };
    expect(read("001MM-1 20260501\n002R0007", shifted).reads).toMatchObject([{ meter: "M-1", delivered: 7 }]);
  });
});

describe("options", () => {
  const refused = (options: unknown) => {
    const { error } = fixedWidthOptions.safeParse(options);
    return error?.issues.map(({ message }) => message).join("; ");
  };

  it("must name the columns of a read", () => {
    expect(refused({})).toMatch(/`reading`[^]*`meter`[^]*`date`/);
    expect(refused({ preset: "itron-mvrs" })).toMatch(/^expected a record with the column `meter`/);
    expect(refused({ preset: "neptune-equinox" })).toBeUndefined();
    expect(refused({ records: [{ prefix: "", columns: { meter: { from: 2, to: 1 } } }] })).toContain(
      "does not end before it begins",
    );
  });

  it("add to the records of a preset, and follow them", () => {
    const options = fixedWidthOptions.parse({
      preset: "itron-mvrs",
      records: [{ prefix: "MTR", columns: { meter: { from: 4, to: 13 } } }, { prefix: "XYZ" }],
      time: "HHmm",
    });
    const { records, date, time } = fixedWidthLayout(options);
    expect(records.map(({ prefix }) => prefix)).toEqual([
      ...FIXED_WIDTH_PRESETS["itron-mvrs"].records.map(({ prefix }) => prefix),
      "XYZ",
    ]);
    expect(records[4]).toEqual({ prefix: "MTR", at: 1, columns: { meter: { from: 4, to: 13 } } });
    expect([date, time]).toEqual(["MMDDYYYY", "HHmm"]);
  });
});

describe("presets", () => {
  it("neptune-equinox: the meter's serial number, its reading, the date of the order or else of the route", () => {
    const lines = [
      placed([1, "COMHD"], [6, "0001"], [10, "20260501"]),
      placed([1, "RTEHD"], [24, "20260501"]),
      placed([1, "PRMDT"], [104, "ACCOUNT-1"]),
      placed([1, "MTRDT"], [6, "000001"], [38, "N-4711".padEnd(20)], [58, "5/8"]),
      placed([1, "RDGDT"], [50, "06"], [89, "0000123456"], [99, "rest"]),
      placed([1, "ORDST"], [6, "20260430"]),
      placed([1, "MTRDT"], [6, "000002"], [38, "N-4712"]),
      placed([1, "RDGDT"], [50, "06"], [89, "       789"]),
      placed([1, "MTRDT"], [6, "000003"], [38, "N-4713"]),
      placed([1, "RDGDT"], [50, "06"], [89, "          "]),
    ];
    const { reads, rejects, rows } = read(lines.join("\r\n"), { preset: "neptune-equinox", unit: "gal" });
    expect(rejects).toEqual([]);
    expect(rows).toBe(3);
    expect(reads.map(({ meter, time, delivered, unit }) => [meter, time, delivered, unit])).toEqual([
      ["N-4711", at("2026-04-30T07:00Z"), 123_456, "gal"],
      ["N-4712", at("2026-05-01T07:00Z"), 789, "gal"],
      ["N-4713", at("2026-05-01T07:00Z"), null, "gal"],
    ]);
  });

  it("itron-mvrs: reading, date and time of RDG, the meter from where the utility's files have it", () => {
    const line = (...texts: [number, string][]) => placed(...texts).padEnd(126);
    const lines = [
      line([1, "FHD"]),
      line([1, "CHD"]),
      line([1, "RHD"]),
      line([1, "CUS"], [20, "A NAME"]),
      line([1, "MTR"], [46, "MV-0001"]),
      line([1, "RDG"], [34, "0000004321"], [44, "0000"], [48, "05012026"], [56, "143000"]),
      line([1, "RTR"]),
      line([1, "CTR"]),
      line([1, "FTR"], [4, "000001"]),
    ];
    const options: Options = {
      preset: "itron-mvrs",
      records: [{ prefix: "MTR", columns: { meter: { from: 46, to: 57 } } }],
      unit: "ccf",
    };
    const { reads, rejects } = read(lines.join("\r\n") + "\r\n", options);
    expect(rejects).toEqual([]);
    expect(reads).toMatchObject([
      { meter: "MV-0001", time: at("2026-05-01T21:30Z"), delivered: 4321, unit: "ccf", line: 6 },
    ]);
  });
});

it("gives a file up of which nothing can be taken", () => {
  expect(() => read(`${flat({ date: "x" })}\n`.repeat(MOST_FRUITLESS_ROWS))).toThrow("source.fixedWidth");
  expect(read("")).toMatchObject({ reads: [], rows: 0, rejected: 0 });
});

const lineOf = fc.record({
  meter: fc.constantFrom("A", "00b", "x y", "é", "M-123456"),
  serial: fc.constantFrom("", "S-1", "ß"),
  day: fc.integer({ min: at("2020-01-01T00:00Z") / 86_400, max: at("2026-06-01T00:00Z") / 86_400 }),
  tenths: fc.option(fc.nat(99_999_999), { nil: undefined, freq: 8 }),
  unit: fc.constantFrom("GAL", "CCF", "M3"),
  estimated: fc.boolean(),
});
const UNITS = { GAL: "gal", CCF: "ccf", M3: "m3" } as const;

const dated = (day: number) => new Date(day * 86_400_000).toISOString().slice(0, 10).replaceAll("-", "");

it("reads back whatever was written, however the file is cut", () => {
  fc.assert(
    fc.property(
      fc.array(lineOf, { maxLength: 20 }),
      fc.constantFrom("\n", "\r\n", "\n\n"),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 }),
      (lines, end, places) => {
        const text = lines
          .map(({ meter, serial, day, tenths, unit, estimated }) =>
            flat({
              meter,
              serial,
              date: dated(day),
              reading: tenths === undefined ? "" : String(tenths).padStart(8, "0"),
              unit,
              quality: estimated ? "E" : "",
            }),
          )
          .join(end);
        const { reads, rejects, rows } = read(text, { ...FLAT, impliedDecimals: 1 }, cutsOf(text, places));
        expect(rejects).toEqual([]);
        expect(rows).toBe(lines.length);
        expect(reads).toEqual(
          lines.map(({ meter, serial, day, tenths, unit, estimated }, i) => ({
            meter,
            channel: "",
            serial,
            kind: "register",
            time: day * 86_400,
            length: 0,
            ml: tenths === undefined ? null : Math.round((tenths / 10) * MILLILITRES[UNITS[unit]]),
            delivered: tenths === undefined ? null : tenths / 10,
            unit: UNITS[unit],
            flags: estimated ? Flag.estimated : 0,
            line: end === "\n\n" ? 2 * i + 1 : i + 1,
          })),
        );
      },
    ),
    { numRuns: 300 },
  );
});

const SEEDS = [
  [flat(), flat({ meter: "é", unit: "GAL" }), flat({ reading: "" })].join("\r\n"),
  "RT20260501\nMTM-1\nRD000007\nOR20260430E\nRD000008\nPR\n",
];
const NESTED: Options = {
  records: [
    { prefix: "RT", columns: { date: { from: 3, to: 10 } } },
    { prefix: "MT", columns: { meter: { from: 3, to: 8 } } },
    { prefix: "RD", columns: { reading: { from: 3, to: 8 } } },
    { prefix: "OR", columns: { date: { from: 3, to: 10 } } },
  ],
};

it("accounts for each reading of a damaged file, and cuts make no difference", () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 }),
      fc.constantFrom(FLAT, NESTED),
      (seed, places, options) => {
        const bytes = mutated(SEEDS, seeded(seed));
        const whole = read(bytes, options);
        expect(read(bytes, options, cutsOf(bytes, places))).toEqual(whole);
        const { reads, rejects, rows, rejected, valuesRejected } = whole;
        expect(rejects).toHaveLength(rejected);
        expect(reads).toHaveLength(rows);
        const lost = rejects.filter(({ code }) => code === "unknown-record" || code === "row-too-long");
        expect(valuesRejected).toBe(rejected - lost.length);
        if (options !== FLAT) return;
        // By another way: each line that is not blank is a reading.
        const lines = bytes
          .toString("latin1")
          .split("\n")
          .filter((line) => /[^\0- ]/.test(line));
        expect(rows + rejected).toBe(lines.length);
      },
    ),
    { numRuns: 500 },
  );
});

it(`never fails but for a file as a whole (${FUZZ.runs} inputs of seed ${FUZZ.seed})`, () => {
  const found = fuzzed(SEEDS, (bytes, cuts, run) => read(bytes, run % 2 === 0 ? FLAT : NESTED, cuts));
  expect(found).toEqual({ runs: FUZZ.runs, failures: [] });
}, 600_000);

it("reads the example of the documentation", () => {
  const page = readFileSync("docs/formats/fixed-width.md", "utf8");
  const [, text] = /```text\n([^]*?)```/.exec(page)!;
  const [, yaml] = /```yaml\n([^]*?)```/.exec(page)!;
  const { reads, rejects } = read(text!, (parse(yaml!) as { fixedWidth: Options }).fixedWidth);
  expect(rejects).toEqual([]);
  expect(
    reads.map(({ meter, time, delivered, unit, flags }) => [meter, time, delivered, unit, flags]),
  ).toEqual([
    ["N-4711", at("2026-05-01T07:00Z"), 12_345.6, "gal", 0],
    ["N-4712", at("2026-04-30T07:00Z"), 78.9, "gal", Flag.estimated],
    ["N-4713", at("2026-05-01T07:00Z"), null, "gal", 0],
  ]);
  for (const option of Object.keys(fixedWidthOptions.shape)) expect(page).toContain(`\`${option}`);
});
