import type { ClickHouse } from "../../infra/clickhouse/client.js";
import type { Database } from "../../infra/postgres/database.js";
import { compareRejects, type LedgerFile, type RejectChange } from "../pickup/ledger.js";
import { ReadsBefore, type FileReads, type ReplayedReads } from "./stored-reads.js";

export interface ReplayReport {
  readonly file: number;
  readonly again: number;
  readonly state: LedgerFile["state"];
  /** Why the run was rejected whole. */
  readonly reason: string | null;
  /** Rows of both runs, by their lines; null where the first run was rejected whole, so that no row of it counted. */
  readonly rows: RejectChange | null;
  readonly rejected: number;
  readonly reads: number;
  /**
   * How its reads stand to those there were; null where the detector did not get to them in time. `outranked` reads are
   * not stored: one of better standing has their time, or the file has it twice.
   */
  readonly compared: (ReplayedReads & { readonly outranked: number }) | null;
}

export interface ReplaySteps {
  /** Resolves when the detector has judged all that is in the log; false where it takes too long. */
  readonly judged: () => Promise<boolean>;
  /** Processes the file again: `IngestStage.reingest`. */
  readonly reingest: (file: number) => Promise<LedgerFile>;
}

/**
 * Processes a file again and tells exactly what came of it. The reads that were there are kept aside meanwhile.
 * @param range of the reads that the file will bring, UTC seconds; undefined: it brings none
 */
export async function replay(
  old: LedgerFile,
  range: Pick<FileReads, "first" | "last"> | undefined,
  { database, clickhouse }: { readonly database: Database; readonly clickhouse: ClickHouse },
  { judged, reingest }: ReplaySteps,
): Promise<ReplayReport> {
  const wasJudged = await judged();
  const of = { utility: old.utility, file: old.file, first: 0, last: 0, ...range };
  const before = await ReadsBefore.keep(clickhouse, of);
  try {
    const again = await reingest(old.file);
    const known = wasJudged && (await judged());
    const compared = known ? await before.compare(again.file) : null;
    return {
      file: old.file,
      again: again.file,
      state: again.state,
      reason: again.reason,
      rows: old.state === "rejected" ? null : await compareRejects(database, old.file, again.file),
      rejected: again.rejected,
      reads: again.reads,
      compared:
        compared === null
          ? null
          : {
              ...compared,
              outranked: again.reads - compared.added - compared.equal - compared.corrected,
            },
    };
  } finally {
    await before.drop();
  }
}
