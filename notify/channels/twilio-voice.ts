import type { Config } from "../../schemas/config.js";
import { LOCALES, type Language } from "../words/index.js";
import type { Channel, OutgoingMessage, ProviderCall, StatusReport } from "./channel.js";
import { openTwilio, type ApiAccount, type TwilioFaults } from "./twilio-rest.js";

/** It rings for so long; then it is tried again later. */
const RING_SECONDS = 30;
/** Seconds for a key after the words, which are said twice. */
const KEY_SECONDS = 8;

/** Codes that say that no call can reach the number: 21211 and 21217 no number, 13224 none that can be called. */
const FAULTS: TwilioFaults = { 21211: "unusable", 21217: "unusable", 13224: "unusable" };

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
export function createTwilioVoice(twilio: ApiAccount, web: Config["web"]): VoiceChannel {
  const account = openTwilio(twilio);
  return {
    capabilities: { repeats: "traced" },
    hook: { name: "twilio", type: "text/xml", answer: "<Response/>" },
    send: async (message) => account.create("Calls", parametersOf(message, web), FAULTS),
    trace: () => Promise.resolve([]),
    parseStatus: (call) => (account.isSigned(call) ? statusOf(call.parameters) : undefined),
    parseKey(call) {
      const { CallSid, Digits } = call.parameters;
      if (!account.isSigned(call) || CallSid === undefined || Digits === undefined) return undefined;
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
  return `<Say language="${LOCALES[language]}">${escape(words)}</Say>`;
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
