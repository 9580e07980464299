import { execFile, execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { createIngest } from "../../ingest/index.js";
import { createPuller } from "../../ingest/pickup/pull.js";
import { PullFailed } from "../../ingest/pickup/pull-failed.js";
import { pullSource, type PullOptions, type PullReport } from "../../ingest/pickup/pull-source.js";
import { systemClock, type Clock } from "../../infra/clock.js";
import { packageRoot } from "../../infra/package-root.js";
import type { StageContext } from "../../infra/stage.js";
import { sourceConfig, type SourceConfig, type UtilityConfig } from "../../schemas/config.js";
import { expectAccountedFor } from "../harness/accounted.js";
import { startCutProxy, type CutProxy } from "../harness/cut-proxy.js";
import { fingerprintOf, findSshd, type TestAccount, type TestSshd } from "../harness/sshd.js";
import { startStores, usageUtility, type TestStores } from "../harness/stores.js";

const DAY = 86_400_000;
const QUICK = { firstPauseMs: 10 };

const origin = findSshd();
const onServer = "missing" in origin ? describe.skip : describe;

let sshd: TestSshd;
let account: TestAccount;
let test: TestStores;
let proxy: CutProxy;
let utility: UtilityConfig;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  if ("missing" in origin) return;
  // The server of a utility: its account may read as well, and log in by password.
  sshd = await origin.start({
    overrides: ["ForceCommand=internal-sftp", "AuthenticationMethods=any", "PasswordAuthentication=yes"],
  });
  closing.push(() => sshd.stop());
  account = await sshd.account("unused");
  proxy = await startCutProxy(sshd.port);
  closing.push(() => proxy.close());
  test = await startStores("sftp-pull");
  closing.push(() => expectAccountedFor(test).finally(() => test.close()));
  utility = test.settings.config.utilities[0]!;
});
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

interface Feed {
  readonly source: SourceConfig;
  /** Its folder on the server. */
  readonly remote: string;
  /** The drop folder. */
  readonly folder: string;
}

let feeds = 0;

/** A source of its own with a folder of its own on the server. */
function feed(pull: object = {}, more: object = {}): Feed {
  const id = `feed-${++feeds}`;
  const remote = join(account.folder, id);
  mkdirSync(remote);
  execFileSync("chown", [account.name, remote]);
  const folder = join(test.folder, "drop", id);
  const source = sourceConfig.parse({
    id,
    folder,
    format: "csv",
    complete: { by: "stability", seconds: 0 },
    profile: {
      columns: { meter: "meter", time: "time", usage: "litres" },
      time: { zone: "UTC" },
      unit: "L",
      resolution: 1,
    },
    ...more,
    pull: {
      host: "127.0.0.1",
      port: proxy.port,
      user: account.name,
      keyFile: account.keyFile,
      hostKey: sshd.hostKey,
      folder: `/${id}`,
      schedule: "0 6 * * *",
      ...pull,
    },
  });
  return { source, remote, folder };
}

const pull = ({ source }: Feed, options: PullOptions = {}): Promise<PullReport> =>
  pullSource(test.context(), utility, source, { ...QUICK, ...options });

/** The failure of a pull that must fail. */
async function failureOf(pulling: Promise<PullReport>): Promise<PullFailed> {
  const failure = await pulling.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(PullFailed);
  return failure as PullFailed;
}

/** Puts a file on the server. */
function offer({ remote }: Feed, name: string, content: string | Buffer, modified?: number): void {
  const path = join(remote, name);
  writeFileSync(path, content);
  if (modified !== undefined) utimesSync(path, modified / 1000, modified / 1000);
}

const held = ({ folder }: Feed, name: string) => readFileSync(join(folder, name));
const names = ({ folder }: Feed) => readdirSync(folder).sort();
const sha = (content: Buffer) => createHash("sha256").update(content).digest("hex");
const reads = (meter: string, count: number) =>
  [
    "meter,time,litres",
    ...Array.from({ length: count }, (_, i) => `${meter},2026-05-01 ${String(i).padStart(2, "0")}:00,${i}`),
  ].join("\n") + "\n";

