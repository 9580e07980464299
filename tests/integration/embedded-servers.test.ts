import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DataDirectoryInUse } from "../../infra/data-directory.js";
import { createLogger } from "../../infra/logger.js";
import { packageRoot } from "../../infra/package-root.js";
import { openStores } from "../../infra/stores.js";
import { SupervisedServer } from "../../infra/supervise.js";
import { settingsOf, startStores, temporaryFolder } from "../harness/stores.js";

const quiet = createLogger({ level: "silent" });
const NOBODY = 65534;

/** Opens the stores of a folder from `dist/` in a process of its own and holds them. */
const HOLDER = `
const [root, folder, settings] = process.argv.slice(1);
const { openStores } = await import(root + "/dist/infra/stores.js");
const { createLogger } = await import(root + "/dist/infra/logger.js");
const { parseConfig } = await import(root + "/dist/infra/config/load-config.js");
const parsed = parseConfig(settings, folder + "/curbstop.yaml", {});
const stores = await openStores(parsed, { logger: createLogger({ level: "silent" }) });
const [{ n }] = await stores.clickhouse.query("SELECT toUInt8(1) AS n");
console.log("open " + n);
setInterval(() => {}, 1000);
`;

interface Holder {
  readonly child: ChildProcess;
  /** First line that it wrote. */
  readonly opened: Promise<string>;
}

function hold(folder: string, identity: { uid?: number; gid?: number } = {}): Holder {
  const settings = JSON.stringify(settingsOf(folder).config);
  const child = spawn(
    process.execPath,
    ["--input-type=module", "-e", HOLDER, packageRoot(), folder, settings],
    {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NODE_OPTIONS: "", HOME: folder },
      ...identity,
    },
  );
  const opened = new Promise<string>((resolve) => {
    let output = "";
    const take = (chunk: Buffer) => {
      output += chunk.toString("utf8");
      if (output.startsWith("open")) resolve(output);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.once("exit", () => resolve(output));
  });
  return { child, opened };
}

/** Processes whose command names the folder. */
function processesOf(folder: string): number[] {
  const lines = existsSync("/proc") ? readdirNumbers() : [];
  return lines.filter((pid) => commandOf(pid).includes(join(folder, "data")));
}

function readdirNumbers(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

async function until(holds: () => boolean, seconds: number): Promise<boolean> {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(50)) if (holds()) return true;
  return holds();
}

