import type { Queryable } from "../../infra/postgres/database.js";
import { clockTime, UNITS, type UtilityConfig } from "../../schemas/config.js";
import { endingOf } from "../outbox/compose.js";
import { isTimeZone } from "../../schemas/time-zone.js";
import { SendingHours, type OwnHours } from "../outbox/sending-hours.js";
import { lockContact, unsealAddress } from "./contact.js";
import { sealEvidence, type Evidence } from "./evidence.js";
import { linkToken } from "./link-token.js";
import { endSuppression } from "./suppression.js";
import {
  findContact,
  linkOf,
  revokeConsents,
  type ConsentStores,
  type LinkedContact,
} from "./subscription.js";
import { CONSENT_VERSION, consentHash, offered, type ConsentChannel, type ConsentKind } from "./wording.js";
import type { Language } from "../words/index.js";

/** What a resident is told of now, at one address. */
export interface Choices {
  readonly utility: UtilityConfig;
  readonly language: Language;
  readonly channel: ConsentChannel;
  /** The address with most of it left out. */
  readonly address: string;
  /** Units in which they read volumes. */
  readonly units: UtilityConfig["units"];
  /** Local hours (hh:mm) that they chose; `undefined`: those of the utility. */
  readonly hours: { readonly from: string; readonly until: string } | undefined;
  /** IANA zone in which they live; `undefined`: that of the service. */
  readonly timeZone: string | undefined;
  /** Token of the link that ends everything. */
  readonly unsubscribe: string;
  /** What can be ticked. */
  readonly offered: readonly ConsentKind[];
  /** Services that this address was once confirmed for, and that its resident still holds. */
  readonly services: readonly {
    readonly occupancy: number;
    /** Last four of the account number, where it is long enough to stay private. */
    readonly ending: string | undefined;
    readonly kinds: ReadonlySet<ConsentKind>;
  }[];
}

/** One box of the page. */
export interface Choice {
  readonly occupancy: number;
  readonly kind: ConsentKind;
}

/** What the page behind the link of a mail shows; `undefined` where the token is none of ours. Changes nothing. */
export async function describeChoices(stores: ConsentStores, token: string): Promise<Choices | undefined> {
  const link = linkOf(stores, "choices", token);
  const contact = link && (await findContact(link, link.database));
  if (link === undefined || contact === undefined) return undefined;
  const { vault } = stores;
  const { id, utility, language, channel, address_hash, address_sealed } = contact;
  if (address_sealed === null) return undefined;
  return {
    utility,
    language,
    channel,
    address: masked(unsealAddress(vault, utility.id, { contact_id: id, address_hash, address_sealed })),
    units: contact.units ?? utility.units,
    hours:
      contact.send_from === null || contact.send_until === null
        ? undefined
        : { from: contact.send_from, until: contact.send_until },
    timeZone: contact.time_zone ?? undefined,
    unsubscribe: linkToken(vault, utility.id, "unsubscribe", id),
    offered: offered(utility, channel),
    services: (await servicesOf(stores, link.database, contact)).map(
      ({ occupancy_id, number_sealed, kinds }) => ({
        occupancy: occupancy_id,
        ending: number_sealed === null ? undefined : endingOf(vault, utility.id, number_sealed),
        kinds: new Set(kinds),
      }),
    ),
  };
}

/**
 * Takes over what a resident ticked and left empty, at once: what ends suppresses what waits in the outbox, what is new is
 * agreed to in the words of the page. Boxes that were not shown, or are of services that the address is not confirmed for,
 * change nothing.
 * @returns `false` where the token is none of ours; `"hours"`, with nothing changed, where the hours are none, or have no
 *   whole hour in common with the utility's
 */
