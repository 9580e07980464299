import fc from "fast-check";
import { Away } from "../../../detect/rules/away.js";
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
const away = { away: true };
const follow = (units: readonly UnitVolume[], over = away) => followRule(new Away(), units, over);
/** A day of hours, dry but for those named. */
const day = (volumes: Readonly<Record<number, number>> = {}): number[] =>
  Array.from({ length: 24 }, (_, hour) => volumes[hour] ?? 0);

it("opens in the hour in which the day's water passes what may flow, with its first flow as beginning", () => {
  const { open } = follow([...day(), ...day({ 3: 5000, 9: 15_000, 10: 1000, 12: 30_000 })]);
  expect(open).toEqual({
    rule: "away",
    ruleVersion: 1,
    start: DAY + 3 * HOUR,
    end: DAY + 13 * HOUR,
    detectedAt: DAY + 11 * HOUR,
    rate: 30_000,
    volume: 51_000,
    closed: null,
    evidence: { minVolume: 20_000 },
  });
});

it("says nothing of what an ice maker uses, nor of a home whose people are there", () => {
  expect(follow([...day({ 2: 20_000 }), ...day({ 5: 20_000 })])).toEqual({ closed: [], open: undefined });
  expect(follow(times(100, 50_000), { away: false })).toEqual({ closed: [], open: undefined });
});

it("closes with the first whole day under it, at the last flow", () => {
  const { closed, open } = follow([...day({ 8: 90_000 }), ...day({ 0: 30_000 }), ...day({ 4: 1000 }), 0]);
  expect(closed).toMatchObject([
    { start: 8 * HOUR, end: 2 * DAY + 5 * HOUR, volume: 121_000, closed: "flow-stopped" },
  ]);
  expect(open).toBeUndefined();
});

it("is over when they are back, without a word of the flow", () => {
  const rule = new Away();
  const closed: Found[] = [];
  const unit = { start: 0, end: HOUR, ml: 80_000, neutral: false };
  rule.step(unit, ruleContext(away), (found) => closed.push(found));
  expect(rule.isOpen).toBe(true);
  rule.step({ ...unit, start: HOUR, end: 2 * HOUR }, ruleContext(), (found) => closed.push(found));
  expect(closed).toMatchObject([{ end: HOUR, closed: "declared" }]);
  expect(rule.start).toBe(-1);
});

it("takes no estimate for flow, and silence of two days for an end that nobody knows", () => {
  expect(follow(times(24, "?" as const)).open).toBeUndefined();
  expect(follow([...day({ 8: 90_000 }), ...times(49, null), 0]).closed).toMatchObject([
    { closed: "no-reads" },
  ]);
});

it("goes on from its bytes as it would have gone on", () => {
  const volume = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40_000 }));
  const units = fc.array(fc.tuple(volume, fc.boolean()), { minLength: 1, maxLength: 120 });
  fc.assert(
    fc.property(units, fc.nat(119), (all, cut) => {
      const steps = all.map(([ml, isAway], i) => ({
        unit: { start: i * HOUR, end: (i + 1) * HOUR, ml, neutral: false },
        context: ruleContext({ away: isAway, day: Math.floor(i / 24) }),
      }));
      const followed = (after: number) => followThroughBytes(() => new Away(), steps, after);
      expect(followed(cut)).toEqual(followed(-1));
    }),
  );
});
