import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import SftpClient from "ssh2-sftp-client";
import { createIngest, type IngestStage } from "../../ingest/index.js";
import { packageRoot } from "../../infra/package-root.js";
import { freePort } from "../../infra/supervise.js";
import type { ConfigInput } from "../../schemas/config.js";
import { expectAccountedFor } from "../harness/accounted.js";
import { startCutProxy } from "../harness/cut-proxy.js";
import { findSshd, openSsh, type TestAccount, type TestSshd } from "../harness/sshd.js";
import { OAKVALE, startStores, type TestStores } from "../harness/stores.js";

const START = Date.UTC(2023, 0, 1);
const CONFIG = join(packageRoot(), "infra", "deploy", "sshd", "sshd_config");
/** Long enough that a trickling upload moves in it, short enough to wait for. */
const STILL_SECONDS = 1.5;

/** A file of hourly usage of one meter. */
function reads(meter: string, count: number): string {
  const rows = Array.from({ length: count }, (_, hour) => {
    const time = new Date(START + hour * 3_600_000).toISOString().slice(0, 16).replace("T", " ");
    return `${meter},${time},${hour % 90}`;
  });
  return ["meter,time,litres", ...rows].join("\n") + "\n";
}

const origin = findSshd();
const onServer = "missing" in origin ? describe.skip : describe;

let sshd: TestSshd;
let account: TestAccount;
let test: TestStores;
let ingest: IngestStage;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  if ("missing" in origin) return;
  sshd = await origin.start();
  closing.push(() => sshd.stop());
  account = await sshd.account("ami", "steady");
  const source = (id: string, seconds: number): ConfigInput["utilities"][number]["sources"][number] => ({
    id,
    folder: join(account.folder, id),
    format: "csv",
    complete: { by: "stability", seconds },
    profile: { columns: { meter: "meter", time: "time", usage: "litres" }, time: { zone: "UTC" } },
  });
  test = await startStores("sftp-drop", {
    config: () => ({
      utilities: [
        { ...OAKVALE, languages: ["en"], sources: [source("ami", 0), source("steady", STILL_SECONDS)] },
      ],
    }),
  });
  closing.push(() => expectAccountedFor(test).finally(() => test.close()));
  ingest = await test.start(createIngest(test.context()));
});
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

interface Entry {
  readonly state: string;
  readonly reads: number;
  readonly rejected: number;
  readonly bytes: number;
  readonly correction: boolean;
}

const ledger = (name: string) =>
  test.stores.database.query<Entry>(
    "SELECT state, reads, rejected, bytes, correction FROM files WHERE name = $1 ORDER BY file",
    [name],
  );

/** A connection of the account; `port` may be that of a proxy. */
async function login(port = sshd.port, keyFile = account.keyFile): Promise<SftpClient> {
  const silent = { error: () => undefined, end: () => undefined, close: () => undefined };
  const client = new SftpClient("test", silent);
  await client.connect({
    host: "127.0.0.1",
    port,
    username: account.name,
    privateKey: readFileSync(keyFile),
    readyTimeout: 60_000,
  });
  return client;
}

/** A local file of the sender, as OpenSSH's client wants one. */
function local(name: string, content: string): string {
  const path = join(sshd.folder, "own", name);
  writeFileSync(path, content, { mode: 0o644 });
  return path;
}

