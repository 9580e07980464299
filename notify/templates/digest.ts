import type { AlertKind } from "../decide.js";
import { framed, type Frame, type Told } from "./frame.js";
import type { Block, Letter } from "./letter.js";
import { alertSentence } from "./text.js";

/** One message of a digest. */
export interface DigestItem {
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
    answer: "About this one",
    title: "Tell us, and we write less",
  },
  es: {
    subject: (count: number) => `Avisos sobre el agua de sus casas: ${count}`,
    heading: "Avisos sobre el agua de sus casas",
    intro: (count: number) =>
      `Desde ayer hay novedades en ${count} de sus medidores. Una posible rotura se avisa enseguida; lo demás llega en un correo al día, porque usted recibe avisos de muchas casas.`,
    answer: "Sobre este aviso",
    title: "Díganos, y escribiremos menos",
  },
} as const;

/** What a day brought to who has many homes: a sentence each, with the link to answer it. */
export function digest(frame: Frame, items: readonly DigestItem[]): Letter {
  const words = WORDS[frame.language];
  const count = items.length;
  return framed(frame, {
    subject: words.subject(count),
    heading: words.heading,
    blocks: [
      { text: words.intro(count) },
      ...items.flatMap(({ about, told, answerUrl }): Block[] => {
        const sentence: Block = { text: alertSentence(frame.utility, frame.language, about, told) };
        const answerable =
          !told.over && told.budget === undefined && about !== "stopped" && about !== "correction";
        return answerable
          ? [sentence, { title: words.title, links: [{ label: words.answer, url: answerUrl }] }]
          : [sentence];
      }),
    ],
  });
}
