import { median } from "simple-statistics";
import type { RuleName } from "../schemas/anomalies.js";
import { ReadKind } from "./home-water.js";
import { LATE_DROPPED, MISREAD, SPECIAL_DAYS, type Home, type Town } from "./town.js";

/** What the rules must find in a home's reads. Hours from the beginning of the period, `until` not included. */
export interface True {
  readonly home: number;
  readonly rule: RuleName;
  readonly from: number;
  readonly until: number;
  /** It still goes on where the reads end. */
  readonly open: boolean;
  /** Hour at whose end the evidence first sufficed. */
  readonly detected: number;
  /** Tenths of a gallon. */
  readonly volume: number;
}

/** Usage between two reads that follow each other, tenths of a gallon. */
interface Span {
  readonly from: number;
  readonly until: number;
  readonly volume: number;
}

/** Tenths of a gallon an hour: 1 gal, the rules' defaults in docs/configuration. */
const FLOW = 10;
const FLOW_HOURS = 24;
const LONGEST_HOLE = 4;
const LONGEST_HOLE_ONCE_FOUND = 7 * 24;
/** 300 L in tenths of a gallon. */
const LEAST_SPIKE = 300 / 0.3785411784;
const SPIKE_DAYS = { least: 14, most: 28, hours: 20 };

/**
 * What of a home's reads has arrived when the files that were dropped up to day `after` are in: `ReadKind` by hour. The
 * late file brings a day two days later, the corrected one real reads for estimates.
 */
export function readsArrived(town: Town, home: Home, after: number): Uint8Array {
  const reads = home.water.reads.slice();
  const forget = (day: number, kind: ReadKind) =>
    reads.fill(kind, town.firstHour(day), Math.min(reads.length, town.firstHour(day + 1)));
  for (let day = after + 1; day < town.days; day++) forget(day, ReadKind.missing);
  if (after < LATE_DROPPED && after >= SPECIAL_DAYS.late) forget(SPECIAL_DAYS.late, ReadKind.missing);
  if (after === SPECIAL_DAYS.corrected && town.collector.has(home.number))
    forget(SPECIAL_DAYS.corrected, ReadKind.estimated);
  return reads;
}

/**
 * The rules by their words, over what the home really used: a span between two actual reads tells its flow if it is an
 * hour, or if nothing flowed in it; all else says nothing.
 */
export function trueAnomalies(town: Town, home: Home, after: number): True[] {
  const spans = tellingSpans(home, readsArrived(town, home, after), usageAsRead(town, home, after));
  const found = [...continuousFlows(home, spans), ...spikes(town, home, spans)];
  return found.sort((a, b) => a.from - b.from);
}

/** Tenths of a gallon in each hour as the registers tell by then: what was used, save for the misread register. */
function usageAsRead(town: Town, { number, water }: Home, after: number): Int32Array {
  if (number !== town.misread || after !== SPECIAL_DAYS.corrected) return water.usage;
  const usage = water.usage.slice();
  const hour = town.firstHour(SPECIAL_DAYS.corrected) + MISREAD.hour;
  usage[hour] = usage[hour]! + MISREAD.tenths;
  return usage;
}

function tellingSpans({ water }: Home, reads: Uint8Array, usage: Int32Array): Span[] {
  const spans: Span[] = [];
  let last = -1;
  for (let hour = 0; hour < reads.length; hour++) {
    if (reads[hour] === ReadKind.missing) continue;
    const from = last;
    last = hour;
    if (from < 0) continue;
    const anotherRegister = from < water.exchangedAt && hour >= water.exchangedAt;
    const estimated = reads[from] === ReadKind.estimated || reads[hour] === ReadKind.estimated;
    if (anotherRegister || estimated) continue;
    let volume = 0;
    for (let i = from; i < hour; i++) volume += usage[i]!;
    if (hour - from === 1 || volume === 0) spans.push({ from, until: hour, volume });
  }
  return spans;
}

function continuousFlows(home: Home, spans: readonly Span[]): True[] {
  const found: True[] = [];
  const threshold = home.normalFlow === undefined ? FLOW : home.normalFlow * 10;
  let run: Span[] = [];
  const end = (open: boolean) => {
    if (run.length >= FLOW_HOURS) {
      found.push({
        home: home.number,
        rule: "continuous-flow",
        from: run[0]!.from,
        until: run.at(-1)!.until,
        open,
        detected: run[FLOW_HOURS - 1]!.until,
        volume: volumeOf(run),
      });
    }
    run = [];
  };
  for (const span of spans) {
    if (span.volume < threshold) {
      end(false);
      continue;
    }
    const longest = run.length >= FLOW_HOURS ? LONGEST_HOLE_ONCE_FOUND : LONGEST_HOLE;
    if (run.length > 0 && span.from - run.at(-1)!.until > longest) end(false);
    run.push(span);
  }
  end(true);
  return found;
}

function spikes(town: Town, home: Home, spans: readonly Span[]): True[] {
  const found: True[] = [];
  const peaks: number[] = [];
  let run: Span[] = [];
  let limit = Infinity;
  const end = (open: boolean) => {
    if (run.length > 0) {
      found.push({
        home: home.number,
        rule: "spike",
        from: run[0]!.from,
        until: run.at(-1)!.until,
        open,
        detected: run[0]!.until,
        volume: volumeOf(run),
      });
    }
    run = [];
  };
  let next = 0;
  for (let day = 0; day < town.days; day++) {
    const begin = next;
    while (next < spans.length && spans[next]!.from < town.firstHour(day + 1)) next++;
    const today = spans.slice(begin, next);
    const todaysLimit =
      peaks.length < SPIKE_DAYS.least ? Infinity : spikeLimit(peaks.slice(-SPIKE_DAYS.most));
    for (const span of today) {
      // A spike over midnight is one spike, by the limit of the day on which it began.
      if (run.length === 0) limit = todaysLimit;
      if (span.volume / (span.until - span.from) > limit) run.push(span);
      else end(false);
    }
    if (today.reduce((sum, { from, until }) => sum + until - from, 0) >= SPIKE_DAYS.hours)
      peaks.push(Math.max(...today.map(({ from, until, volume }) => volume / (until - from))));
  }
  end(true);
  return found;
}

/** Median and spread of the daily peaks; eight spreads above the median is a spike. */
function spikeLimit(peaks: number[]): number {
  const middle = median(peaks);
  const spread = 1.4826 * median(peaks.map((peak) => Math.abs(peak - middle)));
  return Math.max(LEAST_SPIKE, middle + 8 * Math.max(spread, middle / 10));
}

function volumeOf(run: readonly Span[]): number {
  return run.reduce((sum, { volume }) => sum + volume, 0);
}
