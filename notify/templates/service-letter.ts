import { WORDS } from "../words/index.js";
import { framed, type Frame } from "./frame.js";
import type { Letter } from "./letter.js";
import type { NoticeWords } from "../service-notice.js";

/** A notice of the utility in its own words. The foot says why it comes to who wants no alerts, too. */
export function serviceLetter(frame: Frame, { subject, text, link }: NoticeWords): Letter {
  const { foot, notice } = WORDS[frame.language].mail;
  const paragraphs = text.split(/\n\s*\n/).map((paragraph) => paragraph.trim().replace(/\s*\n\s*/g, " "));
  return framed(
    { ...frame, unsubscribeUrl: undefined },
    {
      subject,
      heading: subject,
      blocks: [
        ...paragraphs.map((paragraph) => ({ text: paragraph })),
        ...(link === undefined ? [] : [{ button: notice.button, url: link }]),
      ],
    },
    foot.service({ utility: frame.utility.name }),
  );
}
