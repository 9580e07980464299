import { Deferred } from "../infra/deferred.js";

/** One turn: it may begin when `begins` resolves, and is over when its holder says so, whether it was used or not. */
export interface Turn {
  readonly begins: Promise<void>;
  readonly over: () => void;
}

/** Turns at a piece of work that is done beside other work: each begins when all that were drawn before it are over. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  draw(): Turn {
    const begins = this.#last;
    const over = new Deferred();
    this.#last = begins.then(() => over.promise);
    return { begins, over: over.resolve };
  }
}
