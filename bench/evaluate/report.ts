import type { DetectConfig } from "../../schemas/detect-config.js";
import { BUILDING_KINDS } from "./buildings.js";
import { svgOf } from "./chart.js";
import { DETECTORS, HIGH_DAY, OURS } from "./detectors.js";
import { LEAK_BARS, QUARTERS } from "./leak-bars.js";
import type { OwnHighDays } from "./own-high-days.js";
import type { SecondYear } from "./second-year.js";
import type { ControlFigure, Figures, InjectionFigure } from "./figures.js";
import {
  ALWAYS_ON,
  ALWAYS_ON_CELL,
  buildingCell,
  cellOf,
  EARLY_DAYS,
  earlyCell,
  MISSING,
  RESOLUTIONS,
} from "./run.js";
import { DELIVERIES } from "./score.js";
import { ALWAYS_ON_LEAKS, BUILDING_LEAKS, EARLY_LEAKS, HARD_NEGATIVES, HIGH_USAGE, LEAKS } from "./shapes.js";

/** Figures with all parameters of caution multiplied. */
export interface CurvePoint {
  readonly caution: number;
  /** What a high day is multiplied with. */
  readonly highest: number;
  readonly figures: Figures;
}

export interface Report {
  readonly figures: Figures;
  readonly curve: readonly CurvePoint[];
  readonly ownHighDays: readonly OwnHighDays[];
  /** Where the folder has homes that were read for longer than a year. */
  readonly secondYear: SecondYear | undefined;
  readonly detect: DetectConfig;
  readonly seed: number;
  readonly starts: number;
  readonly half: string;
  readonly seconds: number;
}

const SETS = ["daiad", "karratha"] as const;
const NAMES: Readonly<Record<string, string>> = {
  daiad: "DAIAD (Alicante)",
  karratha: "Karratha",
  [QUARTERS]: "AMPds2, 15 min (one house)",
};
const PLAIN = cellOf("1 L", 0);

/** Alerts on each hard negative by 1,000 meter-days of all of them: together they are the strict false alerts. */
function strictAlerts({ injections }: Figures): { readonly name: string; readonly rate: number }[] {
  const runs = HARD_NEGATIVES.flatMap(({ name, days }) =>
    injections
      .filter(
        ({ set, cell, detector }) =>
          SETS.includes(set as (typeof SETS)[number]) && cell === cellOf("1 L", 0, name) && detector === OURS,
      )
      .map((one) => ({ name, days: days * one.runs, alerts: one.alertsARun * one.runs })),
  );
  const meterDays = runs.reduce((sum, { days }) => sum + days, 0);
  return HARD_NEGATIVES.map(({ name }) => ({
    name,
    rate: runs.reduce((sum, one) => sum + (one.name === name ? (1000 * one.alerts) / meterDays : 0), 0),
  }));
}

function strictText(figures: Figures): string[] {
  const alerts = strictAlerts(figures);
  const rateOf = (is: RegExp) => alerts.reduce((sum, { name, rate }) => sum + (is.test(name) ? rate : 0), 0);
  const [pool, cooler, rest] = [rateOf(/^pool/), rateOf(/^cooler/), rateOf(/^(?!pool|cooler)/)];
  return [
    `By 1,000 meter-days of all of these, ${pool.toFixed(1)} alerts are of pool fills, ${cooler.toFixed(1)} of coolers, whose first alert somebody answers, ${rest.toFixed(1)} of the rest. ` +
      "The bar of one can't be met beside the others: for its first hours a pool that is filled at 900 L/h is the same water as a burst, of which an alert is asked within three hours, and as high use, of which one is asked on the day; " +
      "and of a cooler somebody has to hear once, to answer.",
    "",
  ];
}

