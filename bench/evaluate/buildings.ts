import type { MeterSetting } from "../../schemas/meters.js";
import { seeded } from "../random.js";
import { isOfHalf, readHomes, TOWNS, type Half, type Home } from "./homes.js";
import { hashOf } from "./replay.js";
import { daysRead, placeAt, type Plan, usageOf } from "./run.js";

/** So many homes behind one meter, and what the registry calls it. */
export interface BuildingKind {
  readonly homes: number;
  readonly class: NonNullable<MeterSetting["class"]>;
}

/** No public set has meters of buildings, so homes of one set are read together: 2 to 5 units, and 6 and more. */
export const BUILDING_KINDS: readonly BuildingKind[] = [
  { homes: 4, class: "multi-family" },
  { homes: 12, class: "commercial" },
];
const EACH = 16;
/** Homes that were read for less are no part of any. */
const LEAST_DAYS = 100;
const HOUR = 3600;
const WEEK = 168;
/** Reads that lie further apart leave a hole. */
const LONGEST_STEP = 4 * HOUR;

/** Homes of a half, and buildings of them where more than a few cells are asked for. @throws as `readHomes` */
export async function readMeters(
  folder: string,
  half: Half,
  { seed, quick }: Pick<Plan, "seed" | "quick">,
): Promise<Home[]> {
  const homes = (await readHomes(folder)).filter((home) => isOfHalf(home, half));
  return quick ? homes : [...homes, ...buildingsOf(homes, seed)];
}

/**
 * Buildings of seeded draws among homes, each read hourly at whole hours of UTC from when all of its homes were until one no longer was.
 * @returns none of a kind that has fewer homes than it takes
 */
function buildingsOf(homes: readonly Home[], seed: number): Home[] {
  return TOWNS.flatMap((set) => {
    const own = homes.filter((home) => home.set === set && daysRead(home) >= LEAST_DAYS);
    return BUILDING_KINDS.flatMap((kind) =>
      own.length < kind.homes
        ? []
        : Array.from({ length: EACH }, (_, i) => {
            const name = `${set}, ${kind.homes} homes, ${i}`;
            return together(drawn(own, kind.homes, seeded(hashOf(`${name} ${seed}`))), name, kind);
          }),
    );
  });
}

function together(homes: readonly Home[], name: string, building: BuildingKind): Home {
  const first = Math.ceil(Math.max(...homes.map(({ time }) => time[0]!)) / HOUR);
  const last = Math.floor(Math.min(...homes.map(({ time }) => time[time.length - 1]!)) / HOUR);
  const register = new Float64Array(last - first + 1);
  for (const home of homes) for (const [i, ml] of hourly(home, first, last).entries()) register[i + 1]! += ml;
  for (let i = 1; i < register.length; i++) register[i]! += register[i - 1]!;
  const { set, timeZone } = homes[0]!;
  const time = register.map((_, i) => (first + i) * HOUR);
  return { set, name, timeZone, time, register, interval: HOUR, building };
}

/** mL of each hour (of UTC, numbered from 1970); in a hole what the home used in the same hour of the nearest week that was read. */
function hourly(home: Home, first: number, last: number): Float64Array {
  const usage = usageOf(home);
  const used = new Float64Array(last - first).fill(NaN);
  for (let i = 0; i < used.length; i++) {
    const at = (first + i) * HOUR;
    if (isRead(home, at) && isRead(home, at + HOUR)) used[i] = usage(at + HOUR) - usage(at);
  }
  const weeks = Math.ceil(used.length / WEEK);
  return used.map((ml, i) => {
    for (let week = 1; Number.isNaN(ml) && week <= weeks; week++)
      ml =
        [used[i - week * WEEK], used[i + week * WEEK]].find(
          (one) => one !== undefined && !Number.isNaN(one),
        ) ?? NaN;
    return Number.isNaN(ml) ? 0 : ml;
  });
}

function isRead(home: Home, at: number): boolean {
  const next = placeAt(home, at - 1);
  const until = home.time[next];
  return until !== undefined && (until === at || until - (home.time[next - 1] ?? -Infinity) <= LONGEST_STEP);
}

function drawn<T>(list: readonly T[], count: number, random: () => number): T[] {
  const rest = [...list];
  return Array.from({ length: count }, () => rest.splice(Math.floor(random() * rest.length), 1)[0]!);
}
