import type { TimeZone } from "../../infra/time-zone.js";
import { detectConfig } from "../../schemas/detect-config.js";
import { MILLILITRES, type Unit } from "../../schemas/units.js";
import { flowsOf, inOrder } from "./hours.js";
import type { TrialSeries } from "./trial.js";

/** What looks wrong in a file that can be read, and what to look at. */
export interface TrialWarning {
  readonly code:
    | "all-zero"
    | "bills-apart"
    | "clock-change"
    | "different-duplicates"
    | "empty-column"
    | "falling-registers"
    | "implausible-volume"
    | "impossible-values"
    | "night-elsewhere"
    | "shifted-usage"
    | "stamps-off-grid"
    | "whole-days-shifted";
  readonly text: string;
  readonly mend: string;
}

const DAY = 86_400;
const HOUR = 3_600;

/*
 * All thresholds below are ours. They are wide: a warning is a reason to look, and no file is refused for one.
 */

/** Stamps so near to the grid of their interval, and never on it, stand for the grid. Seconds. */
const NEAR_GRID = 120;
/** A register that falls by no more has jittered: `detect.registers.stepBack`. mL. */
const STEP_BACK = 20_000;
/** Where more of the meters have a falling register, it is hardly a register. */
const MOST_FALLING = 0.1;
/**
 * Litres a day of the middle meter among those with any flow: around the 300 gal (1,136 L) a day that a family in the
 * United States uses at home (US EPA, WaterSense), far enough from it that no town's middle lies beyond.
 */
export const PLAUSIBLE_LITRES = { least: 20, most: 10_000 } as const;
/** Where a larger share of the volumes is beyond what meters pass, it is the unit that is wrong. */
const MOST_IMPOSSIBLE = 0.05;
/** A volume a day needs so much time to be told from. Seconds. */
const LEAST_COVERED = 6 * HOUR;
/** The hours of a town are told apart from so many meters, days and hours on. */
const LEAST_TOWN = { meters: 20, days: 2 } as const;
/** The stillest three hours must lie between these hours of the local clock, if they are still at all. */
const NIGHT = { from: 0, until: 6, hours: 3, share: 0.5 } as const;
/** Where a larger share of the bills of a meter lies a day beside the next, it is the meaning of their dates. */
const BILLS_APART = 0.5;
/** Usage beside its registers: so many values must speak, this share of them for another place, and no more for ours. */
const SHIFT = { values: 10, there: 0.8, here: 0.5 } as const;

/** @param zone the utility's */
export function warningsOf(all: readonly TrialSeries[], zone: TimeZone): TrialWarning[] {
  const found = [
    allZero(all),
    offGrid(all, zone),
    fallingRegisters(all),
    differentDuplicates(all),
    impossibleValues(all),
    implausibleVolume(all),
    nightElsewhere(all, zone),
    shiftedUsage(all) ?? wholeDaysShifted(all, zone),
    ...clockChanges(all, zone),
    billsApart(all),
  ];
  return found.filter((one) => one !== undefined);
}

function allZero(all: readonly TrialSeries[]): TrialWarning | undefined {
  let values = 0;
  for (const { ml } of all) {
    for (const one of ml) {
      if (Number.isNaN(one)) continue;
      if (one !== 0) return undefined;
      values++;
    }
  }
  if (values === 0) return undefined;
  return {
    code: "all-zero",
    text: `All ${values} values are 0.`,
    mend: "Is it the column of the values?",
  };
}

