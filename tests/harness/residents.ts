import { SteppedClock } from "../../infra/clock.js";
import { partitionOf } from "../../infra/log/log.js";
import type { Stores } from "../../infra/stores.js";
import { applyCrosswalk } from "../../ingest/registry/apply-crosswalk.js";
import type { CrosswalkRow } from "../../ingest/registry/crosswalk.js";
import { MeterKeys } from "../../ingest/registry/meter-keys.js";
import { anomalyMessage, type AnomalyMessage } from "../../schemas/anomalies.js";
import type { Config } from "../../schemas/config.js";
import { METER_PARTITIONS } from "../../schemas/topics.js";
import {
  confirmSubscription,
  requestSubscription,
  type ConsentKind,
  type Language,
} from "../../notify/index.js";
import { linkToken } from "../../notify/consent/link-token.js";

const HOUR = 3600;

export interface World {
  readonly config: Config;
  readonly stores: Stores;
  readonly clock: SteppedClock;
}

/** Puts a home into the registry as a crosswalk file does; returns its meter key. */
export async function addHome(
  { stores, clock }: World,
  home: Partial<CrosswalkRow> & Pick<CrosswalkRow, "meterId" | "accountId" | "locationId">,
): Promise<string> {
  const producer = await stores.log.producer();
  const keys = new MeterKeys(stores.database, stores.vault, "oakvale", () => clock.now());
  await applyCrosswalk(
    [
      {
        name: "",
        address: "",
        zip: "90001",
        email: "",
        phone: "",
        moveIn: undefined,
        moveOut: undefined,
        meterSince: undefined,
        meterUntil: undefined,
        settings: [],
        ...home,
      },
    ],
    "oakvale",
    { now: new Date(clock.now()), file: null },
    { database: stores.database, vault: stores.vault, keys, producer },
  );
  return (await keys.ofMeters([home.meterId])).get(home.meterId)!;
}

/** Opts a resident in without the mail, by a token made from what the request stored. */
export async function optIn(
  { config, stores, clock }: World,
  request: {
    readonly account: string;
    readonly email: string;
    readonly kinds?: readonly ConsentKind[];
    readonly language?: Language;
  },
): Promise<boolean> {
  const { database, vault } = stores;
  const consent = { config, database, vault, clock };
  await requestSubscription(consent, {
    utility: "oakvale",
    zip: "90001",
    kinds: ["leak", "high-usage"],
    method: "command",
    ...request,
  });
  const [asked] = await database.query<{ confirmation_id: string }>(
    `SELECT f.confirmation_id FROM confirmations f JOIN contacts c USING (contact_id)
     WHERE c.address_hash = $1 ORDER BY requested_at DESC, confirmed_at NULLS FIRST LIMIT 1`,
    [vault.hash("oakvale", "email", request.email.toLowerCase())],
  );
  if (asked === undefined) return false;
  return confirmSubscription(consent, linkToken(vault, "oakvale", "confirm", asked.confirmation_id), {});
}

/** A leak of 26 hours that ended its last reading an hour before the clock. */
export function leak(
  clock: SteppedClock,
  meter: string,
  change: Partial<AnomalyMessage> = {},
): AnomalyMessage {
  const end = Math.floor(clock.now() / 1000) - HOUR;
  return anomalyMessage.parse({
    v: 1,
    id: "0123456789abcdef0123456789abcdef",
    version: 1,
    utility: "oakvale",
    meter,
    rule: "continuous-flow",
    ruleVersion: 1,
    state: "opened",
    reason: null,
    start: end - 26 * HOUR,
    end,
    detectedAt: end - 2 * HOUR,
    rate: 7_000,
    volume: 26 * 7_000,
    evidence: {},
    backfill: false,
    ...change,
  });
}

/** Appends anomalies to their topic, as the detector does. */
export async function tell({ stores }: Pick<World, "stores">, ...anomalies: AnomalyMessage[]): Promise<void> {
  const producer = await stores.log.producer();
  for (const anomaly of anomalies) {
    await producer.append([
      {
        topic: "anomalies",
        partition: partitionOf(anomaly.meter, METER_PARTITIONS),
        records: [{ key: anomaly.meter, value: Buffer.from(JSON.stringify(anomaly)) }],
      },
    ]);
  }
}
