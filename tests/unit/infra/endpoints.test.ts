import { isLoopback, requireTls } from "../../../infra/endpoints.js";
import { createTwilioChannel } from "../../../notify/channels/twilio.js";
import { openClickHouse } from "../../../infra/clickhouse/client.js";
import { openDatabase } from "../../../infra/postgres/database.js";

const before = process.env["CURBSTOP_ALLOW_PLAINTEXT"];
beforeEach(() => delete process.env["CURBSTOP_ALLOW_PLAINTEXT"]);
afterAll(() => {
  if (before !== undefined) process.env["CURBSTOP_ALLOW_PLAINTEXT"] = before;
});

it.each([
  ["localhost", true],
  ["127.0.0.1", true],
  ["127.8.9.10", true],
  ["::1", true],
  ["[::1]", true],
  ["127.example.com", false],
  ["127.0.0.1.example.com", false],
  ["localhost.example.com", false],
  ["10.0.0.7", false],
  ["db.example.com", false],
])("knows whether %s is this machine: %s", (host, own) => {
  expect(isLoopback(host)).toBe(own);
});

it("refuses a plain address of another machine, names it without what is secret, and lets a private network be said", () => {
  const url = "http://curb:hidden@ch.example.com:8123";
  expect(() => requireTls("CURBSTOP_CLICKHOUSE_URL", url, false)).toThrow(
    /^CURBSTOP_CLICKHOUSE_URL: ch\.example\.com is not this machine.*ALLOW_PLAINTEXT=1/,
  );
  expect(() => requireTls("CURBSTOP_CLICKHOUSE_URL", url, false)).not.toThrow(/hidden/);
  expect(() => requireTls("CURBSTOP_CLICKHOUSE_URL", url, true)).not.toThrow();
  process.env["CURBSTOP_ALLOW_PLAINTEXT"] = "1";
  expect(() => requireTls("CURBSTOP_CLICKHOUSE_URL", url, false)).not.toThrow();
});

it("is asked of every store and of the provider of texts", () => {
  expect(() => openClickHouse("http://u:p@ch.example.com:8123")).toThrow(/does not ask for TLS/);
  expect(() => openDatabase("postgres://u:p@pg.example.com/x")).toThrow(/does not ask for TLS/);
  const twilio = { accountSid: `AC${"0".repeat(32)}`, apiUrl: "http://sms.example.com" };
  process.env["CURBSTOP_TWILIO_AUTH_TOKEN"] = "x";
  try {
    const web = { host: "127.0.0.1", port: 0, publicUrl: "https://alerts.example.com" };
    expect(() => createTwilioChannel(twilio, web)).toThrow(/does not ask for TLS/);
  } finally {
    delete process.env["CURBSTOP_TWILIO_AUTH_TOKEN"];
  }
});
