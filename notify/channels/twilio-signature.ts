import { createHmac, timingSafeEqual } from "node:crypto";
import type { ProviderCall } from "./channel.js";

/** X-Twilio-Signature: HMAC-SHA1 by the token over the address and every parameter, sorted by name. */
export function isSigned({ url, parameters, headers }: ProviderCall, token: string): boolean {
  const given = headers["x-twilio-signature"];
  if (typeof given !== "string") return false;
  const text = Object.keys(parameters)
    .sort()
    .reduce((all, name) => all + name + parameters[name]!, url);
  const expected = createHmac("sha1", token).update(text, "utf8").digest();
  const signature = Buffer.from(given, "base64");
  return signature.length === expected.length && timingSafeEqual(signature, expected);
}
