import { readFileSync } from "node:fs";
import fc from "fast-check";
import { parse } from "yaml";
import type { z } from "zod";
import { Cmep } from "../../../ingest/formats/cmep.js";
import { FileRejected, MOST_FRUITLESS_ROWS } from "../../../ingest/formats/format.js";
import { TimeZone } from "../../../infra/time-zone.js";
import { Flag } from "../../../schemas/flags.js";
import { cmepOptions } from "../../../schemas/formats/cmep.js";
import { MILLILITRES } from "../../../schemas/units.js";
import { cutsOf, FUZZ, fuzzed, mutated, NOW, readFormat } from "../../harness/read-format.js";
import { seeded } from "../../../bench/random.js";
import { at } from "../../harness/read-text.js";

const ZONE = "America/Los_Angeles";
const HOUR = 3600;

type Options = z.input<typeof cmepOptions>;

function read(text: string | Buffer, options: Options = {}, cuts: readonly number[] = []) {
  const cmep = cmepOptions.parse(options);
  return readFormat((sink) => new Cmep({ cmep, timeZone: ZONE, now: NOW }, sink), text, cuts);
}

interface Parts {
  readonly type?: string;
  readonly sender?: string;
  readonly receiver?: string;
  readonly customer?: string;
  readonly meter?: string;
  readonly purpose?: string;
  readonly commodity?: string;
  readonly units?: string;
  readonly constant?: string;
  readonly interval?: string;
  readonly count?: string;
}

/** A record of triples such as "202605010100,R0,7". */
function record(triples: readonly string[], parts: Parts = {}): string {
  const {
    type = "MEPMD01",
    sender = "SPS:130000",
    receiver = "R-1",
    customer = "W-1",
    meter = "M-1",
  } = parts;
  const { purpose = "OK", commodity = "W", units = "GAL", constant = "1.0", interval = "00000100" } = parts;
  const { count = String(triples.length) } = parts;
  return [
    ...[type, "20080501", "SENSUS", sender, receiver, customer, "202605011458", meter],
    ...[purpose, commodity, units, constant, interval, count, ...triples],
  ].join(",");
}

/** What one triple becomes: millilitres and flags, or the code of its reject. */
function one(triple: string, parts: Parts = {}, options: Options = {}) {
  const { reads, rejects } = read(record([triple], parts), options);
  expect(reads.length + rejects.length).toBe(1);
  return rejects[0]?.code ?? [reads[0]!.ml, reads[0]!.flags];
}

function refusal(line: string, options: Options = {}) {
  const { rejects, reads } = read(line, options);
  expect(reads).toEqual([]);
  return rejects.map(({ code, field, value }) => [code, field, value]);
}

