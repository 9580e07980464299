import { readFileSync } from "node:fs";
import { ConfigurationError } from "../infra/config/load-config.js";

const MOST_BYTES = 100_000;
const KINDS = [
  ["image/png", Buffer.from([0x89, 0x50, 0x4e, 0x47])],
  ["image/jpeg", Buffer.from([0xff, 0xd8, 0xff])],
] as const;
const read = new Map<string, string>();

/**
 * A logo as a `data:` URL, read once: a page loads nothing.
 * @throws ConfigurationError where the file can't be read, is larger than 100 kB, or neither PNG nor JPEG
 */
export function logoOf(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  let url = read.get(file);
  if (url === undefined) {
    const bytes = bytesOf(file);
    const kind = KINDS.find(([, mark]) => bytes.subarray(0, mark.length).equals(mark))?.[0];
    if (kind === undefined) throw wrong(file, "is neither a PNG nor a JPEG");
    if (bytes.length > MOST_BYTES) throw wrong(file, `has ${bytes.length} bytes, and may have ${MOST_BYTES}`);
    url = `data:${kind};base64,${bytes.toString("base64")}`;
    read.set(file, url);
  }
  return url;
}

function bytesOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw wrong(file, `can't be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

function wrong(file: string, what: string): ConfigurationError {
  return new ConfigurationError([`brand.logoFile: ${file} ${what}.`]);
}
