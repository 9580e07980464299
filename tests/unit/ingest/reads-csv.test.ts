import { Flag } from "../../../schemas/flags.js";
import { at, readText, type ProfileInput } from "../../harness/read-text.js";

const HOUR = 3600;
const USAGE: ProfileInput = {
  columns: { meter: "meter", time: "time", usage: "usage" },
  time: { zone: "UTC" },
};

/** Time and millilitres of each read. */
function values(text: string, profile: ProfileInput, timeZone?: string) {
  const { reads } = readText(text, profile, timeZone === undefined ? {} : { timeZone });
  return reads.map(({ time, ml }) => [new Date(time * 1000).toISOString().slice(0, 16), ml]);
}

/** Code and received value of each reject. */
function refusals(text: string, profile: ProfileInput) {
  return readText(text, profile).rejects.map(({ line, code, field, value }) => [line, code, field, value]);
}

describe("layout long", () => {
  it("reads usage as an interval from its stamp, and says line, value and unit as delivered", () => {
    const { reads, rows } = readText("meter,time,usage\nA,2026-05-01 07:00,1.5\n", {
      ...USAGE,
      unit: "gal",
    });
    expect(rows).toBe(1);
    expect(reads).toEqual([
      {
        meter: "A",
        channel: "",
        serial: "",
        kind: "usage",
        time: at("2026-05-01T07:00Z"),
        length: HOUR,
        ml: 5678,
        delivered: 1.5,
        unit: "gal",
        flags: 0,
        line: 2,
      },
    ]);
  });

  it("reads register and usage of one row, each with the unit that its column names", () => {
    const { reads } = readText("m,t,u,uu,r,ru,c,s\nA,2026-05-01 07:00,5.0,Gallons,227.6,CCF,H,S1\n", {
      columns: {
        meter: "m",
        time: "t",
        usage: "u",
        unit: "uu",
        register: "r",
        registerUnit: "ru",
        channel: "c",
        serial: "s",
      },
      time: { zone: "UTC", stamp: "end" },
    });
    expect(
      reads.map(({ kind, time, ml, unit, channel, serial }) => [kind, time, ml, unit, channel, serial]),
    ).toEqual([
      ["usage", at("2026-05-01T06:00Z"), 18_927, "gal", "H", "S1"],
      ["register", at("2026-05-01T07:00Z"), 644_491_428, "ccf", "H", "S1"],
    ]);
  });

  it("takes columns by position where there is no header, and skips rows before one", () => {
    const columns = { meter: 2, time: 1, usage: 3 };
    expect(values("2026-05-01 07:00,A,1\n", { ...USAGE, columns, header: false })).toEqual([
      ["2026-05-01T07:00", 1000],
    ]);
    expect(
      values("Report of May\n\nx\nMETER , Time,usage\nA,2026-05-01 07:00,1\n", { ...USAGE, skipRows: 2 }),
    ).toEqual([["2026-05-01T07:00", 1000]]);
  });

  it("passes blank rows and rows of totals over", () => {
    const found = readText("meter,time,usage\nA,2026-05-01 07:00,1\n,,\n \nTOTAL,,1\n", {
      ...USAGE,
      trailerRows: "TOTAL",
    });
    expect([found.rows, found.rejected]).toEqual([1, 0]);
  });

  it("brings meter ids into the canonical form of the profile", () => {
    const meters = (meterId: ProfileInput["meterId"]) =>
      readText("meter,time,usage\n 00a1 ,2026-05-01 07:00,1\n", { ...USAGE, meterId }).reads.map(
        ({ meter }) => meter,
      );
    expect(meters({})).toEqual(["00a1"]);
    expect(meters({ leadingZeros: "strip" })).toEqual(["a1"]);
    expect(meters({ upperCase: true })).toEqual(["00A1"]);
    expect(
      readText("meter,time,usage\n000,2026-05-01 07:00,1\n", { ...USAGE, meterId: { leadingZeros: "strip" } })
        .reads[0]!.meter,
    ).toBe("0");
  });

  it("never takes two meters, channels or serials for one", () => {
    const long = "M".repeat(199);
    const text = [`${long}1,,`, `${long}2,,`, "a,b,c", "ab,,c", "a,,bc", "a,b,c"]
      .map((ids) => `${ids},2026-05-01 07:00,1\n`)
      .join("");
    const { reads } = readText(`m,c,s,t,u\n${text}`, {
      columns: { meter: "m", channel: "c", serial: "s", time: "t", usage: "u" },
    });
    expect(reads.map(({ meter, channel, serial }) => [meter, channel, serial])).toEqual([
      [`${long}1`, "", ""],
      [`${long}2`, "", ""],
      ["a", "b", "c"],
      ["ab", "", "c"],
      ["a", "", "bc"],
      ["a", "b", "c"],
    ]);
  });

  it("rejects ids that are too long, can't be seen or are not UTF-8, and never keeps them", () => {
    const bytes = Buffer.concat([
      Buffer.from("m,c,t,u\n"),
      Buffer.from([0x5a, 0xe4, 0x31]),
      Buffer.from(",,2026-05-01 07:00,1\n"),
      Buffer.from(`${"x".repeat(201)},,2026-05-01 07:00,1\na\u0000b,,2026-05-01 07:00,1\n`),
      Buffer.from(`A,${"c".repeat(17)},2026-05-01 07:00,1\n`),
    ]);
    const { rejects, reads } = readText(bytes, {
      columns: { meter: "m", channel: "c", time: "t", usage: "u" },
    });
    expect(reads).toEqual([]);
    expect(rejects.map(({ code, field, value }) => [code, field, value])).toEqual([
      ["bad-id", "meter", null],
      ["bad-id", "meter", null],
      ["bad-id", "meter", null],
      ["bad-id", "channel", null],
    ]);
  });
});

