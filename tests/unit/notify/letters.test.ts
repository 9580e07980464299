import { WORDS, type Language } from "../../../notify/words/index.js";
import fc from "fast-check";
import { simpleParser } from "mailparser";
import { composeMail, outcomeOf } from "../../../notify/channels/email.js";
import { Format } from "../../../notify/templates/format.js";
import type { Frame, Told } from "../../../notify/templates/frame.js";
import { highUsageAlert } from "../../../notify/templates/high-usage-alert.js";
import { leakAlert } from "../../../notify/templates/leak-alert.js";
import { sampleLetters, sampleTold } from "../../../notify/templates/samples.js";
import { letterHtml, letterText, type Letter } from "../../../notify/templates/letter.js";
import { utilityConfig, type UtilityConfig } from "../../../schemas/config.js";
import { OAKVALE } from "../../harness/stores.js";

const GALLON = 3785.411784;
const START = Date.UTC(2026, 4, 31, 8) / 1000;

const utilityOf = (change: Partial<UtilityConfig> = {}): UtilityConfig => ({
  ...utilityConfig.parse({
    ...OAKVALE,
    sources: [{ id: "customers", folder: "drop", format: "crosswalk" }],
  }),
  ...change,
});

const frameOf = (language: "en" | "es", change: Partial<UtilityConfig> = {}): Frame => ({
  utility: utilityOf(change),
  language,
  unsubscribeUrl: "https://alerts.oakvale.example/unsubscribe/abc",
  choicesUrl: "https://alerts.oakvale.example/choices/abc",
  answerUrl: "https://alerts.oakvale.example/answer/abc",
});

const toldOf = (change: Partial<Told> = {}): Told => sampleTold(START + 26 * 3600, change);

/** Every letter there is, in a language; the confirmation is the first. */
function letters(language: Language, change: Partial<UtilityConfig> = {}): Letter[] {
  const utility = utilityOf({ languages: [language], ...change });
  return sampleLetters(utility, "https://alerts.oakvale.example", START + 26 * 3600).map(
    ({ letter }) => letter,
  );
}

it("has a sample of every kind of message, in every language", () => {
  const names = (language: "en" | "es") =>
    sampleLetters(utilityOf({ languages: ["en", "es"] }), "", START)
      .filter((sample) => sample.language === language)
      .map(({ name }) => name);
  expect(names("es")).toEqual(names("en"));
  expect(new Set(names("en")).size).toBe(30);
  expect(new Set(letters("en").map((letter) => letterText(letter))).size).toBe(30);
});

