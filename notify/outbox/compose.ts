import type { Vault } from "../../infra/crypto/vault.js";
import { isOfMonth, kindOf, type AnomalyMessage } from "../../schemas/anomalies.js";
import { canonicalAccount } from "../../schemas/canonical.js";
import { pagesUrl, type Config, type Mailing, type UtilityConfig } from "../../schemas/config.js";
import type { OutgoingMessage } from "../channels/channel.js";
import { linkToken, type LinkPurpose } from "../consent/link-token.js";
import { inUnits, unsealAddress } from "../consent/contact.js";
import { normalFlow } from "../consent/declare.js";
import { isAlertConsent } from "../consent/wording.js";
import type { AlertKind, MessageKind } from "../decide.js";
import { digest, inOrder, letterOfHome } from "../templates/digest.js";
import { confirmation, renewal } from "../templates/confirmation.js";
import type { Frame, LeakFlow, Told } from "../templates/frame.js";
import type { Letter } from "../templates/letter.js";
import { noticeLetter } from "../templates/notice-letter.js";
import { spokenAlert, spokenConfirmation } from "../templates/spoken.js";
import { alertText, confirmationText, renewalText, replyText } from "../templates/text.js";
import { textsEnded } from "../templates/texts-ended.js";
import type { Language } from "../words/index.js";
import type { Claimed } from "./claim.js";

/** Shorter account numbers would be given away by their last four. */
const SHORTEST_ACCOUNT = 7;

/** The message of an outbox row, addressed and worded, in the units that the resident reads. */
export function compose(
  claimed: Claimed,
  of: UtilityConfig,
  context: { readonly vault: Vault; readonly config: Config; readonly validSeconds: number },
): OutgoingMessage {
  const { vault, validSeconds } = context;
  const utility = inUnits(of, claimed.units);
  return {
    id: claimed.outbox_id,
    utility,
    address: unsealAddress(vault, utility.id, claimed),
    validSeconds,
    letter: () => letterOf(claimed, utility, context),
    text: () => textOf(claimed, utility, context),
    spoken: () => spokenOf(claimed, utility, vault),
  };
}

function letterOf(
  claimed: Claimed,
  utility: UtilityConfig,
  { vault, config }: { readonly vault: Vault; readonly config: Config },
): Letter {
  const link = linksOf(vault, config, utility);
  const { kind, contact_id } = claimed;
  if (kind === "confirmation") {
    const { is_renewal, kinds, expires_at } = claimed;
    const ends = is_renewal
      ? { unsubscribeUrl: link("unsubscribe", contact_id), choicesUrl: link("choices", contact_id) }
      : { unsubscribeUrl: undefined };
    const frame: Frame = { utility, language: claimed.confirmation_language!, ...ends };
    const url = link("confirm", claimed.confirmation_id!);
    return is_renewal ? renewal(frame, kinds!, url, expires_at!) : confirmation(frame, kinds!, url);
  }
  const frame: Frame = {
    utility,
    language: claimed.language,
    unsubscribeUrl: link("unsubscribe", contact_id),
    choicesUrl: link("choices", contact_id),
    homeUrl: link("choices", contact_id, "home"),
  };
  if (kind === "reply") throw new Error(`"${kind}" is said by text only`);
  if (kind === "notice") return textsEnded(frame, accountEnding(claimed, utility, vault));
  if (kind === "service") return noticeOf(claimed, { ...frame, unsubscribeUrl: undefined });
  // The link of a mailing ends it alone: no alert is lost with it.
  if (kind === "mailing")
    return noticeOf(claimed, { ...frame, unsubscribeUrl: link("leave", claimed.outbox_id, "unsubscribe") });
  const all = [claimed, ...claimed.others];
  const items = all.map((one) => ({
    about: one.kind as AlertKind,
    told: toldOf(one.message!, one, accountEnding(one, utility, vault)),
    answerUrl: link("answer", one.outbox_id),
  }));
  const [first, ...others] = inOrder(items);
  const isOneHome = all.every(({ occupancy_id }) => occupancy_id === claimed.occupancy_id);
  return isOneHome ? letterOfHome(frame, [first!, ...others]) : digest(frame, items);
}

/** In the resident's language, or the utility's first where it was not written in that. */
function noticeOf({ notice, consent_kind }: Claimed, frame: Frame): Letter {
  const written = [frame.language, ...frame.utility.languages].find((each) => notice![each] !== undefined);
  const language = written ?? (Object.keys(notice!)[0] as Language);
  return noticeLetter({ ...frame, language }, notice![language]!, consent_kind as Mailing | null);
}

