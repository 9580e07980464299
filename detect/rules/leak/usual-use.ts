import type { Reader, Writer } from "../../varints.js";

/** Fixed point of probabilities, and of counts. */
const ONE = 16_384;
const COUNT = 64;
const DAYS = 28;
/** A probability is the mean of about the last 40 units of its slot: a half-life of 28 days. */
const MEMORY = 40;
const EXACT = 24;
const BINS = 40;
/** Weight that each bin starts with, so that no volume is impossible. */
const PRIOR = Math.round(COUNT / 5);
const DAILY = Math.pow(0.5, 1 / DAYS);
const LEAST_MINIMA = 7;
/** Of the daily minima, this share lies at or under what counts as the meter's usual flow. */
const FLOOR_QUANTILE = 0.6;
/** Minima that must be known before a day's can be raised, and how many raised ones wait to be learnt. */
const RAISED_AFTER = 14;
const MOST_RAISED = 3;
/** A raised minimum is so many times the highest of those before, and a step of the register more. */
const RAISED = 1.1;
/** A flow that is above so many times the highest of them, and some steps more, is far above all. */
const FAR = 2;
/** Share of a day's units that a daily minimum needs (DETECTION §5, 20 of 24 hours). */
const WHOLE_DAY = 0.8;

/** -ln(1 - p) and ln(p / 2(1 - p)) in thousandths, by p in 256ths. */
const SURPRISE = new Int32Array(257);
const LEAK_ODDS = new Int32Array(257);
for (let i = 0; i <= 256; i++) {
  const dry = Math.min(0.97, Math.max(0.03, i / 256));
  SURPRISE[i] = Math.round(-1000 * Math.log(1 - dry));
  LEAK_ODDS[i] = Math.round(1000 * Math.log(dry / 2 / (1 - dry)));
}

/**
 * What a meter's units of one length usually are: how likely each slot of the day is dry, how often each volume comes,
 * and the flow that never stops. Volumes are steps of the register. Everything is a whole number.
 */
export class UsualUse {
  /** Steps in a unit that flow on most days without a pause: 0 for a home, more for an always-on meter. */
  floor = 0;
  /** Units that were learnt from. */
  units = 0;
  /** Local day in hand, days since 1970-01-01; -1 before the first. */
  day = -1;
  readonly #slots: number;
  // Plain arrays: a million typed ones, each with a buffer of its own, are dear to keep.
  readonly #dry: number[];
  readonly #seen: number[];
  readonly #volumes = new Array<number>(BINS).fill(PRIOR);
  #volumesSum = BINS * PRIOR;
  #dayLowest = 0;
  #dayUnits = 0;
  #minima: number[] = [];
  /** The lowest units of the last whole days, all above every one before: learnt once a day is as before, or they are many. */
  #raised: number[] = [];

  /** @param slots units in a day */
  constructor(slots: number) {
    this.#slots = slots;
    this.#dry = new Array<number>(slots).fill(ONE / 2);
    this.#seen = new Array<number>(slots).fill(0);
  }

  /**
   * Begins a local day.
   * @param day days since 1970-01-01
   * @param isHome of one family: its lowest hours are looked at where it is never dry, for elsewhere guests raise them
   */
  begin(day: number, isHome: boolean): void {
    if (day === this.day) return;
    if (this.#dayUnits >= WHOLE_DAY * this.#slots) {
      this.#raised.push(this.#dayLowest);
      if (!this.#isRaised(this.#dayLowest, isHome) || this.#raised.length > MOST_RAISED) this.learnRaised();
    }
    if (this.day >= 0) this.#fade();
    this.day = day;
    this.#dayUnits = 0;
  }

  /** Whole days, the last ones, in which a meter never went as low as it always had. */
  get raisedDays(): number {
    return this.#raised.length;
  }

  /** Highest of the daily minima that are learnt, in steps over the floor. */
  get highestOver(): number {
    return this.#highest - this.floor;
  }

  /** Steps over the floor beyond which flow is far above all daily minima, and `more` steps; without enough of them nothing is. */
  farOver(more: number): number {
    return this.#minima.length < RAISED_AFTER ? Infinity : FAR * this.#highest + more - this.floor;
  }

  get #highest(): number {
    return Math.max(0, ...this.#minima);
  }

  #isRaised(lowest: number, isHome: boolean): boolean {
    return (
      (this.floor > 0 || !isHome) &&
      this.#minima.length >= RAISED_AFTER &&
      lowest > RAISED * this.#highest + 1
    );
  }

