import { RULES, type RuleName } from "../schemas/anomalies.js";
import { detectOf, type DetectConfig } from "../schemas/detect-config.js";
import { DOUBTFUL } from "../schemas/flags.js";
import type { MeterSetting } from "../schemas/meters.js";
import type { ColdSpell } from "../schemas/temperatures.js";
import type { TimeZone } from "../infra/time-zone.js";
import type { CheckContext } from "./checks/finding.js";
import { MeterChecks } from "./checks/meter-checks.js";
import type { ReadColumns } from "./read-columns.js";
import { LONGEST_HOUR } from "./registers.js";
import { newRule } from "./rules/registry.js";
import { HOUR, type Found, type OnClosed, type RuleContext, type RuleFold, type Unit } from "./rules/rule.js";
import { Reader, Writer, type Numbers } from "./varints.js";

/** What the rules need to know about a meter besides its usage. */
export interface FoldContext {
  readonly detect: DetectConfig;
  readonly rules: ReadonlySet<RuleName>;
  /** From when a rule is judged (UTC seconds), of those that were not always: they see nothing from before. */
  readonly since: ReadonlyMap<RuleName, number> | undefined;
  readonly days: TimeZone;
  /** When it was cold where the meter is, in order of time. */
  readonly cold: readonly ColdSpell[];
  readonly settings: readonly MeterSetting[];
  /** Smallest step of the meter's registers in millilitres, 0: unknown. */
  readonly resolution: number;
  readonly checks: CheckContext;
}

/** Intervals at even times that differ in nothing but their volume. */
export interface EvenIntervals {
  /** UTC seconds: of interval `i`, `from + step × i`. */
  readonly time: { readonly from: number; readonly step: number };
  /** Seconds. */
  readonly length: number;
  /** Millilitres of each. */
  readonly ml: Numbers;
  readonly flags: number;
}

/** Intervals at least this long (seconds) are judged one by one, shorter ones by the hour. */
const SHORTEST_UNIT = 1800;

const NO_RULES: ReadonlySet<RuleName> = new Set();

/** What rules may know at the unit in hand; made once and used again. */
class Known implements RuleContext {
  detect!: DetectConfig;
  resolution = 0;
  rate: number | undefined;
  rateFrom = 0;
  away = false;
  budget: number | undefined;
  cold: readonly ColdSpell[] = [];
  class: RuleContext["class"];
  day = 0;
  /** Water runs on purpose. */
  onPurpose = false;
  #days!: TimeZone;

  get hour(): number {
    return this.#days.hourOf((unit.start + unit.end) / 2);
  }

  of({ detect, days, cold, settings, resolution }: FoldContext, start: number, day: number): void {
    this.resolution = resolution;
    this.day = day;
    this.#days = days;
    this.cold = cold;
    this.rate = this.class = this.budget = undefined;
    this.rateFrom = 0;
    this.away = this.onPurpose = false;
    for (let i = 0; i < settings.length; i++) {
      const setting = settings[i]!;
      if (setting.from > start) continue;
      if (setting.continuousFlowRate !== undefined) {
        this.rate = setting.continuousFlowRate ?? undefined;
        this.rateFrom = setting.from;
      }
      this.class = setting.class ?? this.class;
      this.away = setting.away ?? this.away;
      if (setting.budget !== undefined) this.budget = setting.budget ?? undefined;
      this.onPurpose = setting.onPurpose ?? this.onPurpose;
    }
    this.detect = detectOf(detect, this.class);
  }
}

/** Class of a meter at a time (UTC seconds), by settings in order of time. */
export function classAt(settings: readonly MeterSetting[], time: number): MeterSetting["class"] {
  return settings.findLast((setting) => setting.from <= time && setting.class !== undefined)?.class;
}

// Used again for each unit, for each day of even ones, and for each copy.
const unit: Unit = { start: 0, end: 0, ml: 0, neutral: false };
const evenDay = { start: 0, length: 0, ml: [] as Numbers, from: 0, to: 0 };
const known = new Known();
let closings: { readonly at: number; readonly found: Found }[] = [];
const note: OnClosed = (found) => closings.push({ at: unit.start, found });
const writer = new Writer();
let unpacked = Buffer.allocUnsafe(65_536);

/**
 * The rules' memory: a fold over a meter's intervals in order of time. Intervals become units (hours), units go to the
 * rules; rules that ask for it get short intervals one by one. It depends on the sequence of intervals alone, so any
 * two ways to the same reads end in equal folds.
 */
export class Fold {
  /** End of the last interval or instant of the last register read folded, UTC seconds. */
  at = 0;
  /** The hour in hand, of short intervals or of several registers; `slot` -1: none. */
  slot = -1;
  slotMl = 0;
  slotSeconds = 0;
  slotDoubtful = false;
  /** Rules that judge interval by interval have seen some of the hour in hand. */
  #slotInParts = false;
  checks = new MeterChecks();
  /** The rules that are judged, as the last context named them. */
  #judged: ReadonlySet<RuleName> = NO_RULES;
  #rules: RuleFold[] = [];
  #hasFine = false;

