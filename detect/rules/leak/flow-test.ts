import type { Reader, Writer } from "../../varints.js";
import { demandOn, type Demand } from "../demand.js";
import { RecentMaximum } from "../recent-maximum.js";
import { HOUR } from "../rule.js";
import { UsualUse } from "./usual-use.js";

/**
 * What may open a test: flow without a pause, a bare rate, the fixed rule of its first week, raised daily minima, and the
 * first two taken together.
 */
export const BY = ["run", "rate", "warm-up", "base", "joint"] as const;

/** What one test asks for, in its own units. Evidence is in nats. */
export interface FlowTestParameters {
  /** Hours in a unit: a divisor of 24. */
  readonly hours: 1 | 2 | 3;
  /** Evidence of a bare rate that opens, and hours that it must have lasted. */
  readonly evidence: Demand;
  readonly leastHours: number;
  /** Evidence of flow without a pause that opens, whatever its rate. */
  readonly run: Demand;
  /** Evidence of both together that opens; a new meter is not asked for it. */
  readonly joint: Demand;
  /** mL/h over the floor that open a home's meter in its first week once they lasted, and that are far above; left out: none do. */
  readonly fixedRate?: number;
  /** Whole days of a raised minimum that open at a meter that is no single home's, unless it is far above; left out: none do. */
  readonly raisedDays?: number;
}

/** How the tests of a meter weigh what it did before. */
export interface FlowTestCaution {
  /**
   * A rate needs so many times the most evidence of one that went away by itself, a run so many times the longest, both
   * together so many times the most of both.
   */
  readonly rate: number;
  readonly run: number;
  readonly joint: number;
  /** Days for which that is remembered, after which a meter is known, and days of units after which it is young, no longer new. */
  readonly days: number;
  readonly warmUpDays: number;
}

/** A rate that the flow may have begun to run at some time. */
interface Hypothesis {
  /** 1024ths of a step in a unit's hours: no unit since the start allows more. */
  rate: number;
  /** Thousandths of a nat, and units that add to it. */
  evidence: number;
  units: number;
  /** Beginning of the first unit, UTC seconds. */
  start: number;
  /** Of the units at it: steps over the floor, and seconds, each times what the unit has of a part in the mean. */
  steps: number;
  seconds: number;
}

/** Of `FlowTestCaution.rate` and `run`, what a meter is asked for. */
const CAUTION: Demand = { young: 1, known: 0.7 };
/** Most that a unit adds. */
const MOST_A_UNIT = 1000;
/** Days of units after which the test of a new meter speaks, and nats that it is asked for on top of a young one then. */
const NEW_DAYS = 3;
const NEW_RATE = 5;
const NEW_RUN = 60;
/** Share of its units that a new meter is dry, at least: an eighth is what is thought of one that never was in three days. */
const LEAST_DRY = 0.13;
/** In a meter's first week, a fixed flow for so long opens, as San Francisco has it for homes (DETECTION §1.1). */
const FIXED_DAYS = 7;
const FIXED_HOURS = 48;
/**
 * A flow for so long, far above all daily minima and by so many steps or the fixed rate at least, needs no second day. From
 * the first dry hour of a night to the last of the next it is less.
 */
const FAR_HOURS = 30;
const FAR_STEPS = 3;
/**
 * Of the mean that tells the rate, a unit has a part for each so many thousandths of a nat that it adds to the evidence, and
 * one by itself. Unweighted, use within a step of the rate made it a fifth too high where a register is coarse.
 */
const WEIGHT_UNIT = 32;
/** Rates this close are the same: pressure and small draws move a leak. */
const TOLERANCE = 0.05;
const MOST_HYPOTHESES = 8;
const NOTED_FROM = 4000;
const RATE_ONE = 1024;
/** Evidence is counted no further. */
const ENOUGH = 1_000_000_000;

/**
 * Looks for flow that does not stop, in units of one, two or three hours.
 *
 * A leak shows in two ways. Units without a pause add up the surprise of each, -ln(1 - P(dry)) (DETECTION §4.4, "own
 * zero"). And where nobody draws water, the bare rate shows, again and again: of each rate that may have begun to run
 * in this stretch, the units at it add the log of how much likelier a leak makes them than usual use
 * (`UsualUse.odds`), at most one nat each, for hours that resemble each other are not independent. Rates form a
 * staircase: one that began later may be higher; a unit below a rate ends it, and its stretch goes on with the lower.
 *
 * Either may be enough, and so may both together: what runs on at home by itself, a bath or the garden, seldom has both,
 * while every hour of a leak adds to each. Coarse registers and refills are told by it days sooner.
 *
 * What the meter did before and ended by itself sets the bar: a stretch has to reach several times the highest of the
 * last months. A stretch that opened counts with what was needed for it. A new meter, of which little is known, is asked
 * for more: for a run so much that a steady rate nearly always speaks first.
 *
 * The smallest leak that can be seen gives a step of the register in each unit.
 */
