import { alertText, confirmationText, replyText, type ReplyText } from "../../../notify/templates/text.js";
import type { AlertKind } from "../../../notify/decide.js";
import type { LeakFlow, Told } from "../../../notify/templates/frame.js";
import { ALERT_CONSENTS } from "../../../notify/consent/wording.js";
import { utilityConfig } from "../../../schemas/config.js";
import { segmentsOf } from "../../../schemas/segments.js";
import { readReply } from "../../../notify/sms/reply.js";
import { WORDS, type Language } from "../../../notify/words/index.js";

const LONGEST_NAME = "W".repeat(24);
/** 50 characters, and a token. */
const HOME_URL = `https://alerts.water.a-city-with-a-longer-name.gov/home/${"T".repeat(43)}`;
const utility = (units: "gal" | "L" | "m3" | "ft3" = "gal", name = LONGEST_NAME) =>
  utilityConfig.parse({
    id: "oakvale",
    name: "City of Oakvale Water",
    timeZone: "America/Los_Angeles",
    languages: ["en", "es"],
    units,
    mail: { from: "a@oakvale.example", postalAddress: "1 Road, Oakvale", privacy: "p@oakvale.example" },
    sms: { from: "+15550100199", name, help: "H".repeat(50), perMonth: 99 },
    sources: [{ id: "customers", folder: "drop", format: "crosswalk" }],
  });

const FLOWS: readonly LeakFlow[] = ["nonstop", "off-and-on", "above-usual", "burst", "away"];
const ABOUT: readonly AlertKind[] = ["alert", "reminder", "last-reminder", "stopped", "correction"];
const HOUR = 3600;
const longest: Told = {
  kind: "leak",
  flow: "nonstop",
  over: false,
  canBeNormal: true,
  start: 0,
  end: 99 * 24 * HOUR,
  // What a 1-inch meter passes.
  rate: 11_400_000,
  volume: 27_086_400_000,
  usualPeak: undefined,
  usualDay: undefined,
  month: undefined,
  frost: undefined,
  hours: undefined,
  accountEnding: "4417",
};

const LANGUAGES = Object.keys(WORDS) as Language[];
const every = LANGUAGES.flatMap((language) =>
  (["gal", "ft3", "m3", "L"] as const).flatMap((units) => [
    ...ABOUT.flatMap((about) =>
      FLOWS.flatMap((flow) =>
        (["leak", "high-usage"] as const).flatMap((kind) =>
          [false, true].map((over) => ({
            name: `${language} ${units} ${about} ${flow} ${kind} ${over ? "over" : "open"}`,
            text: alertText(utility(units), language, about, { ...longest, flow, kind, over }),
          })),
        ),
      ),
    ),
    {
      name: `${language} ${units} budget`,
      text: alertText(utility(units), language, "alert", {
        ...longest,
        kind: "high-usage",
        volume: 9_999_000_000,
        month: { against: "budget", of: 8_888_000_000, expected: 12_345_000_000 },
      }),
    },
    {
      name: `${language} ${units} bill ahead`,
      text: alertText(utility(units), language, "alert", {
        ...longest,
        kind: "high-usage",
        volume: 9_999_000_000,
        month: { against: "last-year", of: 8_888_000_000, expected: 12_345_000_000 },
      }),
    },
    {
      name: `${language} ${units} freeze`,
      text: alertText(utility(units), language, "alert", {
        ...longest,
        kind: "freeze",
        frost: { below: -6.7, dry: 99 * 24 * HOUR },
      }),
    },
    ...(Object.keys(WORDS[language].sms.replies) as ReplyText[]).map((reply) => ({
      name: `${language} reply ${reply}`,
      text: replyText({ ...utility().sms!, homeUrl: HOME_URL }, language, reply),
    })),
    ...ALERT_CONSENTS.map((kind) => ({
      name: `${language} confirmation ${kind}`,
      text: confirmationText(utility().sms!, language, [kind]),
    })),
    {
      name: `${language} confirmation of both`,
      text: confirmationText(utility().sms!, language, ALERT_CONSENTS),
    },
  ]),
);

it("goes as one segment of the cheap alphabet, whatever its values", () => {
  const dear = every.filter(
    ({ text }) => segmentsOf(text).segments !== 1 || segmentsOf(text).encoding !== "GSM-7",
  );
  expect(
    dear.map(({ name, text }) => [name, segmentsOf(text).units, segmentsOf(text).outside, text]),
  ).toEqual([]);
});

it("begins with the utility's name, and says how to stop wherever it is not the answer to a stop", () => {
  for (const { name, text } of every) {
    expect(text).toContain(LONGEST_NAME);
    if (!/reply (stopped|home|started|nothing-set-up|on-purpose|looking|remind|which)/.test(name))
      expect([name, text]).toEqual([name, expect.stringMatching(/STOP (to end|termina)/)]);
  }
});

it("asks for answers that are read as such", () => {
  expect(readReply("Y1").asks).toBe("confirm");
  expect(readReply("S1").asks).toBe("confirm");
  for (const word of ["LEAK", "FUGA"]) expect(readReply(word).asks).toBe("leak");
  for (const word of ["HELP", "AYUDA"]) expect(readReply(word).asks).toBe("help");
  for (const word of ["HOME", "CASA"]) expect(readReply(word).asks).toBe("home");
});

it("tells a leak in words", () => {
  const oakvale = utility("gal", "Oakvale Water");
  const told = { ...longest, end: 26 * HOUR, rate: 5678, volume: 147_628 };
  expect(alertText(oakvale, "en", "alert", told)).toBe(
    "Oakvale Water: Possible leak at your service 4417: water ran nonstop for 26 h, 1.5 gal/h. Reply 1 if intended, 2 looking, 3 later. STOP to end.",
  );
  expect(alertText(oakvale, "es", "alert", told)).toBe(
    "Oakvale Water: Posible fuga en su servicio 4417: corre sin parar hace 26 h, 1.5 gal/h. Responda 1 normal, 2 lo reviso, 3 luego. STOP termina.",
  );
  expect(alertText(oakvale, "en", "stopped", { ...told, end: 5 * 24 * HOUR, accountEnding: undefined })).toBe(
    "Oakvale Water: The flow at your service has stopped. It ran for 5 days. STOP to end.",
  );
});
