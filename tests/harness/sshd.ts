import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { packageRoot } from "../../infra/package-root.js";
import { freePort, SupervisedServer } from "../../infra/supervise.js";

const SSHD = "/usr/sbin/sshd";
/** Accounts of the drop folders, as in infra/deploy/sshd. */
const SENDERS = "curbstop-sftp";

const run = promisify(execFile);

/** A real OpenSSH server for one test file, with accounts of its own in chroots. */
export interface TestSshd {
  readonly port: number;
  /** Folder that holds chroots and keys; every folder above it belongs to root, as sshd wants it. */
  readonly folder: string;
  /** Of the server's Ed25519 key, SHA256:… */
  readonly hostKey: string;
  /** Group of the process that takes the files. */
  readonly group: string;
  /** Runs infra/deploy/sshd/utility.sh on this server's folders; resolves with what it said. */
  utility(...words: readonly string[]): Promise<{ readonly code: number; readonly said: string }>;
  /** Makes an account with a key pair through utility.sh. */
  account(...sources: readonly string[]): Promise<TestAccount>;
  /** A key pair that no account has; returns the path of the private key. */
  keyPair(name: string): string;
  /** Ends the server and removes accounts, folders and the group. */
  stop(): Promise<void>;
}

export interface TestAccount {
  readonly name: string;
  readonly keyFile: string;
  /** Its chroot. */
  readonly folder: string;
}

/** How to get an OpenSSH server here, or why there is none. */
export type SshdOrigin =
  | { start(options?: { readonly overrides?: readonly string[] }): Promise<TestSshd> }
  | { readonly missing: string };

/**
 * OpenSSH's server for tests, with infra/deploy/sshd/sshd_config.
 * @throws Error under CI where there is none: nothing skips there
 */
export function findSshd(): SshdOrigin {
  const missing =
    process.getuid?.() !== 0
      ? "no root, which makes accounts and chroots"
      : [SSHD, "/usr/bin/ssh", "/usr/bin/sftp", "/usr/sbin/useradd"].find((path) => !existsSync(path));
  if (missing === undefined) return { start };
  if (process.env["CI"] === "true") {
    throw new Error(
      `No OpenSSH for the tests (${missing}). Run tests/harness/install-sshd.sh as root first.`,
    );
  }
  process.stderr.write(`\nSKIPPED: the tests on a real SFTP server, since there is ${missing}.\n`);
  return { missing };
}

