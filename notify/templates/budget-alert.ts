import { Format } from "./format.js";
import { framed, service, type Frame, type Told } from "./frame.js";
import type { Letter } from "./letter.js";

/** The month would end above the budget that the home set. */
export function budgetAlert(frame: Frame, told: Told, { of, expected }: NonNullable<Told["budget"]>): Letter {
  const { language, utility } = frame;
  const format = new Format(utility, language);
  const at = service(language, told.accountEnding);
  const volume = told.volume ?? 0;
  const budget = format.volume(of);
  const used = format.volume(volume);
  const coming = format.volume(expected);
  const isOver = volume > of;
  const { homeUrl } = frame;
  const change = (button: string) => (homeUrl === undefined ? [] : [{ button, url: homeUrl }]);
  if (language === "es")
    return framed(frame, {
      subject: isOver
        ? "Su límite de agua del mes está agotado"
        : "Su consumo va por encima del límite del mes",
      heading: "Su límite de agua del mes",
      blocks: [
        {
          text: `Hasta el ${format.moment(told.end)} se usaron ${used} en ${at}: ${isOver ? "más que" : "la mayor parte de"} los ${budget} que usted fijó para este mes. A este paso, el mes terminará con unos ${coming}.`,
        },
        {
          facts: [
            ["Límite del mes", budget],
            ["Consumo hasta ahora", used],
            ["A este paso, en el mes", `unos ${coming}`],
          ],
        },
        { text: "En este mes no le escribiremos más sobre él." },
        ...change("Cambiar o quitar el límite"),
      ],
    });
  return framed(frame, {
    subject: isOver
      ? "Your water budget for the month is used up"
      : "You are on the way past your water budget",
    heading: "Your water budget",
    blocks: [
      {
        text: `By ${format.moment(told.end)}, ${used} were used at ${at}: ${isOver ? "more than" : "most of"} the ${budget} that you set for this month. At this pace the month will come to about ${coming}.`,
      },
      {
        facts: [
          ["Budget for the month", budget],
          ["Used so far", used],
          ["At this pace, in the month", `about ${coming}`],
        ],
      },
      { text: "We write no more of it this month." },
      ...change("Change or end the budget"),
    ],
  });
}
