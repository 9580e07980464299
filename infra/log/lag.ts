import type { Queryable } from "../postgres/database.js";
import type { Log } from "./log.js";

export interface TopicLag {
  readonly stage: "detect" | "notify";
  readonly topic: string;
  /** Records in the log that the stage has not handled; holes of compaction count as records. */
  readonly records: number;
}

/** Consumers, their topics, and the group under which positions are saved (`undefined`: the detector's checkpoint). */
const READERS = [
  { stage: "detect", topic: "reads", group: undefined },
  { stage: "detect", topic: "meters", group: undefined },
  { stage: "detect", topic: "temperatures", group: undefined },
  { stage: "detect", topic: "files", group: "detect-files" },
  { stage: "notify", topic: "anomalies", group: "notify" },
] as const;

/** How far each stage is behind the log, by the positions that it saved with its effects. */
export async function logLag(log: Log, database: Queryable): Promise<TopicLag[]> {
  const saved = await database.query<{
    group_name: string | null;
    topic: string;
    partition: number;
    next: number;
  }>(
    `SELECT group_name, topic, partition, next_offset AS next FROM consumer_offsets
     UNION ALL
     SELECT NULL, o.key, d.partition, o.value::bigint FROM detector_partitions d, jsonb_each_text(d.offsets) o`,
  );
  const position = new Map(
    saved.map(({ group_name, topic, partition, next }) => [
      `${group_name ?? ""}|${topic}|${partition}`,
      next,
    ]),
  );
  return Promise.all(
    READERS.map(async ({ stage, topic, group }) => {
      let records = 0;
      for (const { partition, first, next } of await log.offsets(topic)) {
        const at = position.get(`${group ?? ""}|${topic}|${partition}`) ?? first;
        records += Math.max(0, next - Math.max(at, first));
      }
      return { stage, topic, records };
    }),
  );
}