/** Writes signed links to the pages of residents: by purpose and what it is about, to another page where one is named. */
function linksOf(vault: Vault, config: Config, utility: UtilityConfig) {
  return (purpose: LinkPurpose, id: string, page: string = purpose): string =>
    `${pagesUrl(config, utility)}/${page}/${linkToken(vault, utility.id, purpose, id)}`;
}

function isByMailOnly(kind: MessageKind): kind is "notice" | "service" | "mailing" {
  return kind === "notice" || kind === "service" || kind === "mailing";
}

function textOf(
  claimed: Claimed,
  utility: UtilityConfig,
  { vault, config }: { readonly vault: Vault; readonly config: Config },
): string {
  const { kind, message, language } = claimed;
  if (kind === "confirmation") {
    const text = claimed.is_renewal ? renewalText : confirmationText;
    return text(utility.sms!, claimed.confirmation_language!, claimed.kinds!.filter(isAlertConsent));
  }
  if (kind === "reply") {
    const homeUrl = linksOf(vault, config, utility)("choices", claimed.contact_id, "home");
    return replyText({ ...utility.sms!, homeUrl }, language, claimed.reply!);
  }
  if (isByMailOnly(kind)) throw new Error(`"${kind}" is said by mail only`);
  return alertText(
    utility,
    language,
    kind,
    toldOf(message!, claimed, accountEnding(claimed, utility, vault)),
  );
}

function spokenOf(
  claimed: Claimed,
  utility: UtilityConfig,
  vault: Vault,
): ReturnType<OutgoingMessage["spoken"]> {
  const { kind, message, language } = claimed;
  if (kind === "reply") throw new Error(`"${kind}" is said in the call itself`);
  if (isByMailOnly(kind)) throw new Error(`"${kind}" is said by mail only`);
  if (kind === "confirmation") {
    const asked = claimed.confirmation_language!;
    return { language: asked, words: spokenConfirmation(utility, asked, claimed.kinds!) };
  }
  const told = toldOf(message!, claimed, accountEnding(claimed, utility, vault));
  return { language, words: spokenAlert(utility, language, kind, told) };
}

/** The anomaly without what belongs to a former occupant. */
function toldOf(anomaly: AnomalyMessage, { since, told }: Claimed, ending: string | undefined): Told {
  const { rule, start, end, rate, volume, evidence } = anomaly;
  const own = start >= since!;
  const number = (name: string) => {
    const value = evidence[name];
    return own && typeof value === "number" ? value : undefined;
  };
  return {
    kind: kindOf(rule),
    flow: flowOf(rule, evidence["kind"]),
    over: told !== "open",
    canBeNormal: normalFlow(anomaly) !== undefined,
    start: own ? start : since!,
    end,
    rate,
    volume: own ? volume : undefined,
    usualPeak: number("usualPeak"),
    usualDay: number("usualDay"),
    month: monthOf(anomaly),
    frost: frostOf(anomaly, since!),
    hours: anomaly.hours && {
      from: anomaly.hours.from,
      // What flowed before is a former occupant's.
      ml: anomaly.hours.ml.map((ml, hour) => (anomaly.hours!.from + hour * 3600 >= since! ? ml : null)),
    },
    accountEnding: ending,
  };
}

function monthOf({ rule, evidence: { budget, lastYear, expected } }: AnomalyMessage): Told["month"] {
  if (!isOfMonth(rule) || typeof expected !== "number") return undefined;
  if (typeof budget === "number") return { against: "budget", of: budget, expected };
  return typeof lastYear === "number" ? { against: "last-year", of: lastYear, expected } : undefined;
}

/** @param since of the occupancy: what was before is a former occupant's */
function frostOf({ rule, end, evidence: { below, dryFrom } }: AnomalyMessage, since: number): Told["frost"] {
  if (rule !== "freeze-risk" || typeof below !== "number" || typeof dryFrom !== "number") return undefined;
  return { below, dry: end - Math.max(dryFrom, since) };
}

/** @param kind what evidence of rule `leak` says */
function flowOf(rule: AnomalyMessage["rule"], kind: unknown): LeakFlow {
  if (rule === "burst" || rule === "away" || rule === "watering") return rule;
  if (kind === "intermittent") return "off-and-on";
  return kind === "base-step" ? "above-usual" : "nonstop";
}

function accountEnding({ number_sealed }: Claimed, utility: UtilityConfig, vault: Vault): string | undefined {
  return number_sealed === null ? undefined : endingOf(vault, utility.id, number_sealed);
}

/** Last four of a sealed account number, as messages tell it; `undefined` where that would give it away. */
export function endingOf(vault: Vault, utility: string, numberSealed: Buffer): string | undefined {
  const number = canonicalAccount(vault.unseal(utility, "accounts.number", numberSealed).toString("utf8"));
  return number.length >= SHORTEST_ACCOUNT ? number.slice(-4) : undefined;
}
