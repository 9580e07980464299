import type { Queryable } from "../../infra/postgres/database.js";
import { withoutCardNumbers } from "../../schemas/card-number.js";
import type { UtilityConfig } from "../../schemas/config.js";
import type { InboundText } from "../channels/channel.js";
import { contactOf, lockContact } from "../consent/contact.js";
import {
  confirmRequest,
  requestIn,
  revokeConsents,
  SubscriptionInvalid,
  type ConsentStores,
} from "../consent/subscription.js";
import { CONSENT_KINDS, type ConsentKind } from "../consent/wording.js";
import { stopNumber } from "../consent/stop.js";
import { endSuppression } from "../consent/suppression.js";
import { endingOf } from "../outbox/compose.js";
import type { ReplyText } from "../templates/text.js";
import { textContext } from "./queue.js";
import {
  ANSWERABLE_MS,
  ANSWERED,
  answersTo,
  takeAnswer,
  type AnsweredAlert,
  type TextAnswer,
} from "../answers.js";
import { readReply, type Reply } from "./reply.js";

const DAY_MS = 86_400_000;
/** What may turn out to be no answer to anything. */
const UNCLEAR: readonly Reply["asks"][] = ["unknown", "confirm", "answer"];
/** Those who write what is not understood get one answer in that time. */
const POLITE_MS = DAY_MS;
/** Answers to one number in a day, that to a stop apart. */
const MOST_REPLIES = 20;

export interface Received {
  readonly asks: Reply["asks"];
}

/** Who wrote, in the transaction that takes the text in. */
interface Writer {
  readonly utility: UtilityConfig;
  readonly contact: string;
  /** E.164. */
  readonly phone: string;
  readonly now: Date;
}

/**
 * Takes in what a resident wrote, once however often the provider brings it. Whatever it changes holds when this resolves:
 * a stop has then ended every consent of the number and everything that waited for it, in one transaction.
 * @returns `undefined` where the text was taken before, or its number is none
 */
export async function receiveText(
  stores: ConsentStores,
  utility: UtilityConfig,
  text: InboundText,
): Promise<Received | undefined> {
  const { vault, clock } = stores;
  const database = stores.database.of(utility.id);
  const now = new Date(clock.now());
  const address = text.from;
  // A short code or a name: nobody who could be written to.
  if (!/^\+[1-9]\d{1,14}$/.test(address)) return undefined;
  const reply = readReply(text.body);
  return database.transaction(async (transaction): Promise<Received | undefined> => {
    const language = utility.languages[0]!;
    const whose = { utility: utility.id, channel: "sms", address, language } as const;
    let contact = await contactOf(transaction, vault, whose, now);
    // Erased between the two: what comes now is of somebody new.
    if (!(await lockContact(transaction, contact))) {
      contact = await contactOf(transaction, vault, whose, now);
      await lockContact(transaction, contact);
    }
    const fresh = await transaction.query(
      `INSERT INTO texts_received (utility, provider_id, contact_id, body_sealed, asks, for_people, received_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING 1`,
      [
        utility.id,
        text.providerId,
        contact,
        vault.people.seal(utility.id, contact, textContext(text.providerId), withoutCardNumbers(text.body)),
        reply.asks,
        reply.asks === "stop" && !reply.sure,
        now,
      ],
    );
    if (fresh.length === 0) return undefined;
    const writer: Writer = { utility, contact, phone: address, now };
    const answer = await act(stores, transaction, writer, reply, text.providerId);
    if (answer !== undefined) await enqueueReply(transaction, writer, answer);
    // Whoever got the polite answer today gets none now, and is read all the same.
    const unread = answer === undefined && UNCLEAR.includes(reply.asks);
    if (unread || answer === "not-understood") {
      await transaction.query(
        "UPDATE texts_received SET for_people = true WHERE utility = $1 AND provider_id = $2",
        [utility.id, text.providerId],
      );
    }
    return { asks: reply.asks };
  });
}

