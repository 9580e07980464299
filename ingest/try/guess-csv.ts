import { TimeZone } from "../../infra/time-zone.js";
import { ACLARA_STAR } from "../../schemas/formats/aclara.js";
import { unitOf } from "../../schemas/units.js";
import { CsvRows, fieldText } from "../formats/csv-rows.js";
import type { Guess, OpenSetting } from "./guess.js";
import { localSeconds, timeOf, type TimeGuess } from "./guess-time.js";

export interface CsvGuessOptions {
  /** The text is the whole file. */
  readonly whole: boolean;
  /** IANA zone of the utility, where it is known. */
  readonly timeZone?: string | undefined;
}

/** Rows that are looked at. */
const MOST_ROWS = 20_000;
const DELIMITERS = [",", ";", "\t", "|"] as const;
const DAY = 86_400;
/** Steps from read to read of a meter, from which a register is told. */
const LEAST_STEPS = 8;
/** Share of steps down that a register may have (jitter), and from which it is none. */
const FALLS = { register: 0.02, usage: 0.1 } as const;
const UNITS = ["L", "gal", "kgal", "ft3", "ccf", "m3"];
/** Words of which the defaults of `quality` know what they mean, and words for an actual read. */
const QUALITY_WORDS = new Set([
  "",
  ...["E", "EST", "ESTIMATED", "ADJUSTED", "EDITED", "SUSPECT", "QUESTIONABLE"],
  ...["A", "ACT", "ACTUAL", "OK", "GOOD", "VALID"],
]);
const ESTIMATED_MARKS = new Set(["", "0", "1", "Y", "N", "TRUE", "FALSE", "YES", "NO"]);
const NO_READ = ["", "ERROR", "NULL", "N/A", "NaN", "-", "*"];
const NO_READ_WORDS = new Set(NO_READ.map((word) => word.toUpperCase()));
/** Numbers that devices and data bases write where they have no value: all bits set or all but one, nines, minus nines. */
const NO_VALUE = /^-1$|^-?9{3,10}$|^(255|3276[78]|6553[45]|1677721[45]|214748364[78]|429496729[45])$/;
/** Such a number stands so far above all others, or below 0. */
const NO_VALUE_FACTOR = 20;
/** Words that tell rows apart: so many at most, each so long and of such marks. */
const KINDS = { most: 8, word: /^[\p{L}\p{N} ()_./-]{1,40}$/u } as const;

/** Names of columns as senders write them, without blanks and marks. */
const NAMES = {
  meter: /^(meter|mtr|zähler|zaehler|compteur|medidor)(id|no|num|number|nr|nummer|key|name)?$/,
  meterLike:
    /^(meter|mtr)(sn|serial|serialno|serialnumber|serialnum)$|^(servicepoint|sp|service|device|endpoint|esn|miu|ert|mtu|nmi|register)(id|sn|no|number|serial)?$/,
  time: /time|date|datum|uhrzeit|stamp|zeit|ende$|beginn$|fecha|hora|interval(start|end)/,
  clockOnly: /clock|time|uhrzeit|hora|hour/,
  otherTime: /install|created|updated|birth|billed|billing|leakstart|movein|moveout|built/,
  usage: /usage|consum|volume|flow|delta|menge|verbrauch|demand|quantity|qty/,
  register: /register|reading|^read$|odometer|total|index|stand|counter|cumul|scaledread|meterread/,
  value: /val|wert|amount|litre|liter|gallon|gal$|ccf$|^cf|cubic|m3$|m³|usg|^l$/,
  noValue:
    /latitude|longitude|^lat|^lon|zip|postal|year|dials|battery|area|account|customer|phone|port|multiplier|scalar|resolution|size|raw|leak/,
  unit: /unit|uom|einheit|unidad/,
  quality: /qual|flag|status|estim|valid/,
  estimated: /estim/,
  channel: /^(channel|kanal|canal|register(no|num|number)|registernumber|reg|port|stream)$/,
  serial: /serial|sn$/,
} as const;

