import { detectConfig, type DetectConfig } from "../../schemas/detect-config.js";
import { environmentOf, type MeterEnvironment } from "../../detect/meter-environment.js";
import { RULES, type RuleName } from "../../schemas/anomalies.js";
import type { MeterSetting } from "../../schemas/meters.js";
import { seeded } from "../random.js";
import { DETECTORS } from "./detectors.js";
import type { Home } from "./homes.js";
import { hashOf, readsOf, Replay, withEstimates, type Alert, type Read, type Reading } from "./replay.js";
import { episodes, outcome, type Outcome } from "./score.js";
import {
  ALWAYS_ON_LEAKS,
  askedFor,
  BUILDING_LEAKS,
  countUpTo,
  EARLY_LEAKS,
  GRID_LEAKS,
  HARD_NEGATIVES,
  HIGH_USAGE,
  LEAKS,
  type Shape,
} from "./shapes.js";

export interface Plan {
  readonly seed: number;
  /** Injections of each shape into each home. */
  readonly starts: number;
  /** Only what a bar is about. */
  readonly quick: boolean;
  readonly detect?: DetectConfig;
  /** Rules that are judged; all by default. */
  readonly rules?: Iterable<RuleName>;
}

/** One injection under one reading, for each detector in the order of `DETECTORS`. */
export interface InjectionResult {
  readonly type: "injection";
  readonly cell: string;
  readonly set: string;
  readonly outcomes: readonly Outcome[];
}

/** Alerts of an untouched home, joined at 72 hours, for each detector. */
export interface ControlResult {
  readonly type: "control";
  readonly cell: string;
  readonly set: string;
  readonly home: number;
  readonly days: number;
  readonly alerts: readonly number[];
  /** Those over within a day, and days under alert. */
  readonly brief: readonly number[];
  readonly active: readonly number[];
  /** Bytes of the state at the end. */
  readonly stateBytes: number;
}

export type Result = InjectionResult | ControlResult;

const DAY = 86_400;
/** Reads that are delivered in one block where nobody looks at when an alert came. */
const CHUNK = 168;
const WARM_UP_DAYS = 35;
/** Days after a meter's first read at which leaks begin that it could not yet be known for (DETECTION §4.2). */
export const EARLY_DAYS = [3, 7, 14] as const;
/** L/h that an always-on meter passes by itself, on top of the home's use. */
export const ALWAYS_ON = 40;
/** Windows with fewer reads are left out (DETECTION §4.2). */
const LEAST_READS = 0.9;

/** Steps of registers in mL, as their vendors name them. */
export const RESOLUTIONS: readonly (readonly [name: string, ml: number])[] = [
  ["1 L", 1000],
  ["0.1 ft³", 2832],
  ["1 gal", 3785],
  ["10 L", 10_000],
  ["1 ft³", 28_317],
  ["10 gal", 37_854],
];
export const MISSING: readonly number[] = [0, 0.05, 0.2];

/** Sets are told apart by interval too. */
function setOf({ set, interval }: Home): string {
  return set === "ampds2" ? `ampds2, ${interval / 60} min` : set;
}

/** The name of a cell: a reading, and a shape where one is injected. */
export function cellOf(resolution: string, missing: number, shape?: string): string {
  return [resolution, `${missing * 100} %`, ...(shape === undefined ? [] : [shape])].join(" | ");
}

function environmentFor({ timeZone }: Home, { detect, rules }: Plan): MeterEnvironment {
  return environmentOf(detect ?? detectConfig.parse({}), rules ?? RULES, timeZone);
}

/** All that is asked of one home. */
export function* evaluateHome(home: Home, place: number, plan: Plan): Generator<Result> {
  const environment = environmentFor(home, plan);
  if (home.building !== undefined) {
    const reading = { resolution: 10_000, missing: 0 };
    const starts = startsOf(home, plan.starts, 14, plan.seed);
    const settings: MeterSetting[] = [{ from: 0, class: home.building.class }];
    const name = buildingCell(home.building.homes);
    yield* injections({
      ...{ home, place, reading, name, settings, starts, environment, plan },
      shapes: BUILDING_LEAKS,
    });
    return;
  }
  const of = (shapes: readonly Shape[]) => (plan.quick ? askedFor(shapes) : shapes);
  const resolutions = plan.quick ? RESOLUTIONS.filter(([, ml]) => ml === 1000 || ml === 10_000) : RESOLUTIONS;
  for (const [name, resolution] of resolutions) {
    for (const missing of plan.quick ? [0] : MISSING) {
      const all =
        resolution === 1000 && missing === 0 ? [...LEAKS, ...HARD_NEGATIVES, ...HIGH_USAGE] : GRID_LEAKS;
      const reading = { resolution, missing };
      // Of all of them, so that a quick evaluation has the same starts.
      const longest = Math.max(...all.map(({ days }) => days));
      // The one home with shorter intervals stands for itself: more starts make up for it a little.
      const count = home.set === "ampds2" ? 10 * plan.starts : plan.starts;
      const starts = startsOf(home, count, longest, plan.seed);
      yield* injections({ home, place, reading, name, shapes: of(all), starts, environment, plan });
    }
  }
  if (home.set === "ampds2") return;
  const reading = { resolution: 1000, missing: 0 };
  const always = withBase(home, ALWAYS_ON);
  const starts = startsOf(home, plan.starts, 7, plan.seed);
  const at = { place, reading, environment, plan };
  const settings: MeterSetting[] = [{ from: 0, class: "always-on" }];
  const steps = { name: ALWAYS_ON_CELL, shapes: of(ALWAYS_ON_LEAKS) };
  yield* injections({ ...at, ...steps, home: always, settings, starts });
  if (plan.quick) return;
  for (const days of EARLY_DAYS) {
    const time = home.time[0]! + days * DAY + Math.floor(seeded(hashOf(`${home.name} ${days}`))() * DAY);
    const starts = [{ time, place: placeAt(home, time) }];
    yield* injections({ ...at, home, name: earlyCell(days), shapes: EARLY_LEAKS, starts });
  }
}

