import { stat } from "node:fs/promises";
import type { ChecksConfig } from "../../schemas/checks.js";
import type { SourceConfig } from "../../schemas/config.js";
import { csvProfile } from "../../schemas/profile.js";
import type { Reject } from "../check/rejects.js";
import { readerOf } from "../formats/reader-of.js";
import { FileRejected, type RowCounts } from "../formats/format.js";
import { JoinedTexts } from "../formats/joined-texts.js";
import { fileText } from "../pickup/file-bytes.js";
import { readCrosswalk } from "../registry/crosswalk.js";
import { ColumnWatch } from "./column-watch.js";
import type { TrialWarning } from "./warnings.js";
import { rejectsByReason, Trial, type TrialOptions, type TrialReject, type TrialReport } from "./trial.js";

export interface TryOptions extends TrialOptions {
  readonly path: string;
  readonly source: SourceConfig;
  /** The utility's switches. */
  readonly checks: ChecksConfig;
  /** UTC seconds. */
  readonly now: number;
}

export interface TriedFile extends TrialReport {
  /** Why the file would be rejected whole; what was counted before stands in the report. */
  readonly refused: string | null;
  /** Names of columns that the source does not speak of. */
  readonly unknownColumns: readonly string[];
}

const NO_TEXT = Buffer.alloc(0);
const NO_ROWS: RowCounts = { rows: 0, rejected: 0, valuesRejected: 0, leftOut: 0 };

/** Reads a file as its source says, into nothing: no store is touched. */
export async function tryFile({ path, source, checks, now, ...options }: TryOptions): Promise<TriedFile> {
  const { size } = await stat(path);
  const trial = new Trial(options);
  const warnings = new Map<string, TrialWarning>();
  let reader: JoinedTexts | undefined;
  let refused: string | null = null;
  try {
    if (size > source.maxFileBytes)
      throw new FileRejected("file", `The file has ${size} bytes, more than the source's maxFileBytes.`);
    const text = await fileText(path, size, source);
    reader = new JoinedTexts(text.count > 1, trial, (sink) =>
      readerOf(source, { timeZone: options.timeZone, checks, now }, sink),
    );
    for await (const chunks of text.texts()) {
      // Formats that are no CSV have no columns in their profile.
      const watch = source.profile?.columns.time === undefined ? undefined : new ColumnWatch(source.profile);
      reader.begin();
      for await (const chunk of chunks) {
        reader.push(chunk);
        watch?.push(chunk, false);
      }
      reader.end();
      watch?.push(NO_TEXT, true);
      for (const warning of watch?.warnings() ?? []) warnings.set(warning.text, warning);
    }
  } catch (error) {
    if (!(error instanceof FileRejected)) throw error;
    refused = error.message;
  }
  const report = trial.report(reader?.counts ?? NO_ROWS);
  return {
    ...report,
    warnings: [...warnings.values(), ...report.warnings],
    refused,
    unknownColumns: reader?.unknownColumns ?? [],
  };
}

export interface TriedCrosswalk {
  readonly rows: number;
  readonly rejected: number;
  readonly meters: number;
  readonly accounts: number;
  readonly premises: number;
  readonly rejects: readonly TrialReject[];
  readonly refused: string | null;
}

/** The same for a crosswalk. Nothing of a customer is in the answer. */
export async function tryCrosswalk({
  path,
  source,
  timeZone,
}: Pick<TryOptions, "path" | "source" | "timeZone">): Promise<TriedCrosswalk> {
  const { size } = await stat(path);
  const profile = source.profile ?? csvProfile.parse({});
  const none = { rows: 0, rejected: 0, meters: 0, accounts: 0, premises: 0, rejects: [] };
  try {
    const text = await fileText(path, size, source);
    const rejects: Reject[] = [];
    const [meters, accounts, premises] = [new Set<string>(), new Set<string>(), new Set<string>()];
    let rows = 0;
    for await (const portion of readCrosswalk(text.texts(true), timeZone, profile)) {
      for (const { meterId, accountId, locationId } of portion.rows) {
        meters.add(meterId);
        accounts.add(accountId);
        premises.add(locationId);
      }
      rows += portion.rows.length;
      rejects.push(...portion.rejects);
    }
    return {
      rows,
      rejected: rejects.length,
      meters: meters.size,
      accounts: accounts.size,
      premises: premises.size,
      rejects: rejectsByReason(rejects),
      refused: null,
    };
  } catch (error) {
    if (!(error instanceof FileRejected)) throw error;
    return { ...none, refused: error.message };
  }
}
