import type { ConsentKind } from "../consent/wording.js";
import { LOCALES, WORDS, type Language } from "../words/index.js";
import { framed, type Frame } from "./frame.js";
import type { Letter } from "./letter.js";

/** The one mail that an address gets before it is confirmed. */
export function confirmation(frame: Frame, kinds: readonly ConsentKind[], url: string): Letter {
  const words = WORDS[frame.language].mail.confirmation;
  const text = words.text({ utility: frame.utility.name, what: listOf(frame.language, kinds) });
  return framed(frame, {
    subject: words.subject,
    heading: words.heading,
    blocks: [{ text }, { button: words.button, url }, { text: words.link }],
  });
}

/** Asks whether what was agreed to a year ago still holds. @param until when it ends without an answer */
export function renewal(frame: Frame, kinds: readonly ConsentKind[], url: string, until: Date): Letter {
  const { language, utility } = frame;
  const words = WORDS[language].mail.renewal;
  const text = words.text({ utility: utility.name, what: listOf(language, kinds) });
  const last = until.toLocaleDateString(LOCALES[language], { dateStyle: "long", timeZone: utility.timeZone });
  return framed(frame, {
    subject: words.subject,
    heading: words.heading,
    blocks: [{ text }, { button: words.button, url }, { text: words.end({ last }) }],
  });
}

/** The kinds in one: "possible leaks and unusually high water use". @param words how they are named; left out: as mails and voices do */
export function listOf<Kind extends ConsentKind>(
  language: Language,
  kinds: readonly Kind[],
  words: Readonly<Record<Kind, string>> = WORDS[language].mail.kinds,
): string {
  return new Intl.ListFormat(LOCALES[language]).format(kinds.map((kind) => words[kind]));
}