/** `docs/detection.md` below its hand-written part, and its charts by file name. */
export function reportOf(report: Report): {
  readonly markdown: string;
  readonly charts: Record<string, string>;
} {
  const { figures, curve } = report;
  const look = (set: string, cell: string, detector: string = OURS, of: Figures = figures) =>
    of.injections.find((one) => one.set === set && one.cell === cell && one.detector === detector);
  const control = (set: string, cell: string, detector: string = OURS, of: Figures = figures) =>
    of.controls.find((one) => one.set === set && one.cell === cell && one.detector === detector);
  const leak = (shape: string) => cellOf("1 L", 0, shape);

  /** Under `CURVE_LEAKS`, at a point of the curve. */
  const foundAt = (set: string, of: Figures) =>
    CURVE_LEAKS.map(([, cell]) => found(look(set, cell, OURS, of)));
  const alwaysOnAlerts = SETS.map(
    (set) => `${NAMES[set]!} ${control(set, cellOf(ALWAYS_ON_CELL, 0))?.alerts.toFixed(2) ?? "–"}`,
  ).join(", ");

  const markdown = [
    ...head(report),
    "",
    "### The bars",
    "",
    ...bars(look, control, figures),
    "",
    "### Alerts on untouched homes",
    "",
    "Alerts per 1,000 meter-days, those up to 72 hours apart joined, with 95 % intervals over homes. Natural leaks are among them: no public set says which. The share that was over within a day hints at it.",
    "",
    ...table(
      ["rule", ...SETS.flatMap((set) => [NAMES[set]!, "over in a day", "time under alert"])],
      DETECTORS.map(({ name }) => [
        name,
        ...SETS.flatMap((set) => {
          const one = control(set, PLAIN, name);
          return one === undefined
            ? ["", "", ""]
            : [frequency(one), percent(one.brief), percent(one.active, 1)];
        }),
      ]),
    ),
    "",
    "### Leaks, 1 L register, hourly",
    "",
    "Share found within the window (14 days; 28 for the pinhole, 3 from 300 L/h on), and median hours of data until the alert, the undetected counted as never. A stuck valve and more in irrigation runs begin in an hour of 300 L or more, in homes that have one within a week.",
    "",
    ...SETS.flatMap((set) => [
      `**${NAMES[set]!}**`,
      "",
      ...table(
        ["leak", ...COMPARED, "masked", "rate error"],
        LEAKS.map(({ name }) => {
          const ours = look(set, leak(name));
          return [
            name,
            ...COMPARED.map((detector) => found(look(set, leak(name), detector))),
            String(ours?.masked ?? ""),
            ours === undefined || Number.isNaN(ours.rateError) ? "" : percent(ours.rateError),
          ];
        }),
      ),
      "",
    ]),
    "![Hours until a constant leak is found](detection/time.svg)",
    "",
    "### Until somebody knows",
    "",
    "Median hours from the beginning of a leak until the alert, and those within which nine of ten were found, by how often reads are delivered (at whole multiples of that, UTC).",
    "",
    ...table(
      ["set", "leak", "rule", "hourly", ...DELIVERIES.map((each) => `each ${each} h`)],
      SETS.flatMap((set) =>
        TOLD.flatMap((shape) =>
          [OURS, DETECTORS[1]!.name].map((detector) => {
            const one = look(set, leak(shape), detector);
            const both = ([median, ninth]: readonly [number, number]) => `${hours(median)}, ${hours(ninth)}`;
            return [
              NAMES[set]!,
              shape,
              detector,
              ...(one === undefined
                ? []
                : [both([one.median, one.ninth]), ...DELIVERIES.map((each) => both(one.delivered[each]!))]),
            ];
          }),
        ),
      ),
    ),
    "",
    "### What an alert says, and how it ends",
    "",
    "Curbstop. Medians: how far the beginning it tells is from the true one, the error of its rate at the alert and a day later, the water that ran until then, hours from the end of the water until the end is told. Told to be over while it ran: of the alerts that found it.",
    "",
    ...table(
      ["set", "leak", "beginning", "rate", "a day later", "water", "alerts", "over while it ran", "end told"],
      SETS.flatMap((set) =>
        [...TOLD, "15 L/h, repaired after 4 days"].map((shape) => {
          const one = look(set, leak(shape));
          if (one === undefined) return [NAMES[set]!, shape];
          const rate = LEAKS.find(({ name }) => name === shape)?.rate;
          return [
            NAMES[set]!,
            shape,
            hours(one.startError),
            percent(one.rateError),
            percent(one.rateErrorLater),
            rate === undefined || !Number.isFinite(one.median)
              ? ""
              : `${Math.round((rate / 1000) * one.median)} L`,
            one.alertsARun.toFixed(2),
            percent(one.closedEarly),
            hours(one.closeDelay),
          ];
        }),
      ),
    ),
    "",
    "### How much an alert is worth",
    "",
    `Share of alerts that are of a leak, where ${percent(PREVALENCE, 1)} of homes leak at any time (Mackay) and a leak goes on for ${LASTS_DAYS} days: the mean share found of the leaks above up to 120 L/h, and the alerts on untouched homes as if all of them were false. There are natural leaks among these, so it is a lower bound.`,
    "",
    ...table(
      ["rule", ...SETS.map((set) => NAMES[set]!)],
      COMPARED.map((detector) => [
        detector,
        ...SETS.map((set) => {
          const wrong = control(set, PLAIN, detector)?.alerts;
          const shares = SMALL_LEAKS.map((shape) => look(set, leak(shape), detector)?.recall ?? 0);
          const right =
            ((1000 * PREVALENCE) / LASTS_DAYS) * (shares.reduce((sum, one) => sum + one, 0) / shares.length);
          return wrong === undefined ? "" : percent(right / (right + wrong));
        }),
      ]),
    ),
    "",
    "### Meters that are never dry, and young ones",
    "",
    `Curbstop. Steps on top of ${ALWAYS_ON} L/h that always flow, found in 7 days at a meter that the registry calls always-on (${alwaysOnAlerts} alerts per 1,000 meter-days without a step); and leaks that begin so many days after the meter's first read (from the third on the rule speaks; until the seventh the fixed rule does too).`,
    "",
    ...table(
      ["set", "leak", "always on", ...EARLY_DAYS.map((days) => `after ${days} days`)],
      SETS.flatMap((set) =>
        [...new Set([...ALWAYS_ON_LEAKS, ...EARLY_LEAKS].map(({ name }) => name))].map((shape) => [
          NAMES[set]!,
          shape,
          found(look(set, cellOf(ALWAYS_ON_CELL, 0, shape))),
          ...EARLY_DAYS.map((days) => found(look(set, cellOf(earlyCell(days), 0, shape)))),
        ]),
      ),
    ),
    "",
    "### Buildings",
    "",
    `Homes of one set behind one meter of 10 L, drawn by the seed, ${BUILDING_KINDS.map(({ homes, class: of }) => `${homes} as \`${of}\``).join(" and ")} (no public set has meters of buildings). One home is in several of them, so what it did by itself is counted as often. Alerts per 1,000 meter-days, share found in 14 days (600 L/h in 3) and median hours.`,
    "",
    ...table(
      ["set", "meter", "rule", "alerts", ...BUILDING_LEAKS.map(({ name }) => name)],
      SETS.flatMap((set) =>
        BUILDING_KINDS.flatMap(({ homes }) =>
          AT_BUILDINGS.map((detector) => {
            const one = control(set, cellOf(buildingCell(homes), 0), detector);
            return [
              NAMES[set]!,
              `${homes} homes`,
              detector,
              one === undefined ? "" : frequency(one),
              ...BUILDING_LEAKS.map(({ name }) =>
                found(look(set, cellOf(buildingCell(homes), 0, name), detector)),
              ),
            ];
          }),
        ),
      ),
    ),
    "",
    "![Hours until a constant leak is found, by class and register](detection/classes.svg)",
    "",
    "### Registers and missing reads",
    "",
    `Curbstop, share found in 7 days (refills in 14, 600 L/h in 3) and median hours.`,
    "",
    ...SETS.flatMap((set) => [
      `**${NAMES[set]!}**`,
      "",
      ...table(
        ["register", "missing", "alerts", ...GRID],
        RESOLUTIONS.flatMap(([resolution]) =>
          MISSING.map((missing) => [
            resolution,
            percent(missing),
            control(set, cellOf(resolution, missing))?.alerts.toFixed(2) ?? "",
            ...GRID.map((shape) => found(look(set, cellOf(resolution, missing, shape)))),
          ]),
        ),
      ),
      "",
    ]),
    "The same for a rule of any flow in 24 hours (R1), all reads there:",
    "",
    ...table(
      ["set", "register", ...GRID],
      SETS.flatMap((set) =>
        RESOLUTIONS.map(([resolution]) => [
          NAMES[set]!,
          resolution,
          ...GRID.map((shape) => found(look(set, cellOf(resolution, 0, shape), DETECTORS[1]!.name))),
        ]),
      ),
    ),
    "",
    "### Recall against alerts",
    "",
    "`leak.rate`, `leak.run`, `leak.joint`, `burst.rate`, `burst.hours` and `burst.length` multiplied: less caution finds more and sooner, and alerts more.",
    "",
    ...SETS.flatMap((set) => [
      `**${NAMES[set]!}**`,
      "",
      ...table(
        ["caution", "alerts", ...CURVE_LEAKS.map(([name]) => name)],
        curve.map(({ caution, figures: of }) => [
          `× ${caution}`,
          control(set, PLAIN, OURS, of)?.alerts.toFixed(2) ?? "",
          ...foundAt(set, of),
        ]),
      ),
      "",
    ]),
    "![Recall against alerts](detection/curve.svg)",
    "",
    "The most that is found within a budget of alerts, of the points above:",
    "",
    ...table(
      ["set", "alerts at most", "caution", ...CURVE_LEAKS.map(([name]) => name)],
      SETS.flatMap((set) =>
        BUDGETS.map((budget) => {
          const point = curve.find(
            ({ figures: of }) => (control(set, PLAIN, OURS, of)?.alerts ?? Infinity) <= budget,
          );
          if (point === undefined) return [NAMES[set]!, String(budget), "none of them"];
          const { caution, figures: of } = point;
          return [NAMES[set]!, String(budget), `× ${caution}`, ...foundAt(set, of)];
        }),
      ),
    ),
    "",
    "What the bars that were missed would cost: the fewest alerts on untouched homes of the same set at which a point of the curve meets one.",
    "",
    ...table(["bar", "goal", "met at", "alerts"], costs(look, control, curve)),
    "",
    "### What is no leak",
    "",
    "Alerts that the shape brought and the untouched copy has not. They are Curbstop's strict false alerts.",
    "",
    ...table(
      ["shape", ...SETS.flatMap((set) => COMPARED.map((detector) => `${NAMES[set]!}: ${detector}`))],
      HARD_NEGATIVES.map(({ name }) => [
        name,
        ...SETS.flatMap((set) =>
          COMPARED.map((detector) => {
            const one = look(set, leak(name), detector);
            return one === undefined ? "" : `${one.alertsARun.toFixed(2)} a home`;
          }),
        ),
      ]),
    ),
    "",
    ...strictText(figures),
    "### High usage",
    "",
    "Share found within 24 hours from its beginning, and median hours; the alerts on untouched homes are in the table above.",
    "",
    ...table(
      ["use", ...SETS.flatMap((set) => HIGH.map((detector) => `${NAMES[set]!}: ${detector}`))],
      HIGH_USAGE.map(({ name }) => [
        name,
        ...SETS.flatMap((set) => HIGH.map((detector) => found(look(set, leak(name), detector)))),
      ]),
    ),
    "",
    "`highDay.highest` multiplied: the higher, the fewer are told of.",
    "",
    ...table(
      ["highest", ...SETS.flatMap((set) => [`${NAMES[set]!}: alerts`, ...HIGH_BARS.map(([shape]) => shape)])],
      curve.map(({ highest, figures: of }) => [
        `× ${highest}`,
        ...SETS.flatMap((set) => [
          control(set, PLAIN, HIGH_DAY, of)?.alerts.toFixed(2) ?? "",
          ...HIGH_BARS.map(([shape]) => found(look(set, leak(shape), HIGH_DAY, of))),
        ]),
      ]),
    ),
    "",
    ...own(report),
    ...billAhead(report),
    "### Faults of the feed",
    "",
    "The untouched homes again, delivered badly: alerts that the good delivery has not.",
    "",
    ...table(
      ["fault", ...COMPARED, "meter-days"],
      [...new Set(figures.faults.map(({ fault }) => fault))].map((fault) => {
        const of = (detector: string) =>
          figures.faults.find((one) => one.fault === fault && one.detector === detector);
        return [
          fault,
          ...COMPARED.map((detector) => String(of(detector)?.extra ?? "")),
          (of(OURS)?.meterDays ?? 0).toFixed(0),
        ];
      }),
    ),
    "",
  ].join("\n");
  return {
    markdown,
    charts: {
      "time.svg": svgOf({
        title: "Median hours until a constant leak is found, DAIAD, 1 L register",
        x: "litres an hour",
        y: "hours",
        log: true,
        xTicks: [1, 2, 4, 7.6, 15, 30, 60, 120],
        yTicks: [0, 12, 24, 36, 48, 60, 72],
        lines: COMPARED.map((name) => ({
          name,
          ours: name === OURS,
          points: [1, 2, 4, 7.6, 15, 30, 60, 120].map(
            (litres) =>
              [litres, look("daiad", leak(`constant ${litres} L/h`), name)?.median ?? Infinity] as const,
          ),
        })),
      }),
      "classes.svg": svgOf({
        title: "Median hours until a constant leak is found, by class and register",
        x: "litres an hour",
        y: "hours",
        log: true,
        xTicks: [4, 8, 15, 30, 60, 120],
        yTicks: [0, 24, 48, 72, 96, 120, 144, 168],
        lines: SETS.flatMap((set) =>
          CLASSES.map(([name, litres, cell]) => ({
            name: `${name}, ${set === "daiad" ? "DAIAD" : "Karratha"}`,
            ours: set === "daiad",
            points: litres.map(
              (one) => [one, look(set, cell(`constant ${one} L/h`))?.median ?? Infinity] as const,
            ),
          })),
        ),
      }),
      "curve.svg": svgOf({
        title: "Constant leak of 4 L/h: share found against alerts on untouched homes",
        x: "alerts per 1,000 meter-days",
        y: "share found, %",
        xTicks: [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20],
        yTicks: [0, 20, 40, 60, 80, 100],
        lines: SETS.flatMap((set) => {
          const point = (name: string, of: Figures = figures) =>
            [
              control(set, PLAIN, name, of)?.alerts ?? Infinity,
              100 * (look(set, leak("constant 4 L/h"), name, of)?.recall ?? 0),
            ] as const;
          return [
            {
              name: `${OURS}, ${set === "daiad" ? "DAIAD" : "Karratha"}`,
              ours: true,
              points: [...curve].map(({ figures: of }) => point(OURS, of)),
            },
            ...["R1 any flow, 24 h", "R2 EyeOnWater", "R3 WaterSmart", "R9 night flow"].map((name) => ({
              name: `${name}, ${set === "daiad" ? "DAIAD" : "Karratha"}`,
              points: [point(name)],
            })),
          ];
        }),
      }),
    },
  };
}

const COMPARED = [
  OURS,
  "R1 any flow, 24 h",
  "R2 EyeOnWater",
  "R3 WaterSmart",
  "R9 night flow",
  "R10 day > 2 ×",
];
const HIGH = [
  HIGH_DAY,
  "Curbstop, spike",
  OURS,
  "R10 day > 2 ×",
  "R10 day > 3 ×, 5 days",
  "R10 day > 150 % of week",
];
/** Rules that are compared at buildings: those of utilities that treat them otherwise, and the plain one. */
const AT_BUILDINGS = [OURS, "R1 any flow, 24 h", "R3 WaterSmart", "R4 SFPUC", "R9 night flow"];
/** Lines of a chart by class and register: constant leaks, and their cell. */
const CLASSES: readonly (readonly [
  name: string,
  litres: readonly number[],
  cell: (shape: string) => string,
])[] = [
  ["home, 1 L", [4, 15, 30, 60, 120], (shape) => cellOf("1 L", 0, shape)],
  ["home, 10 L", [4, 8, 15, 30], (shape) => cellOf("10 L", 0, shape)],
  ...BUILDING_KINDS.map(
    ({ homes }) =>
      [
        `${homes} homes, 10 L`,
        [15, 30, 60, 120],
        (shape: string) => cellOf(buildingCell(homes), 0, shape),
      ] as const,
  ),
];
/** Use that must be found on its day, and in how many cases. */
const HIGH_BARS = [
  ["hose, 400 L/h for 6 h", 0.95],
  ["pool fill, 10 m³ at 900 L/h", 0.95],
  ["a day at 3 times its usual", 0.8],
] as const;
/** What is looked at along the curve. */
const CURVE_LEAKS = [
  ["1 L/h", cellOf("1 L", 0, "constant 1 L/h")],
  ["4 L/h", cellOf("1 L", 0, "constant 4 L/h")],
  ["15 L/h", cellOf("1 L", 0, "constant 15 L/h")],
  ["600 L/h", cellOf("1 L", 0, "constant 600 L/h")],
  ["refill 4 L each 2 h", cellOf("1 L", 0, "refill 4 L each 2 h")],
  ["10 L register, 4 L/h", cellOf("10 L", 0, "constant 4 L/h")],
  ["10 L register, 8 L/h", cellOf("10 L", 0, "constant 8 L/h")],
  ["always on, 15 L/h more", cellOf(ALWAYS_ON_CELL, 0, "constant 15 L/h")],
] as const;
/** Leaks of which the page tells more. */
const TOLD = [
  "constant 1 L/h",
  "constant 4 L/h",
  "constant 15 L/h",
  "constant 60 L/h",
  "refill 4 L each 2 h",
  "constant 600 L/h",
];
/** Share of homes that leak at any time, found in Mackay (DETECTION §2), and days that a leak goes on, those of the window. */
const PREVALENCE = 0.025;
const LASTS_DAYS = 14;
const SMALL_LEAKS = LEAKS.filter(({ rate, days }) => rate !== undefined && days === LASTS_DAYS).map(
  ({ name }) => name,
);
/** Alerts per 1,000 meter-days (DETECTION §4.3). */
const BUDGETS = [0.5, 1, 2, 5];
const GRID = [
  "constant 4 L/h",
  "constant 8 L/h",
  "constant 15 L/h",
  "constant 30 L/h",
  "refill 4 L each 2 h",
  "constant 600 L/h",
];

function head({ figures, seed, starts, half, seconds, detect }: Report): string[] {
  const { homes, meterDays } = SETS.reduce(
    (sum, set) => {
      const one = figures.controls.find((c) => c.set === set && c.cell === PLAIN && c.detector === OURS);
      return { homes: sum.homes + (one?.homes ?? 0), meterDays: sum.meterDays + (one?.meterDays ?? 0) };
    },
    { homes: 0, meterDays: 0 },
  );
  return [
    `Figures of \`npm run evaluate\`: homes ${half}, ${homes} of them with ${Math.round(meterDays).toLocaleString("en")} meter-days, ${starts} starts a home and shape, seed ${seed}, ${Math.round(seconds / 60)} minutes on two processors. Parameters: leak ${JSON.stringify(detect.leak)}, burst ${JSON.stringify(detect.burst)}. Largest state of a meter with every rule on: ${figures.stateBytes.toLocaleString("en")} bytes.`,
  ];
}

