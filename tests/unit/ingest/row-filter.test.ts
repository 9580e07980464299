import fc from "fast-check";
import { csvProfile } from "../../../schemas/profile.js";
import { withPresets } from "../../../schemas/presets.js";
import { readText, type ProfileInput } from "../../harness/read-text.js";

const LONG: ProfileInput = {
  columns: { meter: "meter", time: "time", usage: "litres" },
  time: { zone: "UTC" },
};
const HEADER = "meter,time,litres,kind,route";
const word = fc.constantFrom("W", "w", " W ", "G", "", "water", '"W"', '"G"');

it("takes the rows that every filter lets in and counts the others, however they are written", () => {
  const filters: ProfileInput["filters"] = [
    { column: "kind", only: ["W", "WATER"], except: ["water"] },
    { column: 5, except: ["g"] },
  ];
  const isTaken = ([kind, route]: readonly string[]) =>
    kind!.replaceAll('"', "").trim().toUpperCase() === "W" &&
    route!.replaceAll('"', "").trim().toUpperCase() !== "G";
  fc.assert(
    fc.property(fc.array(fc.tuple(word, word), { maxLength: 40 }), (rows) => {
      const text = [
        HEADER,
        ...rows.map(
          ([kind, route], i) =>
            `M${i % 3},2026-05-01 ${String(i % 24).padStart(2, "0")}:00,${i},${kind},${route}`,
        ),
      ].join("\n");
      const found = readText(text + "\n", { ...LONG, filters });
      const taken = [...rows.entries()].filter(([, row]) => isTaken(row)).map(([i]) => i);
      expect(found.reads.map(({ delivered }) => delivered)).toEqual(taken);
      expect(found.rejects).toEqual([]);
      expect(found).toMatchObject({ rows: taken.length, rejected: 0, leftOut: rows.length - taken.length });
    }),
    { seed: 20_260_501, numRuns: 300 },
  );
});

it("does not look at a row's meter, time or values where a filter leaves it out, nor counts blank rows", () => {
  const filters = [{ column: "kind", only: ["W"] }];
  const text = `${HEADER}\n,never,x,G,\n,,,,\nM,2026-05-01 00:00,1,W,\nM,2026-05-01 01:00,1\n`;
  expect(readText(text, { ...LONG, filters })).toMatchObject({
    rows: 1,
    leftOut: 1,
    rejected: 1,
    rejects: [{ code: "too-few-columns", line: 5 }],
  });
});

it("filters rows of layout wide", () => {
  const profile: ProfileInput = {
    layout: "wide",
    columns: { meter: 1, time: 2, first: 4 },
    header: false,
    time: { format: "YYYY-MM-DD", zone: "UTC" },
    filters: [{ column: 3, except: ["fire"] }],
  };
  const day = (meter: string, kind: string) => `${meter},2026-05-01,${kind},${"1,".repeat(23)}1\n`;
  const found = readText(day("A", "home") + day("B", "FIRE") + day("C", "home"), profile);
  expect(new Set(found.reads.map(({ meter }) => meter))).toEqual(new Set(["A", "C"]));
  expect([found.rows, found.leftOut]).toEqual([2, 1]);
});

it("rejects a file without the column of a filter, and a filter that says nothing", () => {
  const filters = [{ column: "Kind of account", only: ["W"] }];
  expect(() => readText(`${HEADER}\n`, { ...LONG, filters })).toThrow(
    'no column for filters "Kind of account"',
  );
  expect(csvProfile.safeParse({ ...LONG, filters: [{ column: 1 }] }).error?.issues[0]).toMatchObject({
    path: ["filters", 0],
    message: "says nothing; give `only` or `except`",
  });
});

it("is taken away from a preset by an empty list", () => {
  const source = { id: "a", folder: "a", format: "aclara-star", profile: { filters: [] } };
  const made = withPresets({ utilities: [{ sources: [source] }] });
  expect(made).toMatchObject({ utilities: [{ sources: [{ profile: { filters: [], unit: "ft3" } }] }] });
});

describe("columns that the profile does not speak of", () => {
  it("are named", () => {
    const wide: ProfileInput = { layout: "wide", columns: { meter: "m", time: "d", first: "h1" } };
    const hours = Array.from({ length: 24 }, (_, i) => `h${i + 1}`).join(",");
    expect(readText(`${HEADER}\n`, LONG).unknownColumns).toEqual(["kind", "route"]);
    expect(
      readText(`${HEADER}\n`, { ...LONG, filters: [{ column: 4, only: ["W"] }] }).unknownColumns,
    ).toEqual(["route"]);
    expect(readText(`m,d,${hours}, total ,\n`, wide).unknownColumns).toEqual(["total"]);
  });

  it("are not where no name shows that the first row is a header", () => {
    const byPlace: ProfileInput = { ...LONG, columns: { meter: 1, time: 2, usage: 3 } };
    const row = "M,2026-05-01 00:00,1,Ann Doe,1 Main St\n";
    expect(readText(row, byPlace).unknownColumns).toEqual([]);
    expect(readText(row, { ...byPlace, header: false }).unknownColumns).toEqual([]);
  });

  it("are named by a hundred names of sixty characters at most", () => {
    const names = Array.from({ length: 200 }, (_, i) => `${i}`.padStart(100, "x"));
    const { unknownColumns } = readText(`${HEADER},${names.join(",")}\n`, LONG);
    expect(unknownColumns).toHaveLength(100);
    expect(Math.max(...unknownColumns.map(({ length }) => length))).toBe(60);
  });
});
