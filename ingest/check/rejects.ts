/** Why a row is rejected; each is explained in docs/formats.md. */
export const REJECT_CODES = {
  "missing-meter": "the meter's column is empty",
  "bad-time": "a time stamp of the profile's format",
  "no-such-local-time": "a local time that exists (the clock was put forward over this one)",
  "time-in-future": "a time not more than a day ahead of now",
  "not-on-grid": "a stamp on the grid of intervals, within the profile's snap",
  "bad-number": "a number as the profile writes it",
  "out-of-range": "a volume below 2^53 millilitres",
  "negative-usage": "a usage of zero or more",
  "unknown-unit": "a unit of volume",
  "too-few-columns": "as many columns as the profile's columns need",
  "row-too-long": "a row of at most 1 MiB and 4096 fields",
  "missing-hour-used": "nothing, or 0, in the column of the hour that this day does not have",
  "bad-date": "a date of the profile's format",
  "missing-field": "a value in a required column",
} as const;

export type RejectCode = keyof typeof REJECT_CODES;

export interface Reject {
  readonly line: number;
  readonly offset: number;
  readonly length: number;
  readonly code: RejectCode;
  /** Name of the column, as the profile names it. */
  readonly field: string;
  /** The value received, for fields that are not personal; at most 80 characters. */
  readonly value: string | null;
}
