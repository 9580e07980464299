import { lstat, mkdir, readdir, rename, unlink } from "node:fs/promises";
import { basename, join } from "node:path";
import type { SourceConfig } from "../../schemas/config.js";

/** Endings that senders give to files that are still being written. */
const PARTIAL = /\.(part|partial|tmp|temp|filepart|uploading|crdownload)$/i;

/** Folder inside a drop folder for reports on rejected files. */
export const REJECTED_FOLDER = "rejected";

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
  #seen = new Map<string, Seen>();

  constructor(source: SourceConfig) {
    this.#source = source;
    const pattern = source.files
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".");
    this.#matches = new RegExp(`^${pattern}$`, "i");
  }

  get folder(): string {
    return this.#source.folder;
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
      const { size, mtimeMs } = await lstat(join(this.#source.folder, name));
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

  /** Takes a file out of the folder: of several that try, one succeeds. Returns whether it was this one. */
  async claim(name: string, to: string): Promise<boolean> {
    try {
      await rename(join(this.#source.folder, name), to);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
      if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
      throw new Error(
        `The drop folder of source ${this.#source.id} and the data directory are on different file systems, so files ` +
          `can't be claimed in one step. Put dataDirectory on the file system of the drop folders.`,
      );
    }
    if (this.#source.complete.by === "marker") {
      await unlink(join(this.#source.folder, name + this.#source.complete.suffix)).catch(() => undefined);
    }
    return true;
  }

  /** Where the report on a rejected file goes. */
  async reportPath(name: string): Promise<string> {
    const folder = join(this.#source.folder, REJECTED_FOLDER);
    await mkdir(folder, { recursive: true });
    return join(folder, `${basename(name)}.rejected.json`);
  }
}
