import type { Log } from "../../infra/log/log.js";
import type { Queryable } from "../../infra/postgres/database.js";

/** What the detector has not judged yet. */
export interface Unjudged {
  /** Blocks of reads in the log that lie before it, of all files. */
  readonly blocks: number;
  /** Those of the file; null where they are too many to be looked through. */
  readonly ofFile: number | null;
}

/** Blocks that are looked through for those of one file. */
const MOST_LOOKED_AT = 100_000;

/** Where the detector stands in topic `reads`, by its saved checkpoints. */
export async function unjudged(log: Log, database: Queryable, file: number): Promise<Unjudged> {
  const rows = await database.query<{ partition: number; offsets: Record<string, number> }>(
    "SELECT partition, offsets FROM detector_partitions",
  );
  const saved = new Map(rows.map(({ partition, offsets }) => [partition, offsets["reads"] ?? 0]));
  const behind = (await log.offsets("reads")).map(({ partition, first, next }) => {
    const from = Math.max(first, saved.get(partition) ?? 0);
    return { partition, from, blocks: Math.max(0, next - from) };
  });
  const blocks = behind.reduce((sum, one) => sum + one.blocks, 0);
  if (blocks > MOST_LOOKED_AT) return { blocks, ofFile: null };
  let ofFile = 0;
  for (const { partition, from, blocks: some } of behind) {
    if (some === 0) continue;
    for await (const { records } of log.read("reads", partition, from))
      for (const { value } of records) if (value !== null && isOf(value, file)) ofFile++;
  }
  return { blocks, ofFile };
}

function isOf(value: Uint8Array, file: number): boolean {
  return (JSON.parse(Buffer.from(value).toString("utf8")) as { file?: unknown }).file === file;
}
