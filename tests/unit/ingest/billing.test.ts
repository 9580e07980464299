import fc from "fast-check";
import { BillingReader } from "../../../ingest/formats/billing.js";
import type { ReadSink } from "../../../ingest/formats/format.js";
import type { ChecksConfig } from "../../../schemas/checks.js";
import { Flag } from "../../../schemas/flags.js";
import { BEACON_BILLING, billingOptions } from "../../../schemas/formats/billing.js";
import { formatCalls, fuzzFormat, pageExample } from "../../harness/format-calls.js";
import { at } from "../../harness/read-text.js";
import type { z } from "zod";

type Options = z.input<typeof billingOptions>;

const NOW = at("2026-12-01T00:00Z");
const make =
  (options: Options, timeZone = "America/Los_Angeles", checks: ChecksConfig = {}) =>
  (sink: ReadSink) =>
    new BillingReader({ billing: billingOptions.parse(options), timeZone, checks, now: NOW }, sink);
const read = (text: string | Buffer, options: Options, cuts: readonly number[] = []) =>
  formatCalls(make(options), text, cuts);

const CURRENT = { meter: "Meter", current: "Read", currentDate: "Date" } as const;
const BOTH = { ...CURRENT, previous: "Prev", previousDate: "PrevDate" } as const;
const SIMPLE: Options = { columns: CURRENT, unit: "ccf" };
const PAIR: Options = { columns: { ...BOTH, usage: "Use", days: "Days" }, unit: "ccf", digits: 4 };
const PAIR_HEADER = "Meter,Date,Read,PrevDate,Prev,Use,Days\n";

/** Meter, time, millilitres and flags of each read. */
const reads = (text: string, options: Options) =>
  read(text, options).reads.map(({ meter, time, ml, flags }) => [
    meter,
    new Date(time * 1000).toISOString().slice(0, 16),
    ml,
    flags,
  ]);
/** Code, field and value of each reject. */
const refusals = (text: string, options: Options) =>
  read(text, options).rejects.map(({ code, field, value }) => [code, field, value]);

