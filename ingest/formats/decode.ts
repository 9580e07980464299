import type { CsvProfile } from "../../schemas/profile.js";
import { FileRejected } from "./format.js";
import { begins, notText } from "./not-text.js";

export interface DecodeOptions {
  /** A byte order mark of UTF-16 counts before it. */
  readonly encoding: CsvProfile["encoding"];
  /** Most bytes of the unpacked text. */
  readonly maxBytes: number;
  /** Refuse UTF-8 with wrong bytes anywhere. Otherwise whoever uses a field sees them as U+FFFD. */
  readonly strict: boolean;
}

/**
 * The bytes of a text as UTF-8 without a byte order mark.
 * @param chunks of the unpacked text
 * @throws FileRejected where it is not of its encoding, or larger than allowed
 */
export async function* decoded(
  chunks: AsyncIterable<Buffer>,
  { encoding, maxBytes, strict }: DecodeOptions,
): AsyncIterable<Buffer> {
  let told = encoding;
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  let total = 0;
  /** The first bytes, until there are enough of them to tell a mark. */
  let head: Buffer | undefined = Buffer.alloc(0);
  const begin = (bytes: Buffer): Buffer => {
    refusePacked(bytes);
    const foreign = notText(bytes);
    if (foreign !== undefined) throw new FileRejected("file", foreign);
    told = utf16Of(bytes) ?? encoding;
    if (told !== "utf-8" || strict) decoder = new TextDecoder(told, { fatal: true, ignoreBOM: true });
    let first = decoder === undefined ? bytes : text(decoder, told, bytes);
    if (first.subarray(0, 3).equals(BYTE_ORDER_MARK)) first = first.subarray(3);
    if (first.subarray(0, 4096).includes(0))
      throw new FileRejected(
        "file",
        `The file holds NUL bytes: it is not text of the profile's encoding (${told}).`,
      );
    return first;
  };
  for await (const chunk of chunks) {
    total += chunk.length;
    if (total > maxBytes) {
      throw new FileRejected(
        "file",
        `The file unpacks to more than ${maxBytes} bytes. Raise the source's maxFileBytes, or look at the file.`,
      );
    }
    let bytes = chunk;
    if (head !== undefined) {
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
      if (head.length < HEAD) continue;
      bytes = begin(head);
      head = undefined;
    } else if (decoder !== undefined) bytes = text(decoder, told, chunk);
    if (bytes.length > 0) yield bytes;
  }
  if (head !== undefined) {
    const bytes = begin(head);
    if (bytes.length > 0) yield bytes;
  }
  if (decoder !== undefined) text(decoder, told);
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
/** So many first bytes tell what a file is, as `notText` does. */
const HEAD = 512;

/** UTF-16 as the byte order mark tells it; `undefined` without one. */
export function utf16Of(head: Buffer): "utf-16le" | "utf-16be" | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return "utf-16le";
  return head[0] === 0xfe && head[1] === 0xff ? "utf-16be" : undefined;
}

/** @throws FileRejected; without a chunk, where the file ends within a character */
function text(decoder: InstanceType<typeof TextDecoder>, encoding: string, chunk?: Buffer): Buffer {
  try {
    return Buffer.from(decoder.decode(chunk, { stream: chunk !== undefined }), "utf8");
  } catch {
    throw new FileRejected("file", `The file is not ${encoding}. Mend the profile's encoding.`);
  }
}

/** What was unpacked is packed again. */
function refusePacked(bytes: Buffer): void {
  if (begins(bytes, [0x1f, 0x8b]) || begins(bytes, [0x50, 0x4b, 0x03, 0x04]))
    throw new FileRejected("file", "A packed file lies within the packed file: pack the text itself, once.");
}
