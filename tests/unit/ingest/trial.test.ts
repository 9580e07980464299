import fc from "fast-check";
import { BillingReader } from "../../../ingest/formats/billing.js";
import { CsvRows } from "../../../ingest/formats/csv-rows.js";
import { ReadsCsv } from "../../../ingest/formats/reads-csv.js";
import { ColumnWatch } from "../../../ingest/try/column-watch.js";
import { plotDay } from "../../../ingest/try/day-plot.js";
import { Trial, type TrialReport } from "../../../ingest/try/trial.js";
import { billingOptions } from "../../../schemas/formats/billing.js";
import { csvProfile } from "../../../schemas/profile.js";
import { at, readText, type ProfileInput } from "../../harness/read-text.js";

const ZONE = "America/Los_Angeles";
const NOW = at("2026-12-01T00:00Z");
const COLUMNS = { meter: "meter", time: "time", usage: "usage" };

function tried(text: string, given: ProfileInput, show = 3): TrialReport {
  const profile = csvProfile.parse(given);
  const trial = new Trial({ timeZone: ZONE, show, nameOf: (id) => `*${id.slice(-1)}` });
  const reader = new ReadsCsv({ profile, fileName: "town.csv", timeZone: ZONE, now: NOW }, trial);
  const rows = new CsvRows(profile, reader);
  rows.push(Buffer.from(text), true);
  reader.end();
  return trial.report(reader);
}

const codes = ({ warnings }: TrialReport) => warnings.map(({ code }) => code);

/** What each hour of the local day uses, in litres: night, morning, day, evening. */
const DAY = [1, 0, 0, 0, 0, 1, 20, 45, 40, 25, 20, 20, 22, 18, 16, 18, 22, 40, 42, 35, 25, 15, 8, 3];

interface Town {
  readonly meters?: number;
  readonly hours?: number;
  /** UTC seconds. */
  readonly from?: number;
  /** What the file says of a read; undefined: no row. */
  readonly row: (read: {
    readonly meter: string;
    readonly utc: number;
    readonly usage: number;
    readonly register: number;
  }) => string | undefined;
}

const iso = (second: number) => new Date(second * 1000).toISOString().slice(0, 16).replace("T", " ");
/** Summer time in Los Angeles. */
const local = (utc: number) => utc - 7 * 3600;

function town({ meters = 25, hours = 72, from = at("2026-05-13T07:00Z"), row }: Town): string {
  const lines: string[] = [];
  for (let m = 0; m < meters; m++) {
    let register = 1_000 + m;
    for (let hour = 0; hour < hours; hour++) {
      const utc = from + hour * 3600;
      const usage = DAY[Math.floor(local(utc) / 3600) % 24]! + ((m + hour) % 3);
      const line = row({ meter: `M${m}`, utc, usage, register });
      register += usage;
      if (line !== undefined) lines.push(line);
    }
  }
  return lines.join("\n") + "\n";
}

const RIGHT = town({ row: ({ meter, utc, usage }) => `${meter},${iso(local(utc))},${usage}` });

it("says nothing against a right file, and counts it whole", () => {
  const report = tried(`meter,time,usage\n${RIGHT}`, { columns: COLUMNS });
  expect(report.warnings).toEqual([]);
  expect(report).toMatchObject({
    rows: 1_800,
    rejected: 0,
    reads: 1_800,
    meters: 25,
    first: at("2026-05-13T07:00Z"),
    last: at("2026-05-16T07:00Z"),
    intervals: [{ seconds: 3600, reads: 1_800 }],
    units: [{ kind: "usage", unit: "L", reads: 1_800, step: 1 }],
    day: { day: "2026-05-13" },
    whole: true,
  });
  expect(report.day!.litres).toEqual(DAY.map((litres, hour) => litres + (hour % 3)));
});