async function start(options: { readonly overrides?: readonly string[] } = {}): Promise<TestSshd> {
  // Not in the folder for temporary files: everybody may write there, and sshd refuses such a path.
  const folder = mkdtempSync("/srv/curbstop-test-");
  execFileSync("chmod", ["755", folder]);
  const unique = randomBytes(3).toString("hex");
  const group = `cbt-${unique}-takers`;
  const hadSenders = hasGroup(SENDERS);
  const accounts: string[] = [];
  mkdirSync("/run/sshd", { recursive: true });
  for (const name of ["roots", "keys", "own"]) mkdirSync(join(folder, name));
  const keyPair = (name: string) => {
    const path = join(folder, "own", name);
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", path]);
    return path;
  };
  const hostKeyFile = keyPair("host");
  const port = await freePort();
  // What is given on the command line goes before the file.
  const settings = [
    ...(options.overrides ?? []),
    `Port=${port}`,
    "ListenAddress=127.0.0.1",
    `HostKey=${hostKeyFile}`,
    `PidFile=${join(folder, "sshd.pid")}`,
    `AuthorizedKeysFile=${join(folder, "keys")}/%u`,
    `ChrootDirectory=${join(folder, "roots")}/%u`,
    // Many logins from one address, as fast as tests make them.
    "LogLevel=ERROR",
  ];
  const server = await SupervisedServer.start({
    name: "OpenSSH for tests",
    command: SSHD,
    args: () => [
      "-D",
      "-e",
      "-f",
      join(packageRoot(), "infra", "deploy", "sshd", "sshd_config"),
      ...settings.flatMap((setting) => ["-o", setting]),
    ],
    stopSignal: "SIGTERM",
    answers: () => greets(port),
  });
  const utility = async (...words: readonly string[]) => {
    const script = join(packageRoot(), "infra", "deploy", "sshd", "utility.sh");
    const env = {
      ...process.env,
      SFTP_ROOT: join(folder, "roots"),
      SFTP_KEYS: join(folder, "keys"),
      SFTP_GROUP: group,
    };
    try {
      const { stdout, stderr } = await run("bash", [script, ...words], { env });
      return { code: 0, said: stdout + stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, said: stdout + stderr };
    }
  };
  return {
    port,
    folder,
    group,
    hostKey: fingerprintOf(`${hostKeyFile}.pub`),
    utility,
    keyPair,
    async account(...sources) {
      const name = `cbt-${unique}-${accounts.length + 1}`;
      accounts.push(name);
      const keyFile = keyPair(name);
      const { code, said } = await utility("add", name, `${keyFile}.pub`, ...sources);
      if (code !== 0) throw new Error(said);
      return { name, keyFile, folder: join(folder, "roots", name) };
    },
    async stop() {
      await server.stop();
      for (const name of accounts) await utility("remove", name, "--delete-files");
      rmSync(folder, { recursive: true, force: true });
      if (hasGroup(group)) execFileSync("groupdel", [group]);
      if (!hadSenders && hasGroup(SENDERS)) await run("groupdel", [SENDERS]).catch(() => undefined);
    },
  };
}

/** SHA256:… of a public key file. */
export function fingerprintOf(publicKeyFile: string): string {
  const said = execFileSync("ssh-keygen", ["-l", "-E", "sha256", "-f", publicKeyFile], { encoding: "utf8" });
  return said.split(" ")[1]!;
}

function hasGroup(name: string): boolean {
  return readFileSync("/etc/group", "utf8").includes(`\n${name}:`);
}

function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", timeout: 2000 });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("data", (data) => end(data.toString("latin1").startsWith("SSH-2.0")));
    socket.once("error", () => end(false));
    socket.once("close", () => end(false));
    socket.once("timeout", () => end(false));
  });
}

export interface Spoken {
  readonly code: number;
  readonly said: string;
}

/** Runs OpenSSH's own client (`sftp` with a batch, or `ssh`) as an account; known host, one key, no questions. */
export async function openSsh(
  command: "sftp" | "ssh",
  sshd: TestSshd,
  account: TestAccount,
  words: { readonly before?: readonly string[]; readonly after?: readonly string[]; readonly batch?: string },
): Promise<Spoken> {
  const known = join(sshd.folder, "own", "known_hosts");
  const key = readFileSync(join(sshd.folder, "own", "host.pub"), "utf8");
  writeFileSync(known, `[127.0.0.1]:${sshd.port} ${key}`);
  const options = [
    ...["-i", account.keyFile, command === "sftp" ? "-P" : "-p", String(sshd.port), "-F", "none"],
    ...[
      "BatchMode=yes",
      "IdentitiesOnly=yes",
      "StrictHostKeyChecking=yes",
      `UserKnownHostsFile=${known}`,
    ].flatMap((option) => ["-o", option]),
    ...(words.batch === undefined ? [] : ["-b", "-"]),
  ];
  const running = run(
    command,
    [...options, ...(words.before ?? []), `${account.name}@127.0.0.1`, ...(words.after ?? [])],
    { timeout: 30_000 },
  );
  running.child.stdin?.end(words.batch ?? "");
  try {
    const { stdout, stderr } = await running;
    return { code: 0, said: stdout + stderr };
  } catch (error) {
    // No code: it was ended after the time it may take.
    const { code = -1, stdout, stderr } = error as { code?: number; stdout: string; stderr: string };
    return { code, said: stdout + stderr };
  }
}
