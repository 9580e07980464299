import fc from "fast-check";
import { seeded } from "../../../bench/random.js";
import { Flag } from "../../../schemas/flags.js";
import { sequenceAt, type ReadsBlock } from "../../../schemas/reads.js";
import { environment, expectSame, reference, run, shuffled } from "./any-order.js";
import { blockOf, environmentOf, Model, type TestRead } from "./model.js";

const HOUR = 3600;
const MOST_INTERVALS = 800;
/** Five days before summer time ends in Los Angeles, so that every history has a day of 25 hours. */
const START = Date.UTC(2025, 9, 28, 7) / 1000;

type Kind = "register" | "usage";

/** A history of a meter as files deliver it: a function of its seed. */
interface History {
  readonly seed: number;
  readonly days: number;
  /** Kinds of reads of each channel. */
  readonly channels: readonly (readonly Kind[])[];
  /** Seconds of an interval. */
  readonly step: number;
  /** Share of reads that are missing, estimated, or otherwise spoilt. */
  readonly faults: number;
  /** Files that correct a stretch of what came before. */
  readonly corrections: number;
  /** Corrections may cut time otherwise, so that delivered intervals overlap. */
  readonly overlaps: boolean;
  /** Of a channel with usage too, one register read in so many. */
  readonly every?: number;
}

function blocksOf(history: History): ReadsBlock[] {
  const random = seeded(history.seed);
  const chance = (share: number) => random() < share;
  const whole = (below: number) => Math.floor(random() * below);
  const blocks: ReadsBlock[] = [];
  history.channels.forEach((kinds, c) => {
    const channel = history.channels.length === 1 ? "" : String(c + 1);
    const flows = flowsOf(history, random);
    const from = c === 0 ? 0 : whole(flows.length / 2);
    for (const kind of kinds) {
      const modulus = kind === "register" && chance(0.3) ? 2_000_000 : 0;
      const all = seriesOf(kind, flows, from, history, modulus, random);
      const every = kind === "register" && kinds.length > 1 ? (history.every ?? 1) : 1;
      const whole1 = all.filter((_, i) => i % every === 0);
      let line = 1;
      const put = (reads: readonly Placed[], file: number) => {
        for (let at = 0; at < reads.length;) {
          let end = Math.min(reads.length, at + 1 + whole(40));
          for (let i = at + 1; i < end; i++) if (reads[i]!.register !== reads[at]!.register) end = i;
          const part = reads.slice(at, end);
          const resolution = chance(0.1) ? 100 : 1000;
          blocks.push(
            blockOf(part, { kind, channel, file, line, register: part[0]!.register, resolution, modulus }),
          );
          line += part.length;
          at = end;
        }
      };
      put(whole1, 1);
      for (let n = 0; n < history.corrections; n++) {
        const first = whole(whole1.length);
        const part = whole1
          .slice(first, first + 1 + whole(60))
          .map((read) => corrected(read, kind, history, random));
        put(part, 2 + n);
      }
    }
  });
  return blocks;
}

interface Placed extends TestRead {
  readonly register: number;
}

/** Millilitres of each interval: dry stretches, leaks, use, bursts. */
function flowsOf({ days, step }: History, random: () => number): number[] {
  const flows: number[] = [];
  const count = Math.min(MOST_INTERVALS, (days * 86_400) / step);
  while (flows.length < count) {
    const kind = Math.floor(random() * 4);
    const hours = 1 + Math.floor(random() * 50);
    for (let i = 0; i < (hours * HOUR) / step && flows.length < count; i++) {
      const use = random() < 0.3 ? Math.floor(random() * 60) * 1000 : 0;
      const ml = [0, 6000 + use, use, random() < 0.1 ? 900_000 : use][kind]!;
      flows.push(Math.round((ml * step) / HOUR));
    }
  }
  return flows;
}

function seriesOf(
  kind: Kind,
  flows: readonly number[],
  from: number,
  { step, faults }: History,
  modulus: number,
  random: () => number,
): Placed[] {
  const reads: Placed[] = [];
  let register = 1;
  let value = Math.floor(random() * 1_000_000);
  for (let i = from; i < flows.length; i++) {
    const ml = flows[i]!;
    const fault = random() < faults ? Math.floor(random() * 7) : -1;
    const time = START + i * step;
    const flags = fault === 0 ? Flag.estimated : fault === 1 ? Flag.suspect : 0;
    if (fault === 2) i += Math.floor(random() * 12);
    if (kind === "usage") {
      if (fault !== 3) reads.push({ time, length: step, ml: fault === 4 ? null : ml, flags, register: 1 });
      continue;
    }
    value += ml;
    if (fault === 3) {
      register++;
      value = 0;
    }
    if (fault === 5) value -= 15_000;
    if (fault === 6) value -= 500_000;
    if (modulus > 0) value = ((value % modulus) + modulus) % modulus;
    const jitter = fault === 2 ? Math.floor(random() * 600) : 0;
    reads.push({ time: time + jitter, ml: fault === 4 ? null : value, flags, register });
  }
  return reads;
}

