import { cost } from "./cost.js";
import { Format } from "./format.js";
import { answerLinks, framed, service, type Frame, type Told } from "./frame.js";
import { hoursChart } from "./hours-chart.js";
import type { Letter } from "./letter.js";

/** The water of which an alert told still runs, days later. */
export function leakReminder(frame: Frame, told: Told): Letter {
  const { language, utility } = frame;
  const format = new Format(utility, language);
  const at = service(language, told.accountEnding);
  const { start, end, rate, volume } = told;
  const running = format.duration(end - start);
  const lost = format.volume(rate);
  if (language === "es") {
    const facts: [string, string][] = [
      ["Corre desde hace", running],
      ["Flujo", `unos ${lost} por hora, ${format.volume(rate * 24)} por día`],
    ];
    if (volume !== undefined) facts.push(["Consumo hasta ahora", `unos ${format.volume(volume)}`]);
    facts.push(...cost(frame, told));
    return framed(frame, {
      subject: "El agua sigue corriendo: posible fuga",
      heading: "El agua sigue corriendo",
      blocks: [
        {
          text: `Le escribimos sobre una posible fuga en ${at}. Las lecturas muestran que el agua sigue corriendo, desde el ${format.moment(start)}.`,
        },
        { facts },
        ...hoursChart(frame, told),
        {
          text: "Si ya pidió ayuda o el agua corre a propósito, no tiene que hacer nada. Si no, revise los inodoros, cierre unos minutos la llave de paso principal y mire si el medidor se detiene; si no encuentra la causa, llame a un plomero.",
        },
        ...answerLinks(frame, told),
        { text: "Le escribiremos de nuevo cuando las lecturas muestren que el flujo se detuvo." },
      ],
    });
  }
  const facts: [string, string][] = [
    ["Running for", running],
    ["Flow", `about ${lost} an hour, ${format.volume(rate * 24)} a day`],
  ];
  if (volume !== undefined) facts.push(["Used so far", `about ${format.volume(volume)}`]);
  facts.push(...cost(frame, told));
  return framed(frame, {
    subject: "Water is still running: possible leak",
    heading: "Water is still running",
    blocks: [
      {
        text: `We wrote to you about a possible leak at ${at}. The readings show that water still runs, since ${format.moment(start)}.`,
      },
      { facts },
      ...hoursChart(frame, told),
      {
        text: "If help is on its way, or the water runs on purpose, there is nothing to do. If not, check the toilets, close the main shut-off valve for a few minutes and see whether the meter stops; if you can't find the cause, call a plumber.",
      },
      ...answerLinks(frame, told),
      { text: "We write again when the readings show that the flow has stopped." },
    ],
  });
}
