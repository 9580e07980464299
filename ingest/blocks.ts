import { MILLILITRES } from "../schemas/units.js";
import { MAX_BLOCK_READS, toSequence, toUniform, type ReadsBlock } from "../schemas/reads.js";
import type { Reject } from "./check/rejects.js";
import type { ReadSink, Series } from "./formats/reads-csv.js";

const DAY = 86_400;
/** Reads held back over all series before everything is let go: bounds memory for files in order of time. */
const MOST_PENDING = 2_000_000;
/** A series with reads in hand takes as much memory as so many reads: a million meters may have one each. */
const SERIES_COST = 20;

/** A block whose meter is still named as in the file. */
export interface RawBlock {
  readonly meterId: string;
  readonly serial: string;
  readonly block: Omit<ReadsBlock, "meter" | "register">;
}

interface Gathering extends Series {
  /** UTC day of the reads in hand. */
  day: number;
  times: number[];
  lengths: number[];
  ml: (number | null)[];
  delivered: (number | null)[];
  flags: number[];
  lines: number[];
  sorted: boolean;
  /** Whether each value delivered is `ml / mlPerUnit` to the last digit: then the block need not carry it. */
  exact: boolean;
  /** Unit of the reads in hand. */
  blockUnit: string;
  blockMlPerUnit: number;
}

/** What is the same in all blocks of a file. */
export interface BlockConstants {
  readonly utility: string;
  readonly source: string;
  readonly file: number;
  readonly backfill: boolean;
  /** Smallest step in the profile's unit; 0: by the decimals. */
  readonly resolution: number;
  readonly digits: number;
}

/** Gathers the reads of a file into blocks: of one register, of one UTC day. */
export class BlockBuilder implements ReadSink {
  reads = 0;
  noReads = 0;
  first = Infinity;
  last = -Infinity;
  readonly meters = new Set<string>();
  readonly rejects: Reject[] = [];
  readonly ready: RawBlock[] = [];
  readonly #constants: BlockConstants;
  readonly #series: Gathering[] = [];
  #pending = 0;

  constructor(constants: BlockConstants) {
    this.#constants = constants;
  }

  series(meterId: string, channel: string, serial: string, kind: "register" | "usage"): Series {
    this.meters.add(meterId);
    const series: Gathering = {
      meterId,
      channel,
      serial,
      kind,
      unit: "L",
      mlPerUnit: MILLILITRES.L,
      decimals: 0,
      last: -1,
      descending: false,
      day: -1,
      times: [],
      lengths: [],
      ml: [],
      delivered: [],
      flags: [],
      lines: [],
      sorted: true,
      exact: true,
      blockUnit: "",
      blockMlPerUnit: 0,
    };
    this.#series.push(series);
    return series;
  }

  read(
    of: Series,
    time: number,
    length: number,
    ml: number | null,
    delivered: number | null,
    flags: number,
    line: number,
  ): void {
    const series = of as Gathering;
    const { times } = series;
    const day = Math.floor(time / DAY);
    if (
      times.length > 0 &&
      (day !== series.day ||
        times.length === MAX_BLOCK_READS ||
        series.unit !== series.blockUnit ||
        series.mlPerUnit !== series.blockMlPerUnit)
    ) {
      this.#cut(series);
    }
    if (series.times.length === 0) {
      this.#pending += SERIES_COST;
      series.day = day;
      series.blockUnit = series.unit;
      series.blockMlPerUnit = series.mlPerUnit;
    } else if (time <= series.times[series.times.length - 1]!) {
      series.sorted = false;
    }
    series.times.push(time);
    series.lengths.push(length);
    series.ml.push(ml);
    series.delivered.push(delivered);
    series.flags.push(flags);
    series.lines.push(line);
    this.#pending++;
    if (ml === null) {
      this.noReads++;
    } else {
      if (ml / series.mlPerUnit !== delivered) series.exact = false;
      this.reads++;
      if (time < this.first) this.first = time;
      if (time + length > this.last) this.last = time + length;
    }
    if (this.#pending >= MOST_PENDING) this.finish();
  }

  reject(reject: Reject): void {
    this.rejects.push(reject);
  }

  /** Everything in hand becomes blocks. */
  finish(): void {
    for (const series of this.#series) if (series.times.length > 0) this.#cut(series);
  }

  #cut(series: Gathering): void {
    if (!series.sorted) sortByTime(series);
    const { kind, channel, times, lengths, ml, delivered, flags, lines, blockMlPerUnit, decimals } = series;
    const { utility, source, file, backfill, resolution, digits } = this.#constants;
    const step = resolution > 0 ? resolution : 10 ** -decimals;
    this.ready.push({
      meterId: series.meterId,
      serial: series.serial,
      block: {
        v: 1,
        utility,
        source,
        channel,
        kind,
        file,
        unit: series.blockUnit,
        mlPerUnit: blockMlPerUnit,
        resolution: Math.round(step * blockMlPerUnit),
        modulus: digits === 0 ? 0 : Math.round(10 ** digits * blockMlPerUnit),
        count: times.length,
        time: toSequence(times),
        ...(kind === "usage" ? { length: toUniform(lengths) } : {}),
        ml,
        ...(series.exact ? {} : { delivered }),
        flags: toUniform(flags),
        ...(backfill ? { backfill } : {}),
        line: toSequence(lines),
      },
    });
    this.#pending -= times.length + SERIES_COST;
    series.times = [];
    series.lengths = [];
    series.ml = [];
    series.delivered = [];
    series.flags = [];
    series.lines = [];
    series.sorted = true;
    series.exact = true;
  }
}

function sortByTime(series: Gathering): void {
  const order = [...series.times.keys()].sort(
    (a, b) => series.times[a]! - series.times[b]! || series.lines[a]! - series.lines[b]!,
  );
  series.times = order.map((i) => series.times[i]!);
  series.lengths = order.map((i) => series.lengths[i]!);
  series.ml = order.map((i) => series.ml[i]!);
  series.delivered = order.map((i) => series.delivered[i]!);
  series.flags = order.map((i) => series.flags[i]!);
  series.lines = order.map((i) => series.lines[i]!);
}
