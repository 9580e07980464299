import { chmodSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

/** Addresses of the embedded servers of a running process. */
export interface RunningServers {
  readonly pid: number;
  readonly host: string;
  readonly since: string;
  /** Start time of the process in the kernel's ticks, so that a re-used process id is not taken for it. */
  readonly started: string | null;
  readonly databaseUrl?: string;
  readonly clickhouseUrl?: string;
  readonly analystUrls?: Readonly<Record<string, string>>;
}

/** The data directory belongs to another process. */
export class DataDirectoryInUse extends Error {
  override readonly name = "DataDirectoryInUse";
  readonly owner: RunningServers;
  constructor(path: string, owner: RunningServers) {
    super(
      `${path} is in use by process ${owner.pid} on ${owner.host} since ${owner.since}. ` +
        `Stop it first, or give this one another dataDirectory.`,
    );
    this.owner = owner;
  }
}

export interface DataDirectoryLock {
  /** Tells other processes where the servers are. */
  publish(servers: Pick<RunningServers, "databaseUrl" | "clickhouseUrl" | "analystUrls">): void;
  release(): void;
}

/**
 * Makes the data directory this process's own.
 *
 * The lock is a file that is linked into place (one of two wins) and names its process; it is void once that process is
 * gone. Two that find a void lock at once settle it by renaming it away, which succeeds for one.
 * @throws DataDirectoryInUse with the owner
 */
export function lockDataDirectory(path: string): DataDirectoryLock {
  mkdirSync(path, { recursive: true, mode: 0o755 });
  const lock = join(path, "owner.json");
  const mine: RunningServers = {
    pid: process.pid,
    host: hostname(),
    since: new Date().toISOString(),
    started: startOf(process.pid),
  };
  const draft = join(path, `owner.${process.pid}.json`);
  const write = (owner: RunningServers) => {
    writeFileSync(draft, JSON.stringify(owner, null, 2) + "\n", { mode: 0o600 });
    chmodSync(draft, 0o600);
  };
  write(mine);
  try {
    for (;;) {
      try {
        linkSync(draft, lock);
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const owner = readOwner(lock);
      if (owner === undefined) continue;
      if (owner.pid === process.pid || alive(owner)) throw new DataDirectoryInUse(path, owner);
      const gone = join(path, `owner.${owner.pid}.gone`);
      try {
        renameSync(lock, gone);
        rmSync(gone, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      }
    }
  } finally {
    rmSync(draft, { force: true });
  }
  return {
    publish(servers) {
      write({ ...mine, ...servers });
      renameSync(draft, lock);
    },
    release() {
      if (readOwner(lock)?.pid === process.pid) rmSync(lock, { force: true });
    },
  };
}

/** The process that owns the data directory and where its servers are, if it lives. */
export function runningServers(path: string): RunningServers | undefined {
  const owner = readOwner(join(path, "owner.json"));
  return owner !== undefined && alive(owner) ? owner : undefined;
}

function readOwner(lock: string): RunningServers | undefined {
  try {
    return JSON.parse(readFileSync(lock, "utf8")) as RunningServers;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function alive({ pid, host, started }: RunningServers): boolean {
  // A process of another machine (shared file system) can't be looked at: it counts as alive.
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return started === null || startOf(pid) === started;
}

function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A process that ended and was not yet waited for holds nothing.
    return fields[0] === "Z" ? "ended" : (fields[19] ?? null);
  } catch {
    return null;
  }
}
