import fc from "fast-check";
import { hasCardNumber, withoutCardNumbers } from "../../../schemas/card-number.js";

// Numbers that the networks publish for tests.
it.each([
  "4111111111111111",
  "4111 1111 1111 1111",
  "5555-5555-5555-4444",
  "2223003122003222",
  "6011111111111117",
  "3530111333300000",
  "3782 822463 10005",
  "30569309025904",
])("knows %s, also within words", (number) => {
  expect(withoutCardNumbers(number)).toBe("[card number removed]");
  expect(withoutCardNumbers(`Ana (card ${number}, until 12/29)`)).toBe(
    "Ana (card [card number removed], until 12/29)",
  );
});

it.each([
  "4111111111111112",
  "+4915112345678",
  "213-555-0123",
  "1234567890123452",
  "41111111111111111111",
  "12 Oak Street, 90001-4111",
  "",
])("leaves %s alone", (text) => {
  expect(withoutCardNumbers(text)).toBe(text);
  expect(hasCardNumber(text)).toBe(false);
});

it("finds every Visa number, whatever its grouping, and no number that differs in a digit", () => {
  const visa = fc
    .array(fc.integer({ min: 0, max: 9 }), { minLength: 14, maxLength: 14 })
    .map((rest) => [4, ...rest])
    .map((digits) => {
      // The check digit makes the sum of every second digit doubled a multiple of ten.
      const sum = digits.reduce((all, digit, i) => {
        const doubled = i % 2 === 0 ? 2 * digit : digit;
        return all + Math.floor(doubled / 10) + (doubled % 10);
      }, 0);
      return [...digits, (10 - (sum % 10)) % 10];
    });
  fc.assert(
    fc.property(visa, fc.integer({ min: 1, max: 15 }), fc.integer({ min: 1, max: 9 }), (digits, at, more) => {
      const groups = digits.join("").replace(/(\d{4})(?=\d)/g, "$1 ");
      expect(hasCardNumber(digits.join(""))).toBe(true);
      expect(hasCardNumber(groups)).toBe(true);
      const other = digits.map((digit, i) => (i === at ? (digit + more) % 10 : digit));
      expect(hasCardNumber(other.join(""))).toBe(false);
    }),
  );
});
