import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { JsonLinesReader } from "../../../ingest/formats/json-lines.js";
import type { ReadSink } from "../../../ingest/formats/format.js";
import { Flag } from "../../../schemas/flags.js";
import { jsonLinesOptions } from "../../../schemas/formats/json-lines.js";
import { formatCalls, fuzzFormat, pageExample } from "../../harness/format-calls.js";
import { at } from "../../harness/read-text.js";
import type { z } from "zod";

type Options = z.input<typeof jsonLinesOptions>;

const NOW = at("2026-12-01T00:00Z");
const make =
  (options: Options = {}) =>
  (sink: ReadSink) =>
    new JsonLinesReader({ jsonLines: jsonLinesOptions.parse(options), now: NOW }, sink);
const read = (text: string | Buffer, options: Options = {}, cuts: readonly number[] = []) =>
  formatCalls(make(options), text, cuts);

const telegram = (more: object = {}) =>
  JSON.stringify({
    _: "telegram",
    media: "cold water",
    meter: "kamwater",
    name: "Kitchen",
    id: "00012345",
    total_m3: 6.408,
    status: "OK",
    timestamp: "2026-05-01T07:00:12Z",
    ...more,
  });
const message = (Type: string, Message: object, Time = "2026-05-01T00:00:12.123456789-07:00") =>
  JSON.stringify({ Time, Offset: 0, Length: 100, Type, Message });
const R900 = { ID: 1_541_000_000, Unkn1: 163, NoUse: 0, BackFlow: 0, Consumption: 1234, Leak: 0, LeakNow: 0 };
const GALLONS: Options = { rtlamr: { R900: { unit: "gal", multiplier: 0.1 } } };

/** Line, code, field and value of each reject. */
const refusals = (text: string, options: Options = {}) =>
  read(text, options).rejects.map(({ line, code, field, value }) => [line, code, field, value]);

describe("a telegram of wmbusmeters", () => {
  it("is the register of its meter at its instant", () => {
    const found = read(`${telegram()}\n`);
    expect(found.reads).toEqual([
      {
        meter: "00012345",
        channel: "",
        serial: "",
        kind: "register",
        time: at("2026-05-01T07:00:12Z"),
        length: 0,
        ml: 6_408_000,
        delivered: 6.408,
        unit: "m3",
        mlPerUnit: 1_000_000,
        decimals: 3,
        flags: 0,
        line: 1,
      },
    ]);
    expect([found.rows, found.rejected, found.valuesRejected]).toEqual([1, 0, 0]);
  });

  it("may stand in lines that end with LF, CRLF or the file, among blank ones, and lack the mark of its kind", () => {
    const { reads, rows } = read(
      `\n${telegram()}\r\n  \n${telegram({ _: undefined })}\n\n${telegram({ id: 7, total_m3: 1 })}`,
    );
    expect(rows).toBe(3);
    expect(reads.map(({ meter, line }) => [meter, line])).toEqual([
      ["00012345", 2],
      ["00012345", 4],
      ["7", 6],
    ]);
  });

  it("is given as often as it stands there, in the canonical form of its meter's id", () => {
    const { reads } = read(`${telegram()}\n${telegram({ id: "12345" })}\n${telegram()}\n`, {
      meterId: { leadingZeros: "strip" },
    });
    expect(reads.map(({ meter, ml }) => [meter, ml])).toEqual(Array(3).fill(["12345", 6_408_000]));
  });

  it("turns words of its status into flags", () => {
    const flags = (more: object, options: Options = {}) => read(telegram(more), options).reads[0]!.flags;
    expect(flags({ status: "LEAKING?" })).toBe(Flag.deviceLeak);
    expect(flags({ status: "BURST REVERSED" })).toBe(Flag.deviceBurst | Flag.deviceBackflow);
    expect(flags({ status: "dry" })).toBe(Flag.deviceDry);
    expect(flags({ status: "SOMETHING NEW" })).toBe(0);
    expect(flags({ status: 7 })).toBe(0);
    expect(flags({ status: undefined, current_status: "DRY" })).toBe(Flag.deviceDry);
    expect(flags({ status: undefined, current_alarms: "leakage,meter_blocked,underflow" })).toBe(
      Flag.deviceLeak | Flag.deviceFault,
    );
    expect(flags({ previous_alarms: "leakage", time_leaking: "2 days" })).toBe(0);
    expect(flags({ status: "something new" }, { status: { Something: "burst", NEW: "nothing" } })).toBe(
      Flag.deviceBurst,
    );
    expect(flags({ status: "DRY" }, { status: { dry: "nothing" } })).toBe(0);
  });

  it("is taken for water alone, and others are counted", () => {
    const media = ["water", "warm water", "Hot Water", "heat", "gas", "room sensor", "other", "radio 7"];
    const { reads, rejects } = read(media.map((media) => telegram({ media })).join("\n"));
    expect(reads.map(({ line }) => line)).toEqual([1, 2, 3]);
    expect(rejects.map(({ code, field, value }) => [code, field, value])).toEqual([
      ["not-water", "media", "heat"],
      ["not-water", "media", "gas"],
      ["not-water", "media", "room sensor"],
      ["not-water", "media", "other"],
      ["not-water", "media", "aaaaa 9"],
    ]);
    expect(read(telegram({ media: "gas" }), { media: ["Gas"] }).reads).toHaveLength(1);
  });

  it("without a value that the meter knows is no read", () => {
    const { reads, rows } = read(telegram({ total_m3: null }));
    expect([rows, reads[0]!.ml, reads[0]!.delivered]).toEqual([1, null, null]);
  });

  it("is read at the second of its offset", () => {
    const time = (timestamp: string) => read(telegram({ timestamp })).reads[0]?.time;
    expect(time("2026-05-01T07:00:12.999Z")).toBe(at("2026-05-01T07:00:12Z"));
    expect(time("2026-05-01 09:00:12+02:00")).toBe(at("2026-05-01T07:00:12Z"));
    expect(time("2026-05-01T02:30-0430")).toBe(at("2026-05-01T07:00:00Z"));
    expect(time("2024-02-29T00:00:00Z")).toBe(at("2024-02-29T00:00Z"));
  });

  it("tells the decimals of its meter", () => {
    const decimals = (...totals: number[]) =>
      read(totals.map((total_m3) => telegram({ total_m3 })).join("\n")).reads.at(-1)!.decimals;
    expect(decimals(5)).toBe(0);
    expect(decimals(6.408, 6.5)).toBe(3);
    expect(decimals(1e-7)).toBe(7);
    expect(decimals(1e3)).toBe(0);
  });
});

