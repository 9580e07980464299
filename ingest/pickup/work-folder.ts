import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join, sep } from "node:path";
import { shortened } from "./drop-folder.js";

/** As many claims are told apart within a millisecond: four digits to the base of 36. */
const PLACES = 36 ** 4;
/** Bytes of a file's name that its name in the work folder keeps. */
const KEPT_NAME_BYTES = 150;

/** Where claimed files lie until they are in the archive: a folder a source, in the data directory. */
export class WorkFolder {
  readonly #path: string;
  #claims = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Makes the folder where it is missing.
   * @returns its random name, for its lock and for what is claimed for it
   */
  async open(): Promise<string> {
    await mkdir(this.#path, { recursive: true, mode: 0o700 });
    const file = join(this.#path, ".id");
    const id = await readFile(file, "utf8").catch(() => undefined);
    if (id !== undefined) return id;
    // Another process may be doing the same: one draft gets the name, whole.
    const draft = `${file}.${randomBytes(6).toString("hex")}`;
    await writeFile(draft, randomBytes(6).toString("hex"), { mode: 0o600 });
    await link(draft, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
    await rm(draft);
    return readFile(file, "utf8");
  }

  holds(path: string): boolean {
    return path.startsWith(this.#path + sep);
  }

  /** The source's folder, made where it is missing. */
  async folderOf(utility: string, source: string): Promise<string> {
    const folder = join(this.#path, utility, source);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return folder;
  }

  /** A path that no file has, for one that is claimed now: paths of a source sort in order of their claims. */
  async newPath(utility: string, source: string, name: string): Promise<string> {
    // One millisecond may see several.
    const place = (this.#claims++ % PLACES).toString(36).padStart(4, "0");
    const unique = `${Date.now().toString(36)}${place}${randomBytes(4).toString("hex")}`;
    // No partial name, so that it is not taken for a draft of ours.
    const kept = shortened(basename(name), KEPT_NAME_BYTES).replace(/\.part$/i, "");
    return join(await this.folderOf(utility, source), `${unique}_${kept}`);
  }
}
