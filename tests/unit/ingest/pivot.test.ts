import fc from "fast-check";
import { readText, type FoundRead, type ProfileInput } from "../../harness/read-text.js";

const PIVOT: ProfileInput = { layout: "pivot", columns: { meter: "meter" }, time: { zone: "UTC" } };
const TEXT = "meter,2026-05-01 07:00,2026-05-01 08:00\nM-1,1,2.5\nM-2,,0\n";

/** Meter, time and millilitres of each read. */
function values(text: string, profile: ProfileInput = PIVOT, timeZone = "America/Los_Angeles") {
  const { reads, rejects } = readText(text, profile, { timeZone });
  expect(rejects).toEqual([]);
  return reads.map(({ meter, time, ml }) => [meter, new Date(time * 1000).toISOString().slice(0, 16), ml]);
}

function refusals(text: string, profile: ProfileInput = PIVOT) {
  return readText(text, profile).rejects.map(({ line, code, field, value }) => [line, code, field, value]);
}

it("reads a column a time, with the column's name as its stamp", () => {
  const { reads, rows, rejected, unknownColumns } = readText(TEXT, PIVOT);
  expect(reads).toHaveLength(4);
  expect(reads[1]).toMatchObject({
    meter: "M-1",
    kind: "usage",
    length: 3600,
    ml: 2500,
    delivered: 2.5,
    line: 2,
  });
  expect(reads[2]).toMatchObject({ meter: "M-2", ml: null, line: 3 });
  expect([rows, rejected, unknownColumns]).toEqual([2, 0, []]);
});

it("passes over columns that are named otherwise, and tells them", () => {
  const { reads, unknownColumns } = readText("Zone,meter,2026-05-01 07:00,,Total\nA,M-1,1,2,3\n", PIVOT);
  expect(reads).toHaveLength(1);
  expect(unknownColumns).toEqual(["Zone", "Total"]);
});

it("reads the same, wherever the file is cut into chunks", () => {
  const whole = readText(TEXT, PIVOT);
  for (let cut = 1; cut < TEXT.length; cut++) expect(readText(TEXT, PIVOT, { cuts: [cut] })).toEqual(whole);
});

it("reads registers and days, ends of intervals, units and quality by row, channels and exchanges", () => {
  const register = { ...PIVOT, wideValues: "register", registerUnit: "m3" } as const;
  expect(values("meter,2026-05-01 07:00\nA,1.5\n", register)).toEqual([["A", "2026-05-01T07:00", 1_500_000]]);
  const ends: ProfileInput = { ...PIVOT, time: { zone: "UTC", stamp: "end" } };
  expect(values("meter,2026-05-01 24:00\nA,1\n", ends)).toEqual([["A", "2026-05-01T23:00", 1000]]);
  const days: ProfileInput = { ...PIVOT, time: { format: "MM/DD/YYYY", interval: 86_400 } };
  const { reads } = readText("meter,03/07/2026,3/8/2026,03/09/2026\nA,1,2,3\n", days);
  expect(reads.map(({ length }) => length / 3600)).toEqual([24, 23, 24]);
  const rich: ProfileInput = {
    ...PIVOT,
    columns: { meter: "meter", channel: "reg", serial: "sn", unit: "uom", quality: "q", multiplier: "k" },
  };
  const found = readText("meter,reg,sn,uom,q,k,2026-05-01 07:00\nA,H,S1,gal,E,10,1\nA,L,S2,L,,,1\n", rich);
  expect(found.reads).toMatchObject([
    { channel: "H", serial: "S1", unit: "gal", flags: 1, ml: 37_854 },
    { channel: "L", serial: "S2", unit: "L", flags: 0, ml: 1000 },
  ]);
});