function corrected(read: Placed, kind: Kind, { step, overlaps }: History, random: () => number): Placed {
  const what = Math.floor(random() * 5);
  if (what === 0) return { ...read, flags: (read.flags ?? 0) ^ Flag.estimated };
  if (what === 1 && read.ml !== null) return { ...read, ml: read.ml + Math.floor(random() * 9) * 1000 };
  if (what === 2) return { ...read, ml: kind === "usage" ? 0 : null };
  if (what === 3 && overlaps && kind === "usage") return { ...read, length: step * 2 };
  if (what === 4 && overlaps) return { ...read, time: read.time + step / 2 };
  return read;
}

const histories = fc.record({
  seed: fc.nat(),
  days: fc.integer({ min: 1, max: 34 }),
  channels: fc.constantFrom<readonly (readonly Kind[])[]>(
    [["usage"]],
    [["register"]],
    [["register"]],
    [["register", "usage"]],
    [["register"], ["register"]],
    [["usage"], ["usage"]],
  ),
  step: fc.constantFrom(HOUR, HOUR, 2 * HOUR, HOUR / 4),
  faults: fc.constantFrom(0, 0.02, 0.1),
  corrections: fc.integer({ min: 0, max: 4 }),
  overlaps: fc.boolean(),
  every: fc.constantFrom(1, 1, 5, 24, 70, 100),
});

/** Nightly runs ask for more. */
const RUNS = Number(process.env["PROPERTY_RUNS"] ?? 25);

/** Where an anomaly moves away from its start, is forgotten, and another one begins there. */
const MOVED_AND_FORGOTTEN: [History, number] = [
  {
    seed: 25,
    days: 19,
    channels: [["register"], ["register"]],
    step: HOUR,
    faults: 0,
    corrections: 0,
    overlaps: false,
  },
  2_147_221_478,
];

it("finds the same intervals and anomalies whatever the order, batches and repetitions of the blocks", () => {
  fc.assert(
    fc.property(histories, fc.nat(), (history, orderSeed) => {
      const random = seeded(orderSeed);
      const blocks = blocksOf(history);
      const twice = [...blocks, ...blocks.filter(() => random() < 0.1)];
      const sizes = () => 1 + Math.floor(random() * 6);
      expectSame(run(shuffled(twice, random), sizes), reference(blocks));
    }),
    { numRuns: RUNS, examples: [MOVED_AND_FORGOTTEN] },
  );
});

it("compares delivered usage with the registers around it, whatever the order", () => {
  const mixed = histories.map((history): History => ({ ...history, channels: [["register", "usage"]] }));
  let found = 0;
  fc.assert(
    fc.property(mixed, fc.nat(), (history, orderSeed) => {
      const random = seeded(orderSeed);
      const blocks = blocksOf(history);
      // Registers lag behind usage by days, or the other way round.
      const lag = { register: random() * 300, usage: random() * 300, bill: 0 };
      const order = blocks
        .map((block) => ({
          block,
          at: sequenceAt(block.time, 0) / HOUR + lag[block.kind] * (0.8 + 0.4 * random()),
        }))
        .sort((a, b) => a.at - b.at)
        .map(({ block }) => block);
      const options = { trims: () => random() < 0.8, saves: () => random() < 0.5 };
      const whole = reference(blocks);
      expectSame(
        run(order, () => 1 + Math.floor(random() * 3), options),
        whole,
      );
      found += whole.tables.checks().filter(({ code }) => code === "sum-mismatch").length;
    }),
    { numRuns: 2 * RUNS },
  );
  expect(found).toBeGreaterThan(RUNS);
});

it("finds the same with nearly sorted blocks, some late, trimmed and saved at any moment", () => {
  fc.assert(
    fc.property(histories, fc.nat(), (history, orderSeed) => {
      const random = seeded(orderSeed);
      const blocks = blocksOf(history);
      const places = blocks.map((block, i) => ({ block, at: i + (random() < 0.2 ? random() * 12 : 0) }));
      const order = places.sort((a, b) => a.at - b.at).map(({ block }) => block);
      const options = { trims: () => random() < 0.5, saves: () => random() < 0.5 };
      expectSame(
        run(order, () => 1 + Math.floor(random() * 3), options),
        reference(blocks),
      );
    }),
    { numRuns: RUNS },
  );
});

