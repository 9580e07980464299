import { Worker } from "node:worker_threads";
import { readMeters } from "./buildings.js";
import type { Half } from "./homes.js";
import type { faults, Plan, Result } from "./run.js";
import type { Work } from "./worker.js";

export type Fault = ReturnType<typeof faults> extends Generator<infer T> ? T : never;

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

/**
 * Takes homes and buildings through the production detector, as many at a time as `jobs`.
 * @param progress called with the share that is done, 0 to 1
 */
export async function evaluate(
  folder: string,
  plan: Plan,
  { half, jobs, withFaults }: EvaluateOptions,
  progress: (share: number) => void,
): Promise<Evaluation> {
  const began = Date.now();
  const { length } = await readMeters(folder, half, plan);
  const results: Result[] = [];
  const broken: Fault[] = [];
  let done = 0;
  await Promise.all(
    Array.from({ length: jobs }, (_, job) => {
      const work: Work = { folder, half, jobs, job, plan, faults: withFaults };
      return new Promise<void>((resolve, reject) => {
        const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: work });
        worker.on("message", (message: { results: Result[]; faults: Fault[] }) => {
          results.push(...message.results);
          broken.push(...message.faults);
          progress(++done / length);
        });
        worker.once("error", reject);
        worker.once("exit", () => resolve());
      });
    }),
  );
  return { results, faults: broken, seconds: (Date.now() - began) / 1000 };
}