it("tells the two of the repeated hour apart by their order, and takes nothing of the hour that is left out", () => {
  const local: ProfileInput = { ...PIVOT, time: {} };
  const autumn = "meter,2026-11-01 00:00,2026-11-01 01:00,2026-11-01 01:00,2026-11-01 02:00\nA,1,2,3,4\n";
  expect(values(autumn, local).map(([, time]) => time)).toEqual(
    ["07", "08", "09", "10"].map((hour) => `2026-11-01T${hour}:00`),
  );
  const spring = (value: string) =>
    `meter,2026-03-08 01:00,2026-03-08 02:00,2026-03-08 03:00\nA,1,${value},3\n`;
  for (const none of ["", "0"])
    expect(values(spring(none), local).map(([, time]) => time)).toEqual([
      "2026-03-08T09:00",
      "2026-03-08T10:00",
    ]);
  expect(refusals(spring("2"), local)).toEqual([[2, "no-such-local-time", "time", "2026-03-08 02:00"]]);
  const register = { ...local, wideValues: "register" } as const;
  expect(refusals(spring("0"), register)).toEqual([[2, "no-such-local-time", "time", "2026-03-08 02:00"]]);
});

it("lets columns of times to come be empty, and takes nothing of them", () => {
  const text = (value: string) => `meter,2026-05-01 07:00,2099-05-01 07:00\nA,1,${value}\n`;
  expect(values(text(""))).toHaveLength(1);
  expect(refusals(text("2"))).toEqual([[2, "time-in-future", "time", "2099-05-01 07:00"]]);
});

it("rejects a value by its column, and a row that is shifted or too short whole", () => {
  expect(refusals(TEXT + "M-3,x,-2\nM-4,1,2,3\nM-5,1\n,1,2\n")).toEqual([
    [4, "bad-number", "2026-05-01 07:00", "x"],
    [4, "negative-usage", "2026-05-01 08:00", "-2"],
    [5, "too-many-columns", "row", "4 columns"],
    [6, "too-few-columns", "row", "2 columns"],
    [7, "missing-meter", "meter", null],
  ]);
});

it("rejects a file without times, with one twice, or with one beside the grid", () => {
  const refused = (header: string, profile = PIVOT) => {
    try {
      readText(`${header}\n`, profile);
    } catch (error) {
      return (error as Error).message;
    }
    return undefined;
  };
  expect(refused("meter,May,June")).toBe(
    "No column's name is a time of the format YYYY-MM-DD HH:mm. Mend the profile's time.format.",
  );
  expect(refused("meter,2026-05-01 07:00,2026-05-01 7:00")).toBe("Columns 2 and 3 are of the same time.");
  const snapped: ProfileInput = { ...PIVOT, time: { zone: "UTC", snap: 60 } };
  expect(refused("meter,2026-05-01 07:01", snapped)).toBeUndefined();
  expect(refused("meter,2026-05-01 07:02", snapped)).toMatch(
    /The time of column 2 \("2026-05-01 07:02"\) is not on the grid of intervals/,
  );
});

it("holds the same reads as the long file of the same table, in any zone", () => {
  const START = Date.UTC(2026, 2, 7) / 1000;
  const value = fc.option(fc.nat(10_000), { nil: undefined });
  const table = fc.array(fc.array(value, { minLength: 60, maxLength: 60 }), { minLength: 1, maxLength: 4 });
  const zones = fc.constantFrom("America/Los_Angeles", "Australia/Lord_Howe", "UTC", "Europe/Madrid");
  fc.assert(
    fc.property(table, zones, fc.integer({ min: 0, max: 300 }), (rows, zone, day) => {
      const local = new Intl.DateTimeFormat("sv", {
        ...{ timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" },
        ...{ hour: "2-digit", minute: "2-digit" },
      });
      const stamps = rows[0]!.map((_, i) => local.format(new Date((START + day * 86_400 + i * 3600) * 1000)));
      const cell = (one: number | undefined) => (one === undefined ? "" : String(one));
      const pivot = `meter,${stamps.join(",")}\n${rows.map((row, i) => `M${i},${row.map(cell).join(",")}\n`).join("")}`;
      const long = `meter,time,usage\n${rows.map((row, i) => row.map((one, at) => `M${i},${stamps[at]!},${cell(one)}\n`).join("")).join("")}`;
      const time = { zone };
      const plain = (reads: readonly FoundRead[]) => reads.map((one) => ({ ...one, line: 0 }));
      const columns = { meter: "meter", time: "time", usage: "usage" };
      expect(plain(readText(pivot, { ...PIVOT, time }).reads)).toEqual(
        plain(readText(long, { columns, time }).reads),
      );
    }),
    { numRuns: 60 },
  );
});
