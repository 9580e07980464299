import { WORDS } from "../words/index.js";
import { Format } from "./format.js";
import { billLink, framed, service, type Frame, type Told } from "./frame.js";
import type { Letter } from "./letter.js";

/** The month would end above the budget that the home set, or far above the same month of last year. */
export function monthAlert(frame: Frame, told: Told, month: NonNullable<Told["month"]>): Letter {
  const { language, utility, homeUrl } = frame;
  const { mail } = WORDS[language];
  const words = month.against === "budget" ? mail.budget : mail.lastYear;
  const format = new Format(utility, language);
  const volume = told.volume ?? 0;
  const state = volume > month.of ? "over" : "on-the-way";
  const values = {
    state,
    at: service(language, told.accountEnding),
    to: format.moment(told.end),
    used: format.volume(volume),
    of: format.volume(month.of),
    coming: format.volume(month.expected),
  };
  return framed(frame, {
    subject: words.subject({ state }),
    heading: words.heading,
    blocks: [
      { text: words.text(values) },
      {
        facts: [
          [words.of, values.of],
          [mail.fact.usedSoFar, values.used],
          [mail.budget.pace, mail.fact.about({ volume: values.coming })],
        ],
      },
      ...(month.against === "budget"
        ? []
        : [{ title: mail.whatToDo, steps: [mail.lastYear.known, mail.lastYear.look, mail.lastYear.leak] }]),
      { text: mail.budget.noMore },
      ...(month.against === "budget" && homeUrl !== undefined
        ? [{ button: mail.budget.change, url: homeUrl }]
        : []),
      ...billLink(frame),
    ],
  });
}
