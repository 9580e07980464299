import { readsBlock, sequenceAt } from "../../schemas/reads.js";
import { METER_PARTITIONS } from "../../schemas/topics.js";
import type { TestStores } from "./stores.js";

interface Counted {
  readonly file: number;
  readonly name: string;
  readonly state: string;
  readonly rows: number;
  readonly rejected: number;
  readonly left_out: number;
  readonly reads: number;
  readonly no_reads: number;
  readonly values_rejected: number;
  readonly duplicate_of: number | null;
  readonly archive_path: string | null;
  readonly work_path: string | null;
}

/**
 * Expects of every file that was dropped that nothing of it was lost or counted twice:
 * - each came to its end: published and archived, a duplicate of another, or rejected whole with a reason;
 * - of a published file the reads in the log are those in the ledger, and each rejected row is listed with its reason;
 * - rows that were put in are rows taken, rejected and left out together.
 * @param rowsIn rows of reads in published files, by the files' names, where the test knows them
 */
export async function expectAccountedFor(
  { stores }: Pick<TestStores, "stores">,
  rowsIn: ReadonlyMap<string, number> = new Map(),
): Promise<void> {
  const files = await stores.database.query<Counted>("SELECT * FROM files ORDER BY file");
  const listed = await stores.database.query<{ file: number; lines: number }>(
    "SELECT file, count(DISTINCT line)::int AS lines FROM rejects GROUP BY file",
  );
  const linesOf = new Map(listed.map(({ file, lines }) => [file, lines]));
  const published = await publishedReads(stores);
  for (const file of files) {
    const { name, state, rows, rejected, left_out, reads, no_reads, values_rejected } = file;
    expect([name, state]).toEqual([name, expect.stringMatching(/^(archived|rejected|duplicate)$/)]);
    expect([name, file.work_path]).toEqual([name, null]);
    if (state === "duplicate") {
      expect([name, file.duplicate_of]).not.toEqual([name, null]);
      expect([name, published.get(file.file)]).toEqual([name, undefined]);
    }
    if (state !== "archived") continue;
    const found = published.get(file.file) ?? { reads: 0, noReads: 0 };
    expect([name, found.reads, found.noReads]).toEqual([name, reads, no_reads]);
    expect([name, linesOf.get(file.file) ?? 0]).toEqual([name, rejected]);
    // A crosswalk has rows without a value.
    const valueless = reads + no_reads + values_rejected === 0;
    expect([name, valueless || values_rejected >= rejected]).toEqual([name, true]);
    const put = rowsIn.get(name);
    if (put !== undefined) expect([name, rows + rejected + left_out]).toEqual([name, put]);
  }
}

/** Reads in the log by file; one that was appended twice, as after a broken-off try, counts once. */
async function publishedReads({
  log,
}: TestStores["stores"]): Promise<Map<number, { reads: number; noReads: number }>> {
  const seen = new Set<string>();
  const counts = new Map<number, { reads: number; noReads: number }>();
  for (let partition = 0; partition < METER_PARTITIONS; partition++) {
    for await (const { records } of log.read("reads", partition, 0)) {
      for (const { value } of records) {
        const block = readsBlock.parse(JSON.parse(Buffer.from(value!).toString("utf8")));
        const { file, meter, channel, kind, register, ml } = block;
        const count = counts.get(file) ?? { reads: 0, noReads: 0 };
        counts.set(file, count);
        for (const [i, one] of ml.entries()) {
          const at = `${sequenceAt(block.time, i)}/${sequenceAt(block.line, i)}`;
          const read = `${file}/${meter}/${channel}/${kind}/${register}/${at}`;
          if (seen.has(read)) continue;
          seen.add(read);
          if (one === null) count.noReads++;
          else count.reads++;
        }
      }
    }
  }
  return counts;
}