export class FlowTest {
  readonly parameters: FlowTestParameters;
  readonly usual: UsualUse;
  isOpen = false;
  /** What opened it last. */
  by: (typeof BY)[number] = "run";
  /** Beginning of the stretch without a pause, -1 without one, and the latest unit's end. */
  runStart = -1;
  runEnd = 0;
  /** Evidence of the run so far, thousandths of a nat. */
  #run = 0;
  /** The staircase: so many of these, their rates rising; the rest wait to be used again. */
  readonly #hypotheses: Hypothesis[] = [];
  #count = 0;
  #rates = new RecentMaximum();
  #runs = new RecentMaximum();
  #joints = new RecentMaximum();
  /** What was needed for a rate, for a run and for both when it opened. */
  #neededRate = 0;
  #neededRun = 0;
  #neededJoint = 0;
  /** Days of raised minima that opened it. */
  #raisedDays = 0;

  constructor(parameters: FlowTestParameters) {
    this.parameters = parameters;
    this.usual = new UsualUse(24 / parameters.hours);
  }

  /**
   * @param start,seconds of the unit (UTC)
   * @param steps whole steps of the register
   * @param step mL in one
   * @param least steps that are usual for this meter by what was set for it
   * @param isHome of one family, as far as anybody said: its lowest hours rise and fall with guests, and open nothing
   * @param slot unit of the local day
   * @param day local day, days since 1970-01-01
   */
  step(
    start: number,
    seconds: number,
    steps: number,
    step: number,
    least: number,
    isHome: boolean,
    slot: number,
    day: number,
    caution: FlowTestCaution,
  ): void {
    const { usual } = this;
    usual.begin(day, isHome);
    const over = steps - Math.max(usual.floor, least);
    if (over <= 0) {
      if (this.runStart >= 0) this.end();
    } else this.#flow(start, seconds, over, step, isHome, slot, caution);
    // What is usual stays while a leak runs; the fixed rule may speak of what is usual.
    if (!this.isOpen || this.by === "warm-up") usual.learn(steps, slot);
  }

  /** The meter was proven dry, or is unknown for too long: what flowed is over. */
  end(): void {
    const rate = this.best?.evidence ?? 0;
    this.#note(this.#rates, rate, this.#neededRate);
    this.#note(this.#runs, this.#run, this.#neededRun);
    this.#note(this.#joints, rate + this.#run, this.#neededJoint);
    if (this.isOpen) this.usual.learnRaised();
    this.runStart = -1;
    this.#run = 0;
    this.#count = 0;
    this.isOpen = false;
  }

