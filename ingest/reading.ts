import type { SourceConfig } from "../schemas/config.js";
import { BlockText } from "./block-text.js";
import { BlockBuilder } from "./blocks.js";
import type { Reject } from "./check/rejects.js";
import { endsExplicitly, readerOf } from "./formats/reader-of.js";
import { Series, type ReadSink, type RowCounts } from "./formats/format.js";
import { textOf } from "./pickup/file-bytes.js";

/** A file to be read; plain data, so that it can be handed to a thread. */
export interface ReadingJob {
  readonly path: string;
  readonly bytes: number;
  /** Number of the file in the ledger. */
  readonly file: number;
  readonly utility: string;
  readonly timeZone: string;
  readonly source: SourceConfig;
  /** UTC seconds. */
  readonly now: number;
}

/** What a piece of a file holds: blocks whose meters are still to be named by their keys. */
export interface Portion {
  /** Texts of the blocks, one after the other. */
  readonly text: Uint8Array;
  /** Where each block's text ends. */
  readonly ends: Uint32Array;
  /** Where in `text` each block's meter key is to be written. */
  readonly keysAt: Uint32Array;
  /** Registers of the portion, each once, and which of them each block is of. */
  readonly registers: readonly { readonly meterId: string; readonly serial: string }[];
  readonly registerOf: Uint32Array;
  readonly rejects: readonly Reject[];
  /** Bytes and reads of the file so far. */
  readonly bytesDone: number;
  readonly reads: number;
}

/** What a whole file held. Times in UTC seconds, of a file without reads Infinity and -Infinity. */
export interface ReadingTotals extends RowCounts {
  readonly reads: number;
  readonly noReads: number;
  readonly meters: number;
  readonly first: number;
  readonly last: number;
}

const NO_TEXT = Buffer.alloc(0);

/**
 * Reads a file piece by piece, as its source says.
 * @throws FileRejected where it can't be understood at all, after the rejects so far
 */
export async function* reading(job: ReadingJob): AsyncGenerator<Portion, ReadingTotals> {
  const { path, bytes, file, utility, timeZone, source, now } = job;
  const { compression, encoding } = source.profile ?? { compression: "none", encoding: "utf-8" };
  const { resolution = 0, digits = 0 } = source.billing ?? source.profile ?? {};
  const text = () =>
    textOf(path, bytes, compression, {
      encoding,
      maxBytes: source.maxFileBytes,
      strict: false,
    });
  const check = endsExplicitly(source) ? readerOf(source, { timeZone, now }, new Nowhere()) : undefined;
  if (check !== undefined || compression !== "none" || encoding !== "utf-8") {
    // A file that is cut off or damaged is rejected as a whole: its end is seen before its first read is published.
    for await (const chunk of text()) check?.push(chunk, false);
    check?.push(NO_TEXT, true);
  }
  const builder = new BlockBuilder({
    utility,
    source: source.id,
    file,
    backfill: source.backfill,
    resolution,
    digits,
  });
  const reader = readerOf(source, { timeZone, now }, builder);
  const blocks = new BlockText();
  let bytesDone = 0;
  const portion = (): Portion => ({
    ...blocks.portionOf(builder.ready.splice(0)),
    rejects: builder.rejects.splice(0),
    bytesDone,
    reads: builder.reads,
  });
  try {
    for await (const chunk of text()) {
      reader.push(chunk, false);
      bytesDone = Math.min(bytes, bytesDone + chunk.length);
      yield portion();
    }
    reader.push(NO_TEXT, true);
  } catch (error) {
    builder.ready.length = 0;
    yield portion();
    throw error;
  }
  builder.finish();
  yield portion();
  const { reads, noReads, first, last } = builder;
  const { rows, rejected, valuesRejected } = reader.counts;
  return { rows, rejected, valuesRejected, reads, noReads, meters: builder.meters.size, first, last };
}

/** Takes reads and keeps none. */
class Nowhere implements ReadSink {
  series(meterId: string, channel: string, serial: string, kind: Series["kind"]): Series {
    return new Series(meterId, channel, serial, kind);
  }

  read(): void {
    // Only the end of the file is asked for.
  }

  reject(): void {
    // They are told when the file is read again.
  }
}