describe("values", () => {
  it("reads usage as the interval that ends at its stamp, in UTC", () => {
    const { reads, rows, rejected } = read(record(["202605010100,R0,7.5"]));
    expect([rows, rejected]).toEqual([1, 0]);
    expect(reads).toEqual([
      {
        meter: "M-1",
        channel: "",
        serial: "",
        kind: "usage",
        time: at("2026-05-01T00:00Z"),
        length: HOUR,
        ml: 28_391,
        delivered: 7.5,
        unit: "gal",
        flags: 0,
        line: 1,
      },
    ]);
  });

  it("reads units that end in REG as registers at their stamp, and N32 as no read", () => {
    const { reads, rejects } = read(
      record(["202605010001,R0,36318", "202605010101,R0,36328", "202605010202,N32,0"], {
        units: "GALREG",
        receiver: "40000001",
        customer: "W00000001",
        meter: "",
      }),
      { meter: "key" },
    );
    expect(rejects).toEqual([]);
    expect(
      reads.map(({ meter, kind, time, length, delivered }) => [meter, kind, time, length, delivered]),
    ).toEqual([
      ["W00000001", "register", at("2026-05-01T00:01Z"), 0, 36_318],
      ["W00000001", "register", at("2026-05-01T01:01Z"), 0, 36_328],
      ["W00000001", "register", at("2026-05-01T02:02Z"), 0, null],
    ]);
  });

  it.each([
    ["GAL", "usage", "gal"],
    ["CF", "usage", "ft3"],
    ["CCF", "usage", "ccf"],
    ["MCF", "usage", "kcf"],
    ["ACFT", "usage", "acft"],
    ["KGAL", "usage", "kgal"],
    ["M3", "usage", "m3"],
    ["ML", "usage", "ML"],
    ["CFREG", "register", "ft3"],
    ["CCFREG", "register", "ccf"],
    ["galreg", "register", "gal"],
  ])("understands the units %s", (units, kind, unit) => {
    const { reads, series } = read(record(["202605010100,R0,2"], { units }));
    expect(reads[0]).toMatchObject({ kind, unit, ml: Math.round(2 * MILLILITRES[unit as "gal"]) });
    expect(series[0]).toMatchObject({ unit, mlPerUnit: MILLILITRES[unit as "gal"] });
  });

  it.each([
    ["7", 7],
    ["+7", 7],
    ["7.", 7],
    [".5", 0.5],
    ["1.5E+3", 1500],
    ["1.5e3", 1500],
    ["15D-1", 1.5],
    ["15d0", 15],
    ["H1F", 31],
    ["HfF", 255],
    [" 12 ", 12],
    ["0.1234567890123456789", 0.12345678901234568],
    ["-0", 0],
  ])("reads the number %s", (text, number) => {
    expect(one(`202605010100,,${text}`, { units: "L" })).toEqual([Math.round(number * 1000), 0]);
  });

  it.each(["x", "1,5", "H", "HXY", "1.2.3", "E3", "1E", "--1", "1 2", "Infinity", "NaN", "0x1F", "9E999"])(
    "rejects %s as a number",
    (text) => {
      expect(one(`202605010100,,"${text}"`)).toBe("bad-number");
    },
  );

  it("takes an empty value for no read, never for 0", () => {
    expect(one("202605010100,R0,")).toEqual([null, 0]);
    expect(one("202605010100,,")).toEqual([null, 0]);
    expect(one("202605010100,E,")).toEqual([null, Flag.estimated]);
  });

  it("multiplies by the record's constant and the source's multiplier", () => {
    const triple = "202605010100,,2";
    expect(one(triple, { units: "L", constant: "10" })).toEqual([20_000, 0]);
    expect(one(triple, { units: "L", constant: "" })).toEqual([2_000, 0]);
    expect(one(triple, { units: "L", constant: "10" }, { constant: "ignore" })).toEqual([2_000, 0]);
    expect(one(triple, { units: "L", constant: "10" }, { multiplier: 0.5 })).toEqual([10_000, 0]);
    expect(refusal(record([triple], { constant: "0" }))).toEqual([["bad-number", "constant", "0"]]);
    expect(refusal(record([triple], { constant: "ten" }))).toEqual([["bad-number", "constant", "ten"]]);
  });

  it("takes a step back of a register as it stands, and a usage below 0 not at all", () => {
    expect(one("202605010100,R0,-5", { units: "LREG" })).toEqual([-5_000, 0]);
    expect(one("202605010100,R0,-5", { units: "L" })).toBe("negative-usage");
    expect(one("202605010100,R0,9E12", { units: "KL" })).toBe("out-of-range");
  });

  it("remembers the most decimals of a series", () => {
    expect(read(record(["202605010100,,1.25", "202605010200,,1"])).series[0]!.decimals).toBe(2);
  });
});

