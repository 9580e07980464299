import { sampleCalls } from "../../../notify/templates/samples.js";
import { utilityConfig } from "../../../schemas/config.js";

const utility = utilityConfig.parse({
  id: "oakvale",
  name: "City of Oakvale Water",
  timeZone: "America/Los_Angeles",
  languages: ["en", "es"],
  mail: { from: "a@oakvale.example", postalAddress: "1 Road, Oakvale", privacy: "p@oakvale.example" },
  voice: { from: "+12135550198" },
  sources: [{ id: "ami", folder: "drop", format: "cmep" }],
});
const END = Date.UTC(2026, 5, 1, 19) / 1000;
const calls = (language: "en" | "es") => sampleCalls(utility, END).filter((one) => one.language === language);

it("has the same calls in each language, and none of a utility that calls nobody", () => {
  const names = (language: "en" | "es") => calls(language).map(({ name }) => name);
  expect(names("es")).toEqual(names("en"));
  expect(names("en").length).toBeGreaterThan(25);
  expect(sampleCalls({ ...utility, voice: undefined }, END)).toEqual([]);
});

it.each(["en", "es"] as const)(
  "says first who calls, last how to end it, and no more than one listens to, in %s",
  (language) => {
    for (const { name, text } of calls(language)) {
      // Said twice, with its markup, within the 4000 letters of Twiml.
      expect([name, text.length < 500]).toEqual([name, true]);
      expect([name, text]).toEqual([
        name,
        expect.not.stringMatching(/undefined|NaN|null|[<>&]|STOP|\bgal\b|\/h/),
      ]);
      if (name.startsWith("reply-")) continue;
      expect([name, text]).toEqual([
        name,
        expect.stringMatching(
          language === "en"
            ? /^Hello\. This is City of Oakvale Water/
            : /^Hola\. Le habla City of Oakvale Water/,
        ),
      ]);
      expect([name, text]).toEqual([
        name,
        expect.stringMatching(
          language === "en"
            ? /(9 to end these calls|press 9 and we will not call again)\.$/
            : /(9 para terminar estas llamadas|pulse 9 y no volvemos a llamar)\.$/,
        ),
      ]);
    }
  },
);

it("says account digits one by one, units and times as words", () => {
  const text = calls("en").find(({ name }) => name === "leak-nonstop")!.text;
  expect(text).toContain("ending in 4 4 1 7");
  expect(text).toContain("26 hours, about 1.85 gallons an hour");
});
