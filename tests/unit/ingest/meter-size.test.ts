import { capacityOf } from "../../../ingest/registry/meter-size.js";

const GALLON_PER_MINUTE = 3785.411784 * 60;
const gallons = (text: string) => {
  const capacity = capacityOf(text);
  return capacity === undefined ? undefined : Math.round(capacity / GALLON_PER_MINUTE);
};

it.each([
  [
    40,
    [
      "5/8",
      '5/8"',
      "5/8 in",
      '5/8" x 3/4"',
      "5/8x3/4",
      "0.625",
      ".625",
      "15 mm",
      "DN15",
      "15",
      "8-May",
      "5-Aug",
      "May-08",
    ],
  ],
  [60, ["3/4", '3/4"', "0.75", "20mm", "DN 20", "4-Mar", "3-Apr"]],
  [100, ["1", '1"', "1 inch", "1.0", "25"]],
  [200, ["1 1/2", '1-1/2"', "1.5", "40 mm"]],
  [320, ["2", "2 in.", "DN50"]],
])(
  "a meter can pass %i gal/min by its size, twice what is safe, however it is written",
  (expected, texts) => {
    expect(texts.map((text) => [text, gallons(text)])).toEqual(texts.map((text) => [text, expected]));
  },
);

it("lets larger meters pass 10 m/s in their bore, more than any is built for", () => {
  // A pipe of 3 inches holds 4.56 L a metre.
  expect(capacityOf("3")! / 3600 / 1e6).toBeCloseTo(0.0456, 4);
  expect(capacityOf("80 mm")!).toBeGreaterThan(capacityOf("3")!);
  expect(capacityOf("12")!).toBeLessThan(capacityOf("DN400")!);
});

it.each(["", "large", "5/0", "0", "-1", "8-Aug", "5-Xyz", "2000 mm", "1e3", "5/8/2"])(
  "takes %j for no size",
  (text) => {
    expect(capacityOf(text)).toBeUndefined();
  },
);
