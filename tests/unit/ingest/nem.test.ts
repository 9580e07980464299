import { existsSync, readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { parse } from "yaml";
import type { z } from "zod";
import { Nem } from "../../../ingest/formats/nem.js";
import { FileRejected, MOST_FRUITLESS_ROWS } from "../../../ingest/formats/format.js";
import { Flag } from "../../../schemas/flags.js";
import { nemOptions } from "../../../schemas/formats/nem.js";
import { MILLILITRES } from "../../../schemas/units.js";
import { cutsOf, FUZZ, fuzzed, mutated, NOW, readFormat } from "../../harness/read-format.js";
import { seeded } from "../../../bench/random.js";
import { at } from "../../harness/read-text.js";

const SAMPLES = "../shared/samples/nem";

type Options = z.input<typeof nemOptions>;

function read(text: string | Buffer, options: Options = {}, cuts: readonly number[] = []) {
  const nem = nemOptions.parse(options);
  return readFormat((sink) => new Nem({ nem, now: NOW }, sink), text, cuts);
}

const HEAD = "100,NEM12,202605011135,MDA1,Ret1";
const stream = (
  more: { unit?: string; minutes?: string; nmi?: string; suffix?: string; serial?: string } = {},
) =>
  `200,${more.nmi ?? "NMI1"},W1,1,${more.suffix ?? "W1"},N1,${more.serial ?? "S1"},${more.unit ?? "kL"},${more.minutes ?? "360"},`;
const day = (values: string, quality = "A", date = "20260501") => `300,${date},${values},${quality},,,,`;
/** A file of NEM12 of these records. */
const file = (...records: string[]) => [HEAD, ...records, "900"].join("\r\n") + "\r\n";

function refusals(text: string, options: Options = {}) {
  return read(text, options).rejects.map(({ line, code, field, value }) => [line, code, field, value]);
}
/** Millilitres and flags of each read. */
function values(text: string, options: Options = {}) {
  const { reads, rejects } = read(text, options);
  expect(rejects).toEqual([]);
  return reads.map(({ ml, flags }) => [ml, flags]);
}

describe("NEM12", () => {
  it("reads a day as usages between its midnights of UTC+10", () => {
    const { reads, rejects, rows, rejected, series } = read(file(stream(), day("0.5,1,.25,0")));
    expect(rejects).toEqual([]);
    expect([rows, rejected]).toEqual([1, 0]);
    expect(reads.map(({ time, length, ml, delivered }) => [time, length, ml, delivered])).toEqual([
      [at("2026-04-30T14:00Z"), 21_600, 500_000, 0.5],
      [at("2026-04-30T20:00Z"), 21_600, 1_000_000, 1],
      [at("2026-05-01T02:00Z"), 21_600, 250_000, 0.25],
      [at("2026-05-01T08:00Z"), 21_600, 0, 0],
    ]);
    expect(reads[0]).toMatchObject({
      meter: "NMI1",
      channel: "W1",
      serial: "S1",
      kind: "usage",
      unit: "kL",
      flags: 0,
      line: 3,
    });
    expect(series).toMatchObject([{ unit: "kL", mlPerUnit: 1_000_000, decimals: 2 }]);
  });

  it("keeps the offset that the source names, in summer as in winter", () => {
    const times = (utcOffset: string) =>
      read(file(stream({ minutes: "1440" }), day("1", "A", "20260101"), day("1", "A", "20260701")), {
        utcOffset,
      }).reads.map(({ time }) => time);
    expect(times("+08:00")).toEqual([at("2025-12-31T16:00Z"), at("2026-06-30T16:00Z")]);
    expect(times("-03:30")).toEqual([at("2026-01-01T03:30Z"), at("2026-07-01T03:30Z")]);
  });

  it.each([
    ["kL", 1_000_000],
    ["KL", 1_000_000],
    ["kl", 1_000_000],
    ["L", 1_000],
    ["l", 1_000],
    ["m3", 1_000_000],
    ["M3", 1_000_000],
    ["ML", 1_000_000_000],
    ["mL", 1],
  ])("understands the unit %s", (unit, ml) => {
    expect(values(file(stream({ unit, minutes: "1440" }), day("1")))).toEqual([[ml, 0]]);
  });

  it("rejects days in units of something else, and in words that it does not know", () => {
    const refused = (unit: string, options: Options = {}) =>
      refusals(file(stream({ unit }), day("1,2,3,4")), options).map((reject) => reject.slice(1));
    expect(refused("kWh")).toEqual([["not-water", "unit", "kWh"]]);
    expect(refused("KVARH")).toEqual([["not-water", "unit", "KVARH"]]);
    expect(refused("ml")).toEqual([["unknown-unit", "unit", "ml"]]);
    expect(refused("")).toEqual([["unknown-unit", "unit", ""]]);
    expect(refused("NMI0012345")).toEqual([["unknown-unit", "unit", "aaa9999999"]]);
    expect(refused("kWh", { treatAs: { KWH: "L" } })).toEqual([]);
    expect(refused("", { treatAs: { "": "L" } })).toEqual([]);
  });

  it.each([
    ["A", 0],
    ["a", 0],
    ["A12", 0],
    ["E52", Flag.estimated],
    ["F14", Flag.estimated],
    ["S53", Flag.estimated],
    ["S", Flag.estimated],
  ])("flags a day of quality %s", (quality, flags) => {
    expect(values(file(stream({ minutes: "1440" }), day("1", quality)))).toEqual([[1_000_000, flags]]);
  });

  it("takes quality N and empty values for no read, never for 0", () => {
    expect(values(file(stream(), day("0,0,x,0", "N")))).toEqual([
      [null, 0],
      [null, 0],
      [null, 0],
      [null, 0],
    ]);
    expect(values(file(stream(), day("1,, ,0")))).toEqual([
      [1_000_000, 0],
      [null, 0],
      [null, 0],
      [0, 0],
    ]);
  });

  it("rejects a day whose quality is none, or not where it must be", () => {
    for (const quality of ["", "Q", "A123", "AB", "1"]) {
      const { rejects, valuesRejected, reads } = read(file(stream(), day("1,2,3,4", quality)));
      expect(rejects).toMatchObject([{ code: "unknown-quality", field: "quality", value: quality }]);
      expect([valuesRejected, reads]).toEqual([4, []]);
    }
    // A day of 15 minutes under a record that says 6 hours.
    expect(refusals(file(stream(), day("1,2,3,4,5")))).toEqual([[3, "unknown-quality", "quality", "5"]]);
  });

  it("gives each part of a day of quality V the quality of its 400 record", () => {
    const split = ["400,1,1,F14,76,", "400,2,2,A,,", "400,3,3,N,,", "400,4,4,E52,,"];
    expect(values(file(stream(), day("1,2,3,4", "V"), ...split))).toEqual([
      [1_000_000, Flag.estimated],
      [2_000_000, 0],
      [null, 0],
      [4_000_000, Flag.estimated],
    ]);
    expect(values(file(stream(), day("1,2,3,4", "V"), "400,3,4,A", "400,1,2,S53"))).toEqual([
      [1_000_000, Flag.estimated],
      [2_000_000, Flag.estimated],
      [3_000_000, 0],
      [4_000_000, 0],
    ]);
  });

  it.each([
    [[]],
    [["400,1,3,A,,"]],
    [["400,2,4,A,,"]],
    [["400,1,2,A,,", "400,2,4,A,,"]],
    [["400,1,5,A,,"]],
    [["400,0,4,A,,"]],
    [["400,3,2,A,,", "400,1,4,A,,"]],
    [["400,1,4,V,,"]],
    [["400,1,4,Q,,"]],
    [["400,1,4"]],
    [["400,one,4,A"]],
    [["400,1,2,A", "500,S,RSO,20260501000000,1", "400,3,4,A"]],
  ])("rejects a day of quality V that %j does not cover once", (split) => {
    const found = read(file(stream(), day("1,2,3,4", "V"), ...split, day("5,6,7,8", "A", "20260502")));
    expect(found.rejects[0]).toMatchObject({ line: 3, code: "bad-split", field: "quality" });
    expect(found.reads.map(({ delivered }) => delivered)).toEqual([5, 6, 7, 8]);
    expect([found.rows, found.valuesRejected]).toEqual([1, 4]);
  });

  it("rejects the 400 records of a day with it", () => {
    for (const record of [stream({ unit: "kWh" }), stream({ nmi: "" }), "200,x"]) {
      const found = read(file(record, day("1,2,3,4", "V"), "400,1,2,A", "400,3,4,A"));
      expect(found.rejects.map(({ line }) => line)).toEqual([3]);
    }
    const short = file(stream(), "300,20260501,1,2", "400,1,2,A", day("1,2,3,4"), "400,1,4,A");
    expect(refusals(short).map(([line, code]) => [line, code])).toEqual([
      [3, "too-few-columns"],
      [6, "misplaced-record"],
    ]);
  });

  it("rejects single values, and takes the others of their day", () => {
    const found = read(file(stream(), day("1,x,-3,9e12")));
    expect(found.reads.map(({ delivered }) => delivered)).toEqual([1]);
    expect(found.rejects.map(({ code, field, value }) => [code, field, value])).toEqual([
      ["bad-number", "interval 2", "x"],
      ["negative-usage", "interval 3", "-3"],
      ["out-of-range", "interval 4", "9e12"],
    ]);
    expect([found.rows, found.rejected, found.valuesRejected]).toEqual([0, 1, 3]);
  });

  it("rejects a day of another date, of the future, or before 1990, once", () => {
    for (const [date, code] of [
      ["20260230", "bad-date"],
      ["2026051", "bad-date"],
      ["20270101", "time-in-future"],
      ["19800101", "time-too-early"],
    ] as const) {
      const found = read(file(stream(), day("1,2,3,4", "A", date)));
      expect(found.rejects).toMatchObject([{ code, field: "date", value: date }]);
      expect(found.valuesRejected).toBe(4);
    }
  });

  it("rejects a day with fewer or more fields than it must have", () => {
    expect(refusals(file(stream(), "300,20260501,1,2,3,4"))).toEqual([
      [3, "too-few-columns", "row", "6 fields"],
    ]);
    expect(refusals(file(stream(), day("1,2,3,4") + ",x"))).toEqual([
      [3, "too-many-columns", "row", "12 fields"],
    ]);
    expect(values(file(stream(), "300,20260501,1,2,3,4,A"))).toHaveLength(4);
    expect(values(file(stream() + ",,,,", day("1,2,3,4") + ",,,,") + ",,,\r\n")).toHaveLength(4);
  });

  it("says of each day what is wrong in the 200 record above it", () => {
    const refused = (record: string) => {
      const found = read(file(record, day("1,2,3,4"), day("1,2,3,4")));
      expect([found.reads, found.rows, found.rejected]).toEqual([[], 0, 2]);
      return [
        ...found.rejects.map(({ line, code, field, value }) => [line, code, field, value])[1]!,
        found.valuesRejected,
      ];
    };
    expect(refused(stream({ nmi: "" }))).toEqual([4, "missing-meter", "meter", null, 8]);
    expect(refused(stream({ serial: "s".repeat(201) }))).toEqual([4, "bad-id", "serial", null, 8]);
    expect(refused(stream({ suffix: "s".repeat(17) }))).toEqual([4, "bad-id", "channel", null, 8]);
    expect(refused(stream({ unit: "kWh" }))).toEqual([4, "not-water", "unit", "kWh", 8]);
    expect(refused(stream({ minutes: "7" }))).toEqual([4, "bad-interval", "interval length", "9", 0]);
    expect(refused(stream({ minutes: "0" }))).toEqual([4, "bad-interval", "interval length", "9", 0]);
    expect(refused("200,NMI1,W1")).toEqual([4, "too-few-columns", "row", "3 fields", 0]);
  });

  it("takes the meter from where the source says", () => {
    const names = (options: Options) =>
      read(file(stream(), day("1,2,3,4")), options).reads.map(({ meter, channel, serial }) => [
        meter,
        channel,
        serial,
      ])[0];
    expect(names({ meter: "serial" })).toEqual(["S1", "W1", ""]);
    expect(names({ channel: "none" })).toEqual(["NMI1", "", "S1"]);
    expect(names({ meterId: { upperCase: true } })).toEqual(["NMI1", "W1", "S1"]);
  });

  it("keeps the streams of a file apart, and one stream together", () => {
    const { series } = read(
      file(
        stream(),
        day("1,2,3,4"),
        stream({ suffix: "W2" }),
        day("1,2,3,4"),
        stream(),
        day("1,2,3,4", "A", "20260502"),
      ),
    );
    expect(series.map(({ channel }) => channel)).toEqual(["W1", "W2"]);
  });

  it("passes 500 records over", () => {
    expect(values(file(stream({ minutes: "1440" }), day("1"), "500,S,RSO,20260501000000,1234"))).toHaveLength(
      1,
    );
  });
});

describe("NEM13", () => {
  const HEAD13 = "100,NEM13,202605010000,MDA1,Ret1";
  interface Parts {
    readonly previous?: string;
    readonly current?: string;
    readonly unit?: string;
    readonly nmi?: string;
  }
  const registers = (parts: Parts = {}) => {
    const {
      previous = "006342.8,20260401093055,A,,",
      current = "007654.9,20260501100333,E64,,",
      unit = "kL",
    } = parts;
    return `250,${parts.nmi ?? "NMI1"},11,1,11,11,S1,E,${previous},${current},1312.1,${unit},20260801, 20260501100333,`;
  };
  const file13 = (...records: string[]) => [HEAD13, ...records, "900"].join("\n");

  it("reads the previous and the current register at their instants", () => {
    const { reads, rejects, rows } = read(file13(registers(), "550,N,,E,"));
    expect([rejects, rows]).toEqual([[], 1]);
    expect(reads).toEqual([
      {
        meter: "NMI1",
        channel: "11",
        serial: "S1",
        kind: "register",
        time: at("2026-03-31T23:30:55Z"),
        length: 0,
        ml: 6_342_800_000,
        delivered: 6342.8,
        unit: "kL",
        flags: 0,
        line: 2,
      },
      expect.objectContaining({
        time: at("2026-05-01T00:03:33Z"),
        ml: 7_654_900_000,
        flags: Flag.estimated,
      }),
    ]);
  });

  it("takes N and an empty register for no read", () => {
    const found = read(
      file13(registers({ previous: ",20260401000000,A,,", current: "5,20260501000000,N,," })),
    );
    expect(found.reads.map(({ ml }) => ml)).toEqual([null, null]);
  });

  it("rejects one register and takes the other, and tells shapes alone", () => {
    const found = read(
      file13(
        registers({ previous: "12x,20260401000000,A,," }),
        registers({ current: "12,2026040100,A,," }),
        registers({ current: "12,20260401000000,V,," }),
        registers({ current: "12,20270401000000,A,," }),
        registers({ current: "9e15,20260401000000,A,," }),
      ),
    );
    expect(found.rejects.map(({ line, code, field, value }) => [line, code, field, value])).toEqual([
      [2, "bad-number", "previous register", "99a"],
      [3, "bad-time", "current time", "9999999999"],
      [4, "unknown-quality", "current quality", "a"],
      [5, "time-in-future", "current time", "99999999999999"],
      [6, "out-of-range", "current register", "9a99"],
    ]);
    expect([found.reads.length, found.rows, found.rejected, found.valuesRejected]).toEqual([5, 0, 5, 5]);
  });

  it("rejects a pair without a meter, in another unit, or with too few fields", () => {
    expect(refusals(file13(registers({ nmi: "" })))).toEqual([[2, "missing-meter", "meter", null]]);
    expect(refusals(file13(registers({ unit: "kWh" })))).toEqual([[2, "not-water", "unit", "kWh"]]);
    expect(refusals(file13("250,NMI1,11"))).toEqual([[2, "too-few-columns", "row", "3 fields"]]);
  });
});

describe("the order of records", () => {
  const whole = file(stream({ minutes: "1440" }), day("1"));

  it("rejects a file that does not begin with a 100 record", () => {
    for (const text of ["", "\n\n", "200,x", "NMI,date\n", "100,NEM05,1", "100", whole.slice(1)])
      expect(() => read(text)).toThrow(FileRejected);
  });

  it("rejects a file that does not end with a 900 record: it was cut off", () => {
    expect(() => read(whole.replace("900", ""))).toThrow("900 record");
    expect(() => read(whole.slice(0, 60))).toThrow(FileRejected);
    expect(() => read(whole.replace("900\r\n", "") + whole)).toThrow("Line 4 begins a file within another");
  });

  it("reads files that were put behind each other", () => {
    expect(values(whole + whole.replace("20260501,", "20260502,"))).toHaveLength(2);
  });

  it("rejects records out of their place", () => {
    const misplaced = (...records: string[]) =>
      refusals(file(...records)).map(([line, code]) => [line, code]);
    expect(misplaced(day("1"))).toEqual([[2, "misplaced-record"]]);
    expect(misplaced("400,1,1,A", "500,x")).toEqual([
      [2, "misplaced-record"],
      [3, "misplaced-record"],
    ]);
    expect(misplaced(stream({ minutes: "1440" }), day("1"), "400,1,1,A")).toEqual([[4, "misplaced-record"]]);
    expect(misplaced("250,NMI1", "550,x")).toEqual([
      [2, "misplaced-record"],
      [3, "misplaced-record"],
    ]);
    expect(refusals(whole + "200,x\n")).toEqual([[5, "misplaced-record", "record type", "200"]]);
  });

  it("gives no day to another meter where a record that may have been a 200 can't be read", () => {
    for (const [damaged, code] of [
      ["20O,NMI2,W1,1,W1,N1,S2,kL,1440,", "unknown-record"],
      ['200,"NMI2,W1,1,W1,N1,S2,kL,1440,', "stray-quote"],
    ]) {
      const found = read(
        file(
          stream({ minutes: "1440" }),
          day("1"),
          damaged!,
          day("2"),
          stream({ minutes: "1440", nmi: "NMI3" }),
          day("3"),
        ),
      );
      expect(found.reads.map(({ meter, delivered }) => [meter, delivered])).toEqual([
        ["NMI1", 1],
        ["NMI3", 3],
      ]);
      expect(found.rejects.map((reject) => reject.code)).toEqual([code, "misplaced-record"]);
    }
  });

  it("gives a file up of which nothing can be taken, but not for energy in it", () => {
    const lines = (line: string) => Array.from({ length: MOST_FRUITLESS_ROWS }, () => line);
    expect(() => read(file(stream({ unit: "blobs" }), ...lines(day("1,2,3,4"))))).toThrow("source.nem");
    const mixed = file(stream({ unit: "kWh" }), ...lines(day("1,2,3,4")), stream(), day("1,2,3,4"));
    expect(read(mixed)).toMatchObject({ rows: 1, rejected: MOST_FRUITLESS_ROWS });
  });
});

interface Written {
  readonly nmi: string;
  readonly suffix: string;
  readonly serial: string;
  readonly minutes: number;
  readonly unit: "kL" | "L" | "m3" | "ML";
  readonly days: readonly {
    readonly date: number;
    /** Thousandths; undefined: empty. */
    readonly values: readonly (number | undefined)[];
    /** Qualities from each interval on. */
    readonly qualities: readonly { readonly from: number; readonly quality: string }[];
  }[];
}

const written: fc.Arbitrary<Written> = fc
  .record({
    nmi: fc.constantFrom("NMI1", "0012345678", "a b", "é"),
    suffix: fc.constantFrom("", "W1", "W2"),
    serial: fc.constantFrom("", "S-1", "S 2"),
    minutes: fc.constantFrom(30, 60, 120, 1440),
    unit: fc.constantFrom("kL", "L", "m3", "ML"),
  })
  .chain((head) => {
    const count = 1440 / head.minutes;
    const quality = fc.constantFrom("A", "E52", "F14", "S53", "N");
    return fc.record({
      ...Object.fromEntries(Object.entries(head).map(([name, value]) => [name, fc.constant(value)])),
      days: fc.array(
        fc.record({
          date: fc.integer({ min: at("2020-01-01T00:00Z") / 86_400, max: at("2026-06-01T00:00Z") / 86_400 }),
          values: fc.array(fc.option(fc.nat(10_000_000), { nil: undefined, freq: 8 }), {
            minLength: count,
            maxLength: count,
          }),
          qualities: fc
            .tuple(
              fc.uniqueArray(fc.integer({ min: 1, max: Math.max(1, count - 1) }), { maxLength: 4 }),
              quality,
              quality,
            )
            .map(([cuts, one, other]) =>
              [0, ...cuts.filter((cut) => cut < count).sort((a, b) => a - b)].map((from, i) => ({
                from,
                quality: i % 2 === 0 ? one : other,
              })),
            ),
        }),
        { maxLength: 4 },
      ),
    }) as unknown as fc.Arbitrary<Written>;
  });

function recordsOf({ nmi, suffix, serial, minutes, unit, days }: Written): string[] {
  const count = 1440 / minutes;
  return [
    stream({ nmi, suffix, serial, minutes: String(minutes), unit }),
    ...days.flatMap(({ date, values: list, qualities }) => {
      const shown = new Date(date * 86_400_000).toISOString().slice(0, 10).replaceAll("-", "");
      const text = list.map((value) => (value === undefined ? "" : (value / 1000).toFixed(3))).join(",");
      if (qualities.length === 1) return [day(text, qualities[0]!.quality, shown)];
      return [
        day(text, "V", shown),
        ...qualities.map(
          ({ from, quality }, i) => `400,${from + 1},${qualities[i + 1]?.from ?? count},${quality},,`,
        ),
      ];
    }),
  ];
}

const FLAGS: Readonly<Record<string, number>> = { A: 0, N: 0 };

it("reads back whatever was written, however the file is cut", () => {
  fc.assert(
    fc.property(
      fc.array(written, { maxLength: 5 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 }),
      (streams, places) => {
        const text = file(...streams.flatMap(recordsOf));
        const { reads, rejects, rows } = read(text, {}, cutsOf(text, places));
        expect(rejects).toEqual([]);
        expect(rows).toBe(streams.reduce((sum, { days }) => sum + days.length, 0));
        const expected = streams.flatMap(({ nmi, suffix, serial, minutes, unit, days }) =>
          days.flatMap(({ date, values: list, qualities }) =>
            list.map((value, i) => {
              const { quality } = qualities.filter(({ from }) => from <= i).at(-1)!;
              const ml =
                value === undefined || quality === "N"
                  ? null
                  : Math.round((value / 1000) * MILLILITRES[unit]);
              return [
                [nmi, suffix, serial, unit, "usage"],
                date * 86_400 - 36_000 + i * minutes * 60,
                minutes * 60,
                ml,
                FLAGS[quality] ?? Flag.estimated,
              ];
            }),
          ),
        );
        expect(
          reads.map(({ meter, channel, serial, unit, kind, time, length, ml, flags }) => [
            [meter, channel, serial, unit, kind],
            time,
            length,
            ml,
            flags,
          ]),
        ).toEqual(expected);
      },
    ),
    { numRuns: 200 },
  );
});

it("counts as many rows and values as were written, read or rejected", () => {
  const damages = ["", "value", "date", "quality", "field", "unit", "nmi", "split"] as const;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(written, fc.constantFrom(...damages)), { minLength: 1, maxLength: 5 }),
      (streams) => {
        const records = streams.flatMap(([one, damage]) =>
          recordsOf(one).map((line) => {
            if (damage === "unit") return line.replace(/^(200.*),(kL|L|m3|ML),/, "$1,kWh,");
            if (damage === "nmi") return line.replace(/^200,[^,]*/, "200,");
            if (damage === "split") return line.replace(/^400,1,/, "400,2,");
            if (!line.startsWith("300")) return line;
            if (damage === "value") return line.replace(/,\d+\.\d{3}/, ",bad");
            if (damage === "date") return line.replace(/^300,\d+/, "300,20261301");
            if (damage === "quality") return line.replace(/,[AEFSNV]\d*,,,,$/, ",Q,,,,");
            return damage === "field" ? line + ",,7" : line;
          }),
        );
        const { reads, rows, rejected, valuesRejected } = read(file(...records));
        const days = streams.flatMap(([{ days: list }]) => list);
        expect(rows + rejected).toBe(days.length);
        expect(reads.length + valuesRejected).toBe(
          days.reduce((sum, { values: list }) => sum + list.length, 0),
        );
      },
    ),
    { numRuns: 200 },
  );
});

