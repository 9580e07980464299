import { quantile } from "simple-statistics";
import { TimeZone } from "../../infra/time-zone.js";
import { mode } from "./csv-dialect.js";
import { type Column, Findings, NAMES, refOf } from "./guess-columns.js";
import { localSeconds, type TimeGuess, timeOrSpanOf, hourNumbersOf } from "./guess-time.js";
import type { WideRun } from "./guess-wide.js";

const DAY = 86_400;
/** Stamps two minutes from the grid of shorter intervals may be anywhere. */
const LEAST_SNAPPED = 600;

export interface TimeFound {
  readonly column: Column;
  readonly clock: Column | undefined;
  readonly formats: readonly string[];
  /** Seconds on the file's own clock of each row, by the first format; NaN where it has none. */
  readonly seconds: readonly number[];
  readonly guess: TimeGuess;
  /** By the names of columns the stamps are UTC. */
  readonly isUtc: boolean;
}

export function guessTime(columns: readonly Column[], found: Findings): TimeFound | undefined {
  const isSpread = columns.some(({ parts }) => parts !== undefined);
  const timed = columns
    .map((column) => ({
      column,
      guess:
        timeOrSpanOf(sample(column.filled), NAMES.time.test(column.bare)) ??
        (HOUR_NUMBER.test(column.bare) ? hourNumbersOf(column.filled, isSpread) : undefined),
    }))
    .filter((one): one is { column: Column; guess: TimeGuess } => one.guess !== undefined);
  const likely = timed.filter(({ column }) => !NAMES.otherTime.test(column.bare));
  const of = (kind: TimeGuess["kind"]) => likely.filter(({ guess }) => guess.kind === kind);
  const stamps = of("stamp");
  const dates = of("date");
  const candidates = stamps.length > 0 ? stamps : dates;
  const named = candidates.filter(({ column }) => NAMES.time.test(column.bare));
  const chosen = universal(beginnings(named.length > 0 ? named : candidates));
  if (chosen.length === 0) {
    found.leave("columns.time", [], "no column reads as a time in all its rows", true);
    return undefined;
  }
  if (chosen.length > 1) {
    const names = chosen.map(({ column }) => String(refOf(column, columns)));
    found.leave("columns.time", names, "several columns hold times: which one is the read's?", true);
    return undefined;
  }
  const { column, guess } = chosen[0]!;
  found.take("time", column, columns);
  let { formats } = guess;
  let clock: Column | undefined;
  const clocks = beginnings(
    of("clock").filter(
      ({ column: { bare } }) => bare === "" || NAMES.clockOnly.test(bare) || NAMES.time.test(bare),
    ),
  );
  if (guess.kind === "date" && clocks.length === 1) {
    clock = clocks[0]!.column;
    found.take("clock", clock, columns);
    const { formats: ofClock } = clocks[0]!.guess;
    formats = formats.flatMap((date) => ofClock.map((time) => `${date} ${time}`));
  }
  const fits = formats.filter((format) =>
    column.cells.every((cell, row) => {
      const text = clock === undefined ? cell : `${cell} ${clock.cells[row]!}`;
      return cell === "" || isLastHour(clock?.cells[row]) || !Number.isNaN(localSeconds(format, text));
    }),
  );
  if (fits.length === 0) {
    found.leave("time.format", [], "the first rows have a format that later ones do not have", true);
    return undefined;
  }
  if (fits.length > 1)
    found.leave(
      "time.format",
      fits.map((one) => `"${one}"`),
      "no day above 12 is in the file: which is the month?",
      true,
    );
  const seconds = column.cells.map((cell, row) => {
    if (cell === "") return NaN;
    return localSeconds(fits[0]!, clock === undefined ? cell : `${cell} ${clock.cells[row]!}`);
  });
  const isUtc = UTC_NAME.test(column.name) || timed.some((other) => isLocalOf(other.column, column));
  return { column, clock, formats: fits, seconds, guess, isUtc };
}

