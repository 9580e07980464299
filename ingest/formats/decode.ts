import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import type { CsvProfile } from "../../schemas/profile.js";
import { FileRejected } from "./reads-csv.js";

const CHUNK = 1024 * 1024;
/** An archive may unpack to so many times its size. */
const MOST_RATIO = 200;

/**
 * The bytes of a file as UTF-8 without a byte order mark, in chunks.
 * @param maxBytes of the unpacked file
 * @throws FileRejected where it is truncated, not of its encoding, or unpacks beyond the limit
 */
export async function* decodedChunks(
  path: string,
  size: number,
  profile: Pick<CsvProfile, "encoding" | "compression">,
  maxBytes: number,
): AsyncIterable<Buffer> {
  const file = createReadStream(path, { highWaterMark: CHUNK });
  const zipped = profile.compression === "gzip";
  const stream = zipped ? file.pipe(createGunzip({ chunkSize: CHUNK })) : file;
  if (zipped) file.on("error", (error) => (stream as ReturnType<typeof createGunzip>).destroy(error));
  const decoder =
    profile.encoding === "utf-8" ? undefined : new TextDecoder(profile.encoding, { fatal: true });
  const limit = zipped ? Math.min(maxBytes, Math.max(size * MOST_RATIO, 16 * CHUNK)) : maxBytes;
  let total = 0;
  let first = true;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      total += chunk.length;
      if (total > limit) {
        throw new FileRejected(
          "file",
          `The file unpacks to more than ${limit} bytes. Raise the source's maxFileBytes, or look at the file.`,
        );
      }
      let bytes =
        decoder === undefined ? chunk : Buffer.from(decoder.decode(chunk, { stream: true }), "utf8");
      if (first && bytes.length > 0) {
        first = false;
        refuseOtherEncoding(bytes);
        if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) bytes = bytes.subarray(3);
      }
      if (bytes.length > 0) yield bytes;
    }
    if (decoder !== undefined) decoder.decode();
  } catch (error) {
    if (error instanceof FileRejected) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === "Z_BUF_ERROR")
      throw new FileRejected("file", "The gzip file ends too early: it was cut off.");
    if (code?.startsWith("Z_"))
      throw new FileRejected("file", "The file is not gzip, or is damaged. Mend the profile's compression.");
    if (error instanceof TypeError)
      throw new FileRejected("file", `The file is not ${profile.encoding}. Mend the profile's encoding.`);
    throw error;
  } finally {
    file.destroy();
  }
}

/** Two of the commonest mistakes: UTF-16 read as UTF-8, and a packed file read as text. */
function refuseOtherEncoding(bytes: Buffer): void {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    throw new FileRejected("file", "The file is UTF-16. Set the profile's encoding to utf-16le or utf-16be.");
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b)
    throw new FileRejected("file", "The file is gzip. Set the profile's compression to gzip.");
  if (bytes[0] === 0x50 && bytes[1] === 0x4b)
    throw new FileRejected("file", "The file is a zip archive: drop what is in it.");
  if (bytes.subarray(0, 4096).includes(0))
    throw new FileRejected("file", "The file holds NUL bytes: it is not text of the profile's encoding.");
}
