import { IntlMessageFormat } from "intl-messageformat";
import type { en } from "./en.js";

/** What each language has a message for: all that English has, under the same names. */
export type Catalogue = Texts<typeof en>;
type Texts<Of> = Of extends string ? string : { readonly [Name in keyof Of]: Texts<Of[Name]> };

/** The messages of a language: those without values as texts, the others as functions that ask for their values by name. */
export type Words = Sayable<typeof en>;
type Sayable<Of> = Of extends string
  ? [ValueOf<Of>] extends [never]
    ? string
    : (values: { readonly [Name in ValueOf<Of>]: string | number }) => string
  : { readonly [Name in keyof Of]: Sayable<Of[Name]> };

/** Names of the values in a message: what stands behind a brace, up to the next one or a comma, without a blank. */
type ValueOf<Message extends string> = Message extends `${string}{${infer Rest}`
  ? NameIn<Rest> | ValueOf<Rest>
  : never;
type NameIn<Rest extends string> = Rest extends `${infer Argument}}${string}` ? Named<Argument> : never;
type Named<Argument extends string> = Argument extends `${infer Name},${string}`
  ? Bare<Name>
  : Bare<Argument>;
type Bare<Name extends string> = Name extends "" | `${string}${" " | "{" | "#"}${string}` ? never : Name;

/**
 * The messages of a catalogue, each read when it is said first.
 * @param locale of numbers and plurals, such as `es-US`
 * @throws Error from a message that is no ICU message, or that lacks a value
 */
export function wordsFrom(catalogue: Catalogue, locale: string): Words {
  return sayable(catalogue, locale) as Words;
}

type Part = string | readonly string[] | { readonly [name: string]: Part };

function sayable(part: Part, locale: string): unknown {
  if (typeof part === "string") return part.includes("{") ? message(part, locale) : part;
  if (Array.isArray(part)) return part.map((each: string) => sayable(each, locale));
  return Object.fromEntries(Object.entries(part).map(([name, inner]) => [name, sayable(inner, locale)]));
}

function message(text: string, locale: string): (values: Record<string, string | number>) => string {
  let format: IntlMessageFormat | undefined;
  return (values) => {
    format ??= new IntlMessageFormat(text, locale, undefined, { ignoreTag: true });
    return String(format.format(values));
  };
}
