import type { CheckContext, Finding } from "../../../detect/checks/finding.js";
import { MeterChecks } from "../../../detect/checks/meter-checks.js";
import { Reader, Writer } from "../../../detect/varints.js";
import { TimeZone } from "../../../infra/time-zone.js";
import { HISTORY_CHECKS, CHECKS, checksConfig, limitOf, type CheckCode } from "../../../schemas/checks.js";
import { Flag } from "../../../schemas/flags.js";

const HOUR = 3600;
const DAY = 24 * HOUR;
/** Midnight in Los Angeles on 1 March 2026; the clock goes forward on the 8th. */
const MARCH = Date.UTC(2026, 2, 1, 8) / 1000;

const days = new TimeZone("America/Los_Angeles");

const everyLimit = Object.fromEntries(
  HISTORY_CHECKS.map((code) => [code, limitOf(checksConfig.parse({ [code]: true }), code)!]),
) as Record<CheckCode, number>;

const context = (
  limits: CheckContext["limits"] = everyLimit,
  resolution = 1000,
  service: CheckContext["service"] = [],
): CheckContext => ({
  limits,
  resolution,
  service,
});

type Row = readonly [ml: number, flags?: number, more?: { skip?: number; length?: number }];

/** Pushes hours one after the other from `from`, and gives what was found of `code`. */
function found(code: CheckCode, rows: readonly Row[], of: CheckContext = context(), from = MARCH): Finding[] {
  let checks = new MeterChecks();
  let at = from;
  rows.forEach(([ml, flags = 0, { skip = 0, length = HOUR } = {}], i) => {
    at += skip;
    checks.push(at, length, ml, flags, 1, days.dayOf(at), of);
    at += length;
    // Saved and loaded on the way, with what ended kept aside as the detector does.
    if (i % 7 === 3) {
      const to = new Writer();
      checks.writeTo(to);
      const copy = new MeterChecks();
      copy.readFrom(new Reader(to.take()));
      copy.ended = checks.ended;
      checks = copy;
    }
  });
  return checks.findings(of).filter((finding) => finding.code === code);
}

const hours = (count: number, ml: number | ((i: number) => number) = 0, flags = 0): Row[] =>
  Array.from({ length: count }, (_, i) => [typeof ml === "number" ? ml : ml(i), flags]);
/** Volumes that no two neighbours share. */
const use = (i: number) => 5000 + (i % 7) * 1000;

it("finds estimates that last", () => {
  const estimated = (count: number) => [...hours(5, use), ...hours(count, use, Flag.estimated)];
  expect(found("prolonged-estimation", [...estimated(71), ...hours(2, use)])).toEqual([]);
  const start = MARCH + 5 * HOUR;
  expect(found("prolonged-estimation", estimated(72))).toEqual([
    { code: "prolonged-estimation", start, end: start + 72 * HOUR, open: true, value: 72, limit: 72 },
  ]);
  expect(found("prolonged-estimation", [...estimated(80), ...hours(2, use)])).toEqual([
    { code: "prolonged-estimation", start, end: start + 80 * HOUR, open: false, value: 80, limit: 72 },
  ]);
});

it("finds what devices and registers were flagged with, a run at a time", () => {
  const rows: Row[] = [
    [1],
    [1, Flag.deviceLeak],
    [1, Flag.deviceLeak | Flag.testMode],
    [1],
    [1, Flag.deviceLeak],
  ];
  expect(
    found("device-leak", rows).map(({ start, end, open }) => [start - MARCH, end - MARCH, open]),
  ).toEqual([
    [HOUR, 3 * HOUR, false],
    [4 * HOUR, 5 * HOUR, true],
  ]);
  for (const [code, flag] of [
    ["over-capacity", Flag.overCapacity],
    ["negative", Flag.negative],
    ["rollover", Flag.rollover],
    ["exchange", Flag.exchange],
    ["exchange", Flag.deviceReset],
    ["device-burst", Flag.deviceBurst],
    ["device-backflow", Flag.deviceBackflow],
    ["device-fault", Flag.deviceFault],
    ["device-dry", Flag.deviceDry],
    ["device-clock", Flag.deviceClock],
    ["test-mode", Flag.testMode],
  ] as const) {
    expect(found(code, [[1], [1, flag], [1]])).toMatchObject([
      { start: MARCH + HOUR, end: MARCH + 2 * HOUR },
    ]);
    expect(found(code, [[1], [1], [1]])).toEqual([]);
  }
});

it("finds holes between intervals and intervals that cover one", () => {
  expect(found("gap", [[1], [1, 0, { skip: 24 * HOUR - 1 }]])).toEqual([]);
  expect(found("gap", [[1], [1, 0, { skip: 30 * HOUR }]])).toEqual([
    { code: "gap", start: MARCH + HOUR, end: MARCH + 31 * HOUR, open: false, value: 30, limit: 24 },
  ]);
  expect(found("gap", [[1], [90_000, Flag.gap, { length: 48 * HOUR }], [1]])).toMatchObject([
    { start: MARCH + HOUR, end: MARCH + 49 * HOUR, value: 48 },
  ]);
});

