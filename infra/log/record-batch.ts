import { promisify } from "node:util";
import { constants, crc32, gunzip, gzip } from "node:zlib";
import type { LogRecord, OutgoingRecord } from "./log.js";

/**
 * A stored batch: version (1 byte), flags (1: body is gzip), CRC-32 of the stored body, length of the plain body, number
 * of records, body. A record: offset delta (4), length of key (2), key, length of value (4, -1 for a tombstone), value.
 * Numbers are little-endian. Deltas let compaction leave holes.
 */
const VERSION = 1;
const GZIP = 1;
const HEADER = 14;
const WORTH_COMPRESSING = 4096;

const compress = promisify(gzip) as (body: Buffer, options: object) => Promise<Buffer>;
const decompress = promisify(gunzip) as (body: Buffer) => Promise<Buffer>;

export interface DeltaRecord extends OutgoingRecord {
  readonly delta: number;
}

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
  const body = packed ? await compress(plain, { level: constants.Z_BEST_SPEED }) : plain;
  const header = Buffer.allocUnsafe(HEADER);
  header[0] = VERSION;
  header[1] = packed ? GZIP : 0;
  header.writeUInt32LE(crc32(body), 2);
  header.writeUInt32LE(size, 6);
  header.writeUInt32LE(records.length, 10);
  return Buffer.concat([header, body]);
}

/**
 * Records from offset `from` on. Values are views of the stored bytes where these were plain.
 * @throws Error where the batch is damaged
 */
export async function decodeBatch(
  stored: Buffer,
  base: number,
  from: number,
  where: string,
): Promise<LogRecord[]> {
  if (stored.length < HEADER || stored[0] !== VERSION) {
    throw new Error(
      `${where}: record batch at offset ${base} has an unknown format (first byte ${stored[0]}).`,
    );
  }
  const body = stored.subarray(HEADER);
  if (crc32(body) !== stored.readUInt32LE(2)) {
    throw new Error(
      `${where}: record batch at offset ${base} is damaged (checksum). Restore it from a backup.`,
    );
  }
  const plain = (stored[1]! & GZIP) !== 0 ? await decompress(body) : body;
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
