import { seeded } from "../../../bench/random.js";
import { readHomes, type Home } from "../../../bench/evaluate/homes.js";
import { Flag } from "../../../schemas/flags.js";
import { RULES } from "../../../schemas/anomalies.js";
import { sequenceAt, type ReadsBlock } from "../../../schemas/reads.js";
import { DATA_SETS, itWithData } from "../../harness/data-sets.js";
import { environmentIn, expectSame, reference, run, shuffled } from "./any-order.js";
import { blockOf, type ModelOptions, type TestRead } from "./model.js";

const DAY = 86_400;
/** More by PROPERTY_RUNS. */
const RUNS = Math.max(1000, Number(process.env["PROPERTY_RUNS"] ?? 0));
/** Days on which clocks change in Madrid while the meters there were read. */
const CHANGES = [Date.UTC(2016, 9, 30) / 1000, Date.UTC(2017, 2, 26) / 1000];

/** Some days of a real meter: its register, or the usage between its reads. */
function windowOf(
  home: Home,
  random: () => number,
): { readonly kind: ReadsBlock["kind"]; readonly reads: TestRead[] } {
  const days = 2 + Math.floor(random() * 6);
  const [first, last] = [home.time[0]!, home.time[home.time.length - 1]! - days * DAY];
  const change = CHANGES.find((at) => at - DAY > first && at < last);
  const from =
    change !== undefined && random() < 0.3 ? change - DAY : first + Math.floor(random() * (last - first));
  const kind = random() < 0.5 ? "register" : "usage";
  const reads: TestRead[] = [];
  for (let i = 1; i < home.time.length && home.time[i]! < from + days * DAY; i++) {
    if (home.time[i]! < from) continue;
    const [before, time] = [home.time[i - 1]!, home.time[i]!];
    const [was, ml] = [home.register[i - 1]!, home.register[i]!];
    if (kind === "register") reads.push({ time, ml });
    else if (ml >= was) reads.push({ time: before, length: time - before, ml: ml - was });
  }
  return { kind, reads };
}

/** As a head-end delivers it: in blocks, some reads estimated at first, some corrected, some blocks twice, in any order. */
function deliveries(home: Home, random: () => number): ReadsBlock[] {
  let window = windowOf(home, random);
  // Some meters were silent for weeks.
  while (window.reads.length < 12) window = windowOf(home, random);
  const { kind, reads } = window;
  const again: TestRead[] = [];
  const first = reads.map((read) => {
    if (random() < 0.95) return read;
    again.push(read);
    const ml = read.ml! + Math.floor(random() * 3) * 1000;
    return random() < 0.7 ? { ...read, ml, flags: Flag.estimated } : { ...read, ml };
  });
  const blocks: ReadsBlock[] = [];
  const put = (list: readonly TestRead[], file: number) => {
    for (let at = 0; at < list.length;) {
      const size = 1 + Math.floor(random() * 40);
      blocks.push(blockOf(list.slice(at, at + size), { kind, file, line: at + 1 }));
      at += size;
    }
  };
  put(first, 1);
  put(again, 2);
  return blocks;
}

const title = `finds the same in ${RUNS} windows of real meters, whatever the order, repetitions, batches and restarts`;
itWithData(title, [
  "daiad/swm_trialA.csv.gz",
  "karratha/hourly_litres.csv.gz",
  "ampds2/whole_house_1min.csv.gz",
])(
  title,
  async () => {
    const homes = await readHomes(DATA_SETS);
    let anomalies = 0;
    for (let seed = 0; seed < RUNS; seed++) {
      const random = seeded(seed);
      const home = homes[Math.floor(random() * homes.length)]!;
      const blocks = deliveries(home, random);
      // Some rules were put in while the reads came.
      const later = sequenceAt(blocks[Math.floor(random() * blocks.length)]!.time, 0);
      const since =
        random() < 0.5 ? undefined : new Map(RULES.map((rule, i) => [rule, i % 2 === 0 ? 0 : later]));
      const options: ModelOptions = {
        environment: environmentIn(home.timeZone, since),
        trims: () => random() < 0.5,
        saves: () => random() < 0.3,
      };
      const order = shuffled([...blocks, ...blocks.filter(() => random() < 0.1)], random);
      const model = run(order, () => 1 + Math.floor(random() * 6), options);
      const whole = reference(blocks, options);
      anomalies += whole.tables.current().length;
      try {
        expectSame(model, whole);
      } catch (error) {
        throw new Error(`seed ${seed}, ${home.set} ${home.name}: ${(error as Error).message}`);
      }
    }
    // The windows are no quiet ones.
    expect(anomalies).toBeGreaterThan(RUNS);
  },
  600_000,
);