it("finds a volume that repeats, unless it is a single step of the register", () => {
  expect(found("stuck", [...hours(23, 4000), ...hours(2, use)])).toEqual([]);
  expect(found("stuck", [[1], ...hours(24, 4000), [1]])).toEqual([
    { code: "stuck", start: MARCH + HOUR, end: MARCH + 25 * HOUR, open: false, value: 24, limit: 24 },
  ]);
  expect(found("stuck", [[1], ...hours(30, 4000)])).toMatchObject([{ open: true, value: 30 }]);
  expect(found("stuck", hours(100, 4000), context(everyLimit, 4000))).toEqual([]);
  expect(found("stuck", hours(100, 0))).toEqual([]);
});

it("finds long silence of a meter that was used before, also where one read proves it", () => {
  expect(found("no-usage", hours(40 * 24, 0))).toEqual([]);
  expect(found("no-usage", [...hours(3, use), ...hours(30 * 24 - 1, 0), ...hours(2, use)])).toEqual([]);
  expect(found("no-usage", [...hours(3, use), ...hours(31 * 24, 0)])).toEqual([
    {
      code: "no-usage",
      start: MARCH + 3 * HOUR,
      end: MARCH + 3 * HOUR + 31 * DAY,
      open: true,
      value: 31,
      limit: 30,
    },
  ]);
  expect(found("no-usage", [[5], [0, 0, { length: 35 * DAY }], [5]])).toMatchObject([
    { open: false, value: 35 },
  ]);
});

it("finds hours of a compound meter in which one register is missing", () => {
  const of = context();
  const checks = new MeterChecks();
  const read = (hour: number, registers: number) => {
    const at = MARCH + hour * HOUR;
    for (let i = 0; i < registers; i++) checks.push(at, HOUR, use(hour), 0, 2, days.dayOf(at), of);
  };
  const siblings = () => checks.findings(of).filter(({ code }) => code === "sibling-missing");
  for (let hour = 0; hour < 30; hour++) read(hour, hour % 10 === 9 ? 1 : 2);
  expect(siblings()).toEqual([]);
  for (let hour = 30; hour < 56; hour++) read(hour, 1);
  // The hour in hand is not over.
  const from = { code: "sibling-missing", start: MARCH + 29 * HOUR, limit: 24 };
  expect(siblings()).toEqual([{ ...from, end: MARCH + 55 * HOUR, open: true, value: 26 }]);
  read(56, 2);
  expect(siblings()).toEqual([{ ...from, end: MARCH + 56 * HOUR, open: true, value: 27 }]);
  read(57, 2);
  expect(siblings()).toEqual([{ ...from, end: MARCH + 56 * HOUR, open: false, value: 27 }]);
});

it("finds flow through a meter that is not in service", () => {
  const service = [
    { from: MARCH + 10 * HOUR, inService: false },
    { from: MARCH + 60 * HOUR, inService: true },
  ];
  const of = context(everyLimit, 1000, service);
  const rows = (ml: number) => [...hours(12, 5000), ...hours(8, 0), [ml] as Row, ...hours(60, use)];
  expect(found("usage-inactive", [...hours(10, 5000), ...hours(50, 0), ...hours(9, use)], of)).toEqual([]);
  expect(found("usage-inactive", [...hours(11, 5000), ...hours(49, 0)], of)).toEqual([]);
  expect(found("usage-inactive", rows(3000).slice(0, 48), of)).toMatchObject([
    { start: MARCH + 10 * HOUR, open: true },
  ]);
  expect(found("usage-inactive", [...hours(12, 5000), ...hours(30, 0), ...hours(30, 20_000)], of)).toEqual([
    {
      code: "usage-inactive",
      start: MARCH + 10 * HOUR,
      end: MARCH + 12 * HOUR,
      open: false,
      value: 10,
      limit: 10,
    },
    {
      code: "usage-inactive",
      start: MARCH + 42 * HOUR,
      end: MARCH + 60 * HOUR,
      open: false,
      value: 360,
      limit: 10,
    },
  ]);
});