onServer("a pull", () => {
  it("brings every file whole, once, and leaves the others", async () => {
    const one = feed({ files: "*.csv" });
    const big = randomBytes(3_000_001);
    offer(one, "a.csv", "meter,time,litres\n");
    offer(one, "big.csv", big);
    offer(one, "empty.csv", "");
    for (const other of ["note.txt", ".hidden.csv", "b.csv.part"]) offer(one, other, "x");
    mkdirSync(join(one.remote, "folder.csv"));
    execFileSync("ln", ["-s", "/etc/passwd", join(one.remote, "link.csv")]);
    const report = await pull(one);
    expect(report).toEqual({
      fetched: [
        { name: "a.csv", bytes: 18, resumedAt: 0 },
        { name: "big.csv", bytes: big.length, resumedAt: 0 },
        { name: "empty.csv", bytes: 0, resumedAt: 0 },
      ],
      known: 0,
      waiting: 0,
      refused: [],
    });
    expect(names(one)).toEqual(["a.csv", "big.csv", "empty.csv"]);
    expect(sha(held(one, "big.csv"))).toBe(sha(big));
    for (const name of names(one)) rmSync(join(one.folder, name));
    expect(await pull(one)).toMatchObject({ fetched: [], known: 3 });
    expect(names(one)).toEqual([]);
  });

  it("goes on where a connection was cut, at whatever byte", async () => {
    const one = feed();
    const content = randomBytes(3_000_000);
    offer(one, "cut.csv", content);
    const cuts = [20, 900, 2_500, 4_000, 300_000, 1_000_001, 40_000, 900_000];
    const before = proxy.connections;
    proxy.script(...cuts.map((after) => ({ do: "cut", from: "server", after }) as const));
    const { fetched } = await pull(one);
    expect(proxy.connections - before).toBe(cuts.length + 1);
    expect(fetched).toMatchObject([{ name: "cut.csv", bytes: content.length }]);
    expect(fetched[0]!.resumedAt).toBeGreaterThan(2_000_000);
    expect(sha(held(one, "cut.csv"))).toBe(sha(content));
    expect(names(one)).toEqual(["cut.csv"]);
  });

  it("goes on in a later run with what an earlier one fetched of the same state, and begins a changed one again", async () => {
    const one = feed();
    const state = Date.UTC(2026, 4, 1);
    const broken = async (content: Buffer, modified: number) => {
      offer(one, "later.csv", content, modified);
      const stop = new AbortController();
      const stopped = pull(one, {
        signal: stop.signal,
        onProgress: ({ bytesDone }) => {
          if (bytesDone > 500_000) stop.abort(new Error("stopped"));
        },
      });
      await expect(stopped).rejects.toThrow("stopped");
      const [partial] = names(one);
      expect(names(one)).toHaveLength(1);
      expect(partial).toMatch(/^\.pull_oakvale_feed-\d+_[0-9a-f]{16}_\d+_\d+\.part$/);
      return statSync(join(one.folder, partial!)).size;
    };
    const first = randomBytes(2_000_000);
    const size = await broken(first, state);
    expect((await pull(one)).fetched).toEqual([{ name: "later.csv", bytes: 2_000_000, resumedAt: size }]);
    expect(sha(held(one, "later.csv"))).toBe(sha(first));
    rmSync(join(one.folder, "later.csv"));

    await broken(randomBytes(2_000_000), state + 60_000);
    const second = randomBytes(2_000_000);
    offer(one, "later.csv", second, state + 120_000);
    expect((await pull(one)).fetched).toEqual([{ name: "later.csv", bytes: 2_000_000, resumedAt: 0 }]);
    expect(sha(held(one, "later.csv"))).toBe(sha(second));
    expect(names(one)).toEqual(["later.csv"]);
  });

  it("does not trust what a killed process left half written", async () => {
    const one = feed();
    const content = randomBytes(100_000);
    const modified = Date.UTC(2026, 4, 1);
    offer(one, "killed.csv", content, modified);
    mkdirSync(one.folder, { recursive: true });
    const hash = createHash("sha256").update("killed.csv").digest("hex").slice(0, 16);
    const partial = `.pull_oakvale_${one.source.id}_${hash}_100000_${modified}.open.part`;
    writeFileSync(join(one.folder, partial), Buffer.alloc(50_000));
    expect((await pull(one)).fetched).toMatchObject([{ resumedAt: 0 }]);
    expect(sha(held(one, "killed.csv"))).toBe(sha(content));
    expect(names(one)).toEqual(["killed.csv"]);
  });

  it("fetches a file again once it has changed on the server, which the ledger knows as a correction", async () => {
    const one = feed();
    const config = { ...test.settings.config, utilities: [{ ...utility, sources: [one.source] }] };
    const ingest = await test.start(createIngest({ ...test.context(), config }));
    for (const [count, modified] of [
      [3, 1],
      [3, 1],
      [4, 2],
    ] as const) {
      offer(one, "daily.csv", reads("P-1", count), Date.UTC(2026, 4, modified));
      await pull(one);
      await ingest.drain();
    }
    await ingest.stop();
    const rows = await test.stores.database.query(
      "SELECT state, reads, correction FROM files WHERE name = 'daily.csv' ORDER BY file",
    );
    expect(rows).toEqual([
      { state: "archived", reads: 3, correction: false },
      { state: "archived", reads: 4, correction: true },
    ]);
  });

  it("takes no file that changes while it is fetched, and fetches it again as it then is", async () => {
    const one = feed();
    offer(one, "moving.csv", randomBytes(1_000_000));
    let changes = 0;
    const { fetched } = await pull(one, {
      onProgress: () => {
        if (changes++ === 0) appendFileSync(join(one.remote, "moving.csv"), "and more");
      },
    });
    expect(fetched).toMatchObject([{ bytes: 1_000_008, resumedAt: 0 }]);
    expect(sha(held(one, "moving.csv"))).toBe(sha(readFileSync(join(one.remote, "moving.csv"))));
  });

  it("leaves a file alone while its sender writes, and says so", async () => {
    const one = feed({}, { complete: { by: "stability", seconds: 0.5 } });
    offer(one, "whole.csv", "1");
    offer(one, "growing.csv", "1");
    const growing = setInterval(() => appendFileSync(join(one.remote, "growing.csv"), "1"), 100);
    const report = await pull(one);
    clearInterval(growing);
    expect(report).toMatchObject({ fetched: [{ name: "whole.csv" }], waiting: 1 });
    expect((await pull(one)).fetched).toMatchObject([{ name: "growing.csv" }]);
  });

  it("waits for markers where the source has them, and hands them on", async () => {
    const one = feed({ after: { do: "delete" } }, { complete: { by: "marker", suffix: ".done" } });
    offer(one, "marked.csv", "1");
    offer(one, "unmarked.csv", "1");
    offer(one, "marked.csv.done", "");
    expect((await pull(one)).fetched).toMatchObject([{ name: "marked.csv" }]);
    expect(names(one)).toEqual(["marked.csv", "marked.csv.done"]);
    expect(readdirSync(one.remote)).toEqual(["unmarked.csv"]);
  });

  it("refuses names that no folder of ours may hold, and files beyond maxFileBytes", async () => {
    const one = feed({}, { maxFileBytes: 10 });
    for (const name of ["line\nfeed.csv", "back\\slash.csv", "escape\u001b[2J.csv", "right.csv"])
      offer(one, name, "1");
    offer(one, "large.csv", "12345678901");
    const report = await pull(one);
    expect(report.fetched).toMatchObject([{ name: "right.csv" }]);
    expect(report.refused).toHaveLength(4);
    expect(report.refused).toContainEqual({ name: "large.csv", reason: "size" });
    expect(names(one)).toEqual(["right.csv"]);
    expect(test.logged.join("")).not.toContain("slash");
  });

  it("keeps a file of the same name that was not taken yet", async () => {
    const one = feed();
    mkdirSync(one.folder, { recursive: true });
    writeFileSync(join(one.folder, "same.csv"), "not taken yet");
    offer(one, "same.csv", "other bytes");
    offer(one, "then.csv", "others go on");
    expect(await failureOf(pull(one))).toMatchObject({ code: "in-the-way" });
    expect(held(one, "same.csv").toString()).toBe("not taken yet");
    expect(held(one, "then.csv").toString()).toBe("others go on");
    rmSync(join(one.folder, "same.csv"));
    await pull(one);
    expect(held(one, "same.csv").toString()).toBe("other bytes");
  });
});

