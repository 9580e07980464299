import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { dkimVerify } from "mailauth/lib/dkim/verify.js";
import { dkimKey, dkimRecord } from "../../notify/index.js";
import type { UtilityConfig } from "../../schemas/config.js";

/** Writes a new key into a folder; returns its path. */
export function writeDkimKey(folder: string, bits = 2048): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: bits });
  const path = join(folder, "dkim.pem");
  writeFileSync(path, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  return path;
}

/** What another implementation (mailauth) says of a mail's signature, with the record of the utility's key for DNS. */
export async function verifyDkim(mail: Buffer | string, utility: Pick<UtilityConfig, "id" | "mail">) {
  const record = dkimRecord(dkimKey(utility)!);
  const bytes = mail.toString("latin1").replace(/\r?\n/g, "\r\n");
  const { results } = await dkimVerify(Buffer.from(bytes, "latin1"), {
    resolver: async (name: string, type: string) => {
      if (name !== record.name || type !== "TXT")
        throw Object.assign(new Error("no such name"), { code: "ENOTFOUND" });
      return [[record.text]];
    },
  });
  // What it signs is there, and not in the types.
  type Result = (typeof results)[number] & { readonly signingHeaders?: { readonly keys: string } };
  return results.map(({ status, signingDomain, selector, signingHeaders }: Result) => ({
    result: status.result,
    domain: signingDomain,
    selector,
    aligned: status.aligned,
    headers: signingHeaders?.keys.toLowerCase().split(/:\s*/) ?? [],
  }));
}