it("shows the first values as understood, with meters as they may be written", () => {
  const { values } = tried("meter,time,usage,q\nM7,2026-05-13 00:00,2.5,E\nM7,2026-05-13 01:00,,\n", {
    columns: { ...COLUMNS, quality: "q" },
    unit: "gal",
  });
  expect(values).toEqual([
    {
      line: 2,
      meter: "*7",
      channel: "",
      kind: "usage",
      beginning: at("2026-05-13T07:00Z"),
      end: at("2026-05-13T08:00Z"),
      delivered: 2.5,
      unit: "gal",
      litres: 9.464,
      flags: ["estimated"],
    },
    expect.objectContaining({ line: 3, delivered: null, litres: null, flags: [] }),
  ]);
});

it("gathers rejects by reason with their first lines and what was expected", () => {
  const rows = ["a", "b", "c", "d"].map((word, i) => `M1,2026-05-13 0${i}:00,${word}`);
  const { rejects, rejected } = tried(["meter,time,usage", ...rows, ",2026-05-13 00:00,1"].join("\n"), {
    columns: COLUMNS,
  });
  expect(rejected).toBe(5);
  expect(rejects).toEqual([
    {
      code: "bad-number",
      expected: "a number as the profile writes it",
      count: 4,
      first: [
        { line: 2, field: "usage", value: "a" },
        { line: 3, field: "usage", value: "b" },
        { line: 4, field: "usage", value: "c" },
      ],
    },
    expect.objectContaining({
      code: "missing-meter",
      count: 1,
      first: [{ line: 6, field: "meter", value: null }],
    }),
  ]);
});

it("counts what the reader reads, whatever the file", () => {
  const cell = fc.constantFrom("M1", "M2", "", "2026-05-13 00:00", "2026-05-13 01:00", "1.5", "-1", "x");
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, cell, cell), { maxLength: 30 }), (rows) => {
      const text = ["meter,time,usage", ...rows.map((row) => row.join(","))].join("\n") + "\n";
      const report = tried(text, { columns: COLUMNS });
      const found = readText(text, { columns: COLUMNS });
      expect(report).toMatchObject({
        rows: found.rows,
        rejected: found.rejected,
        valuesRejected: found.valuesRejected,
        reads: found.reads.filter(({ ml }) => ml !== null).length,
        noReads: found.reads.filter(({ ml }) => ml === null).length,
      });
      expect(report.rejects.reduce((sum, { count }) => sum + count, 0)).toBe(found.rejects.length);
    }),
  );
});

it.each([
  [59, /just before/],
  [-59, /just after/],
])("warns of stamps %i minutes from the hour, unless they are set on it", (minutes, where) => {
  const text = town({
    meters: 2,
    row: ({ meter, utc, usage }) => `${meter},${iso(local(utc) + minutes * 60)},${usage}`,
  });
  const profile: ProfileInput = { columns: COLUMNS, time: { stamp: "end" } };
  const { warnings } = tried(`meter,time,usage\n${text}`, profile);
  expect(warnings).toContainEqual(
    expect.objectContaining({ code: "stamps-off-grid", text: expect.stringMatching(where) as string }),
  );
  const mended = tried(`meter,time,usage\n${text}`, { ...profile, time: { stamp: "end", snap: 60 } });
  expect(codes(mended)).not.toContain("stamps-off-grid");
});

it("warns where the town's night is not at night, and not of a town too small to tell", () => {
  const text = town({ row: ({ meter, utc, usage }) => `${meter},${iso(utc)},${usage}` });
  const report = tried(`meter,time,usage\n${text}`, { columns: COLUMNS });
  expect(report.warnings.find(({ code }) => code === "night-elsewhere")!.text).toMatch(
    /from 09:00 to 12:00|from 08:00 to 11:00/,
  );
  expect(codes(tried(`meter,time,usage\n${text}`, { columns: COLUMNS, time: { zone: "UTC" } }))).toEqual([]);
  const few = town({ meters: 5, row: ({ meter, utc, usage }) => `${meter},${iso(utc)},${usage}` });
  expect(codes(tried(`meter,time,usage\n${few}`, { columns: COLUMNS }))).not.toContain("night-elsewhere");
});

