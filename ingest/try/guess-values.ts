import { unitOf } from "../../schemas/units.js";
import { GROUPED, isNumber, looseNumber } from "./csv-dialect.js";
import { type Column, Findings, isUnit, NAMES, NO_READ, NO_READ_WORDS, refOf } from "./guess-columns.js";
import { daysApart, intervalOf, isOfOneMeter, type TimeFound } from "./guess-stamps.js";
import { isDated, timeOf } from "./guess-time.js";

/** Steps from read to read of a meter, from which a register is told. */
const LEAST_STEPS = 8;

/** Share of steps down that a register may have (jitter), and from which it is none. */
const FALLS = { register: 0.02, usage: 0.1 } as const;

const UNITS = ["L", "gal", "kgal", "ft3", "ccf", "m3"];

/** Numbers that devices and data bases write where they have no value: all bits set or all but one, nines, minus nines. */
const NO_VALUE = /^-1$|^-?9{3,10}$|^(255|3276[78]|6553[45]|1677721[45]|214748364[78]|429496729[45])$/;

/** Such a number stands so far above all others, or below 0. */
const NO_VALUE_FACTOR = 20;

/** Words that tell rows apart: so many at most, each so long and of such marks. */
const KINDS = { most: 8, word: /^[\p{L}\p{N} ()_./-]{1,40}$/u } as const;

interface LongParts {
  readonly columns: readonly Column[];
  readonly time: TimeFound | undefined;
  readonly meter: Column | undefined;
  readonly profile: Record<string, unknown>;
  readonly found: Findings;
}

export function guessLong({ columns, time, meter, profile, found }: LongParts): void {
  const able = columns.filter(
    (one) =>
      one !== time?.column &&
      one !== time?.clock &&
      one !== meter &&
      !NAMES.noValue.test(one.bare) &&
      !ID.test(one.name.trim()) &&
      !speaksOfTime(one) &&
      !isUnit(one) &&
      !NAMES.quality.test(one.bare) &&
      !NAMES.channel.test(one.bare) &&
      !NAMES.serial.test(one.bare) &&
      one.filled.some(isNumber) &&
      one.filled.every((cell) => isNumber(cell) || NO_READ_WORDS.has(cell.toUpperCase())),
  );
  const telling = able.filter(
    ({ bare }) => NAMES.usage.test(bare) || NAMES.register.test(bare) || NAMES.value.test(bare),
  );
  // Columns without a name that say the same in every row are hardly what is measured.
  const varying = able.filter(({ filled }) => filled.some((cell) => cell !== filled[0]));
  const candidates = telling.length > 0 ? telling : varying.length > 0 ? varying : able;
  const kinds = candidates.map((column) => ({ column, kind: kindOf(column, time, meter) }));
  const usages = ofInterval(
    kinds.filter(({ kind }) => kind === "usage"),
    time,
    meter,
  );
  const allRegisters = kinds.filter(({ kind }) => kind === "register");
  // The number of a register says the same in most rows.
  const moving = allRegisters.filter(({ column: { filled } }) => new Set(filled).size > filled.length / 10);
  const registers = moving.length === 1 ? moving : allRegisters;
  const unknown = kinds.filter(({ kind }) => kind === "unknown");
  const values: Column[] = [];
  const isOfBills = time?.guess.kind === "date" && time.clock === undefined && daysApart(time, meter) > 1;
  if (isOfBills && usages.length > 0) {
    const names = usages.map(({ column }) => String(refOf(column, columns))).join(", ");
    if (registers.length > 0)
      found.seen.push(`${names}: what was used since the read before, which the registers tell`);
    else
      found.leave(
        "columns.register",
        [],
        `rows stand more than a day apart, so ${names} is what was used since another date, and none says which. Format billing takes what was used, where each row has both dates, or the days between: ask for them, or for reads of the register`,
        true,
      );
  }
  for (const [what, list] of [
    ["usage", isOfBills ? [] : usages],
    ["register", registers],
  ] as const) {
    if (list.length === 1) {
      found.take(what, list[0]!.column, columns);
      values.push(list[0]!.column);
    } else if (list.length > 1) {
      const names = list.map(({ column }) => String(refOf(column, columns)));
      found.leave(`columns.${what}`, names, `several columns may hold the ${what}`, true);
    }
  }
  for (const { column } of unknown) {
    const name = String(refOf(column, columns));
    found.leave(
      "columns.usage",
      [name, `register: ${name}`],
      "neither its name nor its values say whether it is usage or a register",
      true,
    );
  }
  if (kinds.length === 0)
    found.leave("columns.usage", [], "no column reads as numbers in all its rows", true);
  guessMarks(values, profile, found);
  guessUnit(columns, values, profile, found);
  guessNoRead(candidates, found);
  guessMultiplier(columns, found);
  guessChannel(columns, time, meter, found);
  if (time !== undefined && meter !== undefined && found.columns["channel"] === undefined) {
    const others = columns.filter(
      (one) => ![meter, time.column, time.clock, ...candidates].includes(one) && one.filled.length > 0,
    );
    guessKinds(others, columns, time, meter, found);
  }
}

