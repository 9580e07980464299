import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Stage } from "../../infra/stage.js";
import { createNotify, type NotifyStage } from "../../notify/index.js";
import { createWeb, type WebStage } from "../../web/index.js";
import { startMailbox, type Mailbox } from "../harness/mailbox.js";
import { addHome, leak, optIn, tell, type World } from "../harness/residents.js";
import { startStores, usageUtility, type TestStores } from "../harness/stores.js";

/** Noon in Los Angeles. */
const NOON = Date.UTC(2026, 5, 1, 19);
const HOUR_MS = 3_600_000;

let test: TestStores;
let world: World;
let mailbox: Mailbox;
let notify: NotifyStage;
let web: WebStage;

beforeAll(async () => {
  test = await startStores("web", {
    now: NOON,
    config: (folder) => ({
      utilities: [
        usageUtility(folder),
        {
          ...usageUtility(folder),
          id: "elmwood",
          alerts: { live: false },
          sources: [{ id: "customers", folder: join(folder, "drop", "elmwood"), format: "crosswalk" }],
        },
      ],
    }),
  });
  world = { config: test.settings.config, stores: test.stores, clock: test.clock };
  mailbox = await startMailbox(join(test.folder, "mailbox.jsonl"));
  const context = test.context();
  const config = { ...context.config, smtp: { host: "127.0.0.1", port: mailbox.port, secure: false } };
  notify = await test.start(createNotify({ ...context, config }));
  web = await test.start(createWeb({ ...context, config, stages: () => [notify] }));
  for (const number of [1, 2, 3, 4, 5])
    await addHome(world, {
      meterId: `M-${number}`,
      accountId: `ACCT-000-${number}`,
      locationId: `L-${number}`,
    });
});
afterAll(async () => {
  await test.close();
  await mailbox.close();
});

const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(web.url + path, { headers, redirect: "manual" });
const post = (
  path: string,
  body: string | URLSearchParams | FormData = new URLSearchParams(),
  headers: Record<string, string> = {},
) => fetch(web.url + path, { method: "POST", body, headers, redirect: "manual" });
const signUp = (fields: Record<string, string>, from = "198.51.100.1") =>
  post(
    "/oakvale/subscribe",
    new URLSearchParams({ account: "acct 000 1", zip: "90001", kinds: "email:leak", ...fields }),
    { "x-forwarded-for": from },
  );

/** The path of the newest link of a kind that was mailed to an address. */
async function linkTo(email: string, kind: "confirm" | "unsubscribe"): Promise<string> {
  await notify.drain();
  const mails = await mailbox.mails();
  const index = mailbox.recipients().lastIndexOf(email);
  const found = new RegExp(`https?://[^/]+(/${kind}/[\\w-]+)`).exec(mails[index]?.text ?? "");
  return found![1]!;
}

const stepsOf = (email: string) =>
  test.stores.database
    .query<{ action: string }>(
      "SELECT action FROM consents JOIN contacts USING (contact_id) WHERE address_hash = $1 ORDER BY consent_id",
      [test.stores.vault.hash("oakvale", "email", email)],
    )
    .then((rows) => rows.map(({ action }) => action));

it("signs up, confirms with a click and unsubscribes with one, without cookies and redirects", async () => {
  const email = "first@mail.example";
  const asked = await signUp({ email });
  expect(asked.status).toBe(200);
  const link = await linkTo(email, "confirm");

  const shown = await get(link);
  expect(shown.status).toBe(200);
  expect(shown.headers.get("set-cookie")).toBeNull();
  const text = await shown.text();
  expect(text).toContain('<form method="post">');
  expect(await stepsOf(email)).toEqual(["request"]);

  expect((await post(link)).status).toBe(200);
  expect(await stepsOf(email)).toEqual(["request", "confirm"]);
  expect(await (await post(link)).text()).toContain("used already");
  expect(await stepsOf(email)).toEqual(["request", "confirm"]);

  const [home] = await test.stores.database.query<{ meter_key: string }>(
    "SELECT meter_key FROM recipients JOIN contacts USING (contact_id) WHERE address_hash = $1",
    [test.stores.vault.hash("oakvale", "email", email)],
  );
  await tell(world, leak(test.clock, home!.meter_key));
  const stop = await linkTo(email, "unsubscribe");
  expect((await get(stop)).status).toBe(200);
  expect(await stepsOf(email)).toEqual(["request", "confirm"]);
  const oneClick = new FormData();
  oneClick.set("List-Unsubscribe", "One-Click");
  const stopped = await post(stop, oneClick);
  expect(stopped.status).toBe(200);
  expect(stopped.headers.get("set-cookie")).toBeNull();
  expect(await stepsOf(email)).toEqual(["request", "confirm", "revoke"]);
  expect(
    (await post(stop, "List-Unsubscribe=One-Click", { "content-type": "application/x-www-form-urlencoded" }))
      .status,
  ).toBe(200);
  expect(await stepsOf(email)).toEqual(["request", "confirm", "revoke"]);
});