let folder: string;
beforeEach(() => {
  folder = temporaryFolder("servers");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("ends both servers within seconds when their parent is killed, and the next start finds all in order", async () => {
  const { child, opened } = hold(folder);
  expect(await opened).toMatch(/^open 1/);
  const servers = processesOf(folder).filter((pid) => pid !== child.pid);
  expect(servers.length).toBeGreaterThanOrEqual(4);
  child.kill("SIGKILL");
  expect(await until(() => processesOf(folder).length === 0, 12)).toBe(true);
  // The dead process's lock is void.
  const stores = await openStores(settingsOf(folder), { logger: quiet });
  expect(await stores.clickhouse.query("SELECT count() AS n FROM curbstop.intervals")).toHaveLength(1);
  await stores.close();
});

it("refuses a data directory in use, names the process, and leaves it whole", async () => {
  const test = await startStores("in-use");
  try {
    const refused = openStores(test.settings, { logger: quiet });
    await expect(refused).rejects.toThrow(DataDirectoryInUse);
    await expect(refused).rejects.toThrow(`process ${process.pid}`);
    const { child, opened } = hold(test.folder);
    expect(await opened).toContain(`is in use by process ${process.pid}`);
    expect(child.exitCode ?? 1).not.toBe(0);
    expect(await test.stores.database.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
    expect(await test.stores.clickhouse.ping()).toBe(true);
  } finally {
    await test.close();
  }
});

it("takes over the lock of a process that is gone, also where its id was given to another", async () => {
  const test = await startStores("stale");
  await test.stores.close();
  const lock = join(test.folder, "data", "owner.json");
  // Process 1 lives, but did not start when the lock says.
  const owner = {
    pid: 1,
    host: (await import("node:os")).hostname(),
    since: "2026-01-01T00:00:00Z",
    started: "1",
  };
  writeFileSync(lock, JSON.stringify(owner));
  const stores = await openStores(test.settings, { logger: quiet });
  expect(JSON.parse(readFileSync(lock, "utf8"))).toMatchObject({ pid: process.pid });
  await stores.close();
  expect(existsSync(lock)).toBe(false);
  rmSync(test.folder, { recursive: true, force: true });
});

it("starts a killed server again at the same address, and clients go on", async () => {
  const test = await startStores("killed");
  try {
    const { database, clickhouse } = test.stores;
    await clickhouse.command(
      "CREATE TABLE curbstop.kept (n UInt8) ENGINE = MergeTree ORDER BY n SETTINGS fsync_after_insert = 1",
    );
    await clickhouse.insertRows("kept", [{ n: 7 }]);
    await database.query("CREATE TABLE kept AS SELECT 7 AS n");
    for (const name of ["server-child.mjs", "bin/postgres"]) {
      const found = processesOf(test.folder).filter((pid) => {
        const words = commandOf(pid).split("\0");
        return (
          !words.some((word) => word.endsWith("guardian.mjs")) && words.some((word) => word.endsWith(name))
        );
      });
      expect(found.length).toBeGreaterThan(0);
      for (const pid of found) process.kill(pid, "SIGKILL");
    }
    const answers = async (query: () => Promise<unknown>): Promise<unknown> => {
      for (const end = Date.now() + 20_000; ; await sleep(100)) {
        try {
          return await query();
        } catch (error) {
          if (Date.now() > end) throw error;
        }
      }
    };
    expect(await answers(() => clickhouse.query("SELECT n FROM curbstop.kept"))).toEqual([{ n: 7 }]);
    expect(await answers(() => database.query("SELECT n FROM kept"))).toEqual([{ n: 7 }]);
    expect(test.logged.filter((line) => line.includes("server ended by itself"))).toHaveLength(2);
  } finally {
    await test.close();
  }
});

it("opens the stores all the same where the servers end as soon as they are up", async () => {
  const killed = new Set<string>();
  const logger = createLogger({
    write(line) {
      const { event, server, pid } = JSON.parse(line) as { event: string; server: string; pid: number };
      if (event !== "server up" || killed.has(server)) return;
      killed.add(server);
      process.kill(pid, "SIGKILL");
    },
  });
  const stores = await openStores(settingsOf(folder), { logger });
  try {
    expect([...killed].sort()).toEqual(["embedded ClickHouse", "embedded PostgreSQL"]);
    expect(await stores.clickhouse.ping()).toBe(true);
    expect(await stores.database.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
  } finally {
    await stores.close();
  }
});

it("takes other ports where one was taken since it was drawn, and keeps them from then on", async () => {
  const drawn: (readonly number[])[] = [];
  const listen =
    "const [port] = process.argv.slice(1); require('http').createServer((_, r) => r.end()).listen(port, '127.0.0.1')";
  const [taken, blocker] = await listening();
  const server = await SupervisedServer.start({
    name: "server for tests",
    command: process.execPath,
    ports: 1,
    args: (ports) => {
      drawn.push(ports);
      return ["-e", listen, String(drawn.length === 1 ? taken : ports[0])];
    },
    stopSignal: "SIGTERM",
    answers: async ([port]) => (await fetch(`http://127.0.0.1:${port}`)).ok,
  });
  try {
    expect(drawn).toHaveLength(2);
    expect(server.ports).toEqual(drawn[1]);
    expect(drawn[1]).not.toEqual(drawn[0]);
    process.kill(server.pid, "SIGKILL");
    expect(await until(() => drawn.length === 3, 10)).toBe(true);
    expect(drawn[2]).toEqual(drawn[1]);
  } finally {
    await server.stop();
    blocker.close();
  }
});

/** A port that something listens on. */
async function listening(): Promise<readonly [number, Server]> {
  const blocker = createServer().listen(0, "127.0.0.1");
  await once(blocker, "listening");
  return [(blocker.address() as AddressInfo).port, blocker];
}

const asRoot = process.getuid?.() === 0 ? it : it.skip;
asRoot("runs without root as well", async () => {
  chownSync(folder, NOBODY, NOBODY);
  const { child, opened } = hold(folder, { uid: NOBODY, gid: NOBODY });
  expect(await opened).toMatch(/^open 1/);
  child.kill("SIGTERM");
  expect(await until(() => processesOf(folder).length === 0, 12)).toBe(true);
});

it("knows the version of the ClickHouse library that it rests on", () => {
  // The child calls a C function older than the package's own interface: try a new version before it is let in.
  const manifest = JSON.parse(readFileSync(join(packageRoot(), "package.json"), "utf8"));
  const pinned = Object.entries(manifest.optionalDependencies as Record<string, string>).filter(([name]) =>
    name.startsWith("@chdb/lib-"),
  );
  expect(pinned.length).toBeGreaterThan(0);
  for (const [, version] of pinned) expect(version).toMatch(/^26\.7\./);
});
