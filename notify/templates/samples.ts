import type { UtilityConfig } from "../../schemas/config.js";
import { ALERT_CONSENTS, type AlertConsent } from "../consent/wording.js";
import type { NoticeWords } from "../notices.js";
import { WORDS, type Language } from "../words/index.js";
import { confirmation, renewal } from "./confirmation.js";
import type { AlertKind } from "../decide.js";
import { digest, letterOfHome } from "./digest.js";
import type { Frame, LeakFlow, Told } from "./frame.js";
import { noticeLetter } from "./notice-letter.js";
import { textsEnded } from "./texts-ended.js";
import { letterAbout } from "./letter-about.js";
import type { Letter } from "./letter.js";
import { spokenAlert, spokenConfirmation, spokenReply, type SpokenReply } from "./spoken.js";
import { alertText, confirmationText, renewalText, replyText, type ReplyText } from "./text.js";

/** A message as residents may get it, with made-up values. */
export interface Sample {
  /** Such as `leak-nonstop`; the same in each language and channel. */
  readonly name: string;
  readonly language: Language;
}
export interface SampleLetter extends Sample {
  readonly letter: Letter;
}
export interface SampleText extends Sample {
  readonly text: string;
}

/** What a utility may write itself. */
const SAMPLE_NOTICE: Readonly<Record<Language, NoticeWords>> = {
  en: {
    subject: "Our privacy policy changes on January 1",
    text: "From January 1 we keep hourly reads for two years. Until now it was three.\n\nYou need not do anything.",
    link: "https://utility.example/privacy",
  },
  es: {
    subject: "Nuestra política de privacidad cambia el 1 de enero",
    text: "Desde el 1 de enero guardamos las lecturas por hora dos años. Hasta ahora eran tres.\n\nUsted no tiene que hacer nada.",
    link: "https://utility.example/privacidad",
  },
};

const SAMPLE_TIP: Readonly<Record<Language, NoticeWords>> = {
  en: {
    subject: "Water less in October",
    text: "Nights are cool now, and the soil dries slowly.\n\nSet your timer to half of its summer minutes. Look again when it rains.",
  },
  es: {
    subject: "Riegue menos en octubre",
    text: "Las noches son frescas y la tierra se seca despacio.\n\nBaje el tiempo de riego a la mitad. Vuelva a mirar cuando llueva.",
  },
};

const FLOWS: readonly LeakFlow[] = ["nonstop", "off-and-on", "above-usual", "burst", "away", "watering"];
const HOUR = 3600;

/**
 * An anomaly as a message may tell it.
 * @param end UTC seconds of the last reading
 */
export function sampleTold(end: number, change: Partial<Told>): Told {
  return {
    kind: "leak",
    flow: "nonstop",
    over: false,
    canBeNormal: true,
    start: end - 26 * HOUR,
    end,
    rate: 7_000,
    volume: 200_000,
    usualPeak: 100_000,
    usualDay: undefined,
    month: undefined,
    frost: undefined,
    hours: { from: end - 48 * HOUR, ml: SAMPLE_HOURS },
    accountEnding: "4417",
    ...change,
  };
}

/** Litres of two days: a home that sleeps at night, then a flow that never stops; one hour was not read. */
const SAMPLE_HOURS = [
  0,
  0,
  0,
  0,
  0,
  18,
  64,
  41,
  12,
  0,
  0,
  22,
  30,
  9,
  0,
  0,
  14,
  52,
  70,
  33,
  21,
  8,
  12,
  7,
  7,
  7,
  7,
  7,
  7,
  25,
  71,
  48,
  19,
  7,
  null,
  29,
  37,
  16,
  7,
  7,
  21,
  59,
  77,
  40,
  28,
  15,
  7,
  7,
].map((litres) => litres && litres * 1000);

type About = readonly [name: string, what: AlertKind, told: Partial<Told>];

/** Every message about an anomaly that there is. */
const ABOUT: readonly About[] = [
  ...FLOWS.flatMap((flow): About[] => {
    const canBeNormal = flow !== "burst" && flow !== "away" && flow !== "watering";
    return [
      [`leak-${flow}`, "alert", { flow, canBeNormal }],
      [`leak-${flow}-over`, "alert", { flow, canBeNormal, over: true }],
    ];
  }),
  ["leak-reminder", "reminder", {}],
  ["leak-stopped", "stopped", { over: true }],
  ["leak-correction", "correction", {}],
  ["high-hour", "alert", { kind: "high-usage" }],
  ["high-hour-over", "alert", { kind: "high-usage", over: true }],
  ["high-day", "alert", { kind: "high-usage", usualPeak: undefined, usualDay: 500_000 }],
  [
    "budget",
    "alert",
    {
      kind: "high-usage",
      volume: 20_000_000,
      usualPeak: undefined,
      month: { against: "budget", of: 24_000_000, expected: 31_000_000 },
    },
  ],
  [
    "bill-ahead",
    "alert",
    {
      kind: "high-usage",
      volume: 30_000_000,
      usualPeak: undefined,
      month: { against: "last-year", of: 22_000_000, expected: 51_000_000 },
    },
  ],
  ["high-correction", "correction", { kind: "high-usage" }],
  ["freeze", "alert", { kind: "freeze", rate: 0, volume: 0, frost: { below: -6.7, dry: 38 * HOUR } }],
  ["freeze-correction", "correction", { kind: "freeze" }],
];

