import { Flag } from "../schemas/flags.js";
import { sequenceAt } from "../schemas/reads.js";
import type { EvenBlock } from "./accepted-reads.js";
import { ReadColumns } from "./read-columns.js";
import { Reader, Writer } from "./varints.js";

export interface AsDelivered {
  readonly value: number;
  readonly unit: string;
}

export interface Read {
  time: number;
  length: number;
  ml: number;
  flags: number;
  file: number;
  line: number;
  register: number;
  asDelivered: AsDelivered | undefined;
}

export interface Inserted {
  readonly outcome: "accepted" | "superseded" | "again";
  /** The read that does not stand, of two of the same time. */
  readonly fallen: Read | undefined;
}

/** A place between kept reads, see `KeptReads.mark`. */
export interface KeptMark {
  readonly packings: number;
  readonly written: number;
}

const AGAIN: Inserted = { outcome: "again", fallen: undefined };

/** A segment with no more reads than this takes in those that follow: files of an hour would make one each. */
const MERGED = 32;
const NO_BYTES = new Uint8Array(0);
/** Room that a meter's reads get first: two weeks of hourly ones mostly fit. */
const FIRST_BYTES = 1024;
/** Rooms are cut out of slabs: an allocation of its own costs V8 as much as judging a week. */
const SLAB_BYTES = 256 * 1024;
let slab = NO_BYTES;
let slabUsed = 0;

function roomOf(bytes: number): Uint8Array {
  if (bytes > SLAB_BYTES / 4) return new Uint8Array(bytes);
  if (slabUsed + bytes > slab.length) {
    slab = new Uint8Array(SLAB_BYTES);
    slabUsed = 0;
  }
  return slab.subarray(slabUsed, (slabUsed += bytes));
}

const writer = new Writer();
const columns = new ReadColumns();
const evenColumns = new ReadColumns();

/**
 * Reads of one register of a meter that are kept, in order of time; `length` is 0 for register reads.
 *
 * At rest they lie packed: segments of varints one after the other, so that a meter costs a few hundred bytes and one
 * object, and taking in reads that come in order writes a few dozen bytes. Whoever asks for a column, or puts a read
 * between others, gets them as arrays (`open`), until they are packed again.
 *
 * A segment: number of reads, then times, lengths, millilitres, flags, files, lines and registers as differences.
 */
export class KeptReads {
  #count = 0;
  #longest = 0;
  #first = Infinity;
  #end = -Infinity;
  #overlap = false;
  #bytes: Uint8Array = NO_BYTES;
  #from = 0;
  #to = 0;
  /** Where the last segment begins, and how many reads it has. */
  #last = 0;
  #lastCount = 0;
  /** Bytes taken in since they were arrays last, and how often they were. */
  #written = 0;
  #packings = 0;
  #open: OpenReads | undefined;
  /** Value and unit as delivered, by time: of reads that came out of order, and of all after a recompute. */
  asDelivered: Map<number, AsDelivered> | undefined;

  get count(): number {
    return this.#open === undefined ? this.#count : this.#open.time.length;
  }

  /** No kept read is longer (seconds). */
  get longest(): number {
    return this.#open === undefined ? this.#longest : this.#open.longest;
  }

  /** Time of the first read, Infinity without one. */
  get first(): number {
    return this.#open === undefined ? this.#first : (this.#open.time[0] ?? Infinity);
  }

  /** Whether none of the reads ends after `time`; `false` may also mean: not known without a look. */
  endsBy(time: number): boolean {
    return this.#open === undefined ? this.#end <= time : this.#open.time.length === 0;
  }

  get time(): number[] {
    return this.#opened().time;
  }
  get length(): number[] {
    return this.#opened().length;
  }
  get ml(): number[] {
    return this.#opened().ml;
  }
  get flags(): number[] {
    return this.#opened().flags;
  }
  get file(): number[] {
    return this.#opened().file;
  }
  get line(): number[] {
    return this.#opened().line;
  }
  get register(): number[] {
    return this.#opened().register;
  }

  /** Index of the first read at or after `time`. */
  indexOf(time: number): number {
    return this.#opened().indexOf(time);
  }

  /** Whether this very read is kept. */
  has(file: number, time: number, line: number): boolean {
    const open = this.#opened();
    const at = open.indexOf(time);
    return open.time[at] === time && open.file[at] === file && open.line[at] === line;
  }

