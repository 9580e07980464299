import { TimeZone } from "../../infra/time-zone.js";
import { canonicalMeter } from "../../schemas/canonical.js";
import { hasCardNumber } from "../../schemas/card-number.js";
import {
  CROSSWALK_OPTIONAL,
  CROSSWALK_REQUIRED,
  crosswalkOptions,
  type CrosswalkColumn,
  type CrosswalkOptions,
} from "../../schemas/formats/crosswalk.js";
import { meterClass, type MeterSetting } from "../../schemas/meters.js";
import type { RejectCode } from "../check/rejects.js";
import type { Reject } from "../check/rejects.js";
import type { CsvProfile } from "../../schemas/profile.js";
import { MILLILITRES, unitOf } from "../../schemas/units.js";
import { CsvRows, fieldText } from "../formats/csv-rows.js";
import { FileRejected } from "../formats/format.js";
import { HeaderColumns } from "../formats/header-columns.js";
import { portionsOf } from "../formats/joined-texts.js";
import { unknownColumns } from "../formats/row-filter.js";
import { compileTimeFormat, type StampReader } from "../formats/time-format.js";
import { capacityOf } from "./meter-size.js";

/**
 * The crosswalk: who is served where, through which meter. CSV with a header; columns by name, in any order, by the usual names
 * or those of the options:
 * `meter_id`, `account_id`, `location_id` (required), `name`, `address`, `zip`, `email`, `phone`, `move_in`, `move_out`
 * (YYYY-MM-DD, local), `class` (single-family, multi-family, commercial, irrigation, always-on), `normal_flow_l_per_h`,
 * `meter_since`, `meter_until` (YYYY-MM-DD, local: the meter measures this premise from the beginning of the one day to that
 * of the other), `inactive_since` (the same for a meter that is not in service from then on), `meter_size` (see
 * meter-size.ts), `register_unit` and `multiplier` (what one of the meter's register is).
 */
const DATES = ["move_in", "move_out", "meter_since", "meter_until", "inactive_since"] as const;
/** Where words about people stand; ids may look like anything. */
const PERSONAL = ["name", "address", "zip", "email", "phone"] as const;
export interface CrosswalkRow {
  readonly meterId: string;
  readonly accountId: string;
  readonly locationId: string;
  readonly name: string;
  readonly address: string;
  readonly zip: string;
  readonly email: string;
  readonly phone: string;
  /** UTC seconds, where given. */
  readonly moveIn: number | undefined;
  readonly moveOut: number | undefined;
  readonly meterSince: number | undefined;
  readonly meterUntil: number | undefined;
  readonly settings: readonly MeterSetting[];
}

/** Rows of a crosswalk, in the order of the file, and the rejected ones among them. */
export interface CrosswalkPortion {
  /** Bytes of the texts up to here. */
  readonly bytesDone: number;
  readonly rows: readonly CrosswalkRow[];
  readonly rejects: readonly Reject[];
}

/**
 * Cuts a crosswalk file into rows, rejecting the wrong ones; a portion for each chunk of bytes.
 * @param texts as UTF-8, each with a header of its own
 * @param profile delimiter, quote and the canonical form of meter ids
 * @param options names of columns, form of dates and words of classes, where they are not the usual ones
 * @returns columns of the headers that are passed over
 * @throws FileRejected without a required column
 */
export function readCrosswalk(
  texts: AsyncIterable<AsyncIterable<Buffer>>,
  timeZone: string,
  profile: Pick<CsvProfile, "delimiter" | "quote" | "meterId">,
  options: CrosswalkOptions = crosswalkOptions.parse({}),
): AsyncGenerator<CrosswalkPortion, readonly string[]> {
  const zone = new TimeZone(timeZone);
  return portionsOf(texts, (lines, bytes) => new CrosswalkText(zone, profile, options, lines, bytes));
}

/** One text of a crosswalk, read chunk by chunk. */
class CrosswalkText {
  /** Columns of the header that are passed over. */
  unknownColumns: readonly string[] = [];
  readonly #profile: Pick<CsvProfile, "delimiter" | "quote" | "meterId">;
  readonly #zone: TimeZone;
  readonly #scanner: CsvRows;
  readonly #readDate: StampReader;
  readonly #named: CrosswalkOptions["columns"];
  readonly #classes: ReadonlyMap<string, NonNullable<MeterSetting["class"]> | null>;
  #columns: ReadonlyMap<CrosswalkColumn, number> | undefined;
  #width = 0;
  #rows: CrosswalkRow[] = [];
  #rejects: Reject[] = [];

