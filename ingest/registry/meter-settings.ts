import type { MeterSetting } from "../../schemas/meters.js";

/** What residents of one premise said, cut to the time for which it can hold for the meter. UTC seconds, `until` not included. */
export interface Declared {
  readonly kind: "normal" | "away" | "on-purpose" | "budget";
  /** mL/h of a normal flow, mL a month of a budget. */
  readonly rate: number | null;
  readonly from: number;
  /** Infinity: until it is taken back. */
  readonly until: number;
}

/** A message has room for so many settings (schemas/meters.ts); of each kind the latest are kept. */
const MOST: Readonly<Record<Declared["kind"], number>> = { normal: 4, budget: 4, away: 8, "on-purpose": 8 };

/**
 * What the detector is told of a meter: the registry's settings with what residents declared laid over them, in order of
 * time. Of normal flows that overlap, and of budgets, the one declared last holds; periods of the same kind that overlap are one.
 */
export function settingsOf(
  registry: readonly MeterSetting[],
  declared: readonly Declared[],
): readonly MeterSetting[] {
  if (declared.length === 0) return registry;
  const inOrder = declared.filter(({ from, until }) => until > from).sort((a, b) => a.from - b.from);
  const of = (kind: Declared["kind"]) => inOrder.filter((one) => one.kind === kind).slice(-MOST[kind]);
  const lastRate = (list: readonly Declared[], time: number) =>
    list.findLast(({ from, until }) => from <= time && time < until)?.rate ?? null;
  const flows = of("normal");
  const rates = changes(flows, (time) => lastRate(flows, time) ?? registryRate(registry, time)).map(
    ([from, continuousFlowRate]): MeterSetting => ({ from, continuousFlowRate }),
  );
  const budgets = of("budget");
  const months = changes(budgets, (time) => lastRate(budgets, time)).map(([from, budget]): MeterSetting => ({
    from,
    budget,
  }));
  const periods = (["away", "on-purpose"] as const).flatMap((kind) => {
    const field = kind === "away" ? "away" : "onPurpose";
    const own = of(kind);
    return changes(own, (time) => own.some(({ from, until }) => from <= time && time < until)).map(
      ([from, holds]): MeterSetting => ({ from, [field]: holds }),
    );
  });
  // Of one moment, what was declared comes after what the registry says.
  return [...registry, ...rates, ...months, ...periods].sort((a, b) => a.from - b.from);
}

/** What holds from each beginning and end on, where it is another than before. */
function changes<T>(declared: readonly Declared[], holdsAt: (time: number) => T): [from: number, value: T][] {
  const times = [...new Set(declared.flatMap(({ from, until }) => [from, until]))]
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  return times
    .map((time): [number, T] => [time, holdsAt(time)])
    .filter(([, value], i, all) => i === 0 || value !== all[i - 1]![1]);
}

/** mL/h that the registry sets for the meter at a time; `null`: nothing. */
function registryRate(registry: readonly MeterSetting[], time: number): number | null {
  return (
    registry.findLast(({ from, continuousFlowRate }) => from <= time && continuousFlowRate !== undefined)
      ?.continuousFlowRate ?? null
  );
}
