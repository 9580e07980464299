import fc from "fast-check";
import { at, readText, type ProfileInput } from "../../harness/read-text.js";

/**
 * Rows that are read in one pass must be read as those that are cut first. A word for trailer rows, which no row has,
 * makes the reader cut every row.
 */
function bothWays(text: string, profile: ProfileInput, cuts: readonly number[] = []) {
  const fast = readText(text, profile, { cuts });
  const slow = readText(text, { ...profile, trailerRows: "no row begins so" }, { cuts });
  return { fast, slow };
}

const START = at("2025-10-31T00:00Z");
const HOUR = 3600;
/** Mostly what a plain row has, and everything near it. */
const plainValue = fc.nat(99_999).map((n) => (n % 50 === 0 ? "" : (n / 10).toFixed(1)));
const value = fc.oneof(
  { weight: 6, arbitrary: plainValue },
  fc.constantFrom("", "-1", "-0", "+3", "1e3", "1.", ".5", ".", "-", "1,5", " 7", "7 ", "x", '"8"', "NULL"),
  fc.constantFrom("9007199254740.9", "4503599627370.4", "123456789012345", "1234567890123456", "0.123456789"),
);
const quality = fc.constantFrom("", "E", "e", " E ", "A", "NOREAD", '"E"', "SUSPECT");
const meter = fc.constantFrom("M1", "M12", "M2", " M1", '"M1"', "", "é");
const stamp = fc.oneof(
  { weight: 6, arbitrary: fc.nat(24 * 8).map((hour) => local(START + hour * HOUR)) },
  fc.constantFrom("2025-11-02 01:30", "2026-03-08 02:30", "2025-1-2 3:04", "2025-02-30 00:00", "", "x"),
  fc.constantFrom("2025-10-31 24:00", "1985-01-01 00:00", "2093-01-01 00:00", "2025-10-31 00:00:00"),
);
const local = (second: number) => new Date(second * 1000).toISOString().slice(0, 16).replace("T", " ");
const extra = fc.constantFrom("", "", "", ",more", ",", "\r");

it("reads long rows as those that are cut first", () => {
  const row = fc
    .tuple(meter, stamp, value, value, quality, extra)
    .map(([m, t, u, r, q, more]) => `${[m, t, u, r, q].join(",")}${more}`);
  const options = fc.record({
    usage: fc.boolean(),
    stamp: fc.constantFrom("beginning" as const, "end" as const),
    unit: fc.constantFrom("L" as const, "gal" as const, "ccf" as const),
    multiplier: fc.constantFrom(1, 10, 0.5),
    zone: fc.constantFrom("utility", "UTC"),
    repeatedHour: fc.constantFrom("order" as const, "first" as const, "second" as const),
    marks: fc.boolean(),
  });
  let reads = 0;
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 60 }),
      options,
      fc.array(fc.nat(3_000), { maxLength: 4 }),
      (rows, how, cuts) => {
        const text = ["meter,time,usage,register,quality", ...rows].join("\n") + "\n";
        const { fast, slow } = bothWays(
          text,
          {
            columns: {
              meter: "meter",
              time: "time",
              register: "register",
              quality: "quality",
              ...(how.usage ? { usage: "usage" } : {}),
            },
            time: { stamp: how.stamp, zone: how.zone, repeatedHour: how.repeatedHour },
            unit: how.unit,
            multiplier: how.multiplier,
            quality: { noRead: ["NOREAD"] },
            ...(how.marks ? { noRead: ["", "0", "7"] } : {}),
          },
          cuts,
        );
        expect(fast).toEqual(slow);
        reads += fast.reads.length;
      },
    ),
    { numRuns: 400 },
  );
  expect(reads).toBeGreaterThan(1_000);
});

it("reads wide rows as those that are cut first", () => {
  const day = fc.oneof(
    { weight: 5, arbitrary: fc.nat(12).map((n) => local(START + n * 24 * HOUR).slice(0, 10)) },
    fc.constantFrom("2026-03-08", "2025-11-02", "2025-13-01", "", "2025-10-31 00:00"),
  );
  const row = fc
    .tuple(
      meter,
      day,
      fc.oneof(
        { weight: 4, arbitrary: fc.array(plainValue, { minLength: 24, maxLength: 24 }) },
        fc.array(value, { minLength: 23, maxLength: 25 }),
      ),
      quality,
    )
    .map(([m, d, values, q]) => [m, d, q, ...values].join(","));
  let reads = 0;
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 20 }),
      fc.constantFrom("register" as const, "usage" as const),
      fc.constantFrom("beginning" as const, "end" as const),
      fc.array(fc.nat(3_000), { maxLength: 4 }),
      (rows, wideValues, stamped, cuts) => {
        const header = ["meter", "day", "quality", ...Array.from({ length: 24 }, (_, i) => `h${i}`)];
        const { fast, slow } = bothWays(
          [header.join(","), ...rows].join("\n") + "\n",
          {
            layout: "wide",
            wideValues,
            columns: { meter: "meter", time: "day", first: "h0", quality: "quality" },
            time: { format: "YYYY-MM-DD", stamp: stamped },
          },
          cuts,
        );
        expect(fast).toEqual(slow);
        reads += fast.reads.length;
      },
    ),
    { numRuns: 400 },
  );
  expect(reads).toBeGreaterThan(1_000);
});
