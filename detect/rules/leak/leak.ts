import type { Reader, Writer } from "../../varints.js";
import {
  GALLON,
  HOUR,
  type Found,
  type OnClosed,
  type RuleContext,
  type RuleFold,
  type Unit,
} from "../rule.js";
import { BY, FlowTest, type FlowTestParameters } from "./flow-test.js";

const VERSION = 7;
const TESTS: readonly FlowTestParameters[] = [
  {
    hours: 1,
    evidence: { young: 10, known: 5.5 },
    leastHours: 12,
    run: { young: 16, known: 12 },
    joint: { young: 14, known: 14 },
    // San Francisco's for homes (DETECTION §1.1).
    fixedRate: 7.5 * GALLON,
    raisedDays: 2,
  },
  {
    hours: 2,
    evidence: { young: 12, known: 12 },
    leastHours: 24,
    run: { young: 16, known: 12 },
    joint: { young: 14, known: 14 },
  },
  {
    hours: 3,
    evidence: { young: 12, known: 12 },
    leastHours: 30,
    run: { young: 14, known: 10 },
    joint: { young: 14, known: 14 },
  },
];
/** A stretch that begins within this time of the last flow (seconds) belongs to the same leak (DETECTION §5). */
const JOINS_WITHIN = 72 * HOUR;
/** Seconds without a usable unit after which nobody knows what flowed, before and after it opened. */
const LONGEST_HOLE = 24 * HOUR;
const LONGEST_HOLE_OPEN = 168 * HOUR;
/** A unit of the first test may last so long; what is longer only proves that nothing flowed. */
const LONGEST_UNIT = 5400;
/** mL: finer registers are read in whole litres, for what is less is no leak. */
const LEAST_STEP = 1000;

/** Hours of flow in hand, for a test whose units are longer than what comes in. */
interface Slot {
  id: number;
  start: number;
  end: number;
  ml: number;
  seconds: number;
}

/**
 * A leak: flow that does not stop where this meter's usually does.
 *
 * The meter is judged against itself. Three tests look at units of one, two and three hours (`FlowTest`): the first
 * sees what flows in every hour; the longer ones see what a coarse register shows only every few hours, and what runs
 * and stops again and again, as a toilet that refills. Flow counts from over the meter's usual floor, so that a meter
 * that is never dry is judged by its step upwards; one that is no single home's also by days whose lowest hour is above all
 * of the last four weeks.
 *
 * The anomaly begins with the stretch whose evidence opened it and ends with the first dry unit of that test. A stretch
 * that opens within 72 hours joins it. Its rate is the mean of the units at the bare rate, of which those count most
 * that no use explains, so that a coarse register's steps average out.
 */