it("finds usage and registers that part, and not steps of a coarse register", () => {
  const sums = (
    pairs: readonly (readonly [usage: number, register: number])[],
    limits: CheckContext["limits"] = everyLimit,
  ) => {
    const checks = new MeterChecks();
    pairs.forEach(([usage, register], i) => {
      const start = MARCH + i * DAY;
      checks.pushSums(
        { start, end: start + DAY, usage: usage * 1000, register: register * 1000, reads: 24 },
        context(limits),
      );
    });
    return checks
      .findings(context(limits))
      .map(({ code, start, end, open, value }) => [
        code,
        (start - MARCH) / DAY,
        (end - MARCH) / DAY,
        open,
        Math.round(value),
      ]);
  };
  const days = (count: number, usage: number, register: number) =>
    Array.from({ length: count }, () => [usage, register] as const);
  expect(sums(days(30, 500, 491))).toEqual([]);
  // Each hour was cut to whole litres by itself.
  expect(sums(days(90, 26, 50))).toEqual([]);
  expect(sums(days(90, 25, 50))).toHaveLength(1);
  // A register in steps of 3,785 L shows nothing for six days, and then all of it.
  const coarse = Array.from({ length: 60 }, (_, i) => [631, i % 6 === 5 ? 3785 : 0] as const);
  expect(sums(coarse)).toEqual([]);
  // One that counts a tenth does so at once, one that loses a twentieth once that is more than two of its moves.
  expect(sums([...days(3, 500, 500), ...days(2, 5000, 500)])).toEqual([["sum-mismatch", 3, 5, true, 90]]);
  expect(sums([...days(1, 120, 120), ...days(8, 475, 500)])).toEqual([]);
  expect(sums([...days(1, 120, 120), ...days(10, 475, 500), ...days(1, 500, 500)])).toEqual([
    ["sum-mismatch", 1, 11, false, 5],
  ]);
  // A register that stands still, of a meter that uses water.
  expect(sums(days(20, 500, 0))).toEqual([]);
  expect(sums(days(21, 500, 0))).toEqual([["sum-mismatch", 0, 21, true, 100]]);
  expect(sums(days(30, 500, 0), { ...everyLimit, "sum-mismatch": 100 })).toEqual([]);
  expect(sums(days(30, 500, 0), {})).toEqual([]);
});

it("finds high and low days against the mean of those before, by local days", () => {
  // From the 1st to the 15th; on the 8th the day has 23 hours.
  const usual = hours(14 * 24 - 1, 20_000);
  const day = (ml: number) => hours(24, ml);
  const start = Date.UTC(2026, 2, 15, 7) / 1000;
  expect(found("high-day", [...usual, ...day(59_000), [0]])).toEqual([]);
  expect(found("high-day", [...usual, ...day(62_000), [0]])).toEqual([
    { code: "high-day", start, end: start + DAY, open: false, value: 311, limit: 300 },
  ]);
  expect(found("low-day", [...usual, ...day(5_000), [0]])).toEqual([]);
  expect(found("low-day", [...usual, ...day(4_000), [0]])).toMatchObject([{ start, value: 20, limit: 25 }]);
  // A small meter's day is not high for three times nothing, and thirteen days are no history.
  expect(found("high-day", [...hours(14 * 24 - 1, 1000), ...day(10_000), [0]])).toEqual([]);
  expect(found("high-day", [...hours(13 * 24 - 1, 20_000), ...day(90_000), [0]])).toEqual([]);
  // A day that was read in part counts neither way.
  expect(found("high-day", [...usual, ...hours(19, 200_000), [0, 0, { skip: 6 * HOUR }]])).toEqual([]);
});

it("finds a peak far above a day's third highest interval", () => {
  const peak = (ml: number): Row[] => [[ml], [12_000], [10_000], ...hours(22, 2000)];
  expect(found("peak-interval", peak(28_000))).toEqual([]);
  expect(found("peak-interval", peak(38_100))).toMatchObject([
    { start: MARCH, end: MARCH + DAY, value: 281 },
  ]);
});

it("finds nothing of what is switched off, and takes a utility's limit", () => {
  expect(found("stuck", hours(30, 4000), context({}))).toEqual([]);
  expect(found("stuck", hours(30, 4000), context({ stuck: 12 }))).toMatchObject([{ limit: 12 }]);
  const config = checksConfig.parse({ stuck: 12, gap: false, "device-leak": false, "low-day": true });
  expect(limitOf(config, "stuck")).toBe(12);
  expect(limitOf(config, "gap")).toBeUndefined();
  expect(limitOf(config, "device-leak")).toBeUndefined();
  expect(limitOf(config, "low-day")).toBe(25);
  expect(limitOf(config, "peak-interval")).toBeUndefined();
  expect(limitOf(config, "device-burst")).toBe(0);
  expect(checksConfig.safeParse({ stuck: 0 }).success).toBe(false);
  expect(checksConfig.safeParse({ "device-leak": 3 }).success).toBe(false);
});

it("has a source and a plain sentence for every check", () => {
  for (const check of Object.values(CHECKS)) {
    expect(check.fails).toMatch(/^[A-Z].*\.$/);
    expect(check.source.length).toBeGreaterThan(0);
  }
});
