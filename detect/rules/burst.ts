import type { Reader, Writer } from "../varints.js";
import { demandOn, type Demand } from "./demand.js";
import { RecentMaximum } from "./recent-maximum.js";
import { HOUR, type Found, type OnClosed, type RuleContext, type RuleFold, type Unit } from "./rule.js";

const VERSION = 2;
/** Shorter units are gathered to this length (seconds); longer ones than the other say nothing of a rate. */
const SHORTEST = 900;
const LONGEST = 5400;
/** A rate is sustained over two units at least, and over this (seconds). */
const SUSTAINED = 2700;

/** Of `minRate` and `hours`, what a meter is asked for, and the day from which it is known. */
const CAUTION: Demand = { young: 2, known: 1 };
const KNOWN_DAYS = 75;

export interface BurstParameters {
  /** mL/h. */
  readonly minRate: number;
  readonly rate: number;
  readonly hours: number;
  readonly length: number;
  readonly days: number;
  readonly warmUpDays: number;
}

/**
 * A burst: water at a rate or for a time that this meter never saw.
 *
 * A rate counts as sustained where two units in a row reach it (three, of a quarter of an hour). It opens where the
 * sustained rate reaches `minRate` and `rate` times the highest of the last months, or where flow of `minRate` lasts
 * `hours`, and `length` times as long as the longest of the last months: a home that waters its lawn does both, and is
 * known for it. Of a meter that nobody knows for long, a sustained rate of twice
 * `minRate` and twice the hours are asked at first. It ends with a unit under half of `minRate`, or under half of the rate that opened it.
 *
 * MULTICAL 21 takes 30 minutes over a share of the meter's capacity, WaterSmart 30 gal/h for 8 hours (DETECTION §1.1).
 * The smallest burst that can be seen is `minRate`, whatever the register.
 */
export class Burst implements RuleFold {
  readonly name = "burst";
  readonly fine = true;
  /** Short units in hand. */
  #slot = -1;
  #slotMl = 0;
  #slotSeconds = 0;
  /** Rates (mL/h) of the last units that follow each other, newest first, -1 without one, and their end. */
  #rate1 = -1;
  #rate2 = -1;
  #rate3 = -1;
  #recentEnd = 0;
  /** Flow of `minRate` without a pause; `start` -1 without one. */
  start = -1;
  #end = 0;
  #volume = 0;
  #highest = 0;
  /** Of the local day in hand. */
  #day = -1;
  #dayRate = 0;
  #daySeconds = 0;
  #days = 0;
  readonly #rates = new RecentMaximum();
  readonly #lengths = new RecentMaximum();
  /** Event time at which it opened, 0 before; what it ends under (mL/h); what it needed. */
  #detectedAt = 0;
  #endsUnder = 0;
  #neededRate = 0;
  #neededSeconds = 0;

  get isOpen(): boolean {
    return this.#detectedAt > 0;
  }

