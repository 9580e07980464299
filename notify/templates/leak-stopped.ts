import { WORDS } from "../words/index.js";
import { cost } from "./cost.js";
import { Format } from "./format.js";
import { framed, service, type Frame, type Told } from "./frame.js";
import type { Letter } from "./letter.js";

/** The flow that an alert told of has stopped. */
export function leakStopped(frame: Frame, told: Told): Letter {
  const { language, utility } = frame;
  const { mail } = WORDS[language];
  const format = new Format(utility, language);
  const { start, end, volume, accountEnding } = told;
  const facts: [string, string][] = [[mail.fact.ran, format.duration(end - start)]];
  if (volume !== undefined) facts.push([mail.fact.used, mail.fact.about({ volume: format.volume(volume) })]);
  facts.push(...cost(frame, { ...told, over: true }));
  const text = mail.stopped.text({
    at: service(language, accountEnding),
    from: format.moment(start),
    to: format.moment(end),
  });
  return framed(frame, {
    subject: mail.stopped.subject,
    heading: mail.stopped.heading,
    blocks: [{ text }, { facts }, { text: mail.stopped.thanks }],
  });
}
