import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseConfig } from "../../../infra/config/load-config.js";
import { openChannels } from "../../../notify/channels/index.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "curbstop-channels-"));
  writeFileSync(join(folder, "secret"), "secret\n");
});
afterAll(() => rmSync(folder, { recursive: true }));

const UTILITY = {
  ...{ id: "oakvale", name: "Oakvale Water", timeZone: "America/Los_Angeles" },
  mail: { from: "a@oakvale.example", postalAddress: "1 Road, Oakvale", privacy: "p@oakvale.example" },
  sms: { from: "+12135550199", name: "Oakvale Water", help: "213-555-0100" },
  voice: { from: "+12135550198" },
  sources: [{ id: "ami", folder: "drop", format: "cmep" }],
};

it("sends texts by the gateway that is set, and calls by Twilio beside it", async () => {
  const twilio = { accountSid: `AC${"0".repeat(32)}`, authTokenFile: "secret" };
  const smpp = { host: "127.0.0.1", systemId: "oakvale", passwordFile: "secret" };
  const smsWebhook = { url: "https://gateway.example/texts", secretFile: "secret" };
  for (const [providers, texts] of [
    [{ twilio }, "twilio"],
    [{ twilio, smpp }, undefined],
    [{ twilio, smsWebhook }, "webhook"],
  ] as const) {
    const text = JSON.stringify({ ...providers, utilities: [UTILITY] });
    const { config } = parseConfig(text, join(folder, "curbstop.yaml"), {});
    const channels = openChannels({ config });
    const hooks = ["sms", "voice"].map((name) => channels.get(name)!.hook?.name);
    expect([Object.keys(providers), hooks]).toEqual([Object.keys(providers), [texts, "twilio"]]);
    for (const channel of channels.values()) await channel.close();
  }
});
