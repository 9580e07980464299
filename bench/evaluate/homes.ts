import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createGunzip } from "node:zlib";
import { TimeZone } from "../../infra/time-zone.js";
import type { BuildingKind } from "./buildings.js";

export type Half = "tuned" | "held-out" | "all";
export type SetName = "daiad" | "karratha" | "ampds2";

/** Sets of many homes of one town. */
export const TOWNS = ["daiad", "karratha"] as const;

/** A meter of a public set: its register as it was read. */
export interface Home {
  readonly set: SetName;
  readonly name: string;
  readonly timeZone: string;
  /** UTC seconds, rising. */
  readonly time: Float64Array;
  /** Millilitres on the register at these times. */
  readonly register: Float64Array;
  /** Usual seconds between reads. */
  readonly interval: number;
  /** Where it is several homes behind one meter. */
  readonly building?: BuildingKind;
}

/** The set numbers its hours and names no date: hour 0 is this day's first in Western Australia. */
export const KARRATHA_START = Date.UTC(2012, 11, 31, 16) / 1000;
const HOUR = 3600;
const LITRE = 1000;

/** The file of each set below the folder, as data/README.md lays them out; compressed (`.gz`) or not. */
const FILES: Readonly<Record<SetName, readonly string[]>> = {
  daiad: ["daiad", "swm_trialA.csv"],
  karratha: ["karratha", "hourly_litres.csv"],
  ampds2: ["ampds2", "whole_house_1min.csv"],
};
const READERS: Readonly<Record<SetName, (path: string) => Promise<Home[]>>> = {
  daiad: (path) => readDaiad([path]),
  karratha: readKarratha,
  ampds2: async (path) => [await readAmpds(path, HOUR), await readAmpds(path, HOUR / 4)],
};
const SETS = Object.keys(FILES) as SetName[];

/**
 * Homes of the sets that a folder has.
 * @throws Error where it has none of them; it names the files
 */
export async function readHomes(folder: string): Promise<Home[]> {
  const homes: Home[] = [];
  for (const set of SETS) {
    const path = fileIn(folder, FILES[set]);
    if (path !== undefined) homes.push(...(await READERS[set](path)));
  }
  if (homes.length === 0) {
    const files = SETS.map((set) => `${join(...FILES[set])}.gz`).join(", ");
    throw new Error(
      `No homes in ${folder}: expected at least one of ${files}; name their folder with --data.`,
    );
  }
  return homes;
}

/** Sets that a folder has not. */
export function absentSets(folder: string): SetName[] {
  return SETS.filter((set) => fileIn(folder, FILES[set]) === undefined);
}

/** Parameters were chosen on homes whose name hashes (SHA-256) to an even second byte; figures are told of the others. */
function isTuned({ name, set }: Home): boolean {
  return set !== "ampds2" && createHash("sha256").update(name).digest()[1]! % 2 === 0;
}

export function isOfHalf(home: Home, half: Half): boolean {
  return half === "all" || isTuned(home) === (half === "tuned");
}

/** Homes that a folder has more than a year of; none where it does not. */
export async function readSecondYear(folder: string): Promise<Home[]> {
  const first = fileIn(folder, FILES.daiad);
  const later = fileIn(folder, ["daiad", "swm_trialA_extended.csv"]);
  return first === undefined || later === undefined ? [] : readDaiad([first, later]);
}

/**
 * Register reads by local clock, an hour or so apart; a read that is not later than the one before is left out.
 * @param paths files of times that follow each other
 */
async function readDaiad(paths: readonly string[]): Promise<Home[]> {
  const zone = new TimeZone("Europe/Madrid");
  const reads = new Map<string, { time: number; register: number }[]>();
  for (const path of paths)
    for await (const line of lines(path)) {
      const [name, stamp, register] = line.split(";");
      const local = /^(\d\d)\/(\d\d)\/(\d{4}) (\d\d):(\d\d):(\d\d)$/.exec(stamp ?? "");
      if (local === null) continue;
      const [day, month, year, hour, minute, second] = local.slice(1).map(Number);
      const [time] = zone.instantsOf(Date.UTC(year!, month! - 1, day, hour, minute, second) / 1000);
      if (time === undefined) continue;
      listOf(reads, name!).push({ time, register: Number(register) * LITRE });
    }
  return [...reads].map(([name, list]) => {
    list.sort((a, b) => a.time - b.time);
    const rising = list.filter(({ time }, i) => i === 0 || time > list[i - 1]!.time);
    return {
      set: "daiad",
      name,
      timeZone: "Europe/Madrid",
      time: Float64Array.from(rising, ({ time }) => time),
      register: Float64Array.from(rising, ({ register }) => register),
      interval: HOUR,
    };
  });
}

/** Litres of each hour, added up. */
async function readKarratha(path: string): Promise<Home[]> {
  const hours = new Map<string, number[]>();
  for await (const line of lines(path)) {
    const [name, index, litres] = line.split(",");
    if (index === "hour_index") continue;
    listOf(hours, name!)[Number(index)] = Number(litres);
  }
  return [...hours].map(([name, litres]) => {
    const register = new Float64Array(litres.length + 1);
    litres.forEach((volume, i) => (register[i + 1] = register[i]! + volume * LITRE));
    return {
      set: "karratha",
      name,
      timeZone: "Australia/Perth",
      time: register.map((_, i) => KARRATHA_START + i * HOUR),
      register,
      interval: HOUR,
    };
  });
}

/** The one home of AMPds2, its minutes read each `interval` seconds. */
async function readAmpds(path: string, interval: number): Promise<Home> {
  const time: number[] = [];
  const register: number[] = [];
  for await (const line of lines(path)) {
    const [stamp, counter] = line.split(",");
    const second = Number(stamp);
    if (second % interval !== 0 || counter === undefined) continue;
    time.push(second);
    register.push(Math.round(Number(counter) * LITRE));
  }
  return {
    set: "ampds2",
    name: `house, ${interval / 60} min`,
    timeZone: "America/Vancouver",
    time: Float64Array.from(time),
    register: Float64Array.from(register),
    interval,
  };
}

function fileIn(folder: string, parts: readonly string[]): string | undefined {
  const path = join(folder, ...parts);
  return [`${path}.gz`, path].find((one) => existsSync(one));
}

/** Without the header. */
async function* lines(path: string): AsyncGenerator<string> {
  let first = true;
  const bytes = createReadStream(path);
  for await (const line of createInterface({
    input: path.endsWith(".gz") ? bytes.pipe(createGunzip()) : bytes,
  })) {
    if (!first && line !== "") yield line;
    first = false;
  }
}

function listOf<T>(map: Map<string, T[]>, key: string): T[] {
  let list = map.get(key);
  if (list === undefined) map.set(key, (list = []));
  return list;
}
