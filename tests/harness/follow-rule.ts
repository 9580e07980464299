import type { Found, RuleContext, RuleFold, Unit } from "../../detect/rules/rule.js";
import { Reader, Writer } from "../../detect/varints.js";
import { detectConfig } from "../../schemas/detect-config.js";

const HOUR = 3600;

/** A unit's volume (mL); `"?"`: neutral; `null`: a hole. */
export type UnitVolume = number | "?" | null;

/** A meter as a rule sees it: defaults, 1 L register, the zone is UTC. */
export function ruleContext(over: Partial<RuleContext> = {}): RuleContext {
  return {
    detect: detectConfig.parse({}),
    resolution: 0,
    rate: undefined,
    rateFrom: 0,
    away: false,
    budget: undefined,
    cold: [],
    class: undefined,
    day: 0,
    hour: 0,
    ...over,
  };
}

/**
 * Takes a rule over units that follow each other.
 * @param seconds length of a unit
 * @param first place of the first in time
 */
export function followRule(
  rule: RuleFold,
  units: readonly UnitVolume[],
  over: Partial<RuleContext> = {},
  seconds = HOUR,
  first = 0,
): { readonly closed: Found[]; readonly open: Found | undefined } {
  const closed: Found[] = [];
  const context = ruleContext(over);
  units.forEach((volume, i) => {
    if (volume === null) return;
    const unit: Unit = {
      start: (first + i) * seconds,
      end: (first + i + 1) * seconds,
      ml: volume === "?" ? 9_000_000_000 : volume,
      neutral: volume === "?",
    };
    context.day = Math.floor(unit.start / 86_400);
    context.hour = Math.floor((unit.start % 86_400) / HOUR);
    rule.step(unit, context, (found) => closed.push(found));
  });
  return { closed, open: rule.open(context.detect) };
}

/** What a rule finds of units, each in its context, though it was made bytes and read again after one of them. */
export function followThroughBytes(
  newRule: () => RuleFold,
  steps: readonly { readonly unit: Unit; readonly context: RuleContext }[],
  after: number,
): { readonly found: Found[]; readonly start: number } {
  const found: Found[] = [];
  let rule = newRule();
  steps.forEach(({ unit, context }, i) => {
    rule.step(unit, context, (one) => found.push(one));
    if (i !== after) return;
    const bytes = new Writer();
    rule.writeTo(bytes);
    rule = newRule();
    rule.readFrom(new Reader(bytes.take()));
  });
  const open = rule.open(ruleContext().detect);
  return { found: open === undefined ? found : [...found, open], start: rule.start };
}

/** The same volume for so many units. */
export function times<T>(count: number, volume: T): T[] {
  return new Array<T>(count).fill(volume);
}
