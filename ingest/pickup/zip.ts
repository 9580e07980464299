import type { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import yauzl, { type Entry, type ZipFile } from "yauzl";
import { FileRejected } from "../formats/format.js";
import { namePattern } from "./name-pattern.js";

/** Members that an archive may have at most, read or not. */
export const MOST_MEMBERS = 1_000;
/** Folders that macOS puts beside what was packed. */
const RESOURCE_FORKS = /^__MACOSX\//;
const SPREADSHEET = "[Content_Types].xml";

export interface ZipOptions {
  /** Pattern of the names of members that are read, without their folders; `*` and `?` stand for any characters. */
  readonly members: string;
  /** Most bytes that the members may unpack to, all together. */
  readonly maxBytes: number;
}

/**
 * Bytes of the members of a zip archive that are read, unpacked, one after the other in the order of their names. Folders
 * and hidden names are passed over. Nothing is written, so that names lead nowhere.
 * @throws FileRejected where the archive is damaged, encrypted, not of text, or larger than allowed; members are told by
 * their number in the archive, never by their name
 */
export async function* zipMembers(path: string, options: ZipOptions): AsyncIterable<AsyncIterable<Buffer>> {
  const zip = await opened(path);
  try {
    for (const { entry, number } of await readable(zip, options)) yield unpacked(zip, entry, number);
  } finally {
    zip.close();
  }
}

/** Names, without folders, of the members that `zipMembers` reads. @throws FileRejected as it does, as far as the directory tells */
export async function namesOfZipMembers(path: string, options: ZipOptions): Promise<string[]> {
  const zip = await opened(path);
  try {
    return (await readable(zip, options)).map(({ entry }) => baseName(entry));
  } finally {
    zip.close();
  }
}

interface Member {
  readonly entry: Entry;
  /** Its place in the archive, 1 is the first. */
  readonly number: number;
}

async function opened(path: string): Promise<ZipFile> {
  try {
    return await yauzl.openPromise(path, { autoClose: false });
  } catch (error) {
    throw asRejection(error, "The zip archive is cut off or damaged: it has no directory at its end.");
  }
}

async function readable(zip: ZipFile, { members, maxBytes }: ZipOptions): Promise<Member[]> {
  if (zip.entryCount > MOST_MEMBERS)
    throw new FileRejected(
      "file",
      `The zip archive has ${zip.entryCount} members, more than ${MOST_MEMBERS}: pack them into several archives.`,
    );
  const isWanted = namePattern(members);
  const found: Member[] = [];
  let number = 0;
  let bytes = 0;
  try {
    for await (const entry of zip.eachEntry()) {
      number++;
      const { fileName } = entry;
      const name = baseName(entry);
      if (fileName === SPREADSHEET)
        throw new FileRejected("file", "The file is a spreadsheet, not text: export it as CSV.");
      if (name === "" || name.startsWith(".") || RESOURCE_FORKS.test(fileName) || !isWanted.test(name))
        continue;
      if (entry.isEncrypted())
        throw new FileRejected(
          "file",
          `Member ${number} of the zip archive is encrypted: pack it without a password.`,
        );
      if (!entry.canDecodeFileData())
        throw new FileRejected(
          "file",
          `Member ${number} of the zip archive is packed by method ${entry.compressionMethod}: use deflate, which every tool knows.`,
        );
      bytes += entry.uncompressedSize;
      if (bytes > maxBytes)
        throw new FileRejected(
          "file",
          `The zip archive unpacks to more than ${maxBytes} bytes. Raise the source's maxFileBytes, or look at the file.`,
        );
      found.push({ entry, number });
    }
  } catch (error) {
    throw asRejection(error, "The directory of the zip archive is damaged, or names a place outside of it.");
  }
  if (found.length === 0)
    throw new FileRejected(
      "file",
      `None of the ${number} members of the zip archive is to be read. Mend the source's members.`,
    );
  return found.sort((a, b) =>
    a.entry.fileName < b.entry.fileName ? -1 : a.entry.fileName > b.entry.fileName ? 1 : a.number - b.number,
  );
}

function baseName({ fileName }: Entry): string {
  return fileName.slice(fileName.lastIndexOf("/") + 1);
}

/** Its size is held to that of the directory by yauzl, its sum here. */
async function* unpacked(zip: ZipFile, entry: Entry, number: number): AsyncIterable<Buffer> {
  const damaged = `Member ${number} of the zip archive is damaged.`;
  let stream: Readable | undefined;
  let sum = 0;
  try {
    stream = await zip.openReadStreamPromise(entry);
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      sum = crc32(chunk, sum);
      yield chunk;
    }
  } catch (error) {
    throw asRejection(error, damaged);
  } finally {
    stream?.destroy();
  }
  if (sum !== entry.crc32) throw new FileRejected("file", damaged);
}

/** What is wrong with the archive, unless the disk failed. */
function asRejection(error: unknown, message: string): unknown {
  if (error instanceof FileRejected || (error as NodeJS.ErrnoException).syscall !== undefined) return error;
  return new FileRejected("file", message);
}