describe("a billing file", () => {
  it("gives register reads at the local midnight of their date", () => {
    const found = read("Meter,Date,Read\nM-1,2026-05-01,12.5\n", SIMPLE);
    expect(found.reads).toEqual([
      {
        meter: "M-1",
        channel: "",
        serial: "",
        kind: "register",
        time: at("2026-05-01T07:00Z"),
        length: 0,
        ml: Math.round(12.5 * 2_831_684.6592),
        delivered: 12.5,
        unit: "ccf",
        mlPerUnit: 2_831_684.6592,
        decimals: 1,
        flags: 0,
        line: 2,
      },
    ]);
    expect([found.rows, found.rejected, found.valuesRejected]).toEqual([1, 0, 0]);
  });

  it("gives them at their time of day, in the zone of the options or by their offset", () => {
    const one = (stamp: string, time: Options["time"]) =>
      reads(`Meter,Date,Read\nM,${stamp},1\n`, { ...SIMPLE, time })[0]?.[1];
    expect(one("5/1/2026 7:15 AM", { format: "MM/DD/YYYY hh:mm A" })).toBe("2026-05-01T14:15");
    expect(one("2026-05-01 07:15", { format: "YYYY-MM-DD HH:mm", zone: "UTC" })).toBe("2026-05-01T07:15");
    expect(one("2026-05-01T07:15-05:00", { format: "YYYY-MM-DDTHH:mmZ" })).toBe("2026-05-01T12:15");
    expect(one("1777618800", { format: "X" })).toBe("2026-05-01T07:00");
    expect(one("2025-11-02 01:30", { format: "YYYY-MM-DD HH:mm" })).toBe("2025-11-02T08:30");
    expect(one("20260501", { format: "YYYYMMDD", zone: "UTC" })).toBe("2026-05-01T00:00");
    // In Santiago the clock is put forward at midnight.
    expect(one("2025-09-07", { zone: "America/Santiago" })).toBe("2025-09-07T04:00");
  });

  it("gives the previous read too, as estimated where no column says what it was", () => {
    const row = "M,2026-06-01,15,2026-05-01,12,3,31\n";
    const ccf = (n: number) => Math.round(n * 2_831_684.6592);
    expect(reads(PAIR_HEADER + row, PAIR)).toEqual([
      ["M", "2026-05-01T07:00", ccf(12), Flag.estimated],
      ["M", "2026-06-01T07:00", ccf(15), 0],
    ]);
    expect(reads(PAIR_HEADER + row, { ...PAIR, takePrevious: false })).toEqual([
      ["M", "2026-06-01T07:00", ccf(15), 0],
    ]);
    const codes: Options = { ...PAIR, columns: { ...BOTH, code: "Code", previousCode: "PrevCode" } };
    expect(
      reads("Meter,Date,Read,PrevDate,Prev,Code,PrevCode\nM,2026-06-01,15,2026-05-01,12,e,A\n", codes),
    ).toEqual([
      ["M", "2026-05-01T07:00", ccf(12), 0],
      ["M", "2026-06-01T07:00", ccf(15), Flag.estimated],
    ]);
  });

  it("takes the first bill of a meter, which has no previous read", () => {
    expect(reads(`${PAIR_HEADER}M,2026-06-01,15,,,,\n`, PAIR)).toHaveLength(1);
  });

  it("reads units and multipliers by row, numbers as the file writes them, and dashes as 0", () => {
    const options: Options = {
      delimiter: ";",
      decimal: ",",
      thousands: ".",
      columns: { ...CURRENT, unit: "Unit", multiplier: "Mult", serial: "Serial", channel: "Reg" },
      treatAs: { Fässer: "kgal" },
      multiplier: 10,
    };
    const found = read(
      "Meter;Serial;Reg;Date;Read;Unit;Mult\n" +
        "M;S1;L;2026-05-01;1.234,5;GAL;1\nM;S1;H;2026-05-01;2;fässer;100\nM;S2;H;2026-05-01; -   ;CUBIC_FEET;1\n",
      options,
    );
    expect(found.rejects).toEqual([]);
    expect(found.reads).toMatchObject([
      { serial: "S1", channel: "L", delivered: 1234.5, unit: "gal", mlPerUnit: 37_854.11784, decimals: 1 },
      { serial: "S1", channel: "H", delivered: 2, unit: "kgal", mlPerUnit: 3_785_411.784 * 10 * 100 },
      { serial: "S2", channel: "H", delivered: 0, ml: 0, unit: "ft3" },
    ]);
  });

  it("takes a number for no read", () => {
    const options: Options = { columns: CURRENT, noRead: ["999999"] };
    expect(reads("Meter,Date,Read\nM,2026-05-01,0999999\nM,2026-05-02,999998\n", options)).toMatchObject([
      ["M", "2026-05-01T07:00", null, 0],
      ["M", "2026-05-02T07:00", 999_998_000, 0],
    ]);
  });

  it("takes words for no read, of the value and of the code", () => {
    const options: Options = { columns: { ...CURRENT, code: "Code" }, quality: { noRead: ["20"] } };
    expect(
      reads(
        "Meter,Date,Read,Code\nM,2026-05-01,,\nM,2026-05-02,null,\nM,2026-05-03,7,20\nM,2026-05-04,7,70\n",
        options,
      ),
    ).toMatchObject([
      ["M", "2026-05-01T07:00", null, 0],
      ["M", "2026-05-02T07:00", null, 0],
      ["M", "2026-05-03T07:00", null, 0],
      ["M", "2026-05-04T07:00", 7000, 0],
    ]);
  });

  it("passes over lines before the header, blank rows and totals, and goes by position without a header", () => {
    const text = "Billing of May\nMeter,Date,Read\nM,2026-05-01,1\n,,\n\nTOTAL,,1\n";
    const found = read(text, { ...SIMPLE, skipRows: 1, trailerRows: "TOTAL" });
    expect([found.rows, found.rejected]).toEqual([1, 0]);
    const columns = { meter: 2, current: 3, currentDate: 1 };
    expect(reads("2026-05-01,M,1\n", { columns, header: false })).toHaveLength(1);
  });

  it("takes the rows that its filters let in, and counts the others", () => {
    const options: Options = {
      ...SIMPLE,
      filters: [
        { column: "Commodity", only: ["W", "water"] },
        { column: 5, except: ["Detector Check"] },
      ],
    };
    const text =
      "Meter,Date,Read,Commodity,Type\nA,2026-05-01,1,w,RES\nB,2026-05-01,1,G,RES\nC,2026-05-01,1,Water,DETECTOR CHECK\nD,2026-05-01,1,,RES\n";
    const found = read(text, options);
    expect(found.reads.map(({ meter }) => meter)).toEqual(["A"]);
    expect(refusals(text, options)).toEqual([]);
    expect([found.rows, found.rejected, found.leftOut, found.valuesRejected]).toEqual([1, 0, 3, 0]);
    // A comma too many shifts its words: the row is not judged by them.
    expect(refusals("Meter,Date,Read,Commodity,Type\nA,2026-05-01,1,x,G,RES\n", options)).toEqual([
      ["too-many-columns", "row", "6 columns"],
    ]);
    const many = `Meter,Date,Read,Commodity,Type\n${"B,2026-05-01,1,G,RES\n".repeat(10_001)}A,2026-05-01,1,W,RES\n`;
    expect(read(many, options)).toMatchObject({ rows: 1, rejected: 0, leftOut: 10_001 });
  });
});