export async function saveChoices(
  stores: ConsentStores,
  token: string,
  wanted: {
    readonly shown: readonly Choice[];
    readonly ticked: readonly Choice[];
    readonly language: Language;
    readonly units: string;
    /** Local hours, hh:mm; both blank: those of the utility. */
    readonly from: string;
    readonly until: string;
    /** IANA zone of the hours; blank, or none that there is: that of the service. */
    readonly timeZone: string;
  },
  evidence: Evidence,
): Promise<boolean | "hours"> {
  const now = new Date(stores.clock.now());
  const link = linkOf(stores, "choices", token);
  if (link === undefined) return false;
  return link.database.transaction(async (transaction) => {
    const contact = await findContact(link, transaction);
    if (contact === undefined) return false;
    if (!(await lockContact(transaction, contact.id))) return false;
    const { utility } = contact;
    const language = utility.languages.includes(wanted.language) ? wanted.language : contact.language;
    const units = UNITS.find((unit) => unit === wanted.units) ?? contact.units ?? utility.units;
    const isBlank = wanted.from === "" && wanted.until === "";
    const zone = wanted.timeZone !== utility.timeZone && isTimeZone(wanted.timeZone) ? wanted.timeZone : null;
    const own = {
      send_from: isBlank ? null : wanted.from,
      send_until: isBlank ? null : wanted.until,
      time_zone: zone,
    };
    if (!areHours(utility, own)) return "hours";
    await transaction.query(
      "UPDATE contacts SET language = $2, units = $3, send_from = $4, send_until = $5, time_zone = $6 WHERE contact_id = $1",
      [
        contact.id,
        language,
        units === utility.units ? null : units,
        own.send_from,
        own.send_until,
        own.time_zone,
      ],
    );
    const isIn = (list: readonly Choice[], occupancy: number, kind: ConsentKind) =>
      list.some((choice) => choice.occupancy === occupancy && choice.kind === kind);
    for (const { occupancy_id: occupancy, kinds } of await servicesOf(stores, transaction, contact)) {
      for (const kind of offered(contact.utility, contact.channel)) {
        const is = kinds.includes(kind);
        if (!isIn(wanted.shown, occupancy, kind) || is === isIn(wanted.ticked, occupancy, kind)) continue;
        if (is)
          await revokeConsents(transaction, {
            contact: contact.id,
            method: "page",
            now,
            kinds: [kind],
            occupancies: [occupancy],
          });
        else await agree(stores, transaction, contact, { occupancy, kind, language, evidence, now });
      }
    }
    return true;
  });
}

/** Whether a contact may choose these: an hour at least, within those of the utility. */
function areHours(utility: UtilityConfig, chosen: OwnHours): boolean {
  const { send_from: from, send_until: until } = chosen;
  if (from === null || until === null) return true;
  if (![from, until].every((time) => clockTime.safeParse(time).success) || from >= until) return false;
  const hours = SendingHours.of(utility);
  const own = hours.within(chosen);
  if (own === hours) return false;
  // Of any day: the time from their beginning to their end.
  const begin = own.next(Date.UTC(2026, 0, 15));
  return own.left(own.next(begin + own.left(begin) * 1000)) >= 3600;
}

async function agree(
  { vault }: ConsentStores,
  transaction: Queryable,
  { id, utility, channel }: LinkedContact,
  what: Choice & { readonly language: Language; readonly evidence: Evidence; readonly now: Date },
): Promise<void> {
  const { occupancy, kind, language, evidence, now } = what;
  // They opened our mail and ask for more of it, whatever was said of the address before.
  if (channel === "email") await endSuppression(transaction, id, now);
  await transaction.query(
    `INSERT INTO consents (utility, contact_id, occupancy_id, kind, channel, action, method, language, text_version,
       text_hash, evidence_sealed, at) VALUES ($1, $2, $3, $4, $5, 'confirm', 'page', $6, $7, $8, $9, $10)`,
    [
      utility.id,
      id,
      occupancy,
      kind,
      channel,
      language,
      CONSENT_VERSION,
      consentHash(utility, language, channel),
      sealEvidence(vault, utility.id, id, evidence),
      now,
    ],
  );
}

/** Services that the address was once confirmed for, and that its resident still holds, with the kinds that hold now and how many meters measure it. */
export function servicesOf({ clock }: ConsentStores, on: Queryable, contact: LinkedContact) {
  return on.query<{
    occupancy_id: number;
    number_sealed: Buffer | null;
    kinds: ConsentKind[];
    meters: number;
  }>(
    `SELECT o.occupancy_id, a.number_sealed,
       (SELECT count(DISTINCT m.meter_key)::int FROM premise_meters m WHERE m.premise_id = o.premise_id
          AND m.valid_from <= $2 AND (m.valid_until IS NULL OR m.valid_until > $2)) AS meters, ARRAY(
       SELECT kind FROM active_consents c WHERE c.contact_id = $1 AND c.occupancy_id = o.occupancy_id ORDER BY kind) AS kinds
     FROM occupancies o JOIN accounts a USING (account_id)
     WHERE o.valid_from <= $2 AND (o.valid_until IS NULL OR o.valid_until > $2)
       AND EXISTS (SELECT 1 FROM consents c
         WHERE c.contact_id = $1 AND c.occupancy_id = o.occupancy_id AND c.action = 'confirm')
     ORDER BY o.occupancy_id`,
    [contact.id, new Date(clock.now())],
  );
}

/** First letter and domain of an e-mail address, last four digits of a number. */
function masked(address: string): string {
  const at = address.lastIndexOf("@");
  return at < 0 ? `••• ${address.slice(-4)}` : `${address.slice(0, 1)}•••${address.slice(at)}`;
}
