import { randomUUID } from "node:crypto";
import type { StageContext } from "../../infra/stage.js";
import { addressHash } from "../consent/contact.js";
import { idOfOne, type Heard, type StatusReport } from "../channels/channel.js";
import { takeStatus } from "../outbox/take-status.js";
import { receiveText } from "./receive.js";

/** A message that is on its way has no id yet: its receipt may be quicker than the word that it was taken. */
const SETTLING = ["sending", "unknown"] as const;

/** Takes in what a provider brings over its connection. What fails (the database is away) is to be brought again. */
export function hearing(context: StageContext): Heard {
  const { config, logger } = context;
  return {
    async text({ to, from, body }) {
      const utility = config.utilities.find(({ sms }) => sms?.from === to);
      if (utility === undefined) {
        logger.warn("text to a number that is no utility's", { channel: "sms" });
        return true;
      }
      // It comes without an id. Whatever comes twice says the same again: that a STOP or a START is taken counts for more.
      const received = await receiveText(context, utility, { providerId: randomUUID(), from, body });
      if (received !== undefined)
        logger.info("text received", { utility: utility.id, channel: "sms", reason: received.asks });
      return true;
    },
    async status({ ids, phone, report }) {
      const message = await messageTo(context, phone, ids);
      if (message === undefined) return false;
      const { utility, outbox_id: outboxId, provider_id } = message;
      const of: StatusReport = { ...report, providerId: provider_id ?? idOfOne(ids[0]!, outboxId) };
      return takeStatus(context, { utility, outboxId, channel: "sms" }, of);
    },
  };
}

interface Message {
  readonly utility: string;
  readonly outbox_id: string;
  readonly provider_id: string | null;
}

/**
 * The latest message to a number with one of the ids; without it the one of which nobody knows yet whether it was taken,
 * where there is just one.
 */
async function messageTo(
  { database, vault, config }: StageContext,
  phone: string,
  ids: readonly string[],
): Promise<Message | undefined> {
  const hashes = config.utilities.map(({ id }) => addressHash(vault, id, "sms", phone));
  const messages = await database.query<Message>(
    `SELECT o.utility, o.outbox_id, o.provider_id FROM outbox o JOIN contacts c USING (contact_id)
     WHERE c.channel = 'sms' AND c.address_hash = ANY ($1)
       AND (split_part(o.provider_id, ':', 1) = ANY ($2) OR (o.provider_id IS NULL AND o.state = ANY ($3)))
     ORDER BY o.provider_id IS NULL, o.handed_at DESC`,
    [hashes, ids, SETTLING],
  );
  const [first] = messages;
  return first?.provider_id === null && messages.length > 1 ? undefined : first;
}
