import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SteppedClock } from "../infra/clock.js";
import type { Stage } from "../infra/stage.js";
import { crosswalk, HeadEnd, type Delivery } from "./deliveries.js";
import { dropFolder } from "./settings.js";
import type { Town } from "./town.js";

export interface Season {
  readonly deliveries: readonly Delivery[];
  /** Milliseconds that the stages took, from the drop of a file to the last mail. */
  readonly processingMs: Readonly<Record<string, number>>;
}

/** Hours on the wall clock: files come before alerts may be sent. */
export const DROP_HOUR = 5;
export const MORNING_HOUR = 9;

/**
 * Lives through the period, day by day: each morning at 5 the head-end drops the files of the day before, and ingest and
 * detect take them; at 9, when alerts may be sent, the notifier wakes again. `optIn` runs on the first morning, once the
 * customers are known.
 */
export async function liveThrough(options: {
  readonly town: Town;
  readonly folder: string;
  readonly clock: SteppedClock;
  /** In the order of the way of a read. */
  readonly stages: readonly Stage[];
  readonly optIn: () => Promise<void>;
  /** After the morning's messages; `true` where residents wrote something that is to be answered. */
  readonly answer: () => Promise<boolean>;
  readonly onDay: (day: number, what: string) => void;
  readonly signal: AbortSignal;
}): Promise<Season> {
  const { town, folder, clock, stages, signal } = options;
  const headEnd = new HeadEnd(town);
  const deliveries: Delivery[] = [];
  const processingMs: Record<string, number> = {};
  const drain = async () => {
    for (const stage of stages) {
      const begin = performance.now();
      await Promise.race([stage.drain(), stage.finished.then(() => undefined)]);
      processingMs[stage.name] = (processingMs[stage.name] ?? 0) + performance.now() - begin;
      signal.throwIfAborted();
    }
  };
  const deliver = async (files: readonly Delivery[]) => {
    for (const file of files) {
      await drop(folder, file);
      deliveries.push(file);
    }
    await drain();
  };

  clock.set(town.clockAt(0, MORNING_HOUR) * 1000);
  await deliver([crosswalk(town)]);
  await options.optIn();
  for (let day = 0; day < town.days; day++) {
    options.onDay(day, "files of the day");
    clock.set(town.clockAt(day + 1, DROP_HOUR) * 1000);
    await deliver(headEnd.after(day));
    clock.set(town.clockAt(day + 1, MORNING_HOUR) * 1000);
    await drain();
    if (await options.answer()) await drain();
  }
  return { deliveries, processingMs };
}

/** As head-ends do: under a name that is not taken, then renamed. */
async function drop(folder: string, { source, name, text }: Delivery): Promise<void> {
  const into = dropFolder(folder, source);
  await mkdir(into, { recursive: true });
  await writeFile(join(into, `${name}.part`), text);
  await rename(join(into, `${name}.part`), join(into, name));
}