it("answers a sign-up the same whether or not account and ZIP are known", async () => {
  const known = await signUp({ account: "ACCT-000-2", email: "second@mail.example" });
  const unknown = await signUp({ account: "ACCT-999-9", email: "stranger@mail.example" });
  const wrongZip = await signUp({ account: "ACCT-000-2", zip: "10001", email: "other@mail.example" });
  expect([known.status, unknown.status, wrongZip.status]).toEqual([200, 200, 200]);
  const text = await known.text();
  expect(await unknown.text()).toBe(text);
  expect(await wrongZip.text()).toBe(text);
  await notify.drain();
  const to = mailbox.recipients();
  expect(to).toContain("second@mail.example");
  expect(to).not.toContain("stranger@mail.example");
  expect(to).not.toContain("other@mail.example");
});

it("shows a form without scripts, nothing ticked, under a policy that lets nothing else in", async () => {
  const response = await get("/oakvale/subscribe");
  const text = await response.text();
  expect(response.headers.get("content-security-policy")).toMatch(
    /^default-src 'none'; object-src 'none'; style-src 'sha256-/,
  );
  expect(response.headers.get("referrer-policy")).toBe("no-referrer");
  expect(text).not.toMatch(/<script|src=|https?:\/\//);
  expect(text).not.toContain("checked");
  expect(text).toContain("I agree that City of Oakvale Water may e-mail me");
  const spanish = await (await get("/oakvale/subscribe", { "accept-language": "es-MX,en;q=0.5" })).text();
  expect(spanish).toContain('lang="es"');
  expect(spanish).toContain("Número de cuenta");
});

it("has every answer say that nothing else may be loaded, framed, guessed or kept, whatever was asked", async () => {
  const asked: [path: string, method?: string, status?: number][] = [
    ["/oakvale/subscribe"],
    ["/oakvale/subscribe", "POST", 400],
    ["/no-such-utility/subscribe", "GET", 404],
    ["/health/live"],
    ["/health/ready"],
    ["/metrics"],
    ["/nowhere", "GET", 404],
    ["/oakvale/subscribe", "DELETE", 404],
    ["/unsubscribe/nobody", "POST", 404],
    ["/%zz", "GET", 400],
  ];
  for (const [path, method = "GET", status = 200] of asked) {
    const response = await fetch(web.url + path, { method });
    expect([path, method, response.status]).toEqual([path, method, status]);
    for (const [name, value] of [
      ["content-security-policy", /default-src 'none'.*base-uri 'none'.*frame-ancestors 'none'/],
      ["x-content-type-options", /^nosniff$/],
      ["referrer-policy", /^no-referrer$/],
      ["cache-control", /^no-store$/],
      ["content-type", /charset=utf-8/],
    ] as const)
      expect([path, name, response.headers.get(name)]).toEqual([path, name, expect.stringMatching(value)]);
    // Over http there is nothing to hold to.
    expect(response.headers.has("strict-transport-security")).toBe(false);
    expect(response.headers.has("set-cookie")).toBe(false);
  }
  const secure = createWeb({
    ...test.context(),
    config: {
      ...world.config,
      web: { ...world.config.web, port: 0, publicUrl: "https://alerts.oakvale.example" },
    },
    stages: () => [],
  });
  await secure.start();
  const response = await fetch(`${secure.url}/oakvale/subscribe`);
  expect(response.headers.get("strict-transport-security")).toBe("max-age=31536000; includeSubDomains");
  await secure.stop();
});

it("allows its own style by the hash in the policy", async () => {
  const response = await get("/oakvale/subscribe");
  const style = /<style>([\s\S]*?)<\/style>/.exec(await response.text())![1]!;
  const hash = createHash("sha256").update(style).digest("base64");
  expect(response.headers.get("content-security-policy")).toContain(`'sha256-${hash}'`);
});

it("names the fields that are wrong and keeps what was typed, escaped", async () => {
  const response = await signUp({ email: 'x"><script>alert(1)</script>', kinds: "gossip" });
  const text = await response.text();
  expect(response.status).toBe(400);
  expect(text).toContain("e-mail address, tick at least one box");
  expect(text).not.toContain("<script>");
  expect(text).toContain("&lt;script&gt;");
});

it("keeps the wording that was shown, by version and hash, and seals who confirmed", async () => {
  const email = "third@mail.example";
  await signUp({ account: "ACCT-000-3", email, language: "es" });
  await post(await linkTo(email, "confirm"), new URLSearchParams(), { "x-forwarded-for": "203.0.113.9" });
  const [row] = await test.stores.database.query<{
    contact_id: string;
    language: string;
    text_hash: Buffer;
    evidence_sealed: Buffer;
  }>("SELECT c.* FROM active_consents c JOIN contacts USING (contact_id) WHERE address_hash = $1", [
    test.stores.vault.hash("oakvale", "email", email),
  ]);
  expect(row!.language).toBe("es");
  const form = await (await get("/oakvale/subscribe?lang=es")).text();
  const shown = /Acepto que [^<]+/.exec(form)![0].trim();
  expect(row!.text_hash).toEqual(createHash("sha256").update(shown).digest());
  const opened = test.stores.vault.unseal(
    "oakvale",
    `consents.evidence|${row!.contact_id}`,
    row!.evidence_sealed,
  );
  expect(JSON.parse(opened.toString())).toMatchObject({ ip: "203.0.113.9" });
});

it("lets a confirmation link end after 24 hours", async () => {
  const email = "fourth@mail.example";
  await signUp({ account: "ACCT-000-4", email });
  const link = await linkTo(email, "confirm");
  test.clock.set(NOON + 24 * HOUR_MS);
  expect(await (await get(link)).text()).toContain("no longer works");
  await post(link);
  expect(await stepsOf(email)).toEqual(["request"]);
  test.clock.set(NOON);
});

it("knows no utility, page or token that it did not make", async () => {
  const token = (await linkTo("third@mail.example", "confirm")).split("/")[2]!;
  const forged = token.slice(0, -1) + (token.endsWith("A") ? "Q" : "A");
  for (const path of [
    "/nowhere/subscribe",
    "/confirm/abc",
    `/confirm/${forged}`,
    `/unsubscribe/${token}`,
    "/",
  ]) {
    expect((await get(path)).status).toBe(404);
  }
  expect((await post(`/unsubscribe/${token}`)).status).toBe(404);
  expect((await get("/elmwood/subscribe")).status).toBe(404);
});

it("slows down whoever fills in the form again and again", async () => {
  const statuses: number[] = [];
  for (let i = 0; i < 6; i++)
    statuses.push((await signUp({ email: "again@mail.example", kinds: "" }, "198.51.100.7")).status);
  expect(statuses).toEqual([400, 400, 400, 400, 400, 429]);
  const others: number[] = [];
  for (let i = 0; i < 15; i++)
    others.push((await signUp({ email: `again${i}@mail.example`, kinds: "" }, "198.51.100.7")).status);
  expect(others.slice(-2)).toEqual([400, 429]);
  expect((await signUp({ email: "again99@mail.example", kinds: "" }, "198.51.100.8")).status).toBe(400);
});

it("sends at most three confirmation mails to one address in a day", async () => {
  const email = "flooded@mail.example";
  for (let i = 0; i < 5; i++) await optInAsked(email);
  await notify.drain();
  expect(mailbox.recipients().filter((to) => to === email)).toHaveLength(3);
});
const optInAsked = (email: string) => signUp({ account: "ACCT-000-5", email }, `192.0.2.${email.length}`);

it("says how each stage does and counts for Prometheus", async () => {
  const health = await get("/health");
  expect(health.status).toBe(200);
  expect(await health.json()).toEqual({
    live: true,
    ready: true,
    stages: [{ name: "notify", live: true, ready: true }],
  });
  expect((await get("/health/live")).status).toBe(200);
  expect(await optIn(world, { account: "ACCT-000-5", email: "metrics@mail.example" })).toBe(true);
  const metrics = await (await get("/metrics")).text();
  expect(metrics).toMatch(/# HELP curbstop_alerts Alerts in the outbox, by state\./);
  expect(metrics).toMatch(/curbstop_alerts\{utility="oakvale",state="accepted"\} [1-9]/);
  expect(metrics).toContain('curbstop_log_lag_records{stage="notify",topic="anomalies"} 0');
  expect(metrics).toContain('curbstop_log_lag_records{stage="detect",topic="reads"} 0');
});

it("answers 503 with the reason while a stage is not ready", async () => {
  const waiting: Stage = {
    name: "detect",
    health: () => ({ live: true, ready: false, reason: "waiting for ClickHouse" }),
    start: () => Promise.resolve(),
    drain: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    finished: Promise.resolve(),
  };
  const idle = await test.start(createWeb({ ...test.context(), stages: () => [waiting] }));
  expect((await fetch(`${idle.url}/health/live`)).status).toBe(200);
  const ready = await fetch(`${idle.url}/health/ready`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({
    stages: [{ name: "detect", reason: "waiting for ClickHouse" }],
  });
});

it("logs neither tokens nor addresses of visitors", () => {
  const lines = test.logged.join("\n");
  expect(lines).toContain('"path":"/confirm/:token"');
  expect(lines).not.toMatch(
    /mail\.example|198\.51|203\.0\.113|ACCT|confirm\/[\w-]{20}|unsubscribe\/[\w-]{20}/,
  );
});
