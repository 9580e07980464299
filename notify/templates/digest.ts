import type { AlertKind } from "../decide.js";
import { WORDS } from "../words/index.js";
import { framed, type Frame, type Told } from "./frame.js";
import type { Block, Letter } from "./letter.js";
import { letterAbout } from "./letter-about.js";
import { isAnswerable } from "./sentence.js";
import { alertSentence } from "./text.js";

/** One message of several in a letter. */
export interface LetterItem {
  readonly about: AlertKind;
  readonly told: Told;
  /** Page where the resident answers it. */
  readonly answerUrl: string;
}

/** What a day brought to who has many homes: a sentence each, with the link to answer it. */
export function digest(frame: Frame, items: readonly LetterItem[]): Letter {
  const words = WORDS[frame.language].mail.digest;
  const n = items.length;
  return framed(frame, {
    subject: words.subject({ n }),
    heading: words.heading,
    blocks: [
      { text: words.intro({ n }) },
      ...items.flatMap((item): Block[] => [
        { text: alertSentence(frame.utility, frame.language, item.about, item.told) },
        ...answer(frame, item),
      ]),
    ],
  });
}

/** All that is to be said of one home at a time: of the first in full, of the others how their letters begin. */
export function letterOfHome(
  frame: Frame,
  [first, ...others]: readonly [LetterItem, ...LetterItem[]],
): Letter {
  const letter = letterAbout({ ...frame, answerUrl: first.answerUrl }, first.about, first.told);
  if (others.length === 0) return letter;
  const also = others.flatMap((item) => [
    letterAbout(frame, item.about, item.told).blocks[0]!,
    ...answer(frame, item),
  ]);
  return { ...letter, blocks: [...letter.blocks, { text: WORDS[frame.language].mail.digest.also }, ...also] };
}

/** What comes first in a letter of several. */
const ORDER: readonly AlertKind[] = ["alert", "last-reminder", "reminder", "correction", "stopped"];

/** News before what goes on, that before what is over. */
export function inOrder<Item extends LetterItem>(items: readonly Item[]): Item[] {
  const weight = ({ about, told }: LetterItem) => ORDER.indexOf(about) + (told.over ? ORDER.length : 0);
  return [...items].sort((a, b) => weight(a) - weight(b));
}

/** The link to answer an alert that still holds. */
function answer({ language }: Frame, { about, told, answerUrl }: LetterItem): Block[] {
  const words = WORDS[language].mail.answer;
  return isAnswerable(about, told)
    ? [{ title: words.title, links: [{ label: words.one, url: answerUrl }] }]
    : [];
}
