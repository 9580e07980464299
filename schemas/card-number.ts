/**
 * Numbers of payment cards as the networks issue them (ISO/IEC 7812-1): 16 digits of Visa, Mastercard, Discover, JCB or UnionPay,
 * 15 of American Express, 14 of Diners Club; in groups or not.
 */
const CANDIDATE = /(?<![\d+])(?:\d[ -]?){13,15}\d(?!\d)/g;
const ISSUED =
  /^(4\d{15}|5[1-5]\d{14}|2(2[2-9]|[3-6]\d|7[01])\d{13}|6(011|[45]\d\d|2\d\d)\d{12}|35\d{14}|3[47]\d{13}|3(0[0-5]|[68]\d)\d{11})$/;

/** The text with every card number replaced; the same text where there is none. */
export function withoutCardNumbers(text: string): string {
  return text.replace(CANDIDATE, (found) => (isCardNumber(found) ? "[card number removed]" : found));
}

export function hasCardNumber(text: string): boolean {
  return withoutCardNumbers(text) !== text;
}

function isCardNumber(text: string): boolean {
  const digits = text.replace(/[ -]/g, "");
  return ISSUED.test(digits) && isLuhn(digits);
}

/** The check digit of ISO/IEC 7812-1, annex B. */
function isLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = i % 2 === 1 ? 2 * digit : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
