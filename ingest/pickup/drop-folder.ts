import { constants } from "node:fs";
import { copyFile, lstat, mkdir, open, readdir, rename, unlink } from "node:fs/promises";
import { basename, join } from "node:path";
import type { SourceConfig } from "../../schemas/config.js";
import { namePattern } from "./name-pattern.js";

/** Endings that senders give to files that are still being written. */
const PARTIAL = /\.(part|partial|tmp|temp|filepart|uploading|crdownload)$/i;

/** Folder inside a drop folder for reports on rejected files. */
export const REJECTED_FOLDER = "rejected";
const REPORT = ".rejected.json";
/** Bytes that a name may have, on every file system in use. */
const MOST_NAME_BYTES = 255;

interface Seen {
  readonly size: number;
  readonly mtimeMs: number;
  /** Milliseconds by the monotonic clock: when it was first seen like this. */
  readonly since: number;
}

/** Watches one source's drop folder by polling: network file systems tell nothing. */
export class DropFolder {
  readonly #source: SourceConfig;
  readonly #matches: RegExp;
  /** Hidden prefix of files that we took and have not brought over yet. */
  readonly #claimed: string;
  #seen = new Map<string, Seen>();

  /** @param owner names the data directory: of two that watch the folder, each knows what it took */
  constructor(source: SourceConfig, owner: string) {
    this.#source = source;
    this.#claimed = `.claimed-${owner}-`;
    this.#matches = namePattern(source.files);
  }

  /**
   * Names of whole files, oldest first (by name, which carries the date in most feeds). Hidden and partial names, links,
   * folders and pipes are never taken.
   */
  async complete(): Promise<{ readonly names: string[]; readonly waiting: number }> {
    await mkdir(this.#source.folder, { recursive: true });
    const entries = await readdir(this.#source.folder, { withFileTypes: true });
    const present = new Set(entries.map(({ name }) => name));
    const { complete } = this.#source;
    const names: string[] = [];
    const seen = new Map<string, Seen>();
    let waiting = 0;
    const now = performance.now();
    for (const entry of entries) {
      const { name } = entry;
      if (!entry.isFile() || name.startsWith(".") || PARTIAL.test(name) || !this.#matches.test(name))
        continue;
      if (complete.by === "marker") {
        if (name.endsWith(complete.suffix)) continue;
        if (present.has(name + complete.suffix)) names.push(name);
        else waiting++;
        continue;
      }
      const found = await lstat(join(this.#source.folder, name)).catch(ifMissing);
      if (found === undefined) continue;
      const { size, mtimeMs } = found;
      const before = this.#seen.get(name);
      const since =
        before !== undefined && before.size === size && before.mtimeMs === mtimeMs ? before.since : now;
      seen.set(name, { size, mtimeMs, since });
      if (now - since >= complete.seconds * 1000) names.push(name);
      else waiting++;
    }
    this.#seen = seen;
    return { names: names.sort(), waiting };
  }

  /**
   * Takes a file out of the folder: of several that try, one succeeds. Returns whether it was this one. A file that was
   * written to since `complete` found it stays for the next look.
   */
  async claim(name: string, to: string): Promise<boolean> {
    const from = join(this.#source.folder, name);
    const seen = this.#seen.get(name);
    if (seen !== undefined) {
      const now = await lstat(from).catch(ifMissing);
      if (now?.size !== seen.size || now.mtimeMs !== seen.mtimeMs) return false;
    }
    try {
      await rename(from, to);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return false;
      if (codeOf(error) !== "EXDEV") throw error;
      // The data directory is on another file system. Renamed within the folder the file is ours, then it is copied.
      const hidden = join(this.#source.folder, this.#claimed + basename(to));
      const ours = await rename(from, hidden).then(() => true, ifMissing);
      if (ours !== true) return false;
      await bringOver(hidden, to);
    }
    await this.dropMarker(name);
    return true;
  }

  /** Names that `claim` gave to files which a former run has not brought over. */
  async claimedBefore(): Promise<string[]> {
    const names = (await readdir(this.#source.folder).catch(ifMissing)) ?? [];
    return names
      .filter((name) => name.startsWith(this.#claimed))
      .map((name) => name.slice(this.#claimed.length));
  }

  /** Goes on with a claim that was broken off. */
  async bring(claimed: string, to: string): Promise<void> {
    await bringOver(join(this.#source.folder, this.#claimed + claimed), to);
  }

  /** A marker without its file would make the next file of that name look whole while it is being written. */
  async dropMarker(name: string): Promise<void> {
    if (this.#source.complete.by === "marker") {
      await unlink(join(this.#source.folder, name + this.#source.complete.suffix)).catch(ifMissing);
    }
  }

  /** Where the report on a rejected file goes. */
  async reportPath(name: string): Promise<string> {
    const folder = join(this.#source.folder, REJECTED_FOLDER);
    await mkdir(folder, { recursive: true });
    return join(folder, shortened(basename(name), MOST_NAME_BYTES - REPORT.length) + REPORT);
  }
}

/** The end of a name, in at most so many bytes of UTF-8. */
export function shortened(name: string, mostBytes: number): string {
  const bytes = Buffer.from(name);
  let from = Math.max(0, bytes.length - mostBytes);
  // Not within a character: its further bytes are 10xxxxxx.
  while (from > 0 && from < bytes.length && (bytes[from]! & 0xc0) === 0x80) from++;
  return bytes.toString("utf8", from);
}

/** Copies to another file system; the file is there whole or not at all, and durable before the original goes. */
async function bringOver(from: string, to: string): Promise<void> {
  const draft = `${to}.part`;
  await copyFile(from, draft, constants.COPYFILE_FICLONE);
  const handle = await open(draft, "r");
  await handle.sync();
  await handle.close();
  await rename(draft, to);
  await unlink(from);
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

function ifMissing(error: unknown): undefined {
  if (codeOf(error) !== "ENOENT") throw error;
  return undefined;
}