const UTC_NAME = /(^|[^a-z])(utc|gmt|zulu)([^a-z]|$)/i;
const LOCAL_NAME = /(^|[^a-z])local([^a-z]|$)|Local/;

/** The one is the local time of what the other says, by its name: `read_time` and `read_time_local`. */
function isLocalOf(local: Column, { name }: Column): boolean {
  const bare = (text: string) => text.toLowerCase().replace(/[^a-z]|utc|gmt/g, "");
  return LOCAL_NAME.test(local.name) && bare(local.name).replace("local", "") === bare(name);
}

/** Of a time that stands there in UTC and by the local clock, that in UTC: no hour of it comes twice. */
function universal<T extends { readonly column: Column }>(list: readonly T[]): readonly T[] {
  const [one, other] = list;
  if (list.length !== 2) return list;
  if (isLocalOf(other!.column, one!.column)) return [one!];
  return isLocalOf(one!.column, other!.column) ? [other!] : list;
}

/** Names of columns with the number of an hour. */
const HOUR_NUMBER = /^(h|hr|he|hour|hora|heure|stunde)/;

/** The hour that a day has where the clock is put back. */
function isLastHour(cell: string | undefined): boolean {
  return cell === "25";
}

/** Of the beginning and the end of an interval, side by side, the beginning. */
function beginnings<T extends { readonly column: Column }>(list: readonly T[]): readonly T[] {
  const named = (is: RegExp) => list.filter(({ column }) => is.test(column.bare));
  const starts = named(/start|begin|^from|anfang|von$/);
  return list.length === 2 && starts.length === 1 && named(/end|stop|^to|until|ende|bis$/).length === 1
    ? starts
    : list;
}

/** Cells to be looked at: all of a small file, some from everywhere in a large one. */
function sample(cells: readonly string[]): readonly string[] {
  if (cells.length <= 2_000) return cells;
  const step = Math.floor(cells.length / 2_000);
  return cells.filter((_, i) => i % step === 0);
}

interface TimingParts {
  readonly columns: readonly Column[];
  readonly time: TimeFound | undefined;
  readonly meter: Column | undefined;
  readonly wide: WideRun | undefined;
  readonly isMatrix: boolean;
  readonly timeZone: string | undefined;
  readonly found: Findings;
  readonly profile: Record<string, unknown>;
}

/** The members of `time`: format and interval as seen; zone and edge are left open. */
export function timingOf({
  time,
  meter,
  wide,
  isMatrix,
  timeZone,
  found,
  profile,
}: TimingParts): Record<string, unknown> {
  if (time === undefined) return {};
  const timing: Record<string, unknown> = {};
  const [format] = time.formats;
  if (time.formats.length === 1) timing["format"] = format;
  const tellsZone = /Z$|^[Xx]$/.test(format!);
  if (!tellsZone && time.isUtc) {
    timing["zone"] = "UTC";
    found.seen.push("stamps in UTC, by the names of columns");
  } else if (!tellsZone) {
    found.leave(
      "time.zone",
      ["utility", "UTC"],
      `the stamps carry no offset${zoneHint(time, timeZone)}; utility is taken`,
      false,
    );
  }
  const isLong = wide === undefined && !isMatrix;
  const hasUsage = isLong ? "usage" in found.columns : profile["wideValues"] !== "register";
  const usageOpen = found.open.some(({ path }) => path === "profile.columns.usage");
  if (!hasUsage && !usageOpen && wide === undefined) return timing;
  const hours = format!.endsWith(" HH") ? new Set(time.clock?.cells.map(Number)) : undefined;
  if (hours !== undefined) {
    if (hours.has(25)) timing["hours"] = "elapsed";
    else
      found.leave(
        "time.hours",
        ["clock", "elapsed"],
        "is an hour's number a time of the clock, or are a day's hours counted (25 of them in autumn)? clock is taken",
        false,
      );
  }
  if (hours?.has(24) === true && !hours.has(0)) {
    timing["stamp"] = "end";
    found.seen.push("hours from 1 to 24: a number is that of the hour's end");
  } else
    found.leave(
      "time.stamp",
      ["beginning", "end"],
      `is a stamp the beginning or the end of its interval${edgeHint(time)}? beginning is taken`,
      false,
    );
  if (wide !== undefined) return timing;
  const interval = meter === undefined && !isOfOneMeter(time) ? undefined : intervalOf(time, meter);
  if (interval === undefined && time.guess.kind === "date" && time.clock === undefined)
    found.leave("time.interval", ["86400"], "the stamps are dates: is a row a day? 3600 is taken", true);
  else if (interval === undefined)
    found.leave("time.interval", ["3600", "900", "86400"], "seconds of an interval; 3600 is taken", false);
  else {
    timing["interval"] = interval;
    const off = time.seconds.map((one) => ((one % interval) + interval) % interval);
    const beside = off.filter((one) => !Number.isNaN(one));
    if (
      interval >= LEAST_SNAPPED &&
      beside.length > 0 &&
      beside.every((one) => one >= interval - 120 || (one > 0 && one <= 120))
    )
      timing["snap"] = beside.every((one) => one >= interval - 60 || one <= 60) ? 60 : 120;
  }
  return timing;
}