/** Does what a reply asks for; returns what to answer, `undefined` for nothing. */
async function act(
  stores: ConsentStores,
  transaction: Queryable,
  writer: Writer,
  reply: Reply,
  providerId: string,
): Promise<ReplyText | undefined> {
  switch (reply.asks) {
    case "stop":
      return stop(transaction, writer);
    case "start":
      return start(transaction, writer);
    case "leak":
      return leakOnly(transaction, writer);
    case "help":
      return "help";
    case "home":
      return (await hasConsent(transaction, writer)) ? "home" : "nothing-set-up";
    case "confirm": {
      const confirmed = await confirm(stores, transaction, writer, providerId);
      if (confirmed) return "confirmed";
      return reply.start ? start(transaction, writer) : politely(transaction, writer);
    }
    case "answer":
      return answer(stores, transaction, writer, reply.answer, reply.service);
    case "join":
      return join(stores, transaction, writer, reply);
    case "unknown":
      return politely(transaction, writer);
  }
}

/** One text says that it worked; whoever says it again gets none: they wanted silence. */
async function stop(transaction: Queryable, { contact, now }: Writer): Promise<ReplyText | undefined> {
  const before = await stopNumber(transaction, contact, "sms", now);
  return before === undefined ? "stopped" : undefined;
}

/** Brings back what the last STOP ended, or the last LEAK kept out, where its occupancy still holds. */
async function start(transaction: Queryable, { contact, now }: Writer): Promise<ReplyText> {
  const stopped = await endSuppression(transaction, contact, now);
  const [ended] = await transaction.query<{ at: Date | null }>(
    "SELECT max(at) AS at FROM consents WHERE contact_id = $1 AND action = 'revoke' AND method = 'sms'",
    [contact],
  );
  const since = stopped ?? ended!.at;
  if (since !== null && (await restore(transaction, contact, since, now, CONSENT_KINDS))) return "started";
  return (await hasConsent(transaction, { contact })) ? "started" : "nothing-set-up";
}

async function hasConsent(
  transaction: Queryable,
  { contact }: Pick<Writer, "contact">,
  kinds: readonly ConsentKind[] = CONSENT_KINDS,
): Promise<boolean> {
  const rows = await transaction.query(
    "SELECT 1 FROM active_consents WHERE contact_id = $1 AND kind = ANY ($2) LIMIT 1",
    [contact, kinds],
  );
  return rows.length > 0;
}

/** After a stop the leak alerts come back alone; without one the others end. */
async function leakOnly(transaction: Queryable, { contact, now }: Writer): Promise<ReplyText> {
  const stopped = await endSuppression(transaction, contact, now);
  if (stopped !== undefined) await restore(transaction, contact, stopped, now, ["leak"]);
  else await revokeConsents(transaction, { contact, method: "sms", now, kinds: ["high-usage", "freeze"] });
  return (await hasConsent(transaction, { contact }, ["leak"])) ? "leak-only" : "nothing-set-up";
}

/** Consents that the stop at `stopped` ended hold again, as they were worded; whether there were any. */
async function restore(
  transaction: Queryable,
  contact: string,
  stopped: Date,
  now: Date,
  kinds: readonly string[],
): Promise<boolean> {
  const restored = await transaction.query(
    `INSERT INTO consents (utility, contact_id, occupancy_id, kind, channel, action, method, language, text_version, text_hash, at)
     SELECT c.utility, c.contact_id, c.occupancy_id, c.kind, c.channel, 'confirm', 'sms', c.language, c.text_version, c.text_hash, $3
     FROM consents c JOIN occupancies o ON o.occupancy_id = c.occupancy_id AND (o.valid_until IS NULL OR o.valid_until > $3)
     WHERE c.contact_id = $1 AND c.action = 'revoke' AND c.method IN ('sms', 'provider') AND c.at >= $2 AND c.kind = ANY ($4)
       AND NOT EXISTS (SELECT 1 FROM consents later WHERE later.contact_id = c.contact_id AND later.occupancy_id = c.occupancy_id
         AND later.kind = c.kind AND later.channel = c.channel AND later.consent_id > c.consent_id AND later.action <> 'request')
     RETURNING 1`,
    [contact, stopped, now, kinds],
  );
  return restored.length > 0;
}

