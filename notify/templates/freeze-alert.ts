import { WORDS } from "../words/index.js";
import { Format } from "./format.js";
import { framed, service, type Frame, type Told } from "./frame.js";
import type { Letter } from "./letter.js";

/** Degrees Celsius at which a home that nobody is in is kept: 55 °F (American Red Cross). */
const KEPT_WARM = 12.8;

/** It is cold, and no water runs: pipes may freeze. */
export function freezeAlert(frame: Frame, told: Told, frost: NonNullable<Told["frost"]>): Letter {
  const { language, utility } = frame;
  const { mail } = WORDS[language];
  const words = mail.freeze;
  const format = new Format(utility, language);
  const dry = format.duration(frost.dry);
  const below = format.temperature(frost.below);
  const at = service(language, told.accountEnding);
  const kept = format.temperature(KEPT_WARM);
  return framed(frame, {
    subject: words.subject,
    heading: words.heading,
    blocks: [
      { text: words.text({ at, dry, below }) },
      {
        facts: [
          [words.coldSince, format.moment(told.start)],
          [words.dryFor, dry],
          [mail.fact.lastReading, format.moment(told.end)],
        ],
      },
      { title: mail.whatToDo, steps: [words.there, words.away({ kept }), words.drip, words.drained] },
      { text: words.once },
    ],
  });
}