it("stores what an undisturbed run stores though the process is killed between any two inserts", () => {
  fc.assert(
    fc.property(histories, fc.nat(), (history, orderSeed) => {
      const random = seeded(orderSeed);
      const blocks = blocksOf(history);
      const order = blocks
        .map((block, i) => ({ block, at: i + (random() < 0.3 ? random() * 20 : 0) }))
        .sort((a, b) => a.at - b.at)
        .map(({ block }) => block);
      const model = new Model({ environment });
      while (model.offset < order.length) {
        const { state, offset } = model.checkpoint();
        const next = () => order.slice(model.offset, model.offset + 1 + Math.floor(random() * 4));
        if (random() < 0.3) {
          // Some batches are judged and stored in part, then the process is gone.
          for (let n = Math.floor(random() * 4); n >= 0 && model.offset < order.length; n--) {
            const { inserts } = model.judge(next());
            for (const insert of inserts) {
              if (n > 0 || random() < 0.5) model.store(insert);
              else if (insert.first) break;
            }
          }
          // Where a register begins again is told with its blocks alone: a state made anew knows it from the next one on.
          const single = history.channels.length === 1 && history.channels[0]!.length === 1;
          model.restart(single && random() < 0.2 ? "lost" : state, offset);
        }
        model.batch(next());
      }
      expectSame(model, reference(blocks));
    }),
    { numRuns: RUNS },
  );
});

it("finds the same whenever the meter's settings come, and whatever they said before", () => {
  const setting = fc.record(
    {
      from: fc.integer({ min: 0, max: 34 * 24 }).map((hours) => START + hours * HOUR),
      continuousFlowRate: fc.constantFrom(0, 2000, 6500, 20_000, null),
      away: fc.boolean(),
      onPurpose: fc.boolean(),
      budget: fc.constantFrom(50_000, 500_000, null),
      class: fc.constantFrom("single-family" as const, "commercial" as const),
    },
    { requiredKeys: ["from"] },
  );
  const list = fc.array(setting, { maxLength: 5 }).map((all) => all.sort((a, b) => a.from - b.from));
  fc.assert(
    fc.property(histories, list, list, fc.nat(), (history, before, settings, orderSeed) => {
      const random = seeded(orderSeed);
      const blocks = blocksOf(history);
      const options = { environment, trims: () => random() < 0.5, saves: () => random() < 0.5 };
      const model = new Model(options);
      const told = [before, settings].map((one) => ({ one, at: Math.floor(random() * (blocks.length + 1)) }));
      told[1]!.at = Math.max(told[0]!.at, told[1]!.at);
      for (let i = 0; i <= blocks.length; i++) {
        for (const { one, at } of told) if (at === i) model.settings(one);
        if (i < blocks.length) model.batch([blocks[i]!]);
      }
      const other = new Model({ environment, trims: () => false });
      other.settings(settings);
      other.batch(blocks);
      expectSame(model, other);
    }),
    { numRuns: RUNS },
  );
});

it("finds the same whenever it is known when it was cold, and whatever was known before", () => {
  const spells = fc
    .array(fc.integer({ min: 0, max: 34 * 24 }), { maxLength: 12 })
    .map((hours) => [...new Set(hours)].sort((a, b) => a - b))
    .map((hours) =>
      hours.flatMap((from, i) =>
        i % 2 === 0 && i + 1 < hours.length
          ? [{ from: START + from * HOUR, until: START + hours[i + 1]! * HOUR }]
          : [],
      ),
    );
  const icy = environmentOf({ rules: ["freeze-risk", "leak"], freezeRisk: { hours: 2, dryHours: 3 } });
  let found = 0;
  fc.assert(
    fc.property(
      histories,
      fc.array(spells, { maxLength: 3 }),
      spells,
      fc.nat(),
      (history, before, cold, seed) => {
        const random = seeded(seed);
        const blocks = blocksOf(history);
        const options = { environment: icy, trims: () => random() < 0.5, saves: () => random() < 0.5 };
        const model = new Model(options);
        const told = [...before, cold];
        for (const block of blocks) {
          while (told.length > 1 && random() < 0.1) model.cold(told.shift()!);
          model.batch([block]);
        }
        for (const one of told) model.cold(one);
        const other = new Model({ environment: icy, trims: () => false });
        other.cold(cold);
        other.batch(blocks);
        expectSame(model, other);
        found += other.tables.current().filter(({ rule }) => rule === "freeze-risk").length;
      },
    ),
    { numRuns: RUNS },
  );
  expect(found).toBeGreaterThan(0);
});

