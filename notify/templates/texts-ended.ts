import { WORDS } from "../words/index.js";
import { framed, service, type Frame } from "./frame.js";
import type { Letter } from "./letter.js";

/** Texts about a home do not arrive and have ended. @param ending last four of the account number */
export function textsEnded(frame: Frame, ending: string | undefined): Letter {
  const { mail } = WORDS[frame.language];
  const words = mail.textsEnded;
  const at = service(frame.language, ending);
  const { choicesUrl } = frame;
  return framed(frame, {
    subject: words.subject,
    heading: words.heading,
    blocks: [
      { text: words.text({ at }) },
      { text: words.mails },
      ...(choicesUrl === undefined ? [] : [{ button: words.button, url: choicesUrl }]),
      { text: words.again },
    ],
  });
}
