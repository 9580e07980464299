import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** What a piece of work cost: this process and every process below it, servers included. */
export interface Cost {
  readonly seconds: number;
  /** Processor seconds of all; `undefined` off Linux. */
  readonly cpuSeconds: number | undefined;
  /** Highest resident memory of this process seen, in MB of 10^6 bytes. */
  readonly processMb: number | undefined;
  /** The same for all servers together; pages that the processes of one server share are counted once. */
  readonly serversMb: number | undefined;
}

const TICKS_PER_SECOND = 100;
const PAGE = 4096;
const SAMPLE_MS = 100;

/** Runs `work` and measures it. Whatever else this process and its children do meanwhile is in the figures. */
export async function measured<T>(
  work: () => Promise<T>,
): Promise<{ readonly value: T; readonly cost: Cost }> {
  const peak = { processMb: 0, serversMb: 0 };
  const stop = new AbortController();
  const linux = cpuOf(treeOf(process.pid)) !== undefined;
  const sampling = linux ? sample(peak, stop.signal) : Promise.resolve();
  const cpuBefore = cpuOf(treeOf(process.pid));
  const from = performance.now();
  let value: T;
  let seconds: number;
  let cpuAfter: number | undefined;
  try {
    value = await work();
    seconds = (performance.now() - from) / 1000;
    cpuAfter = cpuOf(treeOf(process.pid));
  } finally {
    stop.abort();
    await sampling;
  }
  const cost: Cost = {
    seconds,
    cpuSeconds: cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore,
    processMb: linux ? peak.processMb : undefined,
    serversMb: linux ? peak.serversMb : undefined,
  };
  return { value, cost };
}

async function sample(peak: { processMb: number; serversMb: number }, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    peak.processMb = Math.max(peak.processMb, (memoryOf(process.pid)?.resident ?? 0) / 1e6);
    let servers = 0;
    for (const child of childrenOf(process.pid)) {
      let shared = 0;
      for (const pid of treeOf(child)) {
        const memory = memoryOf(pid);
        if (memory === undefined) continue;
        servers += memory.resident - memory.shared;
        shared = Math.max(shared, memory.shared);
      }
      servers += shared;
    }
    peak.serversMb = Math.max(peak.serversMb, servers / 1e6);
    await sleep(SAMPLE_MS, undefined, { signal }).catch(() => undefined);
  }
}

function memoryOf(pid: number): { readonly resident: number; readonly shared: number } | undefined {
  const fields = read(`/proc/${pid}/statm`)?.split(" ");
  if (fields === undefined) return undefined;
  return { resident: Number(fields[1]) * PAGE, shared: Number(fields[2]) * PAGE };
}

/** Processor seconds of the processes, and of those that ended below them. */
export function cpuOf(pids: readonly number[]): number | undefined {
  let ticks: number | undefined;
  for (const pid of pids) {
    const stat = read(`/proc/${pid}/stat`);
    if (stat === undefined) continue;
    // Fields 14 to 17, counted after the name in brackets, which may hold blanks.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    ticks = (ticks ?? 0) + fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  }
  return ticks === undefined ? undefined : ticks / TICKS_PER_SECOND;
}

function treeOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(treeOf)];
}

function childrenOf(pid: number): number[] {
  const text = read(`/proc/${pid}/task/${pid}/children`);
  return text === undefined ? [] : text.split(" ").filter(Boolean).map(Number);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}
