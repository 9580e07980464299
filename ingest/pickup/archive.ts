import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { constants, createBrotliCompress, createBrotliDecompress, createGunzip } from "node:zlib";
import type { Vault } from "../../infra/crypto/vault.js";
import type { Database } from "../../infra/postgres/database.js";

/** Large: every chunk is a round through the thread pool. */
const CHUNK = 256 * 1024;
const SMALL = 1024;
const NONCE = 12;
const TAG = 16;

/**
 * Brotli of quality 1: smaller than zlib's lowest level, in two thirds of its time (docs/performance.md). Told the size, it
 * takes little room for a small file.
 */
function packer(bytes: number) {
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: 1,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes,
    [constants.BROTLI_PARAM_LGWIN]: Math.min(
      constants.BROTLI_DEFAULT_WINDOW,
      Math.max(constants.BROTLI_MIN_WINDOW_BITS, Math.ceil(Math.log2(bytes + 1))),
    ),
  };
  return createBrotliCompress({ params, chunkSize: Math.min(CHUNK, bytes + SMALL) });
}

/** Original files, compressed and encrypted, each under a key of its own that the utility's key wraps. */
export class Archive {
  readonly #root: string;
  readonly #vault: Vault;

  constructor(root: string, vault: Vault) {
    this.#root = root;
    this.#vault = vault;
  }

  /** Stores the file at `path`; returns where (below the archive's root), and its wrapped key. Durable when it resolves. */
  async store(
    path: string,
    utility: string,
    file: number,
    at: Date,
  ): Promise<{ readonly path: string; readonly key: Buffer }> {
    const relative = join(utility, at.toISOString().slice(0, 7), `${file}.br.enc`);
    const target = join(this.#root, relative);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    const { key, wrapped } = this.#vault.newKey(utility, "file", String(file));
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv("aes-256-gcm", key, nonce);
    const draft = `${target}.part`;
    const out = createWriteStream(draft, { mode: 0o600 });
    out.write(nonce);
    const { size } = await stat(path);
    const original = createReadStream(path, { highWaterMark: Math.min(CHUNK, size + SMALL) });
    await pipeline(original, packer(size), cipher, out, { end: false });
    await new Promise<void>((resolve, reject) => {
      out.once("error", reject);
      out.end(cipher.getAuthTag(), resolve);
    });
    const handle = await open(draft, "r");
    await handle.sync();
    await handle.close();
    await rename(draft, target);
    // The name must last as well: the original goes after this.
    const folder = await open(dirname(target), "r");
    await folder.sync();
    await folder.close();
    return { path: relative, key: wrapped };
  }

  /** Takes a stored file away that the ledger does not know, or no longer. */
  async remove(relative: string): Promise<void> {
    await rm(join(this.#root, relative), { force: true });
  }

  /** Writes an archived file back to `to`, which is there whole or not at all. @throws Error where it was changed or belongs to another key */
  async restore(relative: string, utility: string, file: number, wrapped: Buffer, to: string): Promise<void> {
    const source = join(this.#root, relative);
    const { size } = await stat(source);
    const handle = await open(source, "r");
    const nonce = Buffer.alloc(NONCE);
    const tag = Buffer.alloc(TAG);
    await handle.read(nonce, 0, NONCE, 0);
    await handle.read(tag, 0, TAG, size - TAG);
    await handle.close();
    const decipher = createDecipheriv(
      "aes-256-gcm",
      this.#vault.openKey(utility, "file", String(file), wrapped),
      nonce,
    );
    decipher.setAuthTag(tag);
    const draft = `${to}.part`;
    try {
      await pipeline(
        createReadStream(source, { start: NONCE, end: size - TAG - 1 }),
        decipher,
        // Files of before 2026-11-25 are packed by gzip.
        relative.endsWith(".gz.enc") ? createGunzip() : createBrotliDecompress(),
        createWriteStream(draft, { mode: 0o600 }),
      );
      await rename(draft, to);
    } finally {
      await rm(draft, { force: true });
    }
  }

  /** Deletes what is older than its utility's retention; returns how many files went. */
  purge(database: Database, utility: string, before: Date): Promise<number> {
    return this.#delete(database, "utility = $1 AND claimed_at < $2", [utility, before]);
  }

  /** Deletes all that a source brought; returns how many files went. */
  forget(database: Database, utility: string, source: string): Promise<number> {
    return this.#delete(database, "utility = $1 AND source = $2", [utility, source]);
  }

  async #delete(database: Database, which: string, values: readonly unknown[]): Promise<number> {
    const old = await database.query<{ file: number; archive_path: string }>(
      `SELECT file, archive_path FROM files WHERE archive_path IS NOT NULL AND ${which}`,
      values,
    );
    for (const { file, archive_path } of old) {
      await this.remove(archive_path);
      await database.query("UPDATE files SET archive_path = NULL, archive_key = NULL WHERE file = $1", [
        file,
      ]);
    }
    return old.length;
  }
}
