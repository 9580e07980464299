import type { ReadsBlock } from "../schemas/reads.js";
import { KeptReads } from "./kept-reads.js";
import type { RegisterMark } from "./registers.js";

/** One register (channel) of a meter. */
export interface Channel {
  readonly registers: KeptReads;
  readonly usage: KeptReads;
  /** The last register read before the kept ones, and the one after all of them. */
  baseMark: RegisterMark | undefined;
  headMark: RegisterMark | undefined;
  /** Event time of the first read ever. */
  firstSeen: number;
  /** End of the delivered usage that went into the base: differences of registers from before it don't count. */
  usageUntil: number;
  /** Smallest step (mL) that any block told: files without decimals show less of it than the register has. */
  resolution: number;
  /** Where the register begins again (mL), from the newest file with reads of it. */
  modulus: number;
  modulusFile: number;
}

/** What files tell of a register, apart from its reads. */
export type RegisterFacts = Pick<Channel, "resolution" | "modulus" | "modulusFile">;

export function newChannel(): Channel {
  return {
    registers: new KeptReads(),
    usage: new KeptReads(),
    baseMark: undefined,
    headMark: undefined,
    firstSeen: Infinity,
    usageUntil: 0,
    resolution: 0,
    modulus: 0,
    modulusFile: 0,
  };
}

/** Whether the block says that its register begins again elsewhere than was known: reads from before follow it too. */
export function turnsElsewhere(block: ReadsBlock, channel: Channel): boolean {
  return block.modulus !== channel.modulus && newerModulus(block, channel);
}

export function newerModulus({ kind, file, modulus }: ReadsBlock, channel: Channel): boolean {
  if (kind === "usage") return false;
  return file > channel.modulusFile || (file === channel.modulusFile && modulus > channel.modulus);
}

/** Whether the channel has delivered usage beside register reads, or delivered intervals that overlap. */
export function mixed({ usage, registers, baseMark, usageUntil }: Channel): boolean {
  const hasRegisters = registers.count > 0 || baseMark !== undefined;
  if (usage.count > 0) return hasRegisters || usage.overlap;
  return hasRegisters && usageUntil > (baseMark?.at ?? registers.first);
}

/** Whether an interval of another beginning overlaps one that is kept, or one of the same beginning differs in length. */
export function overlapsKept({ time, length }: KeptReads, start: number, seconds: number): boolean {
  if (time.length === 0 || time[time.length - 1]! + length[length.length - 1]! <= start) return false;
  for (let i = time.length - 1; i >= 0; i--) {
    const keptStart = time[i]!;
    const keptEnd = keptStart + length[i]!;
    if (keptEnd <= start) return false;
    if (keptStart >= start + seconds) continue;
    if (keptStart !== start || keptEnd !== start + seconds) return true;
  }
  return false;
}

/** Whether the interval or one that it may overlap lies in another UTC month than its beginning. */
export function isAcrossMonths({ longest }: KeptReads, start: number, seconds: number): boolean {
  const monthAt = (second: number) => new Date(second * 1000).getUTCMonth();
  return monthAt(start - longest) !== monthAt(start + seconds + longest);
}