describe("flags", () => {
  const { estimated, adjusted, suspect, deviceRollover, deviceReset, deviceClock, testMode } = Flag;
  it.each([
    ["", 0],
    ["R", 0],
    ["R0", 0],
    ["0", 0],
    ["e", estimated],
    ["E64", estimated],
    ["A0", adjusted],
    [`R${2 ** 8}`, deviceClock],
    [`R${2 ** 9}`, suspect],
    [`R${2 ** 10}`, suspect],
    [`R${2 ** 11}`, suspect],
    [`R${2 ** 12}`, testMode],
    [`R${2 ** 13}`, deviceRollover],
    [`R${2 ** 14}`, deviceReset],
    [`R${2 ** 15}`, deviceClock],
    [`R${2 ** 16}`, deviceReset],
    [`R${2 ** 17}`, deviceReset],
    [`E${2 ** 13 + 2 ** 8 + 2 ** 6}`, estimated | deviceRollover | deviceClock],
    // Communication, outage, restoral, sag, swell, summer time, out of service.
    [`R${1 + 2 + 4 + 8 + 16 + 64 + 128}`, 0],
  ])("reads %s", (flag, flags) => {
    expect(one(`202605010100,${flag},1`, { units: "L" })).toEqual([1000, flags]);
  });

  it.each(["N", "N32", "N0", "R32", "E32"])("takes %s for no read, whatever the value", (flag) => {
    expect(one(`202605010100,${flag},77`)).toEqual([null, flag === "E32" ? estimated : 0]);
    expect(one(`202605010100,${flag},what`)).toEqual([null, flag === "E32" ? estimated : 0]);
  });

  it.each(["X", "RR", "R-1", "R1.5", "Q0", "R4294967296", "?"])("rejects %s", (flag) => {
    expect(one(`202605010100,${flag},1`)).toBe("unknown-quality");
  });
});

describe("stamps", () => {
  const times = (triples: readonly string[], options: Options = {}, parts: Parts = {}) => {
    const found = read(record(triples, parts), options);
    expect(found.rejects).toEqual([]);
    return found.reads.map(({ time }) => new Date(time * 1000).toISOString().slice(5, 16));
  };

  it("counts an empty stamp from the one before it", () => {
    expect(times(["202605010100,,1", ",,1", " ,,1", "202605010500,,1", ",,1"])).toEqual([
      "05-01T00:00",
      "05-01T01:00",
      "05-01T02:00",
      "05-01T04:00",
      "05-01T05:00",
    ]);
    expect(times(["202605010100,,1", ",,1"], {}, { units: "GALREG", interval: "00000015" })).toEqual([
      "05-01T01:00",
      "05-01T01:15",
    ]);
  });

  it("rejects an empty stamp that nothing comes before, and all that hang on it", () => {
    expect(read(record([",,1", ",,1", "202605010100,,1"])).rejects.map(({ code }) => code)).toEqual([
      "bad-time",
      "bad-time",
    ]);
    const register = record(["202605010100,,1", ",,1"], { units: "GALREG", interval: "" });
    expect(read(register).rejects.map(({ code }) => code)).toEqual(["bad-time"]);
  });

  it.each([
    "20260501010",
    "2026050101000",
    "202613010100",
    "202602300100",
    "202605012460",
    "2026-05-0101",
    "x",
  ])("rejects the stamp %s", (stamp) => {
    expect(refusal(record([`${stamp},,1`]))).toEqual([["bad-time", "time", stamp]]);
  });

  it("takes 2400 for the end of the day, and February for what it is", () => {
    expect(times(["202604302400,,1", "202402290100,,1"])).toEqual(["04-30T23:00", "02-29T00:00"]);
  });

  it("rejects reads before 1990 and more than a day ahead", () => {
    const [late, later] = [NOW + 23 * HOUR, NOW + 26 * HOUR].map((time) =>
      new Date(time * 1000).toISOString().replace(/\D/g, "").slice(0, 12),
    );
    const { reads, rejects } = read(record([`${late},,1`, `${later},,1`, "198001010000,,1"]));
    expect(reads).toHaveLength(1);
    expect(rejects.map(({ code, field, value }) => [code, field, value])).toEqual([
      ["time-in-future", "time", later],
      ["time-too-early", "time", "198001010000"],
    ]);
  });

  it("reads local stamps, the utility's or of a zone, and tells the hour that comes twice by its order", () => {
    const autumn = ["202511020000,,1", "202511020100,,1", "202511020100,,1", "202511020200,,1"];
    const expected = ["11-02T06:00", "11-02T07:00", "11-02T08:00", "11-02T09:00"];
    expect(times(autumn, { zone: "utility" })).toEqual(expected);
    expect(times(autumn, { zone: ZONE })).toEqual(expected);
    expect(times(["202511020000,,1", ",,1", ",,1", ",,1"], { zone: ZONE })).toEqual(expected);
    expect(times([...autumn].reverse(), { zone: ZONE })).toEqual([...expected].reverse());
  });

  it("rejects a local stamp that the clock was put forward over", () => {
    expect(refusal(record(["202503090230,,1"]), { zone: "utility" })).toEqual([
      ["no-such-local-time", "time", "202503090230"],
    ]);
  });

  it("counts an interval longer than an hour by the local clock", () => {
    const days = record(["202503090000,,1", ",,1", ",,1"], { interval: "00010000" });
    const lengths = (options: Options) => read(days, options).reads.map(({ length }) => length / HOUR);
    expect(lengths({ zone: ZONE })).toEqual([24, 23, 24]);
    expect(lengths({})).toEqual([24, 24, 24]);
  });

  it("sets usage near its grid upon it, and rejects what is further off; registers stay", () => {
    const near = ["202605010101,,1", "202605010159,,1", "202605010302,,1"];
    expect(times(near, { snap: 120 })).toEqual(["05-01T00:00", "05-01T01:00", "05-01T02:00"]);
    expect(times(near, { snap: 120 }, { units: "GALREG" })).toEqual([
      "05-01T01:01",
      "05-01T01:59",
      "05-01T03:02",
    ]);
    expect(times(near)).toEqual(["05-01T00:01", "05-01T00:59", "05-01T02:02"]);
    expect(refusal(record(["202605010103,,1"]), { snap: 120 })).toEqual([
      ["not-on-grid", "time", "202605010103"],
    ]);
  });
});

