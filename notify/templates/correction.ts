import { Format } from "./format.js";
import { framed, service, type Frame, type Told } from "./frame.js";
import type { Letter } from "./letter.js";

/** Later readings showed that what an alert told of never was. */
export function correction(frame: Frame, told: Told): Letter {
  const { language, utility } = frame;
  const since = new Format(utility, language).moment(told.start);
  const at = service(language, told.accountEnding);
  if (language === "es") {
    const what = told.kind === "high-usage" ? "un consumo inusualmente alto" : "una posible fuga";
    return framed(frame, {
      subject: told.kind === "high-usage" ? "Corrección: no hubo consumo alto" : "Corrección: no hubo fuga",
      heading: "Nos equivocamos",
      blocks: [
        {
          text: `Le escribimos sobre ${what} en ${at} desde el ${since}. Lecturas corregidas muestran que no fue así. No tiene que hacer nada; disculpe la molestia.`,
        },
      ],
    });
  }
  const what = told.kind === "high-usage" ? "unusually high water use" : "a possible leak";
  return framed(frame, {
    subject:
      told.kind === "high-usage"
        ? "Correction: there was no high water use"
        : "Correction: there was no leak after all",
    heading: "We were wrong",
    blocks: [
      {
        text: `We wrote to you about ${what} at ${at} from ${since}. Corrected readings show that it never was. There is nothing to do; we are sorry for the trouble.`,
      },
    ],
  });
}
