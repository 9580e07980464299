import fc from "fast-check";
import { BillAhead } from "../../../detect/rules/bill-ahead.js";
import { followRule, followThroughBytes, ruleContext, type UnitVolume } from "../../harness/follow-rule.js";

const HOUR = 3600;
const DAY = 24 * HOUR;
const LITRE = 1000;
const dayOf = (iso: string) => Date.parse(`${iso}T00:00Z`) / 86_400_000;
const FIRST = dayOf("2025-01-01");

/** Days from the first of January 2025, of so many litres an hour, or holes. */
function follow(litresOn: (day: number) => number | null | "?", until: string, over = {}) {
  const units: UnitVolume[] = [];
  for (let day = FIRST; day < dayOf(until); day++) {
    const litres = litresOn(day);
    for (let hour = 0; hour < 24; hour++) units.push(typeof litres === "number" ? litres * LITRE : litres);
  }
  return followRule(new BillAhead(), units, over, HOUR, FIRST * 24);
}
const from =
  (iso: string, litres: number, before = 10) =>
  (day: number) =>
    day >= dayOf(iso) ? litres : before;

it("opens where most of half as much again as in the same month of last year is used too early", () => {
  // May 2025: 7,440 L; the limit is 3 m³ more, 11,160 L the other. From 20 L an hour three fifths of it are used in 14 days.
  const { open, closed } = follow(from("2026-05-01", 20), "2026-05-20");
  expect(closed).toEqual([]);
  expect(open).toEqual({
    rule: "bill-ahead",
    ruleVersion: 1,
    start: dayOf("2026-05-01") * DAY,
    end: dayOf("2026-05-20") * DAY,
    detectedAt: dayOf("2026-05-01") * DAY + Math.ceil((0.6 * 11_160) / 20) * HOUR,
    rate: 20 * LITRE,
    volume: 19 * 24 * 20 * LITRE,
    closed: null,
    evidence: {
      lastYear: 7_440_000,
      times: 1.5,
      more: 3_000_000,
      share: 0.6,
      expected: Math.round((335 * 20 * LITRE * 31) / 14),
    },
  });
});

it("says nothing of a month like last year's, of a first year, nor of a little more of little", () => {
  const silent = { closed: [], open: undefined };
  expect(follow(from("2026-05-01", 14), "2026-06-01")).toEqual(silent);
  expect(follow(from("2025-05-01", 50), "2025-12-31")).toEqual(silent);
  // Twice 1,488 L is not 3 m³ more.
  expect(follow(from("2026-05-01", 4, 2), "2026-06-01")).toEqual(silent);
  // A summer that is as dry as the last.
  const summer = (day: number) => (new Date(day * 86_400_000).getUTCMonth() === 6 ? 90 : 10);
  expect(follow(summer, "2026-12-31")).toEqual(silent);
});

it("is over with the month, and speaks again in the next", () => {
  const { closed, open } = follow(from("2026-05-01", 30), "2026-06-25");
  expect(closed).toMatchObject([
    { start: dayOf("2026-05-01") * DAY, end: dayOf("2026-06-01") * DAY, closed: "usage-normal" },
  ]);
  expect(open).toMatchObject({ start: dayOf("2026-06-01") * DAY, evidence: { lastYear: 7_200_000 } });
});

it("compares with no month of which a tenth is not known, and makes up for less", () => {
  const hole = (days: number, nothing: null | "?") => (day: number) =>
    day >= dayOf("2025-05-03") && day < dayOf("2025-05-03") + days ? nothing : from("2026-05-01", 20)(day);
  for (const nothing of [null, "?"] as const) {
    expect(follow(hole(4, nothing), "2026-06-01").closed).toEqual([]);
    expect(follow(hole(4, nothing), "2026-05-31").open).toBeUndefined();
    expect(follow(hole(3, nothing), "2026-05-31").open).toMatchObject({ evidence: { lastYear: 7_440_000 } });
  }
});

it("forgets a year of which nothing came", () => {
  const away = (first: string, last: string) => (day: number) =>
    day >= dayOf(first) && day < dayOf(last) ? null : from("2026-05-01", 20)(day);
  expect(follow(away("2025-06-01", "2026-05-01"), "2026-05-31").open).toBeDefined();
  expect(follow(away("2025-05-01", "2026-05-01"), "2026-05-31").open).toBeUndefined();
  // Two years ago is not last year.
  const late = (day: number) =>
    day >= dayOf("2025-06-01") && day < dayOf("2027-05-01") ? null : from("2027-05-01", 20)(day);
  expect(follow(late, "2027-05-31").open).toBeUndefined();
});

it("goes by the parameters of the utility", () => {
  const { detect } = ruleContext();
  const over = { detect: { ...detect, billAhead: { times: 1.2, more: 0, share: 0.9 } } };
  expect(follow(from("2026-05-01", 13), "2026-05-31", over).open).toMatchObject({
    evidence: { lastYear: 7_440_000, times: 1.2, more: 0, share: 0.9 },
  });
});

it("finds the same after its memory was bytes", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 4000 }), { minLength: 380, maxLength: 420 }),
      fc.nat(379),
      (litres, after) => {
        const steps = litres.map((ml, i) => ({
          unit: { start: (FIRST + i) * DAY, end: (FIRST + i + 1) * DAY, ml: ml * LITRE, neutral: false },
          context: { ...ruleContext(), day: FIRST + i },
        }));
        const whole = followThroughBytes(() => new BillAhead(), steps, -1);
        expect(followThroughBytes(() => new BillAhead(), steps, after)).toEqual(whole);
      },
    ),
    { numRuns: 100 },
  );
});