describe("records", () => {
  const triple = "202605010100,,1";

  it("finds the meter where the source says", () => {
    const meter = (options: Options, parts: Parts = {}) =>
      read(record([triple], parts), options).reads[0]?.meter;
    expect(meter({})).toBe("M-1");
    expect(meter({ meter: "receiver-id" })).toBe("R-1");
    expect(meter({ meter: "receiver-customer-id" })).toBe("W-1");
    expect(meter({ meter: "key" }, { sender: "SPS:130000" })).toBe("W-1");
    expect(meter({ meter: "key" }, { sender: "SPS:214000" })).toBe("R-1");
    expect(meter({ meter: "key" }, { sender: "SPS:210000" })).toBe("R-1");
    expect(meter({ meter: "key" }, { sender: "SPS:102000" })).toBe("M-1");
    // The id by the settings, before the one that the meter reports.
    expect(meter({ meter: "key" }, { sender: "SPS:203000" })).toBe("M-1");
    expect(meter({ meterId: { leadingZeros: "strip", upperCase: true } }, { meter: "00ab" })).toBe("AB");
  });

  it("tells channels and serials apart where the source names them", () => {
    const { reads } = read(
      [record([triple], { receiver: "1" }), record([triple], { receiver: "2" })].join("\r\n"),
      { channel: "receiver-id", serial: "receiver-customer-id" },
    );
    expect(reads.map(({ meter, channel, serial }) => [meter, channel, serial])).toEqual([
      ["M-1", "1", "W-1"],
      ["M-1", "2", "W-1"],
    ]);
  });

  it("rejects a record without a meter, or with an id that can't be one, and never tells it", () => {
    expect(refusal(record([triple], { meter: " " }))).toEqual([["missing-meter", "meter", null]]);
    expect(refusal(record([triple], { sender: "SPS:100000" }), { meter: "key" })).toEqual([
      ["missing-meter", "meter", null],
    ]);
    expect(refusal(record([triple], { sender: "SPS" }), { meter: "key" })).toEqual([
      ["missing-meter", "meter", null],
    ]);
    expect(refusal(record([triple], { meter: "x".repeat(201) }))).toEqual([["bad-id", "meter", null]]);
    expect(refusal(record([triple], { meter: "a\u0000b" }))).toEqual([["bad-id", "meter", null]]);
    expect(refusal(record([triple], { receiver: "c".repeat(17) }), { channel: "receiver-id" })).toEqual([
      ["bad-id", "channel", null],
    ]);
  });

  it("rejects what is not water, and lets its number not count against the file", () => {
    expect(refusal(record([triple], { commodity: "E" }))).toEqual([["not-water", "commodity", "E"]]);
    expect(refusal(record([triple], { commodity: "G", units: "CCF" }))).toEqual([
      ["not-water", "commodity", "G"],
    ]);
    expect(refusal(record([triple], { units: "KWH" }))).toEqual([["not-water", "units", "KWH"]]);
    expect(refusal(record([triple], { units: "KWHREG" }))).toEqual([["not-water", "units", "KWHREG"]]);
    expect(refusal(record([triple], { units: "THERM" }))).toEqual([["not-water", "units", "THERM"]]);
    expect(refusal(record([triple], { units: "PULSE" }))).toEqual([["unknown-unit", "units", "PULSE"]]);
    expect(refusal(record([triple], { units: "GKWH7" }))).toEqual([["unknown-unit", "units", "aaaa9"]]);
    expect(
      one(triple, { commodity: "g", units: "PULSE" }, { commodities: ["W", "G"], treatAs: { pulse: "L" } }),
    ).toEqual([1000, 0]);
    const electric = `${record([triple], { commodity: "E" })}\n`.repeat(MOST_FRUITLESS_ROWS + 1);
    const { rows, rejected } = read(electric + record([triple]));
    expect([rows, rejected]).toEqual([1, MOST_FRUITLESS_ROWS + 1]);
  });

  it("takes a usage of another interval than a minute to a day for none", () => {
    for (const interval of ["", "00000000", "01000000", "00020000", "1h"]) {
      expect(refusal(record([triple], { interval }))[0]!.slice(0, 2)).toEqual(["bad-interval", "interval"]);
    }
    expect(read(record([triple], { interval: "15" })).reads[0]!.length).toBe(900);
    expect(one(triple, { interval: "", units: "LREG" })).toEqual([1000, 0]);
  });

  it("rejects a record whose fields are not as many as its count says", () => {
    const counted = (text: string) => {
      const { reads, rejects, rows, rejected, valuesRejected } = read(text);
      return [reads.length, rows, rejected, valuesRejected, rejects.map(({ code }) => code)];
    };
    expect(counted(record([triple, triple], { count: "3" }))).toEqual([0, 0, 1, 2, ["too-few-columns"]]);
    expect(counted(record([triple, triple], { count: "1" }))).toEqual([0, 0, 1, 2, ["too-many-columns"]]);
    expect(counted(record([triple], { count: "x" }))).toEqual([0, 0, 1, 1, ["bad-number"]]);
    expect(counted("MEPMD01,20080501,SENSUS")).toEqual([0, 0, 1, 0, ["too-few-columns"]]);
    expect(counted(record([triple]) + ",H1A2B")).toEqual([1, 1, 0, 0, []]);
    expect(counted(record([triple]) + ",H1A2B,,")).toEqual([1, 1, 0, 0, []]);
    expect(counted(record([triple]) + ",,,")).toEqual([1, 1, 0, 0, []]);
    expect(counted(record([]))).toEqual([0, 1, 0, 0, []]);
  });

  it("reads OK, RESEND and HISTORY; totals, profiles, templates and rejects are no reads", () => {
    for (const purpose of ["", "ok", "RESEND", "HISTORY"])
      expect(one(triple, { purpose, units: "L" })).toEqual([1000, 0]);
    for (const purpose of ["SUMMARY", "PROFILE", "TEMPLATE", "REJECT"])
      expect(refusal(record([triple], { purpose }))).toEqual([["not-reads", "purpose", purpose]]);
  });

  it("passes a meter's settings and blank lines over, and rejects records that it does not read", () => {
    const found = read(`\n  \n,,,\nMEPEC01,20080501,x\nMEPMD02,1,2\nACCOUNT 12,x\n${record([triple])}\n`);
    expect(found.rejects.map(({ line, code, value }) => [line, code, value])).toEqual([
      [5, "unknown-record", "MEPMD02"],
      [6, "unknown-record", null],
    ]);
    expect([found.rows, found.rejected, found.valuesRejected]).toEqual([1, 2, 0]);
  });

  it("says where a rejected record stands, and goes on behind a stray quote", () => {
    const lines = [record([triple]), `MEPMD01,"x`, record(["202605010100,,x"])];
    const { rejects, rows, rejected } = read(lines.join("\r\n"));
    expect([rows, rejected]).toEqual([1, 2]);
    expect(rejects.map(({ line, offset, length, code }) => [line, offset, length, code])).toEqual([
      [2, lines[0]!.length + 2, lines[1]!.length, "stray-quote"],
      [3, lines[0]!.length + lines[1]!.length + 4, lines[2]!.length, "bad-number"],
    ]);
  });

  it("gives a file up of which nothing can be taken", () => {
    const line = `${record(["x,,1"])}\n`;
    expect(() => read(line.repeat(MOST_FRUITLESS_ROWS))).toThrow(FileRejected);
    expect(() => read(line.repeat(MOST_FRUITLESS_ROWS))).toThrow("source.cmep");
    expect(read(record([triple]) + "\n" + line.repeat(MOST_FRUITLESS_ROWS)).rejected).toBe(
      MOST_FRUITLESS_ROWS,
    );
  });

  it("takes one meter for one series along the file, and reads nothing of an empty file", () => {
    const { series } = read(
      [record([triple]), record([triple], { meter: "M-2" }), record([triple])].join("\n"),
    );
    expect(series.map(({ meterId }) => meterId)).toEqual(["M-1", "M-2"]);
    expect(read("")).toMatchObject({ reads: [], rows: 0, rejected: 0 });
  });
});