  step(unit: Unit, context: RuleContext, closed: OnClosed): void {
    if (unit.neutral) return;
    const { start, end, ml } = unit;
    const seconds = end - start;
    if (seconds >= SHORTEST) return this.#take(start, seconds, ml, context, closed);
    const slot = Math.floor(start / SHORTEST) * SHORTEST;
    if (slot !== this.#slot) {
      this.#slot = slot;
      this.#slotMl = 0;
      this.#slotSeconds = 0;
    }
    this.#slotMl += ml;
    this.#slotSeconds += seconds;
    if (this.#slotSeconds < SHORTEST) return;
    this.#slot = -1;
    this.#take(slot, SHORTEST, this.#slotMl, context, closed);
  }

  open(): Found | undefined {
    return this.isOpen ? this.#found(null) : undefined;
  }

  #take(start: number, seconds: number, ml: number, context: RuleContext, closed: OnClosed): void {
    const parameters = context.detect.burst;
    this.#begin(context.day);
    const end = start + seconds;
    const rate = Math.round((ml * HOUR) / seconds);
    if (seconds > LONGEST) {
      // Not neutral, so nothing flowed.
      this.#forget();
      if (this.start >= 0) this.#stop("flow-stopped", closed);
      return;
    }
    if (start !== this.#recentEnd) {
      this.#forget();
      if (this.start >= 0 && start - this.#recentEnd > LONGEST) this.#stop("no-reads", closed);
    }
    this.#recentEnd = end;
    this.#rate3 = this.#rate2;
    this.#rate2 = this.#rate1;
    this.#rate1 = rate;
    if (rate < (this.isOpen ? this.#endsUnder : parameters.minRate)) {
      if (this.start >= 0) this.#stop("flow-stopped", closed);
    } else {
      if (this.start < 0) this.start = start;
      this.#end = end;
      this.#volume += ml;
      if (rate > this.#highest) this.#highest = rate;
    }
    if (!this.isOpen) this.#judge(seconds, parameters);
  }

  #judge(seconds: number, parameters: BurstParameters): void {
    const { minRate, rate, hours, length, days, warmUpDays } = parameters;
    let sustained = this.#rate1 < this.#rate2 ? this.#rate1 : this.#rate2;
    if (seconds < SUSTAINED / 2 && this.#rate3 < sustained) sustained = this.#rate3;
    const lasts = this.start < 0 ? 0 : this.#end - this.start;
    if (lasts > 0 && this.#days > warmUpDays) {
      const since = this.#day - days;
      const times = demandOn(CAUTION, this.#days, warmUpDays, KNOWN_DAYS);
      this.#neededRate = Math.round(Math.max(times * minRate, rate * this.#rates.since(since)));
      this.#neededSeconds = Math.round(Math.max(times * hours * HOUR, length * this.#lengths.since(since)));
      const byRate = sustained >= this.#neededRate;
      if (byRate || lasts >= this.#neededSeconds) {
        this.#detectedAt = this.#end;
        this.#endsUnder = Math.round((byRate ? this.#neededRate : minRate) / 2);
        return;
      }
    }
    if (sustained > this.#dayRate) this.#dayRate = sustained;
    if (lasts > this.#daySeconds) this.#daySeconds = lasts;
  }

  #forget(): void {
    this.#rate1 = -1;
    this.#rate2 = -1;
    this.#rate3 = -1;
  }

  #begin(day: number): void {
    if (day === this.#day) return;
    if (this.#dayRate > 0) this.#rates.note(this.#day, this.#dayRate);
    if (this.#daySeconds > 0) this.#lengths.note(this.#day, this.#daySeconds);
    this.#day = day;
    this.#dayRate = 0;
    this.#daySeconds = 0;
    this.#days++;
  }

  #stop(reason: "flow-stopped" | "no-reads", closed: OnClosed): void {
    if (this.isOpen) closed(this.#found(reason));
    this.start = -1;
    this.#volume = 0;
    this.#highest = 0;
    this.#detectedAt = 0;
  }

  #found(closed: Found["closed"]): Found {
    return {
      rule: "burst",
      ruleVersion: VERSION,
      start: this.start,
      end: this.#end,
      detectedAt: this.#detectedAt,
      rate: this.#highest,
      volume: this.#volume,
      closed,
      evidence: { neededRate: this.#neededRate, neededHours: this.#neededSeconds / HOUR, days: this.#days },
    };
  }

  writeTo(to: Writer): void {
    to.number(this.#slot).number(this.#slotMl).number(this.#slotSeconds).number(this.#recentEnd);
    to.number(this.#rate1).number(this.#rate2).number(this.#rate3);
    to.number(this.#day).number(this.#dayRate).number(this.#daySeconds).number(this.#days);
    this.#rates.writeTo(to);
    this.#lengths.writeTo(to);
    to.number(this.start);
    if (this.start < 0) return;
    to.number(this.#end)
      .number(this.#volume)
      .number(this.#highest)
      .number(this.#detectedAt)
      .number(this.#endsUnder);
    to.number(this.#neededRate);
    to.number(this.#neededSeconds);
  }

  readFrom(from: Reader): void {
    this.#slot = from.number();
    this.#slotMl = from.number();
    this.#slotSeconds = from.number();
    this.#recentEnd = from.number();
    this.#rate1 = from.number();
    this.#rate2 = from.number();
    this.#rate3 = from.number();
    this.#day = from.number();
    this.#dayRate = from.number();
    this.#daySeconds = from.number();
    this.#days = from.number();
    this.#rates.readFrom(from);
    this.#lengths.readFrom(from);
    this.start = from.number();
    if (this.start < 0) return;
    this.#end = from.number();
    this.#volume = from.number();
    this.#highest = from.number();
    this.#detectedAt = from.number();
    this.#endsUnder = from.number();
    this.#neededRate = from.number();
    this.#neededSeconds = from.number();
  }
}
