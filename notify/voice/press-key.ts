import type { UtilityConfig } from "../../schemas/config.js";
import { ANSWERED, answersTo, takeAnswer, type AnsweredAlert, type TextAnswer } from "../answers.js";
import type { PressedKey } from "../channels/twilio-voice.js";
import { lockContact } from "../consent/contact.js";
import { stopNumber } from "../consent/stop.js";
import { confirmRequest, type ConsentStores } from "../consent/subscription.js";
import type { Language } from "../words/index.js";
import { isReminder } from "../decide.js";
import { spokenReply, type SpokenReply } from "../templates/spoken.js";

const STOP = "9";

/** What is said back to a key. */
export interface KeyAnswer {
  readonly language: Language;
  readonly words: string;
}

/**
 * Takes a key that was pressed during a call of ours. Whatever it changes holds when this resolves: 9 has then ended every
 * call to the number and all that waited for it, in one transaction.
 * @param outboxId of the call
 * @returns `undefined` where the call is none of the utility's
 */
export async function pressKey(
  stores: ConsentStores,
  utility: UtilityConfig,
  outboxId: string,
  pressed: PressedKey,
): Promise<KeyAnswer | undefined> {
  const now = new Date(stores.clock.now());
  return stores.database.of(utility.id).transaction(async (transaction) => {
    const [call] = await transaction.query<
      Omit<AnsweredAlert, "rate"> & {
        readonly kind: string;
        readonly confirmation_id: string | null;
        readonly rate: number | null;
        readonly language: Language;
      }
    >(
      `SELECT o.kind, o.confirmation_id, o.utility, o.contact_id, o.channel, o.anomaly, o.stage, o.occupancy_id, o.consent_kind,
         (s.message->>'rate')::float8 AS rate, coalesce(f.language, c.language) AS language
       FROM outbox o JOIN contacts c USING (contact_id) LEFT JOIN anomalies_seen s USING (anomaly)
       LEFT JOIN confirmations f ON f.confirmation_id = o.confirmation_id
       WHERE o.outbox_id = $1 AND o.channel = 'voice'`,
      [outboxId],
    );
    if (call === undefined || !(await lockContact(transaction, call.contact_id))) return undefined;
    const { contact_id: contact, language, kind } = call;
    const answer = (reply: SpokenReply) => ({ language, words: spokenReply(language, reply) });
    if (pressed.key === STOP) {
      await stopNumber(transaction, contact, "voice", now);
      return answer("stopped");
    }
    if (kind === "confirmation" && pressed.key === "1") {
      const request = { id: call.confirmation_id!, contact, utility: utility.id, method: "voice" } as const;
      const done = await confirmRequest(stores, transaction, request, { message: pressed.callId });
      return answer(done ? "confirmed" : "not-understood");
    }
    const given = Number(pressed.key) as TextAnswer;
    const isAlert = kind === "alert" || isReminder(kind);
    if (!isAlert || call.rate === null || !answersTo(call.consent_kind, false).includes(given))
      return answer("not-understood");
    await takeAnswer(transaction, { ...call, rate: call.rate }, given, now);
    return answer(ANSWERED[given]);
  });
}