describe("alarms", () => {
  const alarm = (mask: string) => {
    const found = read(
      record([`202605010507,R0,${mask}`], { type: "MLA01", units: "METERDQ", interval: "" }),
    );
    return found.rejects[0]?.code ?? found.reads;
  };
  it.each([
    [2, Flag.deviceFault],
    [25, Flag.deviceFault],
    [28, Flag.deviceClock],
    [40, Flag.deviceFault],
    [41, Flag.deviceLeak],
    [42, Flag.deviceBurst],
    [43, Flag.deviceBackflow],
    [46, Flag.deviceFault],
    [47, Flag.deviceFault],
    [4, 0],
    [63, 0],
  ])("makes bit %i a flag of a no-read at its stamp", (bit, flags) => {
    expect(alarm(String(2n ** BigInt(bit)))).toEqual([
      expect.objectContaining({
        meter: "M-1",
        kind: "register",
        time: at("2026-05-01T05:07Z"),
        length: 0,
        ml: null,
        delivered: null,
        flags,
      }),
    ]);
  });

  it("reads several bits, none and an empty mask", () => {
    expect(alarm(String(2n ** 41n + 2n ** 43n + 2n ** 25n))).toMatchObject([
      { flags: Flag.deviceLeak | Flag.deviceBackflow | Flag.deviceFault },
    ]);
    expect(alarm("0")).toMatchObject([{ flags: 0 }]);
    expect(alarm("")).toMatchObject([{ flags: 0 }]);
    expect(alarm("1.5")).toBe("bad-number");
    expect(alarm("123456789012345678901")).toBe("bad-number");
  });

  it("keeps a series of their own, which tells no resolution", () => {
    const { series } = read(
      [
        record(["202605010500,,12.5"], { units: "CCFREG" }),
        record(["202605010500,,1"], { type: "MLA01" }),
      ].join("\n"),
    );
    expect(series.map(({ kind, unit, decimals }) => [kind, unit, decimals])).toEqual([
      ["register", "ccf", 1],
      ["register", "mL", Infinity],
    ]);
  });
});