type Look = (set: string, cell: string, detector?: string, of?: Figures) => InjectionFigure | undefined;
type Control = (set: string, cell: string, detector?: string, of?: Figures) => ControlFigure | undefined;

/** The bars of DETECTION §4.4, each with what was reached. */
function bars(look: Look, control: Control, figures: Figures): string[] {
  const rows: [bar: string, goal: string, reached: string, met: boolean][] = [];
  const add = (bar: string, goal: string, reached: string, met: boolean) =>
    rows.push([bar, goal, reached, met]);
  for (const [set, most] of [
    ["daiad", 1],
    ["karratha", 4],
  ] as const) {
    const one = control(set, PLAIN);
    if (one !== undefined)
      add(
        `alerts on untouched homes, ${NAMES[set]!}`,
        `≤ ${most} per 1,000 meter-days`,
        frequency(one),
        one.alerts <= most,
      );
  }
  for (const { leak, set, cell, goal, told, met } of LEAK_BARS) {
    const one = look(set, cell);
    if (one !== undefined)
      add(`${leak}, ${NAMES[set]!}`, goal, told === "median" ? found(one) : range(one), met(one));
  }
  for (const [resolution, shape] of [
    ["1 L", "constant 15 L/h"],
    ["10 L", "constant 8 L/h"],
    ["10 L", "constant 30 L/h"],
  ] as const) {
    const errors = SETS.flatMap((set) => look(set, cellOf(resolution, 0, shape))?.rateError ?? []);
    add(
      `rate error, ${shape}, ${resolution} register`,
      "≤ 20 % median",
      errors.map((error) => percent(error)).join(", "),
      errors.every((error) => error <= 0.2),
    );
  }
  const strict = strictAlerts(figures).reduce((sum, { rate }) => sum + rate, 0);
  add("strict false alerts", "≤ 1 per 1,000 meter-days", strict.toFixed(2), strict <= 1);
  for (const set of SETS) {
    const untouched = control(set, PLAIN, HIGH_DAY);
    if (untouched !== undefined)
      add(
        `high usage: alerts on untouched homes, ${NAMES[set]!}`,
        "≤ 2 per 1,000 meter-days",
        frequency(untouched),
        untouched.alerts <= 2,
      );
    for (const [shape, least] of HIGH_BARS) {
      const one = look(set, cellOf("1 L", 0, shape), HIGH_DAY);
      if (one !== undefined)
        add(`${shape}, ${NAMES[set]!}`, `≥ ${percent(least)} on the day`, range(one), one.recall >= least);
    }
  }
  const extra = figures.faults.filter(({ detector }) => detector === OURS);
  add(
    "alerts more from faults of the feed",
    "0",
    extra.map(({ fault, extra: more }) => `${fault} ${more}`).join(", "),
    extra.every(({ extra: more }) => more === 0),
  );
  return table(
    ["bar", "goal", "reached", ""],
    rows.map(([bar, goal, reached, met]) => [bar, goal, reached, met ? "met" : "**missed**"]),
  );
}