export const ALWAYS_ON_CELL = "always on";
export function buildingCell(homes: number): string {
  return `${homes} homes`;
}
export function earlyCell(days: number): string {
  return `after ${days} days`;
}

/** The home with a flow that never stops, 15 % stronger than its mean by day and weaker by night. */
function withBase(home: Home, litres: number): Home {
  const first = home.time[0]!;
  const flowed = (time: number) => {
    const hours = (time - first) / 3600;
    return (
      1000 * litres * (hours + ((0.15 * 24) / (2 * Math.PI)) * (1 - Math.cos((2 * Math.PI * hours) / 24)))
    );
  };
  return { ...home, register: home.register.map((ml, i) => ml + Math.round(flowed(home.time[i]!))) };
}

interface Start {
  readonly time: number;
  /** Place of the first read after it. */
  readonly place: number;
  saved?: Buffer;
}

interface Injections {
  readonly home: Home;
  readonly place: number;
  readonly reading: Reading;
  /** First part of the name of its cells. */
  readonly name: string;
  readonly shapes: readonly Shape[];
  readonly starts: readonly Start[];
  /** What the registry tells of the meter. */
  readonly settings?: readonly MeterSetting[];
  readonly environment: MeterEnvironment;
  readonly plan: Plan;
}

function* injections({
  home,
  place,
  reading,
  name,
  shapes,
  starts,
  settings = [],
  environment,
  plan,
}: Injections): Generator<Result> {
  const control = Replay.begin(environment, reading.resolution).told(settings);
  let at = 0;
  for (const start of starts) {
    for (; at < start.place; at += CHUNK)
      control.push(readsOf(home, reading, at, Math.min(at + CHUNK, start.place)));
    at = start.place;
    start.saved = control.save();
  }
  for (; at < home.time.length; at += CHUNK)
    control.push(readsOf(home, reading, at, Math.min(at + CHUNK, home.time.length)));
  const quiet = control.alerts();
  yield controlResult(home, place, quiet, cellOf(name, reading.missing), control.save().length);
  const usage = usageOf(home);
  for (const shape of shapes) {
    for (const { time, place: from, saved } of starts) {
      const begin = shape.begins === undefined ? time : shape.begins(time, usage, environment.context.days);
      if (begin === undefined) continue;
      const until = placeAt(home, begin + shape.days * DAY);
      if (until - placeAt(home, begin) < (LEAST_READS * shape.days * DAY) / home.interval) continue;
      const random = seeded(hashOf(`${home.name} ${shape.name} ${time} ${plan.seed}`));
      const added = shape.at(begin, random, usage);
      const copy = Replay.restore(saved!, environment, reading.resolution);
      copy.answers = shape.answered === true;
      for (const read of readsOf(home, reading, from, until, added)) copy.push([read]);
      yield {
        type: "injection",
        cell: cellOf(name, reading.missing, shape.name),
        set: setOf(home),
        outcomes: DETECTORS.map(({ rules }) =>
          outcome(
            place,
            copy.alerts(),
            quiet,
            rules,
            begin,
            shape.days * DAY,
            shape.steady === true ? shape.rate : undefined,
            shape.stops ?? shape.days * DAY,
          ),
        ),
      };
    }
  }
}

/** Seeded starts after the warm-up, in order, the same for every shape. */
function startsOf(home: Home, count: number, longestDays: number, seed: number): Start[] {
  const first = home.time[0]! + WARM_UP_DAYS * DAY;
  const room = home.time[home.time.length - 1]! - longestDays * DAY - first;
  if (room <= 0) return [];
  const random = seeded(hashOf(`${home.name} starts ${seed}`));
  return Array.from({ length: count }, () => first + Math.floor((random() * room) / 60) * 60)
    .sort((a, b) => a - b)
    .map((time) => ({ time, place: placeAt(home, time) }));
}