onServer("what happens to a file on the server afterwards", () => {
  it("is its deletion, also where the pull that fetched it could not do it", async () => {
    const one = feed({ after: { do: "delete" } });
    offer(one, "gone.csv", "1");
    await pull({ ...one, source: { ...one.source, pull: { ...one.source.pull!, after: { do: "leave" } } } });
    expect(readdirSync(one.remote)).toEqual(["gone.csv"]);
    expect(await pull(one)).toMatchObject({ fetched: [], known: 1 });
    expect(readdirSync(one.remote)).toEqual([]);
    offer(one, "next.csv", "2");
    await pull(one);
    expect(readdirSync(one.remote)).toEqual([]);
    expect(names(one)).toEqual(["gone.csv", "next.csv"]);
  });

  it("is its move, under another name where that one is taken", async () => {
    const one = feed({ after: { do: "move", to: "/unused" } });
    for (const [text, day] of [
      ["1", 1],
      ["22", 2],
    ] as const) {
      offer(one, "moved.csv", text, Date.UTC(2026, 4, day, 6, 30));
      await pull(one);
      expect(readdirSync(one.remote)).toEqual([]);
      expect(held(one, "moved.csv").toString()).toBe(text);
      rmSync(join(one.folder, "moved.csv"));
    }
    const moved = join(account.folder, "unused");
    expect(readdirSync(moved).sort()).toEqual(["moved.csv", "moved.csv.20260502T063000Z"]);
    expect(readFileSync(join(moved, "moved.csv"), "utf8")).toBe("1");
  });

  it("is told where the server does not allow it, and the file is not fetched twice", async () => {
    const one = feed({ after: { do: "move", to: "/absent" } });
    offer(one, "stuck.csv", "1");
    const failure = await failureOf(pull(one));
    expect(failure).toMatchObject({ code: "server" });
    expect(failure.message).toContain("can't be moved to /absent");
    rmSync(join(one.folder, "stuck.csv"));
    await failureOf(pull(one));
    expect(names(one)).toEqual([]);
  });
});

