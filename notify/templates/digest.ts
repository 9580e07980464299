import type { AlertKind } from "../decide.js";
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

const WORDS = {
  en: {
    subject: (count: number) => `Water alerts for your homes: ${count}`,
    heading: "Water alerts for your homes",
    intro: (count: number) =>
      `Since yesterday there is news of ${count} of your meters. A possible burst is told at once; all else comes in one e-mail a day, because you get alerts for many homes.`,
    also: "There is more to say about your water:",
    answer: "About this one",
    title: "Tell us, and we write less",
  },
  es: {
    subject: (count: number) => `Avisos sobre el agua de sus casas: ${count}`,
    heading: "Avisos sobre el agua de sus casas",
    intro: (count: number) =>
      `Desde ayer hay novedades en ${count} de sus medidores. Una posible rotura se avisa enseguida; lo demás llega en un correo al día, porque usted recibe avisos de muchas casas.`,
    also: "Hay algo más que decirle sobre su agua:",
    answer: "Sobre este aviso",
    title: "Díganos, y escribiremos menos",
  },
} as const;

/** What a day brought to who has many homes: a sentence each, with the link to answer it. */
export function digest(frame: Frame, items: readonly LetterItem[]): Letter {
  const words = WORDS[frame.language];
  const count = items.length;
  return framed(frame, {
    subject: words.subject(count),
    heading: words.heading,
    blocks: [
      { text: words.intro(count) },
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
  return { ...letter, blocks: [...letter.blocks, { text: WORDS[frame.language].also }, ...also] };
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
  const words = WORDS[language];
  return isAnswerable(about, told)
    ? [{ title: words.title, links: [{ label: words.answer, url: answerUrl }] }]
    : [];
}
