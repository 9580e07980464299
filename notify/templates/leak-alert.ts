import { cost } from "./cost.js";
import { Format } from "./format.js";
import { answerLinks, framed, service, type Frame, type LeakFlow, type Told } from "./frame.js";
import { hoursChart } from "./hours-chart.js";
import type { Block, Letter } from "./letter.js";

/** A leak: since when, how much, what to do. Also for one that ended before it could be told. */
export function leakAlert(frame: Frame, told: Told): Letter {
  return frame.language === "es" ? spanish(frame, told) : english(frame, told);
}

interface Words {
  readonly subject: string;
  readonly overSubject: string;
  /** What flowed, before "at the address since …"; while it goes on, and afterwards. */
  readonly runs: string;
  readonly ran: string;
  readonly why: string;
  readonly rate: string;
}

const ENGLISH: Readonly<Record<LeakFlow, Words>> = {
  nonstop: {
    subject: "Possible leak: water is running nonstop",
    overSubject: "A possible leak ran and has stopped",
    runs: "Water has been running without a break",
    ran: "Water ran without a break",
    why: "Somewhere in the day a home without a leak uses no water for a while, so this may be a leak.",
    rate: "Flow when nothing else runs",
  },
  "off-and-on": {
    subject: "Possible leak: water runs again and again",
    overSubject: "A possible leak ran and has stopped",
    runs: "Water has been running again and again",
    ran: "Water ran again and again",
    why: "It also runs at hours when your meter usually stands still. A toilet that refills by itself does this, and so does a small leak.",
    rate: "Flow when nothing else runs",
  },
  "above-usual": {
    subject: "Possible leak: more water runs than usual",
    overSubject: "A possible leak ran and has stopped",
    runs: "More water than usual has been running all the time",
    ran: "More water than usual ran all the time",
    why: "Your meter seldom stands still, and now its lowest flow is higher than it was for weeks. This may be a leak.",
    rate: "Flow above your usual lowest",
  },
  burst: {
    subject: "Possible burst: a lot of water is running",
    overSubject: "A lot of water ran and has stopped",
    runs: "Much more water than ever before has been running",
    ran: "Much more water than ever before ran",
    why: "A pipe may have burst, or a hose or a valve may have been left open. Please look now.",
    rate: "Highest flow",
  },
  away: {
    subject: "Water is used while you are away",
    overSubject: "Water was used while you were away",
    runs: "Water has been used",
    ran: "Water was used while nobody was home",
    why: "You told us that nobody is home, so this may be a leak.",
    rate: "Most in an hour",
  },
  watering: {
    subject: "Your irrigation runs when no watering is due",
    overSubject: "Your irrigation ran when no watering was due",
    runs: "Water has been running through the irrigation meter",
    ran: "Water ran through the irrigation meter",
    why: "It is out of the season, or not one of the days for watering. A valve may be stuck open, or the controller may have lost its program.",
    rate: "Most in an hour",
  },
};

