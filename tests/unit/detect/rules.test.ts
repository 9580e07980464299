import fc from "fast-check";
import { ContinuousFlow } from "../../../detect/rules/continuous-flow.js";
import type { Found, Unit } from "../../../detect/rules/rule.js";
import { Spike, spikeThreshold } from "../../../detect/rules/spike.js";

const HOUR = 3600;

describe("continuous flow", () => {
  const parameters = { hours: 24, maxGapHours: 4 };
  const threshold = 3785;

  /** Hours one after the other: a volume, `"?"` neutral, `null` a hole. */
  function follow(hours: readonly (number | "?" | null)[]) {
    const flow = new ContinuousFlow();
    const closed: Found[] = [];
    hours.forEach((hour, i) => {
      if (hour === null) return;
      const unit = {
        start: i * HOUR,
        end: (i + 1) * HOUR,
        ml: hour === "?" ? 9 : hour,
        neutral: hour === "?",
      };
      flow.step(unit, threshold, parameters, (found) => closed.push(found));
    });
    return { closed, open: flow.open(parameters) };
  }
  const of = <T>(count: number, hour: T): T[] => new Array<T>(count).fill(hour);

  it("opens with the 24th hour of flow and not before", () => {
    expect(follow(of(23, 5000)).open).toBeUndefined();
    expect(follow(of(24, 5000)).open).toMatchObject({
      start: 0,
      end: 24 * HOUR,
      detectedAt: 24 * HOUR,
      closed: null,
    });
  });

  it("counts an hour from the threshold on", () => {
    expect(follow(of(24, threshold)).open).toBeDefined();
    expect(follow([...of(23, threshold), threshold - 1]).open).toBeUndefined();
  });

  it("tells the lowest hour of the last 24 as its rate and the sum as its volume", () => {
    const { open } = follow([4000, ...of(30, 6000), 5000, 7000]);
    expect(open).toMatchObject({ rate: 5000, volume: 4000 + 30 * 6000 + 5000 + 7000 });
  });

  it("closes with the first dry hour, at the end of the last that flowed", () => {
    const { closed, open } = follow([...of(30, 5000), 0, ...of(5, 5000)]);
    expect(closed).toMatchObject([{ start: 0, end: 30 * HOUR, closed: "flow-stopped" }]);
    expect(open).toBeUndefined();
  });

  it("lets estimated hours neither extend nor end a run", () => {
    expect(follow([...of(20, 5000), "?", "?", ...of(3, 5000)]).open).toBeUndefined();
    expect(follow([...of(20, 5000), "?", "?", ...of(4, 5000)]).open).toMatchObject({
      start: 0,
      end: 26 * HOUR,
    });
    expect(follow([...of(24, 5000), "?", "?"]).open).toMatchObject({ end: 24 * HOUR });
  });

  it("starts the count again after a hole longer than 4 hours", () => {
    expect(follow([...of(23, 5000), ...of(4, null), 5000]).open).toMatchObject({ start: 0 });
    expect(follow([...of(23, 5000), ...of(5, null), 5000]).open).toBeUndefined();
  });

  it("stays open over a hole of 7 days and closes with a longer one, since silence proves nothing", () => {
    expect(follow([...of(24, 5000), ...of(168, null), 5000]).closed).toEqual([]);
    const { closed } = follow([...of(24, 5000), ...of(169, null), 5000]);
    expect(closed).toMatchObject([{ end: 24 * HOUR, closed: "no-reads" }]);
  });

  it("agrees with a search of all stretches without a dry hour", () => {
    const hours = fc.array(
      fc.oneof({ weight: 20, arbitrary: fc.constant(5000) }, { weight: 1, arbitrary: fc.constant(0) }),
      {
        maxLength: 300,
      },
    );
    fc.assert(
      fc.property(hours, (list) => {
        const { closed, open } = follow(list);
        const stretches = [
          ...list
            .map((ml) => (ml === 0 ? "0" : "x"))
            .join("")
            .matchAll(/x{24,}/g),
        ].map(({ index, 0: text }) => [index * HOUR, (index + text.length) * HOUR]);
        expect(
          [...closed, ...(open === undefined ? [] : [open])].map(({ start, end }) => [start, end]),
        ).toEqual(stretches);
      }),
    );
  });

  it("goes on the same from a clone", () => {
    const flow = new ContinuousFlow();
    for (let i = 0; i < 23; i++)
      flow.step(
        { start: i * HOUR, end: (i + 1) * HOUR, ml: 5000, neutral: false },
        threshold,
        parameters,
        () => undefined,
      );
    const copy = flow.clone();
    const next: Unit = { start: 23 * HOUR, end: 24 * HOUR, ml: 5000, neutral: false };
    copy.step(next, threshold, parameters, () => undefined);
    expect(flow.open(parameters)).toBeUndefined();
    flow.step(next, threshold, parameters, () => undefined);
    expect(copy.open(parameters)).toEqual(flow.open(parameters));
  });
});