  /**
   * Takes a read in, unless one of better standing has its time: an actual read stands above an estimated one, then the
   * newer file, then the later line.
   * @returns `again` for a read that is kept already; the other read of its time, if any: the one that does not stand
   */
  insert(read: Read): Inserted {
    const inserted = this.#opened().insert(read);
    const { asDelivered, time } = read;
    if (inserted.outcome !== "superseded" && asDelivered !== undefined)
      (this.asDelivered ??= new Map()).set(time, asDelivered);
    return inserted;
  }

  /** Drops the reads before index `count`. */
  dropFirst(count: number): void {
    if (count === 0) return;
    this.#opened().dropFirst(count);
    this.asDelivered = undefined;
  }

  /**
   * Takes in reads that are all later than those kept, and don't overlap them nor each other.
   * @param from the first of them, @param to the one after the last
   */
  append(reads: ReadColumns, from: number, to: number): void {
    this.pack();
    if (this.#lastCount > 0 && this.#lastCount + to - from <= MERGED) {
      columns.count = 0;
      readSegment(new Reader(this.#bytes, this.#last, this.#to), columns);
      addTo(columns, reads, from, to);
      this.#written -= this.#to - this.#last;
      this.#to = this.#last;
      this.#count -= this.#lastCount;
      this.#lastCount = 0;
      this.#add(columns, 0, columns.count);
    } else {
      this.#add(reads, from, to);
    }
  }

  /** The same for a block that was accepted as a whole. */
  appendEven(block: EvenBlock, from: number, to: number): void {
    const { time, length, flags, file, line, register, ml } = block;
    const count = to - from;
    const firstTime = time.from + time.step * from;
    this.pack();
    if (this.#lastCount > 0 && this.#lastCount + count <= MERGED) {
      for (let i = 0; i < count; i++) {
        evenColumns.time[i] = firstTime + time.step * i;
        evenColumns.length[i] = length;
        evenColumns.ml[i] = ml[from + i]!;
        evenColumns.flags[i] = flags;
        evenColumns.file[i] = file;
        evenColumns.line[i] = sequenceAt(line, from + i);
        evenColumns.register[i] = register;
      }
      evenColumns.count = count;
      this.append(evenColumns, 0, count);
      return;
    }
    writer.clear();
    writer.number(count);
    writer.even(firstTime, time.step, count);
    writer.even(length, 0, count);
    writer.differences(ml, from, to);
    writer.even(flags, 0, count);
    writer.even(file, 0, count);
    if (line.repeat === undefined) writer.even(line.from + line.step * from, line.step, count);
    else {
      for (let i = 0; i < count; i++) evenColumns.line[i] = sequenceAt(line, from + i);
      writer.runs(evenColumns.line, 0, count);
    }
    writer.even(register, 0, count);
    this.#keepWritten(count);
    if (this.#count === 0) this.#first = firstTime;
    this.#count += count;
    if (length > this.#longest) this.#longest = length;
    const end = firstTime + time.step * (count - 1) + length;
    if (end > this.#end) this.#end = end;
  }

  /** Marks the place behind the last read, to drop all before it later: see `dropTo`. */
  mark(): KeptMark {
    this.pack();
    // What comes next begins a segment.
    this.#lastCount = 0;
    return { packings: this.#packings, written: this.#written };
  }

  /**
   * Drops the reads from before the mark.
   * @returns false, with nothing done, where the reads have been arrays since: their place is not known any more
   */
  dropTo({ packings, written }: KeptMark): boolean {
    if (this.#open !== undefined || packings !== this.#packings) return false;
    const from = this.#to - (this.#written - written);
    const reader = new Reader(this.#bytes, this.#from, from);
    while (!reader.done) this.#count -= skipSegment(reader);
    this.#dropped(from);
    return true;
  }

  /**
   * Takes the first segment out, if all of its reads are from before `cut`.
   * @param into gets its reads
   */
  takeSegmentBefore(cut: number, into: ReadColumns): boolean {
    this.pack();
    if (this.#first >= cut) return false;
    into.count = 0;
    const reader = new Reader(this.#bytes, this.#from, this.#to);
    readSegment(reader, into);
    if (into.time[into.count - 1]! >= cut) return false;
    this.#count -= into.count;
    this.#dropped(reader.at);
    return true;
  }

  /** Whether delivered intervals overlap; of those that were taken in in order none does. */
  get overlap(): boolean {
    this.pack();
    return this.#overlap;
  }

  /** From arrays to bytes, where they are arrays. */
  pack(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    this.#packings++;
    this.#reset();
    const { time, length } = open;
    for (let i = 1; i < time.length; i++) if (time[i]! < time[i - 1]! + length[i - 1]!) this.#overlap = true;
    for (let at = 0; at < time.length; at += MERGED) {
      columns.count = 0;
      addTo(columns, open, at, Math.min(time.length, at + MERGED));
      this.#add(columns, 0, columns.count);
    }
    this.#longest = open.longest;
  }

  writeTo(to: Writer): void {
    this.pack();
    to.number(this.#count);
    if (this.#count === 0) return;
    to.number(this.#overlap ? 1 : 0);
    to.number(this.#to - this.#from);
    to.raw(this.#bytes.subarray(this.#from, this.#to));
  }

  /** @throws RangeError where the bytes are not those of `writeTo` */
  readFrom(from: Reader): void {
    this.#open = undefined;
    this.#reset();
    const count = from.number();
    if (count === 0) return;
    this.#overlap = from.number() === 1;
    this.#bytes = Uint8Array.from(from.raw(from.number()));
    this.#to = this.#bytes.length;
    const reader = new Reader(this.#bytes);
    while (!reader.done) {
      columns.count = 0;
      this.#last = reader.at;
      readSegment(reader, columns);
      this.#lastCount = columns.count;
      this.#note(columns, 0, columns.count);
    }
    if (this.#count !== count) throw new RangeError("the reads of a state are not as many as it says");
  }

  #reset(): void {
    this.#count = this.#longest = this.#from = this.#to = this.#last = this.#lastCount = this.#written = 0;
    this.#first = Infinity;
    this.#end = -Infinity;
    this.#overlap = false;
  }

  #add(reads: ReadColumns, from: number, to: number): void {
    writer.clear();
    writeSegment(reads, from, to);
    this.#keepWritten(to - from);
    this.#note(reads, from, to);
  }

  /** The segments before this byte are gone; `#count` says how many reads are left. */
  #dropped(from: number): void {
    this.asDelivered = undefined;
    this.#from = from;
    if (this.#count === 0) {
      this.#from = this.#to = this.#last = this.#lastCount = 0;
      this.#first = Infinity;
      return;
    }
    const reader = new Reader(this.#bytes, from, this.#to);
    reader.number();
    this.#first = reader.number();
  }

  /** Takes the segment in the writer in as the last. */
  #keepWritten(count: number): void {
    const { length } = writer;
    if (this.#to + length > this.#bytes.length) {
      const size = this.#to - this.#from;
      if (size + length <= this.#bytes.length) {
        this.#bytes.copyWithin(0, this.#from, this.#to);
      } else {
        const grown = roomOf(Math.max(FIRST_BYTES, Math.ceil((size + length) * 1.25)));
        grown.set(this.#bytes.subarray(this.#from, this.#to));
        this.#bytes = grown;
      }
      this.#from = 0;
      this.#to = size;
    }
    writer.copyTo(this.#bytes, this.#to);
    this.#last = this.#to;
    this.#to += length;
    this.#written += length;
    this.#lastCount = count;
  }

  #note({ time, length }: ReadColumns, from: number, to: number): void {
    if (this.#count === 0) this.#first = time[from]!;
    this.#count += to - from;
    for (let i = from; i < to; i++) {
      if (length[i]! > this.#longest) this.#longest = length[i]!;
      const end = time[i]! + length[i]!;
      if (end > this.#end) this.#end = end;
    }
  }

  #opened(): OpenReads {
    if (this.#open !== undefined) return this.#open;
    const open = new OpenReads();
    const reader = new Reader(this.#bytes, this.#from, this.#to);
    columns.count = 0;
    while (!reader.done) readSegment(reader, columns);
    const plain = (of: Float64Array | Int32Array) => Array.from(of.subarray(0, columns.count));
    open.time = plain(columns.time);
    open.length = plain(columns.length);
    open.ml = plain(columns.ml);
    open.flags = plain(columns.flags);
    open.file = plain(columns.file);
    open.line = plain(columns.line);
    open.register = plain(columns.register);
    open.longest = this.#longest;
    this.#open = open;
    this.#bytes = NO_BYTES;
    this.#reset();
    return open;
  }
}

function writeSegment(reads: ReadColumns, from: number, to: number): void {
  writer.number(to - from);
  writer.runs(reads.time, from, to);
  writer.runs(reads.length, from, to);
  writer.differences(reads.ml, from, to);
  writer.runs(reads.flags, from, to);
  writer.runs(reads.file, from, to);
  writer.runs(reads.line, from, to);
  writer.runs(reads.register, from, to);
}

/** @returns how many reads it has */
function skipSegment(reader: Reader): number {
  const count = reader.number();
  reader.skipRuns(count);
  reader.skipRuns(count);
  reader.skip(count);
  for (let column = 3; column < 7; column++) reader.skipRuns(count);
  return count;
}

/** Adds a segment's reads to `into`. */
function readSegment(reader: Reader, into: ReadColumns): void {
  const count = reader.number();
  if (count < 1) throw new RangeError("a segment without reads");
  into.reserve(count);
  const from = into.count;
  reader.runs(into.time, from, count);
  reader.runs(into.length, from, count);
  reader.differences(into.ml, from, count);
  reader.runs(into.flags, from, count);
  reader.runs(into.file, from, count);
  reader.runs(into.line, from, count);
  reader.runs(into.register, from, count);
  into.count = from + count;
}

function addTo(into: ReadColumns, reads: ReadColumns | OpenReads, from: number, until: number): void {
  into.reserve(until - from);
  for (let i = from; i < until; i++) {
    const to = into.count++;
    into.time[to] = reads.time[i]!;
    into.length[to] = reads.length[i]!;
    into.ml[to] = reads.ml[i]!;
    into.flags[to] = reads.flags[i]!;
    into.file[to] = reads.file[i]!;
    into.line[to] = reads.line[i]!;
    into.register[to] = reads.register[i]!;
  }
}

class OpenReads {
  time: number[] = [];
  length: number[] = [];
  ml: number[] = [];
  flags: number[] = [];
  file: number[] = [];
  line: number[] = [];
  register: number[] = [];
  longest = 0;

  indexOf(time: number): number {
    const times = this.time;
    let low = 0;
    let high = times.length;
    if (high === 0 || times[high - 1]! < time) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle]! < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  insert(read: Read): Inserted {
    const at = this.indexOf(read.time);
    let replaced: Read | undefined;
    if (at < this.time.length && this.time[at] === read.time) {
      if (this.file[at] === read.file && this.line[at] === read.line) return AGAIN;
      if (!stands(read, this.flags[at]!, this.file[at]!, this.line[at]!))
        return { outcome: "superseded", fallen: read };
      replaced = this.#read(at);
    } else if (at < this.time.length) {
      for (const column of this.#columns()) column.splice(at, 0, 0);
    }
    if (read.length > this.longest) this.longest = read.length;
    this.time[at] = read.time;
    this.length[at] = read.length;
    this.ml[at] = read.ml;
    this.flags[at] = read.flags;
    this.file[at] = read.file;
    this.line[at] = read.line;
    this.register[at] = read.register;
    return { outcome: "accepted", fallen: replaced };
  }

  #read(at: number): Read {
    return {
      time: this.time[at]!,
      length: this.length[at]!,
      ml: this.ml[at]!,
      flags: this.flags[at]!,
      file: this.file[at]!,
      line: this.line[at]!,
      register: this.register[at]!,
      asDelivered: undefined,
    };
  }

  dropFirst(count: number): void {
    for (const column of this.#columns()) column.splice(0, count);
  }

  #columns(): number[][] {
    return [this.time, this.length, this.ml, this.flags, this.file, this.line, this.register];
  }
}

function stands(read: Read, flags: number, file: number, line: number): boolean {
  const actual = (read.flags & Flag.estimated) === 0;
  const wasActual = (flags & Flag.estimated) === 0;
  if (actual !== wasActual) return actual;
  if (read.file !== file) return read.file > file;
  return read.line > line;
}