const SPANISH: Readonly<Record<LeakFlow, Words>> = {
  nonstop: {
    subject: "Posible fuga: el agua corre sin parar",
    overSubject: "Una posible fuga corrió y ya se detuvo",
    runs: "El agua corre sin parar",
    ran: "El agua corrió sin parar",
    why: "Una casa sin fugas pasa algún rato del día sin usar agua, así que puede ser una fuga.",
    rate: "Flujo cuando no se usa nada más",
  },
  "off-and-on": {
    subject: "Posible fuga: el agua corre una y otra vez",
    overSubject: "Una posible fuga corrió y ya se detuvo",
    runs: "El agua corre una y otra vez",
    ran: "El agua corrió una y otra vez",
    why: "Corre también a horas en que su medidor suele estar quieto. Así hace un inodoro que se llena solo, y también una fuga pequeña.",
    rate: "Flujo cuando no se usa nada más",
  },
  "above-usual": {
    subject: "Posible fuga: corre más agua que de costumbre",
    overSubject: "Una posible fuga corrió y ya se detuvo",
    runs: "Corre todo el tiempo más agua que de costumbre",
    ran: "Corrió todo el tiempo más agua que de costumbre",
    why: "Su medidor casi nunca está quieto, y ahora su flujo más bajo es mayor que en las últimas semanas. Puede ser una fuga.",
    rate: "Flujo por encima del más bajo de siempre",
  },
  burst: {
    subject: "Posible rotura: corre mucha agua",
    overSubject: "Corrió mucha agua y ya se detuvo",
    runs: "Corre mucha más agua que nunca",
    ran: "Corrió mucha más agua que nunca",
    why: "Puede ser un tubo roto, o una manguera o llave que quedó abierta. Por favor, revise ahora.",
    rate: "Flujo más alto",
  },
  away: {
    subject: "Se usa agua mientras no están en casa",
    overSubject: "Se usó agua mientras no estaban en casa",
    runs: "Se ha usado agua",
    ran: "Se usó agua mientras no había nadie",
    why: "Usted nos dijo que no hay nadie en casa, así que puede ser una fuga.",
    rate: "Lo más alto en una hora",
  },
  watering: {
    subject: "Su riego corre cuando no toca regar",
    overSubject: "Su riego corrió cuando no tocaba regar",
    runs: "Corre agua por el medidor de riego",
    ran: "Corrió agua por el medidor de riego",
    why: "No es temporada de riego, o no es uno de los días para regar. Puede que una válvula no cierre, o que el programador haya perdido su programa.",
    rate: "Lo más alto en una hora",
  },
};

/** What to do while it runs. */
const STEPS = {
  en: {
    leak: [
      "Check that every faucet, hose and sprinkler is off, also those that run on a timer.",
      "Check the toilets: put a few drops of food coloring into each tank and wait 10 minutes without flushing. Color in the bowl means the flapper leaks.",
      "Close the main shut-off valve of the building for a few minutes. If the meter goes on turning, the leak is between the meter and the valve; if it stops, it is inside.",
      "If you can't find it, call a plumber. If the water runs on purpose, for a pool or new plants, there is nothing to do.",
    ],
    away: [
      "If somebody is there after all, or the garden is watered, there is nothing to do.",
      "If not, ask whoever has a key to look for water that runs: toilets, faucets, hoses, the water heater.",
      "If nobody finds it, have the main shut-off valve of the building closed until you are back.",
    ],
    watering: [
      "Look at the controller: its date and time, and the days and the season of its program.",
      "Walk along the lines while the controller is off. Where water still comes out, a valve does not close, or a pipe leaks.",
      "If you find nothing, close the valve of the irrigation and see whether the meter stands still.",
    ],
  },
  es: {
    leak: [
      "Revise que todas las llaves, mangueras y aspersores estén cerrados, también los que tienen temporizador.",
      "Revise los inodoros: ponga unas gotas de colorante para alimentos en cada tanque y espere 10 minutos sin descargar. Si aparece color en la taza, el sello del tanque tiene una fuga.",
      "Cierre unos minutos la llave de paso principal del edificio. Si el medidor sigue girando, la fuga está entre el medidor y la llave; si se detiene, está adentro.",
      "Si no la encuentra, llame a un plomero. Si el agua corre a propósito, para una piscina o plantas nuevas, no tiene que hacer nada.",
    ],
    away: [
      "Si hay alguien en casa, o se riega el jardín, no tiene que hacer nada.",
      "Si no, pida a quien tenga llave que busque agua que corra: inodoros, llaves, mangueras, el calentador.",
      "Si nadie la encuentra, haga cerrar la llave de paso principal del edificio hasta que vuelva.",
    ],
    watering: [
      "Revise el programador: su fecha y hora, y los días y la temporada de su programa.",
      "Recorra las líneas con el programador apagado. Donde salga agua, una válvula no cierra o un tubo tiene una fuga.",
      "Si no encuentra nada, cierre la llave del riego y vea si el medidor se detiene.",
    ],
  },
} as const;

/** Where to look once it is over. */
const LOOK_AT = {
  en: {
    leak: "look at the toilets and the irrigation first: a leak that comes and goes is most often there.",
    watering: "look at the controller of the irrigation, and whether each valve closes.",
  },
  es: {
    leak: "revise primero los inodoros y el riego: una fuga que va y viene suele estar ahí.",
    watering: "revise el programador del riego, y si cada válvula cierra.",
  },
} as const;

