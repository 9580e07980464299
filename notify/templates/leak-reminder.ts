import { WORDS } from "../words/index.js";
import { cost } from "./cost.js";
import { Format } from "./format.js";
import { answerLinks, framed, service, type Frame, type Told } from "./frame.js";
import { hoursChart } from "./hours-chart.js";
import type { Letter } from "./letter.js";

/** The water of which an alert told still runs, days later. */
export function leakReminder(frame: Frame, told: Told): Letter {
  const { language, utility } = frame;
  const { mail } = WORDS[language];
  const words = mail.reminder;
  const format = new Format(utility, language);
  const { start, end, rate, volume, accountEnding } = told;
  const at = service(language, accountEnding);
  const facts: [string, string][] = [
    [mail.fact.running, format.duration(end - start)],
    [mail.fact.flow, mail.fact.anHourAndDay({ hour: format.volume(rate), day: format.volume(rate * 24) })],
  ];
  if (volume !== undefined)
    facts.push([mail.fact.usedSoFar, mail.fact.about({ volume: format.volume(volume) })]);
  facts.push(...cost(frame, told));
  return framed(frame, {
    subject: words.subject,
    heading: words.heading,
    blocks: [
      { text: words.text({ at, since: format.moment(start) }) },
      { facts },
      ...hoursChart(frame, told),
      { text: words.todo },
      ...answerLinks(frame, told),
      { text: words.again },
    ],
  });
}
