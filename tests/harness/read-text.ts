import type { Reject } from "../../ingest/check/rejects.js";
import { CsvRows } from "../../ingest/formats/csv-rows.js";
import { Series, type ReadSink } from "../../ingest/formats/format.js";
import { ReadsCsv } from "../../ingest/formats/reads-csv.js";
import type { ChecksConfig } from "../../schemas/checks.js";
import { csvProfile } from "../../schemas/profile.js";
import type { ReadKind } from "../../schemas/reads.js";
import type { z } from "zod";

export type ProfileInput = z.input<typeof csvProfile>;

/** One read as it came out of a file. */
export interface FoundRead {
  readonly meter: string;
  readonly channel: string;
  readonly serial: string;
  readonly kind: ReadKind;
  readonly time: number;
  readonly length: number;
  readonly ml: number | null;
  readonly delivered: number | null;
  readonly unit: string;
  readonly flags: number;
  readonly line: number;
}

export interface FoundText {
  readonly reads: FoundRead[];
  readonly rejects: Reject[];
  /** Counts of the reader: rows taken whole, rows rejected, values rejected, rows left out. */
  readonly rows: number;
  readonly rejected: number;
  readonly valuesRejected: number;
  readonly leftOut: number;
}

/** The same of a CSV. */
interface FoundCsv extends FoundText {
  readonly unknownColumns: readonly string[];
}

const NOW = Date.UTC(2026, 11, 1) / 1000;

/**
 * What a text of meter reads holds by a profile.
 * @param cuts bytes at which the text is cut into chunks
 */
export function readText(
  text: string | Buffer,
  profile: ProfileInput,
  options: {
    readonly fileName?: string;
    readonly timeZone?: string;
    readonly now?: number;
    readonly cuts?: readonly number[];
    readonly checks?: ChecksConfig;
  } = {},
): FoundCsv {
  const {
    fileName = "reads.csv",
    timeZone = "America/Los_Angeles",
    now = NOW,
    cuts = [],
    checks = {},
  } = options;
  const { sink, reads, rejects } = recordingSink();
  const reader = new ReadsCsv({ profile: csvProfile.parse(profile), fileName, timeZone, checks, now }, sink);
  const scanner = new CsvRows(csvProfile.parse(profile), reader);
  const bytes = Buffer.from(text as string);
  pushInParts((chunk) => scanner.push(chunk, false), bytes, cuts);
  scanner.push(Buffer.alloc(0), true);
  reader.end();
  const { rows, rejected, valuesRejected, leftOut, unknownColumns } = reader;
  return { reads, rejects, rows, rejected, valuesRejected, leftOut, unknownColumns };
}

/**
 * A sink that keeps what a reader calls.
 * @param more of a series, kept with each of its reads
 */
export function recordingSink<More extends object = object>(more?: (series: Series) => More) {
  const reads: (FoundRead & More)[] = [];
  const rejects: Reject[] = [];
  const series: Series[] = [];
  const sink: ReadSink = {
    series: (...names) => {
      const one = new Series(...names);
      series.push(one);
      return one;
    },
    read: (of, time, length, ml, delivered, flags, line) => {
      const { meterId: meter, channel, serial, kind, unit } = of;
      const read = { meter, channel, serial, kind, time, length, ml, delivered, unit, flags, line };
      reads.push({ ...read, ...(more?.(of) as More) });
    },
    reject: (reject) => rejects.push(reject),
  };
  return { sink, reads, rejects, series };
}

/** Pushes the bytes cut into chunks, each of bytes of its own: nothing of a chunk may be used after `push`. */
export function pushInParts(
  push: (chunk: Buffer, last: boolean) => void,
  bytes: Buffer,
  cuts: readonly number[],
): void {
  let from = 0;
  for (const cut of [...new Set(cuts)].sort((a, b) => a - b)) {
    if (cut <= from || cut >= bytes.length) continue;
    const chunk = Buffer.from(bytes.subarray(from, cut));
    push(chunk, false);
    chunk.fill(0x23);
    from = cut;
  }
  push(bytes.subarray(from), true);
}

/** UTC seconds of an ISO time. */
export const at = (iso: string) => Date.parse(iso) / 1000;
