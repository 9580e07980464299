import { HIGH_DAY, OUR_RULES, OURS } from "./detectors.js";
import { figuresOf, type ControlFigure, type InjectionFigure } from "./figures.js";
import { readHomes, type Home } from "./homes.js";
import { cellOf, evaluateHome } from "./run.js";
import { HIGH_USAGE } from "./shapes.js";

/** What the detector reaches on a few homes: kept in expected.json, so that a change that makes it worse is seen. */
export interface Expected {
  /** Alerts on the untouched homes, by set and reading. */
  readonly alerts: Readonly<Record<string, number>>;
  /** By set, reading and leak: runs, found ones, and median hours (null: fewer than half). */
  readonly leaks: Readonly<Record<string, { runs: number; found: number; median: number | null }>>;
}

const SEED = 42;
const HOMES = 6;

/** The first homes of each set through a few cells, in this thread; half a minute. */
export async function reached(folder: string): Promise<Expected> {
  const homes = await readHomes(folder);
  const places = new Map<Home["set"], number>();
  const results = homes.flatMap((home, place) => {
    const taken = places.get(home.set) ?? 0;
    places.set(home.set, taken + 1);
    return taken < HOMES
      ? [...evaluateHome(home, place, { seed: SEED, starts: 2, quick: true, rules: OUR_RULES })]
      : [];
  });
  const { controls, injections } = figuresOf({ results, faults: [], seconds: 0 }, SEED);
  const high = new Set(HIGH_USAGE.map(({ name }) => cellOf("1 L", 0, name)));
  const told = ({ detector, set, cell }: ControlFigure | InjectionFigure) =>
    `${detector === OURS ? "" : `${detector} | `}${set} | ${cell}`;
  return {
    alerts: Object.fromEntries(
      controls
        .filter(({ detector }) => detector === OURS || detector === HIGH_DAY)
        .map((one) => [told(one), Math.round((one.alerts * one.meterDays) / 1000)]),
    ),
    leaks: Object.fromEntries(
      injections
        .filter(({ detector, cell }) => detector === (high.has(cell) ? HIGH_DAY : OURS))
        .map((one) => {
          const { runs, recall, median } = one;
          const hours = Number.isFinite(median) ? Math.round(median * 10) / 10 : null;
          return [told(one), { runs, found: Math.round(recall * runs), median: hours }];
        }),
    ),
  };
}
