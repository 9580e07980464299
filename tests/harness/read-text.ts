import type { Reject } from "../../ingest/check/rejects.js";
import { CsvRows } from "../../ingest/formats/csv-rows.js";
import { ReadsCsv, type ReadSink, type Series } from "../../ingest/formats/reads-csv.js";
import { csvProfile } from "../../schemas/profile.js";
import { MILLILITRES } from "../../schemas/units.js";
import type { z } from "zod";

export type ProfileInput = z.input<typeof csvProfile>;

/** One read as it came out of a file. */
export interface FoundRead {
  readonly meter: string;
  readonly channel: string;
  readonly serial: string;
  readonly kind: "register" | "usage";
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
  /** Counts of the reader: rows taken whole, rows rejected, values rejected. */
  readonly rows: number;
  readonly rejected: number;
  readonly valuesRejected: number;
}

const NOW = Date.UTC(2026, 11, 1) / 1000;

/**
 * What a text of meter reads holds by a profile.
 * @param cuts bytes at which the text is cut into chunks
 */
export function readText(
  text: string | Buffer,
  profile: ProfileInput,
  options: { readonly timeZone?: string; readonly now?: number; readonly cuts?: readonly number[] } = {},
): FoundText {
  const { timeZone = "America/Los_Angeles", now = NOW, cuts = [] } = options;
  const reads: FoundRead[] = [];
  const rejects: Reject[] = [];
  const sink: ReadSink = {
    series: (meterId, channel, serial, kind): Series => ({
      meterId,
      channel,
      serial,
      kind,
      unit: "L",
      mlPerUnit: MILLILITRES.L,
      decimals: 0,
      last: -1,
      descending: false,
    }),
    read: (series, time, length, ml, delivered, flags, line) => {
      const { meterId: meter, channel, serial, kind, unit } = series;
      reads.push({ meter, channel, serial, kind, time, length, ml, delivered, unit, flags, line });
    },
    reject: (reject) => rejects.push(reject),
  };
  const reader = new ReadsCsv({ profile: csvProfile.parse(profile), timeZone, now }, sink);
  const scanner = new CsvRows(csvProfile.parse(profile), reader);
  const bytes = Buffer.from(text as string);
  let from = 0;
  for (const cut of [...new Set(cuts)].sort((a, b) => a - b)) {
    if (cut <= from || cut >= bytes.length) continue;
    scanner.push(bytes.subarray(from, cut), false);
    from = cut;
  }
  scanner.push(bytes.subarray(from), false);
  scanner.push(Buffer.alloc(0), true);
  reader.end();
  const { rows, rejected, valuesRejected } = reader;
  return { reads, rejects, rows, rejected, valuesRejected };
}

/** UTC seconds of an ISO time. */
export const at = (iso: string) => Date.parse(iso) / 1000;