function offGrid(all: readonly TrialSeries[], zone: TimeZone): TrialWarning | undefined {
  let before = 0;
  let after = 0;
  let most = 0;
  for (const { kind, time, length } of all) {
    if (kind !== "usage") continue;
    for (let i = 0; i < time.length; i++) {
      const past = modulo(time[i]! + zone.offsetAt(time[i]!), length[i]!);
      const off = Math.min(past, length[i]! - past);
      if (off === 0 || off > NEAR_GRID) return undefined;
      most = Math.max(most, off);
      if (off === past) after++;
      else before++;
    }
  }
  if (before + after === 0) return undefined;
  const where =
    after === 0 ? "just before" : before === 0 ? "just after" : "just beside (before and after it)";
  return {
    code: "stamps-off-grid",
    text: `All usage lies ${where} the grid of its interval, by ${most} s at most (stamps such as hh:59 or hh:01).`,
    mend:
      `Set time.snap: ${most <= 60 ? 60 : NEAR_GRID}.` +
      (after === 0
        ? " A stamp at hh:59 is mostly the end of its interval (time.stamp: end): ask the sender."
        : ""),
  };
}

function fallingRegisters(all: readonly TrialSeries[]): TrialWarning | undefined {
  const meters = new Set<string>();
  const falling = new Set<string>();
  for (const series of all) {
    if (series.kind !== "register") continue;
    const order = inOrder(series);
    if (order.length < 2) continue;
    meters.add(series.meterId);
    if (order.some((at, i) => i > 0 && series.ml[at]! < series.ml[order[i - 1]!]! - STEP_BACK))
      falling.add(series.meterId);
  }
  if (falling.size === 0 || falling.size <= meters.size * MOST_FALLING) return undefined;
  return {
    code: "falling-registers",
    text: `The register falls by more than ${STEP_BACK / 1000} L on ${falling.size} of ${meters.size} meters.`,
    mend: "Is the column usage? Are two registers of a meter mixed (columns.channel)? Does it begin again at 0 (digits)?",
  };
}

function differentDuplicates(all: readonly TrialSeries[]): TrialWarning | undefined {
  let times = 0;
  const meters = new Set<string>();
  for (const series of all) {
    const order = inOrder(series);
    for (let i = 1; i < order.length; i++) {
      const [at, before] = [order[i]!, order[i - 1]!];
      if (series.time[at] !== series.time[before] || series.ml[at] === series.ml[before]) continue;
      times++;
      meters.add(series.meterId);
    }
  }
  if (times === 0) return undefined;
  return {
    code: "different-duplicates",
    text: `${times} reads stand for a time that the file gave before with another value (${meters.size} meters); the later line counts.`,
    mend: "Is a column needed to tell registers apart (columns.channel)? Are rows of another kind among them (filters)? Does the time format leave something out?",
  };
}

/** Litres a day of a meter's series, or `undefined` where too little time is covered. */
function litresADay(series: TrialSeries): number | undefined {
  const order = inOrder(series);
  const { time, length, ml, kind } = series;
  let litres = 0;
  let covered = 0;
  for (let i = 0; i < order.length; i++) {
    const at = order[i]!;
    if (kind !== "register") {
      covered += length[at]!;
      litres += ml[at]! / 1000;
    } else if (i > 0) {
      const before = order[i - 1]!;
      if (ml[at]! < ml[before]!) continue;
      covered += time[at]! - time[before]!;
      litres += (ml[at]! - ml[before]!) / 1000;
    }
  }
  return covered < LEAST_COVERED ? undefined : (litres / covered) * DAY;
}

/** Values that no meter of a home passes in their time, where a few stand out: mostly a mark for no read. */
function impossibleValues(all: readonly TrialSeries[]): TrialWarning | undefined {
  const { maxRate } = detectConfig.parse({}).registers;
  let [values, found, highest] = [0, 0, 0];
  const meters = new Set<string>();
  for (const series of all) {
    for (const { length, ml } of flowsOf(series)) {
      values++;
      if (ml <= (maxRate * length) / HOUR) continue;
      found++;
      highest = Math.max(highest, ml / 1000);
      meters.add(series.meterId);
    }
  }
  if (found === 0 || found > Math.max(1, values * MOST_IMPOSSIBLE)) return undefined;
  return {
    code: "impossible-values",
    text: `${found} of ${values} volumes are more than ${rounded(maxRate / 1000)} L an hour, the highest is ${rounded(highest)} L (${meters.size} meters).`,
    mend: "Is a number such as 4294967295 or 9999999 a mark for no read? Then name it in noRead.",
  };
}