function controlResult(
  home: Home,
  place: number,
  alerts: readonly Alert[],
  cell: string,
  stateBytes: number,
): ControlResult {
  const end = home.time[home.time.length - 1]!;
  const each = DETECTORS.map(({ rules }) => episodes(alerts, rules));
  return {
    type: "control",
    cell,
    set: setOf(home),
    home: place,
    days: daysRead(home),
    alerts: each.map(({ length }) => length),
    brief: each.map((list) => list.filter(({ from, until }) => until - from <= DAY).length),
    active: each.map((list) =>
      list.reduce((sum, { from, until }) => sum + (Math.min(until, end) - from) / DAY, 0),
    ),
    stateBytes,
  };
}

/** Days that reads cover in a time, holes of more than a few hours left out. */
export function daysRead({ time }: Home, from = -Infinity, until = Infinity): number {
  let seconds = 0;
  for (let i = Math.max(1, placeAt({ time }, from)); i < time.length && time[i]! < until; i++) {
    const step = time[i]! - time[i - 1]!;
    if (step <= 4 * 3600) seconds += step;
  }
  return seconds / DAY;
}

/** The first place whose read is later than a time. */
export function placeAt({ time }: Pick<Home, "time">, after: number): number {
  return countUpTo(time, after);
}

/** What the home used until a time, mL, between reads in proportion. */
export function usageOf(home: Home): (time: number) => number {
  const { time, register } = home;
  return (at) => {
    const i = placeAt(home, at);
    if (i === 0) return register[0]!;
    if (i === time.length) return register[i - 1]!;
    const part = (at - time[i - 1]!) / (time[i]! - time[i - 1]!);
    return register[i - 1]! + part * (register[i]! - register[i - 1]!);
  };
}

/** Faults of the feed that must bring no alert more: the untouched home, delivered badly. */
export function* faults(
  home: Home,
  place: number,
  plan: Plan,
): Generator<{
  readonly fault: string;
  readonly home: number;
  readonly days: number;
  readonly extra: readonly number[];
}> {
  const environment = environmentFor(home, plan);
  const reading = { resolution: 1000, missing: 0 };
  const reads = readsOf(home, reading, 0, home.time.length);
  const run = (chunks: Iterable<readonly Read[]>, modulus = 0): Alert[] => {
    const replay = Replay.begin(environment, reading.resolution, modulus);
    for (const chunk of chunks) replay.push(chunk);
    return replay.alerts();
  };
  const control = run(chunksOf(reads));
  const cases: Record<string, () => Alert[]> = {
    "estimated reads": () => run(chunksOf(withEstimates(reads, home.name, 0.1))),
    duplicates: () => run(twice(chunksOf(reads))),
    "a day late": () => run(late(chunksOf(reads, 24))),
    rollover: () => {
      const modulus = 100_000_000;
      const from = modulus - 5_000_000 - reads[0]!.ml;
      return run(
        chunksOf(reads.map((read) => ({ ...read, ml: (((read.ml + from) % modulus) + modulus) % modulus }))),
        modulus,
      );
    },
    exchange: () => {
      const half = reads.length >> 1;
      const moved = reads.map((read, i) =>
        i < half ? read : { ...read, ml: read.ml - reads[half]!.ml, register: 1 },
      );
      return run([...chunksOf(moved.slice(0, half)), ...chunksOf(moved.slice(half))]);
    },
    // From the middle on in US gallons; the meter shows whole ones.
    "unit change": () => {
      const half = reads.length >> 1;
      const gallon = 3785.41;
      const later = reads.slice(half).map((read) => ({
        ...read,
        ml: Math.round(Math.floor(read.ml / gallon) * gallon),
        resolution: Math.round(gallon),
      }));
      return run([...chunksOf(reads.slice(0, half)), ...chunksOf(later)]);
    },
  };
  for (const [fault, alertsOf] of Object.entries(cases)) {
    const alerts = alertsOf();
    const extra = DETECTORS.map(({ rules }) => {
      const { alerts: more } = outcome(place, alerts, control, rules, -Infinity, Infinity, undefined);
      return more;
    });
    yield { fault, home: place, days: daysRead(home), extra };
  }
}

/** Chunks of so many reads, and of no more hours: a hole ends one, as it ends a block. */
function* chunksOf(reads: readonly Read[], size = CHUNK): Generator<readonly Read[]> {
  for (let i = 0; i < reads.length;) {
    const until = reads[i]!.time + size * 3600;
    let end = i + 1;
    while (end < reads.length && end - i < size && reads[end]!.time < until) end++;
    yield reads.slice(i, end);
    i = end;
  }
}

function* twice(chunks: Iterable<readonly Read[]>): Generator<readonly Read[]> {
  for (const chunk of chunks) {
    yield chunk;
    yield chunk;
  }
}

/** Each second chunk comes after the one that follows it. */
function* late(chunks: Iterable<readonly Read[]>): Generator<readonly Read[]> {
  let held: readonly Read[] | undefined;
  for (const chunk of chunks) {
    if (held === undefined) held = chunk;
    else {
      yield chunk;
      yield held;
      held = undefined;
    }
  }
  if (held !== undefined) yield held;
}
