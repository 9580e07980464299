import { parseConfig } from "../../../infra/config/load-config.js";
import { recipientsOf } from "../../../infra/config/recipients.js";
import { refusalOf } from "../../../notify/index.js";

const UTILITY = {
  ...{ id: "oakvale", name: "Oakvale Water", timeZone: "America/Los_Angeles" },
  mail: { from: "a@oakvale.example", postalAddress: "1 Road, Oakvale", privacy: "p@oakvale.example" },
  sources: [{ id: "ami", folder: "drop", format: "cmep" }],
};
const SMS = { from: "+12135550199", name: "Oakvale Water", help: "213-555-0100" };
const twilio = { accountSid: `AC${"0".repeat(32)}`, authTokenFile: "token" };
const DISCLOSURES = [
  { clause: "7.2", to: "Ward Audit LLP", purposes: ["audit"] },
  { clause: "7.2", to: "Meter Works", purposes: ["help", "complaint"] },
];

function registerOf(more: object, utility: object, environment = {}): [string, string][] {
  const text = JSON.stringify({ ...more, utilities: [{ ...UTILITY, ...utility }] });
  const settings = parseConfig(text, "/etc/curbstop.yaml", environment);
  return recipientsOf(settings.config, settings.config.utilities[0]!, settings.environment).map(
    ({ who, where }) => [who, where],
  );
}

it("names whoever gets data by the configuration, and nobody where all stays on this machine", () => {
  expect(registerOf({}, {})).toEqual([]);
  expect(registerOf({ smtp: { host: "127.0.0.1" } }, {})).toEqual([]);
  const smtp = { host: "mail.example" };
  const calling = { sms: SMS, voice: { from: "+12135550198" }, disclosures: DISCLOSURES };
  expect(registerOf({ smtp, twilio: { ...twilio, lookup: true } }, calling)).toEqual([
    ["mail server", "mail.example"],
    ["Twilio, texts", "api.twilio.com"],
    ["Twilio, calls", "api.twilio.com"],
    ["Twilio, Lookup", "lookups.twilio.com"],
    ["Ward Audit LLP", "clause 7.2"],
    ["Meter Works", "clause 7.2"],
  ]);
  const smpp = { host: "centre.example", tls: true, systemId: "oakvale", passwordFile: "password" };
  expect(registerOf({ smpp, twilio }, { sms: SMS, voice: { from: "+12135550198" } })).toEqual([
    ["message centre (SMPP)", "centre.example"],
    ["Twilio, calls", "api.twilio.com"],
  ]);
  const smsWebhook = { url: "https://gateway.example/texts", secretFile: "secret" };
  expect(registerOf({ smsWebhook }, { sms: SMS })).toEqual([["gateway for texts", "gateway.example"]]);
  expect(
    registerOf(
      {},
      {},
      {
        CURBSTOP_DATABASE_URL: "postgres://curbstop@db.example/curbstop?sslmode=verify-full",
        CURBSTOP_CLICKHOUSE_URL: "https://ch.example:8443",
        CURBSTOP_KAFKA_BROKERS: "k1.example:9093,k2.example:9093",
      },
    ),
  ).toEqual([
    ["PostgreSQL", "db.example"],
    ["ClickHouse", "ch.example"],
    ["Kafka", "k1.example"],
    ["Kafka", "k2.example"],
  ]);
});

it("lets data be given away as the contract has it, by an order of a court, or with consent", () => {
  const config = parseConfig(
    JSON.stringify({ utilities: [{ ...UTILITY, disclosures: DISCLOSURES }] }),
    "/etc/curbstop.yaml",
    {},
  ).config;
  const refusal = (ground: string, givenTo: string, purpose: "audit" | "help" | "legal") =>
    refusalOf(config.utilities[0]!, { ground, givenTo, purpose });
  expect([
    refusal("7.2", "ward audit LLP ", "audit"),
    refusal("7.2", "Meter Works", "help"),
    refusal("consent", "anybody", "help"),
    refusal("order 26-117", "Superior Court", "legal"),
  ]).toEqual([undefined, undefined, undefined, undefined]);
  expect(refusal("7.3", "Ward Audit LLP", "audit")).toMatch(
    /expected consent, order NUMBER, or one of .*7\.2/,
  );
  expect(refusal("7.2", "The Daily News", "audit")).toMatch(/is for Ward Audit LLP, Meter Works/);
  expect(refusal("7.2", "Ward Audit LLP", "help")).toMatch(/is for purpose audit, not for help/);
  expect(refusal("order 26-117", "Superior Court", "help")).toMatch(/--purpose legal/);
  expect(refusal("order", "Superior Court", "legal")).toMatch(/no such ground/);
  // A utility that names no clauses writes what it wants.
  expect(refusalOf({ disclosures: [] }, { ground: "7.3", givenTo: "x", purpose: "help" })).toBeUndefined();
});
