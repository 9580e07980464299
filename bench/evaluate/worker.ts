import { parentPort, workerData } from "node:worker_threads";
import { readHomes } from "./homes.js";
import { evaluateHome, faults, type Plan } from "./run.js";

/** What a worker is started with. */
export interface Work {
  readonly folder: string;
  /** Names of the homes to take, by place. */
  readonly places: readonly number[];
  readonly plan: Plan;
  readonly faults: boolean;
}

const { folder, places, plan, faults: withFaults } = workerData as Work;
const homes = await readHomes(folder);
for (const place of places) {
  const home = homes[place]!;
  const results = [...evaluateHome(home, place, plan)];
  const broken = withFaults ? [...faults(home, place, plan)] : [];
  parentPort!.postMessage({ results, faults: broken });
}
