import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { readMeters } from "../../../bench/evaluate/buildings.js";
import { absentSets, KARRATHA_START, readHomes } from "../../../bench/evaluate/homes.js";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "curbstop-homes-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const HOURS = "meter,hour_index,litres\nA,0,3\nA,1,0\nB,0,1\nA,2,4\n";

function put(set: string, file: string, bytes: string | Buffer): void {
  mkdirSync(join(folder, set));
  writeFileSync(join(folder, set, file), bytes);
}

it("homes are those of the sets that a folder has, compressed or not", async () => {
  put("karratha", "hourly_litres.csv", HOURS);
  const homes = await readHomes(folder);
  expect(homes.map(({ name, set }) => [set, name])).toEqual([
    ["karratha", "A"],
    ["karratha", "B"],
  ]);
  expect([...homes[0]!.register]).toEqual([0, 3000, 3000, 7000]);
  expect([...homes[1]!.time]).toEqual([KARRATHA_START, KARRATHA_START + 3600]);
  expect(absentSets(folder)).toEqual(["daiad", "ampds2"]);

  put(
    "daiad",
    "swm_trialA.csv.gz",
    gzipSync("key;datetime;reading;diff\nC;01/03/2016 00:10:00;12;0\nC;01/03/2016 01:10:00;15;3\n"),
  );
  expect((await readHomes(folder)).map(({ set, name }) => [set, name])).toContainEqual(["daiad", "C"]);
  expect(absentSets(folder)).toEqual(["ampds2"]);
});

it("a folder without any set is named, with the files that were looked for", async () => {
  await expect(readHomes(folder)).rejects.toThrow(
    `No homes in ${folder}: expected at least one of daiad/swm_trialA.csv.gz, karratha/hourly_litres.csv.gz, ampds2/whole_house_1min.csv.gz`,
  );
});

describe("buildings", () => {
  const days = 110;

  /** Home `n` uses n litres an hour; the last was read for a week alone. */
  beforeEach(() => {
    const rows = [1, 2, 3, 4, 5].flatMap((litres) =>
      Array.from({ length: (litres === 5 ? 7 : days) * 24 }, (_, hour) => `${litres},${hour},${litres}`),
    );
    put("karratha", "hourly_litres.csv", ["meter,hour_index,litres", ...rows].join("\n"));
  });

  it("are homes behind one meter, of those that were read for long", async () => {
    const meters = await readMeters(folder, "all", { seed: 42, quick: false });
    const buildings = meters.filter(({ building }) => building !== undefined);
    expect(meters.length - buildings.length).toBe(5);
    expect(buildings.length).toBeGreaterThan(0);
    for (const { building, register, time, name } of buildings) {
      // Four of the four homes: there are too few for twelve.
      expect([building!.homes, building!.class]).toEqual([4, "multi-family"]);
      expect(name).toMatch(/^karratha, 4 homes, \d+$/);
      expect(register).toHaveLength(days * 24 + 1);
      expect(register.at(-1)).toBe(days * 24 * (1 + 2 + 3 + 4) * 1000);
      expect(time.at(-1)! - time[0]!).toBe(days * 86_400);
    }
  });

  it("have in a hole of a home what it used in other weeks, not what its register rose by at once", async () => {
    const hours = days * 24;
    const stamp = (hour: number) => {
      const [date, clock] = new Date(Date.UTC(2016, 10, 1) + hour * 3_600_000)
        .toISOString()
        .slice(0, 19)
        .split("T");
      return `${date!.split("-").reverse().join("/")} ${clock}`;
    };
    const rows = [1, 2, 3, 4].flatMap((litres) =>
      Array.from({ length: hours + 1 }, (_, hour) => hour)
        .filter((hour) => litres < 4 || hour < 500 || hour > 600)
        // The fourth pours 1,000 L more while nobody reads it.
        .map(
          (hour) => `${litres};${stamp(hour)};${litres * hour + (litres === 4 && hour > 500 ? 1000 : 0)};0`,
        ),
    );
    put("daiad", "swm_trialA.csv", ["key;datetime;reading;diff", ...rows].join("\n"));
    const [building] = (await readMeters(folder, "all", { seed: 42, quick: false })).filter(
      ({ building: kind, set }) => kind !== undefined && set === "daiad",
    );
    expect(building!.register.at(-1)).toBe(hours * 10 * 1000);
    const steps = [...building!.register.slice(1)].map((ml, i) => ml - building!.register[i]!);
    expect(new Set(steps)).toEqual(new Set([10_000]));
  });

  it("are left out where a few cells are asked for", async () => {
    expect(await readMeters(folder, "all", { seed: 42, quick: true })).toHaveLength(5);
  });
});