interface Column {
  readonly index: number;
  /** Header as it stands, or "". */
  readonly name: string;
  /** The name in lower case without blanks and marks. */
  readonly bare: string;
  /** Without outer blanks, one a row. */
  readonly cells: readonly string[];
  /** Cells that are not empty. */
  readonly filled: readonly string[];
}

/** Gathers what is decided and what is left open. */
class Findings {
  readonly seen: string[] = [];
  readonly open: OpenSetting[] = [];
  readonly columns: Record<string, string | number> = {};

  leave(path: string, alternatives: readonly string[], why: string, blocks: boolean): void {
    this.open.push({ path: `profile.${path}`, alternatives, why, blocks });
  }

  /** The column's name, or its position without one of its own. */
  take(what: string, column: Column, all: readonly Column[]): void {
    this.columns[what] = refOf(column, all);
  }
}

function refOf({ name, index }: Column, all: readonly Column[]): string | number {
  const same = all.filter((one) => one.name.trim().toLowerCase() === name.trim().toLowerCase());
  return name.trim() === "" || same.length > 1 ? index + 1 : name.trim();
}

/** Guesses the profile of a CSV file of reads. */
export function guessCsv(text: string, { whole, timeZone }: CsvGuessOptions): Guess {
  const cut = whole ? text : text.slice(0, Math.max(0, text.lastIndexOf("\n")));
  const dialect = dialectOf(cut);
  if (dialect === undefined) {
    const why =
      "Rows have no delimiter in common, and no known format begins so (fixed width? then count its columns).";
    return { settings: {}, seen: [], open: [{ path: "format", alternatives: [], why, blocks: true }] };
  }
  const known = knownHeader(dialect.rows[0] ?? []);
  if (known !== undefined) return known;
  const found = new Findings();
  const profile: Record<string, unknown> = {};
  if (dialect.delimiter !== ",") profile["delimiter"] = dialect.delimiter;
  if (dialect.quote !== '"') profile["quote"] = dialect.quote;
  found.seen.push(`CSV with ${DELIMITER_NAMES[dialect.delimiter]} between ${dialect.width} columns`);
  const { rows, skipped, header, trailer } = bodyOf(dialect);
  if (skipped > 0) profile["skipRows"] = skipped;
  if (header === undefined) profile["header"] = false;
  if (trailer !== undefined) profile["trailerRows"] = trailer;
  found.seen.push(
    `${rows.length} rows looked at, ${header === undefined ? "no row of column names" : "the first has the names of the columns"}` +
      (skipped > 0 ? ` after ${skipped} others` : ""),
  );
  const columns = Array.from({ length: dialect.width }, (_, index): Column => {
    const cells = rows.map((row) => (row[index] ?? "").trim());
    const name = header?.[index] ?? "";
    const bare = name.toLowerCase().replace(/[^\p{L}\p{N}³]/gu, "");
    return { index, name, bare, cells, filled: cells.filter((cell) => cell !== "") };
  });
  const empty = columns.filter(({ filled }) => filled.length === 0);
  if (empty.length > 0 && rows.length > 0)
    found.seen.push(`empty in every row: ${empty.map((one) => String(refOf(one, columns))).join(", ")}`);
  const time = guessTime(columns, found);
  const wide = time === undefined ? undefined : wideRun(columns, time);
  const meter = guessMeter(columns, time, wide, found);
  if (wide === undefined) guessLong({ columns, time, meter, profile, found });
  else guessWide({ columns, time: time!, wide, profile, found });
  guessQuality(columns, found);
  const timing = timingOf({ columns, time, meter, wide, timeZone, found, profile });
  const { decimal, thousands, ...rest } = profile;
  return {
    settings: {
      format: "csv",
      profile: {
        ...(wide === undefined ? {} : { layout: "wide" }),
        ...(decimal === undefined ? {} : { decimal }),
        ...(thousands === undefined ? {} : { thousands }),
        ...rest,
        ...(Object.keys(found.columns).length === 0 ? {} : { columns: found.columns }),
        ...(Object.keys(timing).length === 0 ? {} : { time: timing }),
      },
    },
    seen: found.seen,
    open: found.open,
  };
}