describe("consumption and days of a row", () => {
  const pair = (row: string, options: Partial<Options> = {}) => {
    const found = read(`${PAIR_HEADER}${row}\n`, { ...PAIR, ...options });
    return found.rejects.map(({ code, field, value }) => [code, field, value]);
  };

  it("must be those between its two reads", () => {
    expect(pair("M,2026-06-01,15.25,2026-05-01,12.1,3.15,31")).toEqual([]);
    expect(pair("M,2026-06-01,15,2026-05-01,12,3,32")).toEqual([]);
    expect(pair("M,2026-06-01,15,2026-05-01,12,,")).toEqual([]);
    expect(pair("M,2026-06-01,15,2026-05-01,12,4,31")).toEqual([["usage-mismatch", "usage", "4"]]);
    expect(pair("M,2026-06-01,15,2026-05-01,12,-,31")).toEqual([["usage-mismatch", "usage", "-"]]);
    expect(pair("M,2026-06-01,15,2026-05-01,12,3,30")).toEqual([["days-mismatch", "days", "30"]]);
    expect(pair("M,2026-06-01,15,2026-05-01,12,x,31")).toEqual([["bad-number", "usage", "x"]]);
    expect(pair("M,2026-05-01,15,2026-06-01,12,3,31")).toEqual([
      ["previous-not-earlier", "previousDate", "2026-06-01"],
    ]);
    expect(pair("M,2026-05-01,15,2026-05-01,12,3,0")).toEqual([
      ["previous-not-earlier", "previousDate", "2026-05-01"],
    ]);
  });

  it("may pass the last number of the register once, if its dials are known", () => {
    expect(pair("M,2026-06-01,2,2026-05-01,9998,4,31")).toEqual([]);
    expect(pair("M,2026-06-01,2,2026-05-01,9998,4,31", { digits: 0 })).toEqual([
      ["usage-mismatch", "usage", "4"],
    ]);
  });

  it("are compared in the consumption's unit, with its tolerance, after the multiplier", () => {
    expect(pair("M,2026-06-01,15,2026-05-01,12,2244.16,31", { usageUnit: "gal", tolerance: 0.01 })).toEqual(
      [],
    );
    expect(pair("M,2026-06-01,15,2026-05-01,12,2243,31", { usageUnit: "gal", tolerance: 1 })).toHaveLength(1);
    expect(pair("M,2026-06-01,15.4,2026-05-01,12,3,31", { tolerance: 0.5 })).toEqual([]);
    expect(pair("M,2026-06-01,15,2026-05-01,12,30,31", { multiplier: 10 })).toEqual([]);
  });

  it("are not compared where the utility switched that off, and what can't be read is still rejected", () => {
    const found = (row: string, checks: ChecksConfig) => {
      const { reads, rejects } = formatCalls(make(PAIR, undefined, checks), `${PAIR_HEADER}${row}\n`);
      return [reads.length, ...rejects.map(({ code }) => code)];
    };
    expect(found("M,2026-06-01,15,2026-05-01,12,4,31", { "usage-mismatch": false })).toEqual([2]);
    expect(found("M,2026-06-01,15,2026-05-01,12,3,9", { "days-mismatch": false })).toEqual([2]);
    expect(found("M,2026-06-01,15,2026-05-01,12,4,9", { "days-mismatch": false })).toEqual([
      0,
      "usage-mismatch",
    ]);
    expect(found("M,2026-06-01,15,2026-05-01,12,4,9", { "usage-mismatch": false })).toEqual([
      0,
      "days-mismatch",
    ]);
    const off = { "usage-mismatch": false, "days-mismatch": false };
    expect(found("M,2026-05-01,15,2026-06-01,12,4,9", off)).toEqual([0, "previous-not-earlier"]);
  });

  it("that don't agree take both reads of the row away", () => {
    const found = read(`${PAIR_HEADER}M,2026-06-01,15,2026-05-01,12,4,31\n`, PAIR);
    expect([found.reads, found.rejected, found.valuesRejected]).toEqual([[], 1, 2]);
  });
});

const BILL = { meter: "Meter", usage: "Use", previousDate: "From", currentDate: "To" } as const;
const BILLS: Options = { columns: BILL, unit: "ccf" };
const BILL_HEADER = "Meter,From,To,Use\n";

