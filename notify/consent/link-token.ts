import type { Vault } from "../../infra/crypto/vault.js";

/**
 * Tokens of links: a random id of 122 bits and its signature of 128 bits, 43 characters of base64url. The signature is
 * stored nowhere, so whoever reads the database without the key file can't make a link.
 */
export type LinkPurpose = "confirm" | "unsubscribe" | "leave" | "choices" | "answer";

export function linkToken(vault: Vault, utility: string, purpose: LinkPurpose, id: string): string {
  const bytes = Buffer.from(id.replaceAll("-", ""), "hex");
  return Buffer.concat([bytes, vault.sign(utility, `${purpose}|${id}`)]).toString("base64url");
}

/** The id that a token names (a UUID), or `undefined` where it has another shape; the signature is still to be checked. */
export function linkId(token: string): string | undefined {
  if (!/^[\w-]{43}$/.test(token)) return undefined;
  const hex = Buffer.from(token, "base64url").toString("hex", 0, 16);
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export function linkMatches(
  vault: Vault,
  utility: string,
  purpose: LinkPurpose,
  id: string,
  token: string,
): boolean {
  return vault.signatureMatches(utility, `${purpose}|${id}`, Buffer.from(token, "base64url").subarray(16));
}