it("has the colour of its utility in every mail, and no other beside the greys", () => {
  const own = letters("en", { brand: { colour: "#7a1f3d" } }).map((letter) => letterHtml(letter));
  const ours = letters("en").map((letter) => letterHtml(letter));
  for (const [i, text] of own.entries()) {
    expect(text).toContain("color:#7a1f3d");
    expect(text).not.toMatch(/#0b5394|#0b3d66/);
    expect(text).toBe(ours[i]!.replaceAll(/#0b5394|#0b3d66/g, "#7a1f3d"));
  }
});

it("links to the bill in mails about high use and budgets alone, where the utility names it", () => {
  const url = "https://oakvale.example/bills";
  const samples = sampleLetters(utilityOf({ languages: ["en"], billUrl: url }), "", START);
  const linked = samples.filter(({ letter }) => letterText(letter).includes(`See your bill:\n${url}`));
  expect(linked.map(({ name }) => name).sort()).toEqual([
    "bill-ahead",
    "budget",
    "high-day",
    "high-hour",
    "high-hour-over",
  ]);
  expect(letters("en").filter((letter) => letterText(letter).includes("bill:"))).toEqual([]);
});

describe("a leak alert", () => {
  it("says how the water flows", () => {
    const opening = (flow: Told["flow"]) => letterText(leakAlert(frameOf("en"), toldOf({ flow })));
    expect(opening("nonstop")).toContain("running without a break");
    expect(opening("off-and-on")).toMatch(/running again and again[^]*toilet that refills/);
    expect(opening("above-usual")).toContain("More water than usual");
    expect(opening("burst")).toMatch(/Much more water than ever before[^]*Please look now/);
  });

  it("says since when in local time, how long, how fast and how much, and what to do", () => {
    const text = letterText(leakAlert(frameOf("en"), toldOf()));
    expect(text).toContain("since Sunday, May 31 at 1:00 AM");
    expect(text).toContain("Running for: 26 hours");
    expect(text).toContain("about 1.85 gallons an hour, 44.4 gallons a day");
    expect(text).toContain("Used so far: about 52.8 gallons");
    expect(text).toContain("account ending in 4417");
    expect(text).toMatch(/toilets[^]*shut-off valve/);
    expect(text).toContain("https://alerts.oakvale.example/unsubscribe/abc");
    expect(text).toContain("1 Reservoir Road");
    expect(text).toContain("privacy@oakvale.example");
    expect(text).toContain("may be a leak");
  });

  it("says the same in Spanish", () => {
    const text = letterText(leakAlert(frameOf("es"), toldOf()));
    expect(text).toContain("desde el domingo, 31 de mayo, 1:00 am.");
    expect(text).toContain("Corre desde hace: 26 horas");
    expect(text).toContain("1.85 galones por hora, 44.4 galones por día");
    expect(text).toContain("cuenta terminada en 4417");
    expect(text).not.toMatch(/\b(the|hour|leak|since)\b/i);
    expect(text).not.toContain("..");
  });

  it("keeps a former occupant's volume out", () => {
    const text = letterText(leakAlert(frameOf("en"), toldOf({ volume: undefined })));
    expect(text).not.toContain("Used so far");
  });
});

it("says of a high day what is usual, and not that water runs", () => {
  const of = (change: Partial<Told>) =>
    letterText(highUsageAlert(frameOf("en"), toldOf({ kind: "high-usage", ...change })));
  const day = of({ usualPeak: undefined, usualDay: 500_000 });
  expect(day).toContain("Used in that time: about 52.8 gallons");
  expect(day).toContain("Your usual day: about 132 gallons");
  expect(day).not.toContain("still running");
  expect(of({})).toContain("still running");
});

it("writes volumes in the utility's unit", () => {
  const of = (units: UtilityConfig["units"], language: "en" | "es" = "en") =>
    new Format({ units, timeZone: "UTC" }, language).volume(1_000_000);
  expect(of("gal")).toBe("264 gallons");
  expect(of("L")).toBe("1,000 liters");
  expect(of("m3")).toBe("1 cubic meter");
  expect(of("m3", "es")).toBe("1 metro cúbico");
  expect(of("ft3")).toBe("35.3 cubic feet");
});

it("counts long flows in days", () => {
  const format = new Format({ units: "gal", timeZone: "UTC" }, "es");
  expect(format.duration(3600)).toBe("1 hora");
  expect(format.duration(71 * 3600)).toBe("71 horas");
  expect(format.duration(80 * 3600)).toBe("3 días");
});

it.each(Object.keys(WORDS) as Language[])("keeps every subject within 60 characters (%s)", (language) => {
  for (const { subject } of letters(language)) expect(subject.length).toBeLessThanOrEqual(60);
});

it.each(Object.keys(WORDS) as Language[])(
  "fetches nothing from elsewhere and names its language (%s)",
  (language) => {
    for (const letter of letters(language)) {
      const html = letterHtml(letter);
      expect(html).not.toMatch(/<img|src=|url\(|<link|<script/i);
      expect(html).toContain(`<html lang="${language}">`);
    }
  },
);

it("shows the same facts in both parts", () => {
  for (const letter of letters("en")) {
    const html = letterHtml(letter);
    for (const block of letter.blocks) {
      if ("facts" in block) for (const [, value] of block.facts) expect(html).toContain(value);
      if ("steps" in block) expect(html).toContain(block.title);
    }
  }
});

it("escapes what it is given", () => {
  const html = letterHtml(leakAlert(frameOf("en", { name: `<b>"Oak" & Co</b>` }), toldOf()));
  expect(html).not.toContain("<b>");
  expect(html).toContain("&lt;b&gt;&quot;Oak&quot; &amp; Co&lt;/b&gt;");
});

it("lets no line break of any value start a header", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.constantFrom("\r\n", "\n", "\r", "\u2028", "\u0000", "Bcc: x@evil.example", "é", '"', "a b"),
        {
          maxLength: 8,
        },
      ),
      async (parts) => {
        const name = `Oakvale${parts.join("")}`;
        const utility = utilityOf({ name });
        const letter = {
          ...leakAlert({ ...frameOf("en"), utility }, toldOf()),
          subject: `Possible ${parts.join("")}leak`,
        };
        const bytes = await composeMail({ id: "5e", utility, address: "r@mail.example", letter });
        const { headerLines, bcc } = await simpleParser(bytes);
        expect(bcc).toBeUndefined();
        expect(headerLines.map(({ key }) => key).sort()).toEqual(
          [
            "auto-submitted",
            "content-type",
            "date",
            "from",
            "list-id",
            "list-unsubscribe",
            "list-unsubscribe-post",
            "message-id",
            "mime-version",
            "subject",
            "to",
            "x-auto-response-suppress",
          ].sort(),
        );
      },
    ),
    { numRuns: 50 },
  );
});

