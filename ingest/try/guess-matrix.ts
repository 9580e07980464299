import { isNumber } from "./csv-dialect.js";
import { bareName, type Column, Findings, NAMES, NO_READ_WORDS } from "./guess-columns.js";
import { isOfOneMeter, type TimeFound } from "./guess-stamps.js";
import { contentOf, guessMarks, guessUnit, type Steps, stepsOf } from "./guess-values.js";

/** Neighbouring columns to the end of the rows, a meter each. */
export type MatrixRun = readonly Column[];

const LEAST_METERS = 2;

/**
 * The meters' columns of a file with one column a meter: to its end they hold numbers alone, and each name has a number in
 * it and tells nothing of a read, as ids do. `undefined` where it is none.
 */
export function matrixRun(columns: readonly Column[], time: TimeFound): MatrixRun | undefined {
  const isMeter = (column: Column) =>
    column !== time.column &&
    column !== time.clock &&
    isId(column.name) &&
    column.filled.every((cell) => isNumber(cell) || NO_READ_WORDS.has(cell.toUpperCase()));
  let first = columns.length;
  while (first > 0 && isMeter(columns[first - 1]!)) first--;
  const run = columns.slice(first);
  const ids = new Set(run.map(({ name }) => name.trim()));
  const isWhole =
    run.length >= LEAST_METERS && ids.size === run.length && run.some((one) => one.filled.length > 0);
  return isWhole && isOfOneMeter(time) ? run : undefined;
}

/** With a number in it, and without a word for what a read has. */
function isId(name: string): boolean {
  const bare = bareName(name);
  if (!/\d/.test(bare) || /m3|m³|ft3/.test(bare)) return false;
  return ![
    NAMES.time,
    NAMES.usage,
    NAMES.register,
    NAMES.value,
    NAMES.noValue,
    NAMES.unit,
    NAMES.quality,
  ].some((words) => words.test(bare));
}

interface MatrixParts {
  readonly columns: readonly Column[];
  readonly time: TimeFound;
  readonly matrix: MatrixRun;
  readonly profile: Record<string, unknown>;
  readonly found: Findings;
}

export function guessMatrix({ columns, time, matrix, profile, found }: MatrixParts): void {
  // By its place: its name is a meter's, which may be gone in the next file.
  found.columns["first"] = matrix[0]!.index + 1;
  found.seen.push(`a column a meter: ${matrix.length} meters from column ${matrix[0]!.index + 1} on`);
  const all: Steps[] = matrix.map((column) => stepsOf(column, time, undefined));
  const sum = (of: keyof Steps) => all.reduce((total, one) => total + one[of], 0);
  const kind = contentOf({ steps: sum("steps"), rises: sum("rises"), falls: sum("falls") });
  if (kind === undefined)
    found.leave("wideValues", ["usage", "register"], "the values don't tell which it is", true);
  else if (kind === "register") profile["wideValues"] = "register";
  guessMarks(matrix, profile, found);
  guessUnit(columns, [], profile, found);
}
