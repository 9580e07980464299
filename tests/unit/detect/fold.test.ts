import fc from "fast-check";
import { Fold, type FoldContext } from "../../../detect/fold.js";
import type { Found } from "../../../detect/rules/rule.js";
import { Writer } from "../../../detect/varints.js";
import { TimeZone } from "../../../infra/time-zone.js";
import { RULES, type RuleName } from "../../../schemas/anomalies.js";
import { detectConfig } from "../../../schemas/detect-config.js";
import { Flag } from "../../../schemas/flags.js";
import type { MeterSetting } from "../../../schemas/meters.js";
import type { ColdSpell } from "../../../schemas/temperatures.js";
import { environmentOf } from "./model.js";

const HOUR = 3600;
const DAY = 24 * HOUR;
const environment = environmentOf();
const context: FoldContext = {
  ...environment.context,
  settings: [],
  resolution: 0,
  checks: { limits: environment.checkLimits, resolution: 0, service: [] },
};

interface Pushed {
  readonly at: number;
  readonly ml: number;
  readonly length?: number;
  readonly flags?: number;
  readonly registers?: number;
}

function follow(pushes: readonly Pushed[], of: Partial<FoldContext> = {}) {
  const fold = new Fold();
  const closed: Found[] = [];
  const all = { ...context, ...of };
  for (const { at, ml, length = HOUR, flags = 0, registers = 1 } of pushes)
    fold.push(at, length, ml, flags, registers, all, (found) => closed.push(found));
  return { closed, open: fold.open(all) };
}

const hours = (count: number, push: Omit<Pushed, "at">, from = 0): Pushed[] =>
  Array.from({ length: count }, (_, i) => ({ ...push, at: (from + i) * HOUR }));
const quarters = (count: number, ml: (i: number) => number): Pushed[] =>
  Array.from({ length: count }, (_, i) => ({ at: i * 900, ml: ml(i), length: 900 }));

it("judges quarters of an hour by the hour", () => {
  const drop = (i: number) => (i % 4 === 0 ? 4000 : 0);
  expect(follow(quarters(96, drop)).open).toMatchObject([
    { rule: "continuous-flow", start: 0, end: 24 * HOUR, rate: 4000 },
  ]);
  expect(follow(quarters(95, drop)).open).toEqual([]);
});

it("judges a meter by the parameters of its class, from when it has it", () => {
  const detect = detectConfig.parse({ classes: { commercial: { continuousFlow: { hours: 48 } } } });
  const open = (count: number, settings: FoldContext["settings"]) =>
    follow(hours(count, { ml: 5000 }), { detect, settings }).open;
  const commercial = { from: 0, class: "commercial" } as const;
  expect(open(24, [])).toHaveLength(1);
  expect(open(47, [commercial])).toEqual([]);
  expect(open(48, [commercial])).toHaveLength(1);
  expect(open(24, [{ ...commercial, from: 30 * HOUR }])).toHaveLength(1);
});

it("lets an hour with a quarter missing or estimated say nothing", () => {
  const whole = quarters(100, () => 1000);
  expect(follow(whole.filter((_, i) => i !== 40)).open).toMatchObject([
    { end: 25 * HOUR, volume: 24 * 4000 },
  ]);
  const estimated = whole.map((push, i) => (i === 40 ? { ...push, ml: 0, flags: Flag.estimated } : push));
  expect(follow(estimated).open).toMatchObject([{ volume: 24 * 4000 }]);
});

it("judges the sum of a meter's registers", () => {
  const both = (low: number, high: number) =>
    hours(24, { ml: low, registers: 2 }).flatMap((push) => [push, { ...push, ml: high }]);
  expect(follow(both(2000, 2000)).open).toMatchObject([{ rate: 4000, volume: 24 * 4000 }]);
  expect(follow(both(1000, 1000)).open).toEqual([]);
  expect(follow(hours(24, { ml: 9000, registers: 2 })).open).toEqual([]);
});

it("takes no long interval of one register for the hour of two", () => {
  expect(follow(hours(24, { ml: 9000, registers: 2, length: 2 * HOUR })).open).toEqual([]);
});

it("takes a hole whose register did not move as proof that nothing flowed, a moved one as no proof", () => {
  const leak = hours(30, { ml: 5000 });
  const gap = (ml: number) => ({ at: 30 * HOUR, ml, length: 6 * HOUR, flags: Flag.gap });
  expect(follow([...leak, gap(0)])).toMatchObject({
    closed: [{ end: 30 * HOUR, closed: "flow-stopped" }],
    open: [],
  });
  expect(follow([...leak, gap(7)])).toMatchObject({ closed: [], open: [{ end: 30 * HOUR }] });
});