export class Leak implements RuleFold {
  readonly name = "leak";
  readonly fine = false;
  readonly #tests = TESTS.map((parameters) => new FlowTest(parameters));
  /** Of the tests after the first, in their order. */
  readonly #slots: Slot[] = [
    { id: -1, start: 0, end: 0, ml: 0, seconds: 0 },
    { id: -1, start: 0, end: 0, ml: 0, seconds: 0 },
  ];
  /** End of the latest usable unit. */
  #seen = 0;
  /** The leak that goes on, or that ended less than 72 hours ago; -1: none. */
  #start = -1;
  #end = 0;
  #detectedAt = 0;
  #volume = 0;
  #rate = 0;
  #hours = 0;
  #closed: (typeof CLOSED)[number] = null;
  /** End of the latest that is over: the next begins no earlier. */
  #past = 0;
  #evidence = [0, 0, 0, 0, 0];

  get isOpen(): boolean {
    return this.#start >= 0;
  }

  /** Of the earliest stretch that may still open a leak, or of the leak. */
  get start(): number {
    let first = this.#start;
    for (const { runStart } of this.#tests)
      if (runStart >= 0 && (first < 0 || runStart < first)) first = runStart;
    for (const { id, start } of this.#slots) if (id >= 0 && (first < 0 || start < first)) first = start;
    return first;
  }

  step(unit: Unit, context: RuleContext, closed: OnClosed): void {
    if (unit.neutral) return;
    const { start, end } = unit;
    const hole = start - this.#seen;
    if (this.#seen > 0 && hole > LONGEST_HOLE) this.#passHole(hole);
    this.#seen = end;
    if (this.#start >= 0 && this.#closed !== null && this.#isLeft(start)) this.#leave(closed);
    const seconds = end - start;
    if (seconds > LONGEST_UNIT) {
      // Not neutral, so nothing flowed.
      this.#emptySlots();
      this.#endTests();
      if (this.#start >= 0 && this.#closed === null) this.#closed = "flow-stopped";
      return;
    }
    const { hour, day } = context;
    if (this.#start >= 0 && this.#closed === null) this.#volume += unit.ml;
    this.#test(0, start, end, unit.ml, seconds, hour, day, context);
    for (let i = 1; i < this.#tests.length; i++) {
      const slot = this.#slots[i - 1]!;
      const { hours } = this.#tests[i]!.parameters;
      const id = day * 24 + hour - (hour % hours);
      if (id !== slot.id) {
        if (slot.id >= 0) this.#endSlot(i, slot, context);
        slot.id = id;
        slot.start = start;
        slot.ml = 0;
        slot.seconds = 0;
      }
      slot.ml += unit.ml;
      slot.seconds += seconds;
      slot.end = end;
    }
  }

  open(): Found | undefined {
    return this.#start < 0 ? undefined : this.#found();
  }

  #endSlot(i: number, { id, start, end, ml, seconds }: Slot, context: RuleContext): void {
    const { hours } = this.#tests[i]!.parameters;
    const share = seconds / (hours * HOUR);
    if (share < 0.75 || share > 1.3) return;
    this.#test(i, start, end, ml, seconds, (id % 24) / hours, Math.floor(id / 24), context);
  }

  #test(
    i: number,
    start: number,
    end: number,
    ml: number,
    seconds: number,
    slot: number,
    day: number,
    { resolution, rate, rateFrom, class: meterClass, detect }: RuleContext,
  ): void {
    const test = this.#tests[i]!;
    const step = Math.max(resolution, LEAST_STEP);
    // Rounded register values may lie a millilitre or two less apart than whole steps.
    const steps = Math.floor((ml + 2) / step);
    const least = rate === undefined ? 0 : Math.ceil((rate * seconds) / HOUR / step);
    const was = test.isOpen;
    const isHome = meterClass === undefined || meterClass === "single-family";
    test.step(start, end - start, steps, step, least, isHome, slot, day, detect.leak);
    if (test.isOpen) {
      if (!was) this.#opened(i, end, ml, step);
      if (this.#closed === null) this.#follow(i, end, step);
    } else if (was) {
      const isDeclared = rateFrom > this.#start && steps > test.usual.floor;
      this.#stopped(
        isDeclared ? "declared" : test.by === "warm-up" && steps > 0 ? "usage-normal" : "flow-stopped",
      );
    }
  }

  #opened(i: number, end: number, ml: number, step: number): void {
    const test = this.#tests[i]!;
    const leading = test.leading!;
    if (this.#start >= 0) {
      if (this.#closed !== null) {
        this.#closed = null;
        this.#volume += ml;
      }
      return;
    }
    this.#start = Math.max(
      this.#past,
      test.by === "run" || test.by === "warm-up" ? test.runStart : leading.start,
    );
    this.#detectedAt = end;
    this.#hours = test.parameters.hours;
    this.#volume = Math.round((leading.steps * step * (end - this.#start)) / Math.max(1, leading.seconds));
    const { reached, needed, by, usual } = test;
    this.#evidence = [reached, needed, BY.indexOf(by), leading.units, usual.floor * step];
  }

  /** While it goes on: where it is now, and its rate by the test that sees it best. */
  #follow(i: number, end: number, step: number): void {
    if (end > this.#end) this.#end = end;
    const first = this.#tests.findIndex(({ isOpen }) => isOpen);
    const leading = this.#tests[i]!.leading;
    if (i !== first || leading === undefined || leading.seconds === 0) return;
    this.#rate = Math.round((leading.steps * step * HOUR) / leading.seconds);
  }

  /** @param reason usual where the fixed rule spoke and the flow turned out to be the meter's usual */
  #stopped(reason: "flow-stopped" | "usage-normal" | "declared"): void {
    if (this.#closed === null && !this.#tests.some(({ isOpen }) => isOpen)) this.#closed = reason;
  }

  #passHole(hole: number): void {
    const open = this.#tests.some(({ isOpen }) => isOpen);
    this.#emptySlots();
    if (open && hole <= LONGEST_HOLE_OPEN) return;
    this.#endTests();
    if (open) this.#closed = "no-reads";
  }

  #emptySlots(): void {
    for (const slot of this.#slots) slot.id = -1;
  }

  #endTests(): void {
    for (const test of this.#tests) if (test.runStart >= 0) test.end();
  }

  /** No stretch that runs can join what is over. */
  #isLeft(now: number): boolean {
    // What goes on after a word of the resident is another leak, if it is one.
    if (this.#closed === "declared") return true;
    const until = this.#end + JOINS_WITHIN;
    return now > until && this.#tests.every(({ runStart }) => runStart < 0 || runStart > until);
  }

  #leave(closed: OnClosed): void {
    closed(this.#found());
    this.#past = this.#end;
    this.#start = -1;
    this.#end = 0;
    this.#volume = 0;
    this.#rate = 0;
    this.#closed = null;
  }

  #found(): Found {
    const [evidence, needed, by, units, floor] = this.#evidence as [number, number, number, number, number];
    return {
      rule: "leak",
      ruleVersion: VERSION,
      start: this.#start,
      end: this.#end,
      detectedAt: this.#detectedAt,
      rate: this.#rate,
      volume: this.#volume,
      closed: this.#closed,
      evidence: {
        kind: floor > 0 ? "base-step" : this.#hours === 1 ? "continuous" : "intermittent",
        unitHours: this.#hours,
        by: BY[by]!,
        evidence: evidence / 1000,
        needed: needed / 1000,
        unitsAtRate: units,
        usualFloor: floor,
      },
    };
  }

  writeTo(to: Writer): void {
    for (const test of this.#tests) test.writeTo(to);
    for (const { id, start, end, ml, seconds } of this.#slots) {
      to.number(id);
      if (id >= 0) to.number(start).number(end).number(ml).number(seconds);
    }
    to.number(this.#seen);
    to.number(this.#past);
    to.number(this.#start);
    if (this.#start < 0) return;
    const closed = CLOSED.indexOf(this.#closed);
    to.number(this.#end)
      .number(this.#detectedAt)
      .number(this.#volume)
      .number(this.#rate)
      .number(this.#hours)
      .number(closed);
    for (const value of this.#evidence) to.number(value);
  }

  readFrom(from: Reader): void {
    for (const test of this.#tests) test.readFrom(from);
    for (const slot of this.#slots) {
      slot.id = from.number();
      if (slot.id < 0) continue;
      slot.start = from.number();
      slot.end = from.number();
      slot.ml = from.number();
      slot.seconds = from.number();
    }
    this.#seen = from.number();
    this.#past = from.number();
    this.#start = from.number();
    if (this.#start < 0) return;
    this.#end = from.number();
    this.#detectedAt = from.number();
    this.#volume = from.number();
    this.#rate = from.number();
    this.#hours = from.number();
    this.#closed = CLOSED[from.number()] ?? null;
    this.#evidence = this.#evidence.map(() => from.number());
  }
}

/** A saved state names one by its place: new ones come last. */
const CLOSED = [null, "flow-stopped", "no-reads", "usage-normal", "declared"] as const;
