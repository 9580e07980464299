import { z } from "zod";
import { requireTls } from "../../infra/endpoints.js";
import type { Config, UtilityConfig } from "../../schemas/config.js";
import { codeOf, NOT_SENT, secretOf } from "./http.js";
import { isSigned } from "./twilio-signature.js";
import type {
  DeliveryFault,
  Channel,
  InboundText,
  OutgoingMessage,
  Outcome,
  StatusReport,
} from "./channel.js";

const VERSION = "2010-04-01";
const GIVE_UP_MS = 30_000;
/** Bounds of ValidityPeriod in seconds. */
const LONGEST_VALID = 36_000;

/**
 * What Twilio's error codes say of number or sender (docs "Error and Warning Dictionary"): 21610 it replied STOP, 30003 handset
 * unreachable, 30004 blocked, 30005 unknown, 30006 landline or unreachable carrier, 30007 filtered, 21614 no mobile number, 21211 no number at all.
 */
const FAULTS: Readonly<Record<string, DeliveryFault>> = {
  21610: "stopped",
  21211: "unusable",
  21614: "unusable",
  30005: "unusable",
  30006: "unusable",
  30003: "unreachable",
  30004: "filtered",
  30007: "filtered",
};

const created = z.object({ sid: z.string() });
const refused = z.object({ code: z.number().optional() });
const listed = z.object({ messages: z.array(z.object({ sid: z.string(), body: z.string().nullable() })) });

/**
 * SMS by Twilio's REST API, version 2010-04-01. Creating a message has no idempotency key, so a message that may have been
 * taken is looked for by number, day and words before anything is sent again.
 * @throws Error where the file with the token can't be read, or there is none, or the address is plain and not this machine
 */
export function createTwilioChannel(twilio: NonNullable<Config["twilio"]>, web: Config["web"]): Channel {
  const token = secretOf("twilio", "CURBSTOP_TWILIO_AUTH_TOKEN", twilio.authTokenFile);
  const { accountSid, apiUrl } = twilio;
  requireTls("twilio.apiUrl", apiUrl, apiUrl.startsWith("https:"));
  const messages = `${apiUrl}/${VERSION}/Accounts/${accountSid}/Messages.json`;
  const authorization = `Basic ${Buffer.from(`${accountSid}:${token}`).toString("base64")}`;
  const ask = (url: string, init: { readonly method?: string; readonly body?: URLSearchParams } = {}) =>
    fetch(url, {
      ...init,
      headers: { authorization },
      redirect: "error",
      signal: AbortSignal.timeout(GIVE_UP_MS),
    });
  return {
    capabilities: { repeats: "traced" },
    // No text back: what is said to residents goes through the outbox.
    hook: { name: "twilio", type: "text/xml", answer: "<Response/>" },
    async send(message) {
      const body = parametersOf(message, web);
      try {
        const response = await ask(messages, { method: "POST", body });
        return await outcomeOf(response);
      } catch (error) {
        const code = codeOf(error);
        return { status: NOT_SENT.has(code) ? "unreachable" : "unknown", code };
      }
    },
    async trace(message, since) {
      const query = new URLSearchParams({
        To: message.address,
        // Whole days: one earlier, for clocks that differ.
        "DateSent>": new Date(since.getTime() - 86_400_000).toISOString().slice(0, 10),
        PageSize: "100",
      });
      const response = await ask(`${messages}?${query.toString()}`);
      if (!response.ok) throw new Error(`Twilio answered ${response.status} to a look-up`);
      const text = message.text();
      const { messages: found } = listed.parse(await response.json());
      const same = found.filter(({ body }) => body === text);
      return same.map(({ sid }) => sid).reverse();
    },
    parseStatus(call) {
      return isSigned(call, token) ? statusOf(call.parameters) : undefined;
    },
    parseInbound(call) {
      const { MessageSid, From, Body } = call.parameters;
      if (!isSigned(call, token) || MessageSid === undefined || From === undefined) return undefined;
      return { providerId: MessageSid, from: From, body: Body ?? "" } satisfies InboundText;
    },
    close: () => Promise.resolve(),
  };
}

/** Where Twilio tells what became of a message. */
export function statusUrl(web: Config["web"], utility: string, outboxId: string): string {
  return `${web.publicUrl}/hooks/twilio/${utility}/status/${outboxId}`;
}

/** Where Twilio brings what residents write: to be set at the number or messaging service. */
export function inboundUrl(web: Config["web"], utility: string): string {
  return `${web.publicUrl}/hooks/twilio/${utility}/messages`;
}

function parametersOf(message: OutgoingMessage, web: Config["web"]): URLSearchParams {
  const { id, utility, address, validSeconds } = message;
  return new URLSearchParams({
    To: address,
    ...senderOf(utility),
    Body: message.text(),
    StatusCallback: statusUrl(web, utility.id, id),
    ValidityPeriod: String(Math.min(LONGEST_VALID, Math.max(1, Math.floor(validSeconds)))),
  });
}

function senderOf({ sms }: UtilityConfig): Record<string, string> {
  const { from } = sms!;
  return from.startsWith("MG") ? { MessagingServiceSid: from } : { From: from };
}

async function outcomeOf(response: Response): Promise<Outcome> {
  const { status } = response;
  const body: unknown = await response.json().catch(() => undefined);
  if (status === 200 || status === 201) {
    const { success, data } = created.safeParse(body);
    return success ? { status: "accepted", id: data.sid } : { status: "unknown", code: "twilio body" };
  }
  // A fault on their side may come after the message was taken.
  if (status >= 500) return { status: "unknown", code: `twilio HTTP ${status}` };
  const code = refused.safeParse(body).data?.code;
  const named = code === undefined ? `twilio HTTP ${status}` : `twilio ${code}`;
  if (status === 401 || status === 403 || status === 404) return { status: "unreachable", code: named };
  const fault = FAULTS[String(code)];
  return {
    status: "refused",
    permanent: status !== 429,
    code: named,
    ...(fault === undefined ? {} : { fault }),
  };
}

function statusOf(parameters: Readonly<Record<string, string>>): StatusReport | undefined {
  const { MessageSid, MessageStatus, ErrorCode } = parameters;
  if (MessageSid === undefined) return undefined;
  switch (MessageStatus) {
    case "accepted":
    case "scheduled":
    case "queued":
    case "sending":
    case "sent":
      return { providerId: MessageSid, status: "accepted" };
    case "delivered":
    case "partially_delivered":
    case "read":
      return { providerId: MessageSid, status: "delivered" };
    case "undelivered":
    case "failed":
    case "canceled": {
      const fault = FAULTS[ErrorCode ?? ""];
      return {
        providerId: MessageSid,
        status: "failed",
        code: `twilio ${/^\d{1,6}$/.test(ErrorCode ?? "") ? ErrorCode : MessageStatus}`,
        ...(fault === undefined ? {} : { fault }),
      };
    }
    default:
      return undefined;
  }
}