it("takes the larger of resolution and setting as threshold, whatever interval it is scaled to", () => {
  const open = (ml: number, of: Partial<FoldContext>) => follow(hours(24, { ml }), of).open.length;
  expect(open(3785, {})).toBe(1);
  expect(open(3784, {})).toBe(0);
  expect(open(5999, { settings: [{ from: 0, continuousFlowRate: 6000 }] })).toBe(0);
  expect(open(6000, { settings: [{ from: 0, continuousFlowRate: 6000 }] })).toBe(1);
  expect(open(9000, { resolution: 10_000 })).toBe(0);
  // One cubic foot is 28,316.8 mL: rounded register values lie 28,316 or 28,317 mL apart, the rounded step is 28,317.
  expect(open(28_316, { resolution: 28_317 })).toBe(1);
  const half = Array.from({ length: 48 }, (_, i) => ({ at: i * 1800, ml: 1893, length: 1800 }));
  expect(follow(half).open).toHaveLength(1);
});

it("takes the setting that holds at the hour", () => {
  const settings = [
    { from: 0, continuousFlowRate: 10_000 },
    { from: 10 * HOUR, continuousFlowRate: 1000 },
    { from: 20 * HOUR, class: "commercial" as const },
  ];
  expect(follow(hours(33, { ml: 5000 }), { settings }).open).toEqual([]);
  expect(follow(hours(34, { ml: 5000 }), { settings }).open).toMatchObject([{ start: 10 * HOUR }]);
});

describe("what people say of their home", () => {
  const rules = (...names: RuleName[]) => ({ rules: new Set(names) });
  const leak = hours(60, { ml: 5000 });

  it("ends a leak that they declare normal as declared, and leaves one that stopped as stopped", () => {
    const settings = [{ from: 30 * HOUR, continuousFlowRate: 6000 }];
    expect(follow(leak, { settings })).toMatchObject({
      closed: [{ rule: "continuous-flow", end: 30 * HOUR, closed: "declared" }],
      open: [],
    });
    const stopped = [...hours(30, { ml: 5000 }), ...hours(10, { ml: 0 }, 30)];
    expect(follow(stopped, { settings }).closed).toMatchObject([{ closed: "flow-stopped" }]);
    // What was declared before it began is a threshold like any other: falling under it, the flow has stopped.
    const before = [{ from: 0, continuousFlowRate: 4000 }];
    const fallen = [...hours(30, { ml: 5000 }), ...hours(10, { ml: 3000 }, 30)];
    expect(follow(fallen, { settings: before }).closed).toMatchObject([{ closed: "flow-stopped" }]);
  });

  it("takes the default again where the declaration ends", () => {
    const settings = [
      { from: 0, continuousFlowRate: 6000 },
      { from: 30 * HOUR, continuousFlowRate: null },
    ];
    expect(follow(leak, { settings }).open).toMatchObject([{ start: 30 * HOUR }]);
  });

  it("neither judges nor learns what runs on purpose", () => {
    const settings = [
      { from: 10 * HOUR, onPurpose: true },
      { from: 50 * HOUR, onPurpose: false },
    ];
    const all = hours(60, { ml: 900_000 });
    expect(follow(all, { settings, ...rules("burst", "high-day", "continuous-flow") }).open).toEqual([]);
    // With it the same hours are a leak.
    expect(follow(all, rules("continuous-flow")).open).toHaveLength(1);
  });
});

it("counts the local days of a zone with summer time", () => {
  // 2 November 2025 has 25 hours in Los Angeles: peaks lie in their own days on both sides of the change.
  const start = Date.UTC(2025, 9, 18, 7) / 1000;
  const normal = Array.from({ length: 15 * 24 + 1 }, (_, i) => ({
    at: start + i * HOUR,
    ml: [19, 20].includes((i + 12) % 24) ? 100_000 : 0,
  }));
  const spike = { at: start + normal.length * HOUR, ml: 2_000_000 };
  expect(follow([...normal, spike]).open).toMatchObject([
    { rule: "spike", evidence: { days: 15, usualPeak: 100_000 } },
  ]);
});

it("judges only the rules that are asked for", () => {
  const rules = new Set(["spike"] as const);
  expect(follow(hours(48, { ml: 5000 }), { rules }).open).toEqual([]);
});

it("folds a single interval on a day on which clocks change", () => {
  const fold = new Fold();
  // 26 October 2025, 12:00 in Madrid; the clocks went back at 3:00.
  const time = { from: Date.UTC(2025, 9, 26, 11) / 1000, step: 0 };
  const madrid = { ...context, days: new TimeZone("Europe/Madrid") };
  fold.pushEven({ time, length: HOUR, ml: [5000], flags: 0 }, 0, 1, madrid, () => undefined);
  expect(fold.at).toBe(time.from + HOUR);
  expect(fold.earliest("continuous-flow")).toBe(time.from);
});

