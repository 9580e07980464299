import { parentPort, workerData } from "node:worker_threads";
import { readMeters } from "./buildings.js";
import type { Half } from "./homes.js";
import { evaluateHome, faults, type Plan } from "./run.js";

/** What a worker is started with: it takes every meter whose place is `job` modulo `jobs`. */
export interface Work {
  readonly folder: string;
  readonly half: Half;
  readonly jobs: number;
  readonly job: number;
  readonly plan: Plan;
  readonly faults: boolean;
}

const { folder, half, jobs, job, plan, faults: withFaults } = workerData as Work;
for (const [place, home] of (await readMeters(folder, half, plan)).entries()) {
  if (place % jobs !== job) continue;
  const results = [...evaluateHome(home, place, plan)];
  const broken = withFaults && home.building === undefined ? [...faults(home, place, plan)] : [];
  parentPort!.postMessage({ results, faults: broken });
}
