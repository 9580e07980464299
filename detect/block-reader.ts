import { MAX_BLOCK_READS, MAX_SECOND, type ReadsBlock, type Sequence } from "../schemas/reads.js";

type Head = Pick<
  ReadsBlock,
  | "v"
  | "utility"
  | "source"
  | "channel"
  | "kind"
  | "file"
  | "unit"
  | "mlPerUnit"
  | "resolution"
  | "modulus"
  | "backfill"
>;

const BLANK = 32;
const COMMA = 44;
const MINUS = 45;
const ZERO = 48;
const CLOSE = 93;
const OPEN = 91;
const LETTER_N = 110;
const bytesOf = (text: string) => Buffer.from(text, "latin1");
const METER = bytesOf(',"meter":"');
const REGISTER = bytesOf('","register":');
const COUNT = bytesOf(',"count":');
const TIME = bytesOf(',"time":');
const LENGTH = bytesOf(',"length":');
const ML = bytesOf(',"ml":');
const DELIVERED = bytesOf(',"delivered":');
const FLAGS = bytesOf(',"flags":');
const LINE = bytesOf(',"line":');
const FROM = bytesOf('{"from":');
const STEP = bytesOf(',"step":');
const REPEAT = bytesOf(',"repeat":');
const END = bytesOf("}");
const NULL = bytesOf("null");
const METER_LENGTH = 16;
/** More digits don't fit a number exactly. */
const MOST_DIGITS = 15;

/**
 * Blocks from their bytes, for the hot path: those written as `ingest/block-text.ts` writes them, the fields that are
 * the same all along a file first. Their text is compared with that of a block that went through the schema, and the
 * rest is read digit by digit: a fifth of the time of `JSON.parse` and a check. Anything else is left to the schema.
 */
export class BlockReader {
  #headBytes = Buffer.alloc(0);
  #head: Head | undefined;

  /** The block, or `undefined` where only the schema can tell. */
  read(bytes: Uint8Array): ReadsBlock | undefined {
    const head = this.#head;
    const known = this.#headBytes;
    if (head === undefined || bytes.length < known.length) return undefined;
    // So few bytes are compared here sooner than a call of Buffer's would begin.
    for (let i = 0; i < known.length; i++) if (bytes[i] !== known[i]) return undefined;
    return rest(head, bytes, known.length);
  }

  /** Takes note of a block that passed the schema, for those that follow it. */
  learn(block: ReadsBlock, bytes: Uint8Array): ReadsBlock {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const end = buffer.indexOf(METER);
    if (end < 0) return block;
    let head: Partial<Head>;
    try {
      head = JSON.parse(buffer.toString("utf8", 0, end) + "}") as Head;
    } catch {
      return block;
    }
    const { v, utility, source, channel, kind, file, unit, mlPerUnit, resolution, modulus, backfill } = block;
    const known: Head = { v, utility, source, channel, kind, file, unit, mlPerUnit, resolution, modulus };
    if (backfill !== undefined) known.backfill = backfill;
    // Only where the head says all of it, and nothing that the rest could say again.
    if (!sameFields(head, known)) return block;
    this.#headBytes = Buffer.from(buffer.subarray(0, end));
    this.#head = known;
    // Blocks of one shape: what was compiled for it stays.
    return this.read(bytes) ?? block;
  }
}

