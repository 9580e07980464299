import fc from "fast-check";
import calculator from "sms-segments-calculator";
import { segmentsOf } from "../../../schemas/segments.js";

const { SegmentedMessage } = calculator;

it.each([
  ["", "GSM-7", 0, 0],
  ["a".repeat(160), "GSM-7", 160, 1],
  ["a".repeat(161), "GSM-7", 161, 2],
  ["a".repeat(306), "GSM-7", 306, 2],
  ["a".repeat(307), "GSM-7", 307, 3],
  ["€".repeat(80), "GSM-7", 160, 1],
  ["€".repeat(81), "GSM-7", 162, 2],
  // The 153rd septet of the first part stays empty: an escape is not parted from its letter.
  ["a" + "€".repeat(152), "GSM-7", 305, 2],
  ["€".repeat(153), "GSM-7", 306, 3],
  ["ñ".repeat(160), "GSM-7", 160, 1],
  ["í".repeat(70), "UCS-2", 70, 1],
  ["í".repeat(71), "UCS-2", 71, 2],
  ["👍".repeat(35), "UCS-2", 70, 1],
  ["👍".repeat(36), "UCS-2", 72, 2],
  ["👍".repeat(67), "UCS-2", 134, 3],
])("counts %j", (text, encoding, units, segments) => {
  expect(segmentsOf(text)).toMatchObject({ encoding, units, segments });
});

it("names each character that makes a text dearer", () => {
  expect(segmentsOf("Sesión número 1: “fuga”").outside).toEqual(["ó", "ú", "“", "”"]);
});

it("counts as a second implementation does", () => {
  const alphabet = Array.from("abcXYZ 0123456789.,;:-_@£$éñüÑÇ[]{}~|^\\€íóúá’“”中👍\n");
  const text = fc.array(fc.constantFrom(...alphabet), { maxLength: 400 });
  fc.assert(
    fc.property(text, (characters) => {
      const message = characters.join("");
      const other = new SegmentedMessage(message, "auto", false);
      expect(segmentsOf(message)).toMatchObject({
        encoding: other.encodingName,
        segments: message === "" ? 0 : other.segmentsCount,
      });
    }),
  );
});