function implausibleVolume(all: readonly TrialSeries[]): TrialWarning | undefined {
  for (const kind of ["usage", "register", "bill"] as const) {
    const ofKind = all.filter((series) => series.kind === kind);
    const days = ofKind.map(litresADay).filter((one) => one !== undefined && one > 0) as number[];
    if (days.length === 0) continue;
    const middle = days.sort((a, b) => a - b)[Math.floor(days.length / 2)]!;
    if (middle >= PLAUSIBLE_LITRES.least && middle <= PLAUSIBLE_LITRES.most) continue;
    const { unit, mlPerUnit } = ofKind[0]!;
    const others = (Object.keys(MILLILITRES) as Unit[]).filter((other) => {
      const litres = (middle / MILLILITRES[unit]) * MILLILITRES[other];
      return litres >= 100 && litres <= 3_000;
    });
    const multiplied = Math.abs(mlPerUnit - MILLILITRES[unit]) > 1e-9 * mlPerUnit;
    return {
      code: "implausible-volume",
      text:
        `The middle meter with flow has ${rounded(middle)} L a day by its ${kind}; ` +
        `${PLAUSIBLE_LITRES.least} to ${PLAUSIBLE_LITRES.most.toLocaleString("en")} L are plausible.`,
      mend:
        `Is the unit ${unit}${multiplied ? ", and the multiplier right" : ""}?` +
        (others.length === 0 ? "" : ` Plausible it were with: ${others.join(", ")}.`) +
        (kind === "usage" ? " Is the interval right?" : kind === "bill" ? " Are the dates right?" : ""),
    };
  }
  return undefined;
}

function nightElsewhere(all: readonly TrialSeries[], zone: TimeZone): TrialWarning | undefined {
  const hours = new Array<number>(24).fill(0);
  const meters = new Set<string>();
  const days = new Set<number>();
  const kind = all.some((one) => one.kind === "usage") ? "usage" : "register";
  for (const series of all) {
    if (series.kind !== kind) continue;
    for (const { beginning, ml } of flowsOf(series)) {
      const local = beginning + zone.offsetAt(beginning);
      hours[Math.floor(modulo(local, DAY) / HOUR)]! += ml;
      meters.add(series.meterId);
      days.add(Math.floor(local / DAY));
    }
  }
  if (meters.size < LEAST_TOWN.meters || days.size < LEAST_TOWN.days) return undefined;
  const sums = hours.map((_, from) => {
    let sum = 0;
    for (let i = 0; i < NIGHT.hours; i++) sum += hours[(from + i) % 24]!;
    return sum;
  });
  const least = Math.min(...sums);
  const from = sums.indexOf(least);
  const usual = (hours.reduce((sum, one) => sum + one, 0) / 24) * NIGHT.hours;
  // A town that uses as much by night as by day tells nothing of its clock.
  if (least > usual * NIGHT.share) return undefined;
  if (from >= NIGHT.from && from + NIGHT.hours <= NIGHT.until) return undefined;
  const clock = (hour: number) => `${String(hour % 24).padStart(2, "0")}:00`;
  return {
    code: "night-elsewhere",
    text:
      `The town uses least from ${clock(from)} to ${clock(from + NIGHT.hours)} local time, ` +
      `by night it should be between ${clock(NIGHT.from)} and ${clock(NIGHT.until)}.`,
    mend: "Is the zone of the stamps right (utility, UTC or another)? Are hours after noon read as hours before it?",
  };
}

