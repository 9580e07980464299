import {
  ConfigurationError,
  loadConfig,
  maskedConfig,
  parseConfig,
} from "../../../infra/config/load-config.js";
import { judgedRules } from "../../../schemas/config.js";

const VALID = `
utilities:
  - id: oakvale
    name: City of Oakvale Water
    timeZone: America/Los_Angeles
    mail:
      from: alerts@oakvale.example
      postalAddress: 1 Reservoir Road
      privacy: privacy@oakvale.example
    sources:
      - id: ami
        folder: drop/ami
        format: csv
        profile:
          columns: { meter: id, time: at, usage: value }
`;

function problemsOf(text: string, variables: NodeJS.ProcessEnv = {}): readonly string[] {
  try {
    parseConfig(text, "/etc/curbstop.yaml", variables);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

it("fills in defaults and resolves paths from the file's folder", () => {
  const { config } = parseConfig(VALID, "/etc/curbstop.yaml", {});
  expect(config.dataDirectory).toBe("/etc/.curbstop");
  expect(config.keyFile).toBe("/etc/.curbstop/keys/keys.json");
  expect(config.utilities[0]!.sources[0]!.folder).toBe("/etc/drop/ami");
  expect(config.utilities[0]!.alerts.live).toBe(false);
  expect(config.utilities[0]!.detect.continuousFlow.hours).toBe(24);
});

it("tells every mistake at once, each with its line, its path and what was expected", () => {
  const text = VALID.replace("timeZone: America/Los_Angeles", "timeZone: Oakvale/Main")
    .replace("id: oakvale", "id: Oakvale City")
    .replace("folder: drop/ami", "foldre: drop/ami");
  const problems = problemsOf(text);
  expect(problems.join("\n")).toMatch(/curbstop\.yaml:3 utilities\[0\]\.id: .*received "Oakvale City"/);
  expect(problems.join("\n")).toMatch(
    /curbstop\.yaml:5 utilities\[0\]\.timeZone: expected an IANA time zone/,
  );
  expect(problems.join("\n")).toMatch(/foldre: this key is not known\. Did you mean "folder"\?/);
  expect(problems.join("\n")).toMatch(/sources\[0\]\.folder/);
});

it("takes a colour that can be read on light grey, and finds the logo from the file's folder", () => {
  const branded = (brand: string) => VALID.replace("    timeZone:", `    brand: ${brand}\n    timeZone:`);
  const { config } = parseConfig(
    branded(`{ colour: "#7a1f3d", logoFile: logo.png }`),
    "/etc/curbstop.yaml",
    {},
  );
  expect(config.utilities[0]!.brand).toEqual({ colour: "#7a1f3d", logoFile: "/etc/logo.png" });
  // The two greys beside WCAG's limit.
  expect(problemsOf(branded(`{ colour: "#6f6f6f" }`)).join()).toMatch(/a contrast of 4.5 .*found 4.4[0-9]/);
  expect(problemsOf(branded(`{ colour: "#6e6e6e" }`))).toEqual([]);
  expect(problemsOf(branded(`{ colour: "blue" }`)).join()).toMatch(/expected a colour such as #0b5394/);
});

it("wants the highest price to be above the lowest", () => {
  const priced = VALID.replace("    timeZone:", "    price: { amount: 4.5, highest: 4 }\n    timeZone:");
  expect(problemsOf(priced).join()).toMatch(/:5 utilities\[0\]\.price\.highest: expected more than amount/);
});

it("says of what is not there that it is missing, and what is expected in its place", () => {
  expect(problemsOf(VALID.replace(/^ *timeZone:.*\n/m, "")).join()).toMatch(
    /\.timeZone: missing; expected string\.$/,
  );
  expect(problemsOf(VALID.replace(/^ *format: csv\n/m, "")).join("\n")).toMatch(
    /sources\[0\]\.format: missing; expected one of "csv", "beacon-range", /,
  );
  expect(problemsOf(VALID.replace("format: csv", "format: xls")).join()).toMatch(
    /sources\[0\]\.format: expected one of "csv", .*, received "xls"\.$/,
  );
});

it("asks csv sources for a profile, a time column and a value column", () => {
  expect(problemsOf(VALID.replace(/ {8}profile:\n.*\n/, "")).join("\n")).toMatch(/profile: missing/);
  expect(problemsOf(VALID.replace("time: at, ", "")).join("\n")).toMatch(/columns\.time: missing/);
  expect(problemsOf(VALID.replace(", usage: value", "")).join("\n")).toMatch(/columns: names no value/);
});

it("takes the meter from one place: a column, the file's name or its preamble, or the columns' names", () => {
  const profile = (more: string, columns = "time: at, usage: value") =>
    problemsOf(VALID.replace(/profile:\n.*/, `profile: { ${more} columns: { ${columns} } }`)).join();
  expect(profile("")).toMatch(/columns\.meter: missing; name the column of the meter id, or give meterFrom/);
  expect(profile("meterFrom: { fileName: '{meter}.csv' },")).toBe("");
  expect(profile("meterFrom: { preamble: Meter }, skipRows: 2,")).toBe("");
  expect(profile("meterFrom: { preamble: Meter },")).toMatch(/skipRows: is 0/);
  expect(profile("meterFrom: {},")).toMatch(/expected fileName or preamble, one of them/);
  expect(profile("meterFrom: { fileName: 'reads.csv' },")).toMatch(
    /expected a pattern with \{meter\} in it, once/,
  );
  expect(profile("meterFrom: { fileName: '{meter}*.csv' },")).toMatch(/something between it and a \*/);
  expect(profile("meterFrom: { fileName: '*_*_*_{meter}_*.csv' },")).toMatch(/expected three \* at most/);
  expect(profile("meterFrom: { fileName: '{meter}.csv' },", "meter: id, time: at, usage: v")).toMatch(
    /columns\.meter: is told in another way already/,
  );
  const matrix = (more: string) => profile("layout: matrix,", `time: at${more}`);
  expect(matrix(", first: 2")).toBe("");
  expect(matrix("")).toMatch(/columns\.first: missing; layout matrix needs the column of the first meter/);
  expect(matrix(", first: 2, meter: 1")).toMatch(/columns\.meter: is told in another way already/);
  expect(matrix(", first: 2, unit: 1")).toMatch(/columns\.unit: has no place in layout matrix/);
  expect(profile("layout: matrix, header: false,", "time: 1, first: 2")).toMatch(/header: is false/);
  expect(profile("layout: matrix, meterFrom: { fileName: '{meter}.csv' },", "time: 1, first: 2")).toMatch(
    /meterFrom: has no place in layout matrix/,
  );
  const pivot = (more: string) => profile("layout: pivot,", `meter: id${more}`);
  expect(pivot("")).toBe("");
  expect(profile("layout: pivot,", "quality: q")).toMatch(/columns\.meter: missing/);
  expect(profile("layout: pivot, header: false,", "meter: 1")).toMatch(/header: is false; layout pivot/);
  for (const name of ["time: at", "clock: at", "usage: u", "register: r", "first: 2", "repeated: 3"])
    expect(pivot(`, ${name}`)).toMatch(/has no place in layout pivot/);
  expect(profile("", "meter: id, usage: u, time: [y, m, 3]")).toBe("");
  for (const time of ["[y]", "[a, b, c, d, e, f, g, h]"])
    expect(profile("", `meter: id, usage: u, time: ${time}`)).toMatch(
      /columns\.time: expected .*two to seven columns/,
    );
  expect(profile("", "meter: id, usage: u, time: {}")).toMatch(
    /columns\.time: expected the name of a column, its position \(1 is the first\), or a list of the two to seven/,
  );
  const preset = VALID.replace("format: csv", "format: beacon-range").replace(
    /profile:\n.*/,
    "profile: { meterFrom: { fileName: '{meter}.csv' } }",
  );
  expect(problemsOf(preset).join()).toMatch(/meterFrom: is for format csv alone/);
});

it("lets wide columns count the hours, or one be the second time of an hour, not both", () => {
  const wide = (columns: string, time: string) =>
    problemsOf(
      VALID.replace(
        /profile:\n.*/,
        `profile: { layout: wide, time: { wide: ${time} }, columns: { meter: id, time: at, first: H1${columns} } }`,
      ),
    ).join();
  expect(wide(", repeated: H2X", "clock") + wide("", "elapsed")).toBe("");
  expect(wide(", repeated: H2X", "elapsed")).toMatch(/columns\.repeated: has no place/);
});

it("lets one provider send the texts, and another make the calls", () => {
  const twilio = `twilio: { accountSid: AC${"0".repeat(32)}, authTokenFile: token }\n`;
  const smpp = "smpp: { host: centre.example, tls: true, systemId: oakvale, passwordFile: password }\n";
  const webhook = "smsWebhook: { url: 'https://gateway.example/texts', secretFile: secret }\n";
  const calling = VALID.replace("    sources:", '    voice: { from: "+12135550198" }\n    sources:');
  expect(problemsOf(smpp + twilio + calling)).toEqual([]);
  expect(problemsOf(webhook + twilio + calling)).toEqual([]);
  expect(problemsOf(smpp + twilio + VALID).join()).toMatch(
    /twilio: texts go out by smpp, and no utility has voice/,
  );
  expect(problemsOf(smpp + webhook + VALID).join()).toMatch(/smsWebhook: texts go out by smpp already/);
  expect(problemsOf(smpp + calling).join()).toMatch(/voice: calls go through twilio, which is not set/);
});

it("refuses two utilities or sources of one id, and two sources of the same files", () => {
  const twice = VALID + VALID.slice(VALID.indexOf("  - id: oakvale"));
  expect(problemsOf(twice).join("\n")).toMatch(/"oakvale" stands twice/);
  const source = VALID.slice(VALID.indexOf("      - id: ami"));
  expect(problemsOf(VALID + source).join("\n")).toMatch(/"ami" stands twice/);
  expect(problemsOf(VALID + source.replace("id: ami", "id: amr")).join("\n")).toMatch(
    /source "ami" takes the same names/,
  );
});

it("judges the risk of frost where there are temperatures, and refuses the rule without them", () => {
  const asked = VALID.replace("    sources:", "    detect: { rules: [leak, freeze-risk] }\n    sources:");
  expect(problemsOf(asked).join("\n")).toMatch(/detect\.rules: freeze-risk needs temperatures; add a source/);
  const bare = "      - { id: weather, folder: weather, format: temperatures }\n";
  expect(problemsOf(VALID + bare).join("\n")).toMatch(/temperatures: missing; format temperatures needs it/);
  const columns = "temperatures: { columns: { time: t, temperature: c } }";
  const whole = VALID + bare.replace(" }", `, ${columns} }`);
  expect(problemsOf(whole)).toEqual([]);
  const rulesOf = (text: string) => judgedRules(parseConfig(text, "curbstop.yaml", {}).config.utilities[0]!);
  expect(rulesOf(VALID)).not.toContain("freeze-risk");
  expect(rulesOf(whole)).toEqual([...rulesOf(VALID), "freeze-risk"]);
});

it("refuses a misspelt variable and says which one was meant", () => {
  expect(problemsOf(VALID, { CURBSTOP_DATABSE_URL: "postgres://db/x" })).toEqual([
    "Variable CURBSTOP_DATABSE_URL is not known. Did you mean CURBSTOP_DATABASE_URL?",
  ]);
  expect(problemsOf(VALID, { CURBSTOP_KAFKA_BROKERS: "kafka" }).join("\n")).toMatch(
    /CURBSTOP_KAFKA_BROKERS: expected host:port/,
  );
});

it("says where YAML itself is broken", () => {
  expect(problemsOf("utilities: [\n  - {").join("\n")).toMatch(/line 2|line 3/);
});

it("names the file that can't be read, and how to make one", () => {
  expect(() => loadConfig("/nowhere/curbstop.yaml", {})).toThrow(
    /nowhere\/curbstop\.yaml can't be read.*curbstop init/,
  );
});

it("masks passwords when it is printed", () => {
  const settings = parseConfig(VALID, "/etc/curbstop.yaml", {
    CURBSTOP_DATABASE_URL: "postgres://curb:hidden1@127.0.0.1/x",
    CURBSTOP_CLICKHOUSE_URL: "http://curb:hidden2@127.0.0.1:8123",
    CURBSTOP_SMTP_PASSWORD: "hidden3",
    CURBSTOP_TWILIO_AUTH_TOKEN: "hidden4",
  });
  const printed = JSON.stringify(maskedConfig(settings));
  expect(printed).toContain("postgres://curb:***@127.0.0.1/x");
  expect(printed).not.toMatch(/hidden/);
});

it("asks for the token of an SMS account, and for a name that texts carry at their cheapest", () => {
  const account = `twilio: { accountSid: AC${"0".repeat(32)} }\n`;
  expect(() => parseConfig(account + VALID, "/etc/curbstop.yaml", {})).toThrow(
    /twilio: set authTokenFile, or the variable CURBSTOP_TWILIO_AUTH_TOKEN/,
  );
  const token = { CURBSTOP_TWILIO_AUTH_TOKEN: "x" };
  expect(parseConfig(account + VALID, "/etc/curbstop.yaml", token).config.twilio).toMatchObject({
    apiUrl: "https://api.twilio.com",
  });
  const named = VALID.replace(
    /^( *)timeZone:/m,
    '$1sms: { from: "+12135550199", name: Ágora, help: 213-555-0100 }\n$1timeZone:',
  );
  expect(() => parseConfig(named, "/etc/curbstop.yaml", {})).toThrow(/GSM 7-bit alphabet only, without Á/);
});