  /** @param lines of the file before this text, and its bytes */
  constructor(
    zone: TimeZone,
    profile: Pick<CsvProfile, "delimiter" | "quote" | "meterId">,
    options: CrosswalkOptions,
    lines: number,
    bytes: number,
  ) {
    this.#zone = zone;
    this.#profile = profile;
    this.#readDate = compileTimeFormat(options.date);
    this.#named = options.columns;
    this.#classes = new Map([
      ...meterClass.options.map((name) => [name, name] as const),
      ...Object.entries(options.classes).map(([word, name]) => [word.toLowerCase(), name] as const),
    ]);
    const reject = (
      line: number,
      offset: number,
      length: number,
      code: RejectCode,
      field: CrosswalkColumn | "row",
    ) => {
      // A shifted column puts a name where a class should be: no value of such a file is kept.
      const [at, from] = [lines + line, bytes + offset];
      this.#rejects.push({ line: at, offset: from, length, code, field, value: null });
    };
    this.#scanner = new CsvRows(profile, {
      row: (row) => {
        const { line, offset, length } = row;
        const fields = Array.from({ length: row.count }, (_, i) => fieldText(row, i, profile.quote).trim());
        if (this.#columns === undefined) return this.#takeHeader(fields);
        if (fields.every((text) => text === "")) return;
        const taken = this.#rowOf(fields, this.#columns);
        if (Array.isArray(taken)) reject(line, offset, length, ...taken);
        else this.#rows.push(taken);
      },
      fault: (code, line, offset, length) => reject(line, offset, length, code, "row"),
    });
  }

  /** @throws FileRejected at the end of a text without a header, or at a header without a required column */
  push(chunk: Buffer, last: boolean): Pick<CrosswalkPortion, "rows" | "rejects"> {
    this.#scanner.push(chunk, last);
    if (last && this.#columns === undefined)
      throw new FileRejected("header", "The file ended before a header row.");
    const portion = { rows: this.#rows, rejects: this.#rejects };
    this.#rows = [];
    this.#rejects = [];
    return portion;
  }

  #takeHeader(fields: readonly string[]): void {
    const columns = columnsOf(fields, this.#named);
    this.#columns = columns;
    this.unknownColumns = unknownColumns(fields, new Set(columns.values()), true);
    this.#width = fields.length;
  }

  /** @returns the row, or why it is rejected and by which field */
  #rowOf(
    fields: readonly string[],
    columns: ReadonlyMap<CrosswalkColumn, number>,
  ): CrosswalkRow | [RejectCode, CrosswalkColumn | "row"] {
    const get = (column: CrosswalkColumn) => {
      const index = columns.get(column);
      return index === undefined ? "" : (fields[index] ?? "");
    };
    if (fields.length > this.#width) return ["too-many-columns", "row"];
    const missing = CROSSWALK_REQUIRED.find((column) => get(column) === "");
    if (missing !== undefined) return ["missing-field", missing];
    const card = PERSONAL.find((column) => hasCardNumber(get(column)));
    if (card !== undefined) return ["card-number", card];
    const dates: (number | undefined)[] = [];
    for (const column of DATES) {
      const text = get(column);
      if (text === "") {
        dates.push(undefined);
        continue;
      }
      const bytes = Buffer.from(text);
      const stamp = { day: 0, second: 0, offset: 0, epoch: 0 };
      if (!this.#readDate(bytes, 0, bytes.length, stamp)) return ["bad-date", column];
      dates.push(this.#zone.firstInstantFrom(stamp.day * 86_400));
    }
    const [moveIn, moveOut, meterSince, meterUntil, inactiveSince] = dates;
    if (moveIn !== undefined && moveOut !== undefined && moveOut < moveIn)
      return ["moved-out-before-in", "move_out"];
    if (meterSince !== undefined && meterUntil !== undefined && meterUntil < meterSince)
      return ["moved-out-before-in", "meter_until"];
    const setting: MeterSetting = { from: 0 };
    const classWord = get("class");
    if (classWord !== "") {
      const found = this.#classes.get(classWord.toLowerCase());
      if (found === undefined) return ["unknown-class", "class"];
      if (found !== null) setting.class = found;
    }
    const flow = get("normal_flow_l_per_h");
    if (flow !== "") {
      const litres = Number(flow);
      if (!(litres >= 0 && litres < 1e6)) return ["bad-number", "normal_flow_l_per_h"];
      setting.continuousFlowRate = Math.round(litres * 1000);
    }
    const size = get("meter_size");
    if (size !== "") {
      setting.capacity = capacityOf(size);
      if (setting.capacity === undefined) return ["unknown-size", "meter_size"];
    }
    const multiplier = get("multiplier");
    const unitWord = get("register_unit");
    if (unitWord !== "" || multiplier !== "") {
      const unit = unitOf(unitWord);
      if (unit === undefined) return ["unknown-unit", "register_unit"];
      const times = multiplier === "" ? 1 : Number(multiplier);
      if (!(times > 0 && times < 1e6)) return ["bad-number", "multiplier"];
      setting.mlPerUnit = MILLILITRES[unit] * times;
    }
    return {
      meterId: canonicalMeter(get("meter_id"), this.#profile.meterId),
      accountId: get("account_id"),
      locationId: get("location_id"),
      name: get("name"),
      address: get("address"),
      zip: get("zip"),
      email: get("email"),
      phone: get("phone"),
      moveIn,
      moveOut,
      meterSince,
      meterUntil,
      settings: [
        ...(Object.keys(setting).length > 1 ? [setting] : []),
        // Where the column is there and empty, the meter is in service again.
        ...(inactiveSince !== undefined
          ? [{ from: inactiveSince, inService: false }]
          : columns.has("inactive_since")
            ? [{ from: 0, inService: true }]
            : []),
      ],
    };
  }
}

function columnsOf(
  header: readonly string[],
  named: CrosswalkOptions["columns"],
): Map<CrosswalkColumn, number> {
  const names = header.map((name) => name.toLowerCase());
  const found = new HeaderColumns(header);
  const columns = new Map<CrosswalkColumn, number>();
  for (const column of [...CROSSWALK_REQUIRED, ...CROSSWALK_OPTIONAL]) {
    const of = named[column];
    const index = of === undefined ? names.indexOf(column) : found.find(of, column);
    if (index >= 0) columns.set(column, index);
  }
  found.check("crosswalk.columns");
  const missing = CROSSWALK_REQUIRED.filter((column) => !columns.has(column));
  if (missing.length > 0) {
    throw new FileRejected(
      "header",
      `The header has no column ${missing.join(", ")}. A crosswalk needs ${CROSSWALK_REQUIRED.join(", ")}; ` +
        "where they have other names, crosswalk.columns of the source says so.",
    );
  }
  return columns;
}
