import type { UtilityConfig } from "../../schemas/config.js";
import type { ConsentKind, Language } from "../consent/wording.js";
import type { AlertKind } from "../decide.js";
import { Format } from "./format.js";
import type { Told } from "./frame.js";
import { isAnswerable, sentence, type Sentences } from "./sentence.js";

/**
 * Texts for SMS. Each fits one segment of GSM 7-bit letters with the longest of its values (a test counts). Of the Spanish
 * accents that alphabet has é and ñ alone, so the wording does without the others. No name of a person, no address, no
 * whole account number.
 */
type Sms = NonNullable<UtilityConfig["sms"]>;

/** Answers to what a resident wrote. */
export const REPLIES = [
  "stopped",
  "started",
  "leak-only",
  "nothing-set-up",
  "help",
  "home",
  "confirmed",
  "on-purpose",
  "looking",
  "remind",
  "which",
  "not-understood",
] as const;
export type ReplyText = (typeof REPLIES)[number];

const KINDS: Readonly<Record<Language, Readonly<Record<ConsentKind, string>>>> = {
  en: { leak: "leak", burst: "burst", "high-usage": "high use" },
  es: { leak: "fugas", burst: "roturas", "high-usage": "alto consumo" },
};

/** Asks the owner of a number whether it was they who asked. */
export function confirmationText(sms: Sms, language: Language, kinds: readonly ConsentKind[]): string {
  const what = new Intl.ListFormat(language).format(kinds.map((kind) => KINDS[language][kind]));
  return language === "es"
    ? `${sms.name}: ¿Avisos de ${what}? Para confirmar, responda S1. Hasta ${sms.perMonth} msj/mes, puede haber cargos. AYUDA. STOP termina.`
    : `${sms.name}: You asked for ${what} alerts. Reply Y1 to confirm. ${sms.perMonth} msg/mo at most. Msg&data rates may apply. HELP. STOP to end.`;
}

/** Asks whether what was agreed to a year ago still holds. */
export function renewalText(sms: Sms, language: Language, kinds: readonly ConsentKind[]): string {
  const what = new Intl.ListFormat(language).format(kinds.map((kind) => KINDS[language][kind]));
  return language === "es"
    ? `${sms.name}: ¿Sigue queriendo avisos de ${what}? Responda S1 en 30 d, o terminan. AYUDA. STOP termina ya.`
    : `${sms.name}: Do you still want ${what} alerts? Reply Y1 within 30 days, or they end. HELP. STOP to end now.`;
}

/**
 * The one answer to what a resident wrote.
 * @param values `homeUrl`: page about the resident's home
 */
export function replyText(values: ReplyValues, language: Language, reply: ReplyText): string {
  return (language === "es" ? SPANISH : ENGLISH)[reply](values);
}

type ReplyValues = Sms & { readonly homeUrl: string };
type Wording = Readonly<Record<ReplyText, (values: ReplyValues) => string>>;

const ENGLISH: Wording = {
  stopped: ({ name }) =>
    `${name}: You will get no more texts. Reply LEAK to get leak alerts only, or START to resume.`,
  started: ({ name }) => `${name}: Your water alerts are on again. HELP for help, STOP to end.`,
  "leak-only": ({ name }) => `${name}: You now get leak alerts only. HELP for help, STOP to end.`,
  "nothing-set-up": ({ name, help }) => `${name}: No alerts are set up for this number. To sign up: ${help}`,
  help: ({ name, help, perMonth }) =>
    `${name} water alerts. Help: ${help}. ${perMonth} msg/mo at most. Msg&data rates may apply. STOP to end.`,
  home: ({ name, homeUrl }) => `${name}: Days away, pool, budget: ${homeUrl}`,
  confirmed: ({ name, perMonth }) =>
    `${name}: Your water alerts are on. ${perMonth} msg/mo at most. Msg&data rates may apply. HELP for help, STOP to end.`,
  "on-purpose": ({ name }) =>
    `${name}: Thank you. We write of it again only if the flow doubles or goes on for 2 weeks. HOME: tell us of a pool or days away.`,
  looking: ({ name }) => `${name}: Thank you. We write again when the flow has stopped.`,
  remind: ({ name }) => `${name}: We remind you in 7 days if the water still runs.`,
  which: ({ name }) =>
    `${name}: You have alerts for several services. Reply 1, 2 or 3 and the last four digits of the one you mean, such as 1 4417.`,
  "not-understood": ({ name }) => `${name}: Thank you, somebody will read this. HELP for help, STOP to end.`,
};

const SPANISH: Wording = {
  stopped: ({ name }) =>
    `${name}: Ya no le enviamos mensajes. Responda FUGA para avisos de fugas solamente, o START para volver.`,
  started: ({ name }) => `${name}: Sus avisos de agua vuelven a estar activos. AYUDA. STOP termina.`,
  "leak-only": ({ name }) => `${name}: Ahora recibe avisos de fugas solamente. AYUDA. STOP termina.`,
  "nothing-set-up": ({ name, help }) => `${name}: No hay avisos para este celular. Para pedirlos: ${help}`,
  help: ({ name, help, perMonth }) =>
    `Avisos de agua de ${name}. Ayuda: ${help}. Hasta ${perMonth} msj/mes, puede haber cargos. STOP termina.`,
  home: ({ name, homeUrl }) => `${name}: Viajes, piscina, consumo: ${homeUrl}`,
  confirmed: ({ name, perMonth }) =>
    `${name}: Sus avisos de agua quedan activos. Hasta ${perMonth} msj/mes, puede haber cargos. AYUDA. STOP termina.`,
  "on-purpose": ({ name }) =>
    `${name}: Gracias. Le escribimos de nuevo solamente si el flujo se duplica o sigue 2 semanas. CASA: piscina o viajes.`,
  looking: ({ name }) => `${name}: Gracias. Le escribimos de nuevo cuando el flujo pare.`,
  remind: ({ name }) => `${name}: Le escribimos en 7 d si el agua sigue corriendo.`,
  which: ({ name }) =>
    `${name}: Tiene avisos de varios servicios. Responda 1, 2 o 3 y los cuatro finales del servicio, por ejemplo 1 4417.`,
  "not-understood": ({ name }) => `${name}: Gracias, una persona lo va a leer. AYUDA. STOP termina.`,
};

