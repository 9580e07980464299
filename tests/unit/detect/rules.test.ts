import fc from "fast-check";
import { continuousFlow } from "../../../detect/rules/continuous-flow.js";
import { Spike, spikeThreshold } from "../../../detect/rules/spike.js";
import { followRule, times, type UnitVolume } from "../../harness/follow-rule.js";

const HOUR = 3600;

describe("continuous flow", () => {
  const threshold = 3785;
  const follow = (hours: readonly UnitVolume[]) => followRule(continuousFlow(), hours);

  it("opens with the 24th hour of flow and not before", () => {
    expect(follow(times(23, 5000)).open).toBeUndefined();
    expect(follow(times(24, 5000)).open).toMatchObject({
      start: 0,
      end: 24 * HOUR,
      detectedAt: 24 * HOUR,
      closed: null,
    });
  });

  it("counts an hour from the threshold on", () => {
    expect(follow(times(24, threshold)).open).toBeDefined();
    expect(follow([...times(23, threshold), threshold - 1]).open).toBeUndefined();
  });

  it("tells the lowest hour of the last 24 as its rate and the sum as its volume", () => {
    const { open } = follow([4000, ...times(30, 6000), 5000, 7000]);
    expect(open).toMatchObject({ rate: 5000, volume: 4000 + 30 * 6000 + 5000 + 7000 });
  });

  it("closes with the first dry hour, at the end of the last that flowed", () => {
    const { closed, open } = follow([...times(30, 5000), 0, ...times(5, 5000)]);
    expect(closed).toMatchObject([{ start: 0, end: 30 * HOUR, closed: "flow-stopped" }]);
    expect(open).toBeUndefined();
  });

  it("lets estimated hours neither extend nor end a run", () => {
    expect(follow([...times(20, 5000), "?", "?", ...times(3, 5000)]).open).toBeUndefined();
    expect(follow([...times(20, 5000), "?", "?", ...times(4, 5000)]).open).toMatchObject({
      start: 0,
      end: 26 * HOUR,
    });
    expect(follow([...times(24, 5000), "?", "?"]).open).toMatchObject({ end: 24 * HOUR });
  });

  it("starts the count again after a hole longer than 4 hours", () => {
    expect(follow([...times(23, 5000), ...times(4, null), 5000]).open).toMatchObject({ start: 0 });
    expect(follow([...times(23, 5000), ...times(5, null), 5000]).open).toBeUndefined();
  });

  it("stays open over a hole of 7 days and closes with a longer one, since silence proves nothing", () => {
    expect(follow([...times(24, 5000), ...times(168, null), 5000]).closed).toEqual([]);
    const { closed } = follow([...times(24, 5000), ...times(169, null), 5000]);
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
});

describe("spike", () => {
  const parameters = { minVolume: 300_000, deviations: 8, minDays: 14 };

  /** Days of 24 hours; the peak of each is at its noon, and a day without one is not read to its end. */
  function follow(peaks: readonly (number | null)[], last: readonly UnitVolume[] = []) {
    const day = (peak: number | null) =>
      Array.from({ length: 24 }, (_, hour) =>
        peak === null && hour > 18 ? null : hour === 12 ? (peak ?? 0) : 1000,
      );
    return followRule(new Spike(), [...peaks.flatMap(day), ...last]);
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
