import type { RejectCode } from "../check/rejects.js";
import { FileRejected, MOST_FRUITLESS_ROWS, type ReadSink, type Series } from "./format.js";

const DAY = 86_400;
export const MOST_ML = 2 ** 53;
/** 1990-01-01: no meter was read by radio before; a clock that was reset says 1970 or 1980. */
export const EARLIEST = 631_152_000;
const MOST_ID_BYTES = 200;
const MOST_CHANNEL_LENGTH = 16;
const MOST_VALUE = 80;

export type TimeFault = "time-in-future" | "time-too-early";

/** Why no read can be of the instant `time`, seen at `now` (UTC seconds), or `undefined`. */
export function timeFault(time: number, now: number): TimeFault | undefined {
  if (time > now + DAY) return "time-in-future";
  return time < EARLIEST ? "time-too-early" : undefined;
}

/** Where a row stands in the decoded file. */
export interface RowPlace {
  readonly line: number;
  readonly offset: number;
  readonly length: number;
}

/**
 * What every read of a format passes on its way to the sink: the checks that hold for all formats, and the counts of
 * rows and values (see `FormatReader`). `begin` a row, `read` and reject its values, `end` it.
 */
export class ReadGate {
  rows = 0;
  rejected = 0;
  valuesRejected = 0;
  /** Counted by whoever filters, instead of a row's `begin` and `end`. */
  leftOut = 0;
  readonly #sink: ReadSink;
  readonly #now: number;
  readonly #mend: string;
  readonly #series = new Map<string, Series>();
  readonly #place = { line: 1, offset: 0, length: 0 };
  #refused = false;
  #foreign = false;
  #fruitless = 0;
  #fruitful = false;

  /**
   * @param now UTC seconds
   * @param mend what to mend where nothing of a file can be taken, such as `source.cmep`
   */
  constructor(sink: ReadSink, now: number, mend: string) {
    this.#sink = sink;
    this.#now = now;
    this.#mend = mend;
  }

  begin({ line, offset, length }: RowPlace): void {
    const place = this.#place;
    place.line = line;
    place.offset = offset;
    place.length = length;
    this.#refused = this.#foreign = false;
  }

  /** @throws FileRejected after so many rows without one read among them */
  end(): void {
    if (!this.#refused) {
      this.rows++;
      return;
    }
    this.rejected++;
    // A file may begin with thousands of electricity meters.
    if (this.#foreign || ++this.#fruitless < MOST_FRUITLESS_ROWS || this.#fruitful) return;
    throw new FileRejected(
      "rows",
      `Not one of the rows up to line ${this.#place.line} could be taken: the file is not as its source says. ` +
        `"curbstop rejects" lists the reasons. Mend ${this.#mend}.`,
    );
  }

  /** The one series of these names in the file. */
  series(meterId: string, channel: string, serial: string, kind: Series["kind"]): Series {
    const name = `${meterId}\n${channel}\n${serial}\n${kind}`;
    let series = this.#series.get(name);
    if (series === undefined) {
      series = this.#sink.series(meterId, channel, serial, kind);
      this.#series.set(name, series);
    }
    return series;
  }

  /**
   * Hands a value to the sink, or says why not.
   * @param value in units of `series.mlPerUnit`; NaN: no read
   */
  read(series: Series, time: number, length: number, value: number, flags: number): RejectCode | undefined {
    const fault = this.timeFault(time);
    if (fault !== undefined) return fault;
    let ml: number | null = null;
    if (!Number.isNaN(value)) {
      ml = Math.round(value * series.mlPerUnit);
      if (Math.abs(ml) >= MOST_ML) return "out-of-range";
      if (ml < 0 && series.kind !== "register") return "negative-usage";
    }
    this.#fruitful = true;
    // Adding 0 turns -0 into 0.
    if (ml === null) this.#sink.read(series, time, length, null, null, flags, this.#place.line);
    else this.#sink.read(series, time, length, ml + 0, value + 0, flags, this.#place.line);
    return undefined;
  }

  /** Why no read can be of this instant (UTC seconds), or `undefined`. */
  timeFault(time: number): TimeFault | undefined {
    return timeFault(time, this.#now);
  }

  /** One value of the row is not taken. */
  rejectValue(code: RejectCode, field: string, received: string | null): void {
    const { line, offset, length } = this.#place;
    this.#refused = true;
    this.valuesRejected++;
    const value = received?.slice(0, MOST_VALUE) ?? null;
    this.#sink.reject({ line, offset, length, code, field, value });
  }

  /** The whole row is not taken, and with it `values` values. */
  rejectRow(code: RejectCode, field: string, received: string | null, values: number): void {
    if (code === "not-water") this.#foreign = true;
    this.valuesRejected += values - 1;
    this.rejectValue(code, field, received);
  }
}

/** Which of the ids is missing or not printable (`code`, and the field's name), or `undefined`. */
export function wrongId(
  meterId: string,
  channel: string,
  serial: string,
): { readonly code: RejectCode; readonly field: string } | undefined {
  if (meterId === "") return { code: "missing-meter", field: "meter" };
  if (!isId(meterId)) return { code: "bad-id", field: "meter" };
  if (!isId(serial)) return { code: "bad-id", field: "serial" };
  if (!isId(channel) || channel.length > MOST_CHANNEL_LENGTH) return { code: "bad-id", field: "channel" };
  return undefined;
}

/** Ids are names: bytes that are not UTF-8 or can't be seen would make two meters one. */
export function isId(text: string): boolean {
  return Buffer.byteLength(text) <= MOST_ID_BYTES && !/[\p{Cc}\uFFFD]/u.test(text);
}

/** What stands in a field that may hold an id: its letters and digits are not told. */
export function shapeOf(text: string): string {
  return text.slice(0, MOST_VALUE).replace(/\p{L}/gu, "a").replace(/\p{N}/gu, "9");
}

/** A word of the format, such as a unit, as it stands; what has digits may be an id in the wrong place. */
export function wordOrShape(text: string): string {
  return /^\P{N}{0,16}$/u.test(text) ? text : shapeOf(text);
}
