import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { signatureOf } from "../../notify/channels/webhook.js";
import { createNotify, requestSubscription, type NotifyStage } from "../../notify/index.js";
import { createWeb, type WebStage } from "../../web/index.js";
import { addHome, leak, tell, type World } from "../harness/residents.js";
import { startStores, usageUtility, type TestStores } from "../harness/stores.js";

/** Noon in Los Angeles. */
const NOON = Date.UTC(2026, 5, 1, 19);
const SECRET = "drip-drop";
const PHONE = "+12135550101";

interface Order {
  readonly id: string;
  readonly to: string;
  readonly from: string;
  readonly text: string;
  readonly validSeconds: number;
}

/** A gateway of a utility's own: it knows a repeat by its key, and answers as it is told. */
class Gateway {
  readonly orders = new Map<string, Order>();
  /** Signatures and keys as they came, repeats too. */
  readonly calls: { readonly signed: boolean; readonly key: string | undefined }[] = [];
  /** What the next calls get instead of 201: a status, with what is said; "cut": taken, and no answer. */
  readonly script: (readonly [status: number, body: object] | "cut")[] = [];
  readonly server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString("utf8");
      const given = String(request.headers["curbstop-signature"]);
      const seconds = Number(/^t=(\d+),/.exec(given)?.[1]);
      const key = request.headers["idempotency-key"] as string | undefined;
      this.calls.push({ signed: given === signatureOf(SECRET, body, seconds), key });
      const step = this.script.shift();
      if (Array.isArray(step)) {
        response.writeHead(step[0] as number).end(JSON.stringify(step[1]));
        return;
      }
      const order = JSON.parse(body) as Order;
      this.orders.set(order.id, order);
      if (step === "cut") response.destroy();
      else response.writeHead(201).end(JSON.stringify({ id: `g-${this.orders.size}` }));
    });
  });
  texts(): string[] {
    return [...this.orders.values()].map(({ text }) => text);
  }
}

const gateway = new Gateway();
let test: TestStores;
let world: World;
let notify: NotifyStage;
let web: WebStage;
let meter: string;

beforeAll(async () => {
  await new Promise<void>((resolve) => gateway.server.listen(0, "127.0.0.1", resolve));
  const { port } = gateway.server.address() as AddressInfo;
  test = await startStores("sms-webhook", {
    now: NOON,
    config: (folder) => {
      writeFileSync(join(folder, "secret"), SECRET);
      return {
        web: { port: 0 },
        smsWebhook: { url: `http://127.0.0.1:${port}/texts`, secretFile: join(folder, "secret") },
        utilities: [
          {
            ...usageUtility(folder),
            sms: { from: "+12135550199", name: "Oakvale Water", help: "213-555-0100" },
          },
        ],
      };
    },
  });
  world = { config: test.settings.config, stores: test.stores, clock: test.clock };
  notify = await test.start(createNotify(test.context()));
  web = await test.start(createWeb({ ...test.context(), stages: () => [] }));
  meter = await addHome(world, { meterId: "W-1", accountId: "ACCT-0000-1", locationId: "W-1" });
});
afterAll(async () => {
  await test.close();
  gateway.server.close();
});

/** Calls back as the gateway does; returns the status of the answer. */
async function call(path: string, body: object, change: { secret?: string; ago?: number } = {}) {
  const text = JSON.stringify(body);
  const seconds = Math.floor(Date.now() / 1000) - (change.ago ?? 0);
  const response = await fetch(`${web.url}/hooks/webhook/oakvale/${path}`, {
    method: "POST",
    body: text,
    headers: {
      "content-type": "application/json",
      "curbstop-signature": signatureOf(change.secret ?? SECRET, text, seconds),
    },
  });
  await notify.drain();
  return response.status;
}
const write = (id: string, text: string) => call("messages", { id, from: PHONE, text });
const alertOf = async (id: string) =>
  (
    await test.stores.database.query<{ outbox_id: string; state: string; reason: string | null }>(
      "SELECT outbox_id, state, reason FROM outbox WHERE anomaly = $1 AND kind = 'alert'",
      [id],
    )
  )[0]!;

it("sends by a gateway of one's own, signed both ways, once whatever breaks, and believes nobody else", async () => {
  await requestSubscription(test.context(), {
    ...{
      utility: "oakvale",
      account: "ACCT-0000-1",
      zip: "90001",
      phone: PHONE,
      kinds: ["leak"],
      method: "web",
    },
  });
  await notify.drain();
  expect(gateway.texts()[0]).toMatch(/Reply Y1 to confirm/);
  expect(await call("messages", { id: "1", from: PHONE, text: "Y1" }, { secret: "guess" })).toBe(403);
  expect(await call("messages", { id: "1", from: PHONE, text: "Y1" }, { ago: 301 })).toBe(403);
  expect(await write("1", "Y1")).toBe(200);
  expect(await write("1", "Y1")).toBe(200);
  expect(gateway.texts()[1]).toMatch(/alerts are on/);
  expect(gateway.texts()).toHaveLength(2);

  // Taken, and no answer: it is sent again under the same key, and the gateway has it once.
  gateway.script.push("cut");
  const one = leak(test.clock, meter, { id: "1".repeat(32) });
  await tell(world, one);
  await notify.drain();
  expect(await alertOf(one.id)).toMatchObject({ state: "unknown" });
  test.clock.set(NOON + 60_000);
  await notify.drain();
  const { outbox_id: id, state } = await alertOf(one.id);
  expect(state).toBe("accepted");
  expect(gateway.calls.filter(({ key }) => key === id)).toEqual([
    { signed: true, key: id },
    { signed: true, key: id },
  ]);
  expect(gateway.texts()).toHaveLength(3);
  expect(gateway.orders.get(id)).toMatchObject({
    from: "+12135550199",
    to: PHONE,
    validSeconds: 8 * 3600 - 60,
  });

  expect(await call(`status/${id}`, { status: "delivered", id: "g-3" })).toBe(204);
  expect(await call(`status/${id}`, { status: "gone" })).toBe(403);
  expect(await alertOf(one.id)).toMatchObject({ state: "delivered" });

  // What it says of a number counts as with any provider.
  test.clock.set(NOON + 2 * 86_400_000);
  gateway.script.push([503, {}], [400, { code: "LANDLINE", fault: "unusable" }]);
  const next = leak(test.clock, meter, { id: "2".repeat(32), start: one.end + 600 });
  await tell(world, next);
  await notify.drain();
  expect(await alertOf(next.id)).toMatchObject({ state: "unknown", reason: "webhook HTTP 503" });
  test.clock.set(test.clock.now() + 60_000);
  await notify.drain();
  expect(await alertOf(next.id)).toMatchObject({ state: "failed", reason: "webhook LANDLINE" });
  expect(await test.stores.database.query("SELECT 1 FROM active_consents WHERE channel = 'sms'")).toEqual([]);
});