describe("a row of consumption alone", () => {
  const spans = (text: string, options: Options) =>
    read(text, options).reads.map(({ meter, kind, time, length, ml }) => [
      ...[meter, kind, new Date(time * 1000).toISOString().slice(0, 16)],
      new Date((time + length) * 1000).toISOString().slice(0, 16),
      ml,
    ]);

  it("is a bill from local midnight to local midnight, of 23 hours more or less where the clock changes", () => {
    const text = `${BILL_HEADER}M-1,2026-02-15,2026-03-15,12\nM-1,2026-03-15,2026-04-15,0\n`;
    expect(spans(text, BILLS)).toEqual([
      ["M-1", "bill", "2026-02-15T08:00", "2026-03-15T07:00", 33_980_216],
      ["M-1", "bill", "2026-03-15T07:00", "2026-04-15T07:00", 0],
    ]);
    expect(read(text, BILLS)).toMatchObject({ rows: 2, rejected: 0 });
  });

  it("may have its last day in it, begin so many days before, or be of a month", () => {
    const included = { ...BILLS, currentDateIncluded: true };
    expect(spans(`${BILL_HEADER}M,2026-05-01,2026-05-31,1\n`, included)).toEqual([
      ["M", "bill", "2026-05-01T07:00", "2026-06-01T07:00", 2_831_685],
    ]);
    const columns = { meter: "Meter", currentDate: "To", days: "Days", usage: "Use" } as const;
    const days = { columns, unit: "L" } as const;
    expect(spans("Meter,To,Days,Use\nM,2026-03-15,28,7\n", days)).toEqual([
      ["M", "bill", "2026-02-15T08:00", "2026-03-15T07:00", 7000],
    ]);
    expect(spans("Meter,To,Days,Use\nM,2026-03-14,28,7\n", { ...days, currentDateIncluded: true })).toEqual([
      ["M", "bill", "2026-02-15T08:00", "2026-03-15T07:00", 7000],
    ]);
    const month: Options = {
      ...{ columns: { meter: "Meter", currentDate: "Month", usage: "Use" }, unit: "L", period: "month" },
      time: { format: "YYYY-MM" },
    };
    const december = ["M", "bill", "2025-12-01T08:00", "2026-01-01T08:00", 5000];
    expect(spans("Meter,Month,Use\nM,2025-12,5\n", month)).toEqual([december]);
    const dates = { ...month, time: { format: "MM/DD/YYYY" } };
    expect(spans("Meter,Month,Use\nM,12/31/2025,5\n", dates)).toEqual([december]);
    const utc: Options = { ...month, time: { format: "YYYY-MM", zone: "UTC" } };
    expect(spans("Meter,Month,Use\nM,2026-11,5\n", utc)).toEqual([
      ["M", "bill", "2026-11-01T00:00", "2026-12-01T00:00", 5000],
    ]);
  });

  it("may have its dates spread over columns", () => {
    const month: Options = {
      columns: { meter: "Meter", currentDate: ["Year", 3], usage: "Use" },
      ...{ unit: "L", period: "month", time: { format: "YYYY MMM" } },
    };
    const text = "Meter,Year,,Use\nM,2025,Dec,5\nM,2025,,5\nM,2025,Dez,5\n";
    expect(spans(text, month)).toEqual([["M", "bill", "2025-12-01T08:00", "2026-01-01T08:00", 5000]]);
    expect(read(text, month).rejects).toMatchObject([
      { line: 3, code: "bad-date", field: "currentDate", value: "2025 " },
      { line: 4, code: "bad-date", field: "currentDate", value: "2025 Dez" },
    ]);
    const dates: Options = {
      columns: { ...BILL, previousDate: ["Y1", "M1", "D1"], currentDate: ["Y2", "M2", "D2"] },
      ...{ unit: "L", time: { format: "YYYY MM DD" } },
    };
    const both = "Meter,Y1,M1,D1,Y2,M2,D2,Use\nM,2026,5,1,2026,6,3,5\n";
    expect(spans(both, dates)).toEqual([["M", "bill", "2026-05-01T07:00", "2026-06-03T07:00", 5000]]);
  });

  it("may be estimated, or have no value; each channel and unit is its own", () => {
    const columns = { ...BILL, code: "Code", unit: "Unit", channel: "Reg" } as const;
    const text =
      "Meter,From,To,Use,Code,Unit,Reg\n" +
      "M,2026-05-01,2026-06-01,3,E,CCF,H\nM,2026-05-01,2026-06-01,3,A,gal,L\nM,2026-06-01,2026-07-01,,A,gal,L\n";
    const found = read(text, { columns });
    expect(found.rejects).toEqual([]);
    expect(found.reads.map(({ channel, unit, ml, flags }) => [channel, unit, ml, flags])).toEqual([
      ["H", "ccf", 8_495_054, Flag.estimated],
      ["L", "gal", 11_356, 0],
      ["L", "gal", null, 0],
    ]);
  });

  it.each([
    ["M,2026-06-01,2026-06-01,3", "previous-not-earlier", "previousDate", "2026-06-01"],
    ["M,2026-05-01,,3", "bad-date", "currentDate", ""],
    ["M,,2026-05-01,3", "bad-date", "previousDate", ""],
    ["M,2026-05-01,2026-12-09,3", "time-in-future", "currentDate", "2026-12-09"],
    ["M,1989-05-01,2026-05-09,3", "time-too-early", "previousDate", "1989-05-01"],
    ["M,2026-05-01,2026-06-01,-3", "negative-usage", "usage", "-3"],
    ["M,2026-05-01,2026-06-01,x", "bad-number", "usage", "x"],
    [`M,2026-05-01,2026-06-01,${"9".repeat(15)}`, "out-of-range", "usage", "9".repeat(15)],
  ])("is rejected where it says what can't be: %s", (row, code, field, value) => {
    expect(refusals(`${BILL_HEADER}${row}\n`, BILLS)).toEqual([[code, field, value]]);
  });

  it("must agree with its days, where it has them and the utility did not switch that off", () => {
    const columns = { ...BILL, days: "Days" } as const;
    const row = (days: string) => `Meter,From,To,Use,Days\nM,2026-05-01,2026-06-01,3,${days}\n`;
    for (const days of ["31", "32", ""]) expect(refusals(row(days), { columns })).toEqual([]);
    expect(refusals(row("30"), { columns })).toEqual([["days-mismatch", "days", "30"]]);
    const off = make({ columns }, "UTC", { "days-mismatch": false });
    expect(formatCalls(off, row("30"), []).reads).toHaveLength(1);
    const from = { meter: "Meter", usage: "Use", currentDate: "To", days: "Days" } as const;
    for (const days of ["0", "", "-3"])
      expect(refusals(row(days), { columns: from })).toEqual([["bad-number", "days", days]]);
    expect(refusals(row("20000"), { columns: from })).toEqual([["time-too-early", "days", "20000"]]);
  });
});