/** Usage and registers of the same meter: where the usage fits the difference of another pair of reads. */
function shiftedUsage(all: readonly TrialSeries[]): TrialWarning | undefined {
  const registers = new Map<string, TrialSeries>();
  for (const series of all) if (series.kind === "register") registers.set(identity(series), series);
  const fits = { here: 0, before: 0, after: 0 };
  let values = 0;
  for (const usage of all) {
    const register = usage.kind === "usage" ? registers.get(identity(usage)) : undefined;
    if (register === undefined) continue;
    const at = new Map(register.time.map((time, i) => [time, register.ml[i]!]));
    const step = (one: TrialSeries) => Number(`1e-${one.decimals}`) * one.mlPerUnit;
    const tolerance = step(usage) + step(register);
    for (const i of inOrder(usage)) {
      const [time, length, ml] = [usage.time[i]!, usage.length[i]!, usage.ml[i]!];
      const difference = (from: number) => (at.get(from + length) ?? NaN) - (at.get(from) ?? NaN);
      const [here, before, after] = [difference(time), difference(time - length), difference(time + length)];
      const fit = (one: number) => Math.abs(one - ml) < tolerance;
      // Neighbours of the same flow say nothing.
      if (!(ml > 0) || [here, before, after].some(Number.isNaN) || (fit(before) && fit(here) && fit(after)))
        continue;
      values++;
      if (fit(here)) fits.here++;
      if (fit(before)) fits.before++;
      if (fit(after)) fits.after++;
    }
  }
  if (values < SHIFT.values || fits.here > values * SHIFT.here) return undefined;
  const share = (one: number) => `${Math.round((100 * one) / values)} %`;
  if (fits.before >= values * SHIFT.there) {
    return {
      code: "shifted-usage",
      text: `Usage fits its registers one interval earlier (${share(fits.before)} of ${values} values; as read now ${share(fits.here)}).`,
      mend: "Its stamps are ends that are read as beginnings: set time.stamp: end.",
    };
  }
  if (fits.after >= values * SHIFT.there) {
    return {
      code: "shifted-usage",
      text: `Usage fits its registers one interval later (${share(fits.after)} of ${values} values; as read now ${share(fits.here)}).`,
      mend: "Its stamps are beginnings that are read as ends: set time.stamp: beginning.",
    };
  }
  return undefined;
}

/** A file of whole days that seems to begin and end an interval beside midnight. */
function wholeDaysShifted(all: readonly TrialSeries[], zone: TimeZone): TrialWarning | undefined {
  let first = Infinity;
  let last = -Infinity;
  const lengths = new Set<number>();
  for (const { kind, time, length } of all) {
    if (kind !== "usage") continue;
    for (let i = 0; i < time.length; i++) {
      lengths.add(length[i]!);
      first = Math.min(first, time[i]!);
      last = Math.max(last, time[i]! + length[i]!);
    }
  }
  const [length] = lengths;
  if (length === undefined || lengths.size > 1 || length > HOUR || last - first < DAY - HOUR)
    return undefined;
  const clock = (instant: number) => modulo(instant + zone.offsetAt(instant), DAY);
  const [begins, ends] = [clock(first), clock(last)];
  if (begins !== ends || (begins !== length && begins !== DAY - length)) return undefined;
  const late = begins === length;
  return {
    code: "whole-days-shifted",
    text: `The usage runs from ${late ? "an interval after" : "an interval before"} midnight to ${late ? "an interval after" : "an interval before"} midnight, local time.`,
    mend: `Perhaps stamps are ${late ? "ends that are read as beginnings (time.stamp: end)" : "beginnings that are read as ends (time.stamp: beginning)"}, or the zone is off. The file alone can't tell: ask the sender.`,
  };
}

/** Bills of a meter that mostly leave a day between them, or share one. */
function billsApart(all: readonly TrialSeries[]): TrialWarning | undefined {
  let pairs = 0;
  const days = { between: 0, shared: 0 };
  for (const series of all) {
    if (series.kind !== "bill") continue;
    const order = inOrder(series);
    for (let i = 1; i < order.length; i++) {
      const [before, at] = [order[i - 1]!, order[i]!];
      const apart = Math.round((series.time[at]! - series.time[before]! - series.length[before]!) / DAY);
      pairs++;
      if (apart === 1) days.between++;
      if (apart === -1) days.shared++;
    }
  }
  if (days.between > pairs * BILLS_APART) {
    return {
      code: "bills-apart",
      text: `Between the bills of a meter lies a day that is in none of them (${days.between} of ${pairs} times).`,
      mend: "The last day is part of the bill: set currentDateIncluded: true.",
    };
  }
  if (days.shared <= pairs * BILLS_APART) return undefined;
  return {
    code: "bills-apart",
    text: `The bills of a meter have a day in common with the next (${days.shared} of ${pairs} times).`,
    mend: "A bill ends as the day of its last date begins: leave currentDateIncluded out.",
  };
}

