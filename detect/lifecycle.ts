import { createHash } from "node:crypto";
import type { AnomalyMessage, RuleName } from "../schemas/anomalies.js";
import type { Found } from "./rules/rule.js";

/** An anomaly that was told, as it was told last. */
export interface Known {
  readonly id: string;
  readonly version: number;
  readonly found: Found;
  /** Later reads showed that it never was; it keeps its id, should they change again. */
  readonly withdrawn: boolean;
}

interface Owner {
  readonly utility: string;
  readonly meter: string;
  readonly class: AnomalyMessage["class"];
  readonly backfill: boolean;
  /** How many anomalies are forgotten whose ids later ones could take, see `isNamedBy`. */
  readonly moved: number;
}

/** The rules, and since when they are judged (UTC seconds): those that are not named always were. */
interface Judged {
  readonly rules: ReadonlySet<RuleName>;
  readonly since?: ReadonlyMap<RuleName, number> | undefined;
}

/**
 * What must be told so that readers who knew `known` know `found`.
 *
 * A found anomaly is the known one of the same rule that it overlaps in time, of several the oldest; known ones left
 * over are withdrawn. An anomaly keeps its id however its start and end move; one that was withdrawn takes its id
 * again when it is found again with the same start. Of a rule that is not judged any more, or was not for a while since
 * then, what is open is closed with that reason and the rest stays as it was told.
 * @param gone why what is left over never was: reads were corrected, or somebody said what the meter's use is
 */
export function diffAnomalies(
  known: readonly Known[],
  found: readonly Found[],
  owner: Owner,
  { rules, since }: Judged,
  gone: "corrected" | "declared" = "corrected",
): { readonly known: Known[]; readonly messages: AnomalyMessage[] } {
  const messages: AnomalyMessage[] = [];
  const next: Known[] = [];
  const left = new Set(known);
  for (const one of found) {
    const match = oldestOverlap(left, one);
    if (match === undefined) {
      const id = freeId(known, next, owner, one);
      const revived = known.find((candidate) => candidate.withdrawn && candidate.id === id);
      if (revived !== undefined) left.delete(revived);
      const opened: Known = { id, version: (revived?.version ?? 0) + 1, found: one, withdrawn: false };
      messages.push(message(opened, one.closed === null ? "opened" : "closed", one.closed, owner));
      next.push(opened);
      continue;
    }
    left.delete(match);
    if (same(match.found, one)) {
      next.push(match);
      continue;
    }
    const updated: Known = { id: match.id, version: match.version + 1, found: one, withdrawn: false };
    messages.push(message(updated, one.closed === null ? "updated" : "closed", one.closed, owner));
    next.push(updated);
  }
  for (const rest of left) {
    if (rest.withdrawn) {
      next.push(rest);
      continue;
    }
    if (!rules.has(rest.found.rule) || rest.found.start < (since?.get(rest.found.rule) ?? 0)) {
      if (rest.found.closed === null) {
        const found: Found = { ...rest.found, closed: "rule-changed" };
        const ended: Known = { id: rest.id, version: rest.version + 1, found, withdrawn: false };
        messages.push(message(ended, "closed", found.closed, owner));
        next.push(ended);
      } else {
        next.push(rest);
      }
      continue;
    }
    const taken: Known = { ...rest, version: rest.version + 1, withdrawn: true };
    messages.push(message(taken, "withdrawn", gone, owner));
    next.push(taken);
  }
  return { known: next, messages };
}

function oldestOverlap(known: Iterable<Known>, found: Found): Known | undefined {
  let oldest: Known | undefined;
  for (const candidate of known) {
    if (candidate.withdrawn || candidate.found.rule !== found.rule || !overlap(candidate.found, found))
      continue;
    if (oldest === undefined || candidate.found.start < oldest.found.start) oldest = candidate;
  }
  return oldest;
}

/** The hash of meter, rule and start; where a living anomaly moved away from that start with its id, the next free one. */
function freeId(known: readonly Known[], next: readonly Known[], owner: Owner, found: Found): string {
  for (let attempt = 0; ; attempt++) {
    const id = anomalyId(owner.meter, found, owner.moved, attempt);
    const taken = (one: Known) => one.id === id && !one.withdrawn;
    if (!known.some(taken) && !next.some(taken)) return id;
  }
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

/**
 * Whether an anomaly begins where its id says. Of one that does not and is forgotten, another one may begin there later:
 * it must not take the id, for readers would pass over its first versions.
 */
export function isNamedBy(meter: string, { id, found }: Known): boolean {
  return id === anomalyId(meter, found, 0, 0);
}

function anomalyId(meter: string, found: Found, moved: number, attempt: number): string {
  const more = moved > 0 ? `|${moved}|${attempt}` : attempt > 0 ? `|${attempt}` : "";
  const text = `${meter}|${found.rule}|${found.start}${more}`;
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
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
    ...(owner.class === undefined ? {} : { class: owner.class }),
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
