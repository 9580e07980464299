import { z } from "zod";

/** Random 64-bit surrogate of a meter, 16 lower-case hex characters; see ARCHITECTURE, "Meter key". */
export const meterKey = z.string().regex(/^[0-9a-f]{16}$/);
export const utilityId = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, "1 to 32 of a-z, 0-9 and -, beginning with a letter");
export const sourceId = utilityId;

export const MAX_SECOND = 4_294_967_295;
const second = z.int().min(0).max(MAX_SECOND);

/**
 * `register`: values of a register at instants. `usage`: volumes of intervals of a local day at most. `bill`: volumes of
 * longer stretches, as they were billed: they are stored for analysts, and nothing is judged by them.
 */
export const READ_KINDS = ["register", "usage", "bill"] as const;
export type ReadKind = (typeof READ_KINDS)[number];
/** A longer interval is one of a bill: the longest local day, in seconds. */
export const LONGEST_USAGE = 25 * 3600;

/** Most reads that one block may hold: two weeks of quarter-hours, a day of minutes and the repeated hour of autumn. */
export const MAX_BLOCK_READS = 1_500;

/**
 * Numbers along a block: the arithmetic sequence from `from` by `step`, each of its members for `repeat` reads (1 where it
 * is left out), or each one listed.
 */
export const sequence = z.union([
  z.object({ from: z.int(), step: z.int(), repeat: z.int().positive().optional() }),
  z.array(z.int()),
]);
export type Sequence = z.infer<typeof sequence>;

/** An array checked in one loop: a schema per element costs five times the parse. */
const numbersOrNulls = (whole: boolean) =>
  z.custom<(number | null)[]>(
    (value) => Array.isArray(value) && areNumbersOrNulls(value, whole),
    whole ? "expected an array of whole numbers and nulls" : "expected an array of numbers and nulls",
  );

function areNumbersOrNulls(items: readonly unknown[], whole: boolean): boolean {
  for (const item of items) {
    if (item === null) continue;
    if (typeof item !== "number" || !Number.isFinite(item) || (whole && !Number.isSafeInteger(item)))
      return false;
  }
  return true;
}

/**
 * A message of topic `reads`, version 1: consecutive reads of one channel, of 28 days at most.
 *
 * All arrays have `count` members, sequences stand for as many. Times are UTC seconds since 1970.
 */
export const readsBlock = z
  .object({
    v: z.literal(1),
    utility: utilityId,
    source: sourceId,
    meter: meterKey,
    /** Register of the meter ("" for a meter with one). */
    channel: z.string().max(16),
    /** Of `usage` and `bill`, intervals begin at `time` and last `length`. */
    kind: z.enum(READ_KINDS),
    /** Sequence number of the file: of two reads of equal standing for the same time, the higher wins. */
    file: z.int().positive(),
    /** Number of the physical register within the meter key; another number means an exchange. */
    register: z.int().min(0),
    /** Unit as delivered, and millilitres in one of it (multiplier included). */
    unit: z.string().max(16),
    mlPerUnit: z.number().positive(),
    /** Smallest step of the register in millilitres; 0 where unknown. */
    resolution: z.int().min(0),
    /** Volume in millilitres at which the register begins again at zero; 0 where unknown. */
    modulus: z.int().min(0),
    count: z.int().positive().max(MAX_BLOCK_READS),
    time: sequence,
    /** Seconds, not of `register`: one for all or one each. */
    length: z.union([second, z.array(second)]).optional(),
    /** Whole millilitres, rounded once from the delivered value; null: no read. */
    ml: numbersOrNulls(true),
    /** The value as delivered, in `unit`. Left out where each is `ml / mlPerUnit` to the last digit (`deliveredAt`). */
    delivered: numbersOrNulls(false).optional(),
    /** Bits of `Flag`: one for all or one each. */
    flags: z.union([z.int().min(0), z.array(z.int().min(0))]),
    /** The source is delivering old reads on purpose: what is found in them is stored, not told. */
    backfill: z.boolean().optional(),
    /** Line of the file (1 is the first line). */
    line: sequence,
  })
  .superRefine((block, context) => {
    const wrong = (path: string, length: number) =>
      context.addIssue({
        code: "custom",
        path: [path],
        message: `expected ${block.count} members, received ${length}`,
      });
    if (block.ml.length !== block.count) wrong("ml", block.ml.length);
    if (block.delivered !== undefined && block.delivered.length !== block.count)
      wrong("delivered", block.delivered.length);
    for (const path of ["time", "line", "flags", "length"] as const) {
      const value = block[path];
      if (Array.isArray(value) && value.length !== block.count) wrong(path, value.length);
    }
    if ((block.kind === "register") !== (block.length === undefined)) {
      context.addIssue({
        code: "custom",
        path: ["length"],
        message: "expected with kinds usage and bill, and only there",
      });
    }
  });

