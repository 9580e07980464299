import { Format } from "./format.js";
import { framed, service, type Frame, type Told } from "./frame.js";
import type { Block, Letter } from "./letter.js";

/** Continuous flow: since when, how much, what to do. Also for one that ended before it could be told. */
export function leakAlert(frame: Frame, told: Told): Letter {
  return frame.language === "es" ? spanish(frame, told) : english(frame, told);
}

function english(frame: Frame, told: Told): Letter {
  const format = new Format(frame.utility, "en");
  const at = service("en", told.accountEnding);
  const { over, start, end, rate } = told;
  const facts: [string, string][] = [
    [over ? "Ran for" : "Running for", format.duration(end - start)],
    ["Lowest flow in any hour", `about ${format.volume(rate)} an hour, ${format.volume(rate * 24)} a day`],
  ];
  if (told.volume !== undefined) {
    facts.push([over ? "Used in that time" : "Used so far", `about ${format.volume(told.volume)}`]);
  }
  if (!over) facts.push(["Last reading", format.moment(end)]);
  const blocks: Block[] = over
    ? [
        {
          text: `Water ran without a break at ${at} from ${format.moment(start)} to ${format.moment(end)}. It has stopped since. It may have been a leak, or water that somebody left running.`,
        },
        { facts },
        {
          text: "If you know what it was, there is nothing to do. If not, look at the toilets and the irrigation first: a leak that comes and goes is most often there.",
        },
      ]
    : [
        {
          text: `Water has been running without a break at ${at} since ${format.moment(start)}. Somewhere in the day a home without a leak uses no water for a while, so this may be a leak.`,
        },
        { facts },
        {
          title: "What to do",
          steps: [
            "Check that every faucet, hose and sprinkler is off, also those that run on a timer.",
            "Check the toilets: put a few drops of food coloring into each tank and wait 10 minutes without flushing. Color in the bowl means the flapper leaks.",
            "Close the main shut-off valve of the building for a few minutes. If the meter goes on turning, the leak is between the meter and the valve; if it stops, it is inside.",
            "If you can't find it, call a plumber. If the water runs on purpose, for a pool or new plants, there is nothing to do.",
          ],
        },
        { text: "We write once more when the readings show that the flow has stopped." },
      ];
  return framed(frame, {
    subject: over ? "A possible leak ran and has stopped" : "Possible leak: water is running nonstop",
    heading: over ? "A possible leak, now over" : "Possible leak",
    blocks,
  });
}

function spanish(frame: Frame, told: Told): Letter {
  const format = new Format(frame.utility, "es");
  const at = service("es", told.accountEnding);
  const { over, start, end, rate } = told;
  const facts: [string, string][] = [
    [over ? "Corrió durante" : "Corre desde hace", format.duration(end - start)],
    [
      "Flujo más bajo en una hora",
      `unos ${format.volume(rate)} por hora, ${format.volume(rate * 24)} por día`,
    ],
  ];
  if (told.volume !== undefined) {
    facts.push([
      over ? "Consumo en ese tiempo" : "Consumo hasta ahora",
      `unos ${format.volume(told.volume)}`,
    ]);
  }
  if (!over) facts.push(["Última lectura", format.moment(end)]);
  const blocks: Block[] = over
    ? [
        {
          text: `El agua corrió sin parar en ${at} desde el ${format.moment(start)} hasta el ${format.moment(end)}. Desde entonces se detuvo. Pudo ser una fuga, o agua que alguien dejó abierta.`,
        },
        { facts },
        {
          text: "Si sabe qué fue, no tiene que hacer nada. Si no, revise primero los inodoros y el riego: una fuga que va y viene suele estar ahí.",
        },
      ]
    : [
        {
          text: `El agua corre sin parar en ${at} desde el ${format.moment(start)}. Una casa sin fugas pasa algún rato del día sin usar agua, así que puede ser una fuga.`,
        },
        { facts },
        {
          title: "Qué hacer",
          steps: [
            "Revise que todas las llaves, mangueras y aspersores estén cerrados, también los que tienen temporizador.",
            "Revise los inodoros: ponga unas gotas de colorante para alimentos en cada tanque y espere 10 minutos sin descargar. Si aparece color en la taza, el sello del tanque tiene una fuga.",
            "Cierre unos minutos la llave de paso principal del edificio. Si el medidor sigue girando, la fuga está entre el medidor y la llave; si se detiene, está adentro.",
            "Si no la encuentra, llame a un plomero. Si el agua corre a propósito, para una piscina o plantas nuevas, no tiene que hacer nada.",
          ],
        },
        { text: "Le escribiremos una vez más cuando las lecturas muestren que el flujo se detuvo." },
      ];
  return framed(frame, {
    subject: over ? "Una posible fuga corrió y ya se detuvo" : "Posible fuga: el agua corre sin parar",
    heading: over ? "Una posible fuga, ya terminada" : "Posible fuga",
    blocks,
  });
}