onServer("an upload over SFTP", () => {
  it("is taken whole when it comes under a partial name and is renamed", async () => {
    const text = reads("W-1", 24);
    const path = local("whole.csv", text);
    const { code, said } = await openSsh("sftp", sshd, account, {
      batch: `put ${path} ami/whole.csv.part\nrename ami/whole.csv.part ami/whole.csv\n`,
    });
    expect({ code, said }).toMatchObject({ code: 0 });
    await ingest.drain();
    expect(await ledger("whole.csv")).toEqual([
      { state: "archived", reads: 24, rejected: 0, bytes: text.length, correction: false },
    ]);
    expect(await ledger("whole.csv.part")).toEqual([]);
  });

  it("is left alone for as long as its bytes trickle in", async () => {
    const text = reads("W-2", 240);
    const client = await login();
    const pieces = 10;
    async function* trickle() {
      for (let piece = 0; piece < pieces; piece++) {
        yield Buffer.from(text.slice((text.length * piece) / pieces, (text.length * (piece + 1)) / pieces));
        await sleep(400);
        expect(await ledger("trickle.csv")).toEqual([]);
      }
    }
    await client.put(Readable.from(trickle()), "/steady/trickle.csv");
    await client.end();
    expect(await ledger("trickle.csv")).toEqual([]);
    await ingest.drain();
    expect(await ledger("trickle.csv")).toMatchObject([
      { state: "archived", reads: 240, rejected: 0, bytes: text.length },
    ]);
  });

  it("that breaks under its final name and is resumed in time is taken once, whole", async () => {
    const text = reads("W-3", 20_000);
    const path = local("resumed.csv", text);
    const proxy = await startCutProxy(sshd.port);
    proxy.script({ do: "cut", from: "client", after: 400_000 });
    const client = await login(proxy.port);
    await expect(client.put(Buffer.from(text), "/steady/resumed.csv")).rejects.toThrow();
    await proxy.close();
    const stored = lstatSync(join(account.folder, "steady", "resumed.csv")).size;
    expect(stored).toBeGreaterThan(0);
    expect(stored).toBeLessThan(text.length);
    const again = await openSsh("sftp", sshd, account, { batch: `reput ${path} steady/resumed.csv\n` });
    expect(again).toMatchObject({ code: 0 });
    await ingest.drain();
    expect(await ledger("resumed.csv")).toMatchObject([
      { state: "archived", reads: 20_000, rejected: 0, bytes: text.length },
    ]);
  });

  it("that breaks under a partial name waits for its resumption as long as it takes", async () => {
    const text = reads("W-4", 20_000);
    const proxy = await startCutProxy(sshd.port);
    proxy.script({ do: "cut", from: "client", after: 400_000 });
    const client = await login(proxy.port);
    await expect(client.put(Buffer.from(text), "/ami/later.csv.filepart")).rejects.toThrow();
    await proxy.close();
    await ingest.drain();
    const next = await login();
    const { size } = await next.stat("/ami/later.csv.filepart");
    expect(size).toBeGreaterThan(0);
    await next.append(Buffer.from(text.slice(size)), "/ami/later.csv.filepart");
    await ingest.drain();
    expect(await ledger("later.csv")).toEqual([]);
    await next.posixRename("/ami/later.csv.filepart", "/ami/later.csv");
    await next.end();
    await ingest.drain();
    expect(await ledger("later.csv")).toMatchObject([{ state: "archived", reads: 20_000, rejected: 0 }]);
  });

  it("under a name that came before, with other bytes, is a correction; with the same bytes a duplicate", async () => {
    const client = await login();
    for (const text of [reads("W-5", 24), reads("W-5", 25), reads("W-5", 25)]) {
      await client.put(Buffer.from(text), "/ami/daily.csv.tmp");
      await client.rename("/ami/daily.csv.tmp", "/ami/daily.csv");
      await ingest.drain();
    }
    await client.end();
    expect(await ledger("daily.csv")).toMatchObject([
      { state: "archived", reads: 24, correction: false },
      { state: "archived", reads: 25, correction: true },
      { state: "duplicate", reads: 0, correction: false },
    ]);
  });

  it("counts once each when fifty come at once over fifty connections", async () => {
    const names = Array.from({ length: 50 }, (_, i) => `at-once-${i}.csv`);
    const clients = await Promise.all(names.map(() => login()));
    await Promise.all(
      clients.map((client, i) => client.put(Buffer.from(reads(`F-${i}`, 100 + i)), `/steady/${names[i]!}`)),
    );
    await Promise.all(clients.map((client) => client.end()));
    await ingest.drain();
    const entries = await test.stores.database.query<Entry>(
      "SELECT name, state, reads, rejected FROM files WHERE name LIKE 'at-once-%'",
    );
    const sorted = names.map((name, i) => ({ name, state: "archived", reads: 100 + i, rejected: 0 }));
    expect(entries).toHaveLength(50);
    expect(entries).toEqual(expect.arrayContaining(sorted));
    expect(readdirSync(join(account.folder, "steady"))).toEqual([]);
  }, 120_000);

  it("can be read and moved away by the group that takes it, and by no stranger", async () => {
    const put = await openSsh("sftp", sshd, account, { batch: `put ${local("mode", "x")} ami/mode.part\n` });
    expect(put).toMatchObject({ code: 0 });
    const path = join(account.folder, "ami", "mode.part");
    expect((lstatSync(path).mode & 0o777).toString(8)).toBe("640");
    const group = execFileSync("getent", ["group", sshd.group], { encoding: "utf8" }).split(":")[2]!;
    const as = (gid: string, script: string) =>
      execFileSync("setpriv", ["--reuid=65534", `--regid=${gid}`, "--clear-groups", "sh", "-c", script], {
        stdio: ["ignore", "pipe", "pipe"],
        encoding: "utf8",
      });
    expect(() => as("65534", `cat ${path}`)).toThrow("Permission denied");
    expect(as(group, `cat ${path} && mv ${path} ${path}.moved.part && rm ${path}.moved.part`)).toBe("x");
    expect(existsSync(path)).toBe(false);
  });
});

