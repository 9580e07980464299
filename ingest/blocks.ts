import { MAX_BLOCK_READS, type ReadsBlock, type Sequence } from "../schemas/reads.js";
import type { Reject } from "./check/rejects.js";
import { Series, type ReadSink } from "./formats/format.js";

/** From the first read of a block to its last: a file of many days makes one block a meter of them. */
const SPAN = 28 * 86_400;
/** So many reads make a block that is told before the rest of its file is read: a week of hours, or less where no more seem to come. */
const WORTH_TELLING = 168;
const WORTH_TELLING_QUIET = 100;
/** Reads held back over all series before all become blocks: bounds memory for files in order of time. */
const MOST_PENDING = 2_000_000;
/** A series with reads in hand takes as much memory as so many reads: a million meters may have one each. */
const SERIES_COST = 20;

/** So few series with reads in hand may each have room for a whole block. */
const FEW_SERIES = 1000;
const MANY_SERIES = 10_000;

/** A block whose meter is still named as in the file. */
export interface RawBlock {
  readonly meterId: string;
  readonly serial: string;
  readonly block: Omit<ReadsBlock, "meter" | "register">;
}

/**
 * Numbers along a block, as short as they can be told while they come: an arithmetic sequence, each of its members for
 * `repeat` reads, or each of them.
 */
class Along {
  count = 0;
  from = 0;
  step = 0;
  repeat = 1;
  list: number[] | undefined;

  add(value: number): void {
    if (this.list !== undefined) this.list.push(value);
    else if (this.count === 0) this.from = value;
    else if (this.step === 0) {
      if (value !== this.from) {
        this.repeat = this.count;
        this.step = value - this.from;
      }
    } else if (value !== this.#next) this.toList().push(value);
    this.count++;
  }

  /** Adds a value so many times. */
  addSame(value: number, times: number): void {
    const { count, repeat } = this;
    if (this.list === undefined && count === 0) {
      this.from = value;
      this.count = times;
    } else if (
      this.list === undefined &&
      value === this.#next &&
      (this.step === 0 || (count % repeat) + times <= repeat)
    ) {
      this.count += times;
    } else {
      for (let i = 0; i < times; i++) this.add(value);
    }
  }

  /** Adds `count` values from `from` by `step`, which is not 0. */
  addSteps(from: number, step: number, count: number): void {
    if (this.list === undefined && this.count === 0 && count > 1) {
      this.from = from;
      this.step = step;
      this.count = count;
    } else if (this.list === undefined && this.repeat === 1 && this.step === step && from === this.#next) {
      this.count += count;
    } else {
      for (let i = 0; i < count; i++) this.add(from + step * i);
    }
  }

  /** Of a sequence, the value that would go on with it. */
  get #next(): number {
    const { count, repeat } = this;
    return this.from + this.step * (repeat === 1 ? count : Math.floor(count / repeat));
  }

  toList(): number[] {
    const { from, step, repeat, count } = this;
    this.list ??= Array.from({ length: count }, (_, i) => from + step * Math.floor(i / repeat));
    return this.list;
  }

  sequence(): Sequence {
    const { from, step, repeat } = this;
    return this.list ?? (repeat === 1 ? { from, step } : { from, step, repeat });
  }

  /** One number where all are equal, otherwise each. */
  uniform(): number | number[] {
    return this.list ?? (this.step === 0 ? this.from : this.toList());
  }

  clear(): void {
    this.count = this.step = 0;
    this.repeat = 1;
    this.list = undefined;
  }
}

class Gathering extends Series {
  /** Times of the reads in hand, UTC seconds. */
  earliest = 0;
  latest = 0;
  /** 0: a read came since `BlockBuilder.pause` was called last; 1: none did; -1: the builder has it not in hand. */
  quiet = -1;
  readonly times = new Along();
  readonly lengths = new Along();
  readonly flags = new Along();
  readonly lines = new Along();
  /** Room for the reads in hand, `count` of them; filled by index, grown as it must. */
  ml: (number | null)[] = [];
  /** As delivered, from the first value on that is not `ml / mlPerUnit` to the last digit: else the block need not carry them. */
  delivered: (number | null)[] | undefined = undefined;
  sorted = true;
  /** Unit of the reads in hand. */
  blockUnit = "";
  blockMlPerUnit = 0;

