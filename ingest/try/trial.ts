import { TimeZone } from "../../infra/time-zone.js";
import { Flag } from "../../schemas/flags.js";
import { REJECT_CODES, type Reject, type RejectCode } from "../check/rejects.js";
import { Series, type ReadSink, type RowCounts } from "../formats/format.js";
import { hourlyDay } from "./hours.js";
import { warningsOf, type TrialWarning } from "./warnings.js";

/** Reads that a trial keeps to look at them together; of a larger file the counts alone are whole. */
export const MOST_KEPT = 4_000_000;
const FIRST_REJECTS = 3;

/** Reads of one register in the file, in its order. Times in UTC seconds; no read is NaN in `ml`. */
export class TrialSeries extends Series {
  readonly time: number[] = [];
  readonly length: number[] = [];
  readonly ml: number[] = [];
}

/** One value as it was understood. Times in UTC seconds; of a register both are its instant. */
export interface TrialValue {
  readonly line: number;
  /** As `TrialOptions.nameOf` writes it. */
  readonly meter: string;
  readonly channel: string;
  readonly kind: Series["kind"];
  readonly beginning: number;
  readonly end: number;
  readonly delivered: number | null;
  readonly unit: string;
  readonly litres: number | null;
  readonly flags: readonly string[];
}

export interface TrialReject {
  readonly code: RejectCode;
  readonly expected: string;
  readonly count: number;
  readonly first: readonly Pick<Reject, "line" | "field" | "value">[];
}

/** A meter's day: litres of each local hour, null where no read covers it. */
export interface TrialDay {
  readonly meter: string;
  /** YYYY-MM-DD, local. */
  readonly day: string;
  readonly litres: readonly (number | null)[];
}

export interface TrialReport extends RowCounts {
  readonly reads: number;
  readonly noReads: number;
  readonly meters: number;
  /** UTC seconds of the first beginning or instant and of the last end or instant; null without a read. */
  readonly first: number | null;
  readonly last: number | null;
  /** Seconds of usage, and how many reads have them. */
  readonly intervals: readonly { readonly seconds: number; readonly reads: number }[];
  /** Seconds between register reads of a meter, and how often. At most the eight most frequent. */
  readonly spacings: readonly { readonly seconds: number; readonly times: number }[];
  readonly units: readonly {
    readonly kind: Series["kind"];
    readonly unit: string;
    readonly reads: number;
    /** Smallest step that the decimals in the file show, in the unit. */
    readonly step: number;
  }[];
  readonly flags: readonly { readonly flag: string; readonly reads: number }[];
  readonly rejects: readonly TrialReject[];
  readonly values: readonly TrialValue[];
  readonly day: TrialDay | null;
  readonly warnings: readonly TrialWarning[];
  /** False where the file has more than `MOST_KEPT` reads: warnings and plot are of the first ones. */
  readonly whole: boolean;
}

export interface TrialOptions {
  /** The utility's IANA zone. */
  readonly timeZone: string;
  /** How many values are shown. */
  readonly show: number;
  /** How a meter is written in what is shown. */
  readonly nameOf: (meterId: string) => string;
}

/** Counts rejects by reason and keeps the first of each. */
class RejectCounts {
  readonly #counted = new Map<
    RejectCode,
    { count: number; first: Pick<Reject, "line" | "field" | "value">[] }
  >();

  add({ code, line, field, value }: Reject): void {
    const counted = this.#counted.get(code) ?? { count: 0, first: [] };
    counted.count++;
    if (counted.first.length < FIRST_REJECTS) counted.first.push({ line, field, value });
    this.#counted.set(code, counted);
  }

  report(): TrialReject[] {
    return [...this.#counted]
      .map(([code, { count, first }]) => ({ code, expected: REJECT_CODES[code], count, first }))
      .sort((a, b) => b.count - a.count);
  }
}

export function rejectsByReason(rejects: readonly Reject[]): TrialReject[] {
  const counts = new RejectCounts();
  for (const reject of rejects) counts.add(reject);
  return counts.report();
}

/** A sink that stores nothing and looks at everything: what a file would bring, and what looks wrong in it. */
export class Trial implements ReadSink<TrialSeries> {
  reads = 0;
  noReads = 0;
  readonly #options: TrialOptions;
  readonly #zone: TimeZone;
  readonly #series: TrialSeries[] = [];
  readonly #meters = new Set<string>();
  readonly #values: TrialValue[] = [];
  readonly #rejects = new RejectCounts();
  readonly #intervals = new Map<number, number>();
  readonly #flags = new Map<number, number>();
  readonly #units = new Map<string, { kind: Series["kind"]; unit: string; reads: number; step: number }>();
  #first = Infinity;
  #last = -Infinity;
  #kept = 0;

  constructor(options: TrialOptions) {
    this.#options = options;
    this.#zone = new TimeZone(options.timeZone);
  }

