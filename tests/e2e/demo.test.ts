import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { runDemo } from "../../demo/index.js";
import { temporaryFolder } from "../harness/stores.js";

interface Printed {
  equal: boolean;
  homes: number;
  usage: { reads: number; expectedReads: number };
  anomalies: { home: number; planted: unknown; found: unknown; equal: boolean }[];
  residents: { home: number; kinds: string[]; confirmed: boolean }[];
  mails: { home: number; tells: string; at: string; expected: boolean; sent: boolean }[];
  texts: { home: number; by: string; body: string }[];
  files: { name: string; note: string; state: string; correction: boolean }[];
  rejects: { code: string; equal: boolean }[];
  mail: { subject: string; text: string };
}

async function demo(options: { readonly folder?: string; readonly signal?: AbortSignal }) {
  const out = new PassThrough();
  const err = new PassThrough();
  const printed = Promise.all([text(out), text(err)]);
  const { exitCode } = await runDemo({
    keep: false,
    json: true,
    homes: 60,
    days: 60,
    out,
    err,
    signal: options.signal ?? new AbortController().signal,
    ...(options.folder === undefined ? {} : { folder: options.folder }),
  }).finally(() => {
    out.end();
    err.end();
  });
  const [stdout, stderr] = await printed;
  return { exitCode, stdout, stderr };
}

describe("the demo", () => {
  let exitCode: number;
  let stderr: string;
  let printed: Printed;
  beforeAll(async () => {
    const run = await demo({});
    ({ exitCode, stderr } = run);
    printed = JSON.parse(run.stdout) as Printed;
  }, 480_000);

  it("ends with 0 and prints one JSON object and nothing else", () => {
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(printed).toMatchObject({ equal: true, homes: 60 });
  });

  it("finds what was planted, and nothing else", () => {
    expect(printed.anomalies.filter(({ equal }) => !equal)).toEqual([]);
    expect(printed.anomalies).toHaveLength(26);
    expect(printed.anomalies.map(({ found }) => found)).toEqual(
      printed.anomalies.map(({ planted }) => planted),
    );
    expect(printed.usage.reads).toBe(printed.usage.expectedReads);
  });

  it("sends the mails that are expected, and nobody else any", () => {
    expect(printed.mails.filter(({ expected, sent }) => !expected || !sent)).toEqual([]);
    const confirmed = printed.residents.filter((resident) => resident.confirmed).map(({ home }) => home);
    expect(confirmed).toHaveLength(20);
    const alerts = printed.mails.filter(({ tells }) => tells !== "please confirm");
    expect(printed.mails).toHaveLength(alerts.length + 21);
    expect(alerts.length).toBeGreaterThan(20);
    for (const { home } of alerts) expect(confirmed).toContain(home);
  });

  it("asks three residents by text, tells them, takes what they answer, and is silent after a stop", () => {
    const homes = [...new Set(printed.texts.map(({ home }) => home))];
    expect(homes).toHaveLength(3);
    const said = homes.map((home) => printed.texts.filter((text) => text.home === home));
    for (const lines of said) {
      expect(lines[0]!.body).toMatch(/Reply Y1 to confirm/);
      expect(lines[1]).toMatchObject({ by: "resident", body: "Y1" });
      expect(lines.filter(({ body }) => /Possible leak/.test(body)).length).toBeGreaterThan(0);
    }
    expect(said[0]!.map(({ body }) => body)).toContain("1");
    expect(said[1]!.at(-2)).toMatchObject({ by: "resident", body: "please stop" });
    expect(said[1]!.at(-1)!.body).toMatch(/You will get no more texts/);
  });

  it("sends alerts in the hours for it alone", () => {
    for (const { at } of printed.mails) {
      const hour = Number(
        new Date(at).toLocaleString("en-US", {
          timeZone: "America/Los_Angeles",
          hour: "2-digit",
          hourCycle: "h23",
        }),
      );
      expect(hour).toBeGreaterThanOrEqual(8);
      expect(hour).toBeLessThan(20);
    }
  });

  it("takes the late, the corrected and the doubled file for what they are, and rejects rows one by one", () => {
    const special = printed.files.filter(({ note }) => note !== "").map(({ state }) => state);
    expect(special.filter((state) => state === "duplicate")).toHaveLength(1);
    expect(special.filter((state) => state === "rejected")).toHaveLength(1);
    expect(printed.files.filter(({ correction }) => correction)).toHaveLength(1);
    expect(printed.rejects.map(({ code }) => code)).toEqual([
      "missing-meter",
      "bad-time",
      "bad-time",
      "time-in-future",
      "bad-number",
      "bad-number",
      "unknown-unit",
      "out-of-range",
      "too-few-columns",
    ]);
  });

  it("shows one alert in full, with the way out of it", () => {
    expect(printed.mail.subject).toMatch(/leak/i);
    expect(printed.mail.text).toMatch(/\/unsubscribe\//);
  });
});

it("stops when it is told to, with 130, and leaves no server behind", async () => {
  const folder = temporaryFolder("demo-stopped");
  const stop = new AbortController();
  const running = demo({ folder, signal: stop.signal });
  while (!existsSync(join(folder, "drop", "ami")) || readdirSync(join(folder, "data")).length === 0)
    await new Promise((resolve) => setTimeout(resolve, 50));
  stop.abort();
  await expect(running).resolves.toMatchObject({ exitCode: 130, stdout: "" });
  expect(existsSync(join(folder, "data", "owner.json"))).toBe(false);
  rmSync(folder, { recursive: true, force: true });
}, 120_000);