describe("a table of bills, a column a month", () => {
  const table: Options = {
    ...{ layout: "pivot", period: "month", unit: "ccf", time: { format: "MMM-YY" } },
    columns: { meter: "Meter" },
  };
  const HEADER = "Meter,Class,Jan-26,Feb-26,Mar-26\n";

  it("tells each meter's months, and none of those that are not there yet", () => {
    const found = read("Meter,Class,Jan-26,Feb-26,Mar-69\nM-1,RES,12,,\nM-2,RES,0,3.5,\n", table);
    expect(found.rejects).toEqual([]);
    expect(
      found.reads.map(({ meter, kind, time, length, ml }) => [meter, kind, time, length / 86_400, ml]),
    ).toEqual([
      ["M-1", "bill", at("2026-01-01T08:00Z"), 31, 33_980_216],
      ["M-1", "bill", at("2026-02-01T08:00Z"), 28, null],
      ["M-2", "bill", at("2026-01-01T08:00Z"), 31, 0],
      ["M-2", "bill", at("2026-02-01T08:00Z"), 28, 9_910_896],
    ]);
  });

  it("may be estimated by row, and in a unit and a channel of its own", () => {
    const columns = { meter: "Meter", code: "Code", unit: "Unit", channel: "Reg" } as const;
    const text = "Meter,Code,Unit,Reg,Jan-26\nM,E,gal,H,10\nM,A,L,L,10\n";
    expect(read(text, { ...table, columns }).reads).toMatchObject([
      { channel: "H", unit: "gal", flags: Flag.estimated, ml: 37_854 },
      { channel: "L", unit: "L", flags: 0, ml: 10_000 },
    ]);
  });

  it("loses a month that can't be read alone, and a row that is shifted whole", () => {
    const found = read(`${HEADER}M-1,RES,12,x,-1\nM-2,RES,1,2,3,4\nM-3,RES,1,2,3\n`, table);
    expect(found.rejects.map(({ line, code, field, value }) => [line, code, field, value])).toEqual([
      [2, "bad-number", "Feb-26", "x"],
      [2, "negative-usage", "Mar-26", "-1"],
      [3, "too-many-columns", "row", "6 columns"],
    ]);
    expect([found.rows, found.rejected, found.reads.length, found.valuesRejected]).toEqual([1, 2, 4, 5]);
  });

  it("is rejected whole without a month, or with one twice", () => {
    expect(read("Meter,2026-01\nM,1\n", table).refused).toBe(
      "No column's name is a month of the format MMM-YY. Mend source.billing.time.format.",
    );
    const epochs = { ...table, time: { format: "X" } };
    expect(read("Meter,1777644000\nM,1\n", epochs).refused).toMatch(/No column's name is a month/);
    expect(read("Meter,Jan-26,jan-26\nM,1,2\n", table).refused).toBe(
      "Columns 2 and 3 are of the same month.",
    );
  });

  it("has no other columns, and months alone", () => {
    const wrong = (more: object) =>
      billingOptions
        .safeParse({ ...table, ...more })
        .error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`)
        .join();
    expect(wrong({})).toBeUndefined();
    expect(wrong({ columns: { meter: 1, usage: 2 } })).toMatch(
      /columns\.usage: has no place in layout pivot/,
    );
    expect(wrong({ period: "dates" })).toMatch(/period: is not month/);
    expect(wrong({ header: false })).toMatch(/header: is false/);
    expect(wrong({ currentDateIncluded: true })).toMatch(/currentDateIncluded: /);
    expect(wrong({ usageUnit: "gal" })).toMatch(/usageUnit: /);
    expect(wrong({ layout: "rows", columns: { meter: 1, usage: 2 } })).toMatch(
      /columns\.currentDate: missing/,
    );
  });
});

describe("rows of a billing file are rejected", () => {
  it("where an id, a date, a number or a unit is wrong", () => {
    const one = (row: string, options: Options = SIMPLE) => refusals(`Meter,Date,Read\n${row}\n`, options);
    expect(one(",2026-05-01,1")).toEqual([["missing-meter", "meter", null]]);
    expect(one("M\u0001,2026-05-01,1")).toEqual([["bad-id", "meter", null]]);
    expect(one("M,2026-05-32,1")).toEqual([["bad-date", "currentDate", "2026-05-32"]]);
    expect(one("M,,1")).toEqual([["bad-date", "currentDate", ""]]);
    expect(one("M,2026-05-01,1,5")).toEqual([["too-many-columns", "row", "4 columns"]]);
    expect(one("M,2026-05-01,1,,")).toEqual([]);
    expect(one("M,2026-05-01,1x")).toEqual([["bad-number", "current", "1x"]]);
    expect(one("M,2026-05-01,1e3")).toEqual([["bad-number", "current", "1e3"]]);
    expect(one("M,1989-12-31,1")).toEqual([["time-too-early", "currentDate", "1989-12-31"]]);
    expect(one("M,2026-12-09,1")).toEqual([["time-in-future", "currentDate", "2026-12-09"]]);
    expect(one(`M,2026-05-01,${"9".repeat(15)}`)).toEqual([["out-of-range", "current", "9".repeat(15)]]);
    expect(one("M,2026-05-01")).toEqual([["too-few-columns", "row", "2 columns"]]);
    expect(one('M,"2026-05-01,1')).toEqual([["stray-quote", "row", null]]);
    const time = { format: "YYYY-MM-DD HH:mm" };
    expect(one("M,2026-05-01,1", { ...SIMPLE, time })).toEqual([["bad-time", "currentDate", "2026-05-01"]]);
    expect(one("M,2026-03-08 02:30,1", { ...SIMPLE, time })).toEqual([
      ["no-such-local-time", "currentDate", "2026-03-08 02:30"],
    ]);
    const unit: Options = { columns: { ...CURRENT, unit: "Unit", multiplier: "Mult" } };
    const units = (row: string) => refusals(`Meter,Date,Read,Unit,Mult\n${row}\n`, unit);
    expect(units("M,2026-05-01,1,therms,1")).toEqual([["unknown-unit", "unit", "therms"]]);
    expect(units("M,2026-05-01,1,4711-2,1")).toEqual([["unknown-unit", "unit", "9999-9"]]);
    expect(units("M,2026-05-01,1,gal,0")).toEqual([["bad-number", "multiplier", "0"]]);
    expect(units("M,2026-05-01,1,gal,")).toEqual([["bad-number", "multiplier", ""]]);
  });

  it("with the shape alone of a value, where the row has fewer fields than the header", () => {
    expect(refusals("Meter,Date,Read,Name\nM,1 Main St,4\n", SIMPLE)).toEqual([
      ["bad-date", "currentDate", "9 aaaa aa"],
    ]);
  });

  it("in part, where one of the two reads alone is not possible", () => {
    const found = read(`${PAIR_HEADER}M,2026-12-09,15,2026-05-01,12,,\n`, PAIR);
    expect([found.reads.length, found.rejected, found.valuesRejected]).toEqual([1, 1, 1]);
    expect(found.rejects).toMatchObject([{ code: "time-in-future", field: "currentDate" }]);
  });

  it("with their place in the file", () => {
    const lines = ["Meter,Date,Read", "Ü,2026-05-01,1", "Ü,2026-05-01,x"];
    const text = lines.join("\r\n");
    const { line, offset, length } = read(text, SIMPLE).rejects[0]!;
    expect([
      line,
      Buffer.from(text)
        .subarray(offset, offset + length)
        .toString(),
    ]).toEqual([3, lines[2]]);
  });
});

describe("a billing file is rejected whole", () => {
  it("without a header, or with one that is not of the options", () => {
    expect(read("", SIMPLE).refused).toMatch(/before a header/);
    expect(read("Meter,Date\n", SIMPLE).refused).toMatch(/no column for current "Read"; it has 2 columns/);
    expect(read("Meter,Date,Read,READ\n", SIMPLE).refused).toMatch(/more than once/);
    expect(read('"Meter,Date,Read\n', SIMPLE).refused).toMatch(/can't be cut/);
  });

  it("after 10,000 rows of which none can be taken", () => {
    expect(read(`Meter,Date,Read\n${"M,x,1\n".repeat(10_001)}`, SIMPLE).refused).toMatch(/up to line 10001/);
  });
});

describe("options of a billing file", () => {
  const parse = (options: object) =>
    billingOptions
      .safeParse(options)
      .error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  it("must name what belongs together", () => {
    expect(parse({ columns: CURRENT })).toBeUndefined();
    expect(parse({ columns: { ...CURRENT, previous: "P" } })).toEqual([
      expect.stringContaining("columns.previousDate: missing"),
    ]);
    expect(parse({ columns: { ...CURRENT, usage: "U", days: "D" } })).toEqual([
      expect.stringContaining("columns.usage"),
      expect.stringContaining("columns.days"),
    ]);
    expect(parse({ columns: CURRENT, filters: [{ column: "x" }] })).toEqual([
      expect.stringContaining("filters.0"),
    ]);
    expect(parse({ columns: CURRENT, header: false })).toHaveLength(3);
    expect(parse({ columns: BILL })).toBeUndefined();
    const noBeginning = { meter: "Meter", usage: "Use", currentDate: "To" };
    const noUsage = { meter: "Meter", previousDate: "From", currentDate: "To" };
    expect(parse({ columns: noBeginning })).toEqual([
      expect.stringContaining("columns.previousDate: missing"),
    ]);
    expect(parse({ columns: noUsage })).toEqual([expect.stringContaining("columns.current: missing")]);
    expect(parse({ columns: noBeginning, period: "month" })).toBeUndefined();
    expect(parse({ columns: BILL, period: "month" })).toEqual([expect.stringContaining("period: ")]);
    expect(parse({ columns: { ...BILL, previous: "P", multiplier: "F" }, usageUnit: "gal" })).toHaveLength(3);
    expect(parse({ columns: CURRENT, period: "month", currentDateIncluded: true })).toHaveLength(2);
    expect(parse({})).toHaveLength(1);
  });

  it("of BEACON's export read its columns", () => {
    const text =
      '"Account_ID","Location_ID","Meter_ID","Register_Number","Endpoint_SN","Read_Method","Read","Read_Unit","Read_Time"\n' +
      '"A","L","14701","H","130615549","Network","227.6","CUBIC_FEET","2026-05-01 00:59"\n' +
      '"A","L","14702","","130615550","n/a","","AF","2026-05-01 00:59"\n';
    const found = read(text, BEACON_BILLING);
    expect(found.rejects).toEqual([]);
    expect(found.reads).toMatchObject([
      {
        meter: "14701",
        channel: "H",
        time: at("2026-05-01T07:59Z"),
        delivered: 227.6,
        unit: "ft3",
        flags: 0,
      },
      { meter: "14702", channel: "", ml: null, unit: "acft" },
    ]);
  });
});

it("reads the example of its page", () => {
  const { file, source } = pageExample("billing", "csv");
  const options = source["billing"] as Options;
  expect(reads(file, options).map(([meter, time, , flags]) => [meter, time, flags])).toEqual([
    ["M-1", "2026-05-01T07:00", Flag.estimated],
    ["M-1", "2026-06-01T07:00", 0],
    ["M-2", "2026-05-01T07:00", Flag.estimated],
    ["M-2", "2026-06-01T07:00", Flag.estimated],
  ]);
  expect(refusals(file, options)).toEqual([]);
  expect(read(file, options)).toMatchObject({ rows: 2, rejected: 0, leftOut: 1 });
  const bills = pageExample("billing", "csv", 1);
  const found = read(bills.file, bills.source["billing"] as Options);
  expect(found).toMatchObject({ rows: 3, rejected: 0 });
  expect(found.reads.map(({ kind, length, flags }) => [kind, length / 86_400, flags])).toEqual([
    ["bill", 30, 0],
    ["bill", 30, Flag.estimated],
    ["bill", 30, 0],
  ]);
});

describe("properties of billing files", () => {
  const row = fc
    .record({
      meter: fc.constantFrom("M", "ü", "", '"a,b"'),
      date: fc.constantFrom("2026-06-01", "2026-06-31", "2099-01-01", ""),
      current: fc.constantFrom("15", "", "x", "-", "1.5"),
      previousDate: fc.constantFrom("2026-05-01", "2026-07-01", "1980-01-01", ""),
      previous: fc.constantFrom("12", "", "x"),
      usage: fc.constantFrom("3", "", "x"),
      days: fc.constantFrom("31", "", "5"),
    })
    .map((fields): string[] => Object.values(fields));
  const odd = fc.constantFrom<string[]>(["M"], ["M", '"x'], ["M", "2026-06-01", "1", "", "", "", "", "9"]);
  const rows = fc.array(fc.oneof({ weight: 5, arbitrary: row }, { weight: 1, arbitrary: odd }), {
    maxLength: 15,
  });
  const written = (table: string[][]) =>
    PAIR_HEADER + table.map((fields) => `${fields.join(",")}\r\n`).join("");

  it("however the bytes are cut into chunks, the calls are the same", () => {
    fc.assert(
      fc.property(rows, fc.array(fc.nat(700)), (table, cuts) => {
        expect(read(written(table), PAIR, cuts)).toEqual(read(written(table), PAIR));
      }),
      { numRuns: 300 },
    );
  });

  it("every row and every value counts once", () => {
    fc.assert(
      fc.property(rows, (table) => {
        const found = read(written(table), PAIR);
        const filled = table.filter((fields) => fields.some((field) => field !== ""));
        // Columns: Meter, Date, Read, PrevDate, Prev, Use, Days.
        const values = filled.map((fields) => (!fields.includes('"x') && (fields[4] ?? "") !== "" ? 2 : 1));
        expect(found.rows + found.rejected).toBe(filled.length);
        expect(found.reads.length + found.valuesRejected).toBe(
          values.reduce<number>((sum, count) => sum + count, 0),
        );
      }),
      { numRuns: 500 },
    );
  });

  it("whatever is changed in a file, it is read or rejected", () => {
    const originals = [
      `${PAIR_HEADER}M,2026-06-01,15,2026-05-01,12,3,31\r\nN,2026-06-01,"1,500",2026-05-01,12,,\r\n`,
      `${PAIR_HEADER}Ü,2026-06-01,2,2026-05-01,9998,4,31\n`,
    ];
    const words = [
      ",",
      '"',
      "\n",
      "\r",
      "-",
      "9".repeat(70),
      "2026",
      "\u0000",
      "é",
      ".",
      "NULL",
      "M,2026-06-01,15,2026-05-01,12,3,31\n",
    ];
    const {
      runs,
      refused,
      reads: taken,
    } = fuzzFormat(make({ ...PAIR, thousands: ",", decimal: "." }), originals, words);
    expect(refused).toBeLessThan(runs);
    expect(taken).toBeGreaterThan(0);
  }, 600_000);

  it("whatever is changed in a file of consumption alone, it is read or rejected", () => {
    const columns = { ...BILL, days: "Days" } as const;
    const originals = [
      "Meter,From,To,Use,Days\nM,2026-05-01,2026-06-01,3,31\r\nÜ,2026-06-01,2026-07-01,,30\r\n",
    ];
    const words = [
      ",",
      '"',
      "\n",
      "-",
      "9".repeat(70),
      "2026",
      "\u0000",
      "é",
      "M,2026-05-01,2026-06-01,3,31\n",
    ];
    const { runs, refused, reads: taken } = fuzzFormat(make({ columns }), originals, words);
    expect(refused).toBeLessThan(runs);
    expect(taken).toBeGreaterThan(0);
  }, 600_000);
});
