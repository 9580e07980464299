import { z } from "zod";

/** A check of data that came in (VEE): what it judges, where, and what becomes of what fails it. */
export interface Check {
  /**
   * `detect`: judged over a meter's history; what it finds stands in ClickHouse (view `checks_current`). `ingest`: judged
   * where the file is read. There are more of these that reject (REJECT_CODES): only what has a meaning without its check is
   * here.
   */
  readonly judged: "ingest" | "detect";
  /** `reject`: the row is not taken. `neutral`: the read is kept, and rules take no notice of it. `note`: it is told. */
  readonly severity: "reject" | "neutral" | "note";
  /** Limit that a utility may set, and its unit; none: the check is on or off. */
  readonly limit?: { readonly unit: string; readonly default: number };
  /** Off unless a utility asks for it. */
  readonly off?: true;
  /** One plain sentence: what fails. */
  readonly fails: string;
  /** Where the check and its default come from. */
  readonly source: string;
}

const VEE = "FORMATS §4";

/** Checks by their code; docs/checks.md is made from this table. */
export const CHECKS = {
  "usage-mismatch": {
    judged: "ingest",
    severity: "reject",
    fails:
      "A billing row whose consumption is not its current read less the previous one, within source.billing.tolerance. Off: the reads are taken.",
    source: `${VEE}: sum check`,
  },
  "days-mismatch": {
    judged: "ingest",
    severity: "reject",
    fails:
      "A billing row whose days are not those between its two reads, nor one more. Off: the reads are taken.",
    source: "FORMATS §1: billing exports count the first day or not",
  },
  "missing-hour-used": {
    judged: "ingest",
    severity: "reject",
    fails:
      "A day's row with usage in the column of the hour that the day does not have. Off: the column is passed over.",
    source: "FORMATS §1: day rows on the day on which clocks are put forward",
  },
  late: {
    judged: "ingest",
    severity: "note",
    limit: { unit: "hours", default: 72 },
    fails:
      "A read that came so long after its time (of an interval: its end). It is taken, judged where it belongs, and counted for its file; sources of old reads (backfill) are not looked at.",
    source: "FORMATS §0: many reads come at three days and more",
  },
  "prolonged-estimation": {
    judged: "detect",
    severity: "note",
    limit: { unit: "hours", default: 72 },
    fails: "Every read for so long is an estimate.",
    source: `${VEE}: more than three estimated periods in a row`,
  },
  "over-capacity": {
    judged: "detect",
    severity: "neutral",
    fails:
      "More water than the meter can pass in the time: by its size (column meter_size of the crosswalk), otherwise detect.registers.maxRate.",
    source: `${VEE}: AWWA safe maximum by meter size`,
  },
  "unit-mismatch": {
    judged: "detect",
    severity: "neutral",
    fails:
      "A register read in another unit, or multiplied otherwise, than the registry says (columns register_unit and multiplier of the crosswalk).",
    source: `${VEE}: unit and multiplier check`,
  },
  negative: {
    judged: "detect",
    severity: "note",
    fails:
      "A register fell by more than its tolerance, and neither a rollover nor another register explains it.",
    source: VEE,
  },
  "backflow-minor": {
    judged: "detect",
    severity: "note",
    fails:
      "A register fell by more than its tolerance and by no more than the meter can pass in the time, up to 100 of its steps: water may have flowed back.",
    source: "DETECTION §1.1, Neptune's two grades: up to 100 steps of the last digit, and more",
  },
  "backflow-major": {
    judged: "detect",
    severity: "note",
    fails:
      "The same by more than 100 steps of the register: look soon, for what flows back may foul the mains.",
    source: "DETECTION §1.1, Neptune's two grades: up to 100 steps of the last digit, and more",
  },
  rollover: {
    judged: "detect",
    severity: "note",
    fails: "A register passed its highest value and began again at zero.",
    source: VEE,
  },
  exchange: {
    judged: "detect",
    severity: "note",
    fails: "Another register was read, or the device says that it was reset: no usage is derived across it.",
    source: VEE,
  },
  gap: {
    judged: "detect",
    severity: "note",
    limit: { unit: "hours", default: 24 },
    fails: "For so long there is no read.",
    source: `${VEE}: intervals found against expected; the limit is ours`,
  },
  stuck: {
    judged: "detect",
    severity: "note",
    limit: { unit: "intervals", default: 24 },
    fails: "The same volume, of more than one step of the register, so many times in a row.",
    source: `${VEE}: three in a row, which constant leaks and coarse registers reach; so a day of hours`,
  },
  "no-usage": {
    judged: "detect",
    severity: "note",
    limit: { unit: "days", default: 30 },
    fails: "A meter that was used before shows no flow for so long, though it is read.",
    source: `${VEE}: zero consumption on an active meter; the limit is ours`,
  },
  "usage-inactive": {
    judged: "detect",
    severity: "note",
    limit: { unit: "litres", default: 10 },
    fails:
      "So much water went through a meter that is not in service (column inactive_since of the crosswalk), without a dry day between.",
    source: `${VEE}: usage on an inactive meter; the limit is ours`,
  },
  "sibling-missing": {
    judged: "detect",
    severity: "neutral",
    limit: { unit: "hours", default: 24 },
    fails:
      "For so long one register of a compound meter is read and another is not; rules take no notice of such hours.",
    source: `${VEE}: sibling channel missing; the limit is ours`,
  },
  "sum-mismatch": {
    judged: "detect",
    severity: "note",
    limit: { unit: "percent", default: 2 },
    fails:
      "Delivered intervals sum up to something else than the registers around them show (reads at most three days apart), by so much of it, and by more than twice the register's smallest move, since the two agreed last; a step for each interval, rounded by itself, is agreement.",
    source: `${VEE}: sum check, 1 to 2 register units a read, or 1 to 2 %`,
  },
  "high-day": {
    judged: "detect",
    severity: "note",
    limit: { unit: "percent", default: 300 },
    fails: "A day's volume above so much of the mean of the last 28 days, and at least 500 L more than it.",
    source: `${VEE}: 200 to 300 %; the floor is ours`,
  },
  "low-day": {
    judged: "detect",
    severity: "note",
    limit: { unit: "percent", default: 25 },
    off: true,
    fails: "A day's volume under so much of the mean of the last 28 days, where that is 100 L or more.",
    source: `${VEE}: 25 to 50 %; off by default, for every trip away fails it`,
  },
  "peak-interval": {
    judged: "detect",
    severity: "note",
    limit: { unit: "percent", default: 180 },
    off: true,
    fails: "Of a day, the highest interval exceeds the third highest by more than so much of the third.",
    source: `${VEE}: DASMMD spike check; off by default, for one bath fails it in homes`,
  },
  "device-leak": {
    judged: "detect",
    severity: "note",
    fails: "The meter or its head-end reports a leak.",
    source: "CMEP and head-end flags, FORMATS §1",
  },
  "device-burst": {
    judged: "detect",
    severity: "note",
    fails: "The meter or its head-end reports a burst.",
    source: "CMEP and head-end flags, FORMATS §1",
  },
  "device-backflow": {
    judged: "detect",
    severity: "note",
    fails: "The meter or its head-end reports water flowing back.",
    source: "CMEP and head-end flags, FORMATS §1",
  },
  "device-fault": {
    judged: "detect",
    severity: "note",
    fails: "The meter reports a fault of its own: tamper, magnet, cut wire, tilt, low battery.",
    source: "CMEP and head-end flags, FORMATS §1",
  },
  "device-dry": {
    judged: "detect",
    severity: "note",
    fails: "The meter reports that it runs dry.",
    source: "CMEP and head-end flags, FORMATS §1",
  },
  "device-clock": {
    judged: "detect",
    severity: "note",
    fails: "The device's clock was wrong, or was set.",
    source: `${VEE}: time check of the device`,
  },
  "test-mode": {
    judged: "detect",
    severity: "neutral",
    fails: "Taken while the meter was tested.",
    source: `${VEE}: test mode is excluded`,
  },
} as const satisfies Readonly<Record<string, Check>>;

