import { createTask, parse, type ScheduledTask } from "node-cron";

const DAY_MS = 86_400_000;

/** The times of a cron expression in UTC, asked by any clock. */
export class PullSchedule {
  readonly #times: ScheduledTask;
  /** Milliseconds after midnight, ascending; which days count is left to node-cron. */
  readonly #ofDay: readonly number[];

  /** @param expression of five fields, or of six with seconds first */
  constructor(expression: string) {
    this.#times = createTask(expression, () => undefined, { timezone: "UTC" });
    const { hour, minute, second } = parse(expression);
    this.#ofDay = hour
      .flatMap((h) => minute.flatMap((m) => second.map((s) => ((h * 60 + m) * 60 + s) * 1000)))
      .sort((a, b) => a - b);
  }

  /**
   * Whether a time of the schedule lies after `mark` and not after `now` (milliseconds since 1970): also one that
   * nobody was there for. Without a mark it is due at once.
   */
  isDue(mark: number | undefined, now: number): boolean {
    if (mark === undefined) return true;
    for (let day = mark - (mark % DAY_MS); day <= now; day += DAY_MS) {
      const first = this.#ofDay.find((time) => day + time > mark);
      if (first !== undefined && day + first <= now && this.#times.match(new Date(day + first))) return true;
    }
    return false;
  }

  /** Gives back what node-cron holds for it. */
  async end(): Promise<void> {
    await this.#times.destroy();
  }
}
