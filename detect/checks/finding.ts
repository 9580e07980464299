import type { CheckCode } from "../../schemas/checks.js";

/** What a check found in a meter's reads. Times are UTC seconds. */
export interface Finding {
  readonly code: CheckCode;
  /** Beginning of the first interval that fails the check, and end of the last so far. */
  readonly start: number;
  readonly end: number;
  /** It goes on as far as reads tell. */
  readonly open: boolean;
  /** What was seen and what is allowed, in the unit of the check's limit; hours for one without. */
  readonly value: number;
  readonly limit: number;
}

/** A finding as it is stored, or that it is gone. */
export interface StoredFinding {
  readonly finding: Finding;
  readonly gone: boolean;
  readonly version: number;
}

export interface CheckContext {
  /** Limit of each check; those that are off have none. */
  readonly limits: Readonly<Partial<Record<CheckCode, number>>>;
  /** Smallest step of the meter's registers in millilitres, 0: unknown. */
  readonly resolution: number;
  /** From when the meter is in service, and from when not, in order; nothing said: it is. */
  readonly service: readonly { readonly from: number; readonly inService: boolean }[];
}

export function sameFinding(a: Finding, b: Finding): boolean {
  return a.end === b.end && a.open === b.open && a.value === b.value && a.limit === b.limit;
}