  /** Reads in hand. */
  get count(): number {
    return this.times.count;
  }
}

/** What is the same in all blocks of a file. */
export interface BlockConstants {
  readonly utility: string;
  readonly source: string;
  readonly file: number;
  readonly backfill: boolean;
  /** Reads that end by then came late, UTC seconds. */
  readonly lateUntil: number;
  /** Smallest step in the profile's unit; 0: by the decimals. */
  readonly resolution: number;
  readonly digits: number;
}

/** Gathers the reads of a file into blocks: of one register, of 28 days at most. */
export class BlockBuilder implements ReadSink<Gathering> {
  reads = 0;
  lateReads = 0;
  noReads = 0;
  first = Infinity;
  last = -Infinity;
  readonly meters = new Set<string>();
  readonly rejects: Reject[] = [];
  readonly ready: RawBlock[] = [];
  readonly #constants: BlockConstants;
  /** Those with reads in hand, and some whose reads were cut since. */
  #inHand: Gathering[] = [];
  #pending = 0;
  /** Reads of the last block that was cut: the next are most likely as many. */
  #lastCount = 0;

  constructor(constants: BlockConstants) {
    this.#constants = constants;
  }

  series(meterId: string, channel: string, serial: string, kind: Series["kind"]): Gathering {
    this.meters.add(meterId);
    return new Gathering(meterId, channel, serial, kind);
  }

  read(
    series: Gathering,
    time: number,
    length: number,
    ml: number | null,
    delivered: number | null,
    flags: number,
    line: number,
  ): void {
    this.#place(series, time, time, 1);
    if (ml === null) {
      this.noReads++;
      series.ml[series.count] = null;
      series.delivered?.push(null);
    } else {
      const at = series.count;
      series.ml[at] = ml;
      if (isToBeListed(series, ml, delivered!)) listDelivered(series, at, delivered!);
      this.#count(time, time + length, 1);
      // A bill comes late by its nature.
      if (series.kind !== "bill" && time + length <= this.#constants.lateUntil) this.lateReads++;
    }
    series.times.add(time);
    series.lengths.add(length);
    series.flags.add(flags);
    series.lines.add(line);
    this.#pending++;
    if (this.#pending >= MOST_PENDING) this.finish();
  }

  /** The block in hand takes so many reads, from the first time to the last, or makes way for a new one. */
  #place(series: Gathering, first: number, last: number, count: number): void {
    if (series.count > 0 && !fits(series, first, last, count)) this.#cut(series);
    if (series.count === 0) {
      this.#pending += SERIES_COST;
      // Of many at once each gets little room: what is held back stays bounded.
      const most = this.#inHand.length < FEW_SERIES ? MAX_BLOCK_READS : 28 * count;
      series.ml = new Array<number | null>(Math.min(this.#lastCount, most));
      series.earliest = first;
      series.latest = last;
      series.blockUnit = series.unit;
      series.blockMlPerUnit = series.mlPerUnit;
    } else {
      if (first <= series.latest) series.sorted = false;
      if (first < series.earliest) series.earliest = first;
      if (last > series.latest) series.latest = last;
    }
    if (series.quiet < 0) this.#inHand.push(series);
    series.quiet = 0;
  }

  #count(first: number, last: number, reads: number): void {
    this.reads += reads;
    if (first < this.first) this.first = first;
    if (last > this.last) this.last = last;
  }

  readAll(
    series: Gathering,
    time: number,
    step: number,
    length: number,
    ml: Float64Array,
    delivered: Float64Array,
    count: number,
    flags: number,
    line: number,
  ): void {
    const last = time + step * (count - 1);
    if (step <= 0 || last - time >= SPAN || count > MAX_BLOCK_READS) {
      for (let i = 0; i < count; i++)
        this.read(series, time + step * i, length, ml[i]!, delivered[i]!, flags, line);
      return;
    }
    this.#place(series, time, last, count);
    const at = series.count;
    const values = series.ml;
    for (let i = 0; i < count; i++) {
      values[at + i] = ml[i]!;
      if (isToBeListed(series, ml[i]!, delivered[i]!)) listDelivered(series, at + i, delivered[i]!);
    }
    series.times.addSteps(time, step, count);
    series.lengths.addSame(length, count);
    series.flags.addSame(flags, count);
    series.lines.addSame(line, count);
    this.#pending += count;
    this.#count(time, last + length, count);
    const late = Math.floor((this.#constants.lateUntil - time - length) / step) + 1;
    if (late > 0) this.lateReads += Math.min(late, count);
    if (this.#pending >= MOST_PENDING) this.finish();
  }

  reject(reject: Reject): void {
    this.rejects.push(reject);
  }

  /**
   * Some of the file is read: what is worth it becomes blocks. In files that go on meter after meter that is most of what is
   * in hand, all but the last meter's whole.
   */
  pause(): void {
    // So many are those of a file that goes on hour after hour.
    if (this.#inHand.length > MANY_SERIES) return;
    this.#inHand = this.#inHand.filter((series) => {
      if (series.count >= (series.quiet > 0 ? WORTH_TELLING_QUIET : WORTH_TELLING)) this.#cut(series);
      series.quiet = series.count > 0 ? 1 : -1;
      return series.count > 0;
    });
  }

  /** Everything in hand becomes blocks: a text of the file is at its end, or too much is in hand. */
  finish(): void {
    for (const series of this.#inHand) {
      if (series.count > 0) this.#cut(series);
      series.quiet = -1;
    }
    this.#inHand = [];
  }

  #cut(series: Gathering): void {
    const { count } = series;
    series.ml.length = count;
    if (!series.sorted) sortByTime(series);
    const { kind, channel, times, lengths, ml, delivered, flags, lines, blockMlPerUnit, decimals } = series;
    const { utility, source, file, backfill, resolution, digits } = this.#constants;
    // A series of no values claims no resolution: its decimals are endless.
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
        count,
        time: times.sequence(),
        ...(kind !== "register" ? { length: lengths.uniform() } : {}),
        ml,
        ...(delivered === undefined ? {} : { delivered }),
        flags: flags.uniform(),
        ...(backfill ? { backfill } : {}),
        line: lines.sequence(),
      },
    });
    this.#pending -= count + SERIES_COST;
    this.#lastCount = count;
    for (const along of [times, lengths, flags, lines]) along.clear();
    series.ml = [];
    series.delivered = undefined;
    series.sorted = true;
  }
}