describe("a stamp that is spread over columns", () => {
  const columns = { meter: "m", time: ["year", "month", "day", 5], usage: "u" };

  it("is read from their words, in the order of the list, and rejected with all of them", () => {
    const text =
      "year,m,day,month,h,u\n2026,A,1,5,7,1\n2026,A, 01 ,05,08,2\n2026,A,32,05,08,3\n2026,A,,05,08,4\n2026,A,1,5\n";
    const { reads, rejects } = readText(text, { columns, time: { format: "YYYY MM DD HH" } });
    expect(reads.map(({ time, ml }) => [time, ml])).toEqual([
      [at("2026-05-01T07:00-07:00"), 1000],
      [at("2026-05-01T08:00-07:00"), 2000],
    ]);
    expect(rejects.map(({ line, code, field, value }) => [line, code, field, value])).toEqual([
      [4, "bad-time", "time", "2026 05 32 08"],
      [5, "bad-time", "time", "2026 05  08"],
      [6, "too-few-columns", "row", "4 columns"],
    ]);
  });

  it("may have its clock apart, and be the date of a wide row", () => {
    const apart = readText("m,year,month,day,clock,u\nA,2026,5,1,07:30,1\n", {
      columns: { meter: "m", time: ["year", "month", "day"], clock: "clock", usage: "u" },
      time: { format: "YYYY MM DD HH:mm" },
    });
    expect(apart.reads.map(({ time }) => time)).toEqual([at("2026-05-01T07:30-07:00")]);
    const hours = Array.from({ length: 24 }, (_, i) => `h${i}`);
    const wide = readText(
      `m,d,mon,y,${hours.join(",")}\nA,1,MAY,2026,${hours.map((_, i) => i).join(",")}\n`,
      {
        layout: "wide",
        columns: { meter: "m", time: ["d", "mon", "y"], first: "h0" },
        time: { format: "DD MMM YYYY" },
      },
    );
    expect(wide.rejects).toEqual([]);
    expect(wide.reads.at(-1)).toMatchObject({ time: at("2026-05-01T23:00-07:00"), ml: 23_000 });
  });

  it("needs each of its columns in the header", () => {
    expect(() => readText("m,year,month,u,u2\n", { columns, time: { format: "YYYY MM DD HH" } })).toThrow(
      'no column for time "day"',
    );
  });
});

