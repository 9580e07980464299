import { createCipheriv, createDecipheriv, randomFillSync, type KeyObject } from "node:crypto";

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

/**
 * Sealed bytes are `1 | nonce (12) | ciphertext | tag (16)`, AES-256-GCM.
 * @param key 32 bytes, @param context authenticated, not in the bytes
 */
export function encrypt(key: KeyObject | Buffer, context: string, plain: Buffer): Buffer {
  const nonce = newNonce();
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(Buffer.from(context));
  return Buffer.concat([Buffer.of(FORMAT), nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** @throws Error where key or context are not those of `encrypt` */
export function decrypt(key: KeyObject | Buffer, context: string, sealed: Buffer): Buffer {
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
