import { median } from "simple-statistics";
import type { TimeZone } from "../../infra/time-zone.js";

/** Millilitres that were added from the start of a shape until a time (UTC seconds): never falling, 0 before `start`. */
export type Added = (time: number) => number;

/** What is injected into a copy of a meter. `rate` is the mean, mL/h, where it has one. */
export interface Shape {
  readonly name: string;
  readonly rate?: number;
  /** Whether its true rate is constant, so that an estimate of it can be right or wrong. */
  readonly steady?: boolean;
  readonly days: number;
  /** Seconds after which its water stops. */
  readonly stops?: number;
  /** Whether a resident answers the first alert with "normal for us". */
  readonly answered?: boolean;
  /** When it begins in this home, at or after `start`; undefined: not in this home. */
  begins?(start: number, usage: (time: number) => number, zone: TimeZone): number | undefined;
  /** @param usage millilitres that the home itself used until a time */
  at(start: number, random: () => number, usage: (time: number) => number): Added;
}

const HOUR = 3600;
const DAY = 86_400;
const LITRE = 1000;

/** Flow of `litres` an hour from `start` to `until`. */
function steady(litres: number, start: number, until = Infinity): Added {
  return (time) => (Math.max(0, Math.min(time, until) - start) / HOUR) * litres * LITRE;
}

function constant(litres: number, days = 14): Shape {
  return {
    name: `constant ${litres} L/h`,
    rate: litres * LITRE,
    steady: true,
    days,
    at: (start) => steady(litres, start),
  };
}

/** A toilet that refills by itself: `litres` each `hours`, with a jitter of a fifth (DETECTION §4.2). */
function ghostFlush(litres: number, hours: number, days = 14): Shape {
  return {
    name: `refill ${litres} L each ${hours} h`,
    rate: (litres * LITRE) / hours,
    days,
    at(start, random) {
      const events: number[] = [];
      let next = start + random() * hours * HOUR;
      while (next < start + (days + 1) * DAY) {
        events.push(next);
        next += hours * HOUR * (0.8 + 0.4 * random());
      }
      return (time) => countUpTo(events, time) * litres * LITRE;
    },
  };
}

/** How many of rising numbers are not above one. */
export function countUpTo(sorted: ArrayLike<number>, most: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= most) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** 4 L/h that doubles each week up to 60. */
const pinhole: Shape = {
  name: "pinhole, 4 L/h doubling weekly",
  days: 28,
  at: (start) => (time) => {
    const weeks = Math.max(0, time - start) / (7 * DAY);
    const until = Math.min(weeks, Math.log2(15));
    const grown = (4 * LITRE * 168 * (2 ** until - 1)) / Math.LN2;
    return grown + Math.max(0, weeks - until) * 60 * LITRE * 168;
  },
};

/** Three days on, two days off. */
const onOff: Shape = {
  name: "15 L/h, 3 days on and 2 off",
  days: 14,
  at: (start) => (time) => {
    const passed = Math.max(0, time - start);
    const cycle = 5 * DAY;
    const on = Math.floor(passed / cycle) * 3 * DAY + Math.min(passed % cycle, 3 * DAY);
    return (on / HOUR) * 15 * LITRE;
  },
};

const repaired: Shape = {
  name: "15 L/h, repaired after 4 days",
  days: 14,
  stops: 4 * DAY,
  at: (start) => steady(15, start, start + 4 * DAY),
};

/** An hour in which a home uses as much counts as a run of its irrigation, mL; and days within which one must come. */
const IRRIGATES = 300 * LITRE;
const IRRIGATES_WITHIN = 7;

/** The next whole hour in which the home irrigates. */
function nextRun(start: number, usage: (time: number) => number): number | undefined {
  const first = Math.ceil(start / HOUR) * HOUR;
  for (let hour = first; hour < first + IRRIGATES_WITHIN * DAY; hour += HOUR)
    if (usage(hour + HOUR) - usage(hour) >= IRRIGATES) return hour;
  return undefined;
}

/** A valve that opens for a run of the irrigation and does not close. */
function stuckValve(litres: number): Shape {
  return {
    name: `stuck valve, ${litres} L/h`,
    rate: litres * LITRE,
    days: 3,
    begins: nextRun,
    at: (start) => steady(litres, start),
  };
}

/** A broken head: three tenths more in each hour in which the home irrigates. */
const irrigationLeak: Shape = {
  name: "irrigation runs, 30 % more",
  days: 14,
  begins: nextRun,
  at(start, _random, usage) {
    const more = [0];
    return (time) => {
      const hours = Math.max(0, Math.floor((time - start) / HOUR));
      while (more.length <= hours) {
        const at = start + (more.length - 1) * HOUR;
        const used = usage(at + HOUR) - usage(at);
        more.push(more[more.length - 1]! + (used >= IRRIGATES ? Math.round(0.3 * used) : 0));
      }
      return more[hours]!;
    };
  },
};

/** Every leak that is scored; in the order of the tables. */
export const LEAKS: readonly Shape[] = [
  ...[1, 2, 4, 7.6, 15, 30, 60, 120].map((litres) => constant(litres)),
  ...(
    [
      [4, 0.25],
      [4, 0.5],
      [4, 1],
      [4, 2],
      [4, 3],
      [6, 4],
      [6, 6],
    ] as const
  ).map(([litres, hours]) => ghostFlush(litres, hours)),
  pinhole,
  ...[300, 600, 1200, 2000].map((litres) => constant(litres, 3)),
  onOff,
  repaired,
  stuckValve(400),
  stuckValve(1200),
  irrigationLeak,
];

/** Steps on top of what an always-on meter uses. */
export const ALWAYS_ON_LEAKS: readonly Shape[] = [8, 15, 30, 60].map((litres) => constant(litres, 7));