describe("values", () => {
  const one = (value: string, profile: Partial<ProfileInput> = {}) => {
    const { reads, rejects } = readText(`meter;time;usage\nA;2026-05-01 07:00;${value}\n`, {
      ...USAGE,
      delimiter: ";",
      ...profile,
    });
    return rejects[0]?.code ?? reads[0]!.ml;
  };

  it.each([
    ["1", 1000],
    ["+1.5", 1500],
    [" 1.5 ", 1500],
    [".5", 500],
    ["5.", 5000],
    ["1e3", 1_000_000],
    ["0.0001", 0],
    ["-0", 0],
    ["00012", 12_000],
    ["123456789012.345", 123_456_789_012_345],
    ["", null],
    ["ERROR", null],
    ["nan", null],
    ["*", null],
    ["1,5", "bad-number"],
    ["12.3.4", "bad-number"],
    ["1e999", "bad-number"],
    ["0x10", "bad-number"],
    ["1 000", "bad-number"],
    ["--1", "bad-number"],
    ["Infinity", "bad-number"],
    ["1e15", "out-of-range"],
    ["-1", "negative-usage"],
  ])("takes %j as %s mL", (value, expected) => {
    expect(one(value)).toBe(expected);
  });

  it("takes decimal commas and thousands marks where the profile says so", () => {
    expect(one("1,5", { decimal: "," })).toBe(1500);
    expect(one("1.5", { decimal: "," })).toBe("bad-number");
    expect(one("1.234,5", { decimal: ",", thousands: "." })).toBe(1_234_500);
    expect(one("1,234.5", { thousands: "," })).toBe(1_234_500);
    expect(one("12,34.5", { thousands: "," })).toBe("bad-number");
    expect(one("1’234.5", { thousands: "’" })).toBe(1_234_500);
  });

  it("multiplies by the meter constant and knows units by the words of head-ends", () => {
    expect(one("2", { multiplier: 10, unit: "ft3" })).toBe(566_337);
    const { reads, rejects } = readText(
      "m,t,u,n\n" +
        ["Gallons", "CCF", "hcf", "CF", "m³", "KGAL", "furlong", ""]
          .map((w) => `A,2026-05-01 07:00,1,${w}\n`)
          .join(""),
      { columns: { meter: "m", time: "t", usage: "u", unit: "n" } },
    );
    expect(reads.map(({ unit }) => unit)).toEqual(["gal", "ccf", "ccf", "ft3", "m3", "kgal"]);
    expect(rejects.map(({ code, value }) => [code, value])).toEqual([
      ["unknown-unit", "furlong"],
      ["unknown-unit", ""],
    ]);
  });

  it("knows a sender's own words for units, and a meter constant in each row", () => {
    const { reads, rejects, rejected } = readText(
      "m,t,u,n,k\nA,2026-05-01 07:00,2,cf_wat,\nA,2026-05-01 08:00,2,10 GAL,10\nA,2026-05-01 09:00,2,L,0\nA,2026-05-01 10:00,2,L,x\n",
      {
        columns: { meter: "m", time: "t", usage: "u", unit: "n", multiplier: "k" },
        treatAs: { CF_WAT: "ft3" },
        multiplier: 2,
      },
    );
    expect(reads.map(({ ml, unit, delivered }) => [ml, unit, delivered])).toEqual([
      [113_267, "ft3", 2],
      [1_514_165, "10gal", 2],
    ]);
    expect([rejected, rejects.map(({ code, field, value }) => [code, field, value])]).toEqual([
      2,
      [
        ["bad-number", "multiplier", "0"],
        ["bad-number", "multiplier", "x"],
      ],
    ]);
  });

  it("keeps words of its own for no read, and takes a falling register as it is", () => {
    expect(one("closed", { noRead: ["Closed"] })).toBeNull();
    expect(one("", { noRead: ["Closed"] })).toBe("bad-number");
    expect(one("0", { noRead: [""] })).toBe(0);
    const { reads } = readText("m,t,r\nA,2026-05-01 07:00,-3\n", {
      columns: { meter: "m", time: "t", register: "r" },
      registerUnit: "m3",
    });
    expect(reads[0]).toMatchObject({ kind: "register", ml: -3_000_000, length: 0 });
  });

  it("takes numbers for no read, however they are written, and where rows are read in one pass", () => {
    const rows = ["7", "-999", "-999.0", "4294967294", "4294967293", "8"];
    const { reads, rejects } = readText(
      ["m,t,u", ...rows.map((value, i) => `A,2026-05-01 0${i}:00,${value}`)].join("\n") + "\n",
      { columns: { meter: "m", time: "t", usage: "u" }, noRead: ["", "-999", "4294967294"] },
    );
    expect(rejects).toEqual([]);
    expect(reads.map(({ delivered }) => delivered)).toEqual([7, null, null, null, 4294967293, 8]);
    const hours = Array.from({ length: 24 }, (_, i) => (i === 5 ? "9999" : String(i)));
    const wide = readText(
      `m,t,${hours.map((_, i) => `h${i}`).join(",")}\n` +
        ["01", "02", "03"].map((day) => `A,2026-05-${day},${hours.join(",")}\n`).join(""),
      {
        layout: "wide",
        columns: { meter: "m", time: "t", first: "h0" },
        time: { format: "YYYY-MM-DD" },
        noRead: ["9999"],
      },
    );
    expect(wide.reads.filter(({ ml }) => ml === null)).toHaveLength(3);
    expect(wide.reads.filter(({ ml }) => ml !== null).map(({ delivered }) => delivered)).not.toContain(9999);
  });

  it("flags by the quality column, also in words that are not ASCII", () => {
    const { reads } = readText(
      "m,t,u,q\n" +
        ["", "A", "e", "Geschätzt", "EDITED", "suspect", "missing"]
          .map((q) => `A,2026-05-01 07:00,1,${q}\n`)
          .join(""),
      {
        columns: { meter: "m", time: "t", usage: "u", quality: "q" },
        quality: { estimated: ["E", "geschätzt"], noRead: ["MISSING"] },
      },
    );
    expect(reads.map(({ flags, ml }) => [flags, ml])).toEqual([
      [0, 1000],
      [0, 1000],
      [Flag.estimated, 1000],
      [Flag.estimated, 1000],
      [Flag.adjusted, 1000],
      [Flag.suspect, 1000],
      [0, null],
    ]);
  });
});

