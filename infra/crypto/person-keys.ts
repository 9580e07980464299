import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { randomBytes } from "node:crypto";
import { decrypt, encrypt } from "./aead.js";
import type { Vault } from "./vault.js";

/** The key of a person is gone: they were erased. */
export class PersonErased extends Error {
  override readonly name = "PersonErased";
}

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * A key for each person, wrapped by their utility's key, in a file of its own: what is sealed with it can't be read any
 * more once the file is gone, neither in the database nor in any backup of it. So the folder is mirrored, never archived
 * (docs/operations.md). Nothing is kept in memory: a key that another process destroyed is gone here too.
 */
export class PersonKeys {
  readonly #folder: string;
  readonly #vault: Vault;

  constructor(folder: string, vault: Vault) {
    this.#folder = folder;
    this.#vault = vault;
  }

  /** Whether there is any key at all: where there are people and none, the folder is not where it was. */
  get exists(): boolean {
    return existsSync(this.#folder);
  }

  /** Makes the key of a person; on the disk when this returns. */
  create(utility: string, person: string): void {
    const path = this.#path(person);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const draft = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
    const file = openSync(draft, "wx", 0o600);
    try {
      writeSync(file, this.#vault.newKey(utility, "person", person).wrapped);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    try {
      linkSync(draft, path);
    } finally {
      rmSync(draft);
    }
    syncFolder(dirname(path));
  }

  seal(utility: string, person: string, context: string, plain: string): Buffer {
    return encrypt(this.#key(utility, person), `${utility}|${context}`, Buffer.from(plain));
  }

  /** @throws PersonErased where the key is gone, Error where it was sealed for another person, utility or context */
  unseal(utility: string, person: string, context: string, sealed: Buffer): string {
    return decrypt(this.#key(utility, person), `${utility}|${context}`, sealed).toString("utf8");
  }

  /** Gone for good when this returns; nothing where it is gone already. */
  destroy(person: string): void {
    const path = this.#path(person);
    rmSync(path, { force: true });
    try {
      syncFolder(dirname(path));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }

  #key(utility: string, person: string): Buffer {
    let wrapped: Buffer;
    try {
      wrapped = readFileSync(this.#path(person));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      throw new PersonErased(
        "The key of the person is gone: what was sealed with it can't be read any more.",
      );
    }
    return this.#vault.openKey(utility, "person", person, wrapped);
  }

  /** 256 folders, so that none gets too many files. */
  #path(person: string): string {
    if (!ID.test(person)) throw new RangeError("a person is named by a UUID");
    return join(this.#folder, person.slice(0, 2), person);
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