/** A record as a generator makes it. */
interface Values {
  readonly meter: string;
  readonly register: boolean;
  readonly minutes: number;
  readonly unit: keyof typeof WORDS;
  /** Minutes since 1970 of the first stamp. */
  readonly from: number;
  readonly values: readonly {
    /** Undefined: no read. */
    readonly hundredths: number | undefined;
    readonly estimated: boolean;
    /** Whether the triple has a stamp of its own. */
    readonly stamped: boolean;
  }[];
}

const WORDS = { gal: "GAL", ccf: "CCF", L: "L", m3: "M3", ft3: "CF" } as const;

const values: fc.Arbitrary<Values> = fc.record({
  meter: fc.constantFrom("A", "00b", "x y", "é", 'q"q', "a,b"),
  register: fc.boolean(),
  minutes: fc.constantFrom(5, 15, 60, 240),
  unit: fc.constantFrom("gal", "ccf", "L", "m3", "ft3"),
  from: fc.integer({ min: at("2024-01-01T00:00Z") / 60, max: at("2026-06-01T00:00Z") / 60 }),
  values: fc.array(
    fc.record({
      hundredths: fc.option(fc.nat(10_000_000), { nil: undefined, freq: 6 }),
      estimated: fc.boolean(),
      stamped: fc.boolean(),
    }),
    { maxLength: 30 },
  ),
});
function written(
  { meter, register, minutes, unit, from, values: list }: Values,
  zone: TimeZone | undefined,
): string {
  const triples = list.map(({ hundredths, estimated, stamped }, i) => {
    const instant = (from + i * minutes) * 60;
    const shown = new Date((instant + (zone?.offsetAt(instant) ?? 0)) * 1000).toISOString();
    const stamp = stamped || i === 0 ? shown.replace(/\D/g, "").slice(0, 12) : "";
    const value = hundredths === undefined ? "" : (hundredths / 100).toFixed(2);
    return `${stamp},${estimated ? "E" : "R0"},${value}`;
  });
  const name = /[",]/.test(meter) ? `"${meter.replaceAll('"', '""')}"` : meter;
  const interval = String(Math.floor(minutes / 60)).padStart(6, "0") + String(minutes % 60).padStart(2, "0");
  return record(triples, { meter: name, units: WORDS[unit] + (register ? "REG" : ""), interval });
}

it("reads back whatever was written, however the file is cut", () => {
  fc.assert(
    fc.property(
      fc.array(values, { maxLength: 8 }),
      fc.constantFrom("\n", "\r\n", "\r"),
      fc.boolean(),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 }),
      (records, end, crc, places) => {
        const text = records.map((one) => written(one, undefined) + (crc ? ",H0F1E" : "") + end).join("");
        const { reads, rejects, rows } = read(text, {}, cutsOf(text, places));
        expect(rejects).toEqual([]);
        expect(rows).toBe(records.length);
        const expected = records.flatMap(({ meter, register, minutes, unit, from, values: list }, index) =>
          list.map(({ hundredths, estimated }, i) => ({
            meter,
            channel: "",
            serial: "",
            kind: register ? "register" : "usage",
            time: (from + (register ? i : i - 1) * minutes) * 60,
            length: register ? 0 : minutes * 60,
            ml: hundredths === undefined ? null : Math.round((hundredths / 100) * MILLILITRES[unit]),
            delivered: hundredths === undefined ? null : hundredths / 100,
            unit,
            flags: estimated ? Flag.estimated : 0,
            line: index + 1,
          })),
        );
        expect(reads).toEqual(expected);
      },
    ),
    { numRuns: 300 },
  );
});

