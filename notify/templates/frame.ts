import type { UtilityConfig } from "../../schemas/config.js";
import type { ConsentKind, Language } from "../consent/wording.js";
import { ANSWER_WORDS, answersTo } from "../answers.js";
import type { Block, Letter } from "./letter.js";

/** What every letter needs beside its own words. */
export interface Frame {
  readonly utility: UtilityConfig;
  readonly language: Language;
  readonly unsubscribeUrl: string | undefined;
  /** Page where the resident changes what they are told. */
  readonly choicesUrl?: string | undefined;
  /** Page where the resident answers this alert. */
  readonly answerUrl?: string | undefined;
  /** Page where the resident tells of their home: nobody there, water on purpose. */
  readonly homeUrl?: string | undefined;
}

const FOOT = {
  en: {
    why: (name: string) => `You get this because you asked ${name} for water alerts at this address.`,
    once: (name: string) =>
      `Somebody, most likely you, asked ${name} for water alerts at this address. Without your confirmation nothing more is sent.`,
    privacy: (address: string) => `Questions about your personal data: ${address}`,
    stop: "Stop these e-mails",
    choices: "Change what you are told",
  },
  es: {
    why: (name: string) =>
      `Recibe este correo porque pidió a ${name} avisos sobre su agua en esta dirección.`,
    once: (name: string) =>
      `Alguien, probablemente usted, pidió a ${name} avisos sobre el agua en esta dirección. Sin su confirmación no se envía nada más.`,
    privacy: (address: string) => `Preguntas sobre sus datos personales: ${address}`,
    stop: "Dejar de recibir estos correos",
    choices: "Cambiar los avisos que recibe",
  },
} as const;

/** The letter with its foot: why it came, postal address, where to ask, how to stop. */
export function framed(
  { utility, language, unsubscribeUrl, choicesUrl }: Frame,
  letter: Pick<Letter, "subject" | "heading" | "blocks">,
): Letter {
  const words = FOOT[language];
  return {
    ...letter,
    language,
    footer: [
      unsubscribeUrl === undefined ? words.once(utility.name) : words.why(utility.name),
      `${utility.name}, ${utility.mail.postalAddress}`,
      words.privacy(utility.mail.privacy),
    ],
    unsubscribe: unsubscribeUrl === undefined ? undefined : { label: words.stop, url: unsubscribeUrl },
    choices: choicesUrl === undefined ? undefined : { label: words.choices, url: choicesUrl },
  };
}

const ABOUT_HOME = {
  en: "Tell us until when a pool fills, or nobody is home",
  es: "Díganos hasta cuándo se llena una piscina o no hay nadie en casa",
} as const;
const TELL_US = { en: "Tell us, and we write less", es: "Díganos, y escribiremos menos" } as const;

/** Links by which a resident answers an alert; none where there is no page for it. */
export function answerLinks({ language, answerUrl, homeUrl }: Frame, { kind, canBeNormal }: Told): Block[] {
  if (answerUrl === undefined) return [];
  const links = answersTo(kind, canBeNormal).map((answer) => ({
    label: ANSWER_WORDS[language][answer],
    url: `${answerUrl}?answer=${answer}`,
  }));
  if (homeUrl !== undefined) links.push({ label: ABOUT_HOME[language], url: homeUrl });
  return [{ title: TELL_US[language], links }];
}

/** Without a break; again and again; more than the meter's usual flow, which never stops; as never before; while nobody is there; when nobody waters. */
export type LeakFlow = "nonstop" | "off-and-on" | "above-usual" | "burst" | "away" | "watering";

/** An anomaly as a letter tells it. Times are UTC seconds, volumes millilitres, rates millilitres an hour. */
export interface Told {
  readonly kind: ConsentKind;
  /** How the water of a leak flows. */
  readonly flow: LeakFlow;
  readonly over: boolean;
  /** Whether the resident may say that such a flow is normal. */
  readonly canBeNormal: boolean;
  readonly start: number;
  readonly end: number;
  readonly rate: number;
  /** `undefined` where part of it is a former occupant's. */
  readonly volume: number | undefined;
  /** The meter's usual busiest hour, where known. */
  readonly usualPeak: number | undefined;
  /** The volume of the meter's usual day, where the day was high and not an hour of it. */
  readonly usualDay: number | undefined;
  /** The month's budget of the home, where that is what the message is about, and what the month would come to: mL. */
  readonly budget: { readonly of: number; readonly expected: number } | undefined;
  /** What flowed in each hour up to `end`, from the beginning of the first: mL, `null` where it is not known or not theirs. */
  readonly hours: { readonly from: number; readonly ml: readonly (number | null)[] } | undefined;
  /** Last four of the account number, where it is long enough to stay private. */
  readonly accountEnding: string | undefined;
}

export function service(language: Language, ending: string | undefined): string {
  if (language === "es")
    return ending === undefined
      ? "su servicio de agua"
      : `su servicio de agua (cuenta terminada en ${ending})`;
  return ending === undefined ? "your water service" : `your water service (account ending in ${ending})`;
}