/** Whether it is about the water of days, which need not flow all the time. */
function isByTheDay({ flow }: Told): boolean {
  return flow === "away" || flow === "watering";
}

function stepsOf({ flow }: Told): keyof (typeof STEPS)["en"] {
  return flow === "away" || flow === "watering" ? flow : "leak";
}

function english(frame: Frame, told: Told): Letter {
  const format = new Format(frame.utility, "en");
  const at = service("en", told.accountEnding);
  const { over, start, end, rate } = told;
  const words = ENGLISH[told.flow];
  const facts: [string, string][] = [
    [over ? "Ran for" : "Running for", format.duration(end - start)],
    [
      words.rate,
      `about ${format.volume(rate)}${isByTheDay(told) ? "" : ` an hour, ${format.volume(rate * 24)} a day`}`,
    ],
  ];
  if (told.volume !== undefined) {
    facts.push([over ? "Used in that time" : "Used so far", `about ${format.volume(told.volume)}`]);
  }
  facts.push(...cost(frame, told));
  if (!over) facts.push(["Last reading", format.moment(end)]);
  const blocks: Block[] = over
    ? [
        {
          text: `${words.ran} at ${at} from ${format.moment(start)} to ${format.moment(end)}. It has stopped since. It may have been a leak, or water that somebody left running.`,
        },
        { facts },
        ...hoursChart(frame, told),
        {
          text: `If you know what it was, there is nothing to do. If not, ${LOOK_AT.en[told.flow === "watering" ? "watering" : "leak"]}`,
        },
      ]
    : [
        {
          text: `${words.runs} at ${at} since ${format.moment(start)}. ${words.why}`,
        },
        { facts },
        ...hoursChart(frame, told),
        {
          title: "What to do",
          steps: STEPS.en[stepsOf(told)],
        },
        ...answerLinks(frame, told),
        { text: "We write once more when the readings show that the flow has stopped." },
      ];
  return framed(frame, {
    subject: over ? words.overSubject : words.subject,
    heading: over ? "A possible leak, now over" : "Possible leak",
    blocks,
  });
}

function spanish(frame: Frame, told: Told): Letter {
  const format = new Format(frame.utility, "es");
  const at = service("es", told.accountEnding);
  const { over, start, end, rate } = told;
  const words = SPANISH[told.flow];
  const facts: [string, string][] = [
    [over ? "Corrió durante" : "Corre desde hace", format.duration(end - start)],
    [
      words.rate,
      `unos ${format.volume(rate)}${isByTheDay(told) ? "" : ` por hora, ${format.volume(rate * 24)} por día`}`,
    ],
  ];
  if (told.volume !== undefined) {
    facts.push([
      over ? "Consumo en ese tiempo" : "Consumo hasta ahora",
      `unos ${format.volume(told.volume)}`,
    ]);
  }
  facts.push(...cost(frame, told));
  if (!over) facts.push(["Última lectura", format.moment(end)]);
  const blocks: Block[] = over
    ? [
        {
          text: `${words.ran} en ${at} desde el ${format.moment(start)} hasta el ${format.moment(end)}. Desde entonces se detuvo. Pudo ser una fuga, o agua que alguien dejó abierta.`,
        },
        { facts },
        ...hoursChart(frame, told),
        {
          text: `Si sabe qué fue, no tiene que hacer nada. Si no, ${LOOK_AT.es[told.flow === "watering" ? "watering" : "leak"]}`,
        },
      ]
    : [
        {
          text: `${words.runs} en ${at} desde el ${format.moment(start)}. ${words.why}`,
        },
        { facts },
        ...hoursChart(frame, told),
        {
          title: "Qué hacer",
          steps: STEPS.es[stepsOf(told)],
        },
        ...answerLinks(frame, told),
        { text: "Le escribiremos una vez más cuando las lecturas muestren que el flujo se detuvo." },
      ];
  return framed(frame, {
    subject: over ? words.overSubject : words.subject,
    heading: over ? "Una posible fuga, ya terminada" : "Posible fuga",
    blocks,
  });
}
