import type { Mailing } from "../../schemas/config.js";
import type { NoticeWords } from "../notices.js";
import { WORDS } from "../words/index.js";
import { framed, type Frame } from "./frame.js";
import type { Letter } from "./letter.js";

/** What a utility writes in its own words. @param mailing what it was asked for; `null`: it is due to who wants no alerts, too */
export function noticeLetter(
  frame: Frame,
  { subject, text, link }: NoticeWords,
  mailing: Mailing | null,
): Letter {
  const { foot, notice, kinds } = WORDS[frame.language].mail;
  const utility = frame.utility.name;
  const paragraphs = text.split(/\n\s*\n/).map((paragraph) => paragraph.trim().replace(/\s*\n\s*/g, " "));
  const letter = {
    subject,
    heading: subject,
    blocks: [
      ...paragraphs.map((paragraph) => ({ text: paragraph })),
      ...(link === undefined ? [] : [{ button: notice.button, url: link }]),
    ],
  };
  if (mailing === null) return framed(frame, letter, { why: foot.service({ utility }) });
  const what = kinds[mailing];
  return framed(frame, letter, { why: foot.mailing({ utility, what }), stop: foot.stopMailing({ what }) });
}