describe("a message of rtlamr", () => {
  it("is the counter of its meter in the unit of the options, with its flags", () => {
    const { reads } = read(
      [
        message("R900", R900),
        message("R900", { ...R900, LeakNow: 2 }),
        message("R900", { ...R900, BackFlow: 1, Leak: 3 }),
      ].join("\n"),
      GALLONS,
    );
    expect(reads).toMatchObject([
      {
        meter: "1541000000",
        kind: "register",
        time: at("2026-05-01T07:00:12Z"),
        ml: 467_120,
        delivered: 1234,
        unit: "gal",
        mlPerUnit: 3785.411784 * 0.1,
        flags: 0,
      },
      { flags: Flag.deviceLeak },
      { flags: Flag.deviceBackflow },
    ]);
  });

  it("has its id and counter in other members for each type", () => {
    const unit = { unit: "ft3" as const };
    const rtlamr = { SCM: unit, "SCM+": unit, IDM: unit, R900: unit, R900BCD: unit };
    const { reads } = read(
      [
        message("SCM", { ID: 1, Type: 13, TamperPhy: 1, TamperEnc: 1, Consumption: 10 }),
        message("SCM+", { EndpointType: 171, EndpointID: 2, Consumption: 20, Tamper: 0 }),
        message("IDM", { ERTType: 11, ERTSerialNumber: 3, LastConsumptionCount: 30 }),
        message("R900BCD", { ...R900, ID: 4, Consumption: 40 }),
      ].join("\n"),
      { rtlamr },
    );
    expect(reads.map(({ meter, delivered, unit }) => [meter, delivered, unit])).toEqual([
      ["1", 10, "ft3"],
      ["2", 20, "ft3"],
      ["3", 30, "ft3"],
      ["4", 40, "ft3"],
    ]);
  });

  it("is rejected where its type has no unit in the options, or its endpoint is no water meter", () => {
    expect(refusals(message("R900", R900))).toEqual([[1, "unknown-message", "Type", "R900"]]);
    expect(refusals(message("NetIDM", {}))).toEqual([[1, "unknown-message", "Type", "NetIDM"]]);
    expect(refusals(message("constructor", {}))).toEqual([[1, "unknown-message", "Type", "constructor"]]);
    const options: Options = { rtlamr: { SCM: { unit: "gal" } } };
    const scm = (Type: unknown) => message("SCM", { ID: 1, Type, Consumption: 10 });
    expect(refusals(scm(4), options)).toEqual([[1, "not-water", "Type", "4"]]);
    expect(refusals(scm(undefined), options)).toEqual([[1, "not-water", "Type", null]]);
    expect(refusals(scm(4), { ...options, endpointTypes: [4] })).toEqual([]);
  });
});

