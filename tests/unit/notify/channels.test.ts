import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseConfig } from "../../../infra/config/load-config.js";
import { openChannels, openLookUp } from "../../../notify/channels/index.js";

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

it("follows no provider elsewhere: what it was to be told goes to nobody", async () => {
  const elsewhere: string[] = [];
  let asked = 0;
  const other = createServer((request, response) => {
    elsewhere.push(request.url!);
    response.writeHead(201, { "content-type": "application/json" }).end("{}");
  });
  const provider = createServer((request, response) => {
    asked++;
    request.resume();
    const { port } = other.address() as AddressInfo;
    response.writeHead(307, { location: `http://127.0.0.1:${port}${request.url}` }).end();
  });
  for (const server of [other, provider])
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
    const twilio = {
      ...{ accountSid: `AC${"0".repeat(32)}`, authTokenFile: "secret" },
      ...{ apiUrl: url, lookupUrl: url, lookup: true },
    };
    const smsWebhook = { url: `${url}/texts`, secretFile: "secret" };
    for (const providers of [{ twilio }, { twilio, smsWebhook }]) {
      const text = JSON.stringify({ ...providers, utilities: [UTILITY] });
      const { config } = parseConfig(text, join(folder, "curbstop.yaml"), {});
      const channels = openChannels({ config });
      for (const channel of channels.values()) {
        if (channel.hook === undefined) continue;
        const outcome = await channel.send({
          ...{ id: "00000000-0000-4000-8000-000000000000", utility: config.utilities[0]! },
          ...{ address: "+12135550100", validSeconds: 3600 },
          letter: () => {
            throw new Error("no mail");
          },
          text: () => "Possible leak",
          spoken: () => ({ language: "en", words: "Possible leak" }),
        });
        expect(outcome.status).not.toBe("accepted");
      }
      for (const channel of channels.values()) await channel.close();
      expect(await openLookUp({ config })!("+12135550100").catch(() => undefined)).toBeUndefined();
    }
    expect(asked).toBeGreaterThanOrEqual(6);
    expect(elsewhere).toEqual([]);
  } finally {
    for (const server of [other, provider]) server.close();
  }
});
