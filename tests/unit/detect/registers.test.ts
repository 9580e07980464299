import fc from "fast-check";
import { registerStep, type RegisterMark } from "../../../detect/registers.js";
import { Flag } from "../../../schemas/flags.js";

const HOUR = 3600;
const parameters = { stepBack: 20_000, maxRate: 11_400_000, modulus: 0, resolution: 1000 };
const mark = (ml: number, flags = 0): RegisterMark => ({ at: 0, ml, register: 1, flags });
const step = (
  from: RegisterMark,
  ml: number,
  more: { at?: number; register?: number; flags?: number; modulus?: number; resolution?: number } = {},
) =>
  registerStep(from, more.at ?? HOUR, ml, more.register ?? 1, more.flags ?? 0, {
    ...parameters,
    modulus: more.modulus ?? 0,
    resolution: more.resolution ?? 1000,
  });

it("derives the volume between two reads and moves the mark", () => {
  const from = mark(5000);
  expect(step(from, 9000)).toEqual({ start: 0, length: HOUR, ml: 4000, flags: 0 });
  expect(from).toEqual({ at: HOUR, ml: 9000, register: 1, flags: 0 });
});

it("takes a small step back as no flow, and counts water once when the register climbs back", () => {
  const from = mark(100_000);
  expect(step(from, 85_000)).toMatchObject({ ml: 0, flags: Flag.stepBack });
  expect(step(from, 98_000, { at: 2 * HOUR })).toMatchObject({ ml: 0, flags: Flag.stepBack });
  expect(step(from, 103_000, { at: 3 * HOUR })).toMatchObject({ start: 2 * HOUR, ml: 3000, flags: 0 });
});

it("derives nothing across a larger fall, and marks what begins there", () => {
  const from = mark(100_000);
  expect(step(from, 79_999)).toBeUndefined();
  expect(step(from, 80_999, { at: 2 * HOUR })).toMatchObject({
    ml: 1000,
    flags: Flag.negative | Flag.backflowMinor,
  });
  expect(step(from, 81_999, { at: 3 * HOUR })).toMatchObject({ ml: 1000, flags: 0 });
});

it("grades what may have flowed back by steps of the register, and calls nothing so that the meter can't pass", () => {
  const gradeOf = (fall: number, resolution: number) => {
    const from = mark(50_000_000);
    expect(step(from, 50_000_000 - fall, { resolution })).toBeUndefined();
    return step(from, 50_000_000, { at: 2 * HOUR, resolution })!.flags & ~(Flag.negative | Flag.overCapacity);
  };
  expect([20_001, 100_000, 100_001, 11_400_000, 11_400_001].map((fall) => gradeOf(fall, 1000))).toEqual([
    Flag.backflowMinor,
    Flag.backflowMinor,
    Flag.backflowMajor,
    Flag.backflowMajor,
    0,
  ]);
  expect(gradeOf(100_001, 10_000)).toBe(Flag.backflowMinor);
  expect(gradeOf(1_000_001, 10_000)).toBe(Flag.backflowMajor);
  expect(gradeOf(100_001, 0)).toBe(Flag.backflowMajor);
});

it("derives nothing across an exchange, be the new register higher or lower", () => {
  for (const ml of [0, 500_000]) {
    const from = mark(100_000);
    expect(step(from, ml, { register: 2 })).toBeUndefined();
    expect(step(from, ml + 7, { at: 2 * HOUR, register: 2 })).toMatchObject({ ml: 7, flags: Flag.exchange });
  }
});

it("takes a fall from near the top for a rollover where the meter could have passed the difference", () => {
  const modulus = 1_000_000_000;
  expect(step(mark(999_990_000), 10_000, { modulus })).toMatchObject({ ml: 20_000, flags: Flag.rollover });
  // From below 90 %, or more than the meter can pass: not one.
  expect(step(mark(890_000_000), 10_000, { modulus })).toBeUndefined();
  expect(step(mark(985_000_000), 10_000, { modulus })).toBeUndefined();
  expect(step(mark(985_000_000), 10_000, { modulus, at: 2 * HOUR })).toMatchObject({ ml: 15_010_000 });
});

it("flags more than the meter can pass, and holes", () => {
  expect(step(mark(0), 11_400_000)).toMatchObject({ flags: 0 });
  expect(step(mark(0), 11_400_001)).toMatchObject({ flags: Flag.overCapacity });
  expect(step(mark(0), 1, { at: 5400 })).toMatchObject({ flags: 0 });
  expect(step(mark(0), 1, { at: 5401 })).toMatchObject({ flags: Flag.gap });
});

it("carries estimated, adjusted and suspect to the intervals on both sides of a read", () => {
  for (const flag of [Flag.estimated, Flag.adjusted, Flag.suspect]) {
    const from = mark(0);
    expect(step(from, 1, { flags: flag })).toMatchObject({ flags: flag });
    expect(step(from, 2, { at: 2 * HOUR })).toMatchObject({ flags: flag });
    expect(step(from, 3, { at: 3 * HOUR })).toMatchObject({ flags: 0 });
  }
});

it("never derives a negative volume, and never more than the register climbed above its highest value", () => {
  const values = fc.array(fc.integer({ min: 0, max: 200_000 }), { minLength: 2, maxLength: 60 });
  fc.assert(
    fc.property(values, (list) => {
      const from = mark(list[0]!);
      let sum = 0;
      let climbed = 0;
      list.slice(1).forEach((ml, i) => {
        const derived = step(from, ml, { at: (i + 1) * HOUR });
        climbed += Math.max(0, ml - list[i]!);
        if (derived === undefined) return;
        expect(derived.ml).toBeGreaterThanOrEqual(0);
        sum += derived.ml;
      });
      expect(sum).toBeLessThanOrEqual(climbed);
    }),
  );
});

it("believes the device about its reset, its rollover and what it reports", () => {
  const reset = mark(100_000);
  expect(step(reset, 120_000, { flags: Flag.deviceReset })).toBeUndefined();
  expect(step(reset, 121_000, { at: 2 * HOUR })).toMatchObject({ ml: 1000, flags: Flag.exchange });
  const modulus = 1_000_000;
  const turned = { modulus, flags: Flag.deviceRollover };
  expect(step(mark(800_000), 10_000, turned)).toMatchObject({ ml: 210_000, flags: Flag.rollover });
  const told = mark(0);
  expect(step(told, 5, { flags: Flag.deviceLeak | Flag.deviceBackflow })).toMatchObject({
    flags: Flag.deviceLeak | Flag.deviceBackflow,
  });
  expect(step(told, 9, { at: 2 * HOUR })).toMatchObject({ flags: 0 });
});
