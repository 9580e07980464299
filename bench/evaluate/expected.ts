import { DETECTORS, OURS } from "./detectors.js";
import { figuresOf } from "./figures.js";
import { readHomes, type Home } from "./homes.js";
import { evaluateHome } from "./run.js";

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
      ? [...evaluateHome(home, place, { seed: SEED, starts: 2, quick: true, rules: DETECTORS[0]!.rules })]
      : [];
  });
  const { controls, injections } = figuresOf({ results, faults: [], seconds: 0 }, SEED);
  const ours = <T extends { readonly detector: string }>(list: readonly T[]) =>
    list.filter(({ detector }) => detector === OURS);
  return {
    alerts: Object.fromEntries(
      ours(controls).map(({ set, cell, alerts, meterDays }) => [
        `${set} | ${cell}`,
        Math.round((alerts * meterDays) / 1000),
      ]),
    ),
    leaks: Object.fromEntries(
      ours(injections).map(({ set, cell, runs, recall, median }) => [
        `${set} | ${cell}`,
        {
          runs,
          found: Math.round(recall * runs),
          median: Number.isFinite(median) ? Math.round(median * 10) / 10 : null,
        },
      ]),
    ),
  };
}
