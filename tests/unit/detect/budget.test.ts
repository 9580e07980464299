import fc from "fast-check";
import { Budget } from "../../../detect/rules/budget.js";
import {
  followRule,
  followThroughBytes,
  ruleContext,
  times,
  type UnitVolume,
} from "../../harness/follow-rule.js";
import type { Found } from "../../../detect/rules/rule.js";

const HOUR = 3600;
const DAY = 24 * HOUR;
const LITRE = 1000;
/** January 1970 has 31 days, February 28. */
const JANUARY = 31;
const follow = (units: readonly UnitVolume[], litres: number | undefined) =>
  followRule(new Budget(), units, { budget: litres === undefined ? undefined : litres * LITRE });
const days = (count: number, litresAnHour: number) => times(count * 24, litresAnHour * LITRE);

it("opens in the hour in which most of the budget is used too early in the month", () => {
  // 10 L an hour: 7,440 L a month. Of 6,000, four fifths are used after 480 hours, at the end of the 20th.
  const { open } = follow(days(25, 10), 6000);
  expect(open).toEqual({
    rule: "budget",
    ruleVersion: 1,
    start: 0,
    end: 25 * DAY,
    detectedAt: 20 * DAY,
    rate: 10 * LITRE,
    volume: 6_000_000,
    closed: null,
    evidence: { budget: 6_000_000, share: 0.8, expected: 7_440_000 },
  });
  expect(follow(days(20, 10).slice(1), 6000).open).toBeUndefined();
});

it("says nothing of a month that ends within it, however near", () => {
  expect(follow(days(JANUARY, 10), 7440)).toEqual({ closed: [], open: undefined });
  // Much in the first days is no pace, until four fifths are gone.
  expect(follow([...days(2, 100), ...days(26, 1)], 7000).open).toBeUndefined();
});

it("opens at the latest when all of it is used", () => {
  const even = [...days(30, 10), ...days(1, 100)];
  const { open } = follow(even, 7500);
  expect(open!.detectedAt).toBe(30 * DAY + 4 * HOUR);
});

it("speaks once in a month, begins anew with the next, and is silent without a budget", () => {
  const { closed, open } = follow(days(JANUARY + 27, 10), 6000);
  expect(closed).toMatchObject([{ start: 0, end: JANUARY * DAY, volume: 7_440_000, closed: "usage-normal" }]);
  expect(open).toMatchObject({ start: JANUARY * DAY, detectedAt: (JANUARY + 20) * DAY });
  expect(follow(days(60, 100), undefined)).toEqual({ closed: [], open: undefined });
});

it("counts no estimates", () => {
  expect(follow(times(31 * 24, "?" as const), 1).open).toBeUndefined();
});

/** Hours from the last week of January on, with the budget that each third of them has. */
const said = fc.tuple(
  fc.array(fc.integer({ min: 0, max: 9000 }), { minLength: 60, maxLength: 200 }),
  fc.array(fc.constantFrom(undefined, 400_000, 900_000), { minLength: 3, maxLength: 3 }),
);
const stepsOf = ([all, budgets]: [number[], (number | undefined)[]]) =>
  all.map((ml, i) => {
    const start = (25 * 24 + i) * HOUR;
    const budget = budgets[Math.floor((3 * i) / all.length)];
    return {
      unit: { start, end: start + HOUR, ml, neutral: false },
      context: ruleContext({ budget, day: Math.floor(start / DAY) }),
    };
  });

it("is over, as declared, where the budget is changed or ended", () => {
  fc.assert(
    fc.property(said, (given) => {
      const steps = stepsOf(given);
      const rule = new Budget();
      const closed: Found[] = [];
      steps.forEach(({ unit, context }, i) => {
        const was = rule.isOpen;
        const count = closed.length;
        rule.step(unit, context, (found) => closed.push(found));
        if (was && context.budget !== steps[i - 1]!.context.budget)
          expect(closed[count]).toMatchObject({ closed: "declared" });
      });
    }),
  );
});

it("goes on from its bytes as it would have gone on", () => {
  fc.assert(
    fc.property(said, fc.nat(199), (given, cut) => {
      const followed = (after: number) => followThroughBytes(() => new Budget(), stepsOf(given), after);
      expect(followed(cut)).toEqual(followed(-1));
    }),
  );
});
