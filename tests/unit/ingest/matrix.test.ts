import { at, readText, type ProfileInput } from "../../harness/read-text.js";

const HOUR = 3600;
const MATRIX: ProfileInput = {
  layout: "matrix",
  columns: { time: "time", first: 2 },
  time: { zone: "UTC" },
};
const TEXT = "time,M-1,M-2,M-3\n2026-05-01 07:00,1,2.5,\n2026-05-01 08:00,0,3,4\n";

/** Meter, time and millilitres of each read. */
function values(text: string, profile: ProfileInput = MATRIX, timeZone?: string) {
  const { reads } = readText(text, profile, timeZone === undefined ? {} : { timeZone });
  return reads.map(({ meter, time, ml }) => [meter, new Date(time * 1000).toISOString().slice(0, 16), ml]);
}

function refusals(text: string, profile: ProfileInput = MATRIX) {
  return readText(text, profile).rejects.map(({ line, code, field, value }) => [line, code, field, value]);
}

it("reads a column a meter, with the column's name as its id", () => {
  const { reads, rows, rejected, unknownColumns } = readText(TEXT, MATRIX);
  expect(reads).toHaveLength(6);
  expect(reads[1]).toEqual({
    meter: "M-2",
    channel: "",
    serial: "",
    kind: "usage",
    time: at("2026-05-01T07:00Z"),
    length: HOUR,
    ml: 2500,
    delivered: 2.5,
    unit: "L",
    flags: 0,
    line: 2,
  });
  expect(reads[2]).toMatchObject({ meter: "M-3", ml: null });
  expect([rows, rejected, unknownColumns]).toEqual([2, 0, []]);
});

it("reads the same, wherever the file is cut into chunks", () => {
  const whole = readText(TEXT, MATRIX);
  for (let cut = 1; cut < TEXT.length; cut++) expect(readText(TEXT, MATRIX, { cuts: [cut] })).toEqual(whole);
});

it("reads registers, in the unit of registers and at the stamp", () => {
  const { reads } = readText("t;A;B\n01.05.2026 07:00;10,5;20\n", {
    ...{ layout: "matrix", delimiter: ";", decimal: ",", wideValues: "register" },
    ...{ unit: "L", registerUnit: "m3" },
    columns: { time: "t", first: "A" },
    time: { zone: "UTC", format: "DD.MM.YYYY HH:mm", stamp: "end" },
  });
  expect(reads).toMatchObject([
    { meter: "A", kind: "register", time: at("2026-05-01T07:00Z"), length: 0, ml: 10_500_000 },
    { meter: "B", ml: 20_000_000 },
  ]);
});

it("takes stamps of the end, a clock of its own, a column of quality, and days by the local clock", () => {
  const hours = { ...MATRIX, time: { zone: "UTC", stamp: "end" } } as const;
  expect(values("time,A\n2026-05-01 07:00,1\n", hours)).toEqual([["A", "2026-05-01T06:00", 1000]]);
  const apart: ProfileInput = {
    layout: "matrix",
    columns: { time: "d", clock: "c", quality: "q", first: 4 },
    time: { zone: "UTC", format: "YYYY-MM-DD HH:mm" },
  };
  const { reads } = readText("d,c,q,A,B\n2026-05-01,07:15,EST,1,2\n", apart);
  expect(reads).toMatchObject([
    { meter: "A", time: at("2026-05-01T07:15Z"), flags: 1 },
    { meter: "B", flags: 1 },
  ]);
  const days: ProfileInput = {
    layout: "matrix",
    columns: { time: "time", first: 2 },
    time: { format: "YYYY-MM-DD", interval: 86_400 },
  };
  const lengths = readText("time,A\n2026-03-08,1\n2026-11-01,1\n", days).reads.map(({ length }) => length);
  expect(lengths).toEqual([23 * HOUR, 25 * HOUR]);
});

it("tells the hour that comes twice apart by the order of the rows, for all meters alike", () => {
  const local = { ...MATRIX, time: {} };
  const text = "time,A,B\n2026-11-01 01:00,1,2\n2026-11-01 01:00,3,4\n";
  expect(values(text, local)).toEqual([
    ["A", "2026-11-01T08:00", 1000],
    ["B", "2026-11-01T08:00", 2000],
    ["A", "2026-11-01T09:00", 3000],
    ["B", "2026-11-01T09:00", 4000],
  ]);
});