it("tells with each anomaly the hours that led to it, as analysts see them", () => {
  const history: History = {
    ...{
      seed: 7,
      days: 20,
      channels: [["register"]],
      step: HOUR / 4,
      faults: 0,
      corrections: 0,
      overlaps: false,
    },
  };
  const model = reference(blocksOf(history));
  const open = model.messages.filter(({ state }) => state === "opened");
  expect(open.length).toBeGreaterThan(0);
  const usage = model.tables.usage();
  for (const { end, hours } of open) {
    const until = Math.ceil(end / HOUR) * HOUR;
    expect(hours!.from + 48 * HOUR).toBe(until);
    hours!.ml.forEach((ml, hour) => {
      const from = hours!.from + hour * HOUR;
      const own = usage.filter(({ start }) => start >= from && start < from + HOUR);
      expect(ml).toBe(own.length === 0 ? null : own.reduce((sum, one) => sum + one.ml, 0));
    });
  }
});

it("compares usage that it has forgotten with a register read that comes days later", () => {
  const DAY = 24 * HOUR;
  const hourly = (from: number, to: number) =>
    Array.from({ length: (to - from) * 24 }, (_, i) => ({
      time: START + from * DAY + i * HOUR,
      length: HOUR,
      ml: 1000 * (5 + (i % 7)),
    }));
  const usage = [0, 10].map((from, n) => blockOf(hourly(from, from + 10), { line: 1 + 240 * n }));
  const registers = [0, 2, 4, 6, 8, 10, 12.5, 15, 17].map((day, i) =>
    blockOf([{ time: START + day * DAY, ml: 100_000 * i * i }], { kind: "register", file: 2, line: 1 + i }),
  );
  const whole = reference([...usage, ...registers]);
  const found = whole.tables.checks().filter(({ code }) => code === "sum-mismatch");
  expect(found).toMatchObject([{ start: START, end: START + 17 * DAY }]);
  for (let first = 1; first < registers.length; first++) {
    const order = [...registers.slice(0, first), ...usage, ...registers.slice(first)];
    expectSame(
      run(order, () => 1, { saves: () => true }),
      whole,
    );
  }
});

describe("what random histories found once", () => {
  const two = { channels: [["register"], ["register"]], step: HOUR, faults: 0.1, overlaps: false } as const;

  it("an interval that ends at the cut is folded before those of the other register that begin within it", () => {
    const random = seeded(0);
    const blocks = blocksOf({ ...two, seed: 13, days: 19, corrections: 0 });
    const places = blocks.map((block, i) => ({ block, at: i + (random() < 0.2 ? random() * 12 : 0) }));
    const order = places.sort((a, b) => a.at - b.at).map(({ block }) => block);
    const options = { trims: () => random() < 0.5, saves: () => random() < 0.5 };
    expectSame(
      run(order, () => 1 + Math.floor(random() * 3), options),
      reference(blocks),
    );
  });

  it("what may have flowed back has one grade, whichever register's finer step is told first", () => {
    const random = seeded(0);
    const blocks = blocksOf({ ...two, seed: 9840139, days: 25, corrections: 4 });
    const twice = [...blocks, ...blocks.filter(() => random() < 0.1)];
    expectSame(
      run(shuffled(twice, random), () => 1 + Math.floor(random() * 6)),
      reference(blocks),
    );
  });

  it("a budget that is changed ends its anomaly for good, though the month goes on", () => {
    const blocks = blocksOf({ ...two, faults: 0, seed: 0, days: 14, corrections: 0 });
    const settings = [
      { from: START, continuousFlowRate: 6500, budget: 50_000 },
      { from: START + 99 * HOUR, continuousFlowRate: 2000, onPurpose: true, budget: 500_000 },
    ];
    const random = seeded(0);
    const options = { environment, trims: () => random() < 0.5, saves: () => random() < 0.5 };
    const model = new Model(options);
    for (const [i, block] of blocks.entries()) {
      if (i === 9) model.settings(settings);
      model.batch([block]);
    }
    const other = new Model({ environment, trims: () => false });
    other.settings(settings);
    other.batch(blocks);
    expectSame(model, other);
  });
});
