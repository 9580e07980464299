import type { UtilityConfig } from "../../schemas/config.js";
import type { AlertConsent } from "../consent/wording.js";
import type { AlertKind } from "../decide.js";
import { WORDS, type Language, type Words } from "../words/index.js";
import { listOf } from "./confirmation.js";
import { Format } from "./format.js";
import type { Told } from "./frame.js";
import { isAnswerable, sentence } from "./sentence.js";

/**
 * Texts for SMS. Each fits one segment of GSM 7-bit letters with the longest of its values (a test counts). Of the Spanish
 * accents that alphabet has é and ñ alone, so the wording does without the others. No name of a person, no address, no
 * whole account number.
 */
type Sms = NonNullable<UtilityConfig["sms"]>;

/** Answers to what a resident wrote. */
export type ReplyText = keyof Words["sms"]["replies"];

/** Asks the owner of a number whether it was they who asked. */
export function confirmationText(sms: Sms, language: Language, kinds: readonly AlertConsent[]): string {
  return WORDS[language].sms.confirmation({
    name: sms.name,
    perMonth: sms.perMonth,
    what: listOf(language, kinds, WORDS[language].sms.kinds),
  });
}

/** Asks whether what was agreed to a year ago still holds. */
export function renewalText(sms: Sms, language: Language, kinds: readonly AlertConsent[]): string {
  return WORDS[language].sms.renewal({
    name: sms.name,
    what: listOf(language, kinds, WORDS[language].sms.kinds),
  });
}

/**
 * The one answer to what a resident wrote.
 * @param values `homeUrl`: page about the resident's home
 */
export function replyText(
  { name, help, perMonth, homeUrl }: Sms & { readonly homeUrl: string },
  language: Language,
  reply: ReplyText,
): string {
  return WORDS[language].sms.replies[reply]({ name, help, perMonth, homeUrl });
}

/** A message about an anomaly. */
export function alertText(utility: UtilityConfig, language: Language, about: AlertKind, told: Told): string {
  const { sms } = WORDS[language];
  const values = { name: utility.sms!.name, sentence: alertSentence(utility, language, about, told) };
  return isAnswerable(about, told) ? sms.alertToAnswer(values) : sms.alert(values);
}

/** The sentence alone, such as "Possible leak at your service 4417: …". */
export function alertSentence(
  utility: UtilityConfig,
  language: Language,
  about: AlertKind,
  told: Told,
): string {
  const { sms } = WORDS[language];
  const format = new Format(utility, language);
  const rate = sms.rate({ volume: format.shortVolume(told.rate) });
  const values = {
    at: sms.service({ ending: told.accountEnding ?? "none" }),
    length: format.shortDuration(told.end - told.start),
    rate,
    volume: told.volume === undefined ? rate : format.shortVolume(told.volume),
    of: format.shortVolume(told.month?.of ?? 0),
    dry: format.shortDuration(told.frost?.dry ?? 0),
  };
  return sentence(sms.about, about, told, values);
}