onServer("a login", () => {
  it("goes no further than a strange host key, and names both fingerprints and the mend", async () => {
    const other = fingerprintOf(`${sshd.keyPair("strange")}.pub`);
    const one = feed({ hostKey: other });
    offer(one, "a.csv", "1");
    const failure = await failureOf(pull(one));
    expect(failure).toMatchObject({ code: "host-key" });
    for (const part of [sshd.hostKey, other, "only then set hostKey"])
      expect(failure.message).toContain(part);
    expect(existsSync(join(one.folder, "a.csv"))).toBe(false);
  });

  it("fails at once with a key that the server does not know, one that others may read, or one with a passphrase", async () => {
    const stranger = sshd.keyPair("not-known");
    expect(await failureOf(pull(feed({ keyFile: stranger })))).toMatchObject({ code: "login" });
    const open = sshd.keyPair("open");
    chmodSync(open, 0o644);
    expect((await failureOf(pull(feed({ keyFile: open })))).message).toContain(`chmod 600 ${open}`);
    const locked = join(sshd.folder, "own", "locked");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "a passphrase", "-f", locked]);
    expect((await failureOf(pull(feed({ keyFile: locked })))).message).toContain("passphrase");
    const absent = await failureOf(pull(feed({ keyFile: join(sshd.folder, "own", "absent") })));
    expect(absent).toMatchObject({ code: "secret" });
  });

  it("takes a password from a file or a variable", async () => {
    execFileSync("chpasswd", { input: `${account.name}:right password\n` });
    const file = join(sshd.folder, "own", "password");
    writeFileSync(file, "right password\n", { mode: 0o600 });
    const byFile = feed({ keyFile: undefined, passwordFile: file });
    offer(byFile, "a.csv", "1");
    expect((await pull(byFile)).fetched).toHaveLength(1);
    process.env["TEST_SFTP_PASSWORD"] = "right password";
    const byVariable = feed({ keyFile: undefined, passwordVariable: "TEST_SFTP_PASSWORD" });
    offer(byVariable, "a.csv", "1");
    expect((await pull(byVariable)).fetched).toHaveLength(1);
    process.env["TEST_SFTP_PASSWORD"] = "wrong";
    expect(await failureOf(pull(byVariable))).toMatchObject({ code: "login" });
    delete process.env["TEST_SFTP_PASSWORD"];
    expect(await failureOf(pull(byVariable))).toMatchObject({ code: "secret" });
    const told = test.logged.join("");
    for (const secret of ["right password", "wrong"]) expect(told).not.toContain(secret);
  });

  it("says what is lacking where both have no algorithm in common", async () => {
    if ("missing" in origin) return;
    const other = await origin.start({ overrides: ["KexAlgorithms=sntrup761x25519-sha512@openssh.com"] });
    const failure = await failureOf(pull(feed({ port: other.port })));
    await other.stop();
    expect(failure).toMatchObject({ code: "server" });
    expect(failure.message).toContain("no key exchange algorithm in common");
  });

  it("says which folder is not there", async () => {
    const failure = await failureOf(pull(feed({ folder: "/nowhere" })));
    expect(failure).toMatchObject({ code: "folder" });
    expect(failure.message).toContain("/nowhere");
  });
});