/** Confirms what this number was asked about last, where the question is known to have gone out: no yes without it. */
async function confirm(
  stores: ConsentStores,
  transaction: Queryable,
  { utility, contact, now }: Writer,
  message: string,
): Promise<boolean> {
  const [open] = await transaction.query<{ confirmation_id: string }>(
    `SELECT f.confirmation_id FROM confirmations f JOIN outbox o ON o.confirmation_id = f.confirmation_id
     WHERE f.contact_id = $1 AND f.confirmed_at IS NULL AND f.expires_at > $2
       AND o.state IN ('accepted', 'delivered')
     ORDER BY f.requested_at DESC LIMIT 1`,
    [contact, now],
  );
  if (open === undefined) return false;
  const request = { id: open.confirmation_id, contact, utility: utility.id, method: "sms" } as const;
  return confirmRequest(stores, transaction, request, { message });
}

/** Puts a request into the outbox, where account and ZIP match: the question that goes out then is the answer. */
async function join(
  stores: ConsentStores,
  transaction: Queryable,
  writer: Writer,
  { account, zip }: Extract<Reply, { asks: "join" }>,
): Promise<ReplyText | undefined> {
  try {
    await requestIn(transaction, stores, {
      ...{ utility: writer.utility.id, account, zip, phone: writer.phone, kinds: ["leak"] },
      method: "keyword",
    });
  } catch (error) {
    if (!(error instanceof SubscriptionInvalid)) throw error;
    return politely(transaction, writer);
  }
  // The phone itself asks to be written to.
  await endSuppression(transaction, writer.contact, writer.now);
  return undefined;
}

/** Takes a digit for the newest alert that went to this number, of the service that is named where there are several. */
async function answer(
  { vault }: ConsentStores,
  transaction: Queryable,
  writer: Writer,
  given: TextAnswer,
  service: string | undefined,
): Promise<ReplyText | undefined> {
  const { utility, contact, now } = writer;
  const told = await transaction.query<AnsweredAlert & { readonly number_sealed: Buffer | null }>(
    `SELECT DISTINCT ON (o.occupancy_id) o.utility, o.contact_id, o.channel, o.anomaly, o.stage, o.occupancy_id, o.consent_kind,
            a.number_sealed, (s.message->>'rate')::float8 AS rate
     FROM outbox o JOIN anomalies_seen s ON s.anomaly = o.anomaly
     JOIN occupancies p ON p.occupancy_id = o.occupancy_id JOIN accounts a ON a.account_id = p.account_id
     WHERE o.contact_id = $1 AND o.kind IN ('alert', 'reminder', 'last-reminder') AND o.told IS NOT NULL AND o.updated_at > $2
     ORDER BY o.occupancy_id, o.accepted_at DESC NULLS LAST`,
    [contact, new Date(now.getTime() - ANSWERABLE_MS)],
  );
  const meant =
    service === undefined
      ? told
      : told.filter(
          (one) => one.number_sealed !== null && endingOf(vault, utility.id, one.number_sealed) === service,
        );
  if (meant.length > 1) return "which";
  const [one] = meant;
  if (one === undefined || !answersTo(one.consent_kind, false).includes(given))
    return politely(transaction, writer);
  await takeAnswer(transaction, one, given, now);
  return ANSWERED[given];
}

async function politely(transaction: Queryable, { contact, now }: Writer): Promise<ReplyText | undefined> {
  const recent = await transaction.query(
    "SELECT 1 FROM outbox WHERE contact_id = $1 AND reply = 'not-understood' AND created_at > $2 LIMIT 1",
    [contact, new Date(now.getTime() - POLITE_MS)],
  );
  return recent.length > 0 ? undefined : "not-understood";
}

/** A machine that answers each of our answers is not written to for ever. */
async function enqueueReply(
  transaction: Queryable,
  { utility, contact, now }: Writer,
  reply: ReplyText,
): Promise<void> {
  await transaction.query(
    `INSERT INTO outbox (utility, kind, reply, contact_id, channel, state, not_before, created_at, updated_at)
     SELECT $1, 'reply', $2, $3, 'sms', 'queued', $4, $4, $4
     WHERE $2 = 'stopped' OR $6 > (SELECT count(*) FROM outbox WHERE contact_id = $3 AND kind = 'reply' AND created_at > $5)`,
    [utility.id, reply, contact, now, new Date(now.getTime() - DAY_MS), MOST_REPLIES],
  );
}
