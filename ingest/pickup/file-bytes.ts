import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat } from "node:fs/promises";
import { createGunzip } from "node:zlib";
import type { CsvProfile } from "../../schemas/profile.js";
import { decoded, type DecodeOptions } from "../formats/decode.js";
import { FileRejected } from "../formats/format.js";

const CHUNK = 1024 * 1024;
/** A gzip file may unpack to so many times its size (meter files: 5 to 60 times). */
const MOST_RATIO = 200;
/** A small file may unpack to so much in any case. */
const SMALL = 16 * CHUNK;

export interface FileState {
  readonly size: number;
  readonly mtimeMs: number;
  readonly regular: boolean;
}

/** What tells that a file was written to; links are not followed. */
export async function fileState(path: string): Promise<FileState> {
  const found = await lstat(path);
  return { size: found.size, mtimeMs: found.mtimeMs, regular: found.isFile() };
}

/** SHA-256 of a file, hex. */
export async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/**
 * The text of a file as UTF-8, unpacked, in chunks.
 * @param size of the file as it lies there, in bytes
 * @throws FileRejected where it is cut off, damaged, not of its encoding, or unpacks beyond the limit
 */
export function textOf(
  path: string,
  size: number,
  compression: CsvProfile["compression"],
  options: DecodeOptions,
): AsyncIterable<Buffer> {
  if (compression === "none") return decoded(createReadStream(path, { highWaterMark: CHUNK }), options);
  const maxBytes = Math.min(options.maxBytes, Math.max(size * MOST_RATIO, SMALL));
  return decoded(unpacked(path), { ...options, maxBytes });
}

async function* unpacked(path: string): AsyncIterable<Buffer> {
  const file = createReadStream(path, { highWaterMark: CHUNK });
  const gunzip = createGunzip({ chunkSize: CHUNK });
  file.on("error", (error) => gunzip.destroy(error));
  try {
    yield* file.pipe(gunzip) as AsyncIterable<Buffer>;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "Z_BUF_ERROR")
      throw new FileRejected("file", "The gzip file ends too early: it was cut off.");
    if (code?.startsWith("Z_"))
      throw new FileRejected("file", "The file is not gzip, or is damaged. Mend the profile's compression.");
    throw error;
  } finally {
    file.destroy();
    gunzip.destroy();
  }
}
