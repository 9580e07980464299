import { z } from "zod";
import { requireTls } from "../../infra/endpoints.js";
import type { Config } from "../../schemas/config.js";
import { credentialsOf } from "./twilio-rest.js";

const GIVE_UP_MS = 5_000;

/** What is known of a number. `carrier`: the name of its network, as the provider has it. */
export interface Line {
  readonly kind: "mobile" | "landline" | "voip" | "other";
  readonly carrier: string | undefined;
}

/**
 * Asks what kind of line a number is. `undefined`: there is no answer now.
 * @param number E.164
 */
export type LookUp = (number: string) => Promise<Line | undefined>;

const answer = z.object({
  line_type_intelligence: z
    .object({
      type: z.string().nullable(),
      carrier_name: z.string().nullable(),
      error_code: z.number().nullable(),
    })
    .nullable(),
});

const KINDS: Readonly<Record<string, Line["kind"]>> = {
  mobile: "mobile",
  landline: "landline",
  fixedVoip: "voip",
  nonFixedVoip: "voip",
};

/**
 * Twilio's Lookup, version 2, line type intelligence (which it bills by the number).
 * @throws Error where the file with the token can't be read, or there is none, or the address is plain and not this machine
 */
export function createTwilioLookUp(twilio: NonNullable<Config["twilio"]>): LookUp {
  const { lookupUrl } = twilio;
  const { authorization } = credentialsOf(twilio);
  requireTls("twilio.lookupUrl", lookupUrl, lookupUrl.startsWith("https:"));
  return async (number) => {
    try {
      const url = `${lookupUrl}/v2/PhoneNumbers/${encodeURIComponent(number)}?Fields=line_type_intelligence`;
      const response = await fetch(url, {
        headers: { authorization },
        redirect: "error",
        signal: AbortSignal.timeout(GIVE_UP_MS),
      });
      const found = answer.safeParse(await response.json()).data?.line_type_intelligence;
      if (!response.ok || found === undefined || found === null || found.error_code !== null)
        return undefined;
      return { kind: KINDS[found.type ?? ""] ?? "other", carrier: found.carrier_name ?? undefined };
    } catch {
      // Away, or no JSON: a number that was not looked up is written to like any other.
      return undefined;
    }
  };
}
