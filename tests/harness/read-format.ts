import { FileRejected, type FormatReader, type ReadSink, type Series } from "../../ingest/formats/format.js";
import { seeded } from "../../bench/random.js";
import { pushInParts, recordingSink, type FoundText } from "./read-text.js";

/** The time at which files of tests are read. */
export const NOW = Date.UTC(2026, 11, 1) / 1000;

export interface FoundFile extends FoundText {
  /** All series that the reader asked for, as they are at the end. */
  readonly series: Series[];
}

/**
 * What a file holds by the reader of its format.
 * @param cuts bytes at which the file is cut into chunks
 */
export function readFormat(
  reader: (sink: ReadSink) => FormatReader,
  text: string | Buffer,
  cuts: readonly number[] = [],
): FoundFile {
  const { sink, reads, rejects, series } = recordingSink();
  const format = reader(sink);
  pushInParts((chunk) => format.push(chunk, false), Buffer.from(text as string), cuts);
  format.push(Buffer.alloc(0), true);
  const { rows, rejected, valuesRejected, leftOut } = format.counts;
  return { reads, rejects, rows, rejected, valuesRejected, leftOut, series };
}

/** Where a random file is cut. */
export function cutsOf(text: string | Buffer, places: readonly number[]): number[] {
  const { length } = Buffer.from(text as string);
  return places.map((place) => Math.floor(place * length));
}

/** Inputs of a fuzz test: CURBSTOP_FUZZ says how many, CURBSTOP_FUZZ_SEED which. */
export const FUZZ = {
  runs: Number(process.env["CURBSTOP_FUZZ"] ?? 2_000),
  seed: Number(process.env["CURBSTOP_FUZZ_SEED"] ?? 20_260_501),
};

/**
 * Reads random inputs and tells those that fail otherwise than by `FileRejected`, as base64.
 * @param files what inputs are made of
 */
export function fuzzed(
  files: readonly string[],
  read: (bytes: Buffer, cuts: readonly number[], run: number) => void,
): { readonly runs: number; readonly failures: readonly string[] } {
  const random = seeded(FUZZ.seed);
  const failures: string[] = [];
  let runs = 0;
  for (; runs < FUZZ.runs; runs++) {
    const bytes = mutated(files, random);
    try {
      read(bytes, cutsOf(bytes, [random(), random()]), runs);
    } catch (error) {
      if (!(error instanceof FileRejected)) failures.push(`${String(error)}: ${bytes.toString("base64")}`);
    }
  }
  return { runs, failures };
}

/** One of the files, cut, doubled, or with bytes changed. */
export function mutated(files: readonly string[], random: () => number): Buffer {
  const pick = (length: number) => Math.floor(random() * length);
  let bytes = Buffer.from(files[pick(files.length)]!, "latin1");
  if (random() < 0.05) bytes = Buffer.from(Array.from({ length: pick(400) }, () => pick(256)));
  for (let changes = pick(6); changes > 0 && bytes.length > 0; changes--) {
    const at = pick(bytes.length);
    const to = Math.min(bytes.length, at + pick(40));
    switch (pick(6)) {
      case 0:
        bytes[at] = pick(256);
        break;
      case 1:
        bytes[at] = ',"\r\n 09-.AHNVER:'.charCodeAt(pick(16));
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)]);
        break;
      case 4:
        bytes = bytes.subarray(0, at);
        break;
      case 5:
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from("9".repeat(pick(30))), bytes.subarray(at)]);
        break;
    }
  }
  return bytes;
}