/**
 * Every letter in every language of the utility.
 * @param end UTC seconds of the last reading in them
 */
export function sampleLetters(utility: UtilityConfig, publicUrl: string, end: number): SampleLetter[] {
  const link = (path: string) => `${publicUrl}/${path}/an-example`;
  return utility.languages.flatMap((language) => {
    const frame: Frame = {
      utility,
      language,
      unsubscribeUrl: link("unsubscribe"),
      choicesUrl: link("choices"),
      answerUrl: link("answer"),
      homeUrl: link("home"),
    };
    return [
      {
        name: "confirmation",
        language,
        letter: confirmation(
          { utility, language, unsubscribeUrl: undefined },
          ALERT_CONSENTS,
          link("confirm"),
        ),
      },
      {
        name: "renewal",
        language,
        letter: renewal(frame, ALERT_CONSENTS, link("confirm"), new Date((end + 30 * 24 * HOUR) * 1000)),
      },
      {
        name: "notice",
        language,
        letter: noticeLetter({ ...frame, unsubscribeUrl: undefined }, SAMPLE_NOTICE[language], null),
      },
      { name: "tips", language, letter: noticeLetter(frame, SAMPLE_TIP[language], "tips") },
      { name: "texts-ended", language, letter: textsEnded(frame, "4417") },
      {
        name: "digest",
        language,
        letter: digest(
          { ...frame, answerUrl: undefined },
          ABOUT.map(([, about, change]) => ({
            about,
            told: sampleTold(end, change),
            answerUrl: link("answer"),
          })),
        ),
      },
      {
        name: "several-of-one-home",
        language,
        letter: letterOfHome(frame, [
          { about: "alert", told: sampleTold(end, {}), answerUrl: link("answer") },
          {
            about: "alert",
            told: sampleTold(end, { kind: "high-usage", usualPeak: 300_000 }),
            answerUrl: link("answer"),
          },
          {
            about: "stopped",
            told: sampleTold(end, { over: true, flow: "off-and-on" }),
            answerUrl: link("answer"),
          },
        ]),
      },
      ...ABOUT.map(([name, what, change]) => ({
        name,
        language,
        letter: letterAbout(frame, what, sampleTold(end, change)),
      })),
    ];
  });
}

/** Every text in every language of a utility that sends texts. */
export function sampleTexts(utility: UtilityConfig, publicUrl: string, end: number): SampleText[] {
  const { sms } = utility;
  if (sms === undefined) return [];
  return utility.languages.flatMap((language) => [
    ...askable("confirmation").map(([name, kinds]) => ({
      name,
      language,
      text: confirmationText(sms, language, kinds),
    })),
    ...askable("renewal").map(([name, kinds]) => ({
      name,
      language,
      text: renewalText(sms, language, kinds),
    })),
    ...ABOUT.map(([name, what, change]) => ({
      name,
      language,
      text: alertText(utility, language, what, sampleTold(end, change)),
    })),
    ...namesOf<ReplyText>(WORDS[language].sms.replies).map((reply) => ({
      name: `reply-${reply}`,
      language,
      text: replyText({ ...sms, homeUrl: `${publicUrl}/home/an-example` }, language, reply),
    })),
  ]);
}

/** Every call in every language of a utility that calls. */
export function sampleCalls(utility: UtilityConfig, end: number): SampleText[] {
  if (utility.voice === undefined) return [];
  return utility.languages.flatMap((language) => [
    ...askable("confirmation").map(([name, kinds]) => ({
      ...{ name, language },
      text: spokenConfirmation(utility, language, kinds),
    })),
    ...ABOUT.map(([name, what, change]) => ({
      ...{ name, language },
      text: spokenAlert(utility, language, what, sampleTold(end, change)),
    })),
    ...namesOf<SpokenReply>(WORDS[language].voice.replies).map((reply) => ({
      ...{ name: `reply-${reply}`, language },
      text: spokenReply(language, reply),
    })),
  ]);
}

function askable(what: string): (readonly [name: string, kinds: readonly AlertConsent[]])[] {
  return [
    ...ALERT_CONSENTS.map((kind) => [`${what}-${kind}`, [kind]] as const),
    [`${what}-all`, ALERT_CONSENTS],
  ];
}

function namesOf<Name extends string>(messages: Readonly<Record<Name, unknown>>): Name[] {
  return Object.keys(messages) as Name[];
}