  /**
   * Folds an interval in; they come in order of their beginning.
   * @param registers how many registers of the meter are read at this time: their sum is judged
   */
  push(
    start: number,
    length: number,
    ml: number,
    flags: number,
    registers: number,
    context: FoldContext,
    closed: OnClosed,
  ): void {
    const end = start + length;
    if (end > this.at) this.at = end;
    const day = context.days.dayOf(start);
    this.checks.push(start, length, ml, flags, registers, day, context.checks);
    if (this.#judged !== context.rules) this.#judge(context.rules);
    const doubtful = (flags & DOUBTFUL) !== 0;
    if (registers === 1 && length >= SHORTEST_UNIT) {
      if (this.slot >= 0) this.#stepSlot(true, context, closed);
      this.#step(start, end, ml, doubtful, day, undefined, context, closed);
      return;
    }
    const slot = Math.floor(start / HOUR) * HOUR;
    if (slot !== this.slot) {
      if (this.slot >= 0) this.#stepSlot(true, context, closed);
      this.slot = slot;
      this.slotMl = 0;
      this.slotSeconds = 0;
      this.slotDoubtful = false;
      this.#slotInParts = false;
    }
    if (registers === 1 && this.#hasFine) {
      this.#slotInParts = true;
      this.#step(start, end, ml, doubtful, day, true, context, closed);
    }
    this.slotMl += ml;
    this.slotSeconds += length;
    // Of a longer one nobody knows what belongs to the hour.
    if (doubtful || length > HOUR) this.slotDoubtful = true;
    if (this.slotSeconds === HOUR * registers) this.#stepSlot(this.slotDoubtful, context, closed);
  }

  /** Folds intervals of a meter with one register in: those from index `from` until `to`. */
  pushAll(
    { time, length, ml, flags }: ReadColumns,
    from: number,
    to: number,
    context: FoldContext,
    closed: OnClosed,
  ): void {
    for (let i = from; i < to; i++) this.push(time[i]!, length[i]!, ml[i]!, flags[i]!, 1, context, closed);
  }

  /**
   * Folds intervals of a meter with one register in that are even in time and alike but for their volume: those from
   * index `from` until `to`. The same as `push` for each of them, a day at a time.
   */
  pushEven(intervals: EvenIntervals, from: number, to: number, context: FoldContext, closed: OnClosed): void {
    const { time, length, ml, flags } = intervals;
    let at = from;
    // Those that make up an hour together, or whose context changes on the way, one by one.
    const singly = length < SHORTEST_UNIT || context.settings.length > 0;
    for (; at < to && (singly || this.slot >= 0); at++)
      this.push(time.from + time.step * at, length, ml[at]!, flags, 1, context, closed);
    if (this.#judged !== context.rules) this.#judge(context.rules);
    while (at < to) {
      const start = time.from + time.step * at;
      const day = context.days.dayOf(start);
      const left = context.days.dayEndsAfter(start) - start;
      // A single interval has no step.
      const inDay = left > 0 && time.step > 0 ? Math.ceil(left / time.step) : 1;
      const next = Math.min(to, at + inDay);
      this.checks.pushEven(intervals, at, next, day, context.checks);
      this.#stepEven(intervals, at, next, day, context, closed);
      at = next;
    }
    const end = time.from + time.step * (to - 1) + length;
    if (end > this.at) this.at = end;
  }

  /** Whether no anomaly goes on. */
  get isQuiet(): boolean {
    for (const rule of this.#rules) if (rule.isOpen) return false;
    return true;
  }

  /** Anomalies that go on, of the rules that are judged. */
  open({ detect, rules, settings }: FoldContext): Found[] {
    const open: Found[] = [];
    const parameters = detectOf(detect, classAt(settings, this.at));
    for (const rule of this.#rules) {
      const found = rules.has(rule.name) ? rule.open(parameters) : undefined;
      if (found !== undefined) open.push(found);
    }
    return open;
  }

  /** No anomaly of the rule that is found from here on begins before this time. */
  earliest(name: RuleName): number {
    const start = this.#rules.find((rule) => rule.name === name)?.start ?? -1;
    const hour = Math.floor(this.at / HOUR) * HOUR;
    const unitStart = this.slot >= 0 ? Math.min(this.slot, hour) : hour;
    return start >= 0 ? Math.min(start, unitStart) : unitStart;
  }

  writeTo(to: Writer): void {
    to.number(this.at).number(this.slot).number(this.slotMl).number(this.slotSeconds);
    to.number((this.slotDoubtful ? 1 : 0) + (this.#slotInParts ? 2 : 0));
    to.number(this.#rules.length);
    for (const rule of this.#rules) {
      to.number(RULES.indexOf(rule.name));
      rule.writeTo(to);
    }
    this.checks.writeTo(to);
  }

  /** @throws RangeError where the bytes name no rule */
  readFrom(from: Reader): void {
    this.at = from.number();
    this.slot = from.number();
    this.slotMl = from.number();
    this.slotSeconds = from.number();
    const flags = from.number();
    this.slotDoubtful = (flags & 1) !== 0;
    this.#slotInParts = (flags & 2) !== 0;
    for (let left = from.number(); left > 0; left--) {
      const name = RULES[from.number()];
      if (name === undefined) throw new RangeError("the bytes name no rule");
      const rule = newRule(name);
      rule.readFrom(from);
      this.#rules.push(rule);
    }
    this.checks.readFrom(from);
  }

  /** Takes up rules that are new and drops those that are no longer judged. */
  #judge(names: ReadonlySet<RuleName>): void {
    const known = this.#rules;
    this.#judged = names;
    // Gathered one by one, as `readFrom` does it: arrays of one kind, so that what was compiled for it stays.
    this.#rules = [];
    for (const name of RULES)
      if (names.has(name)) this.#rules.push(known.find((rule) => rule.name === name) ?? newRule(name));
    this.#hasFine = this.#rules.some(({ fine }) => fine);
  }

  /** @param fine which rules: those that judge interval by interval, the others, or all of them */
  #step(
    start: number,
    end: number,
    ml: number,
    doubtful: boolean,
    day: number,
    fine: boolean | undefined,
    context: FoldContext,
    closed: OnClosed,
  ): void {
    unit.start = start;
    unit.end = end;
    unit.ml = ml;
    known.of(context, start, day);
    unit.neutral = doubtful || known.onPurpose || (end - start > LONGEST_HOUR && ml > 0);
    const rules = this.#rules;
    const { since } = context;
    for (let i = 0; i < rules.length; i++) {
      const rule = rules[i]!;
      if (since !== undefined && start < (since.get(rule.name) ?? 0)) continue;
      if (fine === undefined || rule.fine === fine) rule.step(unit, known, closed);
    }
  }

  /** Units of one local day, rule by rule; what closes is told in the order of time, as `push` tells it. */
  #stepEven(
    { time, length, ml, flags }: EvenIntervals,
    from: number,
    to: number,
    day: number,
    context: FoldContext,
    closed: OnClosed,
  ): void {
    const first = time.from + time.step * from;
    const doubtful = (flags & DOUBTFUL) !== 0;
    known.of(context, first, day);
    const rules = this.#rules;
    const plain = !doubtful && length <= LONGEST_HOUR && time.step === length;
    if (plain) {
      evenDay.start = first;
      evenDay.length = length;
      evenDay.ml = ml;
      evenDay.from = from;
      evenDay.to = to;
    }
    for (let r = 0; r < rules.length; r++) {
      const rule = rules[r]!;
      const since = context.since?.get(rule.name) ?? 0;
      if (plain && first >= since && rule.passOver?.(evenDay, known) === true) continue;
      let start = first;
      for (let i = from; i < to; i++, start += time.step) {
        if (start < since) continue;
        unit.start = start;
        unit.end = start + length;
        unit.ml = ml[i]!;
        unit.neutral = doubtful || (length > LONGEST_HOUR && unit.ml > 0);
        rule.step(unit, known, note);
      }
    }
    if (closings.length === 0) return;
    const told = closings.sort((a, b) => a.at - b.at);
    closings = [];
    for (const { found } of told) closed(found);
  }

  /** @param doubtful an hour that was not read in full says nothing */
  #stepSlot(doubtful: boolean, context: FoldContext, closed: OnClosed): void {
    const fine = this.#slotInParts ? false : undefined;
    const day = context.days.dayOf(this.slot);
    this.#step(this.slot, this.slot + HOUR, this.slotMl, doubtful, day, fine, context, closed);
    this.slot = -1;
  }
}

/**
 * A fold at rest, as bytes: a fraction of its memory, and nothing for the collector to follow. They are kept as a string of
 * Latin-1: a buffer has a block of its own outside of the heap, or keeps the one that it shares with others alive for all
 * of them.
 */
export class PackedFold {
  /** As of the fold. */
  readonly at: number;
  readonly #bytes: string;

  private constructor(at: number, bytes: string) {
    this.at = at;
    this.#bytes = bytes;
  }

  /** Without what checks found that has ended. */
  static of(fold: Fold): PackedFold {
    writer.clear();
    fold.writeTo(writer);
    return new PackedFold(fold.at, writer.latin1());
  }

  static readonly EMPTY = PackedFold.of(new Fold());

  unpack(): Fold {
    const fold = new Fold();
    if (this !== PackedFold.EMPTY) {
      if (this.#bytes.length > unpacked.length) unpacked = Buffer.allocUnsafe(2 * this.#bytes.length);
      fold.readFrom(new Reader(unpacked, 0, unpacked.write(this.#bytes, "latin1")));
    }
    return fold;
  }

  writeTo(to: Writer): void {
    to.number(this.#bytes.length);
    to.rawLatin1(this.#bytes);
  }

  /** @throws RangeError where the bytes are not those of `writeTo` */
  static readFrom(from: Reader): PackedFold {
    const { buffer, byteOffset, length } = from.raw(from.number());
    const bytes = Buffer.from(buffer, byteOffset, length);
    return new PackedFold(new Reader(bytes).number(), bytes.toString("latin1"));
  }
}
