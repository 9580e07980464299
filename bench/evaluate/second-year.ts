import { median } from "simple-statistics";
import { environmentOf } from "../../detect/meter-environment.js";
import { TimeZone } from "../../infra/time-zone.js";
import type { DetectConfig } from "../../schemas/detect-config.js";
import { isOfHalf, readSecondYear, type Half, type Home } from "./homes.js";
import { daysRead, placeAt, usageOf } from "./run.js";
import { readsOf, Replay, type Alert } from "./replay.js";

/** What rule `bill-ahead` says of homes that were read for longer than a year, month by month. */
export interface SecondYear {
  readonly homes: number;
  /** Whole months that are compared with the year before, and those of them that ended above the limit. */
  readonly months: number;
  readonly high: number;
  /** Those that were told, and those of them that ended above the limit. */
  readonly told: number;
  readonly right: number;
  /** The same months with all of their use doubled, where that passes the limit; day of the month on which half were told by. */
  readonly doubled: number;
  readonly found: number;
  readonly day: number;
}

const DAY = 86_400;
/** Whole months of the set in which a year before was read. */
const MONTHS: readonly (readonly [year: number, month: number])[] = [
  [2017, 3],
  [2017, 4],
];
/** A month is whole with so much of it read, as the rule has it. */
const LEAST_KNOWN = 0.9;
const READING = { resolution: 1000, missing: 0 };
const CHUNK = 168;

/** @returns undefined where the folder has no second year */
export async function secondYear(
  folder: string,
  half: Half,
  detect: DetectConfig,
): Promise<SecondYear | undefined> {
  const homes = (await readSecondYear(folder)).filter((home) => isOfHalf(home, half));
  if (homes.length === 0) return undefined;
  const all = homes.flatMap((home) => MONTHS.flatMap((month) => judged(home, month, detect) ?? []));
  const doubled = all.filter(({ couldBeFound }) => couldBeFound);
  const days = doubled.map(({ foundOn }) => foundOn);
  return {
    homes: homes.length,
    months: all.length,
    high: all.filter(({ high }) => high).length,
    told: all.filter(({ told }) => told).length,
    right: all.filter(({ told, high }) => told && high).length,
    doubled: doubled.length,
    found: days.filter(Number.isFinite).length,
    day: days.length === 0 ? Infinity : median(days),
  };
}

interface Judged {
  readonly high: boolean;
  readonly told: boolean;
  /** Doubled, the month passes the limit; and the day on which it was told, Infinity where it was not. */
  readonly couldBeFound: boolean;
  readonly foundOn: number;
}

/** @returns undefined where too little is known of the month, this year or last */
function judged(
  home: Home,
  [year, month]: readonly [number, number],
  detect: DetectConfig,
): Judged | undefined {
  const zone = new TimeZone(home.timeZone);
  const first = (ofYear: number, ofMonth: number) =>
    zone.firstInstantFrom(Date.UTC(ofYear, ofMonth - 1, 1) / 1000);
  const [from, until] = [first(year, month), first(year, month + 1)];
  const [before, beforeUntil] = [first(year - 1, month), first(year - 1, month + 1)];
  if (!isWhole(home, from, until) || !isWhole(home, before, beforeUntil)) return undefined;
  const usage = usageOf(home);
  const past = usage(beforeUntil) - usage(before);
  const now = usage(until) - usage(from);
  const { times, more } = detect.billAhead;
  const limit = Math.max(times * past, past + more);
  const [alert] = alertsIn(home, from, until, detect, 1);
  const [twice] = alertsIn(home, from, until, detect, 2);
  return {
    high: now > limit,
    told: alert !== undefined,
    couldBeFound: 2 * now > limit,
    foundOn: twice === undefined ? Infinity : Math.ceil((twice.at - from) / DAY),
  };
}

function isWhole(home: Home, from: number, until: number): boolean {
  return daysRead(home, from, until) * DAY >= LEAST_KNOWN * (until - from);
}

/** Alerts that begin in a time whose use is so many times what it was. */
function alertsIn(home: Home, from: number, until: number, detect: DetectConfig, times: number): Alert[] {
  const usage = usageOf(home);
  const added = (time: number) =>
    time <= from ? 0 : (times - 1) * (usage(Math.min(time, until)) - usage(from));
  const replay = Replay.begin(environmentOf(detect, ["bill-ahead"], home.timeZone), READING.resolution);
  const end = placeAt(home, until);
  for (let at = 0; at < end; at += CHUNK)
    replay.push(readsOf(home, READING, at, Math.min(at + CHUNK, end), added));
  return replay.alerts().filter(({ at }) => at > from && at <= until);
}
