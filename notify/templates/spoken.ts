import type { UtilityConfig } from "../../schemas/config.js";
import type { ConsentKind } from "../consent/wording.js";
import type { AlertKind } from "../decide.js";
import { WORDS, type Language, type Words } from "../words/index.js";
import { listOf } from "./confirmation.js";
import { Format } from "./format.js";
import type { Told } from "./frame.js";
import { isAnswerable, sentence } from "./sentence.js";

/**
 * What a computer voice says. It names the utility first and how to end the calls last (47 CFR 64.1200(b)), no person, no
 * address, no whole account number. Keys are digits, said with "press".
 */
export type SpokenReply = keyof Words["voice"]["replies"];

/** Asks whoever picks up whether it was they who asked. */
export function spokenConfirmation(
  utility: UtilityConfig,
  language: Language,
  kinds: readonly ConsentKind[],
): string {
  const { voice } = WORDS[language];
  return `${hello(utility, language)} ${voice.confirmation({ what: listOf(language, kinds) })}`;
}

/** A call about an anomaly. */
export function spokenAlert(
  utility: UtilityConfig,
  language: Language,
  about: AlertKind,
  told: Told,
): string {
  const { voice } = WORDS[language];
  const format = new Format(utility, language);
  const values = {
    at: voice.service({ ending: told.accountEnding?.split("").join(" ") ?? "none" }),
    length: format.duration(told.end - told.start),
    rate: format.volume(told.rate),
    volume: format.volume(told.volume ?? told.rate),
    of: format.volume(told.month?.of ?? 0),
    dry: format.duration(told.frost?.dry ?? 0),
  };
  const answers = told.kind === "leak" ? voice.keys : voice.fewKeys;
  const keys = isAnswerable(about, told) ? answers : voice.end;
  return `${hello(utility, language)} ${sentence(voice.about, about, told, values)} ${keys}`;
}

/** The answer to a key. */
export function spokenReply(language: Language, reply: SpokenReply): string {
  return WORDS[language].voice.replies[reply];
}

function hello({ name }: UtilityConfig, language: Language): string {
  return WORDS[language].voice.hello({ utility: name });
}
