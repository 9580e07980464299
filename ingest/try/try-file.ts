import { stat } from "node:fs/promises";
import type { SourceConfig } from "../../schemas/config.js";
import { readerOf } from "../formats/reader-of.js";
import { FileRejected } from "../formats/reads-csv.js";
import { textOf } from "../pickup/file-bytes.js";
import { ColumnWatch } from "./column-watch.js";
import { Trial, type TrialOptions, type TrialReport } from "./trial.js";

export interface TryOptions extends TrialOptions {
  readonly path: string;
  readonly source: SourceConfig;
  /** UTC seconds. */
  readonly now: number;
}

export interface TriedFile extends TrialReport {
  /** Why the file would be rejected whole; what was counted before stands in the report. */
  readonly refused: string | null;
}

const NO_TEXT = Buffer.alloc(0);

/** Reads a file as its source says, into nothing: no store is touched. */
export async function tryFile({ path, source, now, ...options }: TryOptions): Promise<TriedFile> {
  const { size } = await stat(path);
  const trial = new Trial(options);
  const reader = readerOf(source, { timeZone: options.timeZone, now }, trial);
  const profile = source.profile!;
  const watch = new ColumnWatch(profile);
  let refused: string | null = null;
  try {
    if (size > source.maxFileBytes)
      throw new FileRejected("file", `The file has ${size} bytes, more than the source's maxFileBytes.`);
    const text = textOf(path, size, profile.compression, {
      encoding: profile.encoding,
      maxBytes: source.maxFileBytes,
      strict: false,
    });
    for await (const chunk of text) {
      reader.push(chunk, false);
      watch.push(chunk, false);
    }
    reader.push(NO_TEXT, true);
    watch.push(NO_TEXT, true);
  } catch (error) {
    if (!(error instanceof FileRejected)) throw error;
    refused = error.message;
  }
  const report = trial.report(reader);
  return { ...report, warnings: [...watch.warnings(), ...report.warnings], refused };
}
