import { totalmem } from "node:os";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../infra/clock.js";
import type { Settings } from "../infra/config/load-config.js";
import { Deferred } from "../infra/deferred.js";
import { createLogger, type LogOptions } from "../infra/logger.js";
import type { Metrics, MetricValues } from "../infra/metrics.js";
import type { Stage, StageContext, StageHealth } from "../infra/stage.js";
import { openStores, stageContext, type Stores } from "../infra/stores.js";
import { createDetect } from "./index.js";

/** What the thread is given. */
interface Beginning {
  readonly settings: Settings;
  readonly logLevel: LogOptions["level"];
}

type Call = "start" | "drain" | "stop" | "metrics";

interface Request {
  readonly id: number;
  readonly call: Call;
}

type Answer =
  | { readonly id: number; readonly result?: MetricValues; readonly error?: string }
  | { readonly health: StageHealth }
  | { readonly ended: string | undefined };

/** Tests run from the sources, which a thread of its own can't load. */
const COMPILED = import.meta.url.endsWith(".js");
const HEALTH_MS = 100;

/** Half of the memory that the machine has, or the container: states may take it. V8 would stop at a quarter, or at 4 GB. */
function mostMemoryMb(): number {
  const limit = process.constrainedMemory() || Infinity;
  return Math.floor(Math.min(limit, totalmem()) / 2 ** 21);
}

/** The detector beside other stages of this process: in a thread of its own, but where the program runs from its sources. */
export function createDetectBeside(
  context: StageContext,
  stores: Stores,
  logLevel: LogOptions["level"],
): Stage {
  return COMPILED
    ? new DetectThread(stores.reachedBy, context.metrics, logLevel)
    : createDetect({ ...context, clickhouse: stores.clickhouse });
}

/**
 * The detector in a thread of its own, with its own connections to the stores: judging takes none of the time of the
 * stages beside it. It shares nothing with them but the stores, as if it were a process.
 */
class DetectThread implements Stage {
  readonly name = "detect";
  readonly #worker: Worker;
  readonly #calls = new Map<number, Deferred<MetricValues | undefined>>();
  readonly #ended = new Deferred();
  #health: StageHealth = { live: false, ready: false, reason: "not running" };
  #last = 0;
  #gone: Error | undefined;

  /** @param settings with the addresses of servers that run */
  constructor(settings: Settings, metrics: Metrics, logLevel: LogOptions["level"]) {
    this.#ended.promise.catch(() => undefined);
    this.#worker = new Worker(new URL(import.meta.url), {
      workerData: { settings, logLevel } satisfies Beginning,
      resourceLimits: { maxOldGenerationSizeMb: mostMemoryMb() },
    });
    this.#worker.on("message", (answer: Answer) => this.#take(answer));
    this.#worker.on("error", (error) => this.#leave(error.message));
    this.#worker.on("exit", () => this.#leave("the detector's thread ended"));
    metrics.join(async () => (await this.#call("metrics").catch(() => undefined)) ?? []);
  }

  get finished(): Promise<void> {
    return this.#ended.promise;
  }

  async start(): Promise<void> {
    await this.#call("start");
  }

  async drain(): Promise<void> {
    await this.#call("drain");
  }

  async stop(): Promise<void> {
    // A thread that ended by itself has told so through `finished`.
    await this.#call("stop").catch(() => undefined);
    await this.#worker.terminate();
  }

  health(): StageHealth {
    return this.#health;
  }

  #call(call: Call): Promise<MetricValues | undefined> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone);
    const answer = new Deferred<MetricValues | undefined>();
    this.#calls.set(++this.#last, answer);
    this.#worker.postMessage({ id: this.#last, call } satisfies Request);
    return answer.promise;
  }

  #take(answer: Answer): void {
    if ("health" in answer) this.#health = answer.health;
    else if ("ended" in answer) this.#end(answer.ended);
    else {
      const call = this.#calls.get(answer.id)!;
      this.#calls.delete(answer.id);
      if (answer.error === undefined) call.resolve(answer.result);
      else call.reject(new Error(answer.error));
    }
  }

  #end(error: string | undefined): void {
    this.#health = { live: false, ready: false, reason: error ?? "not running" };
    if (error === undefined) this.#ended.resolve();
    else this.#ended.reject(new Error(error));
  }

  /** Nobody answers any more. */
  #leave(error: string): void {
    this.#end(error);
    this.#gone ??= new Error(error);
    for (const call of this.#calls.values()) call.reject(this.#gone);
    this.#calls.clear();
  }
}

if (!isMainThread && parentPort !== null) await serve(parentPort, workerData as Beginning);

async function serve(port: NonNullable<typeof parentPort>, { settings, logLevel }: Beginning): Promise<void> {
  const tell = (answer: Answer) => port.postMessage(answer);
  const logger = createLogger({ level: logLevel ?? "info" });
  const stores = await openStores(settings, { logger });
  const context = stageContext(stores, settings, systemClock, logger);
  const stage = createDetect({ ...context, clickhouse: stores.clickhouse });
  let told = "";
  const tellHealth = () => {
    const health = stage.health();
    const text = JSON.stringify(health);
    if (text !== told) tell({ health });
    told = text;
  };
  const health = setInterval(tellHealth, HEALTH_MS);
  stage.finished.then(
    () => tell({ ended: undefined }),
    (error: unknown) => tell({ ended: (error as Error).message }),
  );
  const calls: Record<Call, () => Promise<unknown>> = {
    start: () => stage.start(),
    drain: () => stage.drain(),
    metrics: () => context.metrics.values(),
    async stop() {
      clearInterval(health);
      await stage.stop();
      await stores.close();
      logger.flush();
    },
  };
  port.on("message", ({ id, call }: Request) => {
    calls[call]()
      .finally(tellHealth)
      .then(
        (result) => tell({ id, ...(call === "metrics" ? { result: result as MetricValues } : {}) }),
        (error: unknown) => tell({ id, error: (error as Error).message }),
      );
  });
}
