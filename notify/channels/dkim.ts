import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import type DKIM from "nodemailer/lib/dkim/index.js";
import { domainOf, type UtilityConfig } from "../../schemas/config.js";

/** Shorter keys are refused by large receivers (Gmail); RFC 8301 wants 2048. */
const LEAST_BITS = 1024;

/** How the mails of a utility are signed. */
export interface DkimKey {
  readonly domain: string;
  readonly selector: string;
  readonly key: KeyObject;
}

/**
 * The key by which a utility signs; `undefined` where its mail server does.
 * @throws Error where the file is none of an RSA key: nodemailer would send the mail unsigned and say nothing
 */
export function dkimKey({ id, mail }: Pick<UtilityConfig, "id" | "mail">): DkimKey | undefined {
  const { dkim, from } = mail;
  if (dkim === undefined) return undefined;
  const wrong = (found: string) =>
    new Error(
      `mail.dkim.keyFile of utility ${id}: expected an RSA private key (PEM) of ${LEAST_BITS} bits or more, found ${found}. ` +
        `Make one with: openssl genrsa -out ${dkim.keyFile} 2048`,
    );
  let text: string;
  try {
    text = readFileSync(dkim.keyFile, "utf8");
  } catch (error) {
    throw wrong(`${(error as NodeJS.ErrnoException).code ?? "no"} file`);
  }
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch {
    throw wrong("something else");
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== "rsa") throw wrong(`a key of another kind (${key.asymmetricKeyType})`);
  if (bits < LEAST_BITS) throw wrong(`${bits} bits`);
  return { domain: dkim.domain ?? domainOf(from), selector: dkim.selector, key };
}

/** As nodemailer takes it: the headers of RFC 6376 §5.4.1, and those of lists, one-click unsubscription too (RFC 8058 §4). */
export function signingOptions({ domain, selector, key }: DkimKey): DKIM.SingleKeyOptions {
  return {
    domainName: domain,
    keySelector: selector,
    privateKey: key.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

/** What DNS must say, as a zone file has it: name and text. */
export function dkimRecord({ domain, selector, key }: DkimKey): {
  readonly name: string;
  readonly text: string;
} {
  const open = createPublicKey(key).export({ type: "spki", format: "der" }).toString("base64");
  return { name: `${selector}._domainkey.${domain}`, text: `v=DKIM1; k=rsa; p=${open}` };
}
