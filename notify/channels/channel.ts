import type { UtilityConfig } from "../../schemas/config.js";
import type { Language } from "../words/index.js";
import type { Letter } from "../templates/letter.js";

/** A message on its way to one contact. */
export interface OutgoingMessage {
  /** Id of the outbox row: the same for every attempt, so that a receiver can tell a repeat. */
  readonly id: string;
  readonly utility: UtilityConfig;
  /** E-mail address, phone number (E.164): whatever the channel writes to. */
  readonly address: string;
  /** It may not arrive later than after so long: a provider that queues must then give it up. */
  readonly validSeconds: number;
  /** The words, as a letter, a short text, and as they are said: a channel takes those that it can bring. */
  letter(): Letter;
  text(): string;
  spoken(): { readonly language: Language; readonly words: string };
}

/**
 * Why a message can't arrive: the address's owner ended the messages; it can't get any; it could not be reached now; or
 * carriers filter what this sender sends.
 */
export const FAULTS = ["stopped", "unusable", "unreachable", "filtered"] as const;
export type DeliveryFault = (typeof FAULTS)[number];

/** What became of an attempt, the same words for every provider. `code` is the provider's, never its text: that quotes addresses. */
export type Outcome =
  /** `id` is the provider's, where it names one. */
  | { readonly status: "accepted"; readonly id?: string }
  /** Refused for now (`permanent` false) or for good. */
  | {
      readonly status: "refused";
      readonly permanent: boolean;
      readonly code: string;
      readonly fault?: DeliveryFault;
    }
  /** Surely not taken: the provider could not be reached or would not talk to us. */
  | { readonly status: "unreachable"; readonly code: string }
  /** The connection broke after the message was handed over: it may have been taken. */
  | { readonly status: "unknown"; readonly code: string };

/** A call of the provider to one of our addresses. */
export interface ProviderCall {
  /** As the provider called it, by our public address. */
  readonly url: string;
  /** Of a form; empty where the body is something else. */
  readonly parameters: Readonly<Record<string, string>>;
  /** As it came, where it is JSON. */
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** What the provider says later of a message that it took. */
export interface StatusReport {
  /** The provider's id of the message, where it gives one. */
  readonly providerId?: string;
  readonly status: "accepted" | "delivered" | "failed";
  readonly code?: string;
  readonly fault?: DeliveryFault;
  /** Nobody was there: it is tried again later. */
  readonly again?: boolean;
}

/** What a resident wrote. */
export interface InboundText {
  readonly providerId: string;
  /** E.164. */
  readonly from: string;
  readonly body: string;
}

/**
 * An id that a provider may give to another message later, after months or after its own start, made one of this message.
 * @param message id of the outbox row
 */
export function idOfOne(id: string, message: string): string {
  return `${id}:${message.slice(0, 8)}`;
}

/** What takes in what comes over a connection. Each resolves when it is kept; `false`: not now, it should be brought again. */
export interface Heard {
  text(text: { readonly to: string; readonly from: string; readonly body: string }): Promise<boolean>;
  /** @param ids of the provider that may be the message's; `phone`: whom it went to */
  status(status: {
    readonly ids: readonly string[];
    readonly phone: string;
    readonly report: StatusReport;
  }): Promise<boolean>;
}

/** A way to reach residents: it sends, and puts the provider's answers into our words. */
export interface Channel {
  readonly capabilities: {
    /**
     * What may be done where an attempt may have been taken: send again, for the receiver knows a repeat (`known`), or
     * ask the provider whether it has it (`traced`).
     */
    readonly repeats: "known" | "traced";
  };
  /** Calls of the provider come to `/hooks/NAME/…`, and get this answer. */
  readonly hook?: { readonly name: string; readonly type: string; readonly answer: string };
  send(message: OutgoingMessage): Promise<Outcome>;
  /**
   * The provider's ids of messages with these words to this address, handed over at `since` or later, oldest first. Some
   * may be those of other messages that say the same. With `traced` only.
   */
  trace?(message: OutgoingMessage, since: Date): Promise<readonly string[]>;
  /** `undefined`: the call is not the provider's, or tells of nothing that matters. */
  parseStatus?(call: ProviderCall): StatusReport | undefined;
  parseInbound?(call: ProviderCall): InboundText | undefined;
  /** Takes in what a provider brings over its own connection, from now on. */
  listen?(heard: Heard): void;
  /** Why nothing can come in over that connection now, a code; `undefined`: it can. */
  obstacle?(): string | undefined;
  close(): Promise<void>;
}
