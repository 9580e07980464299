import { WORDS } from "../words/index.js";
import { Format } from "./format.js";
import { framed, service, type Frame, type Told } from "./frame.js";
import type { Letter } from "./letter.js";

/** Later readings showed that what an alert told of never was. */
export function correction(frame: Frame, { kind, start, accountEnding }: Told): Letter {
  const { language, utility } = frame;
  const { mail } = WORDS[language];
  const about = kind === "high-usage" || kind === "freeze" ? kind : "leak";
  const text = mail.correction.text({
    about,
    at: service(language, accountEnding),
    since: new Format(utility, language).moment(start),
  });
  return framed(frame, {
    subject: mail.correction.subject({ about }),
    heading: mail.correction.heading,
    blocks: [{ text }],
  });
}