function sameFields(a: object, b: object): boolean {
  const one = Object.entries(a).sort(([x], [y]) => (x < y ? -1 : 1));
  const other = Object.entries(b).sort(([x], [y]) => (x < y ? -1 : 1));
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Where the next byte is read; -1 where something was not as expected. */
let at = 0;

function rest(head: Head, bytes: Uint8Array, from: number): ReadsBlock | undefined {
  at = from;
  expect(bytes, METER);
  const meter = meterAt(bytes);
  expect(bytes, REGISTER);
  const register = whole(bytes);
  while (at >= 0 && bytes[at] === BLANK) at++;
  expect(bytes, COUNT);
  const count = whole(bytes);
  if (at < 0 || count < 1 || count > MAX_BLOCK_READS || register < 0) return undefined;
  expect(bytes, TIME);
  const time = sequence(bytes, count);
  const hasLength = head.kind !== "register";
  let length: number | number[] | undefined;
  if (hasLength) {
    expect(bytes, LENGTH);
    length = oneOrEach(bytes, count);
    if (!isWithin(length, MAX_SECOND)) return undefined;
  }
  expect(bytes, ML);
  const ml = list(bytes, count);
  let delivered: (number | null)[] | undefined;
  if (follows(bytes, DELIVERED)) {
    expect(bytes, DELIVERED);
    delivered = decimals(bytes, count);
  }
  expect(bytes, FLAGS);
  const flags = oneOrEach(bytes, count);
  expect(bytes, LINE);
  const line = sequence(bytes, count);
  expect(bytes, END);
  if (at !== bytes.length || !isWithin(flags, Number.MAX_SAFE_INTEGER)) return undefined;
  const { v, utility, source, channel, kind, file, unit, mlPerUnit, resolution, modulus, backfill } = head;
  const block: ReadsBlock = {
    v,
    utility,
    source,
    meter,
    channel,
    kind,
    file,
    register,
    unit,
    mlPerUnit,
    resolution,
    modulus,
    count,
    time,
    ml,
    flags,
    line,
  };
  if (length !== undefined) block.length = length;
  if (delivered !== undefined) block.delivered = delivered;
  if (backfill !== undefined) block.backfill = backfill;
  return block;
}

function follows(bytes: Uint8Array, text: Uint8Array): boolean {
  if (at < 0) return false;
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false;
  return true;
}

function expect(bytes: Uint8Array, text: Uint8Array): void {
  if (follows(bytes, text)) at += text.length;
  else at = -1;
}

function meterAt(bytes: Uint8Array): string {
  if (at < 0) return "";
  const end = at + METER_LENGTH;
  for (let i = at; i < end; i++) {
    const byte = bytes[i]!;
    if (!((byte >= 48 && byte <= 57) || (byte >= 97 && byte <= 102))) {
      at = -1;
      return "";
    }
  }
  const meter = Buffer.from(bytes.buffer, bytes.byteOffset + at, METER_LENGTH).toString("latin1");
  at = end;
  return meter;
}

/** A whole number without sign of more than 15 digits, exponent or fraction; what follows is checked by the caller. */
function whole(bytes: Uint8Array): number {
  if (at < 0) return NaN;
  const negative = bytes[at] === MINUS;
  if (negative) at++;
  const first = at;
  let value = 0;
  for (;;) {
    const digit = bytes[at]! - ZERO;
    if (!(digit >= 0 && digit <= 9)) break;
    value = value * 10 + digit;
    at++;
  }
  const digits = at - first;
  // JSON has no leading zeros, and JSON.parse makes -0 of "-0".
  if (digits === 0 || digits > MOST_DIGITS || (bytes[first] === ZERO && (digits > 1 || negative))) {
    at = -1;
    return NaN;
  }
  return negative ? -value : value;
}

function sequence(bytes: Uint8Array, count: number): Sequence {
  if (at >= 0 && bytes[at] === OPEN) return wholes(bytes, count);
  expect(bytes, FROM);
  const from = whole(bytes);
  expect(bytes, STEP);
  const step = whole(bytes);
  let repeat: number | undefined;
  if (follows(bytes, REPEAT)) {
    expect(bytes, REPEAT);
    repeat = whole(bytes);
    if (!(repeat > 0)) at = -1;
  }
  expect(bytes, END);
  return repeat === undefined ? { from, step } : { from, step, repeat };
}

function oneOrEach(bytes: Uint8Array, count: number): number | number[] {
  return at >= 0 && bytes[at] === OPEN ? wholes(bytes, count) : whole(bytes);
}

function wholes(bytes: Uint8Array, count: number): number[] {
  const values = list(bytes, count);
  if (at >= 0 && values.includes(null)) at = -1;
  return values as number[];
}

/** As many whole numbers or nulls as the block has reads: nearly all of a block's bytes, so `at` is kept at hand. */
function list(bytes: Uint8Array, count: number): (number | null)[] {
  const values = new Array<number | null>(count);
  let next = at;
  at = -1;
  if (next < 0 || bytes[next] !== OPEN) return values;
  next++;
  for (let i = 0; i < count; i++) {
    if (i > 0 && bytes[next++] !== COMMA) return values;
    // Plain digits are read here; a sign, many digits, `null` and whatever is wrong are not.
    const first = bytes[next]! - ZERO;
    let value = first;
    let end = next + 1;
    if (first > 0 && first <= 9) {
      for (let digit; (digit = bytes[end]! - ZERO) >= 0 && digit <= 9; end++) value = value * 10 + digit;
    }
    if (first >= 0 && first <= 9 && end - next <= MOST_DIGITS) {
      values[i] = value;
      next = end;
      continue;
    }
    at = next;
    values[i] = bytes[next] === LETTER_N ? nothing(bytes) : whole(bytes);
    if (at < 0) return values;
    next = at;
    at = -1;
  }
  if (bytes[next] === CLOSE) at = next + 1;
  return values;
}

function nothing(bytes: Uint8Array): null {
  expect(bytes, NULL);
  return null;
}

/** Values as delivered: any number of JSON. */
function decimals(bytes: Uint8Array, count: number): (number | null)[] | undefined {
  if (at < 0 || bytes[at] !== OPEN) {
    at = -1;
    return undefined;
  }
  const end = bytes.indexOf(CLOSE, at);
  try {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + at, end + 1 - at).toString("latin1");
    const values = JSON.parse(text) as unknown[];
    at = end + 1;
    const fits = (value: unknown) => value === null || (typeof value === "number" && Number.isFinite(value));
    if (values.length === count && values.every(fits)) return values as (number | null)[];
  } catch {
    // Left to the schema, which words the error.
  }
  at = -1;
  return undefined;
}

function isWithin(value: number | readonly number[], most: number): boolean {
  if (typeof value === "number") return value >= 0 && value <= most;
  for (const one of value) if (one < 0 || one > most) return false;
  return true;
}
