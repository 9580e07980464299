import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { FileRejected, type FormatReader, type ReadSink } from "../../ingest/formats/format.js";
import { pushInParts, recordingSink, type FoundRead, type FoundText } from "./read-text.js";

/** `FoundText` with, for each read, the millilitres in one of its unit and the decimals of its series so far. */
export interface FoundFormat extends FoundText {
  readonly reads: (FoundRead & { readonly mlPerUnit: number; readonly decimals: number })[];
  /** Why the file was rejected whole. */
  readonly refused?: string;
}

/**
 * What a reader calls for a file.
 * @param cuts bytes at which the file is cut into chunks
 * @throws what the reader throws, unless it is FileRejected
 */
export function formatCalls(
  make: (sink: ReadSink) => FormatReader,
  file: string | Buffer,
  cuts: readonly number[] = [],
): FoundFormat {
  const { sink, reads, rejects } = recordingSink(({ mlPerUnit, decimals }) => ({ mlPerUnit, decimals }));
  const reader = make(sink);
  let refused: string | undefined;
  try {
    pushInParts((chunk, last) => reader.push(chunk, last), Buffer.from(file as string), cuts);
  } catch (error) {
    if (!(error instanceof FileRejected)) throw error;
    refused = error.message;
  }
  const found = { reads, rejects, ...reader.counts };
  return refused === undefined ? found : { ...found, refused };
}

/** Runs of a fuzz test: `CURBSTOP_FUZZ`, and where it begins: `CURBSTOP_FUZZ_SEED`. */
const FUZZ_RUNS = Number(process.env["CURBSTOP_FUZZ"] ?? 2_000);
const FUZZ_SEED = Number(process.env["CURBSTOP_FUZZ_SEED"] ?? 1);
/** Milliseconds that no small file may take. */
const LONGEST_RUN = 5_000;

/**
 * Reads changed copies of `originals`, cut anywhere: a reader may reject a file, but neither throws anything else nor
 * hangs, and counts every row and value once.
 * @param words pieces that the format knows
 * @throws with the seed of the run that failed
 */
export function fuzzFormat(
  make: (sink: ReadSink) => FormatReader,
  originals: readonly string[],
  words: readonly string[],
): { readonly runs: number; readonly refused: number; readonly reads: number } {
  let refused = 0;
  let reads = 0;
  for (let run = 0; run < FUZZ_RUNS; run++) {
    const seed = FUZZ_SEED + run;
    const random = seeded(seed);
    const file = changed(Buffer.from(originals[random(originals.length)]!), words, random);
    const cuts = Array.from({ length: random(4) }, () => random(file.length + 1));
    const before = performance.now();
    try {
      const found = formatCalls(make, file, cuts);
      if (found.refused !== undefined) refused++;
      else checkCounts(found);
      reads += found.reads.length;
      if (performance.now() - before > LONGEST_RUN) throw new Error(`took longer than ${LONGEST_RUN} ms`);
    } catch (cause) {
      throw new Error(`CURBSTOP_FUZZ_SEED=${seed} CURBSTOP_FUZZ=1: ${String(cause)}`, { cause });
    }
  }
  return { runs: FUZZ_RUNS, refused, reads };
}

function checkCounts({ reads, rejects, rejected, valuesRejected }: FoundFormat): void {
  if (valuesRejected < rejected) throw new Error("a rejected row has no rejected value");
  if ((rejects.length === 0) !== (rejected === 0)) throw new Error("rejects and rejected rows differ");
  for (const { time, length, ml } of reads) {
    if (!Number.isSafeInteger(time) || !Number.isSafeInteger(length)) throw new Error("a time is not whole");
    if (ml !== null && !Number.isSafeInteger(ml)) throw new Error("a volume is not whole");
  }
}

/** Whole numbers below `most` from a seed (xorshift). */
function seeded(seed: number): (most: number) => number {
  let state = Math.imul(seed, 2_654_435_761) || 1;
  return (most) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % Math.max(1, most);
  };
}

function changed(file: Buffer, words: readonly string[], random: (most: number) => number): Buffer {
  let bytes = file;
  for (let changes = 1 + random(6); changes > 0; changes--) {
    const at = random(bytes.length + 1);
    const to = Math.min(bytes.length, at + random(40));
    const before = bytes.subarray(0, at);
    switch (random(6)) {
      case 0:
        bytes = Buffer.concat([before, Buffer.from([random(256)]), bytes.subarray(at + 1)]);
        break;
      case 1:
        bytes = Buffer.concat([before, bytes.subarray(to)]);
        break;
      case 2:
        bytes = Buffer.concat([before, bytes.subarray(at, to), bytes.subarray(at)]);
        break;
      case 3:
        bytes = Buffer.concat([before, Buffer.from(words[random(words.length)]!), bytes.subarray(at)]);
        break;
      case 4:
        bytes = Buffer.concat([before, Buffer.from(words[random(words.length)]!), bytes.subarray(to)]);
        break;
      case 5:
        if (random(8) === 0) bytes = Buffer.from(before);
        break;
    }
  }
  return bytes;
}

/** An example of a page in docs/formats, the first unless `nth` is another, and the settings of its source. */
export function pageExample(
  page: string,
  language: string,
  nth = 0,
): { file: string; source: Record<string, unknown> } {
  const text = readFileSync(`docs/formats/${page}.md`, "utf8");
  const block = (of: string) => [...text.matchAll(new RegExp(`\`\`\`${of}\\n([^]*?)\`\`\``, "g"))][nth]![1]!;
  return { file: block(language), source: parse(block("yaml")) as Record<string, unknown> };
}
