import { partitionOf, type LogProducer } from "../../infra/log/log.js";
import type { Database, Queryable } from "../../infra/postgres/database.js";
import type { MeterMessage, MeterSetting } from "../../schemas/meters.js";
import { METER_PARTITIONS } from "../../schemas/topics.js";
import { settingsOf, type Declared } from "./meter-settings.js";

/** Meters in one transaction. */
const CHUNK = 2_000;

interface Row {
  readonly meter_key: string;
  readonly utility: string;
  readonly registry_settings: MeterSetting[];
  readonly declared:
    { kind: Declared["kind"]; rate: number | null; from: number; until: number | null }[] | null;
  /** When nobody held the account of its premise, once somebody had. */
  readonly vacant: { from: number; until: number | null }[] | null;
}

/**
 * Tells the detector of the meters that wait for it (`meters_to_tell`): of each, all that the registry and residents said.
 * A meter whose message is in the log and whose row is still there, because the process ended in between, is told again;
 * one that changes meanwhile waits for the next call.
 */
export async function tellMeters(database: Database, producer: LogProducer): Promise<void> {
  for (let more = true; more;) {
    more = await database.transaction(async (transaction) => {
      const due = await transaction.query<{ meter_key: string }>(
        `DELETE FROM meters_to_tell WHERE meter_key IN
           (SELECT meter_key FROM meters_to_tell ORDER BY meter_key LIMIT $1 FOR UPDATE SKIP LOCKED)
         RETURNING meter_key`,
        [CHUNK],
      );
      if (due.length === 0) return false;
      const rows = await transaction.query<Row>(SETTINGS, [due.map(({ meter_key }) => meter_key)]);
      await producer.append(
        rows.map((row) => {
          const message = messageOf(row);
          return {
            topic: "meters" as const,
            partition: partitionOf(message.meter, METER_PARTITIONS),
            records: [{ key: message.meter, value: Buffer.from(JSON.stringify(message)) }],
          };
        }),
      );
      return due.length === CHUNK;
    });
  }
}

/** What the detector is told of these meters, as the registry has it now. */
export async function settingsOfMeters(
  on: Queryable,
  meters: readonly string[],
): Promise<ReadonlyMap<string, readonly MeterSetting[]>> {
  const rows = await on.query<Row>(SETTINGS, [meters]);
  return new Map(rows.map((row) => [row.meter_key, messageOf(row).settings]));
}

/**
 * A declaration holds as long as the resident, the premise and the meter belong together. Nobody is home where nobody holds
 * the account.
 */
const SETTINGS = `
  SELECT m.meter_key, m.utility, m.registry_settings,
    (SELECT jsonb_agg(jsonb_build_object('kind', d.kind, 'rate', d.rate,
              'from', ceil(extract(epoch FROM greatest(d.from_at, o.valid_from, p.valid_from))),
              'until', ceil(extract(epoch FROM least(d.until_at, o.valid_until, p.valid_until))))
              ORDER BY d.declaration_id)
     FROM premise_meters p JOIN occupancies o USING (premise_id) JOIN declarations d USING (occupancy_id)
     WHERE p.meter_key = m.meter_key AND (d.meter_key IS NULL OR d.meter_key = m.meter_key)) AS declared,
    (SELECT jsonb_agg(jsonb_build_object('from', ceil(extract(epoch FROM lower(v))), 'until', ceil(extract(epoch FROM upper(v)))))
     FROM premise_meters p
     JOIN LATERAL (SELECT min(valid_from) AS since, range_agg(tstzrange(valid_from, valid_until)) AS held
                   FROM occupancies o WHERE o.premise_id = p.premise_id) o ON o.since < coalesce(p.valid_until, 'infinity')
     CROSS JOIN LATERAL unnest(tstzmultirange(tstzrange(greatest(p.valid_from, o.since), p.valid_until)) - o.held) AS v
     WHERE p.meter_key = m.meter_key) AS vacant
  FROM meters m WHERE m.meter_key = ANY ($1)`;

function messageOf({ meter_key: meter, utility, registry_settings, declared, vacant }: Row): MeterMessage {
  const empty = (vacant ?? []).map((span) => ({ kind: "away" as const, rate: null, ...span }));
  const settings = settingsOf(
    registry_settings,
    [...(declared ?? []), ...empty].map((one) => ({ ...one, until: one.until ?? Infinity })),
  );
  return { v: 1, utility, meter, settings: [...settings] };
}
