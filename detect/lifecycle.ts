import { createHash } from "node:crypto";
import type { AnomalyMessage } from "../schemas/anomalies.js";
import type { Found } from "./rules/rule.js";

/** An anomaly that was told, as it was told last. */
export interface Known {
  readonly id: string;
  readonly version: number;
  readonly found: Found;
}

interface Owner {
  readonly utility: string;
  readonly meter: string;
  readonly backfill: boolean;
}

/**
 * What must be told so that readers who knew `known` know `found`.
 *
 * A found anomaly is the known one of the same rule that it overlaps in time, of several the oldest; known ones left
 * over are withdrawn. An anomaly keeps its id however its start and end move.
 */
export function diffAnomalies(
  known: readonly Known[],
  found: readonly Found[],
  owner: Owner,
): { readonly known: Known[]; readonly messages: AnomalyMessage[] } {
  const messages: AnomalyMessage[] = [];
  const next: Known[] = [];
  const left = new Set(known);
  for (const one of found) {
    let match: Known | undefined;
    for (const candidate of left) {
      if (candidate.found.rule !== one.rule || !overlap(candidate.found, one)) continue;
      if (match === undefined || candidate.found.start < match.found.start) match = candidate;
    }
    if (match === undefined) {
      const opened: Known = { id: anomalyId(owner.meter, one), version: 1, found: one };
      messages.push(message(opened, one.closed === null ? "opened" : "closed", one.closed, owner));
      next.push(opened);
      continue;
    }
    left.delete(match);
    if (same(match.found, one)) {
      next.push(match);
      continue;
    }
    const updated: Known = { id: match.id, version: match.version + 1, found: one };
    messages.push(message(updated, one.closed === null ? "updated" : "closed", one.closed, owner));
    next.push(updated);
  }
  for (const gone of left) {
    messages.push(message({ ...gone, version: gone.version + 1 }, "withdrawn", "corrected", owner));
  }
  return { known: next, messages };
}

function overlap(a: Found, b: Found): boolean {
  return a.start < b.end && b.start < a.end;
}

function same(a: Found, b: Found): boolean {
  return (
    a.start === b.start &&
    a.end === b.end &&
    a.volume === b.volume &&
    a.rate === b.rate &&
    a.closed === b.closed &&
    a.detectedAt === b.detectedAt &&
    a.ruleVersion === b.ruleVersion
  );
}

function anomalyId(meter: string, found: Found): string {
  return createHash("sha256").update(`${meter}|${found.rule}|${found.start}`).digest("hex").slice(0, 32);
}

function message(
  { id, version, found }: Known,
  state: AnomalyMessage["state"],
  reason: AnomalyMessage["reason"],
  owner: Owner,
): AnomalyMessage {
  return {
    v: 1,
    id,
    version,
    utility: owner.utility,
    meter: owner.meter,
    rule: found.rule,
    ruleVersion: found.ruleVersion,
    state,
    reason,
    start: found.start,
    end: found.end,
    detectedAt: found.detectedAt,
    rate: found.rate,
    volume: found.volume,
    evidence: { ...found.evidence },
    backfill: owner.backfill,
  };
}
