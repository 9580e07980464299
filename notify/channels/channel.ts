import type { UtilityConfig } from "../../schemas/config.js";
import type { Letter } from "../templates/letter.js";

/** A letter on its way to one contact. */
export interface OutgoingMessage {
  /** Id of the outbox row: the same for every attempt, so that a receiver can tell a repeat. */
  readonly id: string;
  readonly utility: UtilityConfig;
  /** E-mail address, phone number: whatever the channel writes to. */
  readonly address: string;
  readonly letter: Letter;
}

/** What became of an attempt, the same words for every provider. `code` is the provider's, never its text: that quotes addresses. */
export type Outcome =
  | { readonly status: "accepted" }
  /** Refused for now (`permanent` false) or for good. */
  | { readonly status: "refused"; readonly permanent: boolean; readonly code: string }
  /** Surely not taken: the provider could not be reached or would not talk to us. */
  | { readonly status: "unreachable"; readonly code: string }
  /** The connection broke after the message was handed over: it may have been taken. */
  | { readonly status: "unknown"; readonly code: string };

/** A way to reach residents: it sends, and puts the provider's answers into our words. */
export interface Channel {
  send(message: OutgoingMessage): Promise<Outcome>;
  close(): Promise<void>;
}