describe("time", () => {
  it("takes stamps that carry their offset, or are epochs, without the profile's zone", () => {
    const columns = USAGE.columns!;
    expect(
      values("meter,time,usage\nA,2026-05-01T07:00:00-05:00,1\n", {
        columns,
        time: { format: "YYYY-MM-DDTHH:mm:ssZ" },
      }),
    ).toEqual([["2026-05-01T12:00", 1000]]);
    expect(values("meter,time,usage\nA,1777636800,1\n", { columns, time: { format: "X" } })).toEqual([
      ["2026-05-01T12:00", 1000],
    ]);
  });

  it("takes the time of day from a column of its own", () => {
    expect(
      values("m,d,c,u\nA,05/01/2026, 7:15 PM,1\n", {
        columns: { meter: "m", time: "d", clock: "c", usage: "u" },
        time: { zone: "UTC", format: "MM/DD/YYYY hh:mm A", interval: 900 },
      }),
    ).toEqual([["2026-05-01T19:15", 1000]]);
  });

  it("sets stamps near the grid on it, and rejects those that are not", () => {
    const profile: ProfileInput = { ...USAGE, time: { zone: "Asia/Kolkata", stamp: "end", snap: 120 } };
    const text = "meter,time,usage\nA,2026-05-01 06:59,1\nA,2026-05-01 08:02,1\nA,2026-05-01 08:03,1\n";
    expect(values(text, profile)).toEqual([
      ["2026-05-01T00:30", 1000],
      ["2026-05-01T01:30", 1000],
    ]);
    expect(refusals(text, profile)).toEqual([[4, "not-on-grid", "time", "2026-05-01 08:03"]]);
  });

  it("rejects times that can't be", () => {
    const profile: ProfileInput = { ...USAGE, time: {} };
    const text =
      "meter,time,usage\n" +
      ["2026-03-08 02:30", "2026-02-30 00:00", "2026-12-03 00:00", "1970-01-01 00:00", ""]
        .map((time) => `A,${time},1\n`)
        .join("");
    expect(refusals(text, profile).map(([, code, , value]) => [code, value])).toEqual([
      ["no-such-local-time", "2026-03-08 02:30"],
      ["bad-time", "2026-02-30 00:00"],
      ["time-in-future", "2026-12-03 00:00"],
      ["time-too-early", "1970-01-01 00:00"],
      ["bad-time", ""],
    ]);
  });

  const fallBack = ["00:30", "01:00", "01:30", "01:00", "01:30", "02:00"];
  const half = (order: readonly string[], repeatedHour?: "order" | "first" | "second") =>
    values("meter,time,usage\n" + order.map((clock) => `A,2026-11-01 ${clock},1\n`).join(""), {
      columns: USAGE.columns!,
      time: { interval: 1800, ...(repeatedHour === undefined ? {} : { repeatedHour }) },
    }).map(([time]) => time);

  it("tells the hour that comes twice apart by the order of the file, upwards and downwards", () => {
    const expected = ["07:30", "08:00", "08:30", "09:00", "09:30", "10:00"].map(
      (clock) => `2026-11-01T${clock}`,
    );
    expect(half(fallBack)).toEqual(expected);
    expect(half([...fallBack].reverse())).toEqual([...expected].reverse());
  });

  it("goes on upwards after a row of an earlier time", () => {
    const rows = ["00:00", "00:30", "00:00", ...fallBack];
    expect(half(rows).slice(3)).toEqual(half(fallBack));
  });

  describe("hours by their number", () => {
    const numbered = (hours: "clock" | "elapsed", stamp: "beginning" | "end"): ProfileInput => ({
      columns: { meter: "m", time: "d", clock: "h", usage: "u" },
      time: { format: "DD/MM/YYYY HH", stamp, hours },
    });
    const day = (date: string, from: number, to: number) =>
      ["m,d,h,u", ...Array.from({ length: to - from + 1 }, (_, i) => `A,${date},${from + i},1`)].join("\n");
    const times = (text: string, profile: ProfileInput) =>
      readText(text, profile).reads.map(({ time }) => time);

    it.each([
      ["01/05/2026", "2026-05-01T07:00Z", 24],
      ["08/03/2026", "2026-03-08T08:00Z", 23],
      ["01/11/2026", "2026-11-01T07:00Z", 25],
    ])("count the hours of %s from its beginning", (date, begin, hours) => {
      const expected = Array.from({ length: hours }, (_, i) => at(begin) + i * HOUR);
      expect(times(day(date, 1, hours), numbered("elapsed", "end"))).toEqual(expected);
      expect(times(day(date, 0, hours - 1), numbered("elapsed", "beginning"))).toEqual(expected);
      const { rejects } = readText(day(date, hours + 1, hours + 1), numbered("elapsed", "end"));
      expect(rejects).toMatchObject([{ line: 2, code: hours === 25 ? "bad-time" : "no-such-local-time" }]);
    });

    it("are times of the clock where nothing else is said, of which there are 24 at most", () => {
      expect(times(day("01/05/2026", 1, 24), numbered("clock", "end"))).toHaveLength(24);
      expect(readText(day("01/11/2026", 25, 25), numbered("clock", "end")).rejects).toMatchObject([
        { code: "bad-time", field: "clock", value: "25" },
      ]);
    });
  });

  it("takes always the one hour where the profile says so", () => {
    expect(half(fallBack, "first").slice(1, 5)).toEqual([
      "2026-11-01T08:00",
      "2026-11-01T08:30",
      "2026-11-01T08:00",
      "2026-11-01T08:30",
    ]);
    expect(half(fallBack, "second").slice(1, 3)).toEqual(["2026-11-01T09:00", "2026-11-01T09:30"]);
  });

  it.each(["beginning", "end"] as const)(
    "gives days of 23 and 25 hours to daily usage (stamp: %s)",
    (stamp) => {
      const days = ["2026-03-08", "2026-03-09", "2026-11-01", "2026-11-02"];
      const { reads } = readText("meter,time,usage\n" + days.map((day) => `A,${day},1\n`).join(""), {
        columns: USAGE.columns!,
        time: { format: "YYYY-MM-DD", interval: 86_400, stamp },
      });
      expect(reads.map(({ length }) => length / HOUR)).toEqual(
        stamp === "end" ? [24, 23, 24, 25] : [23, 24, 25, 24],
      );
      expect(reads[1]!.time).toBe(at(stamp === "end" ? "2026-03-08T08:00Z" : "2026-03-09T07:00Z"));
    },
  );
});

