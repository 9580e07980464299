import type { CsvProfile } from "../../schemas/profile.js";
import { FileRejected } from "./format.js";

export interface DecodeOptions {
  readonly encoding: CsvProfile["encoding"];
  /** Most bytes of the unpacked file. */
  readonly maxBytes: number;
  /** Refuse UTF-8 with wrong bytes anywhere. Otherwise whoever uses a field sees them as U+FFFD. */
  readonly strict: boolean;
}

/**
 * The bytes of a file as UTF-8 without a byte order mark.
 * @param chunks of the unpacked file
 * @throws FileRejected where it is not of its encoding, or larger than allowed
 */
export async function* decoded(
  chunks: AsyncIterable<Buffer>,
  { encoding, maxBytes, strict }: DecodeOptions,
): AsyncIterable<Buffer> {
  const decoder =
    encoding === "utf-8" && !strict ? undefined : new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  let total = 0;
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of chunks) {
    total += chunk.length;
    if (total > maxBytes) {
      throw new FileRejected(
        "file",
        `The file unpacks to more than ${maxBytes} bytes. Raise the source's maxFileBytes, or look at the file.`,
      );
    }
    if (head !== undefined && head.length === 0) refuseOtherKinds(chunk, encoding);
    let bytes = decoder === undefined ? chunk : text(decoder, encoding, chunk);
    if (head !== undefined) {
      // The mark has three bytes, and a chunk may have fewer.
      bytes = head = Buffer.concat([head, bytes]);
      if (head.length < BYTE_ORDER_MARK.length && BYTE_ORDER_MARK.subarray(0, head.length).equals(head))
        continue;
      head = undefined;
      if (bytes.subarray(0, 3).equals(BYTE_ORDER_MARK)) bytes = bytes.subarray(3);
      if (bytes.subarray(0, 4096).includes(0))
        throw new FileRejected("file", "The file holds NUL bytes: it is not text of the profile's encoding.");
    }
    if (bytes.length > 0) yield bytes;
  }
  if (decoder !== undefined) text(decoder, encoding);
  if (head !== undefined && head.length > 0) yield head;
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** @throws FileRejected; without a chunk, where the file ends within a character */
function text(decoder: InstanceType<typeof TextDecoder>, encoding: string, chunk?: Buffer): Buffer {
  try {
    return Buffer.from(decoder.decode(chunk, { stream: chunk !== undefined }), "utf8");
  } catch {
    throw new FileRejected("file", `The file is not ${encoding}. Mend the profile's encoding.`);
  }
}

/** The commonest mistakes: UTF-16 read as UTF-8, and a packed file read as text. */
function refuseOtherKinds(bytes: Buffer, encoding: string): void {
  const begins = (...mark: number[]) => bytes.subarray(0, mark.length).equals(Buffer.from(mark));
  if ((begins(0xff, 0xfe) || begins(0xfe, 0xff)) && !encoding.startsWith("utf-16"))
    throw new FileRejected("file", "The file is UTF-16. Set the profile's encoding to utf-16le or utf-16be.");
  if (begins(0x1f, 0x8b))
    throw new FileRejected("file", "The file is gzip. Set the profile's compression to gzip.");
  if (begins(0x50, 0x4b, 0x03, 0x04))
    throw new FileRejected(
      "file",
      "The file is a zip archive (or a spreadsheet): drop the CSV that is in it.",
    );
}