/** Days on which the clock is changed, whose hours the file does not all have though it has the day beside. */
function clockChanges(all: readonly TrialSeries[], zone: TimeZone): TrialWarning[] {
  const days = changedDays(all, zone);
  return days.map((day) => changeOf(all, zone, day)).filter((one) => one !== undefined);
}

/** Local days (from 1970-01-01) of another length than 24 hours among those that the reads cover. */
function changedDays(all: readonly TrialSeries[], zone: TimeZone): number[] {
  let first = Infinity;
  let last = -Infinity;
  for (const { time } of all) {
    for (const one of time) {
      first = Math.min(first, one);
      last = Math.max(last, one);
    }
  }
  const days: number[] = [];
  for (let day = Math.floor(first / DAY) - 1; day <= Math.floor(last / DAY) + 1; day++)
    if (zone.firstInstantFrom((day + 1) * DAY) - zone.firstInstantFrom(day * DAY) !== DAY) days.push(day);
  return days;
}

function changeOf(all: readonly TrialSeries[], zone: TimeZone, day: number): TrialWarning | undefined {
  const edge = (of: number) => zone.firstInstantFrom(of * DAY);
  const [before, from, until, after] = [day - 1, day, day + 1, day + 2].map(edge) as [
    number,
    number,
    number,
    number,
  ];
  let meters = 0;
  let lacking = 0;
  let had = 0;
  for (const series of all) {
    const spacing = spacingOf(series);
    if (spacing === undefined) continue;
    const covered = { before: 0, there: 0, after: 0 };
    let last = NaN;
    for (const i of inOrder(series)) {
      const time = series.time[i]!;
      if (time === last) continue;
      last = time;
      const length = series.kind === "usage" ? series.length[i]! : spacing;
      if (time >= before && time < from) covered.before += length;
      else if (time >= from && time < until) covered.there += length;
      else if (time >= until && time < after) covered.after += length;
    }
    // Only a series that has a whole day beside should have this one.
    if (covered.before < from - before && covered.after < after - until) continue;
    if (covered.there === 0) continue;
    meters++;
    if (covered.there >= until - from) continue;
    lacking++;
    had = covered.there;
  }
  if (lacking === 0) return undefined;
  const date = new Date(day * DAY * 1000).toISOString().slice(0, 10);
  const whole = (until - from) / HOUR;
  return {
    code: "clock-change",
    text: `On ${date} the clock was changed and the day has ${whole} hours; ${lacking} of ${meters} series have fewer (${rounded(had / HOUR)}).`,
    mend:
      whole > 24
        ? "Does the file hold the hour that comes twice only once? See time.repeatedHour. Or are the stamps UTC, or without summer time?"
        : "Are the stamps UTC, or without summer time (an hour that does not exist is rejected as no-such-local-time)?",
  };
}

/** Seconds between the reads of a series that comes several times an hour or each hour. */
function spacingOf(series: TrialSeries): number | undefined {
  const { kind, length, time } = series;
  if (kind === "usage") return (length[0] ?? Infinity) <= HOUR ? length[0] : undefined;
  const order = inOrder(series);
  const apart = order.slice(1).map((at, i) => time[at]! - time[order[i]!]!);
  const middle = apart.sort((a, b) => a - b)[Math.floor(apart.length / 2)];
  return middle !== undefined && middle > 0 && middle <= HOUR ? middle : undefined;
}

function identity({ meterId, channel, serial }: TrialSeries): string {
  return `${meterId}\n${channel}\n${serial}`;
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}

function rounded(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString("en", { maximumFractionDigits: 3 });
}