describe("layout wide", () => {
  const wide = (intervals: 24 | 48 | 96, more: Partial<ProfileInput> = {}): ProfileInput => ({
    layout: "wide",
    columns: { meter: "meter", time: "date", first: "i1" },
    intervalsPerDay: intervals,
    time: { format: "YYYY-MM-DD" },
    ...more,
  });
  const text = (intervals: number, day: string, value: (i: number) => string | number) => {
    const columns = [...Array(intervals).keys()];
    return `meter,date,${columns.map((i) => `i${i + 1}`).join(",")}\nA,${day},${columns.map(value).join(",")}\n`;
  };

  it.each([24, 48, 96] as const)("reads a day of %d columns", (intervals) => {
    const { reads, rows } = readText(
      text(intervals, "2026-05-01", (i) => i),
      wide(intervals),
    );
    expect(rows).toBe(1);
    expect(reads.map(({ ml }) => ml)).toEqual([...Array(intervals).keys()].map((i) => i * 1000));
    reads.forEach(({ time, length }, i) => {
      expect(length).toBe(86_400 / intervals);
      expect(time).toBe(at("2026-05-01T07:00Z") + i * length);
    });
  });

  it.each([
    ["America/Los_Angeles", "2026-03-08", 23],
    ["Europe/Dublin", "2026-03-29", 23],
    ["Australia/Adelaide", "2026-10-04", 23],
    ["Australia/Lord_Howe", "2026-10-04", 23.5],
    ["America/Santiago", "2026-09-06", 23],
    ["America/Los_Angeles", "2026-11-01", 25],
    ["Europe/Dublin", "2026-10-25", 25],
    ["Australia/Adelaide", "2026-04-05", 25],
    ["Australia/Lord_Howe", "2026-04-05", 24.5],
    ["America/Santiago", "2026-04-04", 25],
    ["Asia/Kolkata", "2026-04-05", 24],
  ])("covers the whole local day without a hole or an overlap: %s %s, %d hours", (timeZone, day, hours) => {
    for (const intervals of [24, 48, 96] as const) {
      const found = readText(
        text(intervals, day, () => 0),
        wide(intervals),
        { timeZone, now: at("2027-01-01T00:00Z") },
      );
      const { reads } = found;
      expect([found.rows, found.rejects]).toEqual([1, []]);
      expect(reads.reduce((sum, { length }) => sum + length, 0)).toBe(hours * HOUR);
      for (let i = 1; i < reads.length; i++)
        expect(reads[i]!.time).toBe(reads[i - 1]!.time + reads[i - 1]!.length);
    }
  });

  it("takes the repeated hour of a 25-hour day as one interval of two hours", () => {
    const hourly = readText(
      text(24, "2026-11-01", (i) => i),
      wide(24),
    ).reads;
    expect(hourly).toHaveLength(24);
    expect(hourly[1]).toMatchObject({ time: at("2026-11-01T08:00Z"), length: 2 * HOUR, ml: 1000 });
    const quarters = readText(
      text(96, "2026-11-01", () => 1),
      wide(96),
    ).reads;
    expect(quarters).toHaveLength(93);
    expect(quarters[4]).toMatchObject({ time: at("2026-11-01T08:00Z"), length: 2 * HOUR, ml: 4000 });
    const hole = readText(
      text(96, "2026-11-01", (i) => (i === 5 ? "" : 1)),
      wide(96),
    ).reads;
    expect(hole[4]).toMatchObject({ length: 2 * HOUR, ml: null, delivered: null });
  });

  describe("with a column more", () => {
    /** A day's text: what stands in each column, in their order; the names are `c0`, `c1`, … */
    const row = (day: string, cells: readonly (string | number)[]) =>
      `meter,date,${cells.map((_, i) => `c${i}`).join(",")},note\nA,${day},${cells.join(",")},x\n`;
    const hours = (count: number) => [...Array(count).keys()];
    const of = (day: string, cells: readonly (string | number)[], profile: Partial<ProfileInput>) =>
      readText(row(day, cells), {
        layout: "wide",
        ...profile,
        columns: { meter: "meter", time: "date", first: "c0", ...profile.columns },
        time: { format: "YYYY-MM-DD", ...profile.time },
      });
    const elapsed = { time: { wide: "elapsed" } } as const;

    it("counts the hours of the day, which may have 23 or 25", () => {
      for (const [day, length] of [
        ["2026-05-01", 24],
        ["2026-03-08", 23],
        ["2026-11-01", 25],
      ] as const) {
        const cells = hours(25).map((i) => (i < length ? i + 1 : ""));
        const { reads, rejects, unknownColumns } = of(day, cells, elapsed);
        expect(rejects).toEqual([]);
        expect(unknownColumns).toEqual(["note"]);
        expect(reads.map(({ ml }) => ml)).toEqual(hours(length).map((i) => (i + 1) * 1000));
        reads.forEach((read, i) => {
          expect(read.length).toBe(HOUR);
          expect(read.time).toBe(reads[0]!.time + i * HOUR);
        });
      }
      const quarters = of("2026-11-01", hours(100), { ...elapsed, intervalsPerDay: 96 }).reads;
      expect([quarters.length, quarters[99]!.length]).toEqual([100, HOUR / 4]);
    });

    it("rejects use in an hour that the day does not have", () => {
      const { reads, rejects } = of("2026-05-01", hours(25), elapsed);
      expect(reads).toHaveLength(24);
      expect(rejects).toMatchObject([{ code: "missing-hour-used", field: "interval 25", value: "24" }]);
      expect(of("2026-05-01", [...hours(24), 0], elapsed).rejects).toEqual([]);
    });

    it.each([
      ["behind the others", 24],
      ["after the hour that it repeats", 2],
    ])("takes the second time of the repeated hour from a column of its own, %s", (_, place) => {
      const cells = (again: string | number) => {
        const day: (string | number)[] = hours(24);
        day.splice(place, 0, again);
        return day;
      };
      const repeated = { columns: { repeated: `c${place}` } } as Partial<ProfileInput>;
      const autumn = of("2026-11-01", cells(77), repeated);
      expect(autumn.rejects).toEqual([]);
      expect(autumn.reads).toHaveLength(25);
      const sorted = autumn.reads.sort((a, b) => a.time - b.time);
      expect(sorted.map(({ delivered }) => delivered)).toEqual([0, 1, 77, ...hours(24).slice(2)]);
      sorted.forEach(({ time, length }, i) => {
        expect([time, length]).toEqual([at("2026-11-01T07:00Z") + i * HOUR, HOUR]);
      });
      const usual = of("2026-05-01", cells(""), repeated);
      expect([usual.reads.length, usual.rejects]).toEqual([24, []]);
      const spring = of(
        "2026-03-08",
        cells("").map((cell) => (cell === 2 ? "" : cell)),
        repeated,
      );
      expect([spring.reads.length, spring.rejects]).toEqual([23, []]);
      expect(of("2026-05-01", cells(77), repeated).rejects).toMatchObject([
        { code: "missing-hour-used", value: "77" },
      ]);
    });
  });

  it("wants nothing or 0 in the column of the hour left out", () => {
    for (const value of ["", "0", "0.0"]) {
      const found = readText(
        text(24, "2026-03-08", (i) => (i === 2 ? value : 1)),
        wide(24),
      );
      expect([found.reads.length, found.rejects.length]).toEqual([23, 0]);
    }
    const used = readText(
      text(24, "2026-03-08", () => 7),
      wide(24),
    );
    expect([used.reads.length, used.rows, used.rejected, used.valuesRejected]).toEqual([23, 0, 1, 1]);
    expect(used.rejects[0]).toMatchObject({ code: "missing-hour-used", field: "interval 3", value: "7" });
    const passedOver = readText(
      text(24, "2026-03-08", () => 7),
      wide(24),
      { checks: { "missing-hour-used": false } },
    );
    expect(passedOver.reads).toEqual(used.reads);
    expect([passedOver.rows, passedOver.rejected, passedOver.valuesRejected]).toEqual([1, 0, 0]);
  });

  it("rejects one wrong value and takes the others of the row", () => {
    const found = readText(
      text(24, "2026-05-01", (i) => (i === 4 ? "x" : 1)),
      wide(24),
    );
    expect([found.reads.length, found.rows, found.rejected, found.valuesRejected]).toEqual([23, 0, 1, 1]);
    expect(found.rejects).toMatchObject([{ code: "bad-number", field: "interval 5", value: "x", line: 2 }]);
  });

  it("reads registers at the edge of their column that the profile says, in the unit of their column", () => {
    const registers = (stamp: "beginning" | "end") =>
      readText("meter,date,n,i1" + ",x".repeat(23) + `\nA,2026-05-01,CCF${",1".repeat(24)}\n`, {
        layout: "wide",
        columns: { meter: "meter", time: "date", first: "i1", unit: "n" },
        wideValues: "register",
        time: { format: "YYYY-MM-DD", stamp },
      }).reads;
    expect(registers("beginning")[0]).toMatchObject({
      kind: "register",
      time: at("2026-05-01T07:00Z"),
      unit: "ccf",
      length: 0,
    });
    expect(registers("end")[23]!.time).toBe(at("2026-05-02T07:00Z"));
  });

  it("takes dates with midnight, and rejects a day that begins at another time", () => {
    const profile = wide(24, { time: {} });
    expect(
      readText(
        text(24, "2026-05-01 00:00", () => 1),
        profile,
      ).rows,
    ).toBe(1);
    expect(
      readText(
        text(24, "2026-05-01", () => 1),
        profile,
      ).rows,
    ).toBe(1);
    const wrong = readText(
      text(24, "2026-05-01 06:00", () => 1),
      profile,
    );
    expect(wrong.rejects.map(({ code }) => code)).toEqual(["bad-date"]);
    expect([wrong.rejected, wrong.valuesRejected]).toEqual([1, 24]);
  });
});