export type CheckCode = keyof typeof CHECKS;
export const CHECK_CODES = Object.keys(CHECKS) as CheckCode[];
/** Those that the detector judges. */
export const HISTORY_CHECKS = CHECK_CODES.filter((code) => CHECKS[code].judged === "detect");

/** `false`: off. `true`: on, with the default limit. A number: on, with this limit. */
const checkSwitch = (code: CheckCode) => {
  const check: Check = CHECKS[code];
  const what = `${check.fails} ${check.off === true ? "Off" : "On"} by default`;
  return check.limit === undefined
    ? z.boolean().optional().describe(`${what}.`)
    : z
        .union([z.boolean(), z.number().positive()])
        .optional()
        .describe(`${what}; limit in ${check.limit.unit}, ${check.limit.default} by default.`);
};

export const checksConfig = z.strictObject(
  Object.fromEntries(CHECK_CODES.map((code) => [code, checkSwitch(code)])) as Record<
    CheckCode,
    ReturnType<typeof checkSwitch>
  >,
);
export type ChecksConfig = z.infer<typeof checksConfig>;

/** The limit of a check (0 for one without), `undefined` where it is off. */
export function limitOf(config: ChecksConfig, code: CheckCode): number | undefined {
  const check: Check = CHECKS[code];
  const set = config[code];
  if (set === false || (set === undefined && check.off === true)) return undefined;
  return typeof set === "number" ? set : (check.limit?.default ?? 0);
}