const SEEDS = [
  file(stream(), day("0.5,1,.25,0"), day("1,2,3,4", "V"), "400,1,2,A,,", "400,3,4,F14,76,", "500,S,,,"),
  file(stream({ unit: "kWh" }), day("1,2,3,4"), stream({ suffix: "W2" }), day("1,,3,", "N")),
  "100,NEM13,202605010000,A,B\n250,N,1,1,11,11,S,E,0063.8,20260401093055,A,,,0076.9,20260501100333,E64,,,13,kL,,\n550,N,,E,\n900\n",
];

it("reads damaged files the same way however they are cut", () => {
  const outcome = (bytes: Buffer, cuts: readonly number[]) => {
    try {
      return read(bytes, {}, cuts);
    } catch (error) {
      if (error instanceof FileRejected) return [error.field, error.message];
      throw error;
    }
  };
  fc.assert(
    fc.property(
      fc.nat(),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 }),
      (seed, places) => {
        const bytes = mutated(SEEDS, seeded(seed));
        expect(outcome(bytes, cutsOf(bytes, places))).toEqual(outcome(bytes, []));
      },
    ),
    { numRuns: 500 },
  );
});

it(`never fails but for a file as a whole (${FUZZ.runs} inputs of seed ${FUZZ.seed})`, () => {
  const options: Options[] = [{}, { meter: "serial", channel: "none", treatAs: { kWh: "L" } }];
  const found = fuzzed(SEEDS, (bytes, cuts, run) => read(bytes, options[run % options.length], cuts));
  expect(found).toEqual({ runs: FUZZ.runs, failures: [] });
}, 600_000);

