import type { DetectConfig } from "../../schemas/detect-config.js";
import type { ColdSpell } from "../../schemas/temperatures.js";
import type { Reader, Writer } from "../varints.js";
import {
  HOUR,
  LONGEST_SILENCE,
  type EvenDay,
  type Found,
  type OnClosed,
  type RuleContext,
  type RuleFold,
  type Unit,
} from "./rule.js";

const VERSION = 1;
/** Seconds without a good read after which a meter is not known to have stood still. */
const LONGEST_HOLE = 4 * HOUR;
/** So long (seconds) after the frost the risk is over: one that comes back in the next night is the same. */
const THAW = 24 * HOUR;

/**
 * Pipes that may freeze (cold-weather alert of SETflow, freeze alert of Next Century: DETECTION §1.1). It was so cold for
 * `hours` without a break, and no water has run for `dryHours`: nobody seems to be home, and what stands still in a pipe
 * freezes first (20 °F: Gordon, "An Investigation into Freezing and Bursting Water Pipes in Residential Construction",
 * Building Research Council, University of Illinois, 1996).
 *
 * It begins with the frost, or where the meter came to stand still in it, and ends when water runs, or a day after the frost. It
 * says nothing where there are no temperatures.
 */
export class FreezeRisk implements RuleFold {
  readonly name = "freeze-risk";
  readonly fine = false;
  /** Since when the meter stands still, -1: it does not, or nobody knows; and the end of the latest good unit. */
  #dry = -1;
  #until = 0;
  /** Of the anomaly, -1 without one; the end of its latest frost. */
  #start = -1;
  #end = 0;
  #detectedAt = 0;
  /** Since when the meter stood still as it began. */
  #dryFrom = 0;

  get isOpen(): boolean {
    return this.#start >= 0;
  }

  get start(): number {
    return this.#start >= 0 ? this.#start : this.#dry;
  }

  step({ start, end, ml, neutral }: Unit, { cold, detect }: RuleContext, closed: OnClosed): void {
    if (neutral) return;
    const hole = start - this.#until;
    this.#until = end;
    if (this.isOpen && hole > LONGEST_SILENCE) this.#stop("no-reads", detect, closed);
    if (ml > 0) {
      this.#dry = -1;
      if (this.isOpen) this.#stop("usage-normal", detect, closed);
      return;
    }
    if (this.#dry < 0 || hole > LONGEST_HOLE) this.#dry = start;
    if (!this.isOpen && end - this.#dry < detect.freezeRisk.dryHours * HOUR) return;
    const frost = latestFrost(cold, start, end);
    if (this.isOpen) {
      if (frost > 0) this.#end = frost;
      else if (start - this.#end >= THAW) this.#stop("thawed", detect, closed);
    } else if (frost > 0) {
      const from = this.#sufficesFrom(cold, start, end, detect.freezeRisk);
      if (from < 0) return;
      this.#start = from;
      this.#dryFrom = this.#dry;
      this.#end = frost;
      this.#detectedAt = end;
    }
  }

  passOver({ start, length, ml, from, to }: EvenDay, { cold, detect }: RuleContext): boolean {
    if (this.isOpen) return false;
    const end = start + (to - from) * length;
    let [first, last] = [from, to - 1];
    while (first < to && ml[first] === 0) first++;
    while (last >= from && ml[last] === 0) last--;
    const goesOn = this.#dry >= 0 && start - this.#until <= LONGEST_HOLE;
    const dry = goesOn ? this.#dry : start;
    // Until the first flow, or beside a flow.
    const longest = Math.max(
      start + (first - from) * length - dry,
      first === to ? 0 : (to - from - 1) * length,
    );
    if (longest >= detect.freezeRisk.dryHours * HOUR && latestFrost(cold, start, end) > 0) return false;
    this.#until = end;
    if (first === to) this.#dry = dry;
    else this.#dry = last === to - 1 ? -1 : start + (last + 1 - from) * length;
    return true;
  }

  open(detect: DetectConfig): Found | undefined {
    return this.isOpen ? this.#found(null, detect) : undefined;
  }

  /** Since when a frost of the unit at which the meter has stood still for long enough goes on; -1: there is none. */
  #sufficesFrom(
    cold: readonly ColdSpell[],
    start: number,
    end: number,
    { hours, dryHours }: DetectConfig["freezeRisk"],
  ): number {
    for (let i = firstEndingAfter(cold, start); i < cold.length && cold[i]!.from < end; i++) {
      const { from, until } = cold[i]!;
      const suffices = Math.max(from + hours * HOUR, this.#dry + dryHours * HOUR);
      if (suffices <= Math.min(end, until)) return Math.max(from, this.#dry);
    }
    return -1;
  }

  #stop(reason: Found["closed"], detect: DetectConfig, closed: OnClosed): void {
    closed(this.#found(reason, detect));
    this.#start = -1;
  }

  #found(closed: Found["closed"], { freezeRisk: { below, hours, dryHours } }: DetectConfig): Found {
    return {
      rule: this.name,
      ruleVersion: VERSION,
      start: this.#start,
      end: this.#end,
      detectedAt: this.#detectedAt,
      rate: 0,
      volume: 0,
      closed,
      evidence: { below, hours, dryHours, dryFrom: this.#dryFrom },
    };
  }

  writeTo(to: Writer): void {
    to.number(this.#until);
    if (this.#until === 0) return;
    to.number(this.#dry).number(this.#start);
    if (this.#start < 0) return;
    to.number(this.#end).number(this.#detectedAt).number(this.#dryFrom);
  }

  readFrom(from: Reader): void {
    this.#until = from.number();
    if (this.#until === 0) return;
    this.#dry = from.number();
    this.#start = from.number();
    if (this.#start < 0) return;
    this.#end = from.number();
    this.#detectedAt = from.number();
    this.#dryFrom = from.number();
  }
}

/** End of the latest frost within a time, or of the time itself; -1: there was none. */
function latestFrost(cold: readonly ColdSpell[], start: number, end: number): number {
  let latest = -1;
  for (let i = firstEndingAfter(cold, start); i < cold.length && cold[i]!.from < end; i++)
    latest = Math.min(end, cold[i]!.until);
  return latest;
}

/** Index of the first spell that ends after a time; they come in order of time. */
function firstEndingAfter(cold: readonly ColdSpell[], time: number): number {
  let [low, high] = [0, cold.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cold[middle]!.until > time) high = middle;
    else low = middle + 1;
  }
  return low;
}
