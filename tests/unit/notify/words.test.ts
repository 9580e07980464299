import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { IntlMessageFormat } from "intl-messageformat";
import { Format } from "../../../notify/templates/format.js";
import { wordsFrom } from "../../../notify/words/catalogue.js";
import { en } from "../../../notify/words/en.js";
import { es } from "../../../notify/words/es.js";

const CATALOGUES = { en, es };

type Part = string | readonly string[] | { readonly [name: string]: Part };

/** The messages of a catalogue by their path, such as `mail.leak.heading`. */
function messagesOf(part: Part, path: readonly string[] = []): Map<string, string> {
  if (typeof part === "string") return new Map([[path.join("."), part]]);
  return new Map(Object.entries(part).flatMap(([name, inner]) => [...messagesOf(inner, [...path, name])]));
}

/** Names of the values that a message asks for, in whichever branch. */
function valuesOf(message: string): string[] {
  const names = new Set<string>();
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(walk);
    if (typeof node !== "object" || node === null) return;
    const { type, value, options } = node as { type: number; value: string; options?: object };
    if (type !== LITERAL && type !== POUND) names.add(value);
    for (const option of Object.values(options ?? {})) walk((option as { value: unknown }).value);
  };
  walk(new IntlMessageFormat(message, "en", undefined, { ignoreTag: true }).getAst());
  return [...names].sort();
}
/** Types of the nodes of a parsed message that ask for no value. */
const LITERAL = 0;
const POUND = 7;

describe.each(Object.entries(CATALOGUES))("catalogue %s", (_language, catalogue) => {
  const messages = messagesOf(catalogue);

  it("has the messages of the English one, and each asks for the same values", () => {
    const asked = (all: Map<string, string>) =>
      Object.fromEntries([...all].map(([path, message]) => [path, valuesOf(message)]));
    expect(asked(messages)).toEqual(asked(messagesOf(en)));
  });

  it("leaves no message empty, and quotes nothing: an apostrophe stands for itself", () => {
    for (const message of messages.values()) {
      expect(message.trim()).toBe(message);
      expect(message).not.toBe("");
      expect(message).not.toMatch(/''|'[{}#|]|[‘’]/);
    }
  });
});

it("knows what values a message asks for", () => {
  expect(valuesOf("{n, plural, one {{n, number} of {all}} other {# of {all}}} at {at}")).toEqual([
    "all",
    "at",
    "n",
  ]);
  expect(() => valuesOf("{n, plural, one {day}}")).toThrow("MISSING_OTHER_CLAUSE");
});

it("has no message of a page that no page says", () => {
  const folder = join(import.meta.dirname, "../../../web");
  const pages = readdirSync(folder)
    .map((file) => readFileSync(join(folder, file), "utf8"))
    .join("");
  const unsaid = Object.keys(en.page).filter((name) => !new RegExp(`\\.${name}\\b`).test(pages));
  expect(unsaid).toEqual([]);
});

it("says one and many as each language does", () => {
  const litres = { units: "L", timeZone: "UTC" } as const;
  const [english, spanish] = [new Format(litres, "en"), new Format(litres, "es")];
  expect([1000, 1004, 1006, 500, 2000, 1_234_567_890].map((ml) => english.volume(ml))).toEqual([
    "1 liter",
    "1 liter",
    "1.01 liters",
    "0.5 liters",
    "2 liters",
    "1,230,000 liters",
  ]);
  expect([1000, 2000].map((ml) => spanish.volume(ml))).toEqual(["1 litro", "2 litros"]);
});

it("fails where a value is missing, rather than saying less", () => {
  const words = wordsFrom(en, "en-US");
  expect(() => words.mail.confirmation.text({ utility: "Oakvale" } as never)).toThrow(
    /"what" was not provided/,
  );
});
