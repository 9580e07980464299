import { ACLARA_STAR } from "../../schemas/formats/aclara.js";
import { unitOf } from "../../schemas/units.js";
import { bodyOf, DELIMITER_NAMES, dialectOf, isNumber } from "./csv-dialect.js";
import { guessBilling } from "./guess-billing.js";
import {
  bareName,
  type Column,
  estimatedWords,
  Findings,
  hasKnownQuality,
  isUnit,
  NAMES,
  refOf,
  saysEstimated,
} from "./guess-columns.js";
import { guessCrosswalk } from "./guess-crosswalk.js";
import { guessMatrix, matrixRun } from "./guess-matrix.js";
import { guessPivot, pivotRun } from "./guess-pivot.js";
import { withSpreadDate } from "./guess-spread-date.js";
import { guessTime, isOfOneMeter, type TimeFound, timingOf } from "./guess-stamps.js";
import { guessLong } from "./guess-values.js";
import { guessWide, type WideRun, wideRun } from "./guess-wide.js";
import type { Guess } from "./guess.js";

export interface CsvGuessOptions {
  /** The text is the whole file. */
  readonly whole: boolean;
  /** IANA zone of the utility, where it is known. */
  readonly timeZone?: string | undefined;
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
  const { rows, skipped, header, units, trailer, totals } = bodyOf(dialect);
  if (skipped > 0) profile["skipRows"] = skipped;
  if (header === undefined) profile["header"] = false;
  if (trailer !== undefined) profile["trailerRows"] = trailer;
  found.seen.push(
    `${rows.length} rows looked at, ${header === undefined ? "no row of column names" : "the first has the names of the columns"}` +
      (skipped > 0 ? ` after ${skipped} others` : ""),
  );
  const each = Array.from({ length: dialect.width }, (_, index): Column => {
    const cells = rows.map((row) => (row[index] ?? "").trim());
    const name = header?.[index] ?? "";
    const bare = bareName(name);
    return {
      index,
      name,
      bare,
      unit: units?.[index] ?? "",
      cells,
      filled: cells.filter((cell) => cell !== ""),
    };
  });
  const columns = withSpreadDate(each);
  if (totals !== undefined) {
    profile["filters"] = [{ column: refOf(each[totals.column]!, each), except: [totals.word] }];
    found.seen.push("a row of totals at the end, which a filter leaves out");
  }
  if (units !== undefined) leaveRowOfUnits(dialect.rows[skipped + 1]!, columns, { profile, found });
  if (header !== undefined && skipped === 0) {
    const crosswalk = guessCrosswalk(columns, { ...profile });
    if (crosswalk !== undefined) return { ...crosswalk, seen: [...found.seen, ...crosswalk.seen] };
  }
  const pivot = header === undefined ? undefined : pivotRun(columns);
  if (pivot !== undefined) {
    const others = columns.filter((one) => !pivot.columns.includes(one));
    const meter = guessMeter(others, undefined, undefined, found, dialect.rows.slice(0, skipped));
    return guessPivot({ columns: others, pivot, meter, timeZone, profile, found });
  }
  if (header !== undefined) {
    const billing = guessBilling(columns, { ...profile });
    if (billing !== undefined) return { ...billing, seen: [...found.seen, ...billing.seen] };
  }
  const empty = columns.filter(({ filled }) => filled.length === 0);
  if (empty.length > 0 && rows.length > 0)
    found.seen.push(`empty in every row: ${empty.map((one) => String(refOf(one, columns))).join(", ")}`);
  const time = guessTime(columns, found);
  const wide = time === undefined ? undefined : wideRun(columns, time);
  const matrix =
    time === undefined || wide !== undefined || header === undefined ? undefined : matrixRun(columns, time);
  let meter: Column | undefined;
  if (matrix === undefined) {
    meter = guessMeter(columns, time, wide, found, dialect.rows.slice(0, skipped));
    if (wide === undefined) guessLong({ columns, time, meter, profile, found });
    else guessWide({ columns, time: time!, wide, profile, found });
  } else guessMatrix({ columns, time: time!, matrix, profile, found });
  guessQuality(columns, profile, found);
  const timing = timingOf({
    ...{ columns, time, meter, wide, isMatrix: matrix !== undefined },
    ...{ timeZone, found, profile },
  });
  const { decimal, thousands, ...rest } = profile;
  return {
    settings: {
      format: "csv",
      profile: {
        ...(wide === undefined ? {} : { layout: "wide" }),
        ...(matrix === undefined ? {} : { layout: "matrix" }),
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

/** A filter by a cell of the row of units that is in no row of reads. */
function leaveRowOfUnits(
  row: readonly string[],
  columns: readonly Column[],
  { profile, found }: { readonly profile: Record<string, unknown>; readonly found: Findings },
): void {
  const wordOf = ({ index }: Column) => (row[index] ?? "").trim();
  const differs = (one: Column) =>
    !one.filled.some((cell) => cell.toUpperCase() === wordOf(one).toUpperCase());
  const column = columns.find((one) => unitOf(one.unit) !== undefined && differs(one));
  if (column === undefined) return;
  const filters = (profile["filters"] ?? []) as readonly object[];
  profile["filters"] = [...filters, { column: refOf(column, columns), except: [wordOf(column)] }];
  found.seen.push("a row of units below the names, which a filter leaves out");
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
  if (has("Meter_ID", "Read", "Read_Time", "Read_Unit", "Read_Method"))
    return {
      settings: { format: "beacon-billing" },
      seen: ["the columns of a Badger BEACON billing read export"],
      open: [],
    };
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

function guessMeter(
  columns: readonly Column[],
  time: TimeFound | undefined,
  wide: WideRun | undefined,
  found: Findings,
  preamble: readonly (readonly string[])[],
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
  if (tier.length === 0 && time !== undefined && isOfOneMeter(time)) {
    const words = preamble.map(([first = ""]) => first.split(":")[0]!.trim());
    // A word with a number in it may hold the id itself.
    const said = words.filter((word) => !/\d/.test(word) && namesMeter(word));
    found.leave(
      "meterFrom",
      [...said.map((word) => `{ preamble: ${JSON.stringify(word)} }`), '{ fileName: "{meter}.csv" }'],
      "no column names a meter, and no time comes twice: a file of one meter? Where does its id stand? (In a column after all: columns.meter)",
      true,
    );
    return undefined;
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

/** What a row before the header that has the meter's id may begin with. */
function namesMeter(word: string): boolean {
  const bare = bareName(word);
  return NAMES.meter.test(bare) || NAMES.meterLike.test(bare);
}

function guessQuality(columns: readonly Column[], profile: Record<string, unknown>, found: Findings): void {
  const spoken = columns.filter(saysEstimated);
  const named = columns.filter(({ bare, filled }) => NAMES.quality.test(bare) && filled.length > 0);
  const able = spoken.length === 1 ? spoken : named;
  const sure = able.filter(hasKnownQuality);
  if (sure.length === 1 && able.length === 1) {
    found.take("quality", sure[0]!, columns);
    return;
  }
  const words = able.length === 1 ? estimatedWords(able[0]!) : undefined;
  if (words !== undefined) {
    found.take("quality", able[0]!, columns);
    profile["quality"] = { estimated: words };
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
