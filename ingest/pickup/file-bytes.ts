import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, open } from "node:fs/promises";
import { createGunzip } from "node:zlib";
import type { SourceConfig } from "../../schemas/config.js";
import { csvProfile } from "../../schemas/profile.js";
import { decoded, utf16Of } from "../formats/decode.js";
import { FileRejected } from "../formats/format.js";
import { begins } from "../formats/not-text.js";
import { namesOfZipMembers, zipMembers } from "./zip.js";

const CHUNK = 1024 * 1024;
/** A packed file may unpack to so many times its size (meter files: 5 to 60 times). */
const MOST_RATIO = 200;
/** A small file may unpack to so much in any case. */
const SMALL = 16 * CHUNK;
const LONGEST_MARK = 4;

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

/** What a source says of the bytes of its files. */
export type TextSource = Pick<SourceConfig, "maxFileBytes" | "members"> & {
  readonly profile?: Pick<NonNullable<SourceConfig["profile"]>, "encoding" | "compression"> | undefined;
};

/** The text that a file holds, or of a zip archive the texts of its members. */
export interface FileText {
  /** Of an archive the name of each text, without folder. Others have one, which has none of its own. */
  readonly members: readonly string[] | undefined;
  /** It lies there as UTF-8: nothing can be found wrong with its packing or encoding. */
  readonly plain: boolean;
  /**
   * Each text as UTF-8 without byte order mark, in chunks, to be read to its end before the next one.
   * @param strict refuse UTF-8 with wrong bytes; otherwise whoever uses a field sees them as U+FFFD
   * @throws FileRejected where it is cut off, damaged, not of its encoding, or unpacks beyond the limit
   */
  texts(strict?: boolean): AsyncIterable<AsyncIterable<Buffer>>;
}

/**
 * How the file at `path` is to be read: its first bytes tell gzip, zip and UTF-16 with a byte order mark, whatever the
 * format.
 * @param size of the file as it lies there, in bytes
 * @throws FileRejected where its packing is not what the source says, or a zip archive can't be read
 */
export async function fileText(path: string, size: number, source: TextSource): Promise<FileText> {
  const { encoding, compression } = source.profile ?? csvProfile.parse({});
  const head = await headOf(path);
  const packing = packingOf(head);
  if (compression !== "auto" && compression !== packing) refusePacking(compression, packing);
  const limit = packing === "none" ? source.maxFileBytes : Math.max(size * MOST_RATIO, SMALL);
  const maxBytes = Math.min(source.maxFileBytes, limit);
  const zip = { members: source.members, maxBytes };
  const one = async function* () {
    yield packing === "gzip" ? gunzipped(path) : createReadStream(path, { highWaterMark: CHUNK });
  };
  return {
    members: packing === "zip" ? await namesOfZipMembers(path, zip) : undefined,
    plain: packing === "none" && encoding === "utf-8" && utf16Of(head) === undefined,
    async *texts(strict = false) {
      const pieces: AsyncIterable<AsyncIterable<Buffer>> = packing === "zip" ? zipMembers(path, zip) : one();
      for await (const bytes of pieces) yield decoded(bytes, { encoding, maxBytes, strict });
    },
  };
}

async function headOf(path: string): Promise<Buffer> {
  const handle = await open(path, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(LONGEST_MARK), 0, LONGEST_MARK, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

type Packing = "none" | "gzip" | "zip";

function packingOf(head: Buffer): Packing {
  if (begins(head, [0x1f, 0x8b])) return "gzip";
  // An archive begins with its first member, an empty one with its directory.
  return begins(head, [0x50, 0x4b, 3, 4]) || begins(head, [0x50, 0x4b, 5, 6]) ? "zip" : "none";
}

const PACKED_AS: Readonly<Record<Packing, string>> = {
  none: "not packed, or damaged",
  gzip: "gzip",
  zip: "a zip archive",
};

function refusePacking(wanted: Packing, found: Packing): never {
  throw new FileRejected(
    "file",
    `The file is ${PACKED_AS[found]}, not ${wanted === "none" ? "text" : wanted}. Mend the profile's compression: auto takes each.`,
  );
}

async function* gunzipped(path: string): AsyncIterable<Buffer> {
  const file = createReadStream(path, { highWaterMark: CHUNK });
  const gunzip = createGunzip({ chunkSize: CHUNK });
  file.on("error", (error) => gunzip.destroy(error));
  try {
    yield* file.pipe(gunzip) as AsyncIterable<Buffer>;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "Z_BUF_ERROR")
      throw new FileRejected("file", "The gzip file ends too early: it was cut off.");
    if (code?.startsWith("Z_")) throw new FileRejected("file", "The gzip file is damaged.");
    throw error;
  } finally {
    file.destroy();
    gunzip.destroy();
  }
}
