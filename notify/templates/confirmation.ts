import type { ConsentKind } from "../consent/wording.js";
import { framed, type Frame } from "./frame.js";
import type { Letter } from "./letter.js";

const KINDS = {
  en: { leak: "possible leaks", "high-usage": "unusually high water use", and: " and " },
  es: { leak: "posibles fugas", "high-usage": "consumo de agua inusualmente alto", and: " y " },
} as const;

/** The one mail that an address gets before it is confirmed. */
export function confirmation(frame: Frame, kinds: readonly ConsentKind[], url: string): Letter {
  const words = KINDS[frame.language];
  const what = kinds.map((kind) => words[kind]).join(words.and);
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
