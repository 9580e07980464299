import type { Queryable } from "../../infra/postgres/database.js";
import type { AnomalyMessage } from "../../schemas/anomalies.js";
import { MILLILITRES } from "../../schemas/units.js";

/**
 * mL/h up to which a resident may call a flow normal by themselves: what is more is critical to a utility, which should look
 * first (60 US gal/h, BEACON; DETECTION §1.1).
 */
export const MOST_NORMAL = 60 * MILLILITRES.gal;
/** What is normal may run so many times as fast as it did: a float valve or a cooler does not keep to a litre. */
const MARGIN = 1.25;
/** Rules that heed what a meter's people call normal. */
export const HEEDING: readonly AnomalyMessage["rule"][] = ["leak", "continuous-flow"];

/** Who says something of which home. */
export interface Declarer {
  readonly utility: string;
  readonly contact_id: string;
  readonly occupancy_id: number;
}

/** mL/h that is normal from now on, if the flow of this anomaly is; `undefined` where a resident can't say so. */
export function normalFlow({ rule, rate, evidence }: AnomalyMessage): number | undefined {
  if (!HEEDING.includes(rule)) return undefined;
  // A leak's rate is what runs over the meter's usual lowest, which is told by the unit that found it.
  const { usualFloor, unitHours } = evidence;
  const usual = typeof usualFloor === "number" && typeof unitHours === "number" ? usualFloor / unitHours : 0;
  const flow = Math.ceil((rate + usual) * MARGIN);
  return flow <= MOST_NORMAL ? flow : undefined;
}

/** The flow is as it should be at this meter, from now on; what was said of it before holds no longer. */
export async function declareNormal(
  transaction: Queryable,
  by: Declarer,
  { meter, rate, now }: { readonly meter: string; readonly rate: number; readonly now: Date },
): Promise<void> {
  await replace(transaction, by, "normal", now, { meter, rate, from: now }, now);
}

/** A flow that was normal is so no longer. */
export async function endNormal(
  transaction: Queryable,
  occupancy: number,
  declaration: number,
  now: Date,
): Promise<void> {
  await transaction.query(
    `UPDATE declarations SET until_at = $3
     WHERE declaration_id = $2 AND occupancy_id = $1 AND kind = 'normal' AND coalesce(until_at > $3, true)`,
    [occupancy, declaration, now],
  );
  await tell(transaction, occupancy);
}

/** The time for which nobody is at home, or water runs on purpose: in the place of the one that is not over yet. */
export async function declarePeriod(
  transaction: Queryable,
  by: Declarer,
  kind: "away" | "on-purpose",
  period: { readonly from: Date; readonly until: Date } | undefined,
  now: Date,
): Promise<void> {
  await replace(transaction, by, kind, now, period, now);
}

/** What the home wants to keep to in a calendar month (mL), from a time on; `undefined`: nothing any more. */
export async function declareBudget(
  transaction: Queryable,
  by: Declarer,
  budget: { readonly ml: number; readonly from: Date } | undefined,
  now: Date,
): Promise<void> {
  const said = budget && { rate: budget.ml, from: budget.from };
  await replace(transaction, by, "budget", budget?.from ?? now, said, now);
}

/** Ends what holds of that kind (a normal flow: at that meter) from `at` on, and puts what is said now in its place. */
async function replace(
  transaction: Queryable,
  by: Declarer,
  kind: "normal" | "away" | "on-purpose" | "budget",
  at: Date,
  said:
    | { readonly from: Date; readonly until?: Date; readonly rate?: number; readonly meter?: string }
    | undefined,
  now: Date,
): Promise<void> {
  const meter = said?.meter ?? null;
  // What has not begun by then ends before it does, and counts for nothing.
  await transaction.query(
    `UPDATE declarations SET until_at = $4
     WHERE occupancy_id = $1 AND kind = $2 AND meter_key IS NOT DISTINCT FROM $3 AND coalesce(until_at > $4, true)`,
    [by.occupancy_id, kind, meter, at],
  );
  if (said !== undefined)
    await transaction.query(
      `INSERT INTO declarations (utility, occupancy_id, contact_id, kind, meter_key, rate, from_at, until_at, at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        by.utility,
        by.occupancy_id,
        by.contact_id,
        kind,
        meter,
        said.rate ?? null,
        said.from,
        said.until ?? null,
        now,
      ],
    );
  await tell(transaction, by.occupancy_id);
}

/** Forgets all that a contact said; the detector is told so. */
export async function forgetDeclarations(transaction: Queryable, contact: string): Promise<void> {
  const gone = await transaction.query<{ occupancy_id: number }>(
    "DELETE FROM declarations WHERE contact_id = $1 RETURNING occupancy_id",
    [contact],
  );
  for (const occupancy of new Set(gone.map(({ occupancy_id }) => occupancy_id)))
    await tell(transaction, occupancy);
}

/** The detector is to be told of the meters of the premise: by ingest, which owns what is told of meters. */
async function tell(transaction: Queryable, occupancy: number): Promise<void> {
  await transaction.query(
    `INSERT INTO meters_to_tell
     SELECT DISTINCT meter_key FROM premise_meters JOIN occupancies USING (premise_id) WHERE occupancy_id = $1
     ORDER BY meter_key ON CONFLICT DO NOTHING`,
    [occupancy],
  );
}
