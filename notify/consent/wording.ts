import { createHash } from "node:crypto";
import { kindOf, type RuleName } from "../../schemas/anomalies.js";
import type { UtilityConfig } from "../../schemas/config.js";

/** What a resident can ask to be told of. `burst`: of a burst at any hour; without it, a leak's recipients hear of one by day. */
export const CONSENT_KINDS = ["leak", "burst", "high-usage"] as const;
export type ConsentKind = (typeof CONSENT_KINDS)[number];
export type Language = UtilityConfig["languages"][number];

/** How a resident can be written to, each agreed to by itself. */
export const CONSENT_CHANNELS = ["email", "sms", "voice"] as const;
export type ConsentChannel = (typeof CONSENT_CHANNELS)[number];

/** Goes up with every change of the wording below: a consent is kept with the version and the hash of what was shown. */
export const CONSENT_VERSION = "2026-12-02";

/** By which of a contact's consents an anomaly is told, the one that allows most first. */
export function consentsFor(rule: RuleName): readonly ConsentKind[] {
  return rule === "burst" ? ["burst", "leak"] : [kindOf(rule)];
}

/** Whether a utility writes or calls by a channel. */
export function reaches({ sms, voice }: UtilityConfig, channel: ConsentChannel): boolean {
  return channel === "email" || (channel === "sms" ? sms : voice) !== undefined;
}

/** The wording that a resident agrees to, exactly as it is shown. */
export function consentText(utility: UtilityConfig, language: Language, channel: ConsentChannel): string {
  const { name, sms, voice } = utility;
  const rest = REST[language];
  if (channel === "email") return `${EMAIL[language](name)} ${rest}`;
  if (channel === "voice") return `${VOICE[language](name, voice!.perMonth)} ${rest}`;
  return `${SMS[language](name, sms!.perMonth)} ${rest}`;
}

const EMAIL = {
  en: (name: string) =>
    `I agree that ${name} may e-mail me the alerts ticked above about the water used at this service by day, and of a possible burst at any hour if I ticked that. I can end this at any time with the link in every e-mail.`,
  es: (name: string) =>
    `Acepto que ${name} me envíe por correo electrónico los avisos que marqué arriba sobre el agua de este servicio, de día, y de una posible rotura a cualquier hora si marqué eso. Puedo terminar esto cuando quiera con el enlace de cada correo.`,
} as const;

const SMS = {
  en: (name: string, perMonth: number) =>
    `I agree that ${name} may text me the alerts ticked above about the water used at this service, at the number that I give: by day, and of a possible burst at any hour if I ticked that; up to ${perMonth} a month, and more only for a burst. Message and data rates may apply. I can end this at any time by replying STOP, and get help by replying HELP. My number is not passed on for marketing.`,
  es: (name: string, perMonth: number) =>
    `Acepto que ${name} me envíe por mensaje de texto, al número que doy, los avisos que marqué arriba sobre el agua de este servicio: de día, y de una posible rotura a cualquier hora si marqué eso; hasta ${perMonth} al mes, y más solo por una rotura. Pueden aplicarse cargos por mensajes y datos. Puedo terminar esto cuando quiera respondiendo STOP, y recibir ayuda respondiendo AYUDA. Mi número no se entrega a nadie para publicidad.`,
} as const;

const VOICE = {
  en: (name: string, perMonth: number) =>
    `I agree that ${name} may call me with a computer voice about what I ticked above, about the water used at this service, at the number that I give: by day, and of a possible burst at any hour if I ticked that; up to ${perMonth} calls a month, and more only for a burst. I can end this at any time by pressing 9 during a call. My number is not passed on for marketing.`,
  es: (name: string, perMonth: number) =>
    `Acepto que ${name} me llame con una voz de computadora, al número que doy, sobre lo que marqué arriba, acerca del agua de este servicio: de día, y de una posible rotura a cualquier hora si marqué eso; hasta ${perMonth} llamadas al mes, y más solo por una rotura. Puedo terminar esto cuando quiera pulsando 9 durante una llamada. Mi número no se entrega a nadie para publicidad.`,
} as const;

const REST = {
  en: `Alerts rest on meter readings, which can be late or missing: they do not replace my own care. My water service does not depend on this.`,
  es: `Los avisos se basan en las lecturas del medidor, que pueden llegar tarde o faltar: no sustituyen mi propia atención. No hace falta aceptar para recibir agua.`,
} as const;

/** SHA-256 of the wording. */
export function consentHash(utility: UtilityConfig, language: Language, channel: ConsentChannel): Buffer {
  return createHash("sha256")
    .update(consentText(utility, language, channel))
    .digest();
}
