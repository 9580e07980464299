import type { RuleName } from "../schemas/anomalies.js";

/** The hours of the period. */
export interface Calendar {
  readonly days: number;
  readonly hours: number;
  /** Index of the first hour of a local day. */
  firstHour(day: number): number;
  /** Hour on the wall clock, 0 to 23, at an hour of the period. */
  hourAt(hour: number): number;
}

/** Something that the detector must find. Hours from the beginning of the period, `until` not included. */
export interface Planted {
  readonly rule: RuleName;
  readonly what: string;
  readonly from: number;
  readonly until: number;
}

/** What a register read is. */
export const ReadKind = { missing: 0, actual: 1, estimated: 2 } as const;
export type ReadKind = (typeof ReadKind)[keyof typeof ReadKind];

/** Ordinary hours stay below 70 gal, so none of them is a spike (300 L, 79 gal) by itself. */
const MOST_ORDINARY = 700;
/** Tenths of a gallon that a new register shows when it is put in, and by which a register jitters. */
const NEW_REGISTER = 4;
const STEP_BACK = 5;
const ESTIMATED_SHARE = 0.003;
const MISSING_SHARE = 0.0015;

/** Water of one home: what it uses in each hour, and what becomes of the reads of its register. */
export class HomeWater {
  readonly calendar: Calendar;
  /** Tenths of a gallon in each hour. */
  readonly usage: Int32Array;
  /** `ReadKind` of the read at the beginning of each hour. */
  readonly reads: Uint8Array;
  readonly planted: Planted[] = [];
  /** Hour whose read is the first of a new register, -1: none. */
  exchangedAt = -1;
  /** Hours whose read shows half a gallon less than the read before: a register that jitters while nothing flows. */
  readonly stepsBack = new Set<number>();
  /** Hours without a read, as an empty value in the file instead of no row. */
  readonly emptyReads = new Set<number>();
  /** Register value at the beginning, tenths of a gallon. */
  readonly firstValue: number;
  readonly #random: () => number;

  constructor(calendar: Calendar, random: () => number) {
    this.calendar = calendar;
    this.#random = random;
    this.usage = new Int32Array(calendar.hours);
    this.reads = new Uint8Array(calendar.hours).fill(ReadKind.actual);
    this.firstValue = 100_000 + Math.floor(random() * 9_000_000);
    const size = 0.6 + random() * 0.9;
    for (let hour = 0; hour < calendar.hours; hour++)
      this.usage[hour] = ordinaryHour(calendar.hourAt(hour), size, random);
  }

  hour(day: number, hour: number): number {
    return this.calendar.firstHour(day) + hour;
  }

  /** Adds tenths of a gallon to each hour of `[from, until)`. */
  add(from: number, until: number, tenths: number): void {
    for (let hour = from; hour < Math.min(until, this.calendar.hours); hour++)
      this.usage[hour] = this.usage[hour]! + tenths;
  }

  /** Sets every hour of `[from, until)` to what `tenths` says of it. */
  set(from: number, until: number, tenths: (hour: number) => number): void {
    for (let hour = from; hour < Math.min(until, this.calendar.hours); hour++)
      this.usage[hour] = tenths(hour);
  }

  /** A leak of `tenths` a hour that the detector must find. */
  leak(from: number, hours: number, tenths: number, what: string): void {
    const until = Math.min(from + hours, this.calendar.hours);
    this.add(from, until, tenths);
    this.planted.push({ rule: "continuous-flow", what, from, until });
  }

  /** Hours of `tenths` that the detector must find as a spike. */
  spike(from: number, hours: number, tenths: number, what: string): void {
    this.set(from, from + hours, () => tenths);
    this.planted.push({ rule: "spike", what, from, until: from + hours });
  }

  /** Register values at the beginning of each hour, tenths of a gallon, of the register that is in place then. */
  values(): Float64Array {
    const values = new Float64Array(this.calendar.hours);
    let value = this.firstValue;
    for (let hour = 0; hour < values.length; hour++) {
      if (hour === this.exchangedAt) value = NEW_REGISTER;
      values[hour] = this.stepsBack.has(hour) ? value - STEP_BACK : value;
      value += this.usage[hour]!;
    }
    return values;
  }

  /**
   * Estimates and holes as radio networks have them: here and there an hour, sometimes three in a row. None within a
   * day of the hours in `clean`, or of something planted that lasts less than two days.
   */
  loseReads(clean: readonly (readonly [from: number, until: number])[]): void {
    const short = this.planted.filter(({ from, until }) => until - from < 48);
    const spared = [...clean, ...short.map(({ from, until }) => [from, until] as const)];
    for (let hour = 1; hour < this.calendar.hours; hour++) {
      const chance = this.#random();
      const length = this.#random() < 0.2 ? 3 : 1;
      if (this.reads[hour] !== ReadKind.actual || chance >= ESTIMATED_SHARE + MISSING_SHARE) continue;
      if (spared.some(([from, until]) => hour >= from - 24 && hour < until + 24)) continue;
      for (let i = hour; i < Math.min(hour + length, this.calendar.hours); i++) {
        if (i === this.exchangedAt || this.stepsBack.has(i)) break;
        this.reads[i] = chance < ESTIMATED_SHARE ? ReadKind.estimated : ReadKind.missing;
        if (chance >= ESTIMATED_SHARE + MISSING_SHARE / 2) this.emptyReads.add(i);
      }
    }
  }
}

/** Tenths of a gallon: showers in the morning, meals and laundry in the evening, a dry night. */
function ordinaryHour(clock: number, size: number, random: () => number): number {
  const chance = random();
  const amount = random();
  const second = random();
  if (clock >= 2 && clock < 5) return 0;
  const flush = 13 + Math.floor(amount * 6);
  if (clock < 6 || clock === 23) return chance < 0.15 ? flush : 0;
  const busy = clock < 9 ? 0.85 : clock < 17 ? 0.45 : 0.75;
  if (chance >= busy) return 0;
  const most = clock < 9 ? 420 : clock < 17 ? 160 : 340;
  return Math.min(MOST_ORDINARY, flush + Math.floor(amount * second * most * size));
}