/** Of each bar about a leak that was missed, the most cautious point of the curve that meets it. */
function costs(look: Look, control: Control, curve: readonly CurvePoint[]): string[][] {
  return LEAK_BARS.flatMap(({ leak, set, cell, goal, met }) => {
    const reached = look(set, cell);
    if (reached === undefined || met(reached)) return [];
    const bar = [`${leak}, ${NAMES[set]!}`, goal];
    const point = curve.findLast(({ figures }) => met(look(set, cell, OURS, figures)!));
    if (point === undefined) return [[...bar, "no point", ""]];
    const alerts = control(set, PLAIN, OURS, point.figures)!.alerts.toFixed(2);
    return [[...bar, `× ${point.caution}`, alerts]];
  });
}

function own({ ownHighDays }: Report): string[] {
  const each = ownHighDays.map(
    ({ set, forFourFifths, withinTwo }) =>
      `${NAMES[set]!} ${forFourFifths.toFixed(1)} alerts per 1,000 meter-days, and within two of them ${percent(withinTwo)} of the homes`,
  );
  if (ownHighDays.length === 0) return [];
  return [
    `The bar of a day at 3 times its usual can't be met within two alerts, for such days come by themselves. Even who knew beforehand at which homes they come least often, and told of those homes alone, would have, to tell of four fifths of them: ${each.join("; ")}.`,
    "",
  ];
}

