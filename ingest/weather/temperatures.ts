import { TimeZone } from "../../infra/time-zone.js";
import type { TemperatureOptions } from "../../schemas/formats/temperatures.js";
import type { Temperature } from "../../schemas/temperatures.js";
import type { Reject, RejectCode } from "../check/rejects.js";
import { isBlank } from "../formats/csv-fields.js";
import { CsvRows, fieldText, type CsvRow, wordsOf } from "../formats/csv-rows.js";
import { Decimal } from "../formats/decimal.js";
import { FileRejected, MOST_FRUITLESS_ROWS } from "../formats/format.js";
import { HeaderColumns, uncutHeader } from "../formats/header-columns.js";
import { portionsOf } from "../formats/joined-texts.js";
import { firstInstant } from "../formats/local-times.js";
import { RowFilter, unknownColumns } from "../formats/row-filter.js";
import { compileTimeFormat } from "../formats/time-format.js";

const DAY = 86_400;
/** Hundredths of a degree Celsius between which the air of a place with meters is. */
const [LOWEST, HIGHEST] = [-9000, 6000];
const MOST_VALUE = 80;

export interface TemperaturePortion {
  /** Bytes of the texts up to here. */
  readonly bytesDone: number;
  /** In the order of the file. */
  readonly temperatures: readonly Temperature[];
  /** Rows in which nothing was measured. */
  readonly without: number;
  /** Rows that the filters don't take. */
  readonly leftOut: number;
  readonly rejects: readonly Reject[];
}

/**
 * Cuts a file of air temperatures into measurements, rejecting the wrong rows; a portion for each chunk of bytes.
 * @param texts as UTF-8, each with a header of its own
 * @param timeZone of the utility
 * @param now UTC seconds: later times than a day from here are rejected
 * @returns columns of the headers that the options don't speak of
 * @throws FileRejected where a column is missing, or nothing can be read
 */
export function readTemperatures(
  texts: AsyncIterable<AsyncIterable<Buffer>>,
  timeZone: string,
  options: TemperatureOptions,
  now: number,
): AsyncGenerator<TemperaturePortion, readonly string[]> {
  return portionsOf(texts, (lines, bytes) => new TemperatureText(timeZone, options, now, lines, bytes));
}

type Field = "time" | "temperature" | "row";
type Taken = Omit<TemperaturePortion, "bytesDone">;

/** One text of such a file, read chunk by chunk. */
class TemperatureText {
  /** Columns of the header that the options don't speak of. */
  unknownColumns: readonly string[] = [];
  readonly #options: TemperatureOptions;
  readonly #zone: TimeZone | undefined;
  readonly #latest: number;
  readonly #rows: CsvRows;
  readonly #readStamp: ReturnType<typeof compileTimeFormat>;
  readonly #decimal = new Decimal();
  readonly #noValue: ReadonlySet<string>;
  #headerDone = false;
  #skip: number;
  #time: readonly number[] = [];
  #temperature = -1;
  #filter: RowFilter | undefined;
  #needed = 0;
  #fruitless = 0;
  #taken = nothing();

