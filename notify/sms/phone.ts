import { parsePhoneNumberFromString, type CountryCode } from "libphonenumber-js/max";

/** E.164 of a number as people write it, `undefined` where it is none of its country's plan. */
export function phoneNumber(text: string, country: string): string | undefined {
  const parsed = parsePhoneNumberFromString(text.trim(), country as CountryCode);
  return parsed?.isValid() === true ? parsed.number : undefined;
}

/** Whether texts can't reach it by its country's plan. In North America a number does not tell. */
export function isLandline(number: string): boolean {
  return parsePhoneNumberFromString(number)?.getType() === "FIXED_LINE";
}