  series(meterId: string, channel: string, serial: string, kind: Series["kind"]): TrialSeries {
    this.#meters.add(meterId);
    const series = new TrialSeries(meterId, channel, serial, kind);
    this.#series.push(series);
    return series;
  }

  read(
    series: TrialSeries,
    time: number,
    length: number,
    ml: number | null,
    delivered: number | null,
    flags: number,
    line: number,
  ): void {
    if (ml === null) this.noReads++;
    else {
      this.reads++;
      this.#first = Math.min(this.#first, time);
      this.#last = Math.max(this.#last, time + length);
      this.#countUnit(series);
      if (series.kind !== "register") this.#intervals.set(length, (this.#intervals.get(length) ?? 0) + 1);
    }
    if (flags !== 0) this.#flags.set(flags, (this.#flags.get(flags) ?? 0) + 1);
    if (this.#kept < MOST_KEPT) {
      this.#kept++;
      series.time.push(time);
      series.length.push(length);
      series.ml.push(ml ?? NaN);
    }
    if (this.#values.length < this.#options.show) {
      this.#values.push({
        line,
        meter: this.#options.nameOf(series.meterId),
        channel: series.channel,
        kind: series.kind,
        beginning: time,
        end: time + length,
        delivered,
        unit: series.unit,
        litres: ml === null ? null : ml / 1000,
        flags: flagNames(flags),
      });
    }
  }

  reject(reject: Reject): void {
    this.#rejects.add(reject);
  }

  /** @param counts of the file's reader, once all of it was pushed */
  report(counts: RowCounts): TrialReport {
    const byCount = <T extends { readonly reads: number }>(list: T[]) =>
      list.sort((a, b) => b.reads - a.reads);
    const flags = new Map<string, number>();
    for (const [bits, reads] of this.#flags)
      for (const flag of flagNames(bits)) flags.set(flag, (flags.get(flag) ?? 0) + reads);
    return {
      ...counts,
      reads: this.reads,
      noReads: this.noReads,
      meters: this.#meters.size,
      first: this.reads === 0 ? null : this.#first,
      last: this.reads === 0 ? null : this.#last,
      intervals: byCount([...this.#intervals].map(([seconds, reads]) => ({ seconds, reads }))),
      spacings: spacingsOf(this.#series),
      units: byCount([...this.#units.values()]),
      flags: byCount([...flags].map(([flag, reads]) => ({ flag, reads }))),
      rejects: this.#rejects.report(),
      values: this.#values,
      day: this.#fullestDay(),
      warnings: warningsOf(this.#series, this.#zone),
      whole: this.#kept === this.reads + this.noReads,
    };
  }

  #countUnit({ kind, unit, decimals }: TrialSeries): void {
    const name = `${kind} ${unit}`;
    const counted = this.#units.get(name) ?? { kind, unit, reads: 0, step: 1 };
    counted.reads++;
    counted.step = Math.min(counted.step, Number(`1e-${decimals}`));
    this.#units.set(name, counted);
  }

  /** The day with the most hours that reads cover, of the first meter that has one. */
  #fullestDay(): TrialDay | null {
    let best: TrialDay | null = null;
    let most = 0;
    for (const series of this.#series.slice(0, MOST_PLOTTED)) {
      for (const [day, litres] of hourlyDay(series, this.#zone)) {
        const covered = litres.filter((one) => one !== null);
        // A day without water shows nothing.
        const worth = covered.length + (covered.some((one) => one > 0) ? 0.5 : 0);
        if (worth <= most) continue;
        most = worth;
        const date = new Date(day * 86_400_000).toISOString().slice(0, 10);
        best = { meter: this.#options.nameOf(series.meterId), day: date, litres };
      }
    }
    return best;
  }
}

/** Series among which the day to be plotted is looked for. */
const MOST_PLOTTED = 50;
const MOST_SPACINGS = 8;

/** Names of the flags that are set, in the order of their bits. */
export function flagNames(flags: number): string[] {
  return Object.entries(Flag)
    .filter(([, bit]) => (flags & bit) !== 0)
    .map(([name]) => name);
}

/** Seconds between neighbouring register reads of a series. */
function spacingsOf(all: readonly TrialSeries[]): TrialReport["spacings"] {
  const times = new Map<number, number>();
  for (const { kind, time, ml } of all) {
    if (kind !== "register") continue;
    const sorted = time.filter((_, i) => !Number.isNaN(ml[i])).sort((a, b) => a - b);
    for (let i = 1; i < sorted.length; i++) {
      const seconds = sorted[i]! - sorted[i - 1]!;
      if (seconds > 0) times.set(seconds, (times.get(seconds) ?? 0) + 1);
    }
  }
  return [...times]
    .map(([seconds, count]) => ({ seconds, times: count }))
    .sort((a, b) => b.times - a.times)
    .slice(0, MOST_SPACINGS);
}
