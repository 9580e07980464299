import type { TextAnswer } from "../answers.js";

/**
 * What a text message from a resident asks for.
 *
 * The words that end messages are those of 47 CFR 64.1200(a)(10) (stop, quit, end, revoke, opt out, cancel,
 * unsubscribe), those that Twilio acts on by itself (STOPALL, OPTOUT), and their Spanish and French counterparts; any other
 * reasonable wording counts as well. A resident who was taken off by mistake can come back with one word, one who was
 * kept on by mistake was wronged: in doubt it is a stop.
 */
export type Reply =
  /** `sure` is false where it was read out of a phrase or a misspelling: people look at it, too. */
  | { readonly asks: "stop"; readonly sure: boolean }
  | { readonly asks: "start" | "help" | "leak" }
  /** Wants the page about the home: nobody there, water on purpose, a budget, what is told. */
  | { readonly asks: "home" }
  /** Agrees to what was asked; `start` where it is also a word that brings back what a stop ended. */
  | { readonly asks: "confirm"; readonly start: boolean }
  /** What the newest alert was about: 1 water that runs on purpose, 2 somebody looks into it, 3 remind me. */
  | { readonly asks: "answer"; readonly answer: TextAnswer; readonly service: string | undefined }
  /** Asks for leak alerts: account number and ZIP code prove the address. */
  | { readonly asks: "join"; readonly account: string; readonly zip: string }
  | { readonly asks: "unknown" };

const STOP = words(
  "stop, stopall, stop all, quit, end, revoke, opt out, optout, cancel, unsubscribe, " +
    "alto, para, pare, paren, parar, basta, cancelar, cancele, baja, darme de baja, no mas, " +
    "arret, arreter, arretez, desabonner",
);
const START = words("start, unstop, resume, alta, reanudar, reactivar");
const YES = words("yes");
const CONFIRM = words("y, y1, y 1, si, si 1, s1, oui, o1, ok, okay, confirm, confirmar");
const HELP = words("help, info, ayuda, aide");
const LEAK = words("leak, leaks, fuga, fugas, fuite, fuites");
const HOME = words("home, my home, casa, mi casa");

/** Account numbers may have blanks and dashes in them. */
const JOIN = /^(?:join|alerts|unirme|avisos) ([a-z0-9][a-z0-9 ]{2,38}) (\d{5})$/;
const WATER = "(leaks?|leaking|water|flow|pipes?|dripping|running)(?! (alerts?|texts?|messages?))";
/** Anywhere in a message; matched at word boundaries in its bare form. */
const STOP_PHRASES = new RegExp(
  [
    // But not how to stop the water.
    `stop(all)?(?! (the |this |that |a |my )?${WATER})`,
    "unsubscribe( me)?",
    "opt(ing|ed)? ?out",
    `no more(?! ${WATER})`,
    "(do not|dont|never) (text|message|contact|send|write|call|bother)",
    "(take|get) me off",
    "remove (me|this number|my number)",
    "delete (me|my number)",
    "leave me alone",
    "wrong (number|person|house)",
    "not interested",
    "cancel (this|these|all|my|the|alerts|texts|messages)",
    "(quit|end) (this|these|all|texting|sending|messaging)",
    "no (me )?(mande|manden|envie|envien|escriba|escriban|molesten|moleste|llamen)( mas)?",
    "no quiero (mas|recibir|mensajes|avisos)",
    "(deje|dejen|deja) de",
    "(quite|quiten|borre|borren|saque|saquen|elimine|eliminen)(me|nme)?",
    "(quiteme|quitenme|borreme|borrenme|saqueme|saquenme|eliminenme)",
    "(numero|persona) equivocad[oa]",
    "(dar|darme|deme|denme) de baja",
    "no mas",
    "ne (plus|pas) (envoyer|envoyez|ecrire|ecrivez)",
    "plus de messages?",
    "mauvais numero",
    "desabonne[rz]?",
  ]
    .map((phrase) => `(^| )${phrase}( |$)`)
    .join("|"),
);
/** Misspelt by one letter, these are taken for what was meant. Shorter words have too many neighbours. */
const OFTEN_MISSPELT = ["stop", "stopall", "cancel", "unsubscribe", "revoke", "optout", "cancelar"];
const STOP_SIGN = /[\u{1F6D1}\u{1F6AB}]/u;

/** Reads a reply in English, Spanish or French, whatever its case, accents and punctuation. */
export function readReply(text: string): Reply {
  const bare = bareWords(text);
  if (STOP.has(bare)) return { asks: "stop", sure: true };
  if (START.has(bare)) return { asks: "start" };
  if (HELP.has(bare)) return { asks: "help" };
  if (LEAK.has(bare)) return { asks: "leak" };
  if (HOME.has(bare)) return { asks: "home" };
  if (YES.has(bare)) return { asks: "confirm", start: true };
  if (CONFIRM.has(bare)) return { asks: "confirm", start: false };
  const answer = /^([123])(?: (\d{4}))?$/.exec(bare);
  if (answer !== null)
    return { asks: "answer", answer: Number(answer[1]) as TextAnswer, service: answer[2] ?? undefined };
  if (STOP_SIGN.test(text) || STOP_PHRASES.test(bare) || isMisspeltStop(bare))
    return { asks: "stop", sure: false };
  const join = JOIN.exec(bare);
  return join === null ? { asks: "unknown" } : { asks: "join", account: join[1]!, zip: join[2]! };
}

/** Lower case, without accents and signs, words one blank apart; letters that stand alone (S T O P) are one word. */
function bareWords(text: string): string {
  const bare = text
    .normalize("NFKC")
    .normalize("NFD")
    .replace(/\p{M}+/gu, "")
    // Before the rest: it joins a word (don't).
    .replace(/['’`´]/g, "")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
  return /^(\p{L} ){2,}\p{L}$/u.test(bare) ? bare.replaceAll(" ", "") : bare;
}

function isMisspeltStop(bare: string): boolean {
  return !bare.includes(" ") && OFTEN_MISSPELT.some((word) => isOneOff(bare, word));
}

/** Whether one letter more, less, other, or two neighbours exchanged make the one word the other. */
function isOneOff(one: string, other: string): boolean {
  if (Math.abs(one.length - other.length) > 1) return false;
  let head = 0;
  while (head < one.length && one[head] === other[head]) head++;
  const tails = (i: number, j: number) => one.slice(head + i) === other.slice(head + j);
  return (
    tails(1, 1) ||
    tails(1, 0) ||
    tails(0, 1) ||
    (one[head] === other[head + 1] && one[head + 1] === other[head] && tails(2, 2))
  );
}

function words(list: string): ReadonlySet<string> {
  return new Set(list.split(", "));
}