describe("the public samples", () => {
  const absent = !existsSync(SAMPLES);
  if (absent) process.stderr.write(`SKIPPED: "the public samples": ${SAMPLES} is absent\n`);
  const names = absent
    ? [`no file: ${SAMPLES} is absent`]
    : readdirSync(SAMPLES).filter((name) => name.endsWith(".csv"));
  const title = absent ? "SKIPPED: %s" : "reads %s as a count by hand does";

  (absent ? it.skip : it).each(names)(title, (name) => {
    const text = readFileSync(`${SAMPLES}/${name}`, "utf8");
    // Electricity: as if each unit were litres.
    const treatAs = Object.fromEntries(
      ["kWh", "Wh", "kVArh", "VArh", ""].map((word) => [word, "L" as const]),
    );
    const found = read(text, { treatAs });
    const lines = text.split(/\r?\n/).map((line) => line.split(","));
    const days = lines.filter(([type]) => type === "300");
    const pairs = lines.filter(([type]) => type === "250");
    expect(found.rejects).toEqual([]);
    expect([found.rows, found.rejected]).toEqual([days.length + pairs.length, 0]);

    // Values of a day: all fields between its date and the first that is no number.
    const numbers = days.map((fields) => {
      const rest = fields.slice(2);
      return rest
        .slice(
          0,
          rest.findIndex((field) => Number.isNaN(parseFloat(field))),
        )
        .map(Number);
    });
    const registers = pairs.map((fields) => [Number(fields[8]), Number(fields[13])]);
    const expected = [...numbers, ...registers].flat();
    const sum = (list: readonly number[]) => list.reduce((total, value) => total + value, 0);
    expect(found.reads).toHaveLength(expected.length);
    expect(sum(found.reads.map(({ delivered }) => delivered!))).toBeCloseTo(sum(expected), 6);
    const usage = found.reads.filter(({ kind }) => kind === "usage");
    expect(usage.reduce((total, { length }) => total + length, 0)).toBe(days.length * 86_400);

    const estimatedDays = days.filter((fields) => fields.some((field) => /^[EFS]\d\d$/.test(field))).length;
    const estimatedParts = lines
      .filter(([type, , , quality]) => type === "400" && /^[EFS]/.test(quality!))
      .map(([, from, to]) => Number(to) - Number(from) + 1);
    const perDay = usage.length / Math.max(1, days.length);
    const forward = pairs
      .flatMap((fields) => [fields[10]!, fields[15]!])
      .filter((quality) => /^[EFS]/.test(quality));
    expect(found.reads.filter(({ flags }) => flags === Flag.estimated)).toHaveLength(
      estimatedDays * perDay + sum(estimatedParts) + forward.length,
    );
  });

  (absent ? it.skip : it)("takes no energy for water, and says so of each day", () => {
    const { reads, rejects } = read(readFileSync(`${SAMPLES}/Example_NEM12_actual_interval.csv`));
    expect(reads).toEqual([]);
    expect(rejects.map(({ code, value }) => [code, value])).toEqual([
      ["not-water", "kWh"],
      ["not-water", "kVArh"],
    ]);
  });
});

