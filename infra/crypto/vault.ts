import {
  createHmac,
  createSecretKey,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
  type KeyObject,
} from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { link, open, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { decrypt, encrypt } from "./aead.js";
import { PersonKeys } from "./person-keys.js";

/** What has a key of its own. */
type KeyOf = "file" | "person";

/**
 * Encrypts fields and files of a utility, and makes keyed hashes for look-up.
 *
 * Every utility has keys of its own, derived from the master key with HKDF-SHA-256. The context is authenticated, so a
 * value moved to another row or column does not open.
 */
export class Vault {
  readonly #master: Buffer;
  readonly #derived = new Map<string, KeyObject>();
  /** Keys of people, in the folder `people` beside the key file. */
  readonly people: PersonKeys;

  private constructor(master: Buffer, folder: string) {
    this.#master = master;
    this.people = new PersonKeys(folder, this);
  }

  /**
   * Reads the master key, or makes it at first use (mode 600; of two that start at once, one wins).
   * @throws Error where the file does not hold 32 bytes in hex
   */
  static async open(keyFile: string): Promise<Vault> {
    if (!existsSync(keyFile)) {
      mkdirSync(dirname(keyFile), { recursive: true, mode: 0o700 });
      const draft = `${keyFile}.${process.pid}.${randomBytes(4).toString("hex")}`;
      const handle = await open(draft, "wx", 0o600);
      await handle.writeFile(JSON.stringify({ version: 1, master: randomBytes(32).toString("hex") }) + "\n");
      await handle.sync();
      await handle.close();
      await link(draft, keyFile).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "EEXIST") throw error;
      });
      await rm(draft);
    }
    const { master } = JSON.parse(readFileSync(keyFile, "utf8")) as { master?: unknown };
    if (typeof master !== "string" || !/^[0-9a-f]{64}$/.test(master)) {
      throw new Error(
        `Key file ${keyFile}: "master" must be 64 hex characters. Restore the file from where keys are kept.`,
      );
    }
    return new Vault(Buffer.from(master, "hex"), join(dirname(keyFile), "people"));
  }

  #key(utility: string, purpose: "field" | "lookup" | "token" | KeyOf): KeyObject {
    const name = `${utility}/${purpose}`;
    let key = this.#derived.get(name);
    if (key === undefined) {
      const derived = hkdfSync("sha256", this.#master, Buffer.alloc(0), `curbstop/1/${name}`, 32);
      key = createSecretKey(Buffer.from(derived));
      this.#derived.set(name, key);
    }
    return key;
  }

  /** Seals `plain`; `context` names table, column and row, such as "contacts.email". */
  seal(utility: string, context: string, plain: string | Buffer): Buffer {
    return encrypt(this.#key(utility, "field"), `${utility}|${context}`, Buffer.from(plain as string));
  }

  /** @throws Error where key, utility or context are not those of the sealing */
  unseal(utility: string, context: string, sealed: Buffer): Buffer {
    return decrypt(this.#key(utility, "field"), `${utility}|${context}`, sealed);
  }

  /** HMAC-SHA-256 (32 bytes) of a canonical value, for equality look-up; `kind` keeps equal values of two kinds apart. */
  hash(utility: string, kind: string, canonical: string): Buffer {
    return createHmac("sha256", this.#key(utility, "lookup")).update(`${kind}\0${canonical}`).digest();
  }

  /** Signature (16 bytes) for links; compare with `signatureMatches`. */
  sign(utility: string, text: string): Buffer {
    return createHmac("sha256", this.#key(utility, "token")).update(text).digest().subarray(0, 16);
  }

  signatureMatches(utility: string, text: string, signature: Buffer): boolean {
    const expected = this.sign(utility, text);
    return signature.length === expected.length && timingSafeEqual(signature, expected);
  }

  /** A fresh key for one archived file or one person, and the same key wrapped for storage. */
  newKey(utility: string, of: KeyOf, id: string): { readonly key: Buffer; readonly wrapped: Buffer } {
    const key = randomBytes(32);
    return { key, wrapped: encrypt(this.#key(utility, of), `${utility}|${id}`, key) };
  }

  /** @throws Error where it was wrapped for another utility, purpose or id */
  openKey(utility: string, of: KeyOf, id: string, wrapped: Buffer): Buffer {
    return decrypt(this.#key(utility, of), `${utility}|${id}`, wrapped);
  }
}
