import { budgetAlert } from "./budget-alert.js";
import { cost } from "./cost.js";
import { Format } from "./format.js";
import { answerLinks, framed, service, type Frame, type Told } from "./frame.js";
import { hoursChart } from "./hours-chart.js";
import type { Letter } from "./letter.js";

/** A day, or an hour or more of it, far above the home's own usual peaks. */
export function highUsageAlert(frame: Frame, told: Told): Letter {
  if (told.budget !== undefined) return budgetAlert(frame, told, told.budget);
  return frame.language === "es" ? spanish(frame, told) : english(frame, told);
}

/** Of a high day, the hours may be any of it. */
function isRunning({ over, usualDay }: Told): boolean {
  return !over && usualDay === undefined;
}

function english(frame: Frame, told: Told): Letter {
  const format = new Format(frame.utility, "en");
  const at = service("en", told.accountEnding);
  const facts: [string, string][] = [];
  if (told.volume !== undefined) facts.push(["Used in that time", `about ${format.volume(told.volume)}`]);
  facts.push(...cost(frame, told));
  facts.push(["Highest rate", `about ${format.volume(told.rate)} an hour`]);
  if (told.usualPeak !== undefined)
    facts.push(["Your usual busiest hour", `about ${format.volume(told.usualPeak)}`]);
  if (told.usualDay !== undefined) facts.push(["Your usual day", `about ${format.volume(told.usualDay)}`]);
  return framed(frame, {
    subject: "Unusually high water use",
    heading: "Unusually high water use",
    blocks: [
      {
        text: `Between ${format.moment(told.start)} and ${format.moment(told.end)}, far more water than usual ran at ${at}.${isRunning(told) ? " At the last reading it was still running." : ""}`,
      },
      { facts },
      ...hoursChart(frame, told),
      {
        title: "What to do",
        steps: [
          "If you know why, such as a pool, a hose or irrigation, there is nothing to do.",
          "If not, look for water that runs now: hoses, sprinklers, toilets, a wet spot in the yard.",
          "If you find water where it should not be, close the main shut-off valve of the building and call a plumber.",
        ],
      },
      ...(told.over ? [] : answerLinks(frame, told)),
    ],
  });
}

function spanish(frame: Frame, told: Told): Letter {
  const format = new Format(frame.utility, "es");
  const at = service("es", told.accountEnding);
  const facts: [string, string][] = [];
  if (told.volume !== undefined) facts.push(["Consumo en ese tiempo", `unos ${format.volume(told.volume)}`]);
  facts.push(...cost(frame, told));
  facts.push(["Flujo más alto", `unos ${format.volume(told.rate)} por hora`]);
  if (told.usualPeak !== undefined)
    facts.push(["Su hora habitual de mayor consumo", `unos ${format.volume(told.usualPeak)}`]);
  if (told.usualDay !== undefined) facts.push(["Su día habitual", `unos ${format.volume(told.usualDay)}`]);
  return framed(frame, {
    subject: "Consumo de agua inusualmente alto",
    heading: "Consumo de agua inusualmente alto",
    blocks: [
      {
        text: `Entre el ${format.moment(told.start)} y el ${format.moment(told.end)} corrió mucha más agua que de costumbre en ${at}.${isRunning(told) ? " En la última lectura seguía corriendo." : ""}`,
      },
      { facts },
      ...hoursChart(frame, told),
      {
        title: "Qué hacer",
        steps: [
          "Si sabe por qué, por ejemplo una piscina, una manguera o el riego, no tiene que hacer nada.",
          "Si no, busque agua que corra ahora: mangueras, aspersores, inodoros, un lugar mojado en el jardín.",
          "Si encuentra agua donde no debe haber, cierre la llave de paso principal del edificio y llame a un plomero.",
        ],
      },
      ...(told.over ? [] : answerLinks(frame, told)),
    ],
  });
}
