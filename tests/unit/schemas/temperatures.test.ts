import fc from "fast-check";
import { coldSpells, spellsDifferFrom, type ColdSpell } from "../../../schemas/temperatures.js";

const HOUR = 3600;
const hourly = (...degrees: readonly number[]) =>
  degrees.map((value, hour) => ({ time: hour * HOUR, value: Math.round(value * 100) }));

it("is cold from a temperature at the limit until the next above it", () => {
  expect(coldSpells(hourly(1, -6.7, -9, -6.69, -7, -7), -6.7)).toEqual([
    { from: HOUR, until: 3 * HOUR },
    { from: 4 * HOUR, until: 5 * HOUR },
  ]);
  expect(coldSpells([], -6.7)).toEqual([]);
});

it("knows nothing of what comes three hours after a temperature, nor of the time after the last", () => {
  const temperatures = [
    { time: 0, value: -1000 },
    { time: 10 * HOUR, value: -1000 },
  ];
  expect(coldSpells(temperatures, 0)).toEqual([{ from: 0, until: 3 * HOUR }]);
});

it("grows only at its end while temperatures come in order", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -12, max: 12 }), { minLength: 1, maxLength: 60 }), (degrees) => {
      const whole = hourly(...degrees);
      for (let n = 1; n < whole.length; n++) {
        const [before, now] = [coldSpells(whole.slice(0, n), 0), coldSpells(whole.slice(0, n + 1), 0)];
        expect(spellsDifferFrom(before, now)).toBeGreaterThanOrEqual(whole[n - 1]!.time);
      }
    }),
  );
});

it("names the first second at which two lists differ", () => {
  const spells = fc
    .uniqueArray(fc.integer({ min: 0, max: 60 }), { maxLength: 8 })
    .map((times) => times.sort((a, b) => a - b))
    .map((times) =>
      times.flatMap((from, i): ColdSpell[] =>
        i % 2 === 0 && i + 1 < times.length ? [{ from, until: times[i + 1]! }] : [],
      ),
    );
  const isCold = (list: readonly ColdSpell[], second: number) =>
    list.some(({ from, until }) => from <= second && second < until);
  fc.assert(
    fc.property(spells, spells, (one, other) => {
      const seconds = Array.from({ length: 61 }, (_, second) => second);
      const first = seconds.find((second) => isCold(one, second) !== isCold(other, second)) ?? Infinity;
      expect(spellsDifferFrom(one, other)).toBe(first);
    }),
    { numRuns: 1000 },
  );
});
