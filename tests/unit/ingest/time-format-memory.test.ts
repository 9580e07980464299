import fc from "fast-check";
import { compileTimeFormat, type Stamp } from "../../../ingest/formats/time-format.js";

const FORMATS = ["YYYY-MM-DD HH:mm", "DD/MM/YYYY HH:mm:ss", "MM/DD/YYYY hh:mm A", "YYYY-MM-DD"];
const two = (n: number, padded: boolean) => (padded ? String(n).padStart(2, "0") : String(n));

const stamps = fc
  .record({
    year: fc.constantFrom(2025, 2026),
    month: fc.integer({ min: 0, max: 13 }),
    day: fc.integer({ min: 0, max: 32 }),
    hour: fc.integer({ min: 0, max: 25 }),
    minute: fc.constantFrom(0, 30, 61),
    padded: fc.boolean(),
    tail: fc.constantFrom("", "x", " "),
  })
  .chain(({ year, month, day, hour, minute, padded, tail }) => {
    const m = two(month, padded);
    const d = two(day, padded);
    const clock = `${two(hour, padded)}:${two(minute, true)}`;
    return fc.constantFrom(
      `${year}-${m}-${d} ${clock}${tail}`,
      `${d}/${m}/${year} ${clock}:00${tail}`,
      `${m}/${d}/${year} ${clock} PM${tail}`,
      `${year}-${m}-${d}${tail}`,
    );
  });

it("a stamp is read the same after any other stamps as by a reader that has seen none", () => {
  fc.assert(
    fc.property(fc.constantFrom(...FORMATS), fc.array(stamps, { maxLength: 30 }), (format, texts) => {
      const used = compileTimeFormat(format);
      for (const text of texts) {
        const bytes = Buffer.from(text);
        const before: Stamp = { day: 0, second: 0, offset: 0, epoch: 0 };
        const alone: Stamp = { ...before };
        const taken = used(bytes, 0, bytes.length, before);
        expect(taken).toBe(compileTimeFormat(format)(bytes, 0, bytes.length, alone));
        if (taken) expect(before).toEqual(alone);
      }
    }),
    { numRuns: 500 },
  );
});
