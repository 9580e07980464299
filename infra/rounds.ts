import { setTimeout as sleep } from "node:timers/promises";
import { Waker } from "./waker.js";

/** Work that is done in rounds, with a pause after each, until it is stopped or one of them throws. */
export class Rounds {
  /** Rejects with what a round threw. */
  readonly finished: Promise<void>;
  readonly #round: () => Promise<void>;
  readonly #pauseMs: number;
  readonly #waker = new Waker();
  #stopping = false;
  #done = 0;

  /** The first round begins after the caller is done: it may use what the caller has still to set. */
  constructor(round: () => Promise<void>, pauseMs: number) {
    this.#round = round;
    this.#pauseMs = pauseMs;
    this.finished = Promise.resolve().then(() => this.#run());
    this.finished.catch(() => undefined);
  }

  /** A round that takes long should end when this is so. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /** Resolves when a whole round that began after the call is done. */
  async drained(): Promise<void> {
    const from = this.#done;
    while (!this.#stopping && this.#done < from + 2) {
      this.#waker.wake();
      await Promise.race([sleep(10), this.finished]);
    }
  }

  /** Resolves when the round under way is done. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#waker.wake();
    await this.finished.catch(() => undefined);
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      await this.#round();
      this.#done++;
      await this.#waker.asleep(this.#pauseMs);
    }
  }
}