describe("rejects", () => {
  it("tells the line, the bytes, the column and the value, never a meter id", () => {
    const text =
      "meter,time,usage\nA,2026-05-01 07:00,1\nSECRET-1,yesterday,1\n,2026-05-01 07:00,1\nB,2026-05-01\n";
    const { rejects, rows, rejected, valuesRejected } = readText(text, USAGE);
    expect([rows, rejected, valuesRejected]).toEqual([1, 3, 3]);
    expect(rejects).toEqual([
      { line: 3, offset: 38, length: 20, code: "bad-time", field: "time", value: "yesterday" },
      { line: 4, offset: 59, length: 19, code: "missing-meter", field: "meter", value: null },
      { line: 5, offset: 79, length: 12, code: "too-few-columns", field: "row", value: "2 columns" },
    ]);
  });

  it("tells only the shape of a value in a row whose fields are shifted", () => {
    const text = "meter,name,time,usage\nA,Smith, John,2026-05-01 07:00,1\n";
    const columns = { meter: "meter", time: "time", usage: "usage" };
    expect(refusals(text, { ...USAGE, columns })).toEqual([[2, "bad-time", "time", "aaaa"]]);
  });

  it("rejects a header that lacks a column or names it twice, and a file without one", () => {
    expect(() => readText("id,time,usage\n", USAGE)).toThrow('no column for meter "meter"');
    expect(() => readText("meter,time,usage,Usage\n", USAGE)).toThrow("more than once");
    expect(() => readText("", USAGE)).toThrow("ended before a header");
    expect(() => readText('"meter,time,usage\n', USAGE)).toThrow("can't be cut");
    expect(readText("meter,time,usage\n", USAGE).rows).toBe(0);
  });

  it("gives a file up of which ten thousand rows hold not one read", () => {
    const bad = "A,yesterday,1\n";
    expect(() => readText("meter,time,usage\n" + bad.repeat(10_000), USAGE)).toThrow("not of its profile");
    const found = readText("meter,time,usage\nA,2026-05-01 07:00,1\n" + bad.repeat(10_000), USAGE);
    expect([found.rows, found.rejected]).toEqual([1, 10_000]);
  });
});
