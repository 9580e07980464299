import { z } from "zod";
import type { Config, UtilityConfig } from "../../schemas/config.js";
import { openTwilio, type ApiAccount, type TwilioFaults } from "./twilio-rest.js";
import type { Channel, InboundText, OutgoingMessage, StatusReport } from "./channel.js";

/** Bounds of ValidityPeriod in seconds. */
const LONGEST_VALID = 36_000;

/**
 * What Twilio's error codes say of number or sender (docs "Error and Warning Dictionary"): 21610 it replied STOP, 30003 handset
 * unreachable, 30004 blocked, 30005 unknown, 30006 landline or unreachable carrier, 30007 filtered, 21614 no mobile number, 21211 no number at all.
 */
const FAULTS: TwilioFaults = {
  21610: "stopped",
  21211: "unusable",
  21614: "unusable",
  30005: "unusable",
  30006: "unusable",
  30003: "unreachable",
  30004: "filtered",
  30007: "filtered",
};

const listed = z.object({ messages: z.array(z.object({ sid: z.string(), body: z.string().nullable() })) });

/**
 * SMS by Twilio's REST API. Creating a message has no idempotency key, so a message that may have been
 * taken is looked for by number, day and words before anything is sent again.
 * @throws Error where the file with the token can't be read, or there is none, or the address is plain and not this machine
 */
export function createTwilioChannel(twilio: ApiAccount, web: Config["web"]): Channel {
  const account = openTwilio(twilio);
  return {
    capabilities: { repeats: "traced" },
    // No text back: what is said to residents goes through the outbox.
    hook: { name: "twilio", type: "text/xml", answer: "<Response/>" },
    send: async (message) => account.create("Messages", parametersOf(message, web), FAULTS),
    async trace(message, since) {
      const query = new URLSearchParams({
        To: message.address,
        // Whole days: one earlier, for clocks that differ.
        "DateSent>": new Date(since.getTime() - 86_400_000).toISOString().slice(0, 10),
        PageSize: "100",
      });
      const response = await account.list("Messages", query);
      if (!response.ok) throw new Error(`Twilio answered ${response.status} to a look-up`);
      const text = message.text();
      const { messages: found } = listed.parse(await response.json());
      const same = found.filter(({ body }) => body === text);
      return same.map(({ sid }) => sid).reverse();
    },
    parseStatus: (call) => (account.isSigned(call) ? statusOf(call.parameters) : undefined),
    parseInbound(call) {
      const { MessageSid, From, Body } = call.parameters;
      if (!account.isSigned(call) || MessageSid === undefined || From === undefined) return undefined;
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