  #note(maximum: RecentMaximum, reached: number, needed: number): void {
    const value = this.isOpen ? Math.min(reached, needed) : reached;
    if (value >= NOTED_FROM) maximum.note(this.usual.day, value);
  }

  /** The rate with the most evidence. */
  get best(): Hypothesis | undefined {
    if (this.#count === 0) return undefined;
    let best = this.#hypotheses[0]!;
    for (let i = 1; i < this.#count; i++) {
      const one = this.#hypotheses[i]!;
      if (one.evidence > best.evidence) best = one;
    }
    return best;
  }

  /** Where raised minima opened it, the first rate that is above all that the meter's lowest hours were; else `best`. */
  get leading(): Hypothesis | undefined {
    if (this.by !== "base") return this.best;
    const { highestOver } = this.usual;
    for (let i = 0; i < this.#count; i++) {
      const one = this.#hypotheses[i]!;
      if (one.rate / RATE_ONE - 1 > highestOver) return one;
    }
    return this.best;
  }

  /** Thousandths of a nat, of a day where minima are raised: the evidence that opened it, or would, and what was needed. */
  get reached(): number {
    if (this.by === "base") return 1000 * this.#raisedDays;
    const rate = this.best?.evidence ?? 0;
    return this.by === "rate" ? rate : this.by === "joint" ? rate + this.#run : this.#run;
  }

  get needed(): number {
    if (this.by === "base") return 1000 * this.#raisedDays;
    return this.by === "rate" ? this.#neededRate : this.by === "joint" ? this.#neededJoint : this.#neededRun;
  }

  #flow(
    start: number,
    seconds: number,
    over: number,
    step: number,
    isHome: boolean,
    slot: number,
    caution: FlowTestCaution,
  ): void {
    const { usual, parameters } = this;
    if (this.runStart < 0) this.runStart = start;
    this.runEnd = start + seconds;
    this.#run = Math.min(ENOUGH, this.#run + Math.min(MOST_A_UNIT, usual.surprise(slot)));
    this.#follow(start, seconds, over, slot);
    if (this.isOpen) return;
    const best = this.best!;
    const days = (usual.units * parameters.hours) / 24;
    const isFixed = isHome && days < FIXED_DAYS && this.#isFixed(seconds, step);
    if (days < NEW_DAYS && !isFixed) return;
    const isNew = Math.max(0, (caution.warmUpDays - days) / (caution.warmUpDays - NEW_DAYS));
    const evidence = 1000 * (asked(parameters.evidence, days, caution) + isNew * NEW_RATE);
    const run = 1000 * (asked(parameters.run, days, caution) + isNew * NEW_RUN);
    const joint = isNew > 0 ? Infinity : 1000 * asked(parameters.joint, days, caution);
    const raisedDays = isHome ? 0 : this.#daysRaised(seconds, step);
    const isRaised = raisedDays > 0;
    const both = best.evidence + this.#run;
    if (!isFixed && !isRaised && best.evidence < evidence && this.#run < run && both < joint) {
      // Most units end here: the meter's past can only ask for more.
      return;
    }
    // Of a meter that never stands still nobody knows yet what it always does.
    if (isNew > 0 && !isFixed && usual.dryShare < LEAST_DRY) return;
    const since = usual.day - caution.days;
    const times = asked(CAUTION, days, caution);
    const lasts = this.runEnd - best.start >= parameters.leastHours * HOUR;
    // What was never needed is not looked up: of most units one of the three asks for more than there is.
    if (
      lasts &&
      best.evidence >= evidence &&
      best.evidence >= needs(this.#rates, evidence, times * caution.rate, since)
    )
      this.by = "rate";
    else if (lasts && both >= joint && both >= needs(this.#joints, joint, times * caution.joint, since))
      this.by = "joint";
    else if (this.#run >= run && this.#run >= needs(this.#runs, run, times * caution.run, since))
      this.by = "run";
    else if (isRaised) this.by = "base";
    else if (isFixed) this.by = "warm-up";
    else return;
    this.isOpen = true;
    this.#raisedDays = raisedDays;
    this.#neededRate = needs(this.#rates, evidence, times * caution.rate, since);
    this.#neededRun = needs(this.#runs, run, times * caution.run, since);
    this.#neededJoint = needs(this.#joints, joint, times * caution.joint, since);
  }

  /**
   * Days for which the meter's lowest hours were above all of the weeks before, where they are enough to open: two whole
   * ones, or thirty hours far above; else 0.
   */
  #daysRaised(seconds: number, step: number): number {
    const { usual } = this;
    const { raisedDays } = this.parameters;
    if (raisedDays === undefined) return 0;
    if (usual.raisedDays >= raisedDays) return raisedDays;
    const farOver = usual.farOver(Math.max(FAR_STEPS, this.#fixedSteps(seconds, step)));
    for (let i = 0; i < this.#count; i++) {
      const { rate, start } = this.#hypotheses[i]!;
      if (rate / RATE_ONE - 1 > farOver) return this.runEnd - start >= FAR_HOURS * HOUR ? FAR_HOURS / 24 : 0;
    }
    return 0;
  }

  /** Whether the fixed rate ran for long enough; no unit of the stretch allows less than the first hypothesis. */
  #isFixed(seconds: number, step: number): boolean {
    if (this.runEnd - this.runStart < FIXED_HOURS * HOUR) return false;
    return this.#hypotheses[0]!.rate / RATE_ONE - 1 >= this.#fixedSteps(seconds, step);
  }

  /** Steps of the fixed rate in a unit of so many seconds. */
  #fixedSteps(seconds: number, step: number): number {
    return Math.ceil(((this.parameters.fixedRate ?? Infinity) * seconds) / HOUR / step);
  }

  /** Keeps the staircase of rates, and adds the unit to those that it is at. */
  #follow(start: number, seconds: number, over: number, slot: number): void {
    const hypotheses = this.#hypotheses;
    const span = seconds / (this.parameters.hours * HOUR);
    const most = Math.round((RATE_ONE * (over + 1)) / span);
    const atLeast = (RATE_ONE * (over - 1)) / span;
    let from = start;
    let kept: Hypothesis | undefined;
    let count = this.#count;
    while (count > 0 && hypotheses[count - 1]!.rate > most) {
      const lowered = hypotheses[--count]!;
      from = lowered.start;
      if (most >= lowered.rate * (1 - TOLERANCE) && (kept === undefined || lowered.evidence > kept.evidence))
        kept = lowered;
    }
    if (count === 0 || hypotheses[count - 1]!.rate < most) {
      const top = (hypotheses[count] ??= { rate: 0, evidence: 0, units: 0, start: 0, steps: 0, seconds: 0 });
      top.rate = most;
      top.start = from;
      top.evidence = kept?.evidence ?? 0;
      top.units = kept?.units ?? 0;
      top.steps = kept?.steps ?? 0;
      top.seconds = kept?.seconds ?? 0;
      count++;
    }
    if (count > MOST_HYPOTHESES) {
      // The second goes, to wait at the end.
      hypotheses.push(...hypotheses.splice(1, 1));
      count--;
    }
    this.#count = count;
    const scale = span / RATE_ONE;
    // Rates rise along the list.
    for (let i = count - 1; i >= 0; i--) {
      const one = hypotheses[i]!;
      const highest = one.rate * (1 + TOLERANCE);
      if (atLeast >= highest) break;
      const bare = Math.max(1, Math.floor(one.rate * scale - 1 + 1e-6));
      const until = Math.max(bare + 1, Math.ceil(highest * scale - 1e-6));
      const odds = this.usual.odds(slot, bare, until);
      const gained = Math.max(0, Math.min(MOST_A_UNIT, odds));
      one.evidence = Math.min(ENOUGH, one.evidence + gained);
      one.units++;
      // Where somebody may have drawn water too, a unit says little of the rate.
      const weight = 1 + Math.floor(gained / WEIGHT_UNIT);
      one.steps += weight * over;
      one.seconds += weight * seconds;
    }
  }

  writeTo(to: Writer): void {
    this.usual.writeTo(to);
    this.#rates.writeTo(to);
    this.#runs.writeTo(to);
    this.#joints.writeTo(to);
    to.number(this.runStart);
    if (this.runStart < 0) return;
    to.number(this.runEnd)
      .number(this.#run)
      .number(this.isOpen ? 1 + BY.indexOf(this.by) : 0)
      .number(this.#neededRate)
      .number(this.#neededRun)
      .number(this.#neededJoint);
    to.number(this.#count);
    for (let i = 0; i < this.#count; i++) {
      const { rate, evidence, units, start, steps, seconds } = this.#hypotheses[i]!;
      to.number(rate)
        .number(evidence)
        .number(units)
        .number(start - this.runStart)
        .number(steps)
        .number(seconds);
    }
  }

  readFrom(from: Reader): void {
    this.usual.readFrom(from);
    this.#rates.readFrom(from);
    this.#runs.readFrom(from);
    this.#joints.readFrom(from);
    this.runStart = from.number();
    if (this.runStart < 0) return;
    this.runEnd = from.number();
    this.#run = from.number();
    const by = from.number();
    this.isOpen = by > 0;
    if (by > 0) this.by = BY[by - 1]!;
    this.#neededRate = from.number();
    this.#neededRun = from.number();
    this.#neededJoint = from.number();
    this.#count = from.number();
    for (let i = 0; i < this.#count; i++) {
      this.#hypotheses.push({
        rate: from.number(),
        evidence: from.number(),
        units: from.number(),
        start: from.number() + this.runStart,
        steps: from.number(),
        seconds: from.number(),
      });
    }
  }
}

/** Thousandths of a nat that a test is asked for by what went away by itself since a day, and at least `least`. */
function needs(past: RecentMaximum, least: number, times: number, since: number): number {
  return Math.min(ENOUGH, Math.round(Math.max(least, times * past.since(since))));
}

function asked(demand: Demand, days: number, caution: FlowTestCaution): number {
  return demandOn(demand, days, caution.warmUpDays, caution.days);
}