function billAhead({
  secondYear,
  detect: {
    billAhead: { times, more },
  },
}: Report): string[] {
  if (secondYear === undefined) return [];
  const { homes, months, high, told, right, doubled, found: caught, day } = secondYear;
  return [
    `\`bill-ahead\` over the ${homes} homes of Alicante that were read into a second year: of ${months} months with the same month a year before, ${high} ended above ${times} times that and ${more / 1e6} m³ more. Told before their end: ${told}, rightly ${right}. With all of their use doubled, ${doubled} pass the limit: ${caught} of these are told, half by day ${day} of the month.`,
    "",
  ];
}

function frequency({ alerts, from, until }: ControlFigure): string {
  return `${alerts.toFixed(2)} (${from.toFixed(2)}–${until.toFixed(2)})`;
}

function range({ recall, recallFrom, recallUntil }: InjectionFigure): string {
  return `${percent(recall)} (${percent(recallFrom)}–${percent(recallUntil)})`;
}

function found(one: InjectionFigure | undefined): string {
  return one === undefined ? "" : `${percent(one.recall)} / ${hours(one.median)}`;
}

function hours(value: number): string {
  return Number.isFinite(value) ? `${value < 10 ? value.toFixed(1) : value.toFixed(0)} h` : "–";
}

function percent(share: number, digits = 0): string {
  return Number.isNaN(share) ? "–" : `${(100 * share).toFixed(digits)} %`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [
    `| ${header.join(" | ")} |`,
    `|${header.map(() => "---").join("|")}|`,
    ...rows.map((row) => `| ${row.join(" | ")} |`),
  ];
}
