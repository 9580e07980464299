import { createHash } from "node:crypto";
import { Worker } from "node:worker_threads";
import { readHomes, type Home } from "./homes.js";
import type { faults, Plan, Result } from "./run.js";
import type { Work } from "./worker.js";

export type Fault = ReturnType<typeof faults> extends Generator<infer T> ? T : never;
export type Half = "tuned" | "held-out" | "all";

export interface Evaluation {
  readonly results: readonly Result[];
  readonly faults: readonly Fault[];
  readonly seconds: number;
}

export interface EvaluateOptions {
  readonly half: Half;
  /** Worker threads. */
  readonly jobs: number;
  readonly withFaults: boolean;
}

/** Parameters were chosen on homes whose name hashes (SHA-256) to an even second byte; figures are told of the others. */
function isTuned({ name, set }: Home): boolean {
  return set !== "ampds2" && createHash("sha256").update(name).digest()[1]! % 2 === 0;
}

export function isOfHalf(home: Home, half: Half): boolean {
  return half === "all" || isTuned(home) === (half === "tuned");
}

/**
 * Takes homes through the production detector, as many at a time as `jobs`.
 * @param progress called with the share that is done, 0 to 1
 */
export async function evaluate(
  folder: string,
  plan: Plan,
  { half, jobs, withFaults }: EvaluateOptions,
  progress: (share: number) => void,
): Promise<Evaluation> {
  const began = Date.now();
  const homes = await readHomes(folder);
  const places = homes
    .map((home, place) => ({ home, place }))
    .filter(({ home }) => isOfHalf(home, half))
    .map(({ place }) => place);
  const results: Result[] = [];
  const broken: Fault[] = [];
  let done = 0;
  await Promise.all(
    Array.from({ length: jobs }, (_, job) => {
      const work: Work = {
        folder,
        places: places.filter((_place, i) => i % jobs === job),
        plan,
        faults: withFaults,
      };
      return new Promise<void>((resolve, reject) => {
        const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: work });
        worker.on("message", (message: { results: Result[]; faults: Fault[] }) => {
          results.push(...message.results);
          broken.push(...message.faults);
          progress(++done / places.length);
        });
        worker.once("error", reject);
        worker.once("exit", () => resolve());
      });
    }),
  );
  return { results, faults: broken, seconds: (Date.now() - began) / 1000 };
}