describe("a line is rejected, with its number,", () => {
  it("where it is no JSON object, or of neither kind", () => {
    const lines = [
      telegram(),
      "{",
      "[]",
      "7",
      "null",
      "meter,time",
      telegram().slice(0, -5),
      "{}",
      '{"media":"water"}',
    ];
    expect(refusals(lines.join("\n"))).toEqual([
      [2, "not-json", "row", null],
      [3, "not-json", "row", null],
      [4, "not-json", "row", null],
      [5, "not-json", "row", null],
      [6, "not-json", "row", null],
      [7, "not-json", "row", null],
      [8, "unknown-message", "row", null],
      [9, "unknown-message", "row", null],
    ]);
  });

  it("where its time is wrong or not possible", () => {
    const time = (timestamp: unknown) =>
      refusals(telegram({ timestamp })).map(([, code, field, value]) => [code, field, value]);
    expect(time("1111-11-11T11:11:11Z")).toEqual([["time-too-early", "timestamp", "1111-11-11T11:11:11Z"]]);
    expect(time("0095-01-01T00:00:00Z")).toEqual([["time-too-early", "timestamp", "0095-01-01T00:00:00Z"]]);
    expect(time("2026-12-02T00:00:01Z")).toEqual([["time-in-future", "timestamp", "2026-12-02T00:00:01Z"]]);
    for (const wrong of [
      "2026-05-01T07:00:12",
      "2026-02-29T00:00:00Z",
      "2026-13-01T00:00:00Z",
      "2026-05-01T24:00:00Z",
      "",
      "x",
    ])
      expect(time(wrong)).toEqual([["bad-time", "timestamp", wrong]]);
    expect(time(1_777_618_812)).toEqual([["bad-time", "timestamp", "1777618812"]]);
    expect(time(undefined)).toEqual([["bad-time", "timestamp", null]]);
    expect(time({ a: 1 })).toEqual([["bad-time", "timestamp", "object"]]);
  });

  it("where its value is missing or no number", () => {
    const value = (total_m3: unknown) =>
      refusals(telegram({ total_m3 })).map(([, code, field, shown]) => [code, field, shown]);
    expect(value(undefined)).toEqual([["missing-field", "total_m3", null]]);
    expect(value("6.408")).toEqual([["bad-number", "total_m3", "6.408"]]);
    expect(value([1])).toEqual([["bad-number", "total_m3", "object"]]);
    expect(value(1e12)).toEqual([["out-of-range", "total_m3", "1000000000000"]]);
    expect(read(telegram().replace("6.408", "1e999")).rejects).toMatchObject([{ code: "out-of-range" }]);
  });

  it("where its meter has no name, and never tells one", () => {
    const id = (value: unknown) => refusals(telegram({ id: value }));
    expect(id(undefined)).toEqual([[1, "missing-meter", "meter", null]]);
    expect(id(" ")).toEqual([[1, "missing-meter", "meter", null]]);
    expect(id({})).toEqual([[1, "missing-meter", "meter", null]]);
    expect(id("M\u0000")).toEqual([[1, "bad-id", "meter", null]]);
    expect(id("M".repeat(201))).toEqual([[1, "bad-id", "meter", null]]);
    const bytes = Buffer.concat([
      Buffer.from(telegram().split("00012345")[0]!),
      Buffer.from([0xff]),
      Buffer.from(telegram().split("00012345")[1]!),
    ]);
    expect(read(bytes).rejects).toMatchObject([{ code: "bad-id", value: null }]);
  });

  it("where it is longer than 1 MiB, wherever it is cut", () => {
    const long = telegram({ name: "x".repeat(1_048_576) });
    const text = `${telegram()}\n${long}\n${telegram()}\n${long}`;
    const found = read(text);
    expect(found.reads.map(({ line }) => line)).toEqual([1, 3]);
    expect(found.rejects.map(({ line, code, offset, length }) => [line, code, offset, length])).toEqual([
      [2, "row-too-long", telegram().length + 1, long.length],
      [4, "row-too-long", 2 * telegram().length + long.length + 3, long.length],
    ]);
    for (const cuts of [
      [10, 100_000, 900_000],
      [1_200_000, 1_200_001],
      Array.from({ length: 40 }, (_, i) => i * 60_000),
    ])
      expect(read(text, {}, cuts)).toEqual(found);
  });

  it("and each says where it stands in the file", () => {
    const lines = [telegram({ name: "Küche" }), '{"x":', "[1]"];
    const text = lines.join("\r\n");
    const bytes = Buffer.from(text);
    expect(
      read(text).rejects.map(({ offset, length }) =>
        bytes
          .subarray(offset, offset + length)
          .toString()
          .trim(),
      ),
    ).toEqual(lines.slice(1));
  });

  it("and the file, after 10,000 of them without a read", () => {
    expect(read("x\n".repeat(9_999) + telegram()).refused).toBeUndefined();
    const { refused, rejected } = read("x\n".repeat(10_001));
    expect(refused).toMatch(/Not one of the rows up to line 10000/);
    expect(rejected).toBe(10_000);
    expect(read(`${telegram()}\n${"x\n".repeat(10_001)}`).rejected).toBe(10_001);
  });

  it("but an empty file is whole, and says nothing", () => {
    expect(read("")).toEqual({ reads: [], rejects: [], rows: 0, rejected: 0, valuesRejected: 0, leftOut: 0 });
  });
});

