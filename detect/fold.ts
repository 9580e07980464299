import type { RuleName } from "../schemas/anomalies.js";
import type { DetectConfig } from "../schemas/config.js";
import { DOUBTFUL } from "../schemas/flags.js";
import type { MeterSetting } from "../schemas/meters.js";
import type { TimeZone } from "../infra/time-zone.js";
import type { CheckContext } from "./checks/finding.js";
import { MeterChecks } from "./checks/meter-checks.js";
import type { ReadColumns } from "./read-columns.js";
import { LONGEST_HOUR } from "./registers.js";
import { ContinuousFlow } from "./rules/continuous-flow.js";
import type { Found, Unit } from "./rules/rule.js";
import { Spike } from "./rules/spike.js";

/** What the rules need to know about a meter besides its usage. */
export interface FoldContext {
  readonly detect: DetectConfig;
  readonly rules: ReadonlySet<RuleName>;
  readonly days: TimeZone;
  readonly settings: readonly MeterSetting[];
  /** Smallest step of the meter's registers in millilitres, 0: unknown. */
  readonly resolution: number;
  readonly checks: CheckContext;
}

/** Intervals at least this long (seconds) are judged one by one, shorter ones by the hour. */
const SHORTEST_UNIT = 1800;
const HOUR = 3600;

/**
 * The rules' memory: a fold over a meter's intervals in order of time. Intervals become units (hours), units go to the
 * rules. It depends on the sequence of intervals alone, so any two ways to the same reads end in equal folds.
 */
export class Fold {
  /** End of the last interval or instant of the last register read folded, UTC seconds. */
  at = 0;
  readonly flow: ContinuousFlow;
  readonly spike: Spike;
  /** The hour in hand, of short intervals or of several registers; `slot` -1: none. */
  slot = -1;
  slotMl = 0;
  slotSeconds = 0;
  slotDoubtful = false;
  readonly checks: MeterChecks;

  readonly #unit: Unit = { start: 0, end: 0, ml: 0, neutral: false };

  constructor(flow = new ContinuousFlow(), spike = new Spike(), checks = new MeterChecks()) {
    this.flow = flow;
    this.spike = spike;
    this.checks = checks;
  }

  clone(): Fold {
    const copy = new Fold(this.flow.clone(), this.spike.clone(), this.checks.clone());
    copy.at = this.at;
    copy.slot = this.slot;
    copy.slotMl = this.slotMl;
    copy.slotSeconds = this.slotSeconds;
    copy.slotDoubtful = this.slotDoubtful;
    return copy;
  }

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
    closed: (found: Found) => void,
  ): void {
    const end = start + length;
    if (end > this.at) this.at = end;
    this.checks.push(start, length, ml, flags, registers, context.checks);
    if (registers === 1 && length >= SHORTEST_UNIT) {
      if (this.slot >= 0) this.#endSlot(context, closed);
      this.#judge(start, end, ml, (flags & DOUBTFUL) !== 0, context, closed);
      return;
    }
    const slot = Math.floor(start / HOUR) * HOUR;
    if (slot !== this.slot) {
      if (this.slot >= 0) this.#endSlot(context, closed);
      this.slot = slot;
      this.slotMl = 0;
      this.slotSeconds = 0;
      this.slotDoubtful = false;
    }
    this.slotMl += ml;
    this.slotSeconds += length;
    // Of a longer one nobody knows what belongs to the hour.
    if ((flags & DOUBTFUL) !== 0 || length > HOUR) this.slotDoubtful = true;
    if (this.slotSeconds === HOUR * registers) {
      this.#judge(slot, slot + HOUR, this.slotMl, this.slotDoubtful, context, closed);
      this.slot = -1;
    }
  }

  /** Folds intervals of a meter with one register in. */
  pushAll(
    { count, time, length, ml, flags }: ReadColumns,
    context: FoldContext,
    closed: (found: Found) => void,
  ): void {
    for (let i = 0; i < count; i++) this.push(time[i]!, length[i]!, ml[i]!, flags[i]!, 1, context, closed);
  }

  /** Whether no anomaly goes on. */
  get isQuiet(): boolean {
    return this.flow.detectedAt < 0 && this.spike.start < 0;
  }

  /** Anomalies that go on, of the rules that are judged. */
  open({ detect, rules }: FoldContext): Found[] {
    const found = [this.flow.open(detect.continuousFlow), this.spike.open(detect.spike)];
    return found.filter((one) => one !== undefined && rules.has(one.rule)) as Found[];
  }

  /** No anomaly of the rule that is found from here on begins before this time. */
  earliest(rule: RuleName): number {
    const { start } = rule === "spike" ? this.spike : this.flow;
    if (start >= 0) return start;
    const hour = Math.floor(this.at / HOUR) * HOUR;
    return this.slot >= 0 ? Math.min(this.slot, hour) : hour;
  }

  /** An hour that was not read in full says nothing. */
  #endSlot(context: FoldContext, closed: (found: Found) => void): void {
    this.#judge(this.slot, this.slot + HOUR, this.slotMl, true, context, closed);
    this.slot = -1;
  }

  #judge(
    start: number,
    end: number,
    ml: number,
    doubtful: boolean,
    context: FoldContext,
    closed: (found: Found) => void,
  ): void {
    const unit = this.#unit;
    unit.start = start;
    unit.end = end;
    unit.ml = ml;
    unit.neutral = doubtful || (end - start > LONGEST_HOUR && ml > 0);
    const { detect, rules } = context;
    if (rules.has("continuous-flow")) {
      const rate = rateSetting(context.settings, start) ?? detect.continuousFlow.minRate;
      // Two rounded register values one step apart may differ by a millilitre less than the rounded step.
      const threshold = Math.max(1, context.resolution - 1, (rate * (end - start)) / HOUR);
      this.flow.step(unit, threshold, detect.continuousFlow, closed);
    }
    if (rules.has("spike")) this.spike.step(unit, context.days.dayOf(start), detect.spike, closed);
  }
}

/** The smallest rate that counts as flow for the meter at a time (mL/h), where one was set. */
function rateSetting(settings: readonly MeterSetting[], at: number): number | undefined {
  for (let i = settings.length - 1; i >= 0; i--) {
    const setting = settings[i]!;
    if (setting.from <= at && setting.continuousFlowRate !== undefined) return setting.continuousFlowRate;
  }
  return undefined;
}