onServer("a server that says nothing", () => {
  it("is given up after the time for a login", async () => {
    const one = feed({ timeoutSeconds: { connect: 1 } });
    const began = performance.now();
    proxy.script(...Array.from({ length: 6 }, () => ({ do: "stall", from: "server", after: 0 }) as const));
    const failure = await failureOf(pull(one));
    expect(failure).toMatchObject({ code: "time-out" });
    expect(performance.now() - began).toBeLessThan(15_000);
  });

  it("in the middle of a file is left after the idle time, and the file goes on over another connection", async () => {
    const one = feed({ timeoutSeconds: { idle: 1 } });
    const content = randomBytes(1_000_000);
    offer(one, "idle.csv", content);
    proxy.script({ do: "stall", from: "server", after: 400_000 });
    const { fetched } = await pull(one);
    expect(fetched[0]!.resumedAt).toBeGreaterThan(100_000);
    expect(sha(held(one, "idle.csv"))).toBe(sha(content));
  });

  it("ends the pull after the time for all of it", async () => {
    const one = feed({ timeoutSeconds: { whole: 1 } });
    offer(one, "long.csv", randomBytes(1_000_000));
    proxy.script({ do: "stall", from: "server", after: 400_000 });
    const began = performance.now();
    const failure = await failureOf(pull(one));
    expect(failure).toMatchObject({ code: "time-out" });
    expect(failure.message).toContain("within 1 s");
    expect(performance.now() - began).toBeLessThan(5_000);
    expect((await pull(one)).fetched[0]!.resumedAt).toBeGreaterThan(100_000);
  });
});

onServer("the schedule", () => {
  function contextFor(
    one: Feed,
    clock: Clock = test.clock,
  ): StageContext & { readonly firstPauseMs: number } {
    const config = { ...test.settings.config, utilities: [{ ...utility, sources: [one.source] }] };
    return { ...test.context(), ...QUICK, config, clock };
  }

  it("is caught up on where its time was missed, and kept where it was not", async () => {
    const one = feed({ schedule: "0 6 * * *" });
    offer(one, "first.csv", "1");
    test.clock.set(Date.UTC(2026, 5, 1, 5, 0));
    const first = await test.start(createPuller(contextFor(one)));
    await first.drain();
    expect(names(one)).toEqual(["first.csv"]);

    offer(one, "second.csv", "2");
    const before = proxy.connections;
    test.clock.set(Date.UTC(2026, 5, 1, 5, 59));
    await first.drain();
    expect(proxy.connections).toBe(before);
    test.clock.set(Date.UTC(2026, 5, 1, 6, 0));
    await first.drain();
    expect(names(one)).toEqual(["first.csv", "second.csv"]);
    await first.stop();

    // Nobody was there at 6 o'clock of two days.
    offer(one, "third.csv", "3");
    test.clock.set(Date.UTC(2026, 5, 1, 6, 0) + 2 * DAY + 60_000);
    const second = await test.start(createPuller(contextFor(one)));
    await second.drain();
    expect(names(one)).toContain("third.csv");
    const after = proxy.connections;
    await second.drain();
    expect(proxy.connections).toBe(after);
    await second.stop();
  });

  it("is kept by the real clock, with one pull at a time", async () => {
    const one = feed({ schedule: "* * * * * *", timeoutSeconds: { idle: 3 } });
    const before = proxy.connections;
    const puller = await test.start(createPuller(contextFor(one, systemClock)));
    await puller.drain();
    const made = proxy.connections - before;
    expect(made).toBeGreaterThanOrEqual(1);
    offer(one, "tick.csv", randomBytes(1_000_000));
    proxy.script({ do: "stall", from: "server", after: 300_000 });
    const from = proxy.connections;
    await sleep(2_700);
    // The stalled pull is awaited, though its time came twice more.
    expect(proxy.connections - from).toBeLessThanOrEqual(2);
    for (let i = 0; i < 100 && !existsSync(join(one.folder, "tick.csv")); i++) await sleep(100);
    await puller.stop();
    expect(names(one)).toEqual(["tick.csv"]);
  });

  it("gives a source to one of two processes", async () => {
    const one = feed();
    offer(one, "shared.csv", randomBytes(2_000_000));
    const failures: unknown[] = [];
    const second: Promise<void>[] = [];
    await pull(one, {
      onProgress: ({ bytesDone }) => {
        if (bytesDone > 100_000 || second.length > 0) return;
        second.push(failureOf(pull(one)).then(({ code }) => void failures.push(code)));
      },
      onFetched: () => expect(failures).toEqual(["busy"]),
    }).catch((error: unknown) => expect(error).toBeUndefined());
    await Promise.all(second);
    expect(failures).toEqual(["busy"]);
    expect(names(one)).toEqual(["shared.csv"]);
  });

  it("tries a pull that failed again until it brings everything, and says so in the health", async () => {
    const one = feed({ folder: "/later" });
    const later = join(account.folder, "later");
    const puller = await test.start(createPuller(contextFor(one)));
    for (let i = 0; i < 200 && puller.health().ready; i++) await sleep(20);
    expect(puller.health()).toEqual({
      live: true,
      ready: false,
      reason: `pull of oakvale/${one.source.id} failed: folder`,
    });
    mkdirSync(later);
    execFileSync("chown", [account.name, later]);
    writeFileSync(join(later, "at-last.csv"), "1");
    for (let i = 0; i < 500 && !puller.health().ready; i++) await sleep(20);
    await puller.stop();
    expect(names(one)).toEqual(["at-last.csv"]);
    expect(test.logged.some((line) => line.includes("pull failed") && line.includes("folder"))).toBe(true);
  });
});