it.each([
  ["end", "beginning", /stamp: end/],
  ["beginning", "end", /stamp: beginning/],
] as const)("tells by the registers that stamps are the %s, read as %s", (truth, readAs, mend) => {
  const text = town({
    meters: 3,
    row: ({ meter, utc, usage, register }) => {
      const stamp = truth === "end" ? utc + 3600 : utc;
      return `${meter},${iso(local(stamp))},${usage},${truth === "end" ? register + usage : register}`;
    },
  });
  const header = "meter,time,usage,register\n";
  const columns = { ...COLUMNS, register: "register" };
  const wrong = tried(header + text, { columns, time: { stamp: readAs } });
  expect(wrong.warnings).toContainEqual(
    expect.objectContaining({ code: "shifted-usage", mend: expect.stringMatching(mend) as string }),
  );
  expect(codes(tried(header + text, { columns, time: { stamp: truth } }))).toEqual([]);
});

it("says perhaps where whole days begin an interval beside midnight", () => {
  const text = town({
    meters: 2,
    row: ({ meter, utc, usage }) => `${meter},${iso(local(utc + 3600))},${usage}`,
  });
  const { warnings } = tried(`meter,time,usage\n${text}`, { columns: COLUMNS });
  expect(warnings).toMatchObject([
    { code: "whole-days-shifted", mend: expect.stringMatching(/^Perhaps/) as string },
  ]);
});

it("warns of registers that fall on many meters, not of a jitter", () => {
  const columns = { meter: "meter", time: "time", register: "usage" };
  const falling = tried(`meter,time,usage\n${RIGHT}`, { columns, multiplier: 10 });
  expect(codes(falling)).toContain("falling-registers");
  const jitter = town({
    row: ({ meter, utc, register }) =>
      `${meter},${iso(local(utc))},${register - (utc % 7200 === 0 ? 15 : 0)}`,
  });
  expect(codes(tried(`meter,time,usage\n${jitter}`, { columns }))).not.toContain("falling-registers");
});

it("warns of zeros alone and of volumes that no home uses, and names the units that would do", () => {
  const zeros = RIGHT.replace(/,\d+\n/g, ",0\n");
  expect(codes(tried(`meter,time,usage\n${zeros}`, { columns: COLUMNS }))).toEqual(["all-zero"]);
  const { warnings } = tried(`meter,time,usage\n${RIGHT}`, { columns: COLUMNS, unit: "m3" });
  expect(warnings).toMatchObject([
    { code: "implausible-volume", mend: expect.stringMatching(/unit m3\?.*with: L, gal/) as string },
  ]);
});

it("warns of bills that leave a day between them, or share one", () => {
  const bills = (rows: string, more: object = {}) => {
    const trial = new Trial({ timeZone: ZONE, show: 3, nameOf: (id) => id });
    const columns = { meter: "meter", previousDate: "from", currentDate: "to", usage: "use" };
    const billing = billingOptions.parse({ columns, ...more });
    const reader = new BillingReader({ billing, timeZone: ZONE, now: NOW }, trial);
    reader.push(Buffer.from(`meter,from,to,use\n${rows}`), true);
    return trial.report(reader.counts);
  };
  const APART = "M,2026-04-01,2026-04-30,9000\nM,2026-05-01,2026-05-31,9000\n";
  const TOUCHING = "M,2026-04-01,2026-05-01,9000\nM,2026-05-01,2026-06-01,9000\n";
  expect(bills(APART).warnings).toMatchObject([
    { code: "bills-apart", mend: expect.stringContaining("currentDateIncluded: true") as string },
  ]);
  expect(bills(APART, { currentDateIncluded: true }).warnings).toEqual([]);
  expect(bills(TOUCHING).warnings).toEqual([]);
  expect(codes(bills(TOUCHING, { currentDateIncluded: true }))).toEqual(["bills-apart"]);
  expect(codes(bills(TOUCHING, { unit: "mL" }))).toEqual(["implausible-volume"]);
  expect(bills(TOUCHING)).toMatchObject({
    intervals: [{ reads: 1 }, { reads: 1 }],
    units: [{ kind: "bill", unit: "L", reads: 2 }],
    day: null,
  });
});