/** Behind the meter of a building. */
export const BUILDING_LEAKS: readonly Shape[] = [
  ...[4, 15, 30, 60, 120].map((litres) => constant(litres)),
  ghostFlush(4, 0.25),
  constant(600, 3),
];

/** Those that begin in the first weeks of a meter. */
export const EARLY_LEAKS: readonly Shape[] = [
  ...[4, 15, 60].map((litres) => constant(litres)),
  ghostFlush(4, 2),
  constant(600, 3),
];

/** Those of the grid of resolutions and missing reads. */
export const GRID_LEAKS: readonly Shape[] = [
  ...[4, 7.6, 8, 15, 30].map((litres) => constant(litres, 7)),
  ghostFlush(4, 2),
  constant(600, 3),
];

function extra(name: string, days: number, at: Shape["at"]): Shape {
  return { name, days, at };
}

/** Local hour by the zone's mean solar time is near enough for shapes: hours from the start. */
function scaled(from: number, until: number, share: (random: () => number) => number): Shape["at"] {
  return (start, random, usage) => {
    const more = share(random);
    const at = usage(start + from);
    return (time) => {
      if (time <= start + from) return 0;
      return Math.round((usage(Math.min(time, start + until)) - at) * more);
    };
  };
}

/** Days before a day from which its usual is told. */
export const USUAL_DAYS = 28;
/** A day at so many times its usual must be found (DETECTION §4.6). */
export const HIGH_DAY_TIMES = 3;

/** A local day of so many times the meter's usual, which is the median of the four weeks before; by the hours at which they used it. */
function highDay(times: number): Shape {
  const weeks = (start: number) => Array.from({ length: USUAL_DAYS }, (_, i) => start - (i + 1) * DAY);
  const goal = (start: number, usage: (time: number) => number) =>
    times * median(weeks(start).map((day) => usage(day + DAY) - usage(day)));
  return {
    name: `a day at ${times} times its usual`,
    // A rule that looks at whole days knows with the first hour of the next.
    days: 1 + 2 / 24,
    stops: DAY,
    begins(start, usage, zone) {
      const midnight = zone.firstInstantFrom((zone.dayOf(start) + 1) * DAY);
      // A day that is as high by itself proves nothing.
      return usage(midnight + DAY) - usage(midnight) < goal(midnight, usage) ? midnight : undefined;
    },
    at(start, _random, usage) {
      const more = goal(start, usage) - (usage(start + DAY) - usage(start));
      const used = (until: number) =>
        weeks(start).reduce((sum, day) => sum + usage(day + until) - usage(day), 0);
      const all = used(DAY);
      return (time) => {
        const passed = Math.min(time - start, DAY);
        return passed <= 0 ? 0 : Math.round((more * used(passed)) / all);
      };
    },
  };
}

/** Water that is no leak: each alert that it brings is a false one. */
export const HARD_NEGATIVES: readonly Shape[] = [
  extra("pool fill, 5 to 30 m³ at 900 L/h", 7, (start, random) => {
    const litres = 5000 + 25_000 * random();
    return steady(900, start, start + (litres / 900) * HOUR);
  }),
  extra(
    "guests, 1.5 to 2 times for 10 days",
    14,
    scaled(0, 10 * DAY, (random) => 0.5 + 0.5 * random()),
  ),
  extra("irrigation season: 500 L/h for an hour each second day", 21, (start) => (time) => {
    const passed = Math.max(0, time - start);
    const period = 2 * DAY;
    const runs = Math.floor(passed / period);
    return ((runs * HOUR + Math.min(passed % period, HOUR)) / HOUR) * 500 * LITRE;
  }),
  extra(
    "vacation of 14 days and return",
    28,
    scaled(0, 14 * DAY, () => -1),
  ),
  extra(
    "new tenant, 1.6 times",
    28,
    scaled(0, 28 * DAY, () => 0.6),
  ),
  {
    name: "cooler, 4 to 15 L/h for 12 to 24 hours a day; the first alert is answered",
    days: 21,
    answered: true,
    at(start, random) {
      const litres = 4 + 11 * random();
      const hours = 12 + 12 * random();
      return (time) => {
        const passed = Math.max(0, time - start);
        const on = Math.floor(passed / DAY) * hours * HOUR + Math.min(passed % DAY, hours * HOUR);
        return (on / HOUR) * litres * LITRE;
      };
    },
  },
];

/** Use that a household would want to hear of on the same day, as DETECTION §4.6 has it; each within 24 hours. */
export const HIGH_USAGE: readonly Shape[] = [
  extra("hose, 400 L/h for 6 h", 1, (start) => steady(400, start, start + 6 * HOUR)),
  extra("hose, 900 L/h for 8 h", 1, (start) => steady(900, start, start + 8 * HOUR)),
  extra("pool fill, 10 m³ at 900 L/h", 1, (start) => steady(900, start, start + (10_000 / 900) * HOUR)),
  highDay(HIGH_DAY_TIMES),
  highDay(2),
];

const ASKED = new Set([
  ...[1, 4, 8, 15, 60, 600].map((litres) => `constant ${litres} L/h`),
  "refill 4 L each 2 h",
  onOff.name,
  "hose, 400 L/h for 6 h",
  "pool fill, 10 m³ at 900 L/h",
  `a day at ${HIGH_DAY_TIMES} times its usual`,
]);

/** Those that a bar is about (DETECTION §4.4, §4.6), and two beside them: what a quick evaluation takes. */
export function askedFor(shapes: readonly Shape[]): Shape[] {
  return shapes.filter(({ name }) => ASKED.has(name));
}
