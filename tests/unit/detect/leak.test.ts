import { seeded } from "../../../bench/random.js";
import { Burst } from "../../../detect/rules/burst.js";
import { Leak } from "../../../detect/rules/leak/leak.js";
import type { Found } from "../../../detect/rules/rule.js";
import { detectConfig } from "../../../schemas/detect-config.js";
import { followRule, ruleContext, times } from "../../harness/follow-rule.js";

const HOUR = 3600;
const LITRE = 1000;
const WARM_UP = 30;

/** Hours of a home that sleeps: mL, whole litres; seeded. */
function home(days: number, seed = 1): number[] {
  const random = seeded(seed);
  return Array.from({ length: days * 24 }, (_, i) => {
    const hour = i % 24;
    const draws = random() < (hour < 6 ? 0.06 : 0.6);
    return draws ? Math.ceil(60 * random()) * LITRE : 0;
  });
}

/** The same with a flow of `litres` an hour from hour `from` to `until`, read by a register of a step. */
function withLeak(
  hours: readonly number[],
  litres: number,
  from: number,
  until = Infinity,
  step = LITRE,
): number[] {
  let total = 0;
  let shown = 0;
  return hours.map((ml, i) => {
    total += ml + (i >= from && i < until ? litres * LITRE : 0);
    const reads = Math.floor(total / step) * step;
    const volume = reads - shown;
    shown = reads;
    return volume;
  });
}

const follow = (hours: readonly number[], over: Parameters<typeof followRule>[2] = {}) =>
  followRule(new Leak(), hours, { resolution: LITRE, ...over });