it("asks for confirmation without a list header: there is nothing to leave yet", async () => {
  const [letter] = letters("en") as [Letter];
  const bytes = await composeMail({ id: "5e", utility: utilityOf(), address: "r@mail.example", letter });
  const { headerLines, text } = await simpleParser(bytes);
  expect(headerLines.map(({ key }) => key)).not.toContain("list-unsubscribe");
  expect(text).toContain("https://alerts.oakvale.example/confirm/an-example");
});

describe("what an error of the mail server means", () => {
  it.each([
    [
      { responseCode: 450, command: "RCPT TO" },
      true,
      { status: "refused", permanent: false, code: "SMTP 450" },
    ],
    [
      { responseCode: 550, command: "RCPT TO" },
      true,
      { status: "refused", permanent: true, code: "SMTP 550" },
    ],
    [{ responseCode: 554, command: "DATA" }, true, { status: "refused", permanent: true, code: "SMTP 554" }],
    [
      { responseCode: 535, command: "AUTH PLAIN", code: "EAUTH" },
      false,
      { status: "unreachable", code: "SMTP 535" },
    ],
    [{ responseCode: 554, command: "CONN" }, false, { status: "unreachable", code: "SMTP 554" }],
    [{ responseCode: 421, command: "CONN" }, true, { status: "refused", permanent: false, code: "SMTP 421" }],
    [{ code: "ECONNECTION", command: "CONN" }, true, { status: "unknown", code: "ECONNECTION" }],
    [{ code: "ESOCKET", command: "CONN" }, false, { status: "unreachable", code: "ESOCKET" }],
    [new Error("550 <r@mail.example> unknown"), false, { status: "unreachable", code: "ERROR" }],
  ])("%j, handed over %s", (error, handedOver, outcome) => {
    expect(outcomeOf(error, handedOver)).toEqual(outcome);
  });
});

describe("the alert of a budget", () => {
  const told = (volume: number) =>
    toldOf({
      kind: "high-usage",
      volume: volume * GALLON,
      month: { against: "budget", of: 5000 * GALLON, expected: 6400 * GALLON },
    });

  it("says how much of it is used, and what the month will come to", () => {
    const text = letterText(highUsageAlert(frameOf("en"), told(4100)));
    expect(text).toContain(
      "4,100 gallons were used at your water service (account ending in 4417): most of the 5,000 gallons",
    );
    expect(text).toContain("about 6,400 gallons");
    expect(letterText(highUsageAlert(frameOf("es"), told(5100)))).toContain("más que los 5,000 galones");
  });

  it("says of a month that runs ahead of last year's how much that was, and where to look", () => {
    const month = { against: "last-year", of: 5000 * GALLON, expected: 9000 * GALLON } as const;
    const ahead = (volume: number) => toldOf({ kind: "high-usage", volume: volume * GALLON, month });
    const text = letterText(highUsageAlert(frameOf("en"), ahead(4600)));
    expect(text).toContain("In all of the same month last year it was 5,000 gallons");
    expect(text).toMatch(/about 9,000 gallons[^]*What to do[^]*toilets[^]*no more of it this month/);
    expect(text).not.toMatch(/budget|answer=/);
    expect(highUsageAlert(frameOf("en"), ahead(4600)).subject).toBe("Your water bill may be high this month");
    expect(highUsageAlert(frameOf("en"), ahead(5100)).subject).toContain("than in this month of last year");
  });
});

