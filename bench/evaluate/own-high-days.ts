import { median } from "simple-statistics";
import { TimeZone } from "../../infra/time-zone.js";
import { isOfHalf, readHomes, TOWNS, type Half, type Home, type SetName } from "./homes.js";
import { daysRead, usageOf } from "./run.js";
import { HIGH_DAY_TIMES, USUAL_DAYS } from "./shapes.js";

/**
 * What no limit on a day's volume can do better: with the homes known beforehand whose own days pass so many times their
 * usual least often, the least of alerts at which a share of the homes would be told of such a day.
 */
export interface OwnHighDays {
  readonly set: SetName;
  /** Alerts per 1,000 meter-days of all homes, where four fifths of them are told. */
  readonly forFourFifths: number;
  /** Share of the homes that are told, where the alerts are two per 1,000 meter-days. */
  readonly withinTwo: number;
}

const DAY = 86_400;

export async function ownHighDays(folder: string, half: Half): Promise<OwnHighDays[]> {
  const homes = (await readHomes(folder)).filter((home) => isOfHalf(home, half));
  return TOWNS.flatMap((set) => {
    const own = homes.filter((home) => home.set === set);
    if (own.length === 0) return [];
    const days = own.reduce((sum, home) => sum + daysRead(home), 0);
    const counts = own.map(highDaysOf).sort((a, b) => a - b);
    const alerts: number[] = [];
    for (const count of counts) alerts.push((alerts.at(-1) ?? 0) + (1000 * count) / days);
    return {
      set,
      forFourFifths: alerts[Math.ceil(0.8 * own.length) - 1] ?? NaN,
      withinTwo: alerts.filter((sum) => sum <= 2).length / own.length,
    };
  });
}

/** Days of a home above so many times the median of the four weeks before; of those that follow each other the first. */
function highDaysOf(home: Home): number {
  const zone = new TimeZone(home.timeZone);
  const usage = usageOf(home);
  const { time } = home;
  const [first, last] = [zone.dayOf(time[0]!) + 1, zone.dayOf(time[time.length - 1]!)];
  const volumes: number[] = [];
  let count = 0;
  let before = false;
  for (let day = first; day < last; day++) {
    const from = zone.firstInstantFrom(day * DAY);
    const volume = usage(zone.firstInstantFrom((day + 1) * DAY)) - usage(from);
    if (volumes.length >= USUAL_DAYS) {
      const high = volume > HIGH_DAY_TIMES * median(volumes.slice(-USUAL_DAYS));
      if (high && !before) count++;
      before = high;
    }
    volumes.push(volume);
  }
  return count;
}
