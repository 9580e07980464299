import { isDeepStrictEqual } from "node:util";
import type { ReadsBlock } from "../../../schemas/reads.js";
import { RULES, type RuleName } from "../../../schemas/anomalies.js";
import { environmentOf, Model, type ModelOptions } from "./model.js";

/** Every rule, quick enough to speak within days. */
const QUICK: Parameters<typeof environmentOf>[0] = {
  rules: [...RULES],
  spike: { minDays: 3, minVolume: 100_000 },
  leak: { warmUpDays: 7 },
  burst: { warmUpDays: 3, minRate: 50_000 },
  highDay: { minDays: 3, minVolume: 20_000, highest: 1.1, deviations: 0.5 },
};
export const environment = environmentOf(QUICK);
export const environmentIn = (timeZone: string, since?: ReadonlyMap<RuleName, number>) =>
  environmentOf(QUICK, timeZone, since);

export function run(blocks: readonly ReadsBlock[], sizes: () => number, options: ModelOptions = {}): Model {
  const model = new Model({ environment, ...options });
  for (let at = 0; at < blocks.length;) {
    const size = sizes();
    model.batch(blocks.slice(at, at + size));
    at += size;
  }
  return model;
}

export function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [copy[i], copy[j]] = [copy[j]!, copy[i]!];
  }
  return copy;
}

function resultOf({ tables }: Model) {
  return {
    checks: tables.checks(),
    usage: tables.usage(),
    delivered: tables.delivered(),
    anomalies: tables.current(),
    fallen: tables.fallen(),
  };
}

/** The whole set at once: nothing is trimmed, saved or loaded on the way. */
export function reference(blocks: readonly ReadsBlock[], options: ModelOptions = {}): Model {
  return run(blocks, () => blocks.length, { ...options, trims: () => false });
}

export function expectSame(model: Model, other: Model): void {
  const [result, expected] = [resultOf(model), resultOf(other)];
  // Much faster than the matcher, which is there to show the difference.
  if (!isDeepStrictEqual(result, expected)) expect(result).toEqual(expected);
  expect(result.usage).toHaveLength(expected.usage.length);
}
