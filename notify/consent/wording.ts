import { createHash } from "node:crypto";
import { kindOf, type RuleName } from "../../schemas/anomalies.js";
import { hasTemperatures, MAILINGS, type UtilityConfig } from "../../schemas/config.js";
import { WORDS, type Language } from "../words/index.js";

/**
 * What a resident can ask to be told of. `burst`: of a burst at any hour; without it, a leak's recipients hear of one by day.
 * `freeze`: of pipes that may freeze, where the utility has temperatures.
 */
export const ALERT_CONSENTS = ["leak", "burst", "high-usage", "freeze"] as const;
export type AlertConsent = (typeof ALERT_CONSENTS)[number];

/** All that a resident can agree to: alerts, and by mail what else the utility writes (`mailings`). */
export const CONSENT_KINDS = [...ALERT_CONSENTS, ...MAILINGS] as const;
export type ConsentKind = (typeof CONSENT_KINDS)[number];

/** How a resident can be written to, each agreed to by itself. */
export const CONSENT_CHANNELS = ["email", "sms", "voice"] as const;
export type ConsentChannel = (typeof CONSENT_CHANNELS)[number];

/** Goes up with every change of `consent` in the catalogues of notify/words: a consent is kept with the version and the hash of what was shown. */
export const CONSENT_VERSION = "2026-12-03";

/** By which of a contact's consents an anomaly is told, the one that allows most first. */
export function consentsFor(rule: RuleName): readonly AlertConsent[] {
  return rule === "burst" ? ["burst", "leak"] : [kindOf(rule)];
}

/** What can be agreed to by a channel. */
export function offered(
  utility: Pick<UtilityConfig, "mailings" | "sources">,
  channel: ConsentChannel,
): readonly ConsentKind[] {
  const alerts = ALERT_CONSENTS.filter((kind) => kind !== "freeze" || hasTemperatures(utility));
  return channel === "email" ? [...alerts, ...utility.mailings] : alerts;
}

export function isAlertConsent(kind: ConsentKind): kind is AlertConsent {
  return (ALERT_CONSENTS as readonly ConsentKind[]).includes(kind);
}

/** Whether a utility writes or calls by a channel. */
export function reaches({ sms, voice }: UtilityConfig, channel: ConsentChannel): boolean {
  return channel === "email" || (channel === "sms" ? sms : voice) !== undefined;
}

/** The wording that a resident agrees to, exactly as it is shown. */
export function consentText(utility: UtilityConfig, language: Language, channel: ConsentChannel): string {
  const { name, sms, voice, mailings } = utility;
  const words = WORDS[language].consent;
  switch (channel) {
    case "email":
      return [
        words.email({ utility: name }),
        ...(mailings.length > 0 ? [words.mailings({ utility: name })] : []),
        words.all,
      ].join(" ");
    case "sms":
      return `${words.sms({ utility: name, perMonth: sms!.perMonth })} ${words.all}`;
    case "voice":
      return `${words.voice({ utility: name, perMonth: voice!.perMonth })} ${words.all}`;
  }
}

/** SHA-256 of the wording. */
export function consentHash(utility: UtilityConfig, language: Language, channel: ConsentChannel): Buffer {
  return createHash("sha256")
    .update(consentText(utility, language, channel))
    .digest();
}
