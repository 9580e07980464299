import { seeded } from "../random.js";
import { DETECTORS } from "./detectors.js";
import type { Evaluation } from "./evaluate.js";
import { grouped } from "./grouped.js";
import type { ControlResult, InjectionResult } from "./run.js";
import { interval, summarise, type Outcome, type Summary } from "./score.js";

export interface ControlFigure {
  readonly set: string;
  readonly cell: string;
  readonly detector: string;
  readonly homes: number;
  readonly meterDays: number;
  /** Alerts per 1,000 meter-days, and the 95 % interval over homes. */
  readonly alerts: number;
  readonly from: number;
  readonly until: number;
  /** Share of them that were over within a day, and of time under alert. */
  readonly brief: number;
  readonly active: number;
}

export interface InjectionFigure extends Summary {
  readonly set: string;
  readonly cell: string;
  readonly detector: string;
  /** Alerts per run that the control has not. */
  readonly alertsARun: number;
}

export interface Figures {
  readonly controls: readonly ControlFigure[];
  readonly injections: readonly InjectionFigure[];
  /** Alerts more than in the control, by fault and detector, in the meter-days looked at. */
  readonly faults: readonly { fault: string; detector: string; extra: number; meterDays: number }[];
  readonly stateBytes: number;
}

/** Tables of an evaluation, one row a set, cell and detector; seeded, so that the same results give the same tables. */
export function figuresOf({ results, faults }: Evaluation, seed: number): Figures {
  const random = seeded(seed);
  const controls = results.filter((result): result is ControlResult => result.type === "control");
  const injections = results.filter((result): result is InjectionResult => result.type === "injection");
  return {
    controls: DETECTORS.flatMap(({ name }, d) =>
      byCell(controls).map((list) => {
        const { set, cell } = list[0]!;
        const days = sum(list, (one) => one.days);
        const alerts = sum(list, (one) => one.alerts[d]!);
        const perThousand = (some: readonly ControlResult[]) =>
          (1000 * sum(some, (one) => one.alerts[d]!)) / sum(some, (one) => one.days);
        const [from, until] = interval(list, random, perThousand);
        return {
          set,
          cell,
          detector: name,
          homes: list.length,
          meterDays: days,
          alerts: perThousand(list),
          from,
          until,
          brief: alerts === 0 ? 0 : sum(list, (one) => one.brief[d]!) / alerts,
          active: sum(list, (one) => one.active[d]!) / days,
        };
      }),
    ),
    injections: DETECTORS.flatMap(({ name }, d) =>
      byCell(injections).map((list) => {
        const { set, cell } = list[0]!;
        const outcomes: Outcome[] = list.map((one) => one.outcomes[d]!);
        return {
          set,
          cell,
          detector: name,
          ...summarise(outcomes, random),
          alertsARun: sum(outcomes, ({ alerts }) => alerts) / outcomes.length,
        };
      }),
    ),
    faults: DETECTORS.flatMap(({ name }, d) =>
      [...new Set(faults.map(({ fault }) => fault))].map((fault) => {
        const list = faults.filter((one) => one.fault === fault);
        return {
          fault,
          detector: name,
          extra: sum(list, (one) => one.extra[d]!),
          meterDays: sum(list, (one) => one.days),
        };
      }),
    ),
    stateBytes: Math.max(0, ...controls.map(({ stateBytes }) => stateBytes)),
  };
}

/** Results of a set and cell. */
function byCell<T extends { readonly set: string; readonly cell: string }>(list: readonly T[]): T[][] {
  return [...grouped(list, ({ set, cell }) => `${set}\n${cell}`).values()];
}

function sum<T>(list: readonly T[], of: (one: T) => number): number {
  return list.reduce((total, one) => total + of(one), 0);
}