/** Whether so many reads, from the first time to the last, can go into the block in hand. */
function fits(series: Gathering, first: number, last: number, count: number): boolean {
  const { earliest, latest, unit, blockUnit, mlPerUnit, blockMlPerUnit } = series;
  return (
    Math.max(last, latest) - Math.min(first, earliest) < SPAN &&
    series.count + count <= MAX_BLOCK_READS &&
    unit === blockUnit &&
    mlPerUnit === blockMlPerUnit
  );
}

/** Whether the block must carry the value as delivered. Small, so that V8 makes no object of each fraction it is asked about. */
function isToBeListed({ delivered: listed, mlPerUnit }: Gathering, ml: number, delivered: number): boolean {
  return listed !== undefined || ml / mlPerUnit !== delivered;
}

/**
 * The block carries the value as delivered; the first that it must carry so makes it carry all.
 * @param at index of the read in its block
 */
function listDelivered(series: Gathering, at: number, delivered: number): void {
  if (series.delivered === undefined) {
    const before = series.ml.slice(0, at);
    series.delivered = before.map((ml) => (ml === null ? null : ml / series.mlPerUnit));
  }
  series.delivered.push(delivered);
}

function sortByTime(series: Gathering): void {
  const { times, lengths, flags, lines, ml, delivered } = series;
  const time = times.toList();
  const line = lines.toList();
  const order = [...time.keys()].sort((a, b) => time[a]! - time[b]! || line[a]! - line[b]!);
  for (const along of [times, lengths, flags, lines]) {
    const list = along.toList();
    along.clear();
    for (const i of order) along.add(list[i]!);
  }
  series.ml = order.map((i) => ml[i]!);
  if (delivered !== undefined) series.delivered = order.map((i) => delivered[i]!);
}
