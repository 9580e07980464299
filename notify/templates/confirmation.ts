import type { ConsentKind, Language } from "../consent/wording.js";
import { framed, type Frame } from "./frame.js";
import type { Letter } from "./letter.js";

const KINDS: Readonly<Record<Language, Readonly<Record<ConsentKind, string>>>> = {
  en: {
    leak: "possible leaks",
    burst: "a possible burst at any hour",
    "high-usage": "unusually high water use",
  },
  es: {
    leak: "posibles fugas",
    burst: "una posible rotura a cualquier hora",
    "high-usage": "consumo de agua inusualmente alto",
  },
};

/** Asks whether what was agreed to a year ago still holds. @param until when it ends without an answer */
export function renewal(frame: Frame, kinds: readonly ConsentKind[], url: string, until: Date): Letter {
  const what = listOf(frame.language, kinds);
  const { name } = frame.utility;
  const last = until.toLocaleDateString(frame.language, {
    dateStyle: "long",
    timeZone: frame.utility.timeZone,
  });
  return framed(
    frame,
    frame.language === "es"
      ? {
          subject: "¿Sigue queriendo avisos sobre el agua?",
          heading: "¿Seguimos avisándole?",
          blocks: [
            {
              text: `Hace tiempo usted pidió a ${name} que le avise por correo sobre ${what}. Preguntamos de vez en cuando, para no escribir a quien ya se mudó.`,
            },
            { button: "Sí, sigan avisándome", url },
            {
              text: `Sin respuesta, los avisos terminan el ${last}: una fuga podría pasar inadvertida. Si ya no vive ahí, no haga nada.`,
            },
          ],
        }
      : {
          subject: "Do you still want water alerts?",
          heading: "Shall we go on telling you?",
          blocks: [
            {
              text: `Some time ago you asked ${name} to e-mail you about ${what}. We ask now and then, so that nobody is written to who has moved out.`,
            },
            { button: "Yes, keep my alerts", url },
            {
              text: `Without an answer the alerts end on ${last}: a leak may then go unnoticed. If you no longer live there, do nothing.`,
            },
          ],
        },
  );
}

export function listOf(language: Language, kinds: readonly ConsentKind[]): string {
  return new Intl.ListFormat(language).format(kinds.map((kind) => KINDS[language][kind]));
}

/** The one mail that an address gets before it is confirmed. */
export function confirmation(frame: Frame, kinds: readonly ConsentKind[], url: string): Letter {
  const what = listOf(frame.language, kinds);
  const { name } = frame.utility;
  return framed(
    frame,
    frame.language === "es"
      ? {
          subject: "Confirme sus avisos sobre el agua",
          heading: "Confirme su solicitud",
          blocks: [
            { text: `Usted pidió a ${name} que le avise por correo sobre ${what}.` },
            { button: "Confirmar mis avisos", url },
            {
              text: "El enlace funciona durante 24 horas. Si no fue usted, no haga nada: sin confirmación no se envía ningún aviso.",
            },
          ],
        }
      : {
          subject: "Please confirm your water alerts",
          heading: "Please confirm your request",
          blocks: [
            { text: `You asked ${name} to e-mail you about ${what}.` },
            { button: "Confirm my alerts", url },
            {
              text: "The link works for 24 hours. If it was not you, do nothing: without a confirmation no alert is sent.",
            },
          ],
        },
  );
}
