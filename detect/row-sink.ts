import type { ReadsBlock } from "../schemas/reads.js";
import type { AcceptedReads, EvenBlock } from "./accepted-reads.js";
import type { RegisterFacts } from "./channel.js";
import type { Finding } from "./checks/finding.js";
import type { IntervalRow } from "./intervals.js";
import type { Read } from "./kept-reads.js";
import type { ReadColumns } from "./read-columns.js";

export interface MeterOfUtility {
  readonly utility: string;
  readonly meter: string;
}

/** Where rows for ClickHouse go; calls are cheap, nothing is sent before the batch ends. */
export interface RowSink {
  /** Of the rows that follow: decisions that come later in the log have a higher one. */
  readonly rowVersion: number;
  /** Register reads of the block that were accepted. */
  registerReads(block: ReadsBlock, reads: AcceptedReads): void;
  /** Usage of the block, accepted as it is. */
  usage(block: ReadsBlock, reads: AcceptedReads): void;
  /** The same, of a block that was accepted as a whole. */
  evenUsage(block: EvenBlock): void;
  /** Intervals between register reads of the block, in order; `line` and `file` say nothing. */
  derived(block: ReadsBlock, intervals: ReadColumns): void;
  interval(block: ReadsBlock, channel: string, row: IntervalRow, gone: boolean): void;
  /** What is known of a register, after a block told more of it. */
  meterRegister(meter: MeterOfUtility, channel: string, facts: RegisterFacts): void;
  /** A read of the block's channel and kind that another one of its time stands above. */
  superseded(block: ReadsBlock, read: Read): void;
  /** What a check found in the meter's reads, or no longer finds. */
  finding(meter: MeterOfUtility, finding: Finding, change: "new" | "changed" | "gone"): void;
}

const ignore = () => undefined;

/** For judging without storing. */
export const NO_ROWS: RowSink = {
  rowVersion: 0,
  registerReads: ignore,
  usage: ignore,
  evenUsage: ignore,
  derived: ignore,
  interval: ignore,
  meterRegister: ignore,
  superseded: ignore,
  finding: ignore,
};