describe("spike", () => {
  const parameters = { minVolume: 300_000, deviations: 8, minDays: 14 };

  /** Days of 24 hours; the peak of each is at its noon. */
  function follow(peaks: readonly (number | null)[], last: readonly (number | "?" | null)[] = []) {
    const spike = new Spike();
    const closed: Found[] = [];
    const step = (hour: number, ml: number, neutral = false) =>
      spike.step(
        { start: hour * HOUR, end: (hour + 1) * HOUR, ml, neutral },
        Math.floor(hour / 24),
        parameters,
        (found) => closed.push(found),
      );
    peaks.forEach((peak, day) => {
      for (let hour = 0; hour < (peak === null ? 19 : 24); hour++)
        step(day * 24 + hour, hour === 12 ? (peak ?? 0) : 1000);
    });
    last.forEach((ml, i) => {
      if (ml !== null) step(peaks.length * 24 + i, ml === "?" ? 9e9 : ml, ml === "?");
    });
    return { closed, open: spike.open(parameters) };
  }
  const usual = Array.from({ length: 14 }, (_, i) => 100_000 + (i % 5) * 10_000);

  it("speaks after 14 whole days and not before", () => {
    expect(follow(usual, [2_000_000]).open).toMatchObject({
      rate: 2_000_000,
      volume: 2_000_000,
      closed: null,
    });
    expect(follow(usual.slice(1), [2_000_000]).open).toBeUndefined();
    // A day with 19 hours of reads is not whole.
    expect(follow([...usual.slice(1), null], [2_000_000]).open).toBeUndefined();
  });

  it("takes the median and the median deviation of the daily peaks for what is usual", () => {
    expect(spikeThreshold([100, 100, 100], { ...parameters, minVolume: 0 })).toBe(100 + 8 * 10);
    expect(spikeThreshold([100, 200, 300, 400, 9999], { ...parameters, minVolume: 0 })).toBeCloseTo(
      300 + 8 * 1.4826 * 100,
    );
    expect(spikeThreshold([100, 100, 100], parameters)).toBe(300_000);
  });

  it("is one while hours stay above the threshold, and ends with the first that does not", () => {
    const { closed } = follow(usual, [2_000_000, 3_000_000, 1000]);
    const start = usual.length * 24 * HOUR;
    expect(closed).toMatchObject([
      { start, end: start + 2 * HOUR, volume: 5_000_000, rate: 3_000_000, closed: "usage-normal" },
    ]);
  });

  it("passes over estimated hours", () => {
    expect(follow(usual, ["?"]).open).toBeUndefined();
    expect(follow(usual, [2_000_000, "?"]).open).toBeDefined();
  });

  it("does not join what lies on both sides of a hole of more than 4 hours", () => {
    const hole = (hours: number) =>
      follow(usual, [2_000_000, ...new Array<null>(hours).fill(null), 2_000_000]);
    expect(hole(4)).toMatchObject({ closed: [], open: { volume: 4_000_000 } });
    expect(hole(5)).toMatchObject({
      closed: [{ closed: "no-reads", volume: 2_000_000 }],
      open: { volume: 2_000_000 },
    });
  });

  it("never takes less than the smallest volume for one", () => {
    expect(follow(new Array<number>(14).fill(1000), [300_000]).open).toBeUndefined();
    expect(follow(new Array<number>(14).fill(1000), [300_001]).open).toBeDefined();
  });
});
