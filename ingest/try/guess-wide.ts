import { isNumber } from "./csv-dialect.js";
import { type Column, Findings, NAMES, NO_READ_WORDS, refOf } from "./guess-columns.js";
import type { TimeFound } from "./guess-stamps.js";
import { contentOf, guessMarks, guessUnit, stepsAcross } from "./guess-values.js";

/** Neighbouring columns that hold the intervals of a day. */
export interface WideRun {
  readonly first: Column;
  readonly count: 24 | 48 | 96;
  /** All of its columns. */
  readonly columns: readonly Column[];
  /** One more, that most days leave empty: of the hour that comes twice in autumn. */
  readonly extra: { readonly column: Column; readonly isLast: boolean } | undefined;
}

/** More rows than this share have something in columns of each day. */
const LEAST_FILLED = 0.5;

export function wideRun(columns: readonly Column[], time: TimeFound): WideRun | undefined {
  if (time.guess.kind !== "date" || time.clock !== undefined) return undefined;
  const isValue = ({ index, filled }: Column) =>
    index !== time.column.index &&
    filled.every((cell) => isNumber(cell) || NO_READ_WORDS.has(cell.toUpperCase()));
  for (let from = 0; from < columns.length; from++) {
    if (!isValue(columns[from]!)) continue;
    let to = from;
    while (to < columns.length && isValue(columns[to]!)) to++;
    for (const count of [96, 48, 24] as const) {
      for (let first = from; first + count <= to; first++) {
        const run = columns.slice(first, first + count);
        const exact = to - from === count;
        if (
          run.some(({ filled }) => filled.length > 0) &&
          (isNumbered(run) || (exact && run[0]!.name === ""))
        ) {
          const column = first + count < to ? columns[first + count]! : undefined;
          const follows = column !== undefined && isRare(column) && isNumbered([...run, column]);
          const extra = follows ? { column, isLast: true } : undefined;
          const all = follows ? columns.slice(first, first + count + count / 24) : run;
          return { first: run[0]!, count, columns: all, extra };
        }
      }
    }
    for (let at = from + 1; at < to; at++) {
      const all = columns.slice(from, from + 25);
      const run = all.filter((one) => one !== columns[at]);
      if (run.length !== 24 || !all.includes(columns[at]!) || !isRare(columns[at]!) || !isNumbered(run))
        continue;
      return { first: run[0]!, count: 24, columns: all, extra: { column: columns[at]!, isLast: false } };
    }
    from = to;
  }
  return undefined;
}

function isRare({ filled, cells }: Column): boolean {
  return filled.length <= cells.length * LEAST_FILLED;
}

/** Names that differ in a number that grows evenly, or in a time of day. */
function isNumbered(run: readonly Column[]): boolean {
  const stems = new Set(run.map(({ name }) => name.replace(/\d+/g, "#")));
  if (stems.size !== 1 || ![...stems][0]!.includes("#")) return false;
  const numbers = run.map(({ name }) => Number(name.replace(/\D/g, "")));
  return numbers.every((one, i) => i === 0 || one > numbers[i - 1]!);
}

interface WideParts {
  readonly columns: readonly Column[];
  readonly time: TimeFound;
  readonly wide: WideRun;
  readonly profile: Record<string, unknown>;
  readonly found: Findings;
}

export function guessWide({ columns, wide, profile, found }: WideParts): void {
  const run = wide.columns;
  found.take("first", wide.first, columns);
  profile["intervalsPerDay"] = wide.count;
  found.seen.push(`a row a day, with ${wide.count} columns from ${String(refOf(wide.first, columns))} on`);
  if (wide.extra !== undefined) {
    const { column, isLast } = wide.extra;
    const name = String(refOf(column, columns));
    found.seen.push(`${name}, one column more, is mostly empty`);
    if (!isLast) found.take("repeated", column, columns);
    else
      found.leave(
        "time.wide",
        ["elapsed", `clock # with columns.repeated: ${name}`],
        `in autumn, do the columns count the day's 25 hours (elapsed), or is ${name} the second time of the hour that comes twice?`,
        true,
      );
  }
  const byName = NAMES.usage.test(wide.first.bare)
    ? "usage"
    : NAMES.register.test(wide.first.bare)
      ? "register"
      : undefined;
  const byContent = contentOf(stepsAcross(run));
  const kind =
    byName === undefined || byContent === undefined || byName === byContent
      ? (byContent ?? byName)
      : undefined;
  if (kind === undefined)
    found.leave("wideValues", ["usage", "register"], "neither names nor values tell which it is", true);
  else if (kind === "register") profile["wideValues"] = "register";
  guessMarks(run, profile, found);
  guessUnit(columns, [wide.first], profile, found);
}