it("reads back local stamps across each change of the clock", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("America/Los_Angeles", "Europe/Dublin", "Australia/Lord_Howe", "America/Phoenix"),
      fc.integer({ min: 0, max: 364 }),
      fc.constantFrom(15, 30),
      (zone, day, minutes) => {
        const from = at("2025-01-01T00:00Z") / 60 + day * 1440;
        const count = (4 * 1440) / minutes;
        const text = written(
          {
            meter: "A",
            register: false,
            minutes,
            unit: "L",
            from,
            values: Array.from({ length: count }, (_, i) => ({
              hundredths: i,
              estimated: false,
              stamped: true,
            })),
          },
          new TimeZone(zone),
        );
        const { reads, rejects } = read(text, { zone });
        expect(rejects).toEqual([]);
        // The first stamps have none before them that would tell the hours apart.
        const expected = Array.from({ length: count }, (_, i) => (from + (i - 1) * minutes) * 60);
        expect(reads.map(({ time }) => time).slice(8)).toEqual(expected.slice(8));
      },
    ),
    { numRuns: 100 },
  );
});

const SEEDS = [
  record(["202605010001,R0,36318", "202605010101,R0,36328", "202605010202,N32,0"], { units: "GALREG" }),
  record(["202605010100,E8192,1.5", ",,2E+1", ",A,H1F"]) + ",H12AB",
  record(["202605010507,R0,2199023255552"], { type: "MLA01", units: "METERDQ" }),
  [record(["202511020100,,1", "202511020100,,1"]), record(["202605010100,,1"], { commodity: "E" })].join(
    "\r\n",
  ),
];

