import type { UtilityConfig } from "../../schemas/config.js";
import type { ConsentKind, Language } from "../consent/wording.js";
import type { AlertKind } from "../decide.js";
import { listOf } from "./confirmation.js";
import { Format } from "./format.js";
import type { Told } from "./frame.js";
import { isAnswerable, sentence, type Sentences, type Values } from "./sentence.js";

/**
 * What a computer voice says. It names the utility first and how to end the calls last (47 CFR 64.1200(b)), no person, no
 * address, no whole account number. Keys are digits, said with "press".
 */
export const SPOKEN_REPLIES = [
  "confirmed",
  "stopped",
  "on-purpose",
  "looking",
  "remind",
  "not-understood",
] as const;
export type SpokenReply = (typeof SPOKEN_REPLIES)[number];

/** Asks whoever picks up whether it was they who asked. */
export function spokenConfirmation(
  utility: UtilityConfig,
  language: Language,
  kinds: readonly ConsentKind[],
): string {
  const what = listOf(language, kinds);
  return language === "es"
    ? `${hello(utility, language)} Usted pidió que le avisemos por teléfono sobre ${what}. Para confirmar, pulse 1. Si no fue usted, cuelgue, o pulse 9 y no volvemos a llamar.`
    : `${hello(utility, language)} You asked us to call you about ${what}. To confirm, press 1. If it was not you, hang up, or press 9 and we will not call again.`;
}

/** A call about an anomaly. */
export function spokenAlert(
  utility: UtilityConfig,
  language: Language,
  about: AlertKind,
  told: Told,
): string {
  const format = new Format(utility, language);
  const words = language === "es" ? ES : EN;
  const values: Values = {
    at: words.service(told.accountEnding?.split("").join(" ")),
    length: format.duration(told.end - told.start),
    rate: format.volume(told.rate),
    volume: format.volume(told.volume ?? told.rate),
    budget: format.volume(told.budget?.of ?? 0),
  };
  const answers = told.kind === "leak" ? words.keys : words.fewKeys;
  const keys = isAnswerable(about, told) ? answers : words.end;
  return `${hello(utility, language)} ${sentence(words, about, told, values)} ${keys}`;
}

/** The answer to a key. */
export function spokenReply(language: Language, reply: SpokenReply): string {
  return (language === "es" ? ES : EN).replies[reply];
}

function hello({ name }: UtilityConfig, language: Language): string {
  return language === "es"
    ? `Hola. Le habla ${name}, con una voz de computadora.`
    : `Hello. This is ${name}, with a computer voice.`;
}

interface SpokenSentences extends Sentences {
  readonly service: (ending: string | undefined) => string;
  readonly keys: string;
  readonly fewKeys: string;
  readonly end: string;
  readonly replies: Readonly<Record<SpokenReply, string>>;
}

const EN: SpokenSentences = {
  service: (ending) =>
    ending === undefined ? "your water service" : `your water service with the account ending in ${ending}`,
  leak: {
    nonstop: ({ at, length, rate }) =>
      `There may be a leak at ${at}. Water has run without a break for ${length}, about ${rate} an hour.`,
    "off-and-on": ({ at, length, rate }) =>
      `There may be a leak at ${at}. Water has run on and off for ${length}, about ${rate} an hour.`,
    "above-usual": ({ at, length, rate }) =>
      `There may be a leak at ${at}. For ${length}, ${rate} more than usual has run each hour.`,
    burst: ({ at, rate }) =>
      `There may be a burst at ${at}. About ${rate} an hour is running. Please look now.`,
    away: ({ at, length, volume }) => `Water is used at ${at} while you are away: ${volume} in ${length}.`,
    watering: ({ at, volume }) => `The irrigation at ${at} runs when no watering is due: ${volume} so far.`,
  },
  leakOver: ({ at, length, volume }) =>
    `There may have been a leak at ${at}. It is over now: ${volume} of water in ${length}.`,
  reminder: ({ at, length, rate }) =>
    `Water is still running at ${at}, for ${length} now, about ${rate} an hour.`,
  highUsage: ({ at, length, volume }) => `Water use is unusually high at ${at}: ${volume} in ${length}.`,
  budget: ({ at, volume, budget }) =>
    `${volume} was used at ${at} this month. Your budget of ${budget} will not do.`,
  stopped: ({ at, length }) => `The flow at ${at} has stopped. It ran for ${length}.`,
  correction: ({ at }) =>
    `Please ignore our last call about ${at}. The readings were wrong, and we are sorry.`,
  keys: "Press 1 if the water runs on purpose, 2 if somebody looks into it, 3 to be called again in a week, or 9 to end these calls.",
  fewKeys: "Press 1 if the water runs on purpose, 2 if somebody looks into it, or 9 to end these calls.",
  end: "Press 9 to end these calls.",
  replies: {
    confirmed: "Thank you. We call you when it matters. Press 9 in any call to end them. Goodbye.",
    stopped: "We will not call this number again. Goodbye.",
    "on-purpose": "Thank you. We call again only if the flow doubles or goes on for two weeks. Goodbye.",
    looking: "Thank you. We call again when the flow has stopped. Goodbye.",
    remind: "We call again in a week if the water still runs. Goodbye.",
    "not-understood": "This key does nothing here. Goodbye.",
  },
};

