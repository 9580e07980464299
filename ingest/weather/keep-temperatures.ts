import type { LogProducer } from "../../infra/log/log.js";
import type { Database, Queryable } from "../../infra/postgres/database.js";
import type { UtilityConfig } from "../../schemas/config.js";
import {
  coldSpells,
  spellsDifferFrom,
  type ColdSpell,
  type Temperature,
  type TemperatureMessage,
} from "../../schemas/temperatures.js";
import { METER_PARTITIONS } from "../../schemas/topics.js";

/**
 * A temperature that comes later than this (seconds) after its time is kept and not judged by: nobody can be warned of a
 * frost that long ago, and all of a utility's meters would have to be judged again from then on.
 */
const TIMELY_SECONDS = 48 * 3600;

/**
 * Keeps temperatures of a utility; of a time the one that came last counts, unless it came too late to be judged by and
 * another did not.
 * @param file its number in the ledger
 */
export async function keepTemperatures(
  on: Queryable,
  temperatures: readonly Temperature[],
  { utility, file, now }: { readonly utility: string; readonly file: number; readonly now: Date },
): Promise<void> {
  if (temperatures.length === 0) return;
  // A statement can't write a row twice.
  const last = new Map(temperatures.map(({ time, value }) => [time, value]));
  await on.query(
    `INSERT INTO temperatures (utility, time, hundredths, timely, file)
     SELECT $1, to_timestamp(time), value, time >= $4::bigint, $5 FROM unnest($2::bigint[], $3::integer[]) AS given (time, value)
     ON CONFLICT (utility, time) DO UPDATE SET
       hundredths = excluded.hundredths, timely = excluded.timely, file = excluded.file
       WHERE excluded.timely OR NOT temperatures.timely`,
    [utility, [...last.keys()], [...last.values()], Math.floor(now.getTime() / 1000) - TIMELY_SECONDS, file],
  );
}

/** Tells the detector when it was cold at a utility's meters, unless it knows that already. */
export async function tellCold(
  database: Database,
  producer: LogProducer,
  { id: utility, detect }: Pick<UtilityConfig, "id" | "detect">,
): Promise<void> {
  await database.transaction(async (transaction) => {
    const cold = await coldOf(transaction, utility, detect.freezeRisk.below, { late: false });
    const [told] = await transaction.query<{ cold: readonly ColdSpell[] }>(
      "SELECT cold FROM cold_told WHERE utility = $1 FOR UPDATE",
      [utility],
    );
    if (spellsDifferFrom(told?.cold ?? [], cold) === Infinity) return;
    const message: TemperatureMessage = { v: 1, utility, cold };
    const value = Buffer.from(JSON.stringify(message));
    await producer.append(
      Array.from({ length: METER_PARTITIONS }, (_, partition) => ({
        topic: "temperatures",
        partition,
        records: [{ key: utility, value }],
      })),
    );
    await transaction.query(
      `INSERT INTO cold_told (utility, cold) VALUES ($1, $2::jsonb)
       ON CONFLICT (utility) DO UPDATE SET cold = excluded.cold`,
      [utility, JSON.stringify(cold)],
    );
  });
}

/**
 * When it was cold at a utility's meters.
 * @param below degrees Celsius
 * @param late whether temperatures count that came too late to be judged by
 */
export async function coldOf(
  on: Queryable,
  utility: string,
  below: number,
  { late }: { readonly late: boolean },
): Promise<ColdSpell[]> {
  const rows = await on.query<Temperature>(
    `SELECT extract(epoch FROM time)::float8 AS time, hundredths AS value FROM temperatures
     WHERE utility = $1 AND (timely OR $2) ORDER BY time`,
    [utility, late],
  );
  return coldSpells(rows, below);
}