/** No time comes twice, but for repeats and the hour that clocks give twice. */
export function isOfOneMeter({ seconds }: TimeFound): boolean {
  const times = seconds.filter((one) => !Number.isNaN(one));
  return times.length > 2 && new Set(times).size >= times.length * 0.9;
}

/** The usual distance of a meter's stamps, where nine of ten have it; without a column of meters of all rows. */
export function intervalOf(time: TimeFound, meter: Column | undefined): number | undefined {
  const apart = distancesOf(time, meter);
  const usual = mode(apart);
  if (usual === undefined || usual < 60 || usual > DAY) return undefined;
  return apart.filter((one) => one === usual).length >= apart.length * 0.9 ? usual : undefined;
}

/** Days between a meter's stamps in the middle of all; 0 without any. */
export function daysApart(time: TimeFound, meter: Column | undefined): number {
  const apart = distancesOf(time, meter);
  return apart.length === 0 ? 0 : quantile(apart, 0.5) / DAY;
}

function distancesOf(time: TimeFound, meter: Column | undefined): number[] {
  const byMeter = new Map<string, number[]>();
  for (const [row, at] of time.seconds.entries()) {
    if (Number.isNaN(at)) continue;
    const name = meter?.cells[row] ?? "";
    const list = byMeter.get(name) ?? [];
    list.push(at);
    byMeter.set(name, list);
  }
  const apart: number[] = [];
  for (const list of byMeter.values()) {
    const sorted = [...new Set(list)].sort((a, b) => a - b);
    for (let i = 1; i < sorted.length; i++) apart.push(sorted[i]! - sorted[i - 1]!);
  }
  return apart;
}

function zoneHint({ seconds }: TimeFound, timeZone: string | undefined): string {
  if (timeZone === undefined) return "";
  const zone = new TimeZone(timeZone);
  const never = new Set(seconds.filter((one) => !Number.isNaN(one))).values();
  for (const local of never)
    if (zone.instantsOf(local).length === 0)
      return `, and some stand in the hour that ${timeZone} left out: they are not its local time`;
  return "";
}

function edgeHint({ seconds, column, clock }: TimeFound): string {
  const minutes = seconds.filter((one) => !Number.isNaN(one)).map((one) => Math.floor(one / 60) % 60);
  if (minutes.length > 0 && minutes.every((one) => one % 15 === 14)) return " (at :59 it is mostly the end)";
  const cells = (clock ?? column).cells;
  if (cells.some((cell) => /(^|[ T])24:00/.test(cell))) return " (24:00 speaks for the end)";
  return "";
}