onServer("an account for SFTP", () => {
  const refused = async (batch: string) => {
    const answer = await openSsh("sftp", sshd, account, { batch });
    expect(answer.code).not.toBe(0);
    return answer.said;
  };

  it("does not let another key in", async () => {
    await expect(login(sshd.port, sshd.keyPair("stranger"))).rejects.toThrow(/authentication/);
  });

  it("sees its own folders alone, whatever path it gives", async () => {
    const { said } = await openSsh("sftp", sshd, account, {
      batch: "pwd\ncd ../../..\npwd\nls -1a /\nls -1 ../../..\n",
    });
    expect(said).toContain("Remote working directory: /\n");
    const seen = said.split("\n").filter((line) => line !== "" && !/^(sftp>|Remote)/.test(line));
    expect(new Set(seen.map((line) => line.replace(/^.*\//, "")))).toEqual(
      new Set([".", "..", "ami", "steady"]),
    );
    for (const path of [
      "/etc/passwd",
      "../../../etc/passwd",
      "/proc/self/root/etc",
      join(sshd.folder, "keys"),
    ])
      expect(await refused(`ls ${path}\n`)).toContain("not found");
  });

  it("can write into its folders alone", async () => {
    const path = local("probe.txt", "probe");
    for (const to of ["/probe.txt", "/etc/probe.txt", "../probe.txt", "ami/../../probe.txt"])
      expect(await refused(`put ${path} ${to}\n`)).toMatch(/Permission denied|No such file|Failure/);
    expect(existsSync("/etc/probe.txt")).toBe(false);
    expect(await refused("rename ami /elsewhere\n")).toContain("Permission denied");
    expect(await refused("mkdir ami/deeper\n")).toContain("Permission denied");
  });

  it("can make no links, so that no file of another place is taken in its name", async () => {
    expect(await refused("ln -s /etc/passwd ami/link.csv\n")).toContain("Permission denied");
    const path = local("linked.txt", "probe");
    expect(await refused(`put ${path} ami/linked.part\nln ami/linked.part ami/linked.csv\n`)).toMatch(
      /Permission denied|does not support hardlink/,
    );
    expect(readdirSync(join(account.folder, "ami"))).not.toContain("link.csv");
    expect(readdirSync(join(account.folder, "ami"))).not.toContain("linked.csv");
  });

  it("reads nothing back", async () => {
    const path = local("secret.txt", "what another key may not fetch");
    const to = join(sshd.folder, "own", "fetched.txt");
    expect(await refused(`put ${path} ami/secret.part\nget ami/secret.part ${to}\n`)).toContain(
      "Permission denied",
    );
    expect(existsSync(to) ? readFileSync(to, "utf8") : "").toBe("");
  });

  it("has no shell and runs no command", async () => {
    for (const words of [{ after: ["id"] }, { before: ["-tt"] }, { after: ["-tt", "/bin/sh", "-c", "id"] }]) {
      const { said } = await openSsh("ssh", sshd, account, words);
      expect(said).not.toContain("uid=");
    }
    const scp = await openSsh("ssh", sshd, account, { after: ["cat /etc/passwd"] });
    expect(scp.said).not.toContain("root:");
  });

  it("forwards nothing: no port or socket to either side, and no tunnel", async () => {
    let reached = 0;
    const inside = createServer((socket) => {
      reached++;
      socket.end("inside");
    });
    await new Promise<void>((resolve) => inside.listen(0, "127.0.0.1", resolve));
    const { port } = inside.address() as AddressInfo;
    const stdio = await openSsh("ssh", sshd, account, { before: ["-W", `127.0.0.1:${port}`] });
    expect(stdio.code).not.toBe(0);
    expect(stdio.said).toMatch(/prohibited|refused/);
    const remote = await openSsh("ssh", sshd, account, {
      before: ["-N", "-o", "ExitOnForwardFailure=yes", "-R", `${await freePort()}:127.0.0.1:${port}`],
    });
    expect(remote).toMatchObject({ code: 255 });
    expect(remote.said).toContain("remote port forwarding failed");
    const streamPath = join(account.folder, "ami", "agent.sock");
    const stream = await openSsh("ssh", sshd, account, {
      before: ["-N", "-o", "ExitOnForwardFailure=yes", "-R", `${streamPath}:127.0.0.1:${port}`],
    });
    expect(stream.code).toBe(255);

    const settings = execFileSync(
      "/usr/sbin/sshd",
      ["-T", "-f", CONFIG, "-o", `HostKey=${sshd.keyPair("check")}`],
      {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      },
    );
    for (const line of [
      "disableforwarding yes",
      "permittunnel no",
      "allowstreamlocalforwarding no",
      "permittty no",
    ])
      expect(settings.split("\n")).toContain(line);
    await new Promise((resolve) => inside.close(resolve));
    expect(reached).toBe(0);
  });
});

onServer("utility.sh", () => {
  it("changes nothing when it runs again, adds a source, and replaces keys", async () => {
    const one = await sshd.account("ami");
    const again = await sshd.utility("add", one.name, `${one.keyFile}.pub`, "ami");
    expect(again).toEqual({ code: 0, said: `utility.sh: ${one.name} can upload to: ami\n` });
    const other = sshd.keyPair(`${one.name}-new`);
    const more = await sshd.utility("add", one.name, `${other}.pub`, "ami", "customers");
    expect(more.said).toContain(`made ${one.folder}/customers`);
    expect(more.said).toContain(`keys of ${one.name}: 1`);
    const login = { ...one, keyFile: other };
    expect(await openSsh("sftp", sshd, login, { batch: "ls\n" })).toMatchObject({ code: 0 });
    expect((await openSsh("sftp", sshd, one, { batch: "ls\n" })).said).toContain(
      "Permission denied (publickey)",
    );
    expect((await sshd.utility("list")).said).toMatch(
      new RegExp(`${one.name}\\n  key    256 SHA256:.*ED25519.*\\n  folder .*ami/ 0 files\\n`),
    );
  });

  it("refuses names and keys that are not right, and accounts of the machine", async () => {
    const key = sshd.keyPair("refused");
    const notAKey = local("not-a-key.pub", "ssh-ed25519 AAAAnotakey x\n");
    const options = local("options.pub", `command="id" ${readFileSync(`${key}.pub`, "utf8")}`);
    for (const [words, because] of [
      [["add", "../up", `${key}.pub`, "ami"], 'account "../up" is not right'],
      [["add", "Upper", `${key}.pub`, "ami"], 'account "Upper" is not right'],
      [["add", "cbt-refused", `${key}.pub`, "../../etc"], 'source "../../etc" is not right'],
      [["add", "cbt-refused", `${key}.pub`], "usage"],
      [["add", "cbt-refused", join(sshd.folder, "absent"), "ami"], "is not there"],
      [["add", "cbt-refused", key, "ami"], "holds a private key"],
      [["add", "cbt-refused", notAKey, "ami"], "damaged"],
      [["add", "cbt-refused", options, "ami"], "no public key"],
      [["add", "daemon", `${key}.pub`, "ami"], "is an account of this machine"],
      [["remove", "daemon", "--delete-files"], "is an account of this machine"],
      [["sell"], "usage"],
    ] as const) {
      const { code, said } = await sshd.utility(...words);
      expect(code).toBe(2);
      expect(said).toContain(because);
    }
    expect(readFileSync("/etc/passwd", "utf8")).not.toContain("cbt-refused");
    expect(existsSync(join(sshd.folder, "roots", "cbt-refused"))).toBe(false);
  });

  it("ends sessions and the account on removal, and keeps the files until told otherwise", async () => {
    const one = await sshd.account("ami");
    const client = new SftpClient("test", {
      error: () => undefined,
      end: () => undefined,
      close: () => undefined,
    });
    await client.connect({
      host: "127.0.0.1",
      port: sshd.port,
      username: one.name,
      privateKey: readFileSync(one.keyFile),
    });
    await client.put(Buffer.from("left"), "/ami/left.csv");
    const left = join(one.folder, "ami", "left.csv");
    const { uid } = lstatSync(left);
    const owner = () => Number(execFileSync("id", ["-u", one.name], { encoding: "utf8" }));
    const removed = await sshd.utility("remove", one.name);
    expect(removed).toMatchObject({ code: 0 });
    expect(removed.said).toContain(`kept ${one.folder} with 1 files`);
    await expect(client.list("/ami")).rejects.toThrow();
    expect((await openSsh("sftp", sshd, one, { batch: "ls\n" })).code).not.toBe(0);

    const back = await sshd.utility("add", one.name, `${one.keyFile}.pub`, "ami");
    expect(back).toMatchObject({ code: 0 });
    // Another account may have taken its number meanwhile, then it has a new one: its files are its own in any case.
    expect(lstatSync(left).uid).toBe(owner());

    expect(await sshd.utility("remove", one.name)).toMatchObject({ code: 0 });
    const heir = `${one.name}-heir`;
    execFileSync("useradd", ["--system", "--uid", String(lstatSync(left).uid), heir]);
    try {
      expect(await sshd.utility("add", one.name, `${one.keyFile}.pub`, "ami")).toMatchObject({ code: 0 });
      expect(owner()).not.toBe(uid);
      expect(lstatSync(left).uid).toBe(owner());
      expect(lstatSync(join(one.folder, "ami")).uid).toBe(owner());
    } finally {
      execFileSync("userdel", [heir]);
    }

    const gone = await sshd.utility("remove", one.name, "--delete-files");
    expect(gone.said).toContain(`deleted ${one.folder}`);
    expect(existsSync(one.folder)).toBe(false);
    expect(await sshd.utility("remove", one.name)).toEqual({
      code: 0,
      said: `utility.sh: there is no account ${one.name}\n`,
    });
  });

  it("makes accounts again from keys and folders, as in a new container", async () => {
    const one = await sshd.account("ami", "customers");
    execFileSync("userdel", [one.name]);
    expect((await sshd.utility("list")).said).toContain(`${one.name} (no account: utility.sh restore)`);
    const { code, said } = await sshd.utility("restore");
    expect(code).toBe(0);
    expect(said).toContain(`made account ${one.name}`);
    expect(await openSsh("sftp", sshd, one, { batch: "ls ami\nls customers\n" })).toMatchObject({ code: 0 });
  });
});