/** A column with the meter's constant: whether the values have it in them already, the file does not tell. */
function guessMultiplier(columns: readonly Column[], found: Findings): void {
  const able = columns.filter(
    ({ bare, filled }) =>
      /mult|meterconst/.test(bare) &&
      filled.length > 0 &&
      filled.every((cell) => isNumber(cell) && looseNumber(cell) > 0),
  );
  for (const one of able)
    found.leave(
      "columns.multiplier",
      [String(refOf(one, columns))],
      "are the values still to be multiplied by it? Without this line they are taken as they stand",
      one.filled.some((cell) => looseNumber(cell) !== 1),
    );
}

/** Names of numbers that count rows or name things: `reading_id`, `recordId`. */
const ID = /(^|[\s_-])[iI][dD]s?$|\p{Ll}I[dD]$/u;

/** By its name a time; a volume of an hour is none. */
function speaksOfTime({ bare, filled }: Column): boolean {
  if (!NAMES.time.test(bare) && !NAMES.clockOnly.test(bare)) return false;
  return !NAMES.usage.test(bare) || isDated(timeOf(filled, true));
}

/** Names of spans, and their seconds. */
const SPANS: readonly (readonly [RegExp, number])[] = [
  [/hour|hora|heure|stunde/, 3600],
  [/da(y|ily)|jour|tag|giorn|diari/, 86_400],
  [/15m|quarter/, 900],
  [/week|month|year|mois|monat|mes$|annual/, Infinity],
];

/** Of several usages the one that is named after the file's own interval, if there is one; else all. */
function ofInterval<T extends { readonly column: Column }>(
  usages: readonly T[],
  time: TimeFound | undefined,
  meter: Column | undefined,
): readonly T[] {
  if (usages.length < 2 || time === undefined) return usages;
  const interval = intervalOf(time, meter);
  const spanOf = ({ column }: T) => SPANS.find(([words]) => words.test(column.bare))?.[1];
  const same = usages.filter((one) => spanOf(one) === interval);
  return interval !== undefined && same.length === 1 ? same : usages;
}

/** Numbers that are no volumes, of all columns together: a profile has one list. */
function guessNoRead(values: readonly Column[], found: Findings): void {
  const marks = values.flatMap((column) => {
    const numbers = column.filled.filter(isNumber);
    const suspects = new Set(numbers.filter((cell) => NO_VALUE.test(cell.replace(/[.,]0+$/, ""))));
    const others = numbers.filter((cell) => !suspects.has(cell)).map(looseNumber);
    const most = others.reduce((highest, one) => Math.max(highest, one), 0);
    const least = others.reduce((lowest, one) => Math.min(lowest, one), 0);
    return [...suspects].filter((cell) => {
      const number = looseNumber(cell);
      return others.length > 0 && (number > most * NO_VALUE_FACTOR || (number < 0 && least >= 0));
    });
  });
  if (marks.length === 0) return;
  const words = [...new Set(marks)];
  found.leave(
    "noRead",
    [JSON.stringify([...NO_READ, ...words])],
    `${words.join(", ")} ${words.length > 1 ? "look like marks" : "looks like a mark"} for no read; as it stands it is a volume`,
    true,
  );
}

/** A column whose words tell the rows of one meter and time apart: kinds of reads, of which some are not its usage. */
function guessKinds(
  others: readonly Column[],
  columns: readonly Column[],
  time: TimeFound,
  meter: Column,
  found: Findings,
): void {
  const rows = meter.cells.map((_, row) => row).filter((row) => !Number.isNaN(time.seconds[row]!));
  const key = (row: number) => `${meter.cells[row]!}\n${time.seconds[row]!}`;
  const count = (keyOf: (row: number) => string) => new Set(rows.map(keyOf)).size;
  const alone = count(key);
  // A few that come twice are repeats, or the hour that clocks give twice.
  if (alone > rows.length * 0.9) return;
  const column = others.find(({ cells }) => {
    const words = new Set(cells);
    if (words.size < 2 || words.size > KINDS.most || ![...words].every((word) => KINDS.word.test(word)))
      return false;
    return count((row) => `${key(row)}\n${cells[row]!}`) > rows.length * 0.9;
  });
  if (column === undefined) return;
  const name = refOf(column, columns);
  const words = [...new Set(column.cells)];
  found.leave(
    "filters",
    words.map((word) => `[{ column: ${JSON.stringify(name)}, only: ${JSON.stringify([word])} }]`),
    `a meter has several rows a time, told apart by ${String(name)}: which are its use of water? ` +
      `(Registers that add up are told apart by columns.channel instead)`,
    true,
  );
}

