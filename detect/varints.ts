/** Array of numbers to read from: plain or typed. */
export interface Numbers {
  readonly length: number;
  readonly [index: number]: number;
}

/** Whether a signed number of 32 bits holds the value. */
export function isWord(value: number): boolean {
  return (value | 0) === value;
}

/** A number takes no more bytes. */
const MOST_BYTES = 10;
/** Twice this fits 32 bits. */
const SMALL = 1_000_000_000;

/** Writes a number of at most `SMALL`, and returns the place behind it. */
function putSmall(bytes: Buffer, at: number, value: number): number {
  let small = value < 0 ? -2 * value - 1 : 2 * value;
  for (; small > 127; small >>>= 7) bytes[at++] = (small & 127) | 128;
  bytes[at++] = small;
  return at;
}

/** Bytes of growing length, numbers as zigzag varints: small differences take a byte. */
export class Writer {
  #bytes = Buffer.allocUnsafe(65_536);
  #at = 0;

  get length(): number {
    return this.#at;
  }

  clear(): void {
    this.#at = 0;
  }

  /** @param value a whole number between -2^51 and 2^51 */
  number(value: number): this {
    if (this.#at + MOST_BYTES > this.#bytes.length) this.#grow(MOST_BYTES);
    const bytes = this.#bytes;
    if (value >= -SMALL && value <= SMALL) {
      this.#at = putSmall(bytes, this.#at, value);
      return this;
    }
    let rest = value < 0 ? -2 * value - 1 : 2 * value;
    while (rest >= 128) {
      bytes[this.#at++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    bytes[this.#at++] = rest;
    return this;
  }

  /** Numbers from index `from` until `to`, each as the difference from the one before. */
  differences(values: Numbers, from = 0, to = values.length): void {
    const most = MOST_BYTES * (to - from);
    if (this.#at + most > this.#bytes.length) this.#grow(most);
    const bytes = this.#bytes;
    let at = this.#at;
    let last = 0;
    for (let i = from; i < to; i++) {
      const value = values[i]!;
      const difference = value - last;
      last = value;
      if (difference >= -SMALL && difference <= SMALL) {
        at = putSmall(bytes, at, difference);
      } else {
        this.#at = at;
        this.number(difference);
        at = this.#at;
      }
    }
    this.#at = at;
  }

  /** The differences in runs of equal ones: what is the same along a day, or grows evenly, takes a few numbers. */
  runs(values: Numbers, from = 0, to = values.length): void {
    let last = 0;
    for (let i = from; i < to;) {
      const difference = values[i]! - last;
      let end = i + 1;
      while (end < to && values[end]! - values[end - 1]! === difference) end++;
      this.number(difference);
      this.number(end - i);
      last = values[end - 1]!;
      i = end;
    }
  }

  /** Whole numbers from 0 to 2^31 - 1, each in as many bytes as the largest needs: the quickest to write and to read. */
  fixed(values: Numbers): void {
    const count = values.length;
    let all = 0;
    for (let i = 0; i < count; i++) all |= values[i]!;
    const width = all < 1 << 8 ? 1 : all < 1 << 16 ? 2 : 4;
    if (this.#at + 1 + width * count > this.#bytes.length) this.#grow(1 + width * count);
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at++] = width;
    for (let i = 0; i < count; i++) {
      const value = values[i]!;
      bytes[at++] = value;
      if (width === 1) continue;
      bytes[at++] = value >> 8;
      if (width === 2) continue;
      bytes[at++] = value >> 16;
      bytes[at++] = value >> 24;
    }
    this.#at = at;
  }

  /** What `runs` writes of `count` numbers from `from` by `step`. */
  even(from: number, step: number, count: number): void {
    this.number(from);
    if (from === step || count === 1) this.number(count);
    else
      this.number(1)
        .number(step)
        .number(count - 1);
  }

  text(value: string): void {
    const length = value === "" ? 0 : Buffer.byteLength(value);
    this.number(length);
    if (length === 0) return;
    if (this.#at + length > this.#bytes.length) this.#grow(length);
    this.#at += this.#bytes.write(value, this.#at, "utf8");
  }

  raw(bytes: Uint8Array): void {
    if (this.#at + bytes.length > this.#bytes.length) this.#grow(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  copyTo(target: Uint8Array, at: number): void {
    target.set(this.#bytes.subarray(0, this.#at), at);
  }

  /** The bytes of a string of Latin-1, as `latin1` gave them. */
  rawLatin1(bytes: string): void {
    if (this.#at + bytes.length > this.#bytes.length) this.#grow(bytes.length);
    this.#at += this.#bytes.write(bytes, this.#at, "latin1");
  }

  /** What was written, a letter for each byte. */
  latin1(): string {
    return this.#bytes.toString("latin1", 0, this.#at);
  }

  /** A copy of what was written. */
  take(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#at));
  }

  #grow(needed: number): void {
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + needed));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
  }
}

/** Reads what a `Writer` wrote. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  at: number;

  constructor(bytes: Uint8Array, from = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.at = from;
    this.#end = end;
  }

  get done(): boolean {
    return this.at >= this.#end;
  }

  /** @throws RangeError where the bytes end within a number */
  number(): number {
    const bytes = this.#bytes;
    const first = bytes[this.at++]!;
    if (first < 128 && this.at <= this.#end) return (first & 1) === 1 ? -((first + 1) >> 1) : first >> 1;
    let value = first & 127;
    let scale = 128;
    for (let byte = first; byte >= 128; scale *= 128) {
      byte = bytes[this.at++]!;
      value += (byte & 127) * scale;
    }
    if (this.at > this.#end) throw new RangeError("the bytes end within a number");
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }

  differences(into: Record<number, number>, from: number, count: number): void {
    let last = 0;
    for (let i = from; i < from + count; i++) into[i] = last += this.number();
  }

  /** @throws RangeError where a run is longer than what is left */
  runs(into: Record<number, number>, from: number, count: number): void {
    let last = 0;
    for (let i = from; i < from + count;) {
      const difference = this.number();
      const length = this.number();
      if (length < 1 || length > from + count - i) throw new RangeError("a run has a wrong length");
      for (const end = i + length; i < end; i++) into[i] = last += difference;
    }
  }

  /** @throws RangeError where the bytes end before so many numbers */
  fixed(into: Record<number, number>, count: number): void {
    const bytes = this.#bytes;
    let at = this.at;
    const width = bytes[at++]!;
    if (at + width * count > this.#end) throw new RangeError("the bytes end within a number");
    for (let i = 0; i < count; i++, at += width) {
      let value = bytes[at]!;
      if (width > 1) value |= bytes[at + 1]! << 8;
      if (width > 2) value |= (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      into[i] = value;
    }
    this.at = at;
  }

  /** Passes over so many numbers. */
  skip(count: number): void {
    const bytes = this.#bytes;
    for (let left = count; left > 0; left--) while (bytes[this.at++]! >= 128);
  }

  /** Passes over what `runs` wrote of so many numbers. */
  skipRuns(count: number): void {
    for (let left = count; left > 0; left -= this.number()) this.skip(1);
  }

  text(): string {
    const length = this.number();
    return Buffer.from(this.raw(length)).toString("utf8");
  }

  /** A view of the next bytes. */
  raw(length: number): Uint8Array {
    if (length < 0 || this.at + length > this.#end) throw new RangeError("the bytes end within a text");
    return this.#bytes.subarray(this.at, (this.at += length));
  }
}
