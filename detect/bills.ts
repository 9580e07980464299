import { sequenceAt, type ReadsBlock } from "../schemas/reads.js";
import { AcceptedReads, addAccepted, lengthAt, type BlockCounts } from "./accepted-reads.js";

/** Where bills go, see `RowSink`. */
export interface BillSink {
  bills(block: ReadsBlock, bills: AcceptedReads): void;
}

// Used again for each block.
const bills = new AcceptedReads();

/** Stores what a block of kind `bill` says. Nothing is judged by it: it is known weeks after the water ran. */
export function storeBills(block: ReadsBlock, sink: BillSink, counts: BlockCounts): void {
  bills.count = 0;
  for (let i = 0; i < block.count; i++) {
    const ml = block.ml[i] ?? null;
    if (ml === null) continue;
    const flags = typeof block.flags === "number" ? block.flags : block.flags[i]!;
    const length = lengthAt(block.length, i);
    addAccepted(bills, sequenceAt(block.time, i), length, ml, flags, block, sequenceAt(block.line, i), i);
  }
  counts.accepted += bills.count;
  counts.missing += block.count - bills.count;
  if (bills.count > 0) sink.bills(block, bills);
}