/** Usage or register, by its name and by whether it rises meter by meter. */
function kindOf(
  column: Column,
  time: TimeFound | undefined,
  meter: Column | undefined,
): "usage" | "register" | "unknown" {
  const names = (["usage", "register"] as const).filter((kind) => NAMES[kind].test(column.bare));
  // A total flow is whatever it does.
  const byName = names.length === 1 ? names[0] : undefined;
  // Of a file without meters nobody knows whose the next row is.
  const alone = meter !== undefined || (time !== undefined && isOfOneMeter(time));
  const byContent = time === undefined || !alone ? undefined : contentOf(stepsOf(column, time, meter));
  if (byName === undefined) return byContent ?? "unknown";
  return byContent === undefined || byContent === byName ? byName : "unknown";
}

export interface Steps {
  readonly steps: number;
  readonly rises: number;
  readonly falls: number;
}

export function contentOf({ steps, rises, falls }: Steps): "usage" | "register" | undefined {
  if (steps < LEAST_STEPS) return undefined;
  if (falls >= steps * FALLS.usage) return "usage";
  // Usage that is 0 throughout does not fall either: a register rises now and then.
  return falls <= steps * FALLS.register && rises >= LEAST_STEPS ? "register" : undefined;
}

/** Of a column, meter by meter; without a column of meters of one. */
export function stepsOf(column: Column, time: TimeFound, meter: Column | undefined): Steps {
  const series = new Map<string, { at: number; value: number }[]>();
  for (const [row, cell] of column.cells.entries()) {
    const at = time.seconds[row]!;
    if (Number.isNaN(at) || !isNumber(cell)) continue;
    const name = meter?.cells[row] ?? "";
    const list = series.get(name) ?? [];
    list.push({ at, value: looseNumber(cell) });
    series.set(name, list);
  }
  let [steps, rises, falls] = [0, 0, 0];
  for (const list of series.values()) {
    list.sort((a, b) => a.at - b.at);
    for (let i = 1; i < list.length; i++) {
      steps++;
      if (list[i]!.value > list[i - 1]!.value) rises++;
      if (list[i]!.value < list[i - 1]!.value) falls++;
    }
  }
  return { steps, rises, falls };
}

/** From column to column, row by row. */
export function stepsAcross(run: readonly Column[]): Steps {
  let [steps, rises, falls] = [0, 0, 0];
  for (let row = 0; row < run[0]!.cells.length; row++) {
    const values = run
      .map(({ cells }) => cells[row]!)
      .filter(isNumber)
      .map(looseNumber);
    for (let i = 1; i < values.length; i++) {
      steps++;
      if (values[i]! > values[i - 1]!) rises++;
      if (values[i]! < values[i - 1]!) falls++;
    }
  }
  return { steps, rises, falls };
}

