import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { packageRoot } from "../../infra/package-root.js";
import { RULES, type RuleName } from "../../schemas/anomalies.js";
import { detectConfig, type DetectConfig } from "../../schemas/detect-config.js";
import { OUR_RULES, OURS } from "./detectors.js";
import { evaluate } from "./evaluate.js";
import { reached } from "./expected.js";
import { figuresOf, type Figures } from "./figures.js";
import { absentSets, type Half } from "./homes.js";
import { ownHighDays } from "./own-high-days.js";
import { reportOf, type CurvePoint } from "./report.js";
import { secondYear } from "./second-year.js";

const HELP = `npm run evaluate -- [options]

Scores the detector and the published rules of others on real meters with injected leaks
(docs/detection.md). Without --quick it writes that page's figures and charts; 10 to 20 minutes.

  --data DIR     folder with daiad/, karratha/ and ampds2/, or some of them (default: ../shared/data)
  --half WHICH   held-out (default), tuned or all: homes that parameters were chosen on, or not
  --quick        a few cells, printed and not written; a minute
  --expect       write what a few homes reach to bench/evaluate/expected.json, which a test compares; or to --json FILE
  --detect JSON  parameters of "detect" in the configuration, e.g. '{"leak":{"rate":3}}'
  --starts N     injections a home and shape (default 2)
  --seed N       default 42
  --jobs N       worker threads (default: processors)
  --json FILE    write the figures there too
`;
/** What caution is multiplied with, and a high day, for the curve: rising, so that the first within a budget finds most. */
const POINTS = [
  [0.35, 0.6],
  [0.5, 0.7],
  [0.7, 0.85],
  [1, 1],
  [1.5, 1.15],
  [2.5, 1.35],
  [4, 1.7],
  [8, 2.2],
] as const;
const DATA = join(packageRoot(), "..", "shared", "data");
const BEGIN = "<!-- figures: written by npm run evaluate -->";

const { values } = parseArgs({
  options: {
    help: { type: "boolean", default: false },
    data: { type: "string", default: DATA },
    quick: { type: "boolean", default: false },
    expect: { type: "boolean", default: false },
    half: { type: "string", default: "held-out" },
    seed: { type: "string", default: "42" },
    jobs: { type: "string", default: String(availableParallelism()) },
    starts: { type: "string", default: "2" },
    json: { type: "string" },
    detect: { type: "string", default: "{}" },
  },
});

if (values.help) process.stdout.write(HELP);
else if (values.expect) {
  const path = values.json ?? join(packageRoot(), "bench", "evaluate", "expected.json");
  writeFileSync(path, `${JSON.stringify(await reached(values.data), null, 1)}\n`);
} else await main();

async function main(): Promise<void> {
  const half = values.half as Half;
  if (!["held-out", "tuned", "all"].includes(half))
    throw new Error(`--half ${half}: expected held-out, tuned or all`);
  const seed = Number(values.seed);
  const starts = Number(values.starts);
  const detect = detectConfig.parse(JSON.parse(values.detect));
  if (half !== "all" && values.data !== DATA)
    process.stderr.write(`Homes ${half} alone: of other homes than the project's, --half all takes all.\n`);
  for (const set of absentSets(values.data))
    process.stderr.write(`${join(values.data, set)} has no homes: its figures are left out.\n`);
  const figures = async (
    label: string,
    quick: boolean,
    parameters: DetectConfig,
    rules: Iterable<RuleName> = RULES,
  ) => {
    const plan = { seed, starts, quick, detect: parameters, rules };
    const options = { half, jobs: Number(values.jobs), withFaults: !quick };
    const evaluation = await evaluate(values.data, plan, options, (share) => show(label, share));
    return { figures: figuresOf(evaluation, seed), seconds: evaluation.seconds };
  };
  const whole = await figures("all", values.quick, detect);
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(whole.figures, null, 1));
  print(whole.figures);
  if (values.quick) return;
  let { seconds } = whole;
  const curve: CurvePoint[] = [];
  for (const [caution, highest] of POINTS) {
    const { leak, burst, highDay } = detect;
    const times = (value: number) => Math.max(1, value * caution);
    const parameters = {
      ...detect,
      leak: { ...leak, rate: times(leak.rate), run: times(leak.run), joint: times(leak.joint) },
      burst: {
        ...burst,
        rate: times(burst.rate),
        hours: times(burst.hours),
        length: times(burst.length),
      },
      highDay: { ...highDay, highest: highDay.highest * highest },
    };
    const point = await figures(`caution ${caution}`, true, parameters, OUR_RULES);
    seconds += point.seconds;
    curve.push({ caution, highest, figures: point.figures });
  }
  const year = await secondYear(values.data, half, detect);
  const own = await ownHighDays(values.data, half);
  const { markdown, charts } = reportOf({
    ...{ ...whole, curve, detect, seed, starts, half, seconds },
    ...{ secondYear: year, ownHighDays: own },
  });
  const docs = join(packageRoot(), "docs");
  const page = join(docs, "detection.md");
  const [text] = readFileSync(page, "utf8").split(BEGIN);
  writeFileSync(page, `${text!}${BEGIN}\n\n${markdown}`);
  mkdirSync(join(docs, "detection"), { recursive: true });
  for (const [name, svg] of Object.entries(charts)) writeFileSync(join(docs, "detection", name), svg);
  process.stdout.write(`Wrote docs/detection.md and its charts in ${Math.round(seconds)} s.\n`);
}

function show(label: string, share: number): void {
  const text = `${label}: ${Math.round(100 * share)} %`;
  if (process.stderr.isTTY) process.stderr.write(`\r${text}${share === 1 ? "\n" : ""}`);
  else if (share === 1) process.stderr.write(`${text}\n`);
}

/** Ours alone, with all reads there and a fine or a coarse register, and buildings: the page has the rest. */
function print({ controls, injections, faults, stateBytes }: Figures): void {
  const isShown = ({ detector, cell }: { readonly detector: string; readonly cell: string }) =>
    detector === OURS && /^((1|10) L|\d+ homes|always on) \| 0 %/.test(cell);
  const lines = [
    ...controls
      .filter(isShown)
      .map((one) => `${one.set} | ${one.cell}: ${one.alerts.toFixed(2)} alerts per 1,000 meter-days`),
    ...injections
      .filter(isShown)
      .map(
        (one) =>
          `${one.set} | ${one.cell}: ${(100 * one.recall).toFixed(0)} % found, median ${one.median.toFixed(1)} h, ${one.runs} runs`,
      ),
    ...faults
      .filter(({ detector }) => detector === OURS)
      .map(({ fault, extra }) => `${fault}: ${extra} alerts more`),
    `largest state ${stateBytes} bytes`,
  ];
  process.stdout.write(lines.join("\n") + "\n");
}
