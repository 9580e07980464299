import { fork } from "node:child_process";
import { once } from "node:events";
import { reading } from "../../ingest/reading.js";
import { parseConfig } from "../../infra/config/load-config.js";
import type { SourceConfig } from "../../schemas/config.js";
import type { FormatFile } from "./town.js";

/** What reading a file cost, in a process of its own. */
export interface ReadingCost {
  /** Of each round, the first in a process that has compiled nothing yet. */
  readonly seconds: readonly number[];
  readonly rows: number;
  readonly reads: number;
  readonly rejected: number;
  readonly meters: number;
  /** Highest resident memory of the process, in MB of 10^6 bytes. */
  readonly peakMb: number;
  /** The same before it read. */
  readonly restMb: number;
  /** Why the file was rejected whole. */
  readonly refused?: string;
}

interface Work {
  readonly path: string;
  readonly bytes: number;
  readonly source: SourceConfig;
  readonly rounds: number;
  /** Room for V8's old objects, MB: given more, it lets garbage gather, and the highest memory says little of what is needed. */
  readonly heapMb?: number;
}

/** A source of the format, as the configuration makes it. */
export function sourceOf({ source }: Pick<FormatFile, "source">): SourceConfig {
  const utility = {
    id: "bench",
    name: "Bench",
    timeZone: "UTC",
    mail: { from: "a@bench.example", postalAddress: "1 Bench Road", privacy: "p@bench.example" },
    sources: [{ id: "ami", folder: ".", ...source }],
  };
  return parseConfig(JSON.stringify({ utilities: [utility] }), "curbstop.yaml", {}).config.utilities[0]!
    .sources[0]!;
}

/**
 * Reads a file in a process of its own, from its bytes to the texts of its blocks: all that ingest does but the stores.
 * @param rounds how often, one after the other
 */
export async function readInChild(work: Work): Promise<ReadingCost> {
  const child = fork(new URL(import.meta.url), ["--read"], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    execArgv: work.heapMb === undefined ? [] : [`--max-old-space-size=${work.heapMb}`],
  });
  child.send(work);
  const [answer] = (await Promise.race([
    once(child, "message"),
    once(child, "exit").then(([code]) => {
      throw new Error(`The process that reads ended with ${String(code)}.`);
    }),
  ])) as [ReadingCost];
  return answer;
}

/** 2026-06-01: later than every made-up read. */
const NOW = Date.UTC(2026, 5, 1) / 1000;

async function read({ path, bytes, source, rounds }: Work): Promise<ReadingCost> {
  const restMb = residentMb();
  const seconds: number[] = [];
  const job = {
    path,
    bytes,
    source,
    checks: {},
    file: 1,
    utility: "bench",
    timeZone: "UTC",
    now: NOW,
    name: "town",
    lateUntil: -Infinity,
  };
  let counts = { rows: 0, reads: 0, rejected: 0, meters: 0 };
  let refused: string | undefined;
  for (let round = 0; round < rounds; round++) {
    const from = performance.now();
    try {
      const portions = reading(job);
      for (;;) {
        const { done, value } = await portions.next();
        if (done !== true) continue;
        const { rows, reads, rejected, meters } = value;
        counts = { rows, reads, rejected, meters };
        break;
      }
    } catch (error) {
      refused = (error as Error).message;
    }
    seconds.push((performance.now() - from) / 1000);
  }
  const cost = { seconds, ...counts, restMb, peakMb: process.resourceUsage().maxRSS / 1000 };
  return refused === undefined ? cost : { ...cost, refused };
}

function residentMb(): number {
  return process.memoryUsage.rss() / 1e6;
}

if (process.argv[2] === "--read") {
  process.once("message", (work: Work) => {
    void read(work).then((cost) => process.send!(cost, () => process.disconnect()));
  });
}
