import { WORDS } from "../words/index.js";
import { Format } from "./format.js";
import { billLink, framed, service, type Frame, type Told } from "./frame.js";
import type { Letter } from "./letter.js";

/** The month would end above the budget that the home set. */
export function budgetAlert(frame: Frame, told: Told, budget: NonNullable<Told["budget"]>): Letter {
  const { language, utility, homeUrl } = frame;
  const { mail } = WORDS[language];
  const words = mail.budget;
  const format = new Format(utility, language);
  const volume = told.volume ?? 0;
  const state = volume > budget.of ? "over" : "on-the-way";
  const values = {
    state,
    at: service(language, told.accountEnding),
    to: format.moment(told.end),
    used: format.volume(volume),
    budget: format.volume(budget.of),
    coming: format.volume(budget.expected),
  };
  return framed(frame, {
    subject: words.subject({ state }),
    heading: words.heading,
    blocks: [
      { text: words.text(values) },
      {
        facts: [
          [words.budget, values.budget],
          [mail.fact.usedSoFar, values.used],
          [words.pace, mail.fact.about({ volume: values.coming })],
        ],
      },
      { text: words.noMore },
      ...(homeUrl === undefined ? [] : [{ button: words.change, url: homeUrl }]),
      ...billLink(frame),
    ],
  });
}
