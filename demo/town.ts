import { seeded } from "../bench/random.js";
import { TimeZone } from "../infra/time-zone.js";
import { HomeWater, type Planted } from "./home-water.js";
import { negatives, plantings, residents, type Resident } from "./roster.js";

export const TIME_ZONE = "America/Los_Angeles";
/** First local day of the period, days since 1970-01-01: 1 October 2026. The clock is put back on 1 November. */
const FIRST_DAY = Date.UTC(2026, 9, 1) / 86_400_000;
const ZIPS = ["95401", "95403", "95405"];
const STREETS = ["Alder", "Birch", "Cedar", "Dogwood", "Elder", "Fir", "Hazel", "Juniper", "Laurel", "Maple"];
const FIRST_NAMES = [
  "Ada",
  "Ben",
  "Cleo",
  "Dario",
  "Elena",
  "Farid",
  "Grace",
  "Hugo",
  "Ines",
  "Jonas",
  "Kira",
  "Luis",
];
const LAST_NAMES = [
  "Abbot",
  "Barros",
  "Castillo",
  "Dunn",
  "Eriksen",
  "Flores",
  "Greer",
  "Hale",
  "Ito",
  "Jansen",
];

/** What a day's delivery looks like; days count from 0. */
export const SPECIAL_DAYS = {
  duplicate: 15,
  badRows: 20,
  late: 24,
  notUnderstood: 29,
  clockPutBack: 31,
  corrected: 33,
} as const;
/** The file of day `duplicate` comes again with this one, that of day `late` with this one. */
export const DUPLICATE_DROPPED = SPECIAL_DAYS.duplicate + 3;
export const LATE_DROPPED = SPECIAL_DAYS.late + 2;
/** In the first version of the corrected file one home's register stands this much too high, from noon on. */
export const MISREAD = { hour: 12, tenths: 3_000 } as const;
/** Homes whose collector was down on day `corrected`: the file's first version holds estimates. */
const COLLECTOR_HOMES = 12;

export interface Home {
  /** From 1 on: the only name of a home in what the demo prints. */
  readonly number: number;
  readonly meterId: string;
  readonly accountId: string;
  readonly locationId: string;
  readonly name: string;
  readonly address: string;
  readonly zip: string;
  readonly email: string;
  /** Gallons an hour that are normal for the home, as the crosswalk tells. */
  readonly normalFlow: number | undefined;
  readonly water: HomeWater;
  /** Why its usage must not alert, where that is not plain. */
  readonly negative: string | undefined;
}

export interface Town {
  readonly days: number;
  readonly zone: TimeZone;
  readonly homes: readonly Home[];
  /** In order of home and time. */
  readonly planted: readonly (Planted & { readonly home: number })[];
  readonly residents: readonly Resident[];
  /** Homes with estimates in the first version of the corrected file. */
  readonly collector: ReadonlySet<number>;
  /** Home whose register the first version of the corrected file gives wrong. */
  readonly misread: number;
  /** UTC seconds of the beginning of a local day. */
  readonly dayStart: (day: number) => number;
  /** UTC seconds at which the wall clock shows an hour of a local day. */
  readonly clockAt: (day: number, hour: number) => number;
  /** Index of the first hour of a local day: hours count from the beginning of the period. */
  readonly firstHour: (day: number) => number;
  /** UTC seconds of the beginning of an hour. */
  readonly instantOf: (hour: number) => number;
  /** `YYYY-MM-DD` of a local day. */
  readonly dateOf: (day: number) => string;
}

export const SMALLEST_TOWN = { homes: 60, days: 45 } as const;

/**
 * A made-up utility: homes with hourly registers in tenths of a gallon, leaks and spikes planted in some of them, and
 * usage that must not alert in others. The same seed makes the same town.
 * @throws RangeError for a town too small for what is planted
 */
export function makeTown(options: {
  readonly seed: number;
  readonly homes: number;
  readonly days: number;
}): Town {
  const { seed, homes: count, days } = options;
  if (count < SMALLEST_TOWN.homes || days < SMALLEST_TOWN.days) {
    throw new RangeError(
      `A town of ${count} homes and ${days} days is too small: ` +
        `at least ${SMALLEST_TOWN.homes} homes and ${SMALLEST_TOWN.days} days are needed.`,
    );
  }
  const zone = new TimeZone(TIME_ZONE);
  const clockAt = (day: number, hour: number) =>
    zone.instantsOf((FIRST_DAY + day) * 86_400 + hour * 3600)[0]!;
  const dayStart = (day: number) => clockAt(day, 0);
  const start = dayStart(0);
  const firstHours = Array.from({ length: days + 1 }, (_, day) => (dayStart(day) - start) / 3600);
  const firstHour = (day: number) => firstHours[day]!;
  const calendar = { days, firstHour, hours: firstHour(days), hourAt: hourOfDay(zone, start) };

  const random = seeded(seed);
  const order = shuffled(count, random);
  const stories = [...plantings(days), ...negatives()];
  const storyOf = new Map(stories.map((story, i) => [order[i]!, story]));
  const homes: Home[] = [];
  const planted: (Planted & { home: number })[] = [];
  const numberOf = new Map<string, number>();
  for (let number = 1; number <= count; number++) {
    const story = storyOf.get(number);
    const water = new HomeWater(calendar, seeded(seed * 7919 + number));
    story?.pour(water);
    water.loseReads(story?.clean ?? []);
    if (story !== undefined) numberOf.set(story.name, number);
    for (const one of water.planted) planted.push({ ...one, home: number });
    const street = STREETS[Math.floor(random() * STREETS.length)]!;
    const first = FIRST_NAMES[Math.floor(random() * FIRST_NAMES.length)]!;
    const last = LAST_NAMES[Math.floor(random() * LAST_NAMES.length)]!;
    homes.push({
      number,
      meterId: String(70_000_000 + number * 37),
      accountId: `${String(2100 + (number % 40))}-${String(10_000 + number * 13)}`,
      locationId: `SP-${String(number).padStart(5, "0")}`,
      name: `${first} ${last}`,
      address: `${100 + number} ${street} Street, Santa Brisa, CA`,
      zip: ZIPS[number % ZIPS.length]!,
      email: `${first}.${last}.${number}@residents.example`.toLowerCase(),
      normalFlow: story?.normalFlow,
      water,
      negative: water.planted.length === 0 ? story?.what : undefined,
    });
  }
  const ordinary = order.slice(stories.length);
  const collector = new Set(ordinary.slice(0, COLLECTOR_HOMES - 1));
  collector.add(numberOf.get("leak while the collector is down")!);
  return {
    days,
    zone,
    homes,
    planted,
    residents: residents(numberOf, ordinary.slice(COLLECTOR_HOMES)),
    collector,
    misread: numberOf.get("misread")!,
    dayStart,
    clockAt,
    firstHour,
    instantOf: (hour) => start + hour * 3600,
    dateOf: (day) => new Date((FIRST_DAY + day) * 86_400_000).toISOString().slice(0, 10),
  };
}

/** Hour on the wall clock (0 to 23) at an hour of the period. */
function hourOfDay(zone: TimeZone, start: number): (hour: number) => number {
  return (hour) => {
    const instant = start + hour * 3600;
    return Math.floor(((((instant + zone.offsetAt(instant)) % 86_400) + 86_400) % 86_400) / 3600);
  };
}

/** Numbers 1 to `count` in random order. */
function shuffled(count: number, random: () => number): number[] {
  const numbers = Array.from({ length: count }, (_, i) => i + 1);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [numbers[i], numbers[j]] = [numbers[j]!, numbers[i]!];
  }
  return numbers;
}