const DELIMITER_NAMES: Readonly<Record<string, string>> = {
  ",": "commas",
  ";": "semicolons",
  "\t": "tabs",
  "|": "bars",
};

interface Dialect {
  readonly delimiter: string;
  readonly quote: string;
  readonly rows: readonly (readonly string[])[];
  /** Fields that most rows have. */
  readonly width: number;
}

/** The marks that cut most rows into the same number of fields, two at least. */
function dialectOf(text: string): Dialect | undefined {
  let best: Dialect | undefined;
  let most = 0;
  const head = text.slice(0, 100_000);
  const quotes = /(^|[,;\t|])'[^'\n]*'([,;\t|\r\n]|$)/m.test(head) && !head.includes('"') ? "'" : '"';
  for (const delimiter of DELIMITERS) {
    const rows = cutRows(head, delimiter, quotes);
    const width = mode(rows.map((row) => row.length));
    if (width === undefined || width < 2) continue;
    const share = rows.filter((row) => row.length === width).length / rows.length;
    // Decimal commas cut rows too: of two that fit alike, the one that leaves numbers whole.
    const worth = share * 1000 + (delimiter === "," ? 0 : 1) + Math.min(width, 200) / 1000;
    if (share < 0.5 || worth <= most) continue;
    most = worth;
    best = { delimiter, quote: quotes, rows, width };
  }
  return best === undefined ? undefined : { ...best, rows: cutRows(text, best.delimiter, best.quote) };
}

function cutRows(text: string, delimiter: string, quote: string): string[][] {
  const rows: string[][] = [];
  const scanner = new CsvRows(
    { delimiter, quote },
    {
      row: (row) => {
        if (rows.length < MOST_ROWS)
          rows.push(Array.from({ length: row.count }, (_, i) => fieldText(row, i, quote)));
      },
      fault: () => undefined,
    },
  );
  scanner.push(Buffer.from(text), true);
  return rows;
}

function mode<T>(values: readonly T[]): T | undefined {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
}

/** Rows of reads, without what stands before and behind them. */
function bodyOf({ rows, width }: Dialect): {
  readonly rows: readonly (readonly string[])[];
  readonly skipped: number;
  readonly header: readonly string[] | undefined;
  readonly trailer: string | undefined;
} {
  let skipped = 0;
  while (skipped < rows.length && rows[skipped]!.length !== width) skipped++;
  const first = rows[skipped];
  const isHeader =
    first !== undefined &&
    first.some((cell) => cell.trim() !== "") &&
    first.every((cell) => !isNumber(cell.trim()) && timeOf([cell.trim() || "x"], false) === undefined);
  const wideHeader =
    first !== undefined &&
    rows.length > skipped + 1 &&
    !isHeader &&
    first.slice(0, 2).every((cell) => /^\p{L}[\p{L}_ ]*$/u.test(cell.trim()));
  const named = isHeader || wideHeader;
  const body = rows.slice(skipped + (named ? 1 : 0));
  const last = body.at(-1);
  const word = last?.[0]?.trim() ?? "";
  const trailer =
    last !== undefined &&
    body.length > 2 &&
    /^\p{L}+$/u.test(word) &&
    body.filter((row) => row[0]?.trim() === word).length === 1 &&
    last.filter((cell) => cell.trim() !== "").length <= width / 2
      ? word
      : undefined;
  return {
    rows: (trailer === undefined ? body : body.slice(0, -1)).filter((row) =>
      row.some((cell) => cell.trim() !== ""),
    ),
    skipped,
    header: named ? first : undefined,
    trailer,
  };
}

