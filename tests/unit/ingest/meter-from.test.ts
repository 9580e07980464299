import { at, readText, type ProfileInput } from "../../harness/read-text.js";

const ONE: ProfileInput = { columns: { time: "time", usage: "usage" }, time: { zone: "UTC" } };
const TEXT = "time,usage\n2026-05-01 07:00,1.5\n2026-05-01 08:00,2\n";

function metersOf(text: string, profile: ProfileInput, fileName?: string): string[] {
  const { reads } = readText(text, profile, fileName === undefined ? {} : { fileName });
  return [...new Set(reads.map(({ meter }) => meter))];
}

const named = (fileName: string): ProfileInput => ({ ...ONE, meterFrom: { fileName } });

it.each([
  ["{meter}.csv", "40733.csv", "40733"],
  ["{meter}.csv", "40733.CSV", "40733"],
  ["reads_{meter}_*.csv", "reads_M-7_2026_05.csv", "M-7"],
  ["*_{meter}.csv", "reads_2026_M-7.csv", "M-7"],
  ["??-{meter}.*", "01-M7.csv.gz", "M7"],
  ["meter ({meter}).csv.gz", "meter (M.7).csv.gz", "M.7"],
])("takes the meter from the file's name by %p: %p", (pattern, name, meter) => {
  expect(metersOf(TEXT, named(pattern), name)).toEqual([meter]);
});

it("reads all rows as of the one meter, in its canonical form", () => {
  const profile: ProfileInput = { ...named("{meter}.csv"), meterId: { leadingZeros: "strip" } };
  expect(readText(TEXT, profile, { fileName: "0040733.csv" }).reads).toMatchObject([
    { meter: "40733", time: at("2026-05-01T07:00Z"), ml: 1500 },
    { meter: "40733", time: at("2026-05-01T08:00Z"), ml: 2000 },
  ]);
});

it("tells registers of the one meter apart", () => {
  const profile: ProfileInput = {
    ...named("{meter}.csv"),
    columns: { time: "time", usage: "usage", channel: "c" },
  };
  const { reads } = readText("time,usage,c\n2026-05-01 07:00,1,L\n2026-05-01 07:00,2,H\n", profile, {
    fileName: "M7.csv",
  });
  expect(reads).toMatchObject([
    { meter: "M7", channel: "L" },
    { meter: "M7", channel: "H" },
  ]);
});

it("refuses a file whose name is not of the pattern, without a word of it", () => {
  expect(() => metersOf(TEXT, named("reads_{meter}.csv"), "JANE DOE.csv")).toThrow(
    "The file's name is not of the pattern \"reads_{meter}.csv\", so its meter is not known. Mend the profile's meterFrom.fileName.",
  );
  expect(() => metersOf(TEXT, named("reads{meter}.csv"), "reads .csv")).toThrow("is not of the pattern");
});

const headed = (preamble: string): ProfileInput => ({ ...ONE, skipRows: 3, meterFrom: { preamble } });
const preamble = (row: string) => `Town of Oakvale\nMeter type,5/8\n${row}\n${TEXT}`;

it.each([
  ["Meter,M-7", "M-7"],
  ["METER:,M-7", "M-7"],
  ["Meter: M-7", "M-7"],
  ['"Meter:  M-7",,', "M-7"],
  ["meter,, M-7 ,x", "M-7"],
])("takes the meter from a row before the header: %p", (row, meter) => {
  expect(metersOf(preamble(row), headed("Meter"))).toEqual([meter]);
});

it("takes the meter from a row before rows without a header", () => {
  const profile: ProfileInput = {
    ...{ header: false, skipRows: 1, meterFrom: { preamble: "Meter" } },
    columns: { time: 1, usage: 2 },
    time: { zone: "UTC" },
  };
  expect(metersOf("Meter,M-7\n2026-05-01 07:00,1.5\n", profile)).toEqual(["M-7"]);
});

it.each(["Serial,M-7", "Meter", "Meters,M-7", "Meter:,,"])(
  "refuses a file without such a row, without a word of it: %p",
  (row) => {
    expect(() => metersOf(preamble(row), headed("Meter"))).toThrow(
      "No row before the header begins with \"Meter\" and has the meter's id behind it. Mend the profile's meterFrom.preamble, or skipRows.",
    );
  },
);

it("takes a stamp and lets go of what follows it", () => {
  const profile: ProfileInput = {
    ...named("{meter}.csv"),
    columns: { time: "period", usage: "usage" },
    time: { zone: "UTC", format: "YYYY-MM-DD HH:mm:ss*", interval: 900 },
  };
  const text = 'period,usage\n"2026-05-01 07:00:00 to 2026-05-01 07:15:00","0.25"\n2026-05-01 07:15:00,1\n';
  expect(readText(text, profile, { fileName: "M7.csv" }).reads).toMatchObject([
    { time: at("2026-05-01T07:00Z"), length: 900, delivered: 0.25 },
    { time: at("2026-05-01T07:15Z"), delivered: 1 },
  ]);
});