describe("leak", () => {
  const from = WARM_UP * 24;

  it("says nothing of homes that sleep", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { closed, open } = follow(home(120, seed));
      expect([...closed, open]).toEqual([undefined]);
    }
  });

  it.each([1, 2, 4, 15, 60])("finds %i L/h within two days, with its beginning and rate", (litres) => {
    const { open } = follow(withLeak(home(WARM_UP + 4), litres, from));
    expect(open).toMatchObject({ rule: "leak", closed: null, evidence: { kind: "continuous", by: "rate" } });
    expect(open!.detectedAt - from * HOUR).toBeLessThanOrEqual(48 * HOUR);
    expect(open!.detectedAt - from * HOUR).toBeGreaterThanOrEqual(18 * HOUR);
    expect(Math.abs(open!.start - from * HOUR)).toBeLessThanOrEqual(6 * HOUR);
    expect(open!.rate / (litres * LITRE)).toBeGreaterThan(0.95);
    expect(open!.rate / (litres * LITRE)).toBeLessThan(litres === 1 ? 1.5 : 1.2);
  });

  it("sees through a 10 L register by longer units, and averages its steps", () => {
    const { open } = follow(withLeak(home(WARM_UP + 7), 8, from, Infinity, 10 * LITRE), {
      resolution: 10 * LITRE,
    });
    expect(open).toMatchObject({ evidence: { kind: "intermittent" } });
    expect(open!.rate / (8 * LITRE)).toBeGreaterThan(0.8);
    expect(open!.rate / (8 * LITRE)).toBeLessThan(1.35);
  });

  it("finds what a coarse register hides sooner by both kinds of evidence together", () => {
    const { leak, ...rest } = detectConfig.parse({});
    const apart = { detect: { ...rest, leak: { ...leak, joint: 1e6 } } };
    const resolution = 10 * LITRE;
    let joint = 0;
    let hours = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const reads = withLeak(home(90, seed), 5, 70 * 24, Infinity, resolution);
      const together = follow(reads, { resolution }).open;
      const alone = follow(reads, { resolution, ...apart }).open;
      if (alone !== undefined) expect(together!.detectedAt).toBeLessThanOrEqual(alone.detectedAt);
      if (together?.evidence["by"] !== "joint") continue;
      joint++;
      hours += ((alone?.detectedAt ?? 90 * 24 * HOUR) - together.detectedAt) / HOUR;
      expect(together.evidence["evidence"]).toBeGreaterThanOrEqual(Number(together.evidence["needed"]));
      expect(together.evidence["needed"]).toBeGreaterThanOrEqual(14);
    }
    expect(joint).toBeGreaterThan(2);
    expect(hours / joint).toBeGreaterThan(12);
    // The same homes without a leak.
    for (let seed = 1; seed <= 20; seed++)
      expect(follow(withLeak(home(90, seed), 0, 0, 0, resolution), { resolution }).open).toBeUndefined();
  });

  it("is over, as declared, once its flow is said to be normal, and another begins where more runs", () => {
    const hours = withLeak(withLeak(home(WARM_UP + 14), 15, from), 20, from + 6 * 24);
    const said = (from + 4 * 24) * HOUR;
    const rule = new Leak();
    const closed: Found[] = [];
    hours.forEach((ml, i) => {
      const start = i * HOUR;
      const declared = start >= said ? { rate: 19 * LITRE, rateFrom: said } : {};
      const context = ruleContext({
        ...{ resolution: LITRE, day: Math.floor(i / 24), hour: i % 24 },
        ...declared,
      });
      rule.step({ start, end: start + HOUR, ml, neutral: false }, context, (found) => closed.push(found));
    });
    expect(closed).toMatchObject([{ closed: "declared" }]);
    expect(Math.abs(closed[0]!.end - said)).toBeLessThan(12 * HOUR);
    const open = rule.open()!;
    expect(Math.abs(open.start - (from + 6 * 24) * HOUR)).toBeLessThan(12 * HOUR);
    expect(open.rate / LITRE).toBeCloseTo(16, 0);
  });

  it("finds a toilet that refills each two hours", () => {
    const refills = home(WARM_UP + 10).map((ml, i) => ml + (i >= from && i % 2 === 0 ? 4 * LITRE : 0));
    expect(follow(refills).open).toMatchObject({ evidence: { kind: "intermittent", unitHours: 2 } });
  });

  it("judges a meter that is never dry by its step upwards", () => {
    const always = home(WARM_UP + 7, 3).map((ml, i) => ml + 35 * LITRE + (i % 3) * LITRE);
    const known = { class: "always-on" } as const;
    expect(follow(always, known)).toEqual({ closed: [], open: undefined });
    // Nobody said so: the fixed rule speaks once, and learns in the meantime.
    expect(follow(always)).toMatchObject({
      closed: [{ closed: "usage-normal", evidence: { by: "warm-up" } }],
      open: undefined,
    });
    const { open } = follow(withLeak(always, 15, from), known);
    expect(open).toMatchObject({ evidence: { kind: "base-step" } });
    expect(Number(open!.evidence["usualFloor"])).toBeGreaterThanOrEqual(35 * LITRE);
  });

  describe("at a meter that is never dry, of which the lowest hours rise", () => {
    /** 40 L/h, 15 % more by day and less by night, on top of what the home draws. */
    const always = (days: number) =>
      home(days, 5).map((ml, i) => ml + Math.round(40 * (1 + 0.15 * Math.sin(i / 3.82))) * LITRE);
    const stepAt = 60 * 24;
    const found = (litres: number, days: number) =>
      follow(withLeak(always(60 + days), litres, stepAt), { class: "always-on" });

    it("opens after two whole days, with the step's beginning and rate", () => {
      const { open } = found(15, 4);
      expect(open).toMatchObject({ evidence: { by: "base", kind: "base-step", evidence: 2, needed: 2 } });
      expect(Math.abs(open!.start - stepAt * HOUR)).toBeLessThanOrEqual(30 * HOUR);
      expect(open!.detectedAt - stepAt * HOUR).toBeLessThanOrEqual(49 * HOUR);
      expect(open!.rate / (15 * LITRE)).toBeGreaterThan(0.7);
      expect(open!.rate / (15 * LITRE)).toBeLessThan(1.4);
    });

    it("says nothing without a step, nor before the second day is over", () => {
      expect(found(0, 40)).toEqual({ closed: [], open: undefined });
      expect(found(15, 1)).toEqual({ closed: [], open: undefined });
    });

    it("ends when it is as low as it was, and asks for more the next time", () => {
      const days = 90;
      const twice = withLeak(
        withLeak(always(days), 15, stepAt, stepAt + 24 * 5),
        15,
        stepAt + 24 * 12,
        stepAt + 24 * 17,
      );
      const { closed, open } = follow(twice, { class: "always-on" });
      expect(open).toBeUndefined();
      expect(closed).toMatchObject([{ closed: "flow-stopped", evidence: { by: "base" } }]);
      expect(closed[0]!.end).toBeLessThan((stepAt + 24 * 6) * HOUR);
    });
  });

  it("judges a building, which stands still for some hours, by a raised lowest hour too", () => {
    const begin = 60 * 24;
    const homes = Array.from({ length: 14 }, (_, i) => home(64, 20 + i));
    const building = homes[0]!.map((_ml, hour) => homes.reduce((sum, hours) => sum + hours[hour]!, 0));
    const leaking = withLeak(building, 20, begin);
    const known = { class: "multi-family" } as const;
    expect(follow(building, known)).toEqual({ closed: [], open: undefined });
    const { open } = follow(leaking, known);
    expect(open).toMatchObject({ evidence: { by: "base", usualFloor: 0, needed: 2 } });
    expect(open!.detectedAt - begin * HOUR).toBeLessThanOrEqual(49 * HOUR);
    // Far above all of these weeks: thirty hours are enough, of which some may be from before it.
    const burst = follow(withLeak(building, 200, begin), known).open!;
    expect(burst).toMatchObject({ evidence: { by: "base", evidence: 1.25, needed: 1.25 } });
    expect(burst.detectedAt - begin * HOUR).toBeLessThanOrEqual(31 * HOUR);
    expect(begin * HOUR - burst.start).toBeLessThanOrEqual(24 * HOUR);
    // Guests raise the lowest hours of a home: those of a single family open nothing.
    expect(follow(leaking).open).toMatchObject({ evidence: { by: "rate" } });
  });

  it("ends with the first dry hour, and goes on as the same leak if it is back within three days", () => {
    const until = from + 72;
    const rest = WARM_UP + 14;
    const once = follow(withLeak(home(rest), 15, from, until));
    expect(once.closed).toHaveLength(1);
    expect(once.closed[0]).toMatchObject({ closed: "flow-stopped" });
    expect(once.closed[0]!.end).toBeLessThan((until + 12) * HOUR);
    const again = withLeak(withLeak(home(rest), 15, from, until), 15, until + 30);
    const { closed, open } = follow(again);
    expect(closed).toEqual([]);
    expect(open).toMatchObject({ start: once.closed[0]!.start, closed: null });
  });

  it("asks for more where such a flow went away by itself before", () => {
    const before = withLeak(home(WARM_UP + 20), 4, from - 24 * 10, from - 24 * 10 + 17);
    const first = follow(withLeak(home(WARM_UP + 20), 4, from + 24));
    const wary = follow(withLeak(before, 4, from + 24));
    expect(first.open).toBeDefined();
    expect(wary.open).toBeDefined();
    expect(Number(wary.open!.evidence["needed"])).toBeGreaterThan(Number(first.open!.evidence["needed"]));
    expect(wary.open!.detectedAt).toBeGreaterThan(first.open!.detectedAt);
  });

  it("finds a leak sooner where it watched the meter for long, when it has lasted half a day", () => {
    const alert = (days: number) => follow(withLeak(home(days + 4), 4, days * 24)).open!;
    const hoursUntil = (days: number) => alert(days).detectedAt / HOUR - days * 24;
    expect(hoursUntil(130)).toBeLessThan(hoursUntil(22));
    expect(hoursUntil(130)).toBeLessThanOrEqual(18);
    expect(alert(130).detectedAt - alert(130).start).toBeGreaterThanOrEqual(12 * HOUR);
  });

  it("takes what is normal for the meter by its setting for its floor", () => {
    const leaking = withLeak(home(WARM_UP + 7), 4, from);
    expect(follow(leaking, { rate: 5 * LITRE }).open).toBeUndefined();
    expect(follow(withLeak(leaking, 8, from), { rate: 5 * LITRE }).open).toBeDefined();
  });

  it("finds a leak in a meter's first week already, and asks for more the newer the meter is", () => {
    const alert = (days: number) => follow(withLeak(home(days + 8), 4, days * 24)).open!;
    const needed = (days: number) => Number(alert(days).evidence["needed"]);
    expect(alert(4)).toMatchObject({ evidence: { by: "rate" } });
    expect(Math.abs(alert(4).start - 4 * 24 * HOUR)).toBeLessThan(12 * HOUR);
    expect(needed(4)).toBeGreaterThan(needed(12));
    expect(needed(12)).toBeGreaterThan(needed(22));
    // Nothing is known of a meter's second day.
    const hours = withLeak(home(3), 4, 36).slice(0, 70);
    expect(follow(hours).open).toBeUndefined();
  });

  it("is silent about a new meter that hardly ever stands still over what it always does", () => {
    const told = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => {
      const random = seeded(seed + 99);
      let drift = 0;
      const hours = home(21, seed).map((ml, i) => {
        if (i % 24 === 0) drift = 3 * (2 * random() - 1);
        const base = 40 + drift + 6 * Math.sin(((i % 24) - 9) * (Math.PI / 12));
        return Math.round(ml / LITRE + base) * LITRE;
      });
      return follow(hours, { class: "always-on" });
    });
    expect(told).toEqual(told.map(() => ({ closed: [], open: undefined })));
  });

  it("has a fixed rule for a meter's first days: 7.5 gal an hour for 48 hours", () => {
    const flow = (litres: number, hours: number) => times(hours, litres * LITRE);
    expect(follow(flow(29, 60)).open).toMatchObject({ evidence: { by: "warm-up" } });
    expect(follow(flow(28, 60)).open).toBeUndefined();
    expect(follow(flow(29, 40)).open).toBeUndefined();
  });

  it("is not ended by a hole of some hours, and is by one of a week", () => {
    const hours = withLeak(home(WARM_UP + 14), 15, from);
    const hole = (length: number) =>
      hours.map((ml, i) => (i >= from + 60 && i < from + 60 + length ? null : ml));
    expect(followRule(new Leak(), hole(100), { resolution: LITRE })).toMatchObject({
      closed: [],
      open: { closed: null },
    });
    const long = followRule(new Leak(), hole(200), { resolution: LITRE });
    expect(long.closed).toMatchObject([{ closed: "no-reads" }]);
  });
});

