import fc from "fast-check";
import { Reader, Writer } from "../../../detect/varints.js";

/** So small that their differences are within the range too. */
const whole = fc.integer({ min: -(2 ** 50) + 1, max: 2 ** 50 - 1 });
/** Of one byte, of two, and of four. */
const fromZero = [2 ** 8, 2 ** 16, 2 ** 31].map((above) => fc.nat({ max: above - 1 }));

function written(write: (to: Writer) => void): Reader {
  const to = new Writer();
  write(to);
  // What follows is read where the numbers end.
  to.number(-7);
  return new Reader(to.take());
}

test.each([
  ["number", (to: Writer, values: number[]) => values.forEach((value) => to.number(value))],
  ["differences", (to: Writer, values: number[]) => to.differences(values)],
  ["runs", (to: Writer, values: number[]) => to.runs(values)],
] as const)("what %s writes is read again, for any whole numbers", (way, write) => {
  const read = (from: Reader, count: number): number[] => {
    const into: number[] = [];
    if (way === "number") for (let i = 0; i < count; i++) into.push(from.number());
    else from[way](into, 0, count);
    return into;
  };
  fc.assert(
    fc.property(fc.array(whole), (values) => {
      const from = written((to) => write(to, values));
      expect(read(from, values.length)).toEqual(values);
      expect(from.number()).toBe(-7);
      expect(from.done).toBe(true);
    }),
  );
});

test("numbers of a fixed width are read again, and take as many bytes as the largest needs", () => {
  fc.assert(
    fc.property(fc.oneof(...fromZero.map((one) => fc.array(one, { minLength: 1 }))), (values) => {
      const from = written((to) => to.fixed(values));
      const into: number[] = [];
      from.fixed(into, values.length);
      expect(into).toEqual(values);
      const most = Math.max(...values);
      expect(from.at).toBe(1 + values.length * (most < 2 ** 8 ? 1 : most < 2 ** 16 ? 2 : 4));
      expect(from.number()).toBe(-7);
    }),
  );
});

test("bytes that end early are refused", () => {
  const to = new Writer();
  to.fixed([1, 300]);
  const bytes = to.take();
  expect(() => new Reader(bytes.subarray(0, -1)).fixed([], 2)).toThrow("the bytes end within a number");
  expect(() => new Reader(bytes).fixed([], 3)).toThrow("the bytes end within a number");
});
