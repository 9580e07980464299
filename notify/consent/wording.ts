import { createHash } from "node:crypto";
import type { UtilityConfig } from "../../schemas/config.js";

/** What a resident can ask to be told of. */
export const CONSENT_KINDS = ["leak", "high-usage"] as const;
export type ConsentKind = (typeof CONSENT_KINDS)[number];
export type Language = UtilityConfig["languages"][number];

/** Goes up with every change of the wording below: a consent is kept with the version and the hash of what was shown. */
export const CONSENT_VERSION = "2026-11";

/** The wording that a resident agrees to, exactly as it is shown. */
export function consentText(utility: string, language: Language): string {
  return language === "es"
    ? `Acepto que ${utility} me envíe por correo electrónico los avisos que marqué arriba sobre el agua de este servicio. ` +
        `Los avisos se basan en las lecturas del medidor, que pueden llegar tarde o faltar: no sustituyen mi propia atención. ` +
        `No hace falta aceptar para recibir agua, y puedo dejar de recibirlos cuando quiera con el enlace de cada correo.`
    : `I agree that ${utility} may e-mail me the alerts ticked above about the water used at this service. ` +
        `Alerts rest on meter readings, which can be late or missing: they do not replace my own care. ` +
        `My water service does not depend on this, and I can end it at any time with the link in every e-mail.`;
}

/** SHA-256 of the wording. */
export function consentHash(utility: string, language: Language): Buffer {
  return createHash("sha256").update(consentText(utility, language)).digest();
}