onServer("the command `pull`", () => {
  const run = promisify(execFile);

  async function command(config: object, ...words: string[]) {
    const path = join(test.folder, "command.yaml");
    writeFileSync(path, JSON.stringify(config));
    try {
      const bin = join(packageRoot(), "bin", "curbstop.js");
      const { stdout, stderr } = await run(process.execPath, [bin, "-c", path, "pull", ...words], {
        env: { ...process.env, NODE_OPTIONS: "", CURBSTOP_LOG_LEVEL: "silent" },
      });
      return { code: 0, stdout, stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, stdout, stderr };
    }
  }

  it("fetches, says what it fetched, and ends with a code that says how it went", async () => {
    const one = feed({ after: { do: "delete" } });
    offer(one, "by-command.csv", "meter,time,litres\n");
    const [first, ...rest] = usageUtility(test.folder).sources;
    const config = (change: object = {}) => ({
      // Its own stores: those of this test belong to this process.
      dataDirectory: join(test.folder, "command-data"),
      utilities: [
        {
          ...usageUtility(test.folder),
          sources: [{ ...first, folder: one.folder, pull: { ...one.source.pull, ...change } }, ...rest],
        },
      ],
    });
    const done = await command(config(), "ami", "--json");
    expect(done).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(done.stdout)).toEqual({
      fetched: [{ name: "by-command.csv", bytes: 18, resumedAt: 0 }],
      known: 0,
      waiting: 0,
      refused: [],
    });
    expect(names(one)).toEqual(["by-command.csv"]);
    expect(readdirSync(one.remote)).toEqual([]);

    offer(one, "bad\tname.csv", "1");
    const refused = await command(config(), "ami");
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain('refused: "bad\\tname.csv", no folder may hold this name');
    expect(refused.stdout).toContain("0 files fetched, 0 fetched before");

    const strange = fingerprintOf(`${sshd.keyPair("command")}.pub`);
    const host = await command(config({ hostKey: strange }), "ami");
    expect(host.code).toBe(2);
    expect(host.stderr).toContain(strange);
    const none = await command(config(), "customers");
    expect(none).toMatchObject({ code: 2 });
    expect(none.stderr).toContain(
      'Source "customers" of utility oakvale has no pull in the configuration; these have: ami.',
    );
  }, 120_000);
});
