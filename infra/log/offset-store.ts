import type { Queryable } from "../postgres/database.js";

/** Saves where a group goes on, in the transaction of the effects of what it read. */
export async function saveOffset(
  transaction: Queryable,
  at: {
    readonly group: string;
    readonly topic: string;
    readonly partition: number;
    readonly identity: string;
    readonly next: number;
  },
): Promise<void> {
  await transaction.query(
    `INSERT INTO consumer_offsets (group_name, topic, partition, identity, next_offset) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (group_name, topic, partition)
     DO UPDATE SET identity = excluded.identity, next_offset = excluded.next_offset`,
    [at.group, at.topic, at.partition, at.identity, at.next],
  );
}

/**
 * Where a group goes on in a topic's partition: 0 where it never read.
 * @throws Error where the saved offset belongs to another log
 */
export async function loadOffset(
  database: Queryable,
  at: {
    readonly group: string;
    readonly topic: string;
    readonly partition: number;
    readonly identity: string;
  },
): Promise<number> {
  const [row] = await database.query<{ identity: string; next_offset: number }>(
    "SELECT identity, next_offset FROM consumer_offsets WHERE group_name = $1 AND topic = $2 AND partition = $3",
    [at.group, at.topic, at.partition],
  );
  if (row === undefined) return 0;
  if (row.identity !== at.identity) {
    if (acceptsNewLog()) return 0;
    throw new AnotherLog(at.group, row.identity, at.identity);
  }
  return row.next_offset;
}

/** Whether the operator said that the log was replaced on purpose. */
export function acceptsNewLog(): boolean {
  return process.env["CURBSTOP_ACCEPT_NEW_LOG"] === "1";
}

/** Offsets of one log mean nothing in another: going on would skip or repeat reads unseen. */
export class AnotherLog extends Error {
  override readonly name = "AnotherLog";
  constructor(group: string, saved: string, found: string) {
    super(
      `${group}: saved offsets belong to log ${saved}, this is log ${found}. Point CURBSTOP_KAFKA_BROKERS back, or, ` +
        `if the log was replaced on purpose, start once with CURBSTOP_ACCEPT_NEW_LOG=1: it is then read from its beginning.`,
    );
  }
}
