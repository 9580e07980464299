import type { RuleName } from "../../schemas/anomalies.js";
import { grouped } from "./grouped.js";
import type { Alert } from "./replay.js";

/** What became of one injection, for one detector. Times in seconds from the start of the shape. */
export interface Outcome {
  /** Place of the home: results of one home are drawn together. */
  readonly home: number;
  /** UTC seconds at which the shape began. */
  readonly begin: number;
  /** Seconds until an alert that the control has not, -1: none within the window. */
  readonly after: number;
  /** Not found, and the control was alerting when the shape began. */
  readonly masked: boolean;
  /** Estimated over true rate at the alert and a day later; 0 where not found or not steady. */
  readonly rate: number;
  readonly later: number;
  /** Beginning as told less the true one; NaN where not found. */
  readonly startError: number;
  /** Until its end was told, from when the water stopped: below 0 while it still ran, NaN where it was not told. */
  readonly closed: number;
  /** Alerts that began in the window and that the control has not. */
  readonly alerts: number;
}

const MERGED_WITHIN = 72 * 3600;

/** Alerts of some rules as stretches of time in which one is open, those up to 72 hours apart joined. */
export function episodes(
  alerts: readonly Alert[],
  rules: ReadonlySet<RuleName>,
): { from: number; until: number }[] {
  const merged: { from: number; until: number }[] = [];
  for (const { rule, at, until } of alerts) {
    if (!rules.has(rule)) continue;
    const last = merged[merged.length - 1];
    if (last !== undefined && at - last.until < MERGED_WITHIN) last.until = Math.max(last.until, until);
    else merged.push({ from: at, until });
  }
  return merged;
}

/**
 * The first alert of the injected copy at a time when the control has none (DETECTION §4.3).
 * @param window seconds from `start` (UTC seconds)
 * @param trueRate mL/h of a steady shape
 * @param stops seconds from `start` until the water of the shape stops
 */
export function outcome(
  home: number,
  injected: readonly Alert[],
  control: readonly Alert[],
  rules: ReadonlySet<RuleName>,
  start: number,
  window: number,
  trueRate: number | undefined,
  stops = Infinity,
): Outcome {
  const quiet = control.filter(({ rule }) => rules.has(rule));
  let first = Infinity;
  let by: Alert | undefined;
  let alerts = 0;
  for (const alert of injected) {
    if (!rules.has(alert.rule)) continue;
    const time = firstUncovered(Math.max(alert.at, start), Math.min(alert.until, start + window), quiet);
    if (time === undefined) continue;
    alerts++;
    if (time < first) {
      first = time;
      by = alert;
    }
  }
  const ratio = (rate: number) => (by === undefined || trueRate === undefined ? 0 : rate / trueRate);
  return {
    home,
    begin: start,
    after: by === undefined ? -1 : first - start,
    masked: by === undefined && quiet.some(({ at, until }) => at <= start && until > start),
    rate: ratio(by?.rate ?? 0),
    later: ratio(by?.later ?? 0),
    startError: by === undefined ? NaN : by.start - start,
    closed: by === undefined || by.closedAt === Infinity ? NaN : by.closedAt - start - stops,
    alerts,
  };
}

function firstUncovered(from: number, until: number, by: readonly Alert[]): number | undefined {
  let time = from;
  for (let moved = true; moved;) {
    moved = false;
    for (const { at, until: end } of by) {
      if (at > time || end <= time) continue;
      if (end === Infinity) return undefined;
      time = end;
      moved = true;
    }
  }
  return time < until || (time === from && from === until) ? time : undefined;
}

export interface Summary {
  readonly runs: number;
  /** Share found, with its 95 % interval over homes. */
  readonly recall: number;
  readonly recallFrom: number;
  readonly recallUntil: number;
  /** Hours; Infinity where fewer than the half (nine tenths) were found. All are censored at one time. */
  readonly median: number;
  readonly ninth: number;
  readonly masked: number;
  /** Median of |estimated - true| / true; NaN without any. */
  readonly rateError: number;
  readonly rateErrorLater: number;
  /** Median hours between the true beginning and the one told; NaN without any. */
  readonly startError: number;
  /** Of those found, the share told to be over while it ran; median hours until it was told after the water stopped. */
  readonly closedEarly: number;
  readonly closeDelay: number;
  /** Median and ninth tenth of the hours until an alert where reads come each so many hours, at whole multiples of these. */
  readonly delivered: Readonly<Record<string, readonly [median: number, ninth: number]>>;
}

/** Hours between deliveries (DETECTION §4.2: four times a day, daily). */
export const DELIVERIES = [6, 24] as const;

export function summarise(outcomes: readonly Outcome[], random: () => number): Summary {
  const found = outcomes.filter(({ after }) => after >= 0);
  const times = found.map(({ after }) => after / 3600).sort((a, b) => a - b);
  const at = (share: number, sorted = times) => sorted[Math.ceil(share * outcomes.length) - 1] ?? Infinity;
  const delivered = (hours: number) => {
    const each = hours * 3600;
    const known = found.map(({ begin, after }) => (Math.ceil((begin + after) / each) * each - begin) / 3600);
    known.sort((a, b) => a - b);
    return [at(0.5, known), at(0.9, known)] as const;
  };
  const [recallFrom, recallUntil] = interval(outcomes, random, (drawn) =>
    drawn.length === 0 ? 0 : drawn.filter(({ after }) => after >= 0).length / drawn.length,
  );
  const error = (of: (one: Outcome) => number) =>
    middle(found.filter(({ rate }) => rate > 0).map((one) => Math.abs(of(one) - 1)));
  return {
    runs: outcomes.length,
    recall: outcomes.length === 0 ? 0 : found.length / outcomes.length,
    recallFrom,
    recallUntil,
    median: at(0.5),
    ninth: at(0.9),
    masked: outcomes.filter(({ masked }) => masked).length,
    rateError: error(({ rate }) => rate),
    rateErrorLater: error(({ later }) => later),
    startError: middle(found.map(({ startError }) => Math.abs(startError) / 3600)),
    closedEarly: found.length === 0 ? NaN : found.filter(({ closed }) => closed < 0).length / found.length,
    closeDelay: middle(found.filter(({ closed }) => closed >= 0).map(({ closed }) => closed / 3600)),
    delivered: Object.fromEntries(DELIVERIES.map((hours) => [hours, delivered(hours)])),
  };
}

/** 95 % interval of a figure by drawing homes, not runs, with replacement (bootstrap). */
export function interval<T extends { readonly home: number }>(
  outcomes: readonly T[],
  random: () => number,
  figure: (drawn: readonly T[]) => number,
): [number, number] {
  const homes = [...grouped(outcomes, ({ home }) => home).values()];
  if (homes.length === 0) return [0, 0];
  const figures: number[] = [];
  for (let i = 0; i < DRAWS; i++) {
    const drawn: T[] = [];
    for (let j = 0; j < homes.length; j++) drawn.push(...homes[Math.floor(random() * homes.length)]!);
    figures.push(figure(drawn));
  }
  figures.sort((a, b) => a - b);
  return [figures[Math.floor(0.025 * DRAWS)]!, figures[Math.floor(0.975 * DRAWS)]!];
}

const DRAWS = 500;

function middle(values: number[]): number {
  values.sort((a, b) => a - b);
  return values.length === 0 ? NaN : values[Math.floor(values.length / 2)]!;
}
