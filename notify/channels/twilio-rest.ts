import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { requireTls } from "../../infra/endpoints.js";
import type { Config } from "../../schemas/config.js";
import type { DeliveryFault, Outcome, ProviderCall } from "./channel.js";
import { codeOf, NOT_SENT, secretOf } from "./http.js";

const VERSION = "2010-04-01";
const GIVE_UP_MS = 30_000;

const created = z.object({ sid: z.string() });
const refused = z.object({ code: z.number().optional() });

/** What Twilio's error codes say of a number or a sender. */
export type TwilioFaults = Readonly<Record<string, DeliveryFault>>;

/** An account at Twilio: its REST API, version 2010-04-01, and what it signs. */
export interface Twilio {
  /** Makes a resource, such as a message or a call. Never rejects. */
  create(resource: "Messages" | "Calls", parameters: URLSearchParams, faults: TwilioFaults): Promise<Outcome>;
  /** Rejects where no answer comes. */
  list(resource: "Messages", query: URLSearchParams): Promise<Response>;
  /** Whether a call to us is signed by the account. */
  isSigned(call: ProviderCall): boolean;
}

type Account = Pick<NonNullable<Config["twilio"]>, "accountSid" | "authTokenFile">;
export type ApiAccount = Account & Pick<NonNullable<Config["twilio"]>, "apiUrl">;

/**
 * The account's token, and the header by which it shows it (Basic).
 * @throws Error where the file with the token can't be read, or there is none
 */
export function credentialsOf({ accountSid, authTokenFile }: Account): {
  token: string;
  authorization: string;
} {
  const token = secretOf("twilio", "CURBSTOP_TWILIO_AUTH_TOKEN", authTokenFile);
  return { token, authorization: `Basic ${Buffer.from(`${accountSid}:${token}`).toString("base64")}` };
}

/** @throws Error where the file with the token can't be read, or there is none, or the address is plain and not this machine */
export function openTwilio(account: ApiAccount): Twilio {
  const { accountSid, apiUrl } = account;
  const { token, authorization } = credentialsOf(account);
  requireTls("twilio.apiUrl", apiUrl, apiUrl.startsWith("https:"));
  const ask = (path: string, init: { readonly method?: string; readonly body?: URLSearchParams } = {}) =>
    fetch(`${apiUrl}/${VERSION}/Accounts/${accountSid}/${path}`, {
      ...init,
      headers: { authorization },
      redirect: "error",
      signal: AbortSignal.timeout(GIVE_UP_MS),
    });
  return {
    async create(resource, body, faults) {
      try {
        return await outcomeOf(await ask(`${resource}.json`, { method: "POST", body }), faults);
      } catch (error) {
        const code = codeOf(error);
        return { status: NOT_SENT.has(code) ? "unreachable" : "unknown", code };
      }
    },
    list: (resource, query) => ask(`${resource}.json?${query.toString()}`),
    isSigned: (call) => isSigned(call, token),
  };
}

async function outcomeOf(response: Response, faults: TwilioFaults): Promise<Outcome> {
  const { status } = response;
  const body: unknown = await response.json().catch(() => undefined);
  if (status === 200 || status === 201) {
    const { success, data } = created.safeParse(body);
    return success ? { status: "accepted", id: data.sid } : { status: "unknown", code: "twilio body" };
  }
  // A fault on their side may come after it was taken.
  if (status >= 500) return { status: "unknown", code: `twilio HTTP ${status}` };
  const code = refused.safeParse(body).data?.code;
  const named = code === undefined ? `twilio HTTP ${status}` : `twilio ${code}`;
  if (status === 401 || status === 403 || status === 404) return { status: "unreachable", code: named };
  const fault = faults[String(code)];
  return {
    status: "refused",
    permanent: status !== 429,
    code: named,
    ...(fault === undefined ? {} : { fault }),
  };
}

/** X-Twilio-Signature: HMAC-SHA1 by the token over the address and every parameter, sorted by name. */
function isSigned({ url, parameters, headers }: ProviderCall, token: string): boolean {
  const given = headers["x-twilio-signature"];
  if (typeof given !== "string") return false;
  const text = Object.keys(parameters)
    .sort()
    .reduce((all, name) => all + name + parameters[name]!, url);
  const expected = createHmac("sha1", token).update(text, "utf8").digest();
  const signature = Buffer.from(given, "base64");
  return signature.length === expected.length && timingSafeEqual(signature, expected);
}
