/** Hours of a day, local, hh:mm. */
interface Hours {
  readonly from: string;
  readonly until: string;
}

export interface Jurisdiction {
  readonly days: Hours;
  /** Where Sundays have hours of their own. */
  readonly sundays?: Hours;
  /** The rule, and when it was last looked at: a utility's counsel decides what binds its alerts. */
  readonly source: string;
}

/**
 * Hours in which calls and texts may be made, by ISO 3166 code. They bind what is sold by phone; alerts that residents asked
 * for keep to them all the same, for courts differ on where the line runs.
 */
export const JURISDICTIONS = {
  US: {
    days: { from: "08:00", until: "21:00" },
    source: "47 CFR 64.1200(c)(1), 2026-11",
  },
  "US-FL": {
    days: { from: "08:00", until: "20:00" },
    source: "Florida Telephone Solicitation Act, Fla. Stat. 501.616(6), 2026-11",
  },
  "US-TX": {
    days: { from: "09:00", until: "21:00" },
    sundays: { from: "12:00", until: "21:00" },
    source: "Texas SB 140 and Tex. Bus. & Com. Code 301.051, in force since 2025-09-01, 2026-11",
  },
} as const satisfies Readonly<Record<string, Jurisdiction>>;
export type JurisdictionCode = keyof typeof JURISDICTIONS;
