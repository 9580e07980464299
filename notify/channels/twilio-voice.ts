import { z } from "zod";
import { requireTls } from "../../infra/endpoints.js";
import type { Config } from "../../schemas/config.js";
import type { Language } from "../consent/wording.js";
import type { Channel, Outcome, OutgoingMessage, ProviderCall, StatusReport } from "./channel.js";
import { codeOf, NOT_SENT, secretOf } from "./http.js";
import { isSigned } from "./twilio-signature.js";

const VERSION = "2010-04-01";
const GIVE_UP_MS = 30_000;
/** It rings for so long; then it is tried again later. */
const RING_SECONDS = 30;
/** Seconds for a key after the words, which are said twice. */
const KEY_SECONDS = 8;
const VOICES: Readonly<Record<Language, string>> = { en: "en-US", es: "es-US" };

const created = z.object({ sid: z.string() });
const refused = z.object({ code: z.number().optional() });
/** Codes that say that no call can reach the number: 21211 and 21217 no number, 13224 none that can be called. */
const UNUSABLE: ReadonlySet<number> = new Set([21211, 21217, 13224]);

/** A key that was pressed during a call of ours. */
export interface PressedKey {
  readonly callId: string;
  readonly key: string;
}

/** Calls by Twilio's REST API: words said by a computer voice, and a key to answer. */
export interface VoiceChannel extends Channel {
  /** `undefined`: the call is not the provider's. */
  parseKey(call: ProviderCall): PressedKey | undefined;
  /** What the provider is to do next: to say words, and end the call. */
  say(language: Language, words: string): string;
}

/**
 * A call can't be asked for by what was said in it: one that may have been made is not made again.
 * @throws Error where the file with the token can't be read, or there is none, or the address is plain and not this machine
 */
export function createTwilioVoice(twilio: NonNullable<Config["twilio"]>, web: Config["web"]): VoiceChannel {
  const token = secretOf("twilio", "CURBSTOP_TWILIO_AUTH_TOKEN", twilio.authTokenFile);
  const { accountSid, apiUrl } = twilio;
  requireTls("twilio.apiUrl", apiUrl, apiUrl.startsWith("https:"));
  const calls = `${apiUrl}/${VERSION}/Accounts/${accountSid}/Calls.json`;
  const authorization = `Basic ${Buffer.from(`${accountSid}:${token}`).toString("base64")}`;
  return {
    capabilities: { repeats: "traced" },
    hook: { name: "twilio", type: "text/xml", answer: "<Response/>" },
    async send(message) {
      try {
        const response = await fetch(calls, {
          method: "POST",
          body: parametersOf(message, web),
          headers: { authorization },
          redirect: "error",
          signal: AbortSignal.timeout(GIVE_UP_MS),
        });
        return await outcomeOf(response);
      } catch (error) {
        const code = codeOf(error);
        return { status: NOT_SENT.has(code) ? "unreachable" : "unknown", code };
      }
    },
    trace: () => Promise.resolve([]),
    parseStatus: (call) => (isSigned(call, token) ? statusOf(call.parameters) : undefined),
    parseKey(call) {
      const { CallSid, Digits } = call.parameters;
      if (!isSigned(call, token) || CallSid === undefined || Digits === undefined) return undefined;
      return { callId: CallSid, key: Digits };
    },
    say: (language, words) => `<Response>${spoken(language, words)}</Response>`,
    close: () => Promise.resolve(),
  };
}

function parametersOf(message: OutgoingMessage, { publicUrl }: Config["web"]): URLSearchParams {
  const { id, utility, address } = message;
  const { language, words } = message.spoken();
  const keys = `${publicUrl}/hooks/twilio/${utility.id}/keys/${id}`;
  // Who was not quick enough hears it once more.
  const gather = `<Gather numDigits="1" timeout="${KEY_SECONDS}" action="${escape(keys)}">${spoken(language, words)}</Gather>`;
  return new URLSearchParams({
    To: address,
    From: utility.voice!.from,
    Twiml: `<Response>${gather}${gather}</Response>`,
    StatusCallback: `${publicUrl}/hooks/twilio/${utility.id}/calls/${id}`,
    Timeout: String(RING_SECONDS),
  });
}

function spoken(language: Language, words: string): string {
  return `<Say language="${VOICES[language]}">${escape(words)}</Say>`;
}

async function outcomeOf(response: Response): Promise<Outcome> {
  const { status } = response;
  const body: unknown = await response.json().catch(() => undefined);
  if (status === 200 || status === 201) {
    const { success, data } = created.safeParse(body);
    return success ? { status: "accepted", id: data.sid } : { status: "unknown", code: "twilio body" };
  }
  if (status >= 500) return { status: "unknown", code: `twilio HTTP ${status}` };
  const code = refused.safeParse(body).data?.code;
  const named = code === undefined ? `twilio HTTP ${status}` : `twilio ${code}`;
  if (status === 401 || status === 403 || status === 404) return { status: "unreachable", code: named };
  return {
    status: "refused",
    permanent: status !== 429,
    code: named,
    ...(code !== undefined && UNUSABLE.has(code) ? { fault: "unusable" as const } : {}),
  };
}

/** CallStatus of a call: what is neither over nor refused is on its way. */
function statusOf({ CallSid, CallStatus }: Readonly<Record<string, string>>): StatusReport | undefined {
  if (CallSid === undefined || CallStatus === undefined) return undefined;
  switch (CallStatus) {
    case "completed":
      return { providerId: CallSid, status: "delivered" };
    case "busy":
    case "no-answer":
      return { providerId: CallSid, status: "failed", code: `twilio ${CallStatus}`, again: true };
    case "failed":
    case "canceled":
      return { providerId: CallSid, status: "failed", code: `twilio ${CallStatus}` };
    default:
      return { providerId: CallSid, status: "accepted" };
  }
}

function escape(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  return text.replace(/[&<>"]/g, (character) => entities[character]!);
}
