/** Wakes whoever waits. Waiting starts from a count that was read before looking, so no raise in between is lost. */
export class Signal {
  #count = 0;
  readonly #wakers = new Set<() => void>();

  /** How often it was raised. */
  get count(): number {
    return this.#count;
  }

  raise(): void {
    this.#count++;
    for (const wake of this.#wakers) wake();
  }

  /** Resolves once it was raised more often than `seen`, or after `ms` milliseconds. */
  after(seen: number, ms?: number): Promise<void> {
    if (this.#count > seen) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#wakers.delete(wake);
        resolve();
      };
      const timer = ms === undefined ? undefined : setTimeout(wake, ms);
      this.#wakers.add(wake);
    });
  }
}
