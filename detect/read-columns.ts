import { MAX_BLOCK_READS } from "../schemas/reads.js";

/** Reads of one register of a meter as columns, `count` of them. Made once and used again: nothing keeps hold of it. */
export class ReadColumns {
  count = 0;
  /** UTC seconds. */
  time = new Float64Array(MAX_BLOCK_READS);
  /** Seconds, 0 for register reads. */
  length = new Float64Array(MAX_BLOCK_READS);
  /** Millilitres: volume of the interval, or register value. */
  ml = new Float64Array(MAX_BLOCK_READS);
  flags = new Int32Array(MAX_BLOCK_READS);
  file = new Float64Array(MAX_BLOCK_READS);
  line = new Float64Array(MAX_BLOCK_READS);
  register = new Float64Array(MAX_BLOCK_READS);

  /** Makes room for so many reads more. */
  reserve(more: number): void {
    const size = this.count + more;
    if (size <= this.time.length) return;
    const wide = (from: Float64Array) => {
      const to = new Float64Array(size * 2);
      to.set(from);
      return to;
    };
    const flags = new Int32Array(size * 2);
    flags.set(this.flags);
    this.flags = flags;
    this.time = wide(this.time);
    this.length = wide(this.length);
    this.ml = wide(this.ml);
    this.file = wide(this.file);
    this.line = wide(this.line);
    this.register = wide(this.register);
  }
}
