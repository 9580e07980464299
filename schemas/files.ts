import { z } from "zod";
import { sourceId, utilityId } from "./reads.js";

/**
 * A message of topic `files`, version 1, keyed by utility and source: what became of one file. Names of files stay in
 * PostgreSQL: a name can hold an account number.
 */
export const fileMessage = z.object({
  v: z.literal(1),
  utility: utilityId,
  source: sourceId,
  /** Sequence number in the ledger. */
  file: z.int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  state: z.enum(["published", "rejected", "duplicate"]),
  /** The same name with other bytes came before. */
  correction: z.boolean(),
  bytes: z.int().min(0),
  /** Rows of the file with reads, rows rejected, reads published. */
  rows: z.int().min(0),
  rejected: z.int().min(0),
  reads: z.int().min(0),
  /** Of them those that came as late as check `late` says. */
  lateReads: z.int().min(0).default(0),
  /** Distinct meters with a read in it. */
  meters: z.int().min(0),
  /** UTC seconds: first and last read, null in a file without reads. */
  firstRead: z.int().nullable(),
  lastRead: z.int().nullable(),
  /** UTC milliseconds: when it was claimed and when its last block was durable in the log. */
  claimedAt: z.int(),
  publishedAt: z.int(),
});
export type FileMessage = z.infer<typeof fileMessage>;
