import { setTimeout as sleep } from "node:timers/promises";
import { Deferred } from "./deferred.js";

/** Sleep that can be ended; a call while nobody sleeps ends the next sleep at once. */
export class Waker {
  #called = new Deferred();

  wake(): void {
    this.#called.resolve();
  }

  async asleep(ms: number): Promise<void> {
    await Promise.race([this.#called.promise, sleep(ms, undefined, { ref: false })]);
    this.#called = new Deferred();
  }
}
