import { isNumber, looseNumber } from "./csv-dialect.js";
import { type Column, Findings, hasKnownQuality, NAMES, NO_READ_WORDS, refOf } from "./guess-columns.js";
import { dateFormatOf, localSeconds, timeOf } from "./guess-time.js";
import { guessMarks, guessUnit } from "./guess-values.js";
import type { Guess } from "./guess.js";

/** The two sides of a bill as billing systems name them, at either end of a column's name. */
const PREVIOUS =
  /^(prev(ious)?|prior|last|old|start(ing)?|beg(in(ning)?)?|open(ing)?|from)|(prev(ious)?|prior|old|start|alt|vorher|anterior|ancien(ne)?)$/;
const CURRENT =
  /^(curr?(ent)?|present|pres|new|latest|end(ing)?|clos(e|ing)|to(?=read|date)|nouve(l|au))|(curr?(ent)?|present|new|end|neu|aktuell|actual|nouve(l|au))$/;
const READ = /read|rdg|reg|index|stand|value|lectura|relev/;
const DATE = /date|dt|time|datum|fecha/;
const CODE = /code|type|status|estim|method|source|qual|flag/;
const DAYS = /days/;
const MULTIPLIER = /mult|const|factor/;
/** So much may the consumption differ from the reads, by rounding, before another factor is thought of. */
const ROUNDING = 0.02;
const MOST_CODES = 16;
const DAY = 86_400;
/** Days that a bill is of. */
const PERIOD = { least: 20, most: 130 } as const;

/**
 * Guesses the source of a file of bills: rows with a read and the one before. `undefined` where it is none.
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
  if (reads.length === 0 && hasUseOfPeriods(named)) return CONSUMPTION_ALONE;
  if (previous.length !== 1 || current.length !== 1) return undefined;
  const found = new Findings();
  const billing: Record<string, unknown> = { ...dialect };
  const take = (what: string, list: readonly Column[], why: string, needed: boolean): Column | undefined => {
    if (list.length === 1) found.take(what, list[0]!, columns);
    else if (list.length > 1 || needed)
      found.leave(
        `columns.${what}`,
        list.map((one) => String(refOf(one, columns))),
        why,
        needed,
      );
    return list.length === 1 ? list[0] : undefined;
  };
  const meters = firstOf(side(named, NAMES.meter), side(named, NAMES.meterLike));
  const asked = "which column is the identity of the meter?";
  const others = named.filter((one) => !reads.includes(one) && !dates.includes(one) && !isOfBill(one.bare));
  if (meters.length > 0) take("meter", meters, asked, true);
  else
    found.leave(
      "columns.meter",
      others.map((one) => String(refOf(one, columns))),
      asked,
      true,
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
  leaveCode(named, columns, found);
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

const CONSUMPTION_ALONE: Guess = {
  settings: {},
  seen: [],
  open: [
    {
      path: "format",
      alternatives: [],
      why: "Bills that tell what was used from one date to another, and no read of a register: these are not taken. Ask for an export with the reads.",
      blocks: true,
    },
  ],
};

/** Two dates in each row stand weeks or months apart, and a column is what was used between. */
function hasUseOfPeriods(named: readonly Column[]): boolean {
  const dates = named.flatMap(({ cells, filled }) => {
    const format = timeOf(filled, true);
    return format?.kind === "date" ? [cells.map((cell) => localSeconds(format.formats[0]!, cell))] : [];
  });
  const isPeriod = (from: readonly number[], to: readonly number[]) => {
    const days = from.map((at, row) => (to[row]! - at) / DAY).filter((one) => !Number.isNaN(one));
    const long = days.filter((one) => one >= PERIOD.least && one <= PERIOD.most);
    return days.length > 0 && long.length > days.length * 0.9;
  };
  return (
    named.some((one) => NAMES.usage.test(one.bare) && one.filled.every(isNumber)) &&
    dates.some((from) => dates.some((to) => isPeriod(from, to)))
  );
}

/** What a bill says beside its reads, and no meter is named by. */
function isOfBill(bare: string): boolean {
  return [NAMES.usage, NAMES.unit, NAMES.noValue, CODE, DAYS, MULTIPLIER].some((words) => words.test(bare));
}

/** The first list with anything in it. */
function firstOf<T>(list: readonly T[], other: readonly T[]): readonly T[] {
  return list.length > 0 ? list : other;
}

function leaveCode(named: readonly Column[], columns: readonly Column[], found: Findings): void {
  const codes = named.filter(
    ({ bare, filled }) =>
      CODE.test(bare) &&
      !PREVIOUS.test(bare) &&
      new Set(filled).size <= MOST_CODES &&
      !filled.every((cell) => /^\d{2,}$/.test(cell)),
  );
  const sure = codes.filter(hasKnownQuality);
  if (sure.length === 1) found.take("code", sure[0]!, columns);
  else if (codes.length > 0)
    found.leave(
      "columns.code",
      codes.map((one) => String(refOf(one, columns))),
      "says whether the current read was estimated? Its words belong into quality.estimated",
      false,
    );
}

/** Both dates are written alike. */
function guessFormat(dates: readonly Column[], billing: Record<string, unknown>, found: Findings): void {
  const cells = dates.flatMap(({ filled }) => filled);
  if (cells.length === 0) return;
  const seen = dateFormatOf(cells);
  if ("format" in seen) billing["time"] = { format: seen.format };
  else found.leave("time.format", seen.alternatives, seen.why, true);
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
