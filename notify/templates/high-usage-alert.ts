import { WORDS } from "../words/index.js";
import { monthAlert } from "./month-alert.js";
import { cost } from "./cost.js";
import { Format } from "./format.js";
import { answerLinks, billLink, framed, service, type Frame, type Told } from "./frame.js";
import { hoursChart } from "./hours-chart.js";
import type { Letter } from "./letter.js";

/** A day, or an hour or more of it, far above the home's own usual peaks. */
export function highUsageAlert(frame: Frame, told: Told): Letter {
  if (told.month !== undefined) return monthAlert(frame, told, told.month);
  const { language, utility } = frame;
  const { mail } = WORDS[language];
  const words = mail.highUsage;
  const format = new Format(utility, language);
  const text = words.text({
    at: service(language, told.accountEnding),
    from: format.moment(told.start),
    to: format.moment(told.end),
  });
  const about = (millilitres: number) => mail.fact.about({ volume: format.volume(millilitres) });
  const facts: [string, string][] = [];
  if (told.volume !== undefined) facts.push([mail.fact.used, about(told.volume)]);
  facts.push(...cost(frame, told));
  facts.push([mail.fact.highest, mail.fact.anHour({ volume: format.volume(told.rate) })]);
  if (told.usualPeak !== undefined) facts.push([mail.fact.usualPeak, about(told.usualPeak)]);
  if (told.usualDay !== undefined) facts.push([mail.fact.usualDay, about(told.usualDay)]);
  return framed(frame, {
    subject: words.subject,
    heading: words.subject,
    blocks: [
      { text: isRunning(told) ? `${text} ${words.stillRuns}` : text },
      { facts },
      ...hoursChart(frame, told),
      { title: mail.whatToDo, steps: words.steps },
      ...billLink(frame),
      ...(told.over ? [] : answerLinks(frame, told)),
    ],
  });
}

/** Of a high day, the hours may be any of it. */
function isRunning({ over, usualDay }: Told): boolean {
  return !over && usualDay === undefined;
}