/** The decimal mark and that between thousands. */
export function guessMarks(
  values: readonly Column[],
  profile: Record<string, unknown>,
  found: Findings,
): void {
  const byMarks = values.flatMap(({ filled }) => filled.filter((cell) => GROUPED.test(cell)));
  if (byMarks.length > 0) {
    profile["thousands"] = /['\u2019]/.test(byMarks[0]!) ? "'" : " ";
    if (values.some(({ filled }) => filled.some((cell) => isNumber(cell) && cell.includes(","))))
      profile["decimal"] = ",";
    return;
  }
  const cells = values.flatMap(({ filled }) => filled.filter((cell) => /[.,]/.test(cell) && isNumber(cell)));
  if (cells.length === 0) return;
  const count = (cell: string, mark: string) => cell.split(mark).length - 1;
  const both = cells.find((cell) => cell.includes(".") && cell.includes(","));
  const [comma, point] = [cells.some((cell) => cell.includes(",")), cells.some((cell) => cell.includes("."))];
  if (both !== undefined || cells.some((cell) => count(cell, ",") > 1 || count(cell, ".") > 1)) {
    const example = both ?? cells.find((cell) => count(cell, ",") > 1 || count(cell, ".") > 1)!;
    const decimal =
      both === undefined
        ? example.includes(",")
          ? "."
          : ","
        : example.lastIndexOf(".") > example.lastIndexOf(",")
          ? "."
          : ",";
    if (decimal === ",") profile["decimal"] = ",";
    profile["thousands"] = decimal === "," ? "." : ",";
    return;
  }
  if (comma && point) {
    found.leave(
      "decimal",
      ['"."', '","'],
      "numbers with points and numbers with commas stand in the file",
      true,
    );
    return;
  }
  const mark = comma ? "," : ".";
  const grouped = new RegExp(`^[+-]?[1-9]\\d{0,2}\\${mark}\\d{3}$`);
  if (cells.every((cell) => grouped.test(cell))) {
    const why = `every "${mark}" has three digits behind it: decimals, or thousands?`;
    if (comma) found.leave("decimal", ['"," (decimals)', '"." with thousands: "," '], why, true);
    else found.leave("thousands", ['"" (decimals)', '"." with decimal: ","'], why, false);
    return;
  }
  if (comma) profile["decimal"] = ",";
}

export function guessUnit(
  columns: readonly Column[],
  values: readonly Column[],
  profile: Record<string, unknown>,
  found: Findings,
): void {
  const units = columns.filter(isUnit);
  const known = units.filter(({ filled }) => filled.every((cell) => unitOf(cell) !== undefined));
  for (const { name, filled } of units.filter((one) => !known.includes(one))) {
    const words = [...new Set(filled)].filter(
      (word) => unitOf(word) === undefined && /^\P{N}{1,16}$/u.test(word),
    );
    found.seen.push(`words in ${name.trim()} that are no units of volume: ${words.slice(0, 6).join(", ")}`);
  }
  if (known.length === 1) {
    found.take("unit", known[0]!, columns);
    return;
  }
  if (known.length === 2 && values.length === 2) {
    const stem = (bare: string) => bare.replace(/unit|uom|einheit/, "");
    const [usage, register] = values.map((value) => known.find((one) => stem(one.bare) === value.bare));
    if (usage !== undefined && register !== undefined && usage !== register) {
      found.take("unit", usage, columns);
      found.take("registerUnit", register, columns);
      return;
    }
  }
  if (known.length > 1) {
    const names = known.map((one) => String(refOf(one, columns)));
    found.leave("columns.unit", names, "several columns name units: which is the value's?", true);
    return;
  }
  for (const [i, value] of values.entries()) {
    const words = value.name.split(/[^\p{L}\p{N}³]+/u).filter((word) => word !== "");
    const below = unitOf(value.unit);
    const unit =
      below ??
      (words.length < 2 && !/gallon|lit(er|re)s|ccf/i.test(value.name)
        ? undefined
        : words.map(unitOf).find((one) => one !== undefined));
    const key = i > 0 && values.length > 1 ? "registerUnit" : "unit";
    if (unit !== undefined) {
      profile[key] = unit;
      found.seen.push(
        below === undefined
          ? `the unit ${unit} in the name "${value.name.trim()}"`
          : `the unit ${unit} below the name "${value.name.trim()}"`,
      );
    } else if (key === "unit" || profile["unit"] === undefined) {
      found.leave(key, UNITS, "the file does not name the unit", false);
    } else {
      found.leave(
        key,
        UNITS,
        "the name of the register's column has no unit; without this it is that of the usage",
        false,
      );
    }
  }
  if (values.length === 0) found.leave("unit", UNITS, "the file does not name the unit", false);
}

/** A channel is told where meters and times alone do not name a read, and with it they do. */
function guessChannel(
  columns: readonly Column[],
  time: TimeFound | undefined,
  meter: Column | undefined,
  found: Findings,
): void {
  const able = columns.filter(
    (one) => one !== meter && NAMES.channel.test(one.bare) && one.filled.length > 0,
  );
  for (const column of able) {
    const name = String(refOf(column, columns));
    const few = new Set(column.cells).size <= 8 && column.filled.every((cell) => cell.length <= 16);
    if (!few) continue;
    if (time !== undefined && meter !== undefined) {
      const key = (row: number) => `${meter.cells[row]!}\n${time.seconds[row]!}`;
      const rows = column.cells.length;
      const alone = new Set(column.cells.map((_, row) => key(row))).size;
      const withIt = new Set(column.cells.map((cell, row) => `${key(row)}\n${cell}`)).size;
      if (alone < rows && withIt === rows && able.length === 1) {
        found.take("channel", column, columns);
        found.seen.push(`meters have several reads a time, told apart by ${name}`);
        continue;
      }
    }
    found.leave("columns.channel", [name], "does it tell the registers of a compound meter apart?", false);
  }
  for (const column of columns.filter(
    (one) => one !== meter && NAMES.serial.test(one.bare) && one.filled.length > 0,
  ))
    found.leave(
      "columns.serial",
      [String(refOf(column, columns))],
      "the register's serial number (not the radio's)? Then another one is an exchange",
      false,
    );
}