  /** What was raised went away by itself, or stays: it is usual from now on. */
  learnRaised(): void {
    for (const lowest of this.#raised) {
      if (this.#minima.length === DAYS) this.#minima.shift();
      this.#minima.push(lowest);
    }
    this.#raised = [];
    if (this.#minima.length >= LEAST_MINIMA) this.floor = quantile(this.#minima);
  }

  learn(steps: number, slot: number): void {
    this.units++;
    if (this.#dayUnits++ === 0 || steps < this.#dayLowest) this.#dayLowest = steps;
    const over = steps - this.floor;
    if (this.#seen[slot]! < MEMORY) this.#seen[slot]!++;
    const is = over <= 0 ? ONE : 0;
    this.#dry[slot]! += Math.round((is - this.#dry[slot]!) / (this.#seen[slot]! + 1));
    if (over <= 0) return;
    this.#volumes[binOf(over)]! += COUNT;
    this.#volumesSum += COUNT;
  }

  /** Share of units that are dry, 0 to 1. */
  get dryShare(): number {
    let sum = 0;
    for (let slot = 0; slot < this.#slots; slot++) sum += this.#dry[slot]!;
    return sum / this.#slots / ONE;
  }

  /** How surprising flow in this slot is: thousandths of a nat. */
  surprise(slot: number): number {
    return SURPRISE[this.#dry[slot]! >> 6]!;
  }

  /**
   * How much likelier than usual use a leak explains a unit of `from` to `until` steps over the floor: thousandths of a
   * nat. A leak shows its bare rate where nobody draws water, with the slot's probability of being dry, on either of the
   * two steps next to it; usual use comes with the opposite probability and hits these volumes as often as it has.
   */
  odds(slot: number, from: number, until: number): number {
    return (LEAK_ODDS[this.#dry[slot]! >> 6]! - Math.round(1000 * Math.log(this.#share(from, until)))) | 0;
  }

  writeTo(to: Writer): void {
    to.number(this.floor).number(this.units).number(this.day).number(this.#dayLowest).number(this.#dayUnits);
    to.fixed(this.#dry);
    to.runs(this.#seen);
    to.fixed(this.#volumes);
    to.number(this.#minima.length);
    to.runs(this.#minima);
    to.number(this.#raised.length);
    to.runs(this.#raised);
  }

  readFrom(from: Reader): void {
    this.floor = from.number();
    this.units = from.number();
    this.day = from.number();
    this.#dayLowest = from.number();
    this.#dayUnits = from.number();
    from.fixed(this.#dry, this.#slots);
    from.runs(this.#seen, 0, this.#slots);
    from.fixed(this.#volumes, BINS);
    this.#volumesSum = this.#volumes.reduce((sum, count) => sum + count, 0);
    from.runs(this.#minima, 0, from.number());
    from.runs(this.#raised, 0, from.number());
  }

  #fade(): void {
    let sum = 0;
    const volumes = this.#volumes;
    // Rounded as whole numbers: `Math.round` makes each a fraction first.
    for (let i = 0; i < BINS; i++) sum += volumes[i] = (volumes[i]! * DAILY + 0.5) | 0;
    this.#volumesSum = sum;
  }

  #share(from: number, until: number): number {
    const first = binOf(from);
    const last = binOf(until);
    let count = 0;
    for (let i = first; i <= last; i++) count += this.#volumes[i]!;
    // Part of a wide bin, but never less than a fiftieth of all.
    if (first === last && from >= EXACT)
      count = Math.max((count * (until - from + 1)) / WIDTH[first]!, this.#volumesSum / 50);
    return Math.min(0.95, Math.max(1e-4, count / this.#volumesSum));
  }
}

/** Bins of one step each, from 24 steps on four to a doubling; the last takes the rest. */
const BIN = Uint8Array.from({ length: EXACT * 16 }, (_, steps) =>
  steps < EXACT ? steps : Math.min(BINS - 1, EXACT + Math.floor(4 * Math.log2(steps / EXACT))),
);
const WIDTH = Float64Array.from({ length: BINS }, (_, bin) =>
  bin < EXACT ? 1 : EXACT * (2 ** ((bin - EXACT + 1) / 4) - 2 ** ((bin - EXACT) / 4)),
);

function binOf(steps: number): number {
  return steps < BIN.length ? BIN[steps]! : BINS - 1;
}

function quantile(values: readonly number[]): number {
  const place = Math.floor(values.length * FLOOR_QUANTILE);
  let zeros = 0;
  for (const value of values) if (value === 0) zeros++;
  // So it is for nearly every home, each day.
  if (zeros > place) return 0;
  return values.slice().sort((a, b) => a - b)[place]!;
}
