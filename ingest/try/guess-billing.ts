import { isNumber, looseNumber } from "./csv-dialect.js";
import { guessBills } from "./guess-bills.js";
import {
  CODE,
  CURRENT,
  DAYS,
  firstOf,
  guessCode,
  guessFormat,
  MULTIPLIER,
  PREVIOUS,
  takeMeter,
  taking,
} from "./guess-billing-columns.js";
import { type Column, Findings, NAMES, NO_READ_WORDS } from "./guess-columns.js";
import { timeOf } from "./guess-time.js";
import { guessMarks, guessUnit } from "./guess-values.js";
import type { Guess } from "./guess.js";

const READ = /read|rdg|reg|index|stand|value|lectura|relev/;
const DATE = /date|dt|time|datum|fecha/;
/** So much may the consumption differ from the reads, by rounding, before another factor is thought of. */
const ROUNDING = 0.02;

/**
 * Guesses the source of a file of bills: rows with a read and the one before, or with what was used. `undefined` where it is
 * none.
 * @param dialect marks and rows as seen, settings of the format
 */
export function guessBilling(
  columns: readonly Column[],
  dialect: Record<string, unknown>,
): Guess | undefined {
  const named = columns.filter(({ bare, filled }) => bare !== "" && filled.length > 0);
  const isDate = (column: Column) => ["date", "stamp"].includes(timeOf(column.filled, true)?.kind ?? "");
  const dates = named.filter((one) => DATE.test(one.bare) && isDate(one));
  const reads = named.filter(
    (one) =>
      !dates.includes(one) &&
      READ.test(one.bare) &&
      !CODE.test(one.bare) &&
      !DAYS.test(one.bare) &&
      !MULTIPLIER.test(one.bare) &&
      one.filled.every((cell) => isNumber(cell) || NO_READ_WORDS.has(cell.toUpperCase())),
  );
  const side = (list: readonly Column[], is: RegExp) => list.filter(({ bare }) => is.test(bare));
  const previous = side(reads, PREVIOUS);
  // A read beside the previous one need not say that it is the current one.
  const beside = reads.filter((one) => !previous.includes(one));
  const current = firstOf(side(beside, CURRENT), side(beside, /^(meter)?(read|reading|rdg)$/));
  if (reads.length === 0) return guessBills(named, columns, dialect);
  if (previous.length !== 1 || current.length !== 1) return undefined;
  const found = new Findings();
  const billing: Record<string, unknown> = { ...dialect };
  const take = taking(found, columns);
  takeMeter(
    named,
    named.filter((one) => !reads.includes(one) && !dates.includes(one)),
    columns,
    found,
  );
  found.take("current", current[0]!, columns);
  const before = side(dates, PREVIOUS);
  const now = dates.filter((one) => !before.includes(one) && !NAMES.otherTime.test(one.bare));
  const currentDate = take(
    "currentDate",
    firstOf(side(now, CURRENT), now),
    "which date is that of the current read?",
    true,
  );
  const seen = ["a read and the one before in each row: reads of a billing system"];
  const dated = before.length === 1;
  if (dated) {
    found.take("previous", previous[0]!, columns);
    found.take("previousDate", before[0]!, columns);
  } else
    seen.push("the previous read has no date, so it is no read and the consumption can't be checked by it");
  let usage: Column | undefined;
  if (dated) {
    usage = take(
      "usage",
      named.filter((one) => NAMES.usage.test(one.bare) && !reads.includes(one) && one.filled.every(isNumber)),
      "which column is the consumption?",
      false,
    );
    take(
      "days",
      named.filter((one) => DAYS.test(one.bare) && one.filled.every(isNumber)),
      "which column has the days?",
      false,
    );
  }
  const multiplier = take(
    "multiplier",
    named.filter((one) => MULTIPLIER.test(one.bare) && one.filled.every(isNumber)),
    "which column is the multiplier of the reads?",
    false,
  );
  guessCode(named, columns, billing, found);
  guessFormat(
    [...(currentDate === undefined ? [] : [currentDate]), ...(dated ? before : [])],
    billing,
    found,
  );
  guessMarks([...current, ...previous], billing, found);
  guessUnit(columns, current, billing, found);
  if (dated) compare(current[0]!, previous[0]!, usage, multiplier, found);
  return {
    settings: { format: "billing", billing: { ...billing, columns: found.columns } },
    seen: [...seen, ...found.seen],
    open: found.open.map((one) => ({ ...one, path: one.path.replace(/^profile/, "billing") })),
  };
}

/** What the reads of a row say of each other, and of its consumption. */
function compare(
  current: Column,
  previous: Column,
  usage: Column | undefined,
  multiplier: Column | undefined,
  found: Findings,
): void {
  const numbers = ({ cells }: Column) => cells.map((cell) => (isNumber(cell) ? looseNumber(cell) : NaN));
  const [now, before] = [numbers(current), numbers(previous)];
  if (now.some((value, row) => value < before[row]!)) {
    const digits = Math.max(
      ...[...now, ...before].filter(Number.isFinite).map((value) => String(Math.floor(value)).length),
    );
    found.leave(
      "digits",
      [String(digits)],
      "a current read is below the previous one: dials after which registers begin again at 0",
      false,
    );
  }
  if (usage === undefined) return;
  const used = numbers(usage);
  const times = multiplier === undefined ? used.map(() => 1) : numbers(multiplier);
  const factors = now
    .map((value, row) => used[row]! / times[row]! / (value - before[row]!))
    .filter((factor) => Number.isFinite(factor) && factor > 0)
    .sort((a, b) => a - b);
  const middle = factors[Math.floor(factors.length / 2)];
  if (middle === undefined || Math.abs(middle - 1) <= ROUNDING) return;
  const factor = String(Math.round(middle * 1000) / 1000);
  found.leave(
    "multiplier",
    [factor],
    `the consumption is ${factor} times what the reads say: a multiplier, or in another unit (usageUnit)?`,
    true,
  );
}
