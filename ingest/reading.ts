import type { ChecksConfig } from "../schemas/checks.js";
import type { SourceConfig } from "../schemas/config.js";
import { BlockText } from "./block-text.js";
import { BlockBuilder } from "./blocks.js";
import type { Reject } from "./check/rejects.js";
import { endsExplicitly, readerOf } from "./formats/reader-of.js";
import type { RowCounts } from "./formats/format.js";
import { JoinedTexts } from "./formats/joined-texts.js";
import { fileText, type FileText } from "./pickup/file-bytes.js";

/** A file to be read; plain data, so that it can be handed to a thread. */
export interface ReadingJob {
  readonly path: string;
  /** Under which it was delivered. */
  readonly name: string;
  readonly bytes: number;
  /** Number of the file in the ledger. */
  readonly file: number;
  readonly utility: string;
  readonly timeZone: string;
  readonly source: SourceConfig;
  /** The utility's. */
  readonly checks: ChecksConfig;
  /** UTC seconds. */
  readonly now: number;
  /** Reads that end by then came late, UTC seconds; -Infinity: none does. */
  readonly lateUntil: number;
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
  readonly lateReads: number;
  readonly noReads: number;
  readonly meters: number;
  /** Names of columns that the source does not speak of. */
  readonly unknownColumns: readonly string[];
  readonly first: number;
  readonly last: number;
}

/** Of a file that must be seen to its end first, so many bytes of portions wait for it; beyond, it is read again. */
const MOST_HELD = 16 * 1024 * 1024;
/** A rejected row takes about so much. */
const REJECT_BYTES = 200;

/**
 * Reads a file piece by piece, as its source says.
 * @throws FileRejected where it can't be understood at all, after the rejects so far
 */
export async function* reading(job: ReadingJob): AsyncGenerator<Portion, ReadingTotals> {
  const { path, name, bytes, source } = job;
  const text = await fileText(path, bytes, source);
  const names = text.members ?? [name];
  // A file that is cut off or damaged is rejected as a whole: its end is seen before its first read is published.
  if (names.length > 1 || endsExplicitly(source)) {
    const portions = portionsIn(job, text, names);
    const held: Portion[] = [];
    let holds = 0;
    for (;;) {
      const { done, value } = await portions.next();
      if (done !== true) {
        holds += value.text.length + REJECT_BYTES * value.rejects.length;
        if (holds <= MOST_HELD) held.push(value);
        else held.length = 0;
      } else if (holds <= MOST_HELD) {
        yield* held;
        return value;
      } else break;
    }
  } else if (!text.plain) {
    for await (const chunks of text.texts()) await bytesOf(chunks);
  }
  return yield* portionsIn(job, text, names);
}

/** Takes a text to its end, at which its bytes are known to be sound. */
async function bytesOf(chunks: AsyncIterable<Buffer>): Promise<number> {
  let bytes = 0;
  for await (const chunk of chunks) bytes += chunk.length;
  return bytes;
}

async function* portionsIn(
  job: ReadingJob,
  text: FileText,
  names: readonly string[],
): AsyncGenerator<Portion, ReadingTotals> {
  const { file, utility, timeZone, source, checks, now, lateUntil } = job;
  const { resolution = 0, digits = 0 } = source.billing ?? source.profile ?? {};
  const builder = new BlockBuilder({
    utility,
    source: source.id,
    file,
    backfill: source.backfill,
    lateUntil,
    resolution,
    digits,
  });
  const reader = new JoinedTexts(names, builder, (sink, fileName) =>
    readerOf(source, { fileName, timeZone, checks, now }, sink),
  );
  const blocks = new BlockText();
  let bytesDone = 0;
  const portion = (): Portion => ({
    ...blocks.portionOf(builder.ready.splice(0)),
    rejects: builder.rejects.splice(0),
    bytesDone,
    reads: builder.reads,
  });
  try {
    for await (const chunks of text.texts()) {
      reader.begin();
      for await (const chunk of chunks) {
        reader.push(chunk);
        bytesDone += chunk.length;
        builder.pause();
        yield portion();
      }
      reader.end();
      builder.finish();
    }
  } catch (error) {
    builder.ready.length = 0;
    yield portion();
    throw error;
  }
  yield portion();
  const { reads, lateReads, noReads, first, last } = builder;
  const { unknownColumns } = reader;
  return {
    ...reader.counts,
    unknownColumns,
    reads,
    lateReads,
    noReads,
    meters: builder.meters.size,
    first,
    last,
  };
}