it("reads the examples of the documentation", () => {
  const page = readFileSync("docs/formats/nem.md", "utf8");
  const texts = [...page.matchAll(/```text\n([^]*?)```/g)].map(([, text]) => text!);
  const [, yaml] = /```yaml\n([^]*?)```/.exec(page)!;
  const options = (parse(yaml!) as { nem: Options }).nem;
  const [intervals, registers] = texts.map((text) => read(text, options));
  expect([intervals!.rejects, registers!.rejects]).toEqual([[], []]);
  expect(intervals!.reads.map(({ time, ml, flags }) => [time, ml, flags])).toEqual([
    [at("2026-04-30T14:00Z"), 20_000, 0],
    [at("2026-04-30T20:00Z"), 145_000, 0],
    [at("2026-05-01T02:00Z"), 80_000, 0],
    [at("2026-05-01T08:00Z"), null, 0],
    [at("2026-05-01T14:00Z"), 10_000, 0],
    [at("2026-05-01T20:00Z"), 150_000, 0],
    [at("2026-05-02T02:00Z"), 75_000, Flag.estimated],
    [at("2026-05-02T08:00Z"), 60_000, Flag.estimated],
  ]);
  expect(registers!.reads.map(({ time, ml }) => [time, ml])).toEqual([
    [at("2026-01-11T23:30:00Z"), 812_000_000],
    [at("2026-04-13T00:05:00Z"), 854_000_000],
  ]);
  for (const option of Object.keys(nemOptions.shape)) expect(page).toContain(`\`${option}\``);
});
