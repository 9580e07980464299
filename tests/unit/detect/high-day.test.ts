import { dayLimit, HighDay } from "../../../detect/rules/high-day.js";
import { followRule, times, type UnitVolume } from "../../harness/follow-rule.js";

const LITRE = 1000;
const HOUR = 3600;
const DAY = 24 * HOUR;
const parameters = { minVolume: 700_000, highest: 1.5, deviations: 2.25, minDays: 29 };

/** A day of so many litres, the same in each hour. */
const day = (litres: number): UnitVolume[] => times(24, (litres * LITRE) / 24);
const days = (count: number, litres: number) => Array.from({ length: count }, () => day(litres)).flat();
const follow = (units: readonly UnitVolume[]) => followRule(new HighDay(), units);

it("opens in the hour in which a day passes 1.5 times the highest of those before, and ends with the next usual day", () => {
  const usual = days(30, 600);
  const high = [...times(10, 25 * LITRE), ...times(14, 200 * LITRE)];
  const start = 30 * DAY;
  // 250 L by ten o'clock; 900 are passed with the fourth of the hours of 200 L.
  expect(follow([...usual, ...high.slice(0, 13)]).open).toBeUndefined();
  expect(follow([...usual, ...high.slice(0, 14)]).open).toMatchObject({
    start,
    end: start + 14 * HOUR,
    detectedAt: start + 14 * HOUR,
    rate: 200 * LITRE,
    volume: 1050 * LITRE,
    closed: null,
    evidence: { usualDay: 600 * LITRE, highestDay: 600 * LITRE, days: 30 },
  });
  const { closed, open } = follow([...usual, ...high, ...days(2, 600)]);
  expect(open).toBeUndefined();
  expect(closed).toMatchObject([
    { start, end: start + DAY, volume: 3050 * LITRE, closed: "usage-normal", detectedAt: start + 14 * HOUR },
  ]);
});

it("knows a day that was there before, and is silent under the least volume and without history", () => {
  expect(follow([...days(30, 600), ...day(2000), ...days(10, 600), ...day(2500)]).closed).toHaveLength(1);
  expect(follow([...days(30, 100), ...day(690)]).open).toBeUndefined();
  expect(follow([...days(30, 100), ...day(720)]).open).toBeDefined();
  expect(follow([...days(28, 600), ...day(9000)]).open).toBeUndefined();
  expect(follow([...days(29, 600), ...day(9000)]).open).toBeDefined();
});

it("takes high days that follow each other for one, and for the usual after a week", () => {
  const { closed, open } = follow([...days(30, 600), ...days(12, 3000)]);
  expect(open).toBeUndefined();
  expect(closed).toMatchObject([
    {
      ...{ start: 30 * DAY, end: 37 * DAY, volume: 7 * 3000 * LITRE, closed: "usage-normal" },
      // What was usual when it began, not what it has become.
      evidence: { usualDay: 600 * LITRE, highestDay: 600 * LITRE, days: 30 },
    },
  ]);
});

it("passes over what is estimated, does not learn days that were read in part, and ends where nothing is read", () => {
  expect(follow([...days(30, 600), ...times(24, "?" as const)]).open).toBeUndefined();
  const part = [...times(4, null), ...times(20, 100 * LITRE)];
  const less = [...times(5, null), ...times(19, 100 * LITRE)];
  // A day with 20 hours counts, so 2,000 L were there before; one with 19 does not.
  expect(follow([...days(30, 600), ...part, ...days(3, 600), ...day(2800)]).closed).toHaveLength(1);
  const learnt = follow([...days(30, 600), ...less, ...days(3, 600), ...day(2800), ...days(2, 600)]);
  expect(learnt.closed).toHaveLength(2);
  const silent = follow([...days(30, 600), ...day(2400), ...times(60, null), ...day(600)]);
  expect(silent.closed).toMatchObject([{ end: 31 * DAY, volume: 2400 * LITRE, closed: "no-reads" }]);
});

it("makes the limit of the weekday, the spread and the highest day", () => {
  const even = { days: Array.from({ length: 28 }, (_, i) => i), volumes: times(28, 1000 * LITRE) };
  const limit = (volumes: readonly number[], of: Partial<typeof parameters> = {}) =>
    Math.round(dayLimit(28, even.days, volumes, { ...parameters, ...of }) / LITRE);
  // ln(1 + V) rises by 2.25 × 0.2 over that of 1,000 L.
  expect(limit(even.volumes)).toBe(Math.round(1001 * Math.exp(0.45) - 1));
  expect(limit(even.volumes, { highest: 2 })).toBe(2000);
  expect(limit(even.volumes, { minVolume: 3_000_000 })).toBe(3000);
  // Day 28 is of the weekday of days 0, 7, 14 and 21: four of them count for a half.
  const sundays = even.volumes.map((ml, i) => (i % 7 === 0 ? 3 * ml : ml));
  const half = Math.exp((Math.log(1001) + Math.log(3001)) / 2);
  expect(limit(sundays, { highest: 0, deviations: 1 })).toBe(Math.round(half * Math.exp(0.2) - 1));
});
