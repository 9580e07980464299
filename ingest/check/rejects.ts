/** Why a row is rejected; each is explained in docs/formats.md. */
export const REJECT_CODES = {
  "missing-meter": "a meter id",
  "bad-id":
    "ids of printable UTF-8: of a meter or serial at most 200 bytes, of a channel at most 16 characters",
  "stray-quote": "quotes in pairs around a whole field, within one line",
  "bad-time": "a time stamp of the profile's format",
  "no-such-local-time": "a local time that exists (the clock was put forward over this one)",
  "time-in-future": "a time not more than a day ahead of now",
  "time-too-early": "a time since 1990",
  "not-on-grid": "a stamp on the grid of intervals, within the profile's snap",
  "bad-number": "a number as the profile writes it",
  "out-of-range": "a volume below 2^53 millilitres",
  "negative-usage": "a usage of zero or more",
  "unknown-unit": "a unit of volume",
  "too-few-columns": "as many columns as the profile's columns need",
  "too-many-columns": "no more columns than the header",
  "row-too-long": "a row of at most 1 MiB and 10000 fields",
  "missing-hour-used": "nothing, or 0, in the column of the hour that this day does not have",
  "bad-date": "a date of the profile's format",
  "moved-out-before-in":
    "a move_out that is not before move_in, a meter_until that is not before meter_since",
  "missing-field": "a value in a required column",
  "card-number": "no number of a payment card: nothing of it is kept",
  "unknown-class":
    "single-family, multi-family, commercial, irrigation, always-on, or a word of crosswalk.classes",
  "unknown-size": 'a size of a meter, such as 5/8", 1 1/2, 20 mm or DN50',
  "not-water": "the read of a water meter",
  "bad-length": "an interval of at least one second, and of the length that the options ask for",
  "unlinked-reading": "links within the file from the readings to their reading type and usage point",
  "bad-reading-type": "a reading type of delivered water that says whether it is a delta or a register",
  "not-json": "one JSON object a line",
  "unknown-message": "a telegram of wmbusmeters, or a message of rtlamr of a type that the options name",
  "usage-mismatch": "a consumption that is the current read less the previous one",
  "days-mismatch": "as many days as lie between the two reads, or one more",
  "previous-not-earlier": "a previous read that is earlier than the current one",
  "unknown-record": "a record of the format",
  "misplaced-record": "a record where the format has its place",
  "not-reads": "a purpose of reads: OK, RESEND or HISTORY",
  "unknown-quality": "a quality flag of the format",
  "bad-interval": "an interval of the format, of a day at most",
  "bad-split": "400 records that cover each interval of their day once",
  "not-air": "a temperature of the air, between -90 and 60 °C",
} as const;

export type RejectCode = keyof typeof REJECT_CODES;

/** What was expected instead; the code itself where a newer version wrote it. */
export function expectedOf(code: string): string {
  return code in REJECT_CODES ? REJECT_CODES[code as RejectCode] : code;
}

export interface Reject {
  readonly line: number;
  readonly offset: number;
  readonly length: number;
  readonly code: RejectCode;
  /** Name of the column, as the profile names it. */
  readonly field: string;
  /**
   * The value received, for fields that are not personal; at most 80 characters. Only its shape (9 for digits, a for
   * letters) in a row with more or fewer fields than the header: there a field may hold what belongs in another.
   */
  readonly value: string | null;
}
