import { cost } from "./cost.js";
import { Format } from "./format.js";
import { framed, service, type Frame, type Told } from "./frame.js";
import type { Letter } from "./letter.js";

/** The flow that an alert told of has stopped. */
export function leakStopped(frame: Frame, told: Told): Letter {
  const { language, utility } = frame;
  const format = new Format(utility, language);
  const at = service(language, told.accountEnding);
  const { start, end } = told;
  if (language === "es") {
    const facts: [string, string][] = [["Corrió durante", format.duration(end - start)]];
    if (told.volume !== undefined)
      facts.push(["Consumo en ese tiempo", `unos ${format.volume(told.volume)}`]);
    facts.push(...cost(frame, { ...told, over: true }));
    return framed(frame, {
      subject: "El flujo de agua se detuvo",
      heading: "El flujo se detuvo",
      blocks: [
        {
          text: `El flujo de agua en ${at} del que le escribimos se detuvo. Corrió desde el ${format.moment(start)} hasta el ${format.moment(end)}.`,
        },
        { facts },
        { text: "Si usted lo reparó o cerró algo, gracias: no tiene que hacer nada más." },
      ],
    });
  }
  const facts: [string, string][] = [["Ran for", format.duration(end - start)]];
  if (told.volume !== undefined) facts.push(["Used in that time", `about ${format.volume(told.volume)}`]);
  facts.push(...cost(frame, { ...told, over: true }));
  return framed(frame, {
    subject: "The flow of water has stopped",
    heading: "The flow has stopped",
    blocks: [
      {
        text: `The flow of water at ${at} that we wrote about has stopped. It ran from ${format.moment(start)} to ${format.moment(end)}.`,
      },
      { facts },
      { text: "If you fixed or closed something, thank you: there is nothing more to do." },
    ],
  });
}
