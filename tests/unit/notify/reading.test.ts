import { sampleLetters } from "../../../notify/templates/samples.js";
import type { Block } from "../../../notify/templates/letter.js";
import { utilityConfig } from "../../../schemas/config.js";

/*
 * How hard the mails are to read, by formulas for each language: a twelve-year-old should follow them.
 */
const utility = utilityConfig.parse({
  ...{ id: "oakvale", name: "Oakvale Water", timeZone: "America/Los_Angeles", languages: ["en", "es"] },
  mail: { from: "a@oakvale.example", postalAddress: "1 Road, Oakvale", privacy: "p@oakvale.example" },
  sources: [{ id: "ami", folder: "drop", format: "cmep" }],
});

interface Counts {
  readonly sentences: number;
  readonly words: number;
  readonly syllables: number;
}

/** Syllables of an English word: groups of vowels, without a silent e at its end. */
function englishSyllables(word: string): number {
  const bare = word.replace(/(?<=[^aeiouyl])e$|(?<=[^td])ed$|(?<=[^sxz])es$/, "");
  return Math.max(1, (bare.match(/[aeiouy]+/g) ?? []).length);
}

/** Syllables of a Spanish word: vowels, where a weak one beside another without an accent makes no syllable of its own. */
function spanishSyllables(word: string): number {
  const groups = word.replace(/qu|gu(?=[eiéí])/g, "q").match(/[aeiouáéíóúü]+/g) ?? [];
  return Math.max(
    1,
    groups.reduce((sum, group) => sum + (group.match(/[aeoáéíóú]/g)?.length || 1), 0),
  );
}

function count(text: string, syllablesOf: (word: string) => number): Counts {
  const sentences = text.split(/[.?!:;]\s+/).filter((part) => /\p{L}/u.test(part));
  const words = text.toLowerCase().match(/[\p{L}'’]+/gu) ?? [];
  return {
    sentences: sentences.length,
    words: words.length,
    syllables: words.reduce((sum, word) => sum + syllablesOf(word), 0),
  };
}

/** School year in the US (Kincaid, Fishburne, Rogers, Chissom: NTTC Research Branch Report 8-75, 1975). Age: 5 more. */
function grade({ sentences, words, syllables }: Counts): number {
  return 0.39 * (words / sentences) + 11.8 * (syllables / words) - 15.59;
}

/** Perspicuity of Spanish (Szigriszt Pazos, 1993); on the INFLESZ scale (Barrio, 2008) 55 to 65 is normal, above it easy. */
function inflesz({ sentences, words, syllables }: Counts): number {
  return 206.835 - 62.3 * (syllables / words) - words / sentences;
}

/** What is read as sentences: texts and steps, without facts, buttons and the foot. */
function prose(blocks: readonly Block[]): string {
  return blocks
    .flatMap((block) => ("text" in block ? [block.text] : "steps" in block ? block.steps : []))
    .join(" ");
}
const letters = sampleLetters(utility, "https://alerts.oakvale.example", 1_780_000_000);

it("counts syllables nearly as people do", () => {
  const english = {
    water: 2,
    leak: 1,
    usually: 4,
    closes: 2,
    stopped: 1,
    toilets: 2,
    meter: 2,
    people: 2,
    the: 1,
  };
  for (const [word, syllables] of Object.entries(english))
    expect([word, Math.abs(englishSyllables(word) - syllables) <= 1]).toEqual([word, true]);
  const spanish = {
    agua: 2,
    fuga: 2,
    corre: 2,
    medidor: 3,
    día: 2,
    siempre: 2,
    alguien: 2,
    río: 2,
    queso: 2,
  };
  for (const [word, syllables] of Object.entries(spanish))
    expect([word, spanishSyllables(word)]).toEqual([word, syllables]);
  const hard =
    "Notwithstanding considerable infrastructural deterioration, municipal representatives " +
    "characteristically underestimate the ramifications of undetected residential leakage.";
  expect(grade(count(hard, englishSyllables))).toBeGreaterThan(18);
  expect(grade(count("The water runs. Close the tap.", englishSyllables))).toBeLessThan(2);
});

it.each(letters.filter(({ language }) => language === "en"))(
  "is read at twelve, or earlier: $name",
  ({ letter }) => {
    expect(grade(count(prose(letter.blocks), englishSyllables))).toBeLessThan(7);
  },
);

it.each(letters.filter(({ language }) => language === "es"))("is easy to read: $name", ({ letter }) => {
  expect(inflesz(count(prose(letter.blocks), spanishSyllables))).toBeGreaterThan(65);
});
