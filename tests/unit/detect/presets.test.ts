import { newRule } from "../../../detect/rules/registry.js";
import { RULES, type RuleName } from "../../../schemas/anomalies.js";
import { Reader, Writer } from "../../../detect/varints.js";
import { followRule, times, type UnitVolume } from "../../harness/follow-rule.js";

const GALLON = 3785.411784;
const LITRE = 1000;

function follow(rule: RuleName, units: readonly UnitVolume[], over: Parameters<typeof followRule>[2] = {}) {
  return followRule(newRule(rule), units, { resolution: LITRE, ...over });
}

/** Hours of a flow, mL/h, that just suffice, and the flow below which nothing opens. */
const RUNS: readonly [
  rule: RuleName,
  hours: number,
  least: number,
  over: Parameters<typeof followRule>[2],
][] = [
  ["any-flow-24h", 24, 1, {}],
  ["eyeonwater-24h", 24, Math.floor(GALLON), {}],
  ["eyeonwater-24h", 24, 9999, { resolution: 10 * LITRE }],
  ["watersmart-leak", 48, Math.floor(3 * GALLON) + 1, {}],
  ["watersmart-leak", 168, Math.floor(10 * GALLON) + 1, { class: "commercial" }],
  ["watersmart-burst", 8, Math.floor(30 * GALLON) + 1, {}],
  ["sfpuc-leak", 48, Math.floor(7.5 * GALLON), {}],
  ["sfpuc-leak", 48, Math.floor(7.5 * GALLON), { class: "multi-family" }],
  ["sfpuc-leak", 72, Math.floor(7.5 * GALLON), { class: "commercial" }],
  ["aquahawk-16h", 16, Math.floor(7 * GALLON), {}],
  ["flume-2h", 2, 1, {}],
  ["neptune-24h", 24, 999, {}],
];

describe("rules of vendors and utilities", () => {
  it.each(RUNS)("%s opens with hour %i at %i mL/h and not before or below", (rule, hours, least, over) => {
    const { open } = follow(rule, times(hours, least), over);
    expect(open).toMatchObject({ rule, start: 0, detectedAt: hours * 3600, rate: least });
    expect(follow(rule, times(hours - 1, least), over).open).toBeUndefined();
    expect(follow(rule, times(hours * 2, least - 1), over).open).toBeUndefined();
  });

  it("kamstrup-12x2h asks for a step in each of 12 windows of two hours", () => {
    const every2h = times(12, [0, LITRE]).flat();
    expect(follow("kamstrup-12x2h", every2h).open).toMatchObject({ detectedAt: 24 * 3600 });
    expect(follow("kamstrup-12x2h", every2h.slice(2)).open).toBeUndefined();
    expect(follow("kamstrup-12x2h", [...every2h, 0, 0]).closed).toMatchObject([{ closed: "flow-stopped" }]);
    expect(follow("kamstrup-12x2h", times(20, [0, 0, LITRE]).flat()).open).toBeUndefined();
  });

  it("itron-window takes windows in which the rate to catch moves the register", () => {
    // 48 gal a day are 7.6 L/h: one hour for a litre, two for ten.
    expect(follow("itron-window", times(24, LITRE)).open).toMatchObject({ detectedAt: 24 * 3600 });
    expect(follow("itron-window", times(24, [0, LITRE]).flat()).open).toBeUndefined();
    const coarse = { resolution: 10 * LITRE };
    expect(follow("itron-window", times(24, [0, 10 * LITRE]).flat(), coarse).open).toMatchObject({
      detectedAt: 48 * 3600,
    });
  });

  const day = (night: number, noon: number): number[] =>
    Array.from({ length: 24 }, (_, hour) => (hour < 5 ? night : hour === 12 ? noon : 10 * LITRE));
  const days = (count: number, night = 0, noon = 100 * LITRE) => times(count, day(night, noon)).flat();

  it("night-flow opens after two nights above the usual, when the second day is over", () => {
    const usual = days(10);
    expect(follow("night-flow", [...usual, ...days(2, LITRE), 0]).open).toMatchObject({
      start: 10 * 86_400,
      detectedAt: 12 * 86_400,
      rate: LITRE,
    });
    expect(follow("night-flow", [...usual, ...days(1, LITRE), ...days(1), 0]).open).toBeUndefined();
    expect(follow("night-flow", [...days(6), ...days(2, LITRE), 0]).open).toBeUndefined();
  });

  it("day-2x, day-3x-5d and day-150-week judge whole days against those before", () => {
    // 18 hours of 10 L and the noon: 280 L.
    const usual = days(10);
    const more = (times280: number, count = 1) => days(count, 0, (280 * times280 - 180) * LITRE);
    expect(follow("day-2x", [...usual, ...more(2), 0]).open).toBeUndefined();
    expect(follow("day-2x", [...usual, ...more(2.01), 0]).open).toMatchObject({ start: 10 * 86_400 });
    expect(follow("day-150-week", [...usual, ...more(1.5), 0]).open).toBeUndefined();
    expect(follow("day-150-week", [...usual, ...more(1.51), 0]).open).toBeDefined();
    expect(follow("day-3x-5d", [...days(30), ...more(6, 4), 0]).open).toBeUndefined();
    expect(follow("day-3x-5d", [...days(30), ...more(6, 5), 0]).open).toMatchObject({
      start: 30 * 86_400,
      detectedAt: 35 * 86_400,
    });
  });

  it("does not judge a day that was read for less than 20 hours", () => {
    const short = times(19, 1000 * LITRE);
    expect(follow("day-2x", [...days(10), ...short, ...times(5, null), 0]).open).toBeUndefined();
  });

  it("cardell-oliver-day takes a day whose lowest hour has 2 L", () => {
    expect(follow("cardell-oliver-day", [...times(24, 2 * LITRE), 0]).open).toMatchObject({ start: 0 });
    expect(follow("cardell-oliver-day", [...times(23, 2 * LITRE), 1999, 0]).open).toBeUndefined();
  });

  it.each(RULES)("%s goes on the same from its saved bytes", (name) => {
    const units = [
      ...days(25),
      ...times(60, 40 * LITRE),
      ...days(3),
      ...times(7, 900 * LITRE),
      ...days(2, LITRE),
      ...times(90, 12 * LITRE),
    ];
    const whole = newRule(name);
    const all = followRule(whole, units, { resolution: LITRE });
    for (const cut of [1, 30, 620, 680, 745, 760, 900]) {
      const first = newRule(name);
      const before = followRule(first, units.slice(0, cut), { resolution: LITRE });
      const to = new Writer();
      first.writeTo(to);
      const restored = newRule(name);
      restored.readFrom(new Reader(to.take()));
      const rest = followRule(restored, units.slice(cut), { resolution: LITRE }, 3600, cut);
      expect({ closed: [...before.closed, ...rest.closed], open: rest.open }).toEqual(all);
    }
  });
});