const ES: SpokenSentences = {
  service: (ending) =>
    ending === undefined
      ? "su servicio de agua"
      : `su servicio de agua con la cuenta que termina en ${ending}`,
  leak: {
    nonstop: ({ at, length, rate }) =>
      `Puede haber una fuga en ${at}. El agua corre sin parar desde hace ${length}, unos ${rate} por hora.`,
    "off-and-on": ({ at, length, rate }) =>
      `Puede haber una fuga en ${at}. El agua corre una y otra vez desde hace ${length}, unos ${rate} por hora.`,
    "above-usual": ({ at, length, rate }) =>
      `Puede haber una fuga en ${at}. Desde hace ${length} corren ${rate} por hora más de lo usual.`,
    burst: ({ at, rate }) =>
      `Puede haber una rotura en ${at}. Corren unos ${rate} por hora. Revise ahora, por favor.`,
    away: ({ at, length, volume }) => `Se usa agua en ${at} en su ausencia: ${volume} en ${length}.`,
    watering: ({ at, volume }) => `El riego de ${at} corre cuando no toca regar: ya ${volume}.`,
  },
  leakOver: ({ at, length, volume }) =>
    `Pudo haber una fuga en ${at}. Ya terminó: ${volume} de agua en ${length}.`,
  reminder: ({ at, length, rate }) =>
    `El agua sigue corriendo en ${at}, ya desde hace ${length}, unos ${rate} por hora.`,
  highUsage: ({ at, length, volume }) => `El consumo en ${at} es inusualmente alto: ${volume} en ${length}.`,
  budget: ({ at, volume, budget }) =>
    `Este mes se usaron ${volume} en ${at}. Su límite de ${budget} no alcanza.`,
  stopped: ({ at, length }) => `El flujo en ${at} se detuvo. Duró ${length}.`,
  correction: ({ at }) =>
    `Por favor ignore nuestra última llamada sobre ${at}. Hubo un error en las lecturas. Lo sentimos.`,
  keys: "Pulse 1 si el agua corre a propósito, 2 si alguien lo revisa, 3 para que llamemos de nuevo en una semana, o 9 para terminar estas llamadas.",
  fewKeys: "Pulse 1 si el agua corre a propósito, 2 si alguien lo revisa, o 9 para terminar estas llamadas.",
  end: "Pulse 9 para terminar estas llamadas.",
  replies: {
    confirmed:
      "Gracias. Le llamamos cuando haga falta. Pulse 9 en cualquier llamada para terminarlas. Adiós.",
    stopped: "No volvemos a llamar a este número. Adiós.",
    "on-purpose": "Gracias. Llamamos de nuevo solo si el flujo se duplica o sigue dos semanas. Adiós.",
    looking: "Gracias. Llamamos de nuevo cuando el flujo se detenga. Adiós.",
    remind: "Llamamos de nuevo en una semana si el agua sigue corriendo. Adiós.",
    "not-understood": "Esta tecla no hace nada aquí. Adiós.",
  },
};
