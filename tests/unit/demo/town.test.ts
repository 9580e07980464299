import { createHash } from "node:crypto";
import { expectedMails, TELLS } from "../../../demo/alerts.js";
import { HeadEnd } from "../../../demo/deliveries.js";
import { ReadKind } from "../../../demo/home-water.js";
import { makeTown, SPECIAL_DAYS, type Home, type Town } from "../../../demo/town.js";
import { trueAnomalies } from "../../../demo/truth.js";

const SHAPES = [
  { seed: 20261001, homes: 300, days: 60 },
  { seed: 1, homes: 60, days: 45 },
  { seed: 2, homes: 90, days: 60 },
];

const everyFile = (town: Town) => {
  const headEnd = new HeadEnd(town);
  return Array.from({ length: town.days }, (_, day) => headEnd.after(day)).flat();
};

it("makes the same files from the same seed and others from another", () => {
  const digest = (seed: number) => {
    const hash = createHash("sha256");
    for (const { name, text } of everyFile(makeTown({ seed, homes: 60, days: 45 }))) hash.update(name + text);
    return hash.digest("hex");
  };
  expect(digest(7)).toBe(digest(7));
  expect(digest(7)).not.toBe(digest(8));
});

it("refuses a town too small for what is planted, and says how large it must be", () => {
  expect(() => makeTown({ seed: 1, homes: 59, days: 60 })).toThrow(/at least 60 homes and 45 days/);
  expect(() => makeTown({ seed: 1, homes: 60, days: 44 })).toThrow(RangeError);
});

describe.each(SHAPES)("a town of seed $seed, $homes homes and $days days", (shape) => {
  const town = makeTown(shape);
  const truth = town.homes.flatMap((home) => trueAnomalies(town, home, town.days - 1));

  it("holds one true anomaly for each that is planted, and none elsewhere", () => {
    const found = town.planted.map(({ home, rule, from, until }) =>
      truth.filter((one) => one.home === home && one.rule === rule && one.from < until && one.until > from),
    );
    expect(found.every((ones) => ones.length === 1)).toBe(true);
    expect(truth).toHaveLength(town.planted.length);
  });

  it("has continuous flows exactly where a pattern over hours finds them", () => {
    expect(truth.filter(({ rule }) => rule === "continuous-flow").map(at)).toEqual(
      town.homes.flatMap((home) => flowsByPattern(home)).map(at),
    );
  });

  it("has true spikes in the hours planted as such alone, each above 300 litres", () => {
    const hours = new Set(
      truth
        .filter(({ rule }) => rule === "spike")
        .flatMap(({ home, from, until }) =>
          Array.from({ length: until - from }, (_, i) => `${home}/${from + i}`),
        ),
    );
    const planted = new Set(
      town.planted
        .filter(({ rule }) => rule === "spike")
        .flatMap(({ home, from, until }) =>
          Array.from({ length: until - from }, (_, i) => `${home}/${from + i}`),
        ),
    );
    expect(hours).toEqual(planted);
    for (const name of hours) {
      const [number, hour] = name.split("/").map(Number);
      expect(town.homes[number! - 1]!.water.usage[hour!]).toBeGreaterThan(792);
    }
  });

  it("writes each hour's register once, rising, with the hour that comes twice in autumn written twice", () => {
    const [file] = new HeadEnd(town).after(SPECIAL_DAYS.clockPutBack);
    const rows = file!.text
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => line.split(","));
    const [home] = town.homes;
    const own = rows.filter(([meter]) => meter === home!.meterId);
    const kinds = home!.water.reads.slice(
      town.firstHour(SPECIAL_DAYS.clockPutBack),
      town.firstHour(SPECIAL_DAYS.clockPutBack + 1),
    );
    expect(kinds).toHaveLength(25);
    expect(own.filter(([, , , value]) => value !== "")).toHaveLength(
      kinds.filter((kind) => kind !== ReadKind.missing).length,
    );
    expect(own.filter(([, , time]) => time === "2026-11-01 01:00").length).toBeGreaterThan(0);
    const values = own.filter(([, , , value]) => value !== "").map(([, , , value]) => Number(value));
    expect(values).toEqual([...values].sort((a, b) => a - b));
  });

  it("expects no alert for residents who did not confirm, nor for a kind that was not asked for", () => {
    const mails = expectedMails(town).filter(({ tells }) => tells !== TELLS.confirmation);
    const silent = town.residents.filter(({ confirms }) => !confirms).map(({ home }) => home);
    const residents = new Set(town.residents.map(({ home }) => home));
    expect(mails.length).toBeGreaterThan(15);
    expect(mails.every(({ home }) => residents.has(home) && !silent.includes(home))).toBe(true);
    for (const { home, kinds } of town.residents) {
      const told = mails.filter((mail) => mail.home === home).map(({ tells }) => tells);
      if (!kinds.includes("leak")) expect(told).not.toContain(TELLS.leak);
      if (!kinds.includes("high-usage")) expect(told).not.toContain(TELLS.highUsage);
    }
  });
});

const at = ({ home, from, until, open }: { home: number; from: number; until: number; open: boolean }) =>
  `${home}: ${from}-${until}${open ? " open" : ""}`;

/**
 * Continuous flows by another way than that of the truth: one letter an hour (f: flows, d: dry, .: not known), then a
 * pattern of flowing hours with holes of at most four, and after 24 of them of at most a week.
 */
function flowsByPattern(home: Home) {
  const { water, normalFlow } = home;
  const threshold = normalFlow === undefined ? 10 : normalFlow * 10;
  const { reads, usage, exchangedAt } = water;
  const letters: string[] = Array.from<string>({ length: reads.length - 1 }).fill(".");
  for (let hour = 0; hour + 1 < reads.length; hour++) {
    const known = reads[hour] === ReadKind.actual && reads[hour + 1] === ReadKind.actual;
    if (known && hour + 1 !== exchangedAt) letters[hour] = usage[hour]! >= threshold ? "f" : "d";
  }
  // Nothing flowed between two actual reads with none between them: each hour of it was dry.
  for (let hour = 1; hour + 1 < reads.length; hour++) {
    if (reads[hour] !== ReadKind.missing || reads[hour - 1] !== ReadKind.actual) continue;
    let next = hour;
    while (next < reads.length && reads[next] === ReadKind.missing) next++;
    const within = exchangedAt >= hour && exchangedAt <= next;
    if (within || reads[next] !== ReadKind.actual) continue;
    if (usage.subarray(hour - 1, next).every((one) => one === 0)) letters.fill("d", hour - 1, next);
  }
  const text = letters.join("");
  return [...text.matchAll(/(?:f\.{0,4}){23}f(?:\.{0,168}f)*/g)].map((match) => {
    const until = match.index + match[0].length;
    return { home: home.number, from: match.index, until, open: !text.includes("d", until) };
  });
}
