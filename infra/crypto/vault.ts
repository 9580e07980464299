import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomBytes,
  randomFillSync,
  timingSafeEqual,
  type KeyObject,
} from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { link, open, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Encrypts fields and files of a utility, and makes keyed hashes for look-up.
 *
 * Every utility has keys of its own, derived from the master key with HKDF-SHA-256. Sealed bytes are
 * `1 | nonce (12) | ciphertext | tag (16)`, AES-256-GCM; the context is authenticated, so a value moved to another
 * row or column does not open.
 */
export class Vault {
  readonly #master: Buffer;
  readonly #derived = new Map<string, KeyObject>();

  private constructor(master: Buffer) {
    this.#master = master;
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
    return new Vault(Buffer.from(master, "hex"));
  }

  #key(utility: string, purpose: "field" | "lookup" | "file" | "token"): KeyObject {
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

  /** A fresh key for one archived file, and the same key wrapped for storage beside it. */
  newFileKey(utility: string, fileId: string): { readonly key: Buffer; readonly wrapped: Buffer } {
    const key = randomBytes(32);
    return { key, wrapped: encrypt(this.#key(utility, "file"), `${utility}|${fileId}`, key) };
  }

  openFileKey(utility: string, fileId: string, wrapped: Buffer): Buffer {
    return decrypt(this.#key(utility, "file"), `${utility}|${fileId}`, wrapped);
  }
}

const FORMAT = 1;

const NONCE = 12;
/** Random bytes are drawn for many nonces at once: a draw costs as much as sealing a word. */
const nonces = Buffer.allocUnsafeSlow(NONCE * 341);
let nextNonce = nonces.length;

/** A copy: the drawn bytes are overwritten by the next draw. */
function newNonce(): Buffer {
  if (nextNonce >= nonces.length) {
    randomFillSync(nonces);
    nextNonce = 0;
  }
  return Buffer.from(nonces.subarray(nextNonce, (nextNonce += NONCE)));
}

function encrypt(key: KeyObject, context: string, plain: Buffer): Buffer {
  const nonce = newNonce();
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(Buffer.from(context));
  return Buffer.concat([Buffer.of(FORMAT), nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: KeyObject, context: string, sealed: Buffer): Buffer {
  if (sealed[0] !== FORMAT || sealed.length < 29)
    throw new Error(`Sealed value of "${context}" has an unknown format`);
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(1, 1 + NONCE));
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(sealed.subarray(-16));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(1 + NONCE, -16)), decipher.final()]);
  } catch {
    throw new Error(`Sealed value of "${context}" does not open: another key, or changed bytes`);
  }
}