  /** @param lines of the file before this text, and its bytes */
  constructor(timeZone: string, options: TemperatureOptions, now: number, lines: number, bytes: number) {
    this.#options = options;
    const zone = options.time.zone === "utility" ? timeZone : options.time.zone;
    this.#zone = zone === "UTC" ? undefined : new TimeZone(zone);
    this.#latest = now + DAY;
    this.#readStamp = compileTimeFormat(options.time.format);
    this.#noValue = new Set(options.noValue.map((word) => word.toUpperCase()));
    this.#skip = options.skipRows;
    const reject = (row: Pick<CsvRow, "line" | "offset" | "length">, refusal: Refusal) => {
      const { code, field, value } = refusal;
      const [line, offset] = [lines + row.line, bytes + row.offset];
      this.#taken.rejects.push({ line, offset, length: row.length, code, field, value });
      if (this.#fruitless >= 0 && ++this.#fruitless >= MOST_FRUITLESS_ROWS)
        throw new FileRejected(
          field,
          `None of the first ${MOST_FRUITLESS_ROWS} rows has a temperature: the file is not of this source, or source.temperatures is wrong.`,
        );
    };
    this.#rows = new CsvRows(options, {
      row: (row) => {
        if (this.#skip > 0) this.#skip--;
        else if (!this.#headerDone) this.#begin(row, reject);
        else this.#take(row, reject);
      },
      fault: (code, line, offset, length) => {
        if (this.#skip > 0) this.#skip--;
        else if (!this.#headerDone) throw uncutHeader(code, "source.temperatures.quote");
        else reject({ line, offset, length }, { code, field: "row", value: null });
      },
    });
  }

  /** @throws FileRejected */
  push(chunk: Buffer, last: boolean): Taken {
    this.#rows.push(chunk, last);
    if (last && !this.#headerDone) throw new FileRejected("header", "The file ended before its first row.");
    const taken = this.#taken;
    this.#taken = nothing();
    return taken;
  }

  #begin(row: CsvRow, reject: (row: CsvRow, refusal: Refusal) => void): void {
    this.#headerDone = true;
    const { header, quote } = this.#options;
    this.#findColumns(header ? Array.from({ length: row.count }, (_, i) => fieldText(row, i, quote)) : []);
    if (!header) this.#take(row, reject);
  }

  #findColumns(header: readonly string[]): void {
    const found = new HeaderColumns(header);
    const { columns, filters } = this.#options;
    this.#time = found.findTime(columns.time, "time");
    this.#temperature = found.find(columns.temperature, "temperature");
    this.#filter = new RowFilter(filters, found.find);
    found.check("source.temperatures.columns");
    const taken = new Set([...this.#time, this.#temperature, ...this.#filter.columns]);
    this.#needed = 1 + Math.max(...taken);
    this.unknownColumns = unknownColumns(header, taken, found.foundByName);
  }

  #take(row: CsvRow, reject: (row: CsvRow, refusal: Refusal) => void): void {
    if (isBlank(row)) return;
    if (row.count < this.#needed)
      return reject(row, { code: "too-few-columns", field: "row", value: `${row.count} columns` });
    if (!this.#filter!.takes(row)) {
      this.#taken.leftOut++;
      return;
    }
    const time = this.#timeOf(row);
    if (typeof time !== "number") return reject(row, time);
    const text = fieldText(row, this.#temperature, this.#options.quote).trim();
    if (this.#noValue.has(text.toUpperCase())) {
      this.#taken.without++;
      return;
    }
    const value = this.#hundredths(text);
    if (Number.isNaN(value)) return reject(row, refusal("bad-number", "temperature", text));
    if (value < LOWEST || value > HIGHEST) return reject(row, refusal("not-air", "temperature", text));
    this.#fruitless = -1;
    this.#taken.temperatures.push({ time, value });
  }

  #timeOf(row: CsvRow): number | Refusal {
    const text = wordsOf(row, this.#time, this.#options.quote);
    const bytes = Buffer.from(text);
    const stamp = { day: 0, second: 0, offset: 0, epoch: 0 };
    if (!this.#readStamp(bytes, 0, bytes.length, stamp)) return refusal("bad-time", "time", text);
    const time = firstInstant(stamp, this.#zone, false);
    if (time === undefined) return refusal("no-such-local-time", "time", text);
    if (time > this.#latest) return refusal("time-in-future", "time", text);
    if (time < EARLIEST) return refusal("time-too-early", "time", text);
    return time;
  }

  /** Hundredths of a degree Celsius, NaN where it is no number. */
  #hundredths(text: string): number {
    const { decimal, unit } = this.#options;
    if (decimal === "," && text.includes(".")) return NaN;
    const bytes = Buffer.from(text.replace(decimal, "."));
    const degrees = this.#decimal.read(bytes, 0, bytes.length);
    // Added to zero, -0 is 0.
    return Math.round((unit === "F" ? ((degrees - 32) * 5) / 9 : degrees) * 100) + 0;
  }
}

/** 1990-01-01, as for reads. */
const EARLIEST = 631_152_000;

interface Refusal {
  readonly code: RejectCode;
  readonly field: Field;
  readonly value: string | null;
}

function refusal(code: RejectCode, field: Field, text: string): Refusal {
  return { code, field, value: text.slice(0, MOST_VALUE) };
}

function nothing() {
  return { temperatures: [] as Temperature[], without: 0, leftOut: 0, rejects: [] as Reject[] };
}