it("folds even intervals as a whole as it folds each of them", () => {
  // Over the day in October on which Europe's clocks go back.
  const from = Date.UTC(2025, 9, 25) / 1000;
  const stretch = fc.record({
    length: fc.constantFrom(900, 1800, 3600, 7200),
    hole: fc.constantFrom(0, 0, 0, 1800, 40 * HOUR),
    apart: fc.constantFrom(0, 0, 0, 600, 30 * HOUR),
    flags: fc.constantFrom(0, 0, 0, Flag.estimated, Flag.deviceLeak, Flag.gap),
    ml: fc.oneof(
      fc.constantFrom<number[]>([0], [3000]),
      fc.array(fc.constantFrom(0, 0, 3000, 3001, 250_000, 900_000), { minLength: 1, maxLength: 60 }),
    ),
  });
  const given = fc.record({
    stretches: fc.array(stretch, { minLength: 1, maxLength: 8 }),
    zone: fc.constantFrom("UTC", "Europe/Madrid"),
    rules: fc.constantFrom(new Set(RULES), new Set(["continuous-flow", "spike"] as const)),
    setting: fc.boolean(),
    limits: fc.constantFrom({}, { gap: 2, stuck: 3, "no-usage": 1, "device-leak": 0, "peak-interval": 100 }),
  });
  fc.assert(
    fc.property(given, ({ stretches, zone, rules, setting, limits }) => {
      const all: FoldContext = {
        ...context,
        days: new TimeZone(zone),
        rules,
        settings: setting ? [{ from: from + 30 * HOUR, continuousFlowRate: 4000 }] : [],
        checks: { limits, resolution: 0, service: [] },
      };
      const ways = [new Fold(), new Fold()] as const;
      const closed: Found[][] = [[], []];
      let at = from;
      for (const { length, hole, apart, flags, ml } of stretches) {
        const time = { from: at + hole, step: ml.length === 1 ? 0 : length + apart };
        ml.forEach((volume, i) =>
          ways[0].push(time.from + time.step * i, length, volume, flags, 1, all, (found) =>
            closed[0]!.push(found),
          ),
        );
        ways[1].pushEven({ time, length, ml, flags }, 0, ml.length, all, (found) => closed[1]!.push(found));
        at = time.from + time.step * (ml.length - 1) + length;
      }
      const [one, other] = ways.map((fold) => {
        const bytes = new Writer();
        fold.writeTo(bytes);
        return {
          bytes: bytes.take().toString("hex"),
          open: fold.open(all),
          findings: fold.checks.findings(all.checks),
        };
      });
      expect(other).toEqual(one);
      expect(closed[1]).toEqual(closed[0]);
    }),
    { numRuns: 600 },
  );
});

it("passes over days in which nothing can begin, as if it had looked at each hour: frosts, and months of two years", () => {
  const from = Date.UTC(2024, 11, 20) / 1000;
  const rules = new Set(["freeze-risk", "bill-ahead", "budget"] as const);
  const given = fc.record({
    /** A day's volume each, some without any water, of hours that are even over the day or not. */
    days: fc.array(fc.constantFrom(0, 0, 240, 500, 480, 1000, 3000, 30_000), {
      minLength: 500,
      maxLength: 540,
    }),
    frosts: fc.array(fc.tuple(fc.nat(520 * 24), fc.integer({ min: 1, max: 60 })), { maxLength: 40 }),
    dryHours: fc.constantFrom(0, 5, 24, 30),
    setting: fc.constantFrom<MeterSetting[]>([], [{ from: from + 30 * DAY, budget: 9_000_000 }]),
    hole: fc.nat(500),
  });
  const found = { "freeze-risk": 0, "bill-ahead": 0 };
  fc.assert(
    fc.property(given, ({ days, frosts, dryHours, setting, hole }) => {
      const cold: ColdSpell[] = [];
      for (const [hour, hoursLong] of frosts.sort((a, b) => a[0] - b[0])) {
        const at = Math.max(from + hour * HOUR, (cold.at(-1)?.until ?? 0) + HOUR);
        cold.push({ from: at, until: at + hoursLong * HOUR });
      }
      const detect = detectConfig.parse({
        freezeRisk: { dryHours, hours: 2 },
        billAhead: { more: 0, times: 1.1 },
      });
      const all: FoldContext = {
        ...context,
        detect,
        days: new TimeZone("UTC"),
        rules,
        cold,
        settings: setting,
      };
      const ways = [new Fold(), new Fold()] as const;
      const closed: Found[][] = [[], []];
      days.forEach((litres, day) => {
        const start = from + day * DAY + (day > hole ? 7 * HOUR : 0);
        const ml = Array.from({ length: 24 }, (_, hour) =>
          (hour + day) % 3 === 0 && hour > 5 ? Math.round((litres * 1000) / 6) : 0,
        );
        ml.forEach((volume, hour) =>
          ways[0].push(start + hour * HOUR, HOUR, volume, 0, 1, all, (one) => closed[0]!.push(one)),
        );
        const time = { from: start, step: HOUR };
        ways[1].pushEven({ time, length: HOUR, ml, flags: 0 }, 0, 24, all, (one) => closed[1]!.push(one));
      });
      const bytesOf = (fold: Fold) => {
        const bytes = new Writer();
        fold.writeTo(bytes);
        return bytes.take().toString("hex");
      };
      expect(bytesOf(ways[1])).toBe(bytesOf(ways[0]));
      expect(ways[1].open(all)).toEqual(ways[0].open(all));
      expect(closed[1]).toEqual(closed[0]);
      for (const { rule } of closed[0]!) if (rule !== "budget") found[rule as "bill-ahead"]++;
    }),
    { numRuns: 60 },
  );
  expect(found["freeze-risk"]).toBeGreaterThan(0);
  expect(found["bill-ahead"]).toBeGreaterThan(0);
});
