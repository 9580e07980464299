import type { UtilityConfig } from "../../schemas/config.js";
import type { ConsentKind } from "../consent/wording.js";
import { answersTo } from "../answers.js";
import { WORDS, type Language } from "../words/index.js";
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

/** The letter with its foot: why it came, postal address, where to ask, how to stop. @param own words in the place of those of alerts */
export function framed(
  { utility, language, unsubscribeUrl, choicesUrl }: Frame,
  letter: Pick<Letter, "subject" | "heading" | "blocks">,
  own: { readonly why?: string; readonly stop?: string } = {},
): Letter {
  const words = WORDS[language].mail.foot;
  const name = { utility: utility.name };
  return {
    ...letter,
    language,
    colour: utility.brand.colour,
    footer: [
      own.why ?? (unsubscribeUrl === undefined ? words.once(name) : words.why(name)),
      `${utility.name}, ${utility.mail.postalAddress}`,
      words.privacy({ address: utility.mail.privacy }),
    ],
    unsubscribe:
      unsubscribeUrl === undefined ? undefined : { label: own.stop ?? words.stop, url: unsubscribeUrl },
    choices: choicesUrl === undefined ? undefined : { label: words.choices, url: choicesUrl },
  };
}

/** The service as a letter names it. @param ending last four of the account number */
export function service(language: Language, ending: string | undefined): string {
  return WORDS[language].mail.service({ ending: ending ?? "none" });
}

/** The way to the resident's bill, where the utility names it. The link is the same for all: it says nothing of who follows it. */
export function billLink({ language, utility }: Frame): Block[] {
  const { mail } = WORDS[language];
  return utility.billUrl === undefined ? [] : [{ button: mail.bill, url: utility.billUrl }];
}

/** Links by which a resident answers an alert; none where there is no page for it. */
export function answerLinks({ language, answerUrl, homeUrl }: Frame, { kind, canBeNormal }: Told): Block[] {
  if (answerUrl === undefined) return [];
  const { mail, answers } = WORDS[language];
  const links = answersTo(kind, canBeNormal).map((answer) => ({
    label: answers[answer],
    url: `${answerUrl}?answer=${answer}`,
  }));
  if (homeUrl !== undefined) links.push({ label: mail.answer.home, url: homeUrl });
  return [{ title: mail.answer.title, links }];
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
  /**
   * Of a month that would end high: against what, how much that is (the home's budget, or all of the same month of last
   * year), and what the month would come to, mL.
   */
  readonly month:
    { readonly against: "budget" | "last-year"; readonly of: number; readonly expected: number } | undefined;
  /** Of pipes that may freeze: degrees Celsius from which down it is cold, and seconds for which no water has run. */
  readonly frost: { readonly below: number; readonly dry: number } | undefined;
  /** What flowed in each hour up to `end`, from the beginning of the first: mL, `null` where it is not known or not theirs. */
  readonly hours: { readonly from: number; readonly ml: readonly (number | null)[] } | undefined;
  /** Last four of the account number, where it is long enough to stay private. */
  readonly accountEnding: string | undefined;
}