it("rejects a value by the place of its column, and takes the others of the row", () => {
  const { reads, rows, rejected, valuesRejected } = readText("time,A,B\n2026-05-01 07:00,x,2\n", MATRIX);
  expect(reads).toMatchObject([{ meter: "B", ml: 2000 }]);
  expect([rows, rejected, valuesRejected]).toEqual([0, 1, 1]);
  expect(refusals("time,A,B\n2026-05-01 07:00,x,-2\n")).toEqual([
    [2, "bad-number", "column 2", "x"],
    [2, "negative-usage", "column 3", "-2"],
  ]);
});

it("rejects a row whose time is wrong, or that has a field too few or too many, with all of its values", () => {
  const text = (row: string) => `time,A,B\n${row}\n`;
  expect(refusals(text("2026-05-01,1,2"))).toEqual([[2, "bad-time", "time", "2026-05-01"]]);
  expect(refusals(text("1970-01-02 00:00,1,2"))).toEqual([[2, "time-too-early", "time", "1970-01-02 00:00"]]);
  expect(refusals(text("2099-01-02 00:00,1,2"))).toEqual([[2, "time-in-future", "time", "2099-01-02 00:00"]]);
  expect(refusals(text("2026-05-01 07:00,1"))).toEqual([[2, "too-few-columns", "row", "2 columns"]]);
  expect(refusals(text("2026-05-01 07:00,1,2,3"))).toEqual([[2, "too-many-columns", "row", "4 columns"]]);
  expect(values(text("2026-05-01 07:00,1,2,,"))).toHaveLength(2);
  const { rows, rejected, valuesRejected } = readText(text("2026-05-01,1,2"), MATRIX);
  expect([rows, rejected, valuesRejected]).toEqual([0, 1, 2]);
});

it("refuses a header that names no meter, one twice, or one that can't be a name", () => {
  const refused = (header: string, profile = MATRIX) => {
    try {
      readText(`${header}\n2026-05-01 07:00,1,2\n`, profile);
    } catch (error) {
      return (error as Error).message;
    }
    return undefined;
  };
  expect(refused("time,,")).toBe("The header names no meter. Mend the profile's columns.first.");
  expect(refused("time,M-7,M-7")).toBe("Columns 2 and 3 name the same meter.");
  const stripped = { ...MATRIX, meterId: { leadingZeros: "strip" } } as const;
  expect(refused("time,007,7", stripped)).toBe("Columns 2 and 3 name the same meter.");
  expect(refused("time,M-7,M\u0007")).toBe("The name of column 3 can't be a meter's id.");
  const many = Array.from({ length: 10_000 }, (_, i) => `M${i}`).join(",");
  expect(refused(`time,${many}`)).toMatch(
    /The header row has more than 10000 columns, or more than 1048576 bytes/,
  );
});

it("passes over columns without a name, and those that the profile names", () => {
  const profile: ProfileInput = { ...MATRIX, columns: { time: "time", first: 2, quality: "flag" } };
  const { reads } = readText("time,A,,flag,B\n2026-05-01 07:00,1,9,E,2\n", profile);
  expect(reads).toMatchObject([
    { meter: "A", ml: 1000, flags: 1 },
    { meter: "B", ml: 2000, flags: 1 },
  ]);
});

it("takes a column that a filter looks at for no meter's", () => {
  const filters = [{ column: "kind", only: ["final"] }];
  const text = "time,A,kind,B\n2026-05-01 07:00,1,final,2\n2026-05-01 08:00,3,draft,4\n";
  const { reads, rejects, rows, leftOut } = readText(text, { ...MATRIX, filters });
  expect(reads.map(({ meter, ml }) => [meter, ml])).toEqual([
    ["A", 1000],
    ["B", 2000],
  ]);
  expect([rejects, rows, leftOut]).toEqual([[], 1, 1]);
});

it("never tells ids as names of columns that nobody speaks of, where another profile reads the file", () => {
  const long: ProfileInput = { columns: { meter: "day", time: "time", usage: "M-1" }, time: { zone: "UTC" } };
  const { unknownColumns } = readText("day,time,M-1,M-40733,note,A1B2C3\nx,2026-05-01 07:00,1,2,3,4\n", long);
  expect(unknownColumns).toEqual(["column 4", "note", "column 6"]);
});
