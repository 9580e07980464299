import { join } from "node:path";
import { freePort } from "../../infra/supervise.js";
import { createNotify, listAlerts } from "../../notify/index.js";
import { readMailbox, startMailbox } from "../harness/mailbox.js";
import { addHome, leak, optIn, tell, type World } from "../harness/residents.js";
import { startStores, type TestStores } from "../harness/stores.js";

const NOON = Date.UTC(2026, 5, 1, 19);

let test: TestStores;
let world: World;
let port: number;
beforeAll(async () => {
  test = await startStores("notify-server", { now: NOON });
  world = { config: test.settings.config, stores: test.stores, clock: test.clock };
  port = await freePort();
});
afterAll(() => test.close());

/** The stage with the mail server at `port`, or with none. */
function stage(withServer: boolean) {
  const context = test.context();
  const smtp = { host: "127.0.0.1", port, secure: false };
  return test.start(
    createNotify({ ...context, config: withServer ? { ...context.config, smtp } : context.config }),
  );
}

const states = async () =>
  (await listAlerts(test.stores.database))
    .map(({ kind, state, reason }) => [kind, state, reason])
    .sort(([a], [b]) => (a! < b! ? -1 : 1));

it("lets messages wait where no mail server is configured, and says so", async () => {
  const notify = await stage(false);
  const meter = await addHome(world, { meterId: "M-1", accountId: "ACCT-1", locationId: "L-1" });
  await optIn(world, { account: "ACCT-1", email: "waits@mail.example" });
  await tell(world, leak(test.clock, meter));
  await notify.drain();
  expect(await states()).toEqual([
    ["alert", "queued", null],
    ["confirmation", "queued", null],
  ]);
  expect(notify.health()).toEqual({
    live: true,
    ready: true,
    reason: "no mail server and no SMS account configured: messages wait in the outbox",
  });
  await notify.stop();
  expect(notify.health().live).toBe(false);
});

it("is not ready while the mail server is away, loses nothing, and goes on when it is back", async () => {
  const notify = await stage(true);
  await notify.drain();
  const [alert] = (await states()).filter(([kind]) => kind === "alert");
  expect(alert).toEqual(["alert", "queued", "ESOCKET"]);
  expect(notify.health()).toEqual({
    live: true,
    ready: false,
    reason: "waiting for a provider (email: ESOCKET)",
  });
  const file = join(test.folder, "back.jsonl");
  const mailbox = await startMailbox(file, { port });
  test.clock.set(NOON + 60_000);
  await notify.drain();
  expect(notify.health()).toEqual({ live: true, ready: true });
  await notify.stop();
  await mailbox.close();
  expect(readMailbox(file)).toHaveLength(1);
  expect((await states()).map(([kind, state]) => [kind, state]).sort()).toEqual([
    ["alert", "accepted"],
    ["confirmation", "suppressed"],
  ]);
});

it("leaves a message that a slow server has in hand to the next start, under the same Message-ID", async () => {
  const file = join(test.folder, "slow.jsonl");
  const mailbox = await startMailbox(file, { port });
  mailbox.script({ do: "wait", ms: 7_000 });
  const meter = await addHome(world, { meterId: "M-2", accountId: "ACCT-2", locationId: "L-2" });
  await optIn(world, { account: "ACCT-2", email: "slow@mail.example" });
  const first = await stage(true);
  await tell(world, leak(test.clock, meter, { id: "f".repeat(32) }));
  const alert = async () => (await listAlerts(test.stores.database, { anomaly: "f".repeat(32) }))[0];
  while ((await alert())?.state !== "sending") await new Promise((resolve) => setTimeout(resolve, 20));
  await first.stop();
  expect((await alert())!.state).toBe("sending");
  const second = await stage(true);
  await second.drain();
  expect(await alert()).toMatchObject({ state: "accepted", attempts: 2 });
  await second.stop();
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  await mailbox.close();
  const ids = (await mailbox.mails()).map(({ messageId }) => messageId);
  expect(ids).toHaveLength(2);
  expect(new Set(ids).size).toBe(1);
});
