import { createReadStream, existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createGunzip } from "node:zlib";
import { TimeZone } from "../../infra/time-zone.js";

export type SetName = "daiad" | "karratha" | "ampds2";

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
}

/** The set numbers its hours and names no date: hour 0 is this day's first in Western Australia. */
export const KARRATHA_START = Date.UTC(2012, 11, 31, 16) / 1000;
const HOUR = 3600;
const LITRE = 1000;

/**
 * Homes of the sets in a folder, as data/README.md lays them out.
 * @throws Error where a set is absent; it names the file
 */
export async function readHomes(folder: string): Promise<Home[]> {
  return [
    ...(await readDaiad(folder)),
    ...(await readKarratha(folder)),
    await readAmpds(folder, HOUR),
    await readAmpds(folder, HOUR / 4),
  ];
}

/** Homes that a folder has more than a year of; none where it does not. */
export async function readSecondYear(folder: string): Promise<Home[]> {
  const later = join(folder, "daiad", "swm_trialA_extended.csv.gz");
  return existsSync(later) ? readDaiad(folder, later) : [];
}

/**
 * Register reads by local clock, an hour or so apart; a read that is not later than the one before is left out.
 * @param later a file with what came after
 */
async function readDaiad(folder: string, later?: string): Promise<Home[]> {
  const zone = new TimeZone("Europe/Madrid");
  const reads = new Map<string, { time: number; register: number }[]>();
  const first = join(folder, "daiad", "swm_trialA.csv.gz");
  for (const path of later === undefined ? [first] : [first, later])
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
async function readKarratha(folder: string): Promise<Home[]> {
  const hours = new Map<string, number[]>();
  for await (const line of lines(join(folder, "karratha", "hourly_litres.csv.gz"))) {
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
async function readAmpds(folder: string, interval: number): Promise<Home> {
  const time: number[] = [];
  const register: number[] = [];
  for await (const line of lines(join(folder, "ampds2", "whole_house_1min.csv.gz"))) {
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

async function* lines(path: string): AsyncGenerator<string> {
  if (!existsSync(path)) throw new Error(`${path} is absent; name the folder of the sets with --data.`);
  let first = true;
  for await (const line of createInterface({ input: createReadStream(path).pipe(createGunzip()) })) {
    if (!first && line !== "") yield line;
    first = false;
  }
}

function listOf<T>(map: Map<string, T[]>, key: string): T[] {
  let list = map.get(key);
  if (list === undefined) map.set(key, (list = []));
  return list;
}
