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

/** The one mail that an address gets before it is confirmed. */
export function confirmation(frame: Frame, kinds: readonly ConsentKind[], url: string): Letter {
  const words = KINDS[frame.language];
  const what = new Intl.ListFormat(frame.language).format(kinds.map((kind) => words[kind]));
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
