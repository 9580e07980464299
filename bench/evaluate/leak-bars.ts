import type { InjectionFigure } from "./figures.js";
import { ALWAYS_ON, ALWAYS_ON_CELL, cellOf } from "./run.js";

/** What is asked of a kind of leak in a set of homes (DETECTION §4.4). */
export interface LeakBar {
  /** Without the set's name. */
  readonly leak: string;
  readonly set: string;
  readonly cell: string;
  readonly goal: string;
  /** Which of a figure is looked at. */
  readonly told: "recall" | "median";
  readonly met: (figure: Pick<InjectionFigure, "recall" | "median">) => boolean;
}

const recall = (least: number) => ({
  told: "recall" as const,
  met: (figure: Pick<InjectionFigure, "recall">) => figure.recall >= least,
});
const within = (hours: number) => ({
  told: "median" as const,
  met: (figure: Pick<InjectionFigure, "median">) => figure.median <= hours,
});

function barsOf(set: string): LeakBar[] {
  const constant = [1, 4, 15].flatMap((litres) => {
    const leak = `constant ${litres} L/h`;
    const cell = cellOf("1 L", 0, leak);
    return [
      { leak, set, cell, goal: "≥ 98 % found", ...recall(0.98) },
      { leak: `${leak}, median time`, set, cell, goal: "≤ 12 h (gate 18 h)", ...within(18) },
    ];
  });
  const coarse = (
    [
      ["constant 4 L/h", 0.6],
      ["constant 8 L/h", 0.9],
    ] as const
  ).map(([shape, least]) => ({
    leak: `10 L register, ${shape}`,
    ...{ set, cell: cellOf("10 L", 0, shape), goal: `≥ ${100 * least} % in 7 days`, ...recall(least) },
  }));
  const refill = "refill 4 L each 2 h";
  return [
    ...constant,
    ...coarse,
    {
      leak: refill,
      ...{ set, cell: cellOf("1 L", 0, refill), goal: "≥ 80 % in 14 days (gate 60 %)", ...recall(0.8) },
    },
    {
      leak: "600 L/h, hourly",
      ...{ set, cell: cellOf("1 L", 0, "constant 600 L/h"), goal: "median ≤ 3 h", ...within(3) },
    },
    {
      leak: `15 L/h on top of ${ALWAYS_ON}, always on`,
      ...{
        set,
        cell: cellOf(ALWAYS_ON_CELL, 0, "constant 15 L/h"),
        goal: "≥ 80 % in 7 days",
        ...recall(0.8),
      },
    },
  ];
}

export const QUARTERS = "ampds2, 15 min";
export const LEAK_BARS: readonly LeakBar[] = [
  ...barsOf("daiad"),
  ...barsOf("karratha"),
  {
    leak: "600 L/h",
    ...{ set: QUARTERS, cell: cellOf("1 L", 0, "constant 600 L/h"), goal: "median ≤ 1 h", ...within(1) },
  },
];
