import type { Queryable } from "../../infra/postgres/database.js";
import type { UtilityConfig } from "../../schemas/config.js";

type Limit = NonNullable<UtilityConfig["sms"]>["limits"][number];

interface Bucket {
  readonly limit: Limit;
  tokens: number;
}

/** Of each bucket this share is for answers, requests to confirm and bursts alone. */
const RESERVED = 0.1;

/**
 * What carriers let a sender hand over in a time, as token buckets: one for each limit, filled evenly, full after a pause.
 * Texts are one segment each, so a token is a segment. A text counts against the limits of its number's carrier and those
 * of all; where the carrier is not known, against every limit.
 *
 * Holds the buckets' rows in the caller's transaction, in one order for all.
 */
export class TextBuckets {
  readonly #buckets: Bucket[];
  readonly #utility: string;
  #used = false;

  private constructor(utility: string, buckets: readonly Bucket[]) {
    this.#utility = utility;
    this.#buckets = buckets.map((bucket) => ({ ...bucket }));
  }

  /** @param utility one that has limits */
  static async open(transaction: Queryable, utility: UtilityConfig, now: Date): Promise<TextBuckets> {
    const { limits } = utility.sms!;
    await transaction.query(
      `INSERT INTO text_buckets (utility, name, tokens, at) SELECT $1, * FROM unnest($2::text[], $3::float8[]), (VALUES ($4::timestamptz)) AS t
       ON CONFLICT DO NOTHING`,
      [utility.id, limits.map(({ name }) => name), limits.map(({ segments }) => segments), now],
    );
    const rows = await transaction.query<{ name: string; tokens: number; at: Date }>(
      "SELECT name, tokens, at FROM text_buckets WHERE utility = $1 ORDER BY name FOR UPDATE",
      [utility.id],
    );
    return new TextBuckets(
      utility.id,
      limits.map((limit) => {
        const { tokens, at } = rows.find(({ name }) => name === limit.name)!;
        const elapsed = Math.max(0, now.getTime() - at.getTime()) / 1000;
        return { limit, tokens: Math.min(limit.segments, tokens + elapsed * rateOf(limit)) };
      }),
    );
  }

  /** In how many seconds the next text may go, behind all that have a turn already. What is urgent may at once. */
  wait(urgent: boolean, carrier: string | null): number {
    return urgent ? 0 : Math.max(0, ...this.#of(carrier).map((bucket) => waitOf(bucket)));
  }

  /** One more goes, or has its turn: buckets that are short tell how long the line is. */
  take(carrier: string | null): void {
    for (const bucket of this.#of(carrier)) bucket.tokens -= 1;
    this.#used = true;
  }

  #of(carrier: string | null): Bucket[] {
    return this.#buckets.filter(
      ({ limit }) =>
        limit.carrier === undefined ||
        carrier === null ||
        carrier.toLowerCase().includes(limit.carrier.toLowerCase()),
    );
  }

  /** Writes down what is left. */
  async save(transaction: Queryable, now: Date): Promise<void> {
    if (!this.#used) return;
    await transaction.query(
      `UPDATE text_buckets b SET tokens = n.tokens, at = $4 FROM unnest($2::text[], $3::float8[]) AS n (name, tokens)
       WHERE b.utility = $1 AND b.name = n.name`,
      [
        this.#utility,
        this.#buckets.map(({ limit }) => limit.name),
        this.#buckets.map(({ tokens }) => tokens),
        now,
      ],
    );
  }
}

function rateOf({ segments, seconds }: Limit): number {
  return segments / seconds;
}

function waitOf({ limit, tokens }: Readonly<Bucket>): number {
  const short = Math.max(1, Math.ceil(RESERVED * limit.segments)) + 1 - tokens;
  return short <= 0 ? 0 : short / rateOf(limit);
}

/** Texts of a utility that wait for their turn, and when the last of them has it. */
export interface TextLine {
  readonly utility: string;
  readonly waiting: number;
  readonly until: Date;
}

export function textLines(database: Queryable): Promise<TextLine[]> {
  return database.query<TextLine>(
    `SELECT utility, count(*) AS waiting, max(not_before) AS until FROM outbox
     WHERE state = 'held' AND reason = 'carrier-limit' GROUP BY utility ORDER BY utility`,
  );
}