/** A message about an anomaly. */
export function alertText(utility: UtilityConfig, language: Language, about: AlertKind, told: Told): string {
  const words = language === "es" ? ES : EN;
  const end = isAnswerable(about, told) ? words.replies : words.stop;
  return `${utility.sms!.name}: ${alertSentence(utility, language, about, told)}${end}`;
}

/** The sentence alone, such as "Possible leak at your service 4417: …". */
export function alertSentence(
  utility: UtilityConfig,
  language: Language,
  about: AlertKind,
  told: Told,
): string {
  const format = new Format(utility, language);
  const length = format.shortDuration(told.end - told.start);
  const rate = `${format.shortVolume(told.rate)}/h`;
  const volume = told.volume === undefined ? rate : format.shortVolume(told.volume);
  const values = {
    at: serviceOf(language, told.accountEnding),
    length,
    rate,
    volume,
    budget: format.shortVolume(told.budget?.of ?? 0),
  };
  return sentence(language === "es" ? ES : EN, about, told, values);
}

interface TextSentences extends Sentences {
  readonly stop: string;
  /** How to answer, where water still runs. */
  readonly replies: string;
}

function serviceOf(language: Language, ending: string | undefined): string {
  if (language === "es") return ending === undefined ? "su servicio" : `su servicio ${ending}`;
  return ending === undefined ? "your service" : `your service ${ending}`;
}

const EN: TextSentences = {
  leak: {
    nonstop: ({ at, length, rate }) => `Possible leak at ${at}: water ran nonstop for ${length}, ${rate}.`,
    "off-and-on": ({ at, length, rate }) =>
      `Possible leak at ${at}: it runs on and off for ${length}, ${rate}.`,
    "above-usual": ({ at, length, rate }) => `Possible leak at ${at}: ${rate} more than usual for ${length}.`,
    burst: ({ at, rate }) => `Possible burst at ${at}: ${rate} is running. Please look now.`,
    away: ({ at, length, volume }) => `Water is used at ${at} while you are away: ${volume} in ${length}.`,
    watering: ({ at, volume }) => `Irrigation runs at ${at} when no watering is due: ${volume} so far.`,
  },
  leakOver: ({ at, length, volume }) => `Possible leak at ${at}, now over: ${volume} of water in ${length}.`,
  reminder: ({ at, length, rate }) => `Water still runs at ${at}, for ${length} now, ${rate}.`,
  highUsage: ({ at, length, volume }) => `Unusually high use at ${at}: ${volume} in ${length}.`,
  budget: ({ at, volume, budget }) =>
    `${volume} used at ${at} this month: your budget of ${budget} will not do.`,
  stopped: ({ at, length }) => `The flow at ${at} has stopped. It ran for ${length}.`,
  correction: ({ at }) => `Please ignore our last alert about ${at}: the readings were wrong. We are sorry.`,
  stop: " STOP to end.",
  replies: " Reply 1 if intended, 2 looking, 3 later. STOP to end.",
};

const ES: TextSentences = {
  leak: {
    nonstop: ({ at, length, rate }) => `Posible fuga en ${at}: corre sin parar hace ${length}, ${rate}.`,
    "off-and-on": ({ at, length, rate }) =>
      `Posible fuga en ${at}: corre una y otra vez hace ${length}, ${rate}.`,
    "above-usual": ({ at, length, rate }) =>
      `Posible fuga en ${at}: ${rate} encima de lo usual hace ${length}.`,
    burst: ({ at, rate }) => `Posible rotura en ${at}: corren ${rate}. Revise ahora.`,
    away: ({ at, length, volume }) => `Se usa agua en ${at} en su ausencia: ${volume} en ${length}.`,
    watering: ({ at, volume }) => `El riego corre en ${at} cuando no toca regar: ya ${volume}.`,
  },
  leakOver: ({ at, length, volume }) =>
    `Posible fuga en ${at}, ya terminada: ${volume} de agua en ${length}.`,
  reminder: ({ at, length, rate }) => `El agua sigue corriendo en ${at}, ya ${length}, ${rate}.`,
  highUsage: ({ at, length, volume }) => `Consumo muy alto en ${at}: ${volume} en ${length}.`,
  budget: ({ at, volume, budget }) => `${volume} en ${at} este mes: su tope de ${budget} no alcanza.`,
  stopped: ({ at, length }) => `El flujo en ${at} ha parado. Ha durado ${length}.`,
  correction: ({ at }) => `Por favor ignore nuestro aviso sobre ${at}: hubo un error en las lecturas.`,
  stop: " STOP termina.",
  replies: " Responda 1 normal, 2 lo reviso, 3 luego. STOP termina.",
};