describe("the chart of hours", () => {
  const hours = (ml: readonly (number | null)[]) => ({ from: START - 22 * 3600, ml });
  const cells = (html: string) => [
    ...html.matchAll(/height:(\d+)px;line-height:0;font-size:0;background:(#\w+)/g),
  ];
  const litres = Array.from({ length: 48 }, (_, hour) => (hour === 47 ? 72_000 : hour === 5 ? 0 : 36_000));

  it("has a column for each hour, dark from the beginning on, with its sentence for those who see none", () => {
    const letter = leakAlert(frameOf("en"), toldOf({ hours: hours(litres) }));
    const columns = cells(letterHtml(letter));
    expect(columns).toHaveLength(48);
    expect(columns.map(([, height]) => Number(height))).toEqual(litres.map((ml) => Math.max(2, ml / 1000)));
    expect(columns.findIndex(([, , colour]) => colour === "#0b5394")).toBe(22);
    expect(letterText(letter)).toMatch(
      /Hour by hour\nFrom [^:]+:00 [AP]M to .*: 0 gallons in the lowest hour, 19 gallons/,
    );
  });

  it("begins with the first hour that is known, shows holes, and is left out where too little is known", () => {
    const holes = litres.map((ml, hour) => (hour < 10 || hour === 20 ? null : ml));
    const columns = cells(letterHtml(leakAlert(frameOf("es"), toldOf({ hours: hours(holes) }))));
    expect(columns).toHaveLength(38);
    expect(columns[10]![2]).toBe("#c9d3db");
    const few = hours(litres.map((ml, hour) => (hour < 37 ? null : ml)));
    for (const unknown of [few, undefined])
      expect(letterHtml(leakAlert(frameOf("en"), toldOf({ hours: unknown })))).not.toContain("Hour by hour");
  });
});

describe("what it costs", () => {
  const price = { amount: 4.5, per: 1000, unit: "gal", currency: "USD" } as const;
  const told = toldOf({ rate: 10 * GALLON, volume: 260 * GALLON });
  const textOf = (letter: Letter) => letterText(letter).replace(/[\u202f\u00a0]/g, " ");

  it("is told by the utility's price, which stands with it, in the resident's language", () => {
    expect(textOf(leakAlert(frameOf("en", { price }), told))).toMatch(
      /Cost: about \$1\.17 so far, \$1\.08 a day \(at \$4\.50 per 1,000 gallons\)/,
    );
    expect(textOf(leakAlert(frameOf("en", { price }), { ...told, over: true }))).toMatch(
      /Cost: about \$1\.17 \(at \$4\.50 per 1,000 gallons\)/,
    );
    // What part of it a former resident used is not known: the day's cost alone.
    expect(textOf(leakAlert(frameOf("en", { price }), { ...told, volume: undefined }))).toMatch(
      /Cost: about \$1\.08 a day/,
    );
    const euros = { amount: 2, per: 1, unit: "m3", currency: "EUR" } as const;
    expect(
      textOf(
        leakAlert(
          frameOf("es", { price: euros, units: "L" }),
          toldOf({ rate: 60_000_000, volume: 90_000_000 }),
        ),
      ),
    ).toMatch(/Costo: unos EUR ?180 hasta ahora, EUR ?2,?880 por día \(a EUR ?2\.00 por 1 metro cúbico\)/);
  });

  it("is told from the lowest to the highest price where it rises with use", () => {
    const tiers = { ...price, highest: 9 };
    expect(textOf(leakAlert(frameOf("en", { price: tiers }), told))).toMatch(
      /Cost: about \$1\.17 to \$2\.34 so far, \$1\.08 to \$2\.16 a day \(at \$4\.50 to \$9\.00 per 1,000 gallons\)/,
    );
    // Less than a cent apart it is one.
    const near = { ...price, highest: 4.5001 };
    expect(textOf(leakAlert(frameOf("en", { price: near }), told))).toMatch(
      /about \$1\.17 so far, \$1\.08 a day/,
    );
  });

  it("is left out where the utility names no price, and of a month's budget", () => {
    for (const letter of letters("en")) expect(letterText(letter)).not.toMatch(/\bCost\b/);
    const priced = letters("en", { price }).filter((letter) => /\bCost\b/.test(letterText(letter)));
    // Six kinds of leak, each running and over, the reminder, the end, and three of high use.
    expect(priced).toHaveLength(18);
  });
});

describe("words that a twelve-year-old follows", () => {
  const SYLLABLES = { en: /[aeiouy]+/gi, es: /[aeiouáéíóúü]+/gi } as const;
  /** Sentences and words of the prose: facts, links and the foot left out. */
  const prose = (language: "en" | "es") => {
    const texts = letters(language).flatMap(({ heading, blocks }) => [
      heading,
      ...blocks.flatMap((block) => [
        ...("text" in block ? [block.text] : []),
        ...("steps" in block ? block.steps : []),
      ]),
    ]);
    const sentences = texts
      .flatMap((text) => text.split(/[.!?:;]+\s|[.!?]+$/))
      .filter((one) => /\w/.test(one));
    const words = sentences.flatMap((one) => one.match(/[\p{L}']+/gu) ?? []);
    const syllables = words.reduce(
      (sum, word) =>
        sum +
        Math.max(
          1,
          word.replace(language === "en" ? /(?<=[^l])e\b/i : "", "").match(SYLLABLES[language])?.length ?? 1,
        ),
      0,
    );
    return { perSentence: words.length / sentences.length, perWord: syllables / words.length };
  };

  it("reads at grade 7 or below in English (Flesch-Kincaid, 1975)", () => {
    const { perSentence, perWord } = prose("en");
    expect(0.39 * perSentence + 11.8 * perWord - 15.59).toBeLessThanOrEqual(7);
  });

  it("reads as easy as a newspaper or easier in Spanish (Fernández Huerta, 1959: 60 and up)", () => {
    const { perSentence, perWord } = prose("es");
    expect(206.84 - 60 * perWord - 1.02 * perSentence).toBeGreaterThanOrEqual(60);
  });
});
