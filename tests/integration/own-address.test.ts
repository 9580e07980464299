import { request } from "node:http";
import { join } from "node:path";
import { createNotify, requestSubscription, type NotifyStage } from "../../notify/index.js";
import { createWeb, type WebStage } from "../../web/index.js";
import { startMailbox, type Mailbox } from "../harness/mailbox.js";
import { addHome, type World } from "../harness/residents.js";
import { startStores, usageUtility, type TestStores } from "../harness/stores.js";

/** Noon in Los Angeles. */
const NOON = Date.UTC(2026, 5, 1, 19);
const OWN = "alerts.oakvale.example";

let test: TestStores;
let mailbox: Mailbox;
let notify: NotifyStage;
let web: WebStage;

beforeAll(async () => {
  test = await startStores("own-address", {
    now: NOON,
    config: (folder) => ({
      web: { publicUrl: "https://water.example" },
      utilities: [
        { ...usageUtility(folder), publicUrl: `https://${OWN}/` },
        {
          ...usageUtility(folder),
          id: "elmwood",
          sources: [{ id: "customers", folder: join(folder, "drop", "elmwood"), format: "crosswalk" }],
        },
      ],
    }),
  });
  mailbox = await startMailbox(join(test.folder, "mailbox.jsonl"));
  const context = test.context();
  const config = { ...context.config, smtp: { host: "127.0.0.1", port: mailbox.port, secure: false } };
  notify = await test.start(createNotify({ ...context, config }));
  web = await test.start(createWeb({ ...context, config, stages: () => [notify] }));
});
afterAll(async () => {
  await test.close();
  await mailbox.close();
});

/** Status of a page as it is reached by the name of a host. */
function statusAt(host: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(web.url + path, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    })
      .on("error", reject)
      .end();
  });
}

it("shows the pages of a utility at its own address alone, and links to it", async () => {
  const world: World = { config: test.settings.config, stores: test.stores, clock: test.clock };
  await addHome(world, { meterId: "M-1", accountId: "ACCT-000-1", locationId: "L-1" });
  await requestSubscription(test.context(), {
    ...{ utility: "oakvale", account: "ACCT-000-1", zip: "90001", email: "ann@mail.example" },
    ...{ kinds: ["leak"], method: "web" },
  });
  await notify.drain();
  const link = /https:\/\/\S+\/confirm\/\S+/.exec((await mailbox.mails())[0]!.text!)![0];
  const { host, pathname } = new URL(link);
  expect(host).toBe(OWN);
  const asked = [
    [OWN, pathname],
    ["water.example", pathname],
    [OWN, "/oakvale/subscribe"],
    ["water.example", "/oakvale/subscribe"],
    ["elsewhere.example", "/oakvale/subscribe"],
    [OWN, "/elmwood/subscribe"],
    ["water.example", "/elmwood/subscribe"],
    // Whoever watches it asks by whichever address.
    ["10.1.2.3:8080", "/health/live"],
  ] as const;
  const found = await Promise.all(asked.map(async ([at, path]) => [at, path, await statusAt(at, path)]));
  const statuses = [200, 404, 200, 404, 404, 404, 200, 200];
  expect(found).toEqual(asked.map(([at, path], n) => [at, path, statuses[n]]));
});
