const UNPACK = "pack it with gzip or zip, or send it as it is.";
const EXPORT = "export it as CSV.";

/** First bytes, and what they are told as. */
const MARKS: readonly (readonly [mark: readonly number[], what: string])[] = [
  [[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1], `an Excel workbook of the old kind (.xls): ${EXPORT}`],
  [bytesOf("%PDF-"), "a PDF: ask for the data that it was made of, as CSV."],
  [bytesOf("PAR1"), `a Parquet file: ${EXPORT}`],
  [bytesOf("SQLite format 3\0"), `a SQLite database: ${EXPORT}`],
  [[0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], `a 7z archive, which is not read: ${UNPACK}`],
  [bytesOf("Rar!\x1a\x07"), `a RAR archive, which is not read: ${UNPACK}`],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], `packed with xz, which is not read: ${UNPACK}`],
  [[0x28, 0xb5, 0x2f, 0xfd], `packed with zstd, which is not read: ${UNPACK}`],
  [[0x1f, 0x9d], `packed with compress (.Z), which is not read: ${UNPACK}`],
];
/** The digits of pi that begin each bzip2 block, behind "BZh" and the level. */
const BZIP2 = Buffer.from([0x31, 0x41, 0x59, 0x26, 0x53, 0x59]);
/** Of a tar archive's first header (POSIX.1-1988). */
const TAR = { mark: bytesOf("ustar"), at: 257 };
const PGP =
  "encrypted with PGP: decrypt it before it is dropped, or have it sent plain (SFTP encrypts it on its way).";

/**
 * What a file is that is no text, and what to do about it; `undefined` where it may be text.
 * @param bytes the unpacked file's first ones; some hundreds tell all kinds, fewer most
 */
export function notText(bytes: Buffer): string | undefined {
  for (const [mark, what] of MARKS) if (begins(bytes, mark)) return `The file is ${what}`;
  if (begins(bytes, bytesOf("BZh")) && bytes.subarray(4, 10).equals(BZIP2))
    return `The file is packed with bzip2, which is not read: ${UNPACK}`;
  if (begins(bytes.subarray(TAR.at), TAR.mark))
    return `The file is a tar archive, which is not read: send its members, or a zip archive of them.`;
  if (isPgp(bytes)) return `The file is ${PGP}`;
  const words = bytes.toString("latin1", 0, 200).trimStart().toLowerCase();
  if (words.startsWith("<!doctype html") || words.startsWith("<html"))
    return "The file is a web page (HTML), maybe an error or a login that was saved in its place: look at it, and have the data sent again.";
  return undefined;
}

/** Armoured, or a session key or a passphrase's packet in front (RFC 9580 §4.2, §5.1, §5.3). */
function isPgp(bytes: Buffer): boolean {
  if (begins(bytes, bytesOf("-----BEGIN PGP MESSAGE-----"))) return true;
  const [tag, first] = bytes;
  const version = tag === 0x84 || tag === 0x85 || tag === 0xc1 ? 3 : tag === 0x8c || tag === 0xc3 ? 4 : -1;
  const twoBytes = tag === 0x85 || (tag === 0xc1 && first !== undefined && first >= 192);
  return bytes[twoBytes ? 3 : 2] === version;
}

/** Whether these are a file's first bytes. */
export function begins(bytes: Buffer, mark: readonly number[]): boolean {
  return bytes.subarray(0, mark.length).equals(Buffer.from(mark));
}

function bytesOf(text: string): number[] {
  return [...Buffer.from(text, "latin1")];
}
