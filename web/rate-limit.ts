import type { Clock } from "../infra/clock.js";

/** Counts by key over a sliding window, in memory: enough to slow down a form that one process serves. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #most: number;
  readonly #windowMs: number;
  /** Times of use by key; the key that was used longest ago comes first. */
  readonly #times = new Map<string, readonly number[]>();

  constructor(options: { readonly clock: Clock; readonly most: number; readonly windowMs: number }) {
    this.#clock = options.clock;
    this.#most = options.most;
    this.#windowMs = options.windowMs;
  }

  /** Counts one more use of `key`; `false`, and no count, where that would be too many. */
  take(key: string): boolean {
    const now = this.#clock.now();
    const since = now - this.#windowMs;
    for (const [old, times] of this.#times) {
      if (times.at(-1)! > since) break;
      this.#times.delete(old);
    }
    const times = (this.#times.get(key) ?? []).filter((time) => time > since);
    if (times.length >= this.#most) return false;
    this.#times.delete(key);
    this.#times.set(key, [...times, now]);
    return true;
  }
}