describe("burst", () => {
  const start = 76 * 24;
  const burst = (hours: readonly number[], seconds = HOUR) =>
    followRule(new Burst(), hours, { resolution: LITRE }, seconds);
  /** The lawn, two hours at 800 L each second night. */
  const watering = (days: number) =>
    home(days).map((ml, i) => (i % 48 === 25 || i % 48 === 26 ? ml + 800 * LITRE : ml));

  it("opens when two hours ran at a rate that the meter never saw", () => {
    const hours = [...home(76), ...times(2, 600 * LITRE)];
    expect(burst(hours).open).toMatchObject({
      start: start * HOUR,
      detectedAt: (start + 2) * HOUR,
      rate: 600 * LITRE,
    });
    expect(burst(hours.slice(0, -1)).open).toBeUndefined();
  });

  it("opens after three quarters of an hour where quarters are read", () => {
    const quarters = [...home(76).flatMap((ml) => [ml, 0, 0, 0]), ...times(3, 150 * LITRE)];
    const { open } = burst(quarters, HOUR / 4);
    expect(open).toMatchObject({ start: start * HOUR, detectedAt: start * HOUR + 2700, rate: 600 * LITRE });
  });

  it("knows the home that waters its lawn, and finds what lasts longer", () => {
    const known = watering(76);
    expect(burst(known).closed).toEqual([]);
    expect(burst([...known, ...times(5, 800 * LITRE)]).open).toBeUndefined();
    expect(burst([...known, ...times(6, 800 * LITRE)]).open).toBeDefined();
  });

  it("asks up to twice the least rate of a meter that nobody knows for long", () => {
    const young = (rate: number) => burst([...home(22), ...times(2, rate * LITRE)]).open;
    expect(young(750)).toBeUndefined();
    expect(young(800)).toMatchObject({ evidence: { days: 23 } });
  });

  it("asks up to twice as many hours of a meter that nobody knows for long", () => {
    const young = watering(22);
    expect(burst([...young, ...times(11, 800 * LITRE)]).open).toBeUndefined();
    const { open } = burst([...young, ...times(12, 800 * LITRE)]);
    expect(open!.evidence).toMatchObject({ days: 23 });
    expect(Number(open!.evidence["neededHours"])).toBeCloseTo(6 * (2 - 2 / 54), 5);
  });

  it("ends when less than half of it flows", () => {
    const { closed } = burst([...home(76), ...times(3, 900 * LITRE), 100 * LITRE]);
    expect(closed).toMatchObject([
      { end: (start + 3) * HOUR, volume: 2_700 * LITRE, closed: "flow-stopped" },
    ]);
  });

  it("is silent below 400 L an hour and in the first three weeks", () => {
    expect(burst([...home(76), ...times(5, 399 * LITRE)]).open).toBeUndefined();
    expect(burst([...home(20), ...times(5, 2000 * LITRE)]).open).toBeUndefined();
  });
});
