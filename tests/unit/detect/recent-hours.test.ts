import fc from "fast-check";
import { RECENT_HOURS, recentHours } from "../../../detect/recent-hours.js";
import { Flag } from "../../../schemas/flags.js";

const HOUR = 3600;
const FROM = 1000 * HOUR;
const END = FROM + RECENT_HOURS * HOUR;

const at = (start: number, length: number, ml: number, flags = 0, counts = true) => ({
  ...{ start, length, ml, flags, counts },
});
const hourly = (ml: (hour: number) => number, flags: (hour: number) => number = () => 0) =>
  Array.from({ length: 60 }, (_, i) => at(END - (60 - i) * HOUR, HOUR, ml(i - 12), flags(i - 12)));

it("gives the volume of each hour up to the end, oldest first", () => {
  const { from, ml } = recentHours([hourly((hour) => Math.max(0, hour) * 10)], END);
  expect(from).toBe(FROM);
  expect(ml).toEqual(Array.from({ length: RECENT_HOURS }, (_, hour) => hour * 10));
  // An end within an hour shows that hour.
  expect(recentHours([hourly(() => 5)], END - 1).from).toBe(FROM);
  expect(recentHours([hourly(() => 5)], END - HOUR).from).toBe(FROM - HOUR);
});

it("knows nothing of hours that were estimated, not read, or half read, nor of the hours of a long total", () => {
  const reads = hourly(
    () => 7,
    (hour) => (hour === 3 ? Flag.estimated : hour === 4 ? Flag.overCapacity : 0),
  ).filter(({ start }) => start !== FROM + 5 * HOUR);
  const quarter = at(FROM + 5 * HOUR, 900, 2);
  const { ml } = recentHours([[...reads, quarter]], END);
  expect(ml.slice(2, 7)).toEqual([7, null, null, null, 7]);
  const long = (total: number) => recentHours([[at(FROM, 24 * HOUR, total)]], END).ml;
  expect(long(0)).toEqual([...new Array<number>(24).fill(0), ...new Array<null>(24).fill(null)]);
  expect(long(9)).toEqual(new Array<null>(48).fill(null));
});

it("adds registers, and needs each of them; passes over what does not count", () => {
  const one = hourly(() => 4);
  const other = hourly(() => 6).slice(0, -1);
  const { ml } = recentHours([one, other], END);
  expect(ml.slice(-2)).toEqual([10, null]);
  expect(recentHours([[...one, at(END - HOUR, HOUR, 99, 0, false)]], END).ml.at(-1)).toBe(4);
});

it("loses and makes no water of short intervals, wherever they lie", () => {
  const cuts = fc.array(fc.integer({ min: 300, max: 5400 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(cuts, (lengths) => {
      let start = FROM + 2 * HOUR;
      const intervals = lengths.flatMap((length) => {
        const one = at(start, length, 1);
        start += length;
        return start <= END ? [one] : [];
      });
      const known = recentHours([intervals], END).ml.reduce<number>((sum, ml) => sum + (ml ?? 0), 0);
      expect(known).toBeLessThanOrEqual(intervals.length);
      // What is missing lies in hours of which less than half was read.
      if (lengths.every((length) => length <= 1800))
        expect(known).toBeGreaterThanOrEqual(intervals.length - 12);
    }),
  );
});