describe("properties of JSON lines", () => {
  const line = fc.oneof(
    fc
      .record({
        media: fc.constantFrom("water", "heat"),
        id: fc.constantFrom("1", "2", "", 3, "ü😀"),
        total_m3: fc.constantFrom(1, 2.5, null, undefined, "x", 1e300),
        status: fc.constantFrom("OK", "DRY", 5),
        timestamp: fc.constantFrom("2026-05-01T07:00:00Z", "1111-11-11T11:11:11Z", "x"),
      })
      .map((more) => telegram(more)),
    fc.constantFrom(message("R900", R900), message("SCM", {}), "{}", "x", "[", '"ü'),
  );
  const lines = fc.array(line, { maxLength: 20 });
  const end = fc.constantFrom("\n", "\r\n", "\n\n");

  it("however the bytes are cut into chunks, the calls are the same", () => {
    fc.assert(
      fc.property(lines, end, fc.array(fc.nat(4000)), (rows, eol, cuts) => {
        const text = rows.join(eol);
        expect(read(text, GALLONS, cuts)).toEqual(read(text, GALLONS));
      }),
      { numRuns: 300 },
    );
  });

  it("every row and every value counts once", () => {
    fc.assert(
      fc.property(lines, end, (rows, eol) => {
        const found = read(rows.join(eol), GALLONS);
        expect(found.rows + found.rejected).toBe(rows.length);
        expect(found.reads.length + found.valuesRejected).toBe(rows.length);
        expect(found.rejects).toHaveLength(found.rejected);
      }),
      { numRuns: 300 },
    );
  });

  it("whatever is changed in a file, it is read or rejected", () => {
    const originals = [
      [telegram(), telegram({ status: "LEAKING?", total_m3: null }), telegram({ media: "heat" })].join("\n"),
      [message("R900", R900), message("SCM+", { EndpointType: 171, EndpointID: 2, Consumption: 20 })].join(
        "\r\n",
      ),
    ];
    const words = [
      "{",
      "}",
      "[",
      "]",
      '"',
      "\\",
      "\\u0000",
      "\\ud800",
      "\n",
      "null",
      "true",
      "-",
      "1e400",
      "9".repeat(30),
      "__proto__",
      "telegram",
      ":",
      ",",
      "[".repeat(5000),
      "é",
      "0",
    ];
    const found = fuzzFormat(
      make({ rtlamr: { R900: { unit: "gal" }, "SCM+": { unit: "L" } } }),
      originals,
      words,
    );
    expect(found.refused).toBe(0);
    expect(found.reads).toBeGreaterThan(0);
  }, 600_000);
});

it("reads the example of its page", () => {
  const { file, source } = pageExample("json-lines", "json");
  expect(read(file, source["jsonLines"] as Options).reads).toMatchObject([
    { meter: "00012345", time: at("2026-05-01T07:00:12Z"), ml: 6_408_000, flags: Flag.deviceLeak },
    { meter: "1541000000", time: at("2026-05-01T07:00:12Z"), ml: 467_120 },
  ]);
});

describe("public samples", () => {
  const PATH = "../shared/samples/wmbus/telegrams.jsonl";
  const real = existsSync(PATH) ? it : it.skip;
  real(`reads ${PATH}${existsSync(PATH) ? "" : " (absent: SKIPPED)"}`, () => {
    // The sample's time stamps are all of the year 1111.
    const text = readFileSync(PATH, "utf8");
    const dated = text.replaceAll("1111-11-11T11:11:11Z", "2026-05-01T07:00:00Z");
    const media = text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => /"media": ?"([^"]*)"/.exec(line)![1]!);
    const water = text.split("\n").filter((line) => /"media": ?"(warm |cold |hot )?water"/.test(line));
    const totals = water.map((line) => /"total_m3": ?([\d.]+)/.exec(line)?.[1]);
    expect(read(text)).toMatchObject({ reads: [], rows: 0, rejected: media.length });
    const { reads, rejects, rows, rejected } = read(dated);
    expect([rows, rejected]).toEqual([water.length, media.length - water.length]);
    expect(reads.map(({ delivered }) => delivered)).toEqual(totals.map(Number));
    expect(reads.reduce((sum, { ml }) => sum + ml!, 0)).toBe(
      totals.reduce((sum, total) => sum + Math.round(Number(total) * 1e6), 0),
    );
    expect(new Set(rejects.map(({ code }) => code))).toEqual(new Set(["not-water"]));
    expect(water.length).toBeGreaterThan(20);
  });
});
