import { Worker, isMainThread, parentPort, type Transferable } from "node:worker_threads";
import { FileRejected } from "./formats/format.js";
import { reading, type Portion, type ReadingJob, type ReadingTotals } from "./reading.js";

/** A smaller file is read before a thread would have begun. */
const WORTH_A_THREAD = 2 * 1024 * 1024;
/** Portions that may wait for whoever asked. */
const AHEAD = 2;
/** Blocks live until their portion is told: a nursery that holds one spares moving them. */
const YOUNG_MB = 96;
/** Tests run from the sources, which a thread of its own can't load. */
const COMPILED = import.meta.url.endsWith(".js");

type Answer =
  | { readonly portion: Portion }
  | { readonly totals: ReadingTotals }
  | { readonly rejected: { readonly field: string; readonly message: string } }
  | { readonly failed: { readonly message: string; readonly code: string | undefined } };

/**
 * Reads files: large ones in a thread, so that parsing takes none of the time of the stages beside it. One file at a
 * time; the thread stays for the next.
 */
export class Readings {
  #worker: Worker | undefined;

  /** The same as `reading`. */
  read(job: ReadingJob): AsyncGenerator<Portion, ReadingTotals> {
    return COMPILED && job.bytes >= WORTH_A_THREAD ? this.#inThread(job) : reading(job);
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  async *#inThread(job: ReadingJob): AsyncGenerator<Portion, ReadingTotals> {
    const worker = (this.#worker ??= new Worker(new URL(import.meta.url), {
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    }));
    worker.ref();
    const answers: Answer[] = [];
    let wake: () => void = () => undefined;
    const onAnswer = (answer: Answer) => {
      answers.push(answer);
      wake();
    };
    const onError = (error: Error) =>
      onAnswer({ failed: { message: error.message, code: "READING_THREAD" } });
    const onExit = () => onError(new Error("the thread that reads files ended"));
    worker.on("message", onAnswer).on("error", onError).on("exit", onExit);
    let whole = false;
    try {
      worker.postMessage(job);
      for (;;) {
        const answer = answers.shift();
        if (answer === undefined) {
          await new Promise<void>((resolve) => (wake = resolve));
          continue;
        }
        if ("portion" in answer) {
          worker.postMessage("more");
          yield answer.portion;
          continue;
        }
        whole = !("failed" in answer) || answer.failed.code !== "READING_THREAD";
        if ("totals" in answer) return answer.totals;
        if ("rejected" in answer) throw new FileRejected(answer.rejected.field, answer.rejected.message);
        throw Object.assign(new Error(answer.failed.message), { code: answer.failed.code });
      }
    } finally {
      worker.unref();
      worker.off("message", onAnswer).off("error", onError).off("exit", onExit);
      // Left in the middle of a file.
      if (!whole) await this.close();
    }
  }
}

if (!isMainThread && parentPort !== null) serve(parentPort);

/** The thread's side: a job comes in, portions go out, at most so many ahead of "more". */
function serve(port: NonNullable<typeof parentPort>): void {
  let credits = 0;
  let more: () => void = () => undefined;
  port.on("message", (message: ReadingJob | "more") => {
    if (message === "more") {
      credits++;
      more();
    } else {
      credits = AHEAD;
      void read(message);
    }
  });

  async function read(job: ReadingJob): Promise<void> {
    try {
      const portions = reading(job);
      for (;;) {
        const { done, value } = await portions.next();
        if (done === true) return tell({ totals: value });
        while (credits === 0) await new Promise<void>((resolve) => (more = resolve));
        credits--;
        const { text, ends, keysAt, registerOf } = value;
        tell({ portion: value }, [text.buffer, ends.buffer, keysAt.buffer, registerOf.buffer]);
      }
    } catch (error) {
      const { message, code } = error as NodeJS.ErrnoException;
      if (error instanceof FileRejected) tell({ rejected: { field: error.field, message } });
      else tell({ failed: { message, code } });
    }
  }

  function tell(answer: Answer, transferred: readonly ArrayBufferLike[] = []): void {
    port.postMessage(answer, transferred as Transferable[]);
  }
}