it("accounts for each row and value, and cuts make no difference, in whatever is read", () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 }),
      (seed, places) => {
        const bytes = mutated([SEEDS.join("\n")], seeded(seed));
        const whole = read(bytes);
        expect(read(bytes, {}, cutsOf(bytes, places))).toEqual(whole);
        const { reads, rejects, rejected, valuesRejected } = whole;
        expect(new Set(rejects.map(({ line }) => line)).size).toBe(rejected);
        expect(valuesRejected).toBeGreaterThanOrEqual(
          rejects.filter(({ field }) => field === "value").length,
        );
        for (const { ml, delivered } of reads) expect(ml === null).toBe(delivered === null);
      },
    ),
    { numRuns: 500 },
  );
});

it("counts as many values as were written, read or rejected", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(values, fc.constantFrom("", "value", "stamp", "flag", "units", "meter", "commodity")),
        {
          minLength: 1,
          maxLength: 8,
        },
      ),
      (records) => {
        const lines = records.map(([one, damage]) => {
          const line = written(
            { ...one, meter: damage === "meter" ? "" : "A", unit: "gal", values: one.values },
            undefined,
          );
          if (damage === "value") return line.replace(/\d+\.\d\d/g, "bad");
          if (damage === "stamp") return line.replace(/,20\d{10},(?=[ER])/g, ",2026,");
          if (damage === "flag") return line.replace(/,E,/g, ",Q,");
          if (damage === "units") return line.replace(",GAL", ",BLOBS");
          return damage === "commodity" ? line.replace(",W,", ",G,") : line;
        });
        const { reads, rows, rejected, valuesRejected } = read(lines.join("\n"));
        expect(rows + rejected).toBe(records.length);
        expect(reads.length + valuesRejected).toBe(
          records.reduce((sum, [one]) => sum + one.values.length, 0),
        );
      },
    ),
    { numRuns: 300 },
  );
});

it(`never fails but for a file as a whole (${FUZZ.runs} inputs of seed ${FUZZ.seed})`, () => {
  const options: Options[] = [{}, { meter: "key", zone: "utility", snap: 120 }, { channel: "receiver-id" }];
  const found = fuzzed(SEEDS, (bytes, cuts, run) => read(bytes, options[run % options.length], cuts));
  expect(found).toEqual({ runs: FUZZ.runs, failures: [] });
}, 600_000);

it("reads the example of the documentation", () => {
  const page = readFileSync("docs/formats/cmep.md", "utf8");
  const [, text] = /```text\n([^]*?)```/.exec(page)!;
  const [, yaml] = /```yaml\n([^]*?)```/.exec(page)!;
  const { reads, rejects } = read(text!, (parse(yaml!) as { cmep: Options }).cmep);
  expect(rejects).toEqual([]);
  expect(reads.map(({ meter, kind, time, ml, flags }) => [meter, kind, time, ml, flags])).toEqual([
    ["W00000001", "register", at("2026-05-01T00:01Z"), 137_478_585, 0],
    ["W00000001", "register", at("2026-05-01T01:01Z"), 137_516_439, 0],
    ["W00000001", "register", at("2026-05-01T02:02Z"), null, 0],
    ["W00000001", "usage", at("2026-05-01T00:00Z"), 37_854, 0],
    ["W00000001", "usage", at("2026-05-01T01:00Z"), null, 0],
    ["W00000001", "register", at("2026-05-01T01:01Z"), null, Flag.deviceLeak],
  ]);
  for (const option of Object.keys(cmepOptions.shape)) expect(page).toContain(`\`${option}`);
});
