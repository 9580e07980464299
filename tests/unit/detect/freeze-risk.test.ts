import fc from "fast-check";
import { FreezeRisk } from "../../../detect/rules/freeze-risk.js";
import type { ColdSpell } from "../../../schemas/temperatures.js";
import {
  followRule,
  followThroughBytes,
  ruleContext,
  times,
  type UnitVolume,
} from "../../harness/follow-rule.js";

const HOUR = 3600;
/** Spells of frost, in hours from the first unit. */
const frost = (...spells: readonly (readonly [from: number, until: number])[]): ColdSpell[] =>
  spells.map(([from, until]) => ({ from: from * HOUR, until: until * HOUR }));
const follow = (units: readonly UnitVolume[], cold: readonly ColdSpell[], seconds?: number) =>
  followRule(new FreezeRisk(), units, { cold }, seconds);

it("opens once it was cold for six hours and no water ran for a day, and begins with the frost", () => {
  const cold = frost([20, 30]);
  // Water until the fourth hour: dry from 4 on, a day at 28.
  const units = [...times(4, 5000), ...times(24, 0)];
  expect(follow(units.slice(0, -1), cold).open).toBeUndefined();
  expect(follow(units, cold).open).toEqual({
    rule: "freeze-risk",
    ruleVersion: 1,
    start: 20 * HOUR,
    end: 28 * HOUR,
    detectedAt: 28 * HOUR,
    rate: 0,
    volume: 0,
    closed: null,
    evidence: { below: -6.7, hours: 6, dryHours: 24, dryFrom: 4 * HOUR },
  });
  // Dry for long before, it opens with the sixth hour of frost.
  expect(follow(times(50, 0), frost([40, 50])).open).toMatchObject({
    start: 40 * HOUR,
    detectedAt: 46 * HOUR,
  });
  expect(follow(times(46, 0), frost([40, 45])).open).toBeUndefined();
});

it("says nothing of a home where water runs now and then, nor where it is not cold for long enough", () => {
  const living = Array.from({ length: 200 }, (_, hour) => (hour % 12 === 7 ? 30_000 : 0));
  expect(follow(living, frost([0, 200]))).toEqual({ closed: [], open: undefined });
  const nights = Array.from({ length: 8 }, (_, night) => [night * 24, night * 24 + 5] as const);
  expect(follow(times(200, 0), frost(...nights))).toEqual({ closed: [], open: undefined });
  expect(follow(times(200, 0), [])).toEqual({ closed: [], open: undefined });
});

it("is over when water runs, or a day after the frost; nights of frost in a row are one", () => {
  const cold = frost([30, 40], [54, 64], [78, 88]);
  const { closed, open } = follow(times(140, 0), cold);
  expect(closed).toMatchObject([{ start: 30 * HOUR, end: 88 * HOUR, closed: "thawed" }]);
  expect(open).toBeUndefined();
  const back = follow([...times(60, 0), 8000, ...times(20, 0)], cold);
  expect(back.closed).toMatchObject([{ start: 30 * HOUR, end: 60 * HOUR, closed: "usage-normal" }]);
  expect(back.open).toBeUndefined();
});

it("knows from a register alone that no water ran in a hole, and frosts within it", () => {
  // One unit of two days.
  expect(follow([0], frost([10, 30]), 48 * HOUR).open).toMatchObject({ start: 10 * HOUR, end: 30 * HOUR });
  expect(follow([0], frost([10, 20]), 48 * HOUR).open).toBeUndefined();
});

it("takes no estimate and no hole for a dry meter, and ends where reads end", () => {
  const units = [...times(20, 0), ...times(20, "?" as const), ...times(20, 0)];
  expect(follow(units, frost([0, 60])).open).toBeUndefined();
  expect(
    follow([...times(20, 0), null, null, null, null, ...times(4, 0)], frost([0, 60])).open,
  ).toBeDefined();
  const silent = follow([...times(30, 0), ...times(60, null), 0], frost([10, 91]));
  expect(silent.closed).toMatchObject([{ closed: "no-reads" }]);
});

it("goes by the parameters of the utility", () => {
  const { detect } = ruleContext();
  const strict = { ...detect, freezeRisk: { below: -3, hours: 1, dryHours: 0 } };
  const { open } = followRule(new FreezeRisk(), [9000, 0], { cold: frost([0, 9]), detect: strict });
  expect(open).toMatchObject({ start: HOUR, evidence: { below: -3, hours: 1, dryHours: 0 } });
});

it("finds the same after its memory was bytes", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(0, 0, 0, 0, 0, 4000), { minLength: 60, maxLength: 200 }),
      fc.nat(199),
      fc.nat(20),
      (volumes, after, at) => {
        const cold = frost([at, at + 40], [at + 60, at + 90]);
        const { detect } = ruleContext();
        const context = {
          ...ruleContext(),
          cold,
          detect: { ...detect, freezeRisk: { below: 0, hours: 3, dryHours: 5 } },
        };
        const steps = volumes.map((ml, i) => ({
          unit: { start: i * HOUR, end: (i + 1) * HOUR, ml, neutral: false },
          context,
        }));
        const whole = followThroughBytes(() => new FreezeRisk(), steps, -1);
        expect(followThroughBytes(() => new FreezeRisk(), steps, after)).toEqual(whole);
      },
    ),
    { numRuns: 300 },
  );
});
