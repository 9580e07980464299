import type { ClickHouse } from "../../infra/clickhouse/client.js";
import type { Database } from "../../infra/postgres/database.js";
import { compareRejects, type LedgerFile, type RejectChange } from "../pickup/ledger.js";
import { comparedReads, type ComparedReads } from "./stored-reads.js";

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
   * How its reads stand to those there were; null where the detector did not get to them in time. Of `outranked`
   * reads one of better standing has their time, or the file has it twice.
   */
  readonly compared: (ComparedReads & { readonly outranked: number }) | null;
}

export interface ReplaySteps {
  /** Resolves when the detector has judged all that is in the log; false where it takes too long. */
  readonly judged: () => Promise<boolean>;
  /** Processes the file again: `IngestStage.reingest`. */
  readonly reingest: (file: number) => Promise<LedgerFile>;
}

/** Processes a file again and tells exactly what came of it. */
export async function replay(
  old: LedgerFile,
  { database, clickhouse }: { readonly database: Database; readonly clickhouse: ClickHouse },
  { judged, reingest }: ReplaySteps,
): Promise<ReplayReport> {
  const again = await reingest(old.file);
  const compared = (await judged()) ? await comparedWith(again, clickhouse) : null;
  return {
    file: old.file,
    again: again.file,
    state: again.state,
    reason: again.reason,
    rows: old.state === "rejected" ? null : await compareRejects(database, old.file, again.file),
    rejected: again.rejected,
    reads: again.reads,
    compared,
  };
}

async function comparedWith(
  { utility, file, reads, first_read, last_read }: LedgerFile,
  clickhouse: ClickHouse,
): Promise<ReplayReport["compared"]> {
  if (first_read === null || last_read === null)
    return { added: 0, equal: 0, corrected: 0, outranked: reads };
  const seconds = (date: Date) => Math.floor(date.getTime() / 1000);
  const of = { utility, file, first: seconds(first_read), last: seconds(last_read) };
  const compared = await comparedReads(clickhouse, of);
  return { ...compared, outranked: reads - compared.added - compared.equal - compared.corrected };
}
