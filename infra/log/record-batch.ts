import { promisify } from "node:util";
import {
  brotliCompress,
  brotliCompressSync,
  brotliDecompress,
  brotliDecompressSync,
  constants,
  crc32,
  inflateRaw,
  type BrotliOptions,
} from "node:zlib";
import type { LogRecord, OutgoingRecord } from "./log.js";

/**
 * A stored batch: version (1 byte), CRC-32 of all that follows (4), flags (1; 1: body is deflated, as it was before 2: body is Brotli), length of the plain
 * body (4), number of records (4), body. A record: offset delta (4), length of key (2), key, length of value (4, -1 for
 * a tombstone), value. Numbers are little-endian. Deltas let compaction leave holes.
 */
const VERSION = 1;
const DEFLATED = 1;
const BROTLI = 2;
const HEADER = 14;
const CHECKED_FROM = 5;
const WORTH_COMPRESSING = 4096;
/** Below this, half a millisecond, the way through the thread pool costs more than the work. */
const WORTH_A_THREAD = 256 * 1024;
/** zlib fills chunks, and each takes a turn of the event loop: large ones make one turn of a batch. */
const CHUNK = 64 * 1024;

const compressAside = promisify(brotliCompress) as (body: Buffer, options: BrotliOptions) => Promise<Buffer>;
const decompressAside = promisify(brotliDecompress) as (
  body: Buffer,
  options: BrotliOptions,
) => Promise<Buffer>;
const inflateAside = promisify(inflateRaw) as (
  body: Buffer,
  options: { readonly maxOutputLength: number },
) => Promise<Buffer>;

function compress(plain: Buffer): Buffer | Promise<Buffer> {
  const options = {
    params: { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length },
    chunkSize: Math.max(CHUNK, plain.length >> 2),
  };
  return plain.length < WORTH_A_THREAD ? brotliCompressSync(plain, options) : compressAside(plain, options);
}

function decompress(body: Buffer, size: number): Buffer | Promise<Buffer> {
  const options = { chunkSize: size + CHUNK, maxOutputLength: size };
  return size < WORTH_A_THREAD ? brotliDecompressSync(body, options) : decompressAside(body, options);
}

export interface DeltaRecord extends OutgoingRecord {
  readonly delta: number;
}

/**
 * Records as one stored batch, compressed by Brotli of quality 1: messages shrink to about a ninth, and PostgreSQL has so
 * much less to write, to sync and to hand over. It takes half of the time of zlib's lowest level.
 */
export async function encodeBatch(records: readonly DeltaRecord[]): Promise<Buffer> {
  let size = 0;
  for (const { key, value } of records) size += 10 + Buffer.byteLength(key) + (value?.length ?? 0);
  const plain = Buffer.allocUnsafe(size);
  let at = 0;
  for (const { key, value, delta } of records) {
    at = plain.writeUInt32LE(delta, at);
    const keyBytes = plain.write(key, at + 2, "utf8");
    plain.writeUInt16LE(keyBytes, at);
    at += 2 + keyBytes;
    at = plain.writeInt32LE(value === null ? -1 : value.length, at);
    if (value !== null) {
      plain.set(value, at);
      at += value.length;
    }
  }
  const packed = size >= WORTH_COMPRESSING;
  const body = packed ? await compress(plain) : plain;
  const header = Buffer.allocUnsafe(HEADER);
  header[0] = VERSION;
  header[5] = packed ? BROTLI : 0;
  header.writeUInt32LE(size, 6);
  header.writeUInt32LE(records.length, 10);
  header.writeUInt32LE(crc32(body, crc32(header.subarray(CHECKED_FROM))), 1);
  return Buffer.concat([header, body]);
}

/**
 * Records from offset `from` on; values are views of one buffer.
 * @param base offset of the batch's first record as it was appended
 * @param where the topic and partition, for the error
 * @throws Error where the batch is damaged or of a later version
 */
export async function decodeBatch(
  stored: Buffer,
  base: number,
  from: number,
  where: string,
): Promise<LogRecord[]> {
  if (stored.length < HEADER || stored[0] !== VERSION) {
    throw new Error(
      `${where}: record batch at offset ${base} has an unknown format (first byte ${stored[0]}, expected ${VERSION}).`,
    );
  }
  if (crc32(stored.subarray(CHECKED_FROM)) !== stored.readUInt32LE(1)) {
    throw new Error(
      `${where}: record batch at offset ${base} is damaged (checksum). Restore it from a backup.`,
    );
  }
  const body = stored.subarray(HEADER);
  const size = stored.readUInt32LE(6);
  const plain =
    stored[5] === BROTLI
      ? await decompress(body, size)
      : stored[5] === DEFLATED
        ? await inflateAside(body, { maxOutputLength: size })
        : body;
  const count = stored.readUInt32LE(10);
  const records: LogRecord[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    const offset = base + plain.readUInt32LE(at);
    const keyLength = plain.readUInt16LE(at + 4);
    at += 6;
    const keyAt = at;
    at += keyLength;
    const length = plain.readInt32LE(at);
    at += 4;
    const value = length < 0 ? null : plain.subarray(at, at + length);
    if (length > 0) at += length;
    if (offset >= from)
      records.push({ offset, key: plain.toString("utf8", keyAt, keyAt + keyLength), value });
  }
  return records;
}

/** Bytes of the records' values. */
export function valueBytes(records: readonly OutgoingRecord[]): number {
  return records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
}

/** The records in order, in slices of at most `maxBytes` of values; a larger record comes alone. */
export function* slices(records: readonly LogRecord[], maxBytes: number): Generator<LogRecord[]> {
  let start = 0;
  let bytes = 0;
  for (const [index, { value }] of records.entries()) {
    const size = value?.length ?? 0;
    if (index > start && bytes + size > maxBytes) {
      yield records.slice(start, index);
      start = index;
      bytes = 0;
    }
    bytes += size;
  }
  if (start < records.length) yield records.slice(start);
}