/** Marks between thousands beside point and comma: an apostrophe, straight or curly, and blanks of all kinds. */
const GROUPED = /^[+-]?\d{1,3}(['\u2019 \u00a0\u2009\u202f]\d{3})+([.,]\d+)?$/;
const GROUP_MARKS = /['\u2019 \u00a0\u2009\u202f]/g;

function isNumber(cell: string): boolean {
  return /^[+-]?(\d+([.,]\d+)*|[.,]\d+)([eE][+-]?\d+)?$/.test(cell) || GROUPED.test(cell);
}

/** Headers of exports that are known by name. */
function knownHeader(header: readonly string[]): Guess | undefined {
  const names = new Set(header.map((name) => name.trim()));
  const has = (...wanted: string[]) => wanted.every((name) => names.has(name));
  if (has("Flow", "Flow_Time", "Flow_Unit")) {
    return {
      settings: { format: "beacon-range" },
      seen: ["the columns of a Badger BEACON range export"],
      open: [
        {
          path: "profile.columns.meter",
          alternatives: ["Meter_ID", "Endpoint_SN", "Location_ID"].filter((name) => names.has(name)),
          why: "Meter_ID is taken, and often left empty: the trial says so",
          blocks: !has("Meter_ID"),
        },
        {
          path: "profile.time.interval",
          alternatives: ["3600", "900"],
          why: "3600 is taken: the export is hourly or quarter-hourly",
          blocks: false,
        },
      ],
    };
  }
  if (has("MeterSN", "ScaledRead", "ReadingTime")) {
    return {
      settings: {
        format: "csv",
        profile: {
          columns: { meter: "MeterSN", time: "ReadingTime", register: "ScaledRead" },
          time: { format: "YYYY-MM-DD HH:mm:ss.SSS", zone: "UTC" },
          ...(has("AccountType") ? { filters: ACLARA_STAR.filters } : {}),
        },
      },
      seen: ["the columns of Aclara STAR readings (ReadingTime is UTC there)"],
      open: [
        {
          path: "profile.unit",
          alternatives: ["ft3", "gal", "m3"],
          why: "the unit stands within the text of the column Description alone",
          blocks: false,
        },
      ],
    };
  }
  return undefined;
}

interface TimeFound {
  readonly column: Column;
  readonly clock: Column | undefined;
  readonly formats: readonly string[];
  /** Seconds on the file's own clock of each row, by the first format; NaN where it has none. */
  readonly seconds: readonly number[];
  readonly guess: TimeGuess;
}

function guessTime(columns: readonly Column[], found: Findings): TimeFound | undefined {
  const timed = columns
    .map((column) => ({ column, guess: timeOf(sample(column.filled), NAMES.time.test(column.bare)) }))
    .filter((one): one is { column: Column; guess: TimeGuess } => one.guess !== undefined);
  const likely = timed.filter(({ column }) => !NAMES.otherTime.test(column.bare));
  const of = (kind: TimeGuess["kind"]) => likely.filter(({ guess }) => guess.kind === kind);
  const stamps = of("stamp");
  const dates = of("date");
  const candidates = stamps.length > 0 ? stamps : dates;
  const named = candidates.filter(({ column }) => NAMES.time.test(column.bare));
  const chosen = named.length > 0 ? named : candidates;
  if (chosen.length === 0) {
    found.leave("columns.time", [], "no column reads as a time in all its rows", true);
    return undefined;
  }
  if (chosen.length > 1) {
    const names = chosen.map(({ column }) => String(refOf(column, columns)));
    found.leave("columns.time", names, "several columns hold times: which one is the read's?", true);
    return undefined;
  }
  const { column, guess } = chosen[0]!;
  found.take("time", column, columns);
  let { formats } = guess;
  let clock: Column | undefined;
  const clocks = of("clock").filter(
    ({ column: { bare } }) => bare === "" || NAMES.clockOnly.test(bare) || NAMES.time.test(bare),
  );
  if (guess.kind === "date" && clocks.length === 1) {
    clock = clocks[0]!.column;
    found.take("clock", clock, columns);
    const { formats: ofClock } = clocks[0]!.guess;
    formats = formats.flatMap((date) => ofClock.map((time) => `${date} ${time}`));
  }
  const fits = formats.filter((format) =>
    column.cells.every((cell, row) => {
      const text = clock === undefined ? cell : `${cell} ${clock.cells[row]!}`;
      return cell === "" || !Number.isNaN(localSeconds(format, text));
    }),
  );
  if (fits.length === 0) {
    found.leave("time.format", [], "the first rows have a format that later ones do not have", true);
    return undefined;
  }
  if (fits.length > 1)
    found.leave(
      "time.format",
      fits.map((one) => `"${one}"`),
      "no day above 12 is in the file: which is the month?",
      true,
    );
  const seconds = column.cells.map((cell, row) => {
    if (cell === "") return NaN;
    return localSeconds(fits[0]!, clock === undefined ? cell : `${cell} ${clock.cells[row]!}`);
  });
  return { column, clock, formats: fits, seconds, guess };
}

/** Cells to be looked at: all of a small file, some from everywhere in a large one. */
function sample(cells: readonly string[]): readonly string[] {
  if (cells.length <= 2_000) return cells;
  const step = Math.floor(cells.length / 2_000);
  return cells.filter((_, i) => i % step === 0);
}

/** Neighbouring columns that hold the intervals of a day. */
interface WideRun {
  readonly first: Column;
  readonly count: 24 | 48 | 96;
  /** All of its columns. */
  readonly columns: readonly Column[];
  /** One more, that most days leave empty: of the hour that comes twice in autumn. */
  readonly extra: { readonly column: Column; readonly isLast: boolean } | undefined;
}
/** More rows than this share have something in columns of each day. */
const LEAST_FILLED = 0.5;

function wideRun(columns: readonly Column[], time: TimeFound): WideRun | undefined {
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

function guessMeter(
  columns: readonly Column[],
  time: TimeFound | undefined,
  wide: WideRun | undefined,
  found: Findings,
): Column | undefined {
  const inRun = (column: Column) => wide?.columns.includes(column) === true;
  const able = columns.filter(
    (one) => one.filled.length > 0 && one !== time?.column && one !== time?.clock && !inRun(one),
  );
  const named = columns.some(({ name }) => name.trim() !== "");
  const strict = able.filter(({ bare }) => NAMES.meter.test(bare));
  const like = able.filter(({ bare }) => NAMES.meterLike.test(bare));
  const unnamed = able.filter(
    (one) => !isUnit(one) && !one.filled.every((cell) => isNumber(cell) && /[.,]/.test(cell)),
  );
  const tier = named ? (strict.length > 0 ? strict : like) : unnamed;
  if (tier.length === 1) {
    found.take("meter", tier[0]!, columns);
    return tier[0];
  }
  const isValueName = ({ bare }: Column) => NAMES.usage.test(bare) || NAMES.register.test(bare);
  const choice = tier.length > 1 ? tier : unnamed.filter((one) => !isValueName(one));
  found.leave(
    "columns.meter",
    choice.slice(0, 8).map((one) => String(refOf(one, columns))),
    "which column is the identity of the meter?",
    true,
  );
  return undefined;
}

interface LongParts {
  readonly columns: readonly Column[];
  readonly time: TimeFound | undefined;
  readonly meter: Column | undefined;
  readonly profile: Record<string, unknown>;
  readonly found: Findings;
}

function guessLong({ columns, time, meter, profile, found }: LongParts): void {
  const able = columns.filter(
    (one) =>
      one !== time?.column &&
      one !== time?.clock &&
      one !== meter &&
      !NAMES.noValue.test(one.bare) &&
      !NAMES.time.test(one.bare) &&
      !NAMES.clockOnly.test(one.bare) &&
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
  const usages = kinds.filter(({ kind }) => kind === "usage");
  const registers = kinds.filter(({ kind }) => kind === "register");
  const unknown = kinds.filter(({ kind }) => kind === "unknown");
  const values: Column[] = [];
  for (const [what, list] of [
    ["usage", usages],
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
  guessChannel(columns, time, meter, found);
  if (time !== undefined && meter !== undefined && found.columns["channel"] === undefined) {
    const others = columns.filter(
      (one) => ![meter, time.column, time.clock, ...candidates].includes(one) && one.filled.length > 0,
    );
    guessKinds(others, time, meter, found);
  }
}

/** Numbers that are no volumes. */
function guessNoRead(values: readonly Column[], found: Findings): void {
  for (const column of values) {
    const numbers = column.filled.filter(isNumber);
    const suspects = new Set(numbers.filter((cell) => NO_VALUE.test(cell.replace(/[.,]0+$/, ""))));
    const others = numbers.filter((cell) => !suspects.has(cell)).map(looseNumber);
    const most = others.reduce((highest, one) => Math.max(highest, one), 0);
    const least = others.reduce((lowest, one) => Math.min(lowest, one), 0);
    const words = [...suspects].filter((cell) => {
      const number = looseNumber(cell);
      return others.length > 0 && (number > most * NO_VALUE_FACTOR || (number < 0 && least >= 0));
    });
    if (words.length === 0) continue;
    const name = String(refOf(column, values));
    found.leave(
      "noRead",
      [JSON.stringify([...NO_READ, ...words])],
      `${words.join(", ")} in ${name} ${words.length > 1 ? "look" : "looks"} like a mark for no read; as it stands it is a volume`,
      true,
    );
  }
}

/** A column whose words tell the rows of one meter and time apart: kinds of reads, of which some are not its usage. */
function guessKinds(others: readonly Column[], time: TimeFound, meter: Column, found: Findings): void {
  const rows = meter.cells.map((_, row) => row).filter((row) => !Number.isNaN(time.seconds[row]!));
  const key = (row: number) => `${meter.cells[row]!}\n${time.seconds[row]!}`;
  const count = (keyOf: (row: number) => string) => new Set(rows.map(keyOf)).size;
  const alone = count(key);
  // A few that come twice are repeats, or the hour that clocks give twice.
  if (alone > rows.length * 0.9) return;
  const telling = others.filter(({ cells }) => {
    const words = new Set(cells);
    if (words.size < 2 || words.size > KINDS.most || ![...words].every((word) => KINDS.word.test(word)))
      return false;
    return count((row) => `${key(row)}\n${cells[row]!}`) > rows.length * 0.9;
  });
  for (const column of telling.slice(0, 1)) {
    const name = refOf(column, others);
    const words = [...new Set(column.cells)];
    found.leave(
      "filters",
      words.map((word) => `[{ column: ${JSON.stringify(name)}, only: ${JSON.stringify([word])} }]`),
      `a meter has several rows a time, told apart by ${String(name)}: which are its use of water? ` +
        `(Registers that add up are told apart by columns.channel instead)`,
      true,
    );
  }
}

/** Usage or register, by its name and by whether it rises meter by meter. */
function kindOf(
  column: Column,
  time: TimeFound | undefined,
  meter: Column | undefined,
): "usage" | "register" | "unknown" {
  const byName = NAMES.usage.test(column.bare)
    ? "usage"
    : NAMES.register.test(column.bare)
      ? "register"
      : undefined;
  const byContent =
    time === undefined || meter === undefined ? undefined : contentOf(stepsOf(column, time, meter));
  if (byName === undefined) return byContent ?? "unknown";
  return byContent === undefined || byContent === byName ? byName : "unknown";
}

interface Steps {
  readonly steps: number;
  readonly rises: number;
  readonly falls: number;
}

function contentOf({ steps, rises, falls }: Steps): "usage" | "register" | undefined {
  if (steps < LEAST_STEPS) return undefined;
  if (falls >= steps * FALLS.usage) return "usage";
  // Usage that is 0 throughout does not fall either: a register rises now and then.
  return falls <= steps * FALLS.register && rises >= LEAST_STEPS ? "register" : undefined;
}

function stepsOf(column: Column, time: TimeFound, meter: Column): Steps {
  const series = new Map<string, { at: number; value: number }[]>();
  for (const [row, cell] of column.cells.entries()) {
    const at = time.seconds[row]!;
    if (Number.isNaN(at) || !isNumber(cell)) continue;
    const name = meter.cells[row]!;
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

/** A number whatever its marks are: good for comparisons within a column. */
function looseNumber(grouped: string): number {
  const cell = grouped.replace(GROUP_MARKS, "");
  const last = Math.max(cell.lastIndexOf("."), cell.lastIndexOf(","));
  if (last < 0) return Number(cell);
  return Number(`${cell.slice(0, last).replace(/[.,]/g, "")}.${cell.slice(last + 1)}`);
}

/** The decimal mark and that between thousands. */
function guessMarks(values: readonly Column[], profile: Record<string, unknown>, found: Findings): void {
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

/** By its name, or without one by its words. */
function isUnit({ name, bare, filled }: Column): boolean {
  if (filled.length === 0) return false;
  return name.trim() === "" ? filled.every((cell) => unitOf(cell) !== undefined) : NAMES.unit.test(bare);
}

function guessUnit(
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
    const unit =
      words.length < 2 && !/gallon|lit(er|re)s|ccf/i.test(value.name)
        ? undefined
        : words.map(unitOf).find((one) => one !== undefined);
    const key = i > 0 && values.length > 1 ? "registerUnit" : "unit";
    if (unit !== undefined) {
      profile[key] = unit;
      found.seen.push(`the unit ${unit} in the name "${value.name.trim()}"`);
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

function guessQuality(columns: readonly Column[], found: Findings): void {
  const able = columns.filter(({ bare, filled }) => NAMES.quality.test(bare) && filled.length > 0);
  const sure = able.filter(({ bare, cells }) => {
    const words = new Set(cells.map((cell) => cell.toUpperCase()));
    const marks = NAMES.estimated.test(bare);
    return (
      words.size <= 16 &&
      [...words].every((word) => QUALITY_WORDS.has(word) || (marks && ESTIMATED_MARKS.has(word)))
    );
  });
  if (sure.length === 1 && able.length === 1) {
    found.take("quality", sure[0]!, columns);
    return;
  }
  if (able.length === 0) return;
  found.leave(
    "columns.quality",
    able.map((one) => String(refOf(one, columns))),
    `says whether a read was estimated? Words seen: ${wordsOf(able)}. Those that mean it belong into quality.estimated`,
    false,
  );
}

function wordsOf(columns: readonly Column[]): string {
  const words = [...new Set(columns.flatMap(({ filled }) => filled))].filter((word) =>
    /^[\p{L} _-]{1,16}$|^\d$/u.test(word),
  );
  return words.length === 0 ? "none that are short" : words.slice(0, 10).join(", ");
}

interface WideParts {
  readonly columns: readonly Column[];
  readonly time: TimeFound;
  readonly wide: WideRun;
  readonly profile: Record<string, unknown>;
  readonly found: Findings;
}

function guessWide({ columns, wide, profile, found }: WideParts): void {
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
  const rows = wide.first.cells.length;
  let [steps, rises, falls] = [0, 0, 0];
  for (let row = 0; row < rows; row++) {
    const day = run
      .map(({ cells }) => cells[row]!)
      .filter(isNumber)
      .map(looseNumber);
    for (let i = 1; i < day.length; i++) {
      steps++;
      if (day[i]! > day[i - 1]!) rises++;
      if (day[i]! < day[i - 1]!) falls++;
    }
  }
  const byName = NAMES.usage.test(wide.first.bare)
    ? "usage"
    : NAMES.register.test(wide.first.bare)
      ? "register"
      : undefined;
  const byContent = contentOf({ steps, rises, falls });
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

interface TimingParts {
  readonly columns: readonly Column[];
  readonly time: TimeFound | undefined;
  readonly meter: Column | undefined;
  readonly wide: WideRun | undefined;
  readonly timeZone: string | undefined;
  readonly found: Findings;
  readonly profile: Record<string, unknown>;
}

/** The members of `time`: format and interval as seen; zone and edge are left open. */
function timingOf({ time, meter, wide, timeZone, found, profile }: TimingParts): Record<string, unknown> {
  if (time === undefined) return {};
  const timing: Record<string, unknown> = {};
  const [format] = time.formats;
  if (time.formats.length === 1) timing["format"] = format;
  const tellsZone = /Z$|^[Xx]$/.test(format!);
  if (!tellsZone) {
    found.leave(
      "time.zone",
      ["utility", "UTC"],
      `the stamps carry no offset${zoneHint(time, timeZone)}; utility is taken`,
      false,
    );
  }
  const hasUsage = wide === undefined ? "usage" in found.columns : profile["wideValues"] !== "register";
  const usageOpen = found.open.some(({ path }) => path === "profile.columns.usage");
  if (!hasUsage && !usageOpen && wide === undefined) return timing;
  found.leave(
    "time.stamp",
    ["beginning", "end"],
    `is a stamp the beginning or the end of its interval${edgeHint(time)}? beginning is taken`,
    false,
  );
  if (wide !== undefined) return timing;
  const interval = meter === undefined ? undefined : intervalOf(time, meter);
  if (interval === undefined && time.guess.kind === "date" && time.clock === undefined)
    found.leave("time.interval", ["86400"], "the stamps are dates: is a row a day? 3600 is taken", true);
  else if (interval === undefined)
    found.leave("time.interval", ["3600", "900", "86400"], "seconds of an interval; 3600 is taken", false);
  else {
    timing["interval"] = interval;
    const off = time.seconds.map((one) => ((one % interval) + interval) % interval);
    const beside = off.filter((one) => !Number.isNaN(one));
    if (beside.length > 0 && beside.every((one) => one >= interval - 120 || (one > 0 && one <= 120)))
      timing["snap"] = beside.every((one) => one >= interval - 60 || one <= 60) ? 60 : 120;
  }
  return timing;
}

/** The usual distance of a meter's stamps, where nine of ten have it. */
function intervalOf(time: TimeFound, meter: Column): number | undefined {
  const byMeter = new Map<string, number[]>();
  for (const [row, at] of time.seconds.entries()) {
    if (Number.isNaN(at)) continue;
    const list = byMeter.get(meter.cells[row]!) ?? [];
    list.push(at);
    byMeter.set(meter.cells[row]!, list);
  }
  const apart: number[] = [];
  for (const list of byMeter.values()) {
    const sorted = [...new Set(list)].sort((a, b) => a - b);
    for (let i = 1; i < sorted.length; i++) apart.push(sorted[i]! - sorted[i - 1]!);
  }
  const usual = mode(apart);
  if (usual === undefined || usual < 60 || usual > DAY) return undefined;
  return apart.filter((one) => one === usual).length >= apart.length * 0.9 ? usual : undefined;
}

function zoneHint({ seconds }: TimeFound, timeZone: string | undefined): string {
  if (timeZone === undefined) return "";
  const zone = new TimeZone(timeZone);
  const never = new Set(seconds.filter((one) => !Number.isNaN(one))).values();
  for (const local of never)
    if (zone.instantsOf(local).length === 0)
      return `, and some stand in the hour that ${timeZone} left out: they are not its local time`;
  return "";
}

function edgeHint({ seconds, column, clock }: TimeFound): string {
  const minutes = seconds.filter((one) => !Number.isNaN(one)).map((one) => Math.floor(one / 60) % 60);
  if (minutes.length > 0 && minutes.every((one) => one % 15 === 14)) return " (at :59 it is mostly the end)";
  const cells = (clock ?? column).cells;
  if (cells.some((cell) => /(^|[ T])24:00/.test(cell))) return " (24:00 speaks for the end)";
  return "";
}