it("warns of single volumes that no meter passes, and not where the unit makes all of them so", () => {
  const marked = RIGHT.replace(/,\d+\n/, ",4294967294\n");
  const { warnings } = tried(`meter,time,usage\n${marked}`, { columns: COLUMNS });
  expect(warnings).toMatchObject([
    {
      code: "impossible-values",
      text: expect.stringMatching(/^1 of .* 4,290,000,000 L \(1 meters\)/) as string,
    },
  ]);
  const named = tried(`meter,time,usage\n${marked}`, { columns: COLUMNS, noRead: ["4294967294"] });
  expect([codes(named), named.noReads]).toEqual([[], 1]);
  expect(codes(tried(`meter,time,usage\n${RIGHT}`, { columns: COLUMNS, unit: "m3" }))).not.toContain(
    "impossible-values",
  );
});

it("warns of a time that comes twice with different values, not of equal ones", () => {
  const twice = (second: number) =>
    `meter,time,usage\nM1,2026-05-13 00:00,4\nM1,2026-05-13 00:00,${second}\n`;
  expect(codes(tried(twice(5), { columns: COLUMNS }))).toContain("different-duplicates");
  expect(codes(tried(twice(4), { columns: COLUMNS }))).not.toContain("different-duplicates");
});

it("warns where the day of 25 hours has 24, and not where it has all", () => {
  const from = at("2026-10-31T07:00Z");
  const fall = at("2026-11-01T09:00Z");
  const wall = (utc: number) => iso(utc - (utc < fall ? 7 : 8) * 3600);
  const make = (whole: boolean) =>
    town({
      meters: 3,
      hours: 73,
      from,
      row: ({ meter, utc, usage }) => (!whole && utc === fall ? undefined : `${meter},${wall(utc)},${usage}`),
    });
  const lacking = tried(`meter,time,usage\n${make(false)}`, { columns: COLUMNS });
  expect(lacking.warnings).toMatchObject([
    {
      code: "clock-change",
      text: expect.stringMatching(/2026-11-01.*25 hours; 3 of 3 series have fewer \(24\)/) as string,
    },
  ]);
  expect(tried(`meter,time,usage\n${make(true)}`, { columns: COLUMNS }).warnings).toEqual([]);
});

it("names the profile's columns that are empty throughout", () => {
  const watch = new ColumnWatch(csvProfile.parse({ columns: { ...COLUMNS, quality: "q", channel: 5 } }));
  watch.push(Buffer.from("meter,time,usage,q,c\nM1,2026-05-13 00:00,1,,\nM"), false);
  watch.push(Buffer.from("2,2026-05-13 00:00,1, ,H\n"), true);
  expect(watch.warnings()).toMatchObject([
    { code: "empty-column", text: "Nothing stands in any of 2 rows in: quality (q)." },
  ]);
});

it("plots a day within 80 columns, in ASCII where asked, and tells no read from none used", () => {
  const litres = DAY.map((one, hour) => (hour === 2 ? null : one * 1_000));
  const ascii = plotDay(litres, true);
  expect(ascii).toMatch(/^[\x00-\x7f]*$/);
  for (const line of ascii.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  const [lowest] = ascii.split("\n").slice(7);
  expect(lowest).toContain("?");
  expect(plotDay(litres, false)).toMatch(/[▁▂▃▄▅▆▇█]/);
  expect(plotDay(new Array(24).fill(0), true)).not.toContain("#");
});