export type ReadsBlock = z.infer<typeof readsBlock>;

/**
 * `readsBlock` for the hot path: a block that passes a check by hand is taken as it is, and anything else goes through
 * the schema, which decides and words the error. The check accepts nothing that the schema refuses.
 */
export const readsMessage = {
  safeParse(value: unknown): ReturnType<typeof readsBlock.safeParse> {
    return isPlainBlock(value) ? { success: true, data: value } : readsBlock.safeParse(value);
  },
};

const UTILITY = /^[a-z][a-z0-9-]{0,31}$/;
const METER = /^[0-9a-f]{16}$/;

function isPlainBlock(value: unknown): value is ReadsBlock {
  if (typeof value !== "object" || value === null) return false;
  const block = value as Readonly<Record<string, unknown>>;
  const { count, ml, delivered, kind, length, backfill } = block;
  return (
    block["v"] === 1 &&
    typeof block["utility"] === "string" &&
    UTILITY.test(block["utility"]) &&
    typeof block["source"] === "string" &&
    UTILITY.test(block["source"]) &&
    typeof block["meter"] === "string" &&
    METER.test(block["meter"]) &&
    typeof block["channel"] === "string" &&
    block["channel"].length <= 16 &&
    isWhole(block["file"]) &&
    block["file"] > 0 &&
    isWhole(block["register"]) &&
    typeof block["unit"] === "string" &&
    block["unit"].length <= 16 &&
    typeof block["mlPerUnit"] === "number" &&
    block["mlPerUnit"] > 0 &&
    block["mlPerUnit"] < Infinity &&
    isWhole(block["resolution"]) &&
    isWhole(block["modulus"]) &&
    isWhole(count) &&
    count > 0 &&
    count <= MAX_BLOCK_READS &&
    isSequence(block["time"], count) &&
    isSequence(block["line"], count) &&
    (isWhole(block["flags"]) || (areNumbers(block["flags"], count, true) && isNonNegative(block["flags"]))) &&
    (kind === "register"
      ? length === undefined
      : (kind === "usage" || kind === "bill") && isWhole(length) && length <= MAX_SECOND) &&
    areNumbers(ml, count, true) &&
    (delivered === undefined || areNumbers(delivered, count, false)) &&
    (backfill === undefined || typeof backfill === "boolean")
  );
}

function isWhole(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && Number.isSafeInteger(value);
}

function isSequence(value: unknown, count: number): boolean {
  if (Array.isArray(value)) return areNumbers(value, count, true) && !value.includes(null);
  if (typeof value !== "object" || value === null) return false;
  const { from, step, repeat } = value as Readonly<Record<string, unknown>>;
  if (repeat !== undefined && !(isWhole(repeat) && repeat > 0)) return false;
  return Number.isSafeInteger(from) && Number.isSafeInteger(step);
}

function isNonNegative(items: readonly (number | null)[]): boolean {
  for (const item of items) if (item === null || item < 0) return false;
  return true;
}

function areNumbers(value: unknown, count: number, whole: boolean): value is (number | null)[] {
  return Array.isArray(value) && value.length === count && areNumbersOrNulls(value, whole);
}

/** The value of read `index` as it was delivered, in the block's unit; null: no read. */
export function deliveredAt({ delivered, ml, mlPerUnit }: ReadsBlock, index: number): number | null {
  if (delivered !== undefined) return delivered[index] ?? null;
  const volume = ml[index] ?? null;
  return volume === null ? null : volume / mlPerUnit;
}

/** Member `index` of a sequence. */
export function sequenceAt(of: Sequence, index: number): number {
  if (Array.isArray(of)) return of[index]!;
  return of.from + of.step * (of.repeat === undefined ? index : Math.floor(index / of.repeat));
}
