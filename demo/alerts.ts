import type { Database } from "../infra/postgres/database.js";
import type { Mail } from "./mailbox.js";
import { signUpAfter } from "./opt-in.js";
import { DROP_HOUR, MORNING_HOUR } from "./season.js";
import type { Town } from "./town.js";
import { trueAnomalies, type True } from "./truth.js";

/** What a mail to a resident says. */
export const TELLS = {
  confirmation: "please confirm",
  leak: "possible leak",
  leakOver: "a possible leak ran and has stopped",
  reminder: "water still runs",
  stopped: "the flow has stopped",
  highUsage: "unusually high use",
  correction: "correction: it never was",
} as const;
export type Tells = (typeof TELLS)[keyof typeof TELLS];

/** A mail about a home; `at` in UTC seconds. */
export interface Told {
  readonly home: number;
  readonly tells: Tells;
  readonly at: number;
}

const MAX_AGE_HOURS = 72;
const REMINDED_AFTER_HOURS = 72;
const REMINDED_AGAIN_AFTER_HOURS = 168;

/**
 * Mails that must go out, and no others, by the rules in words: who confirmed hears of an anomaly of a kind that was
 * asked for once, on the first morning on which it is known, while its last evidence is at most 72 hours old; of a leak that
 * runs on once more, on the first morning on which new readings show it when the alert is three days old, and again when it is seven; of the end of a leak
 * once; and, if what was told never was, that it was wrong. Nothing goes out before 8 in the morning.
 */
export function expectedMails(town: Town): Told[] {
  const mails: Told[] = [];
  for (const [i, { home, kinds, confirms }] of town.residents.entries()) {
    const asked = town.clockAt(0, MORNING_HOUR) + signUpAfter(i);
    mails.push({ home, tells: TELLS.confirmation, at: asked });
    if (!confirms) continue;
    const told: {
      readonly about: True;
      readonly at: number;
      open: boolean;
      /** When. */
      reminders: number[];
      withdrawn: boolean;
    }[] = [];
    for (let day = 0; day < town.days; day++) {
      const at = town.clockAt(day + 1, MORNING_HOUR);
      // It is decided when the readings are judged, and goes out in the morning.
      const isOld = (told: number, hours: number) => town.clockAt(day + 1, DROP_HOUR) - told >= hours * 3600;
      const isDue = (alerted: number, reminders: readonly number[]) =>
        reminders.length === 0
          ? isOld(alerted, REMINDED_AFTER_HOURS)
          : reminders.length === 1 &&
            isOld(alerted, REMINDED_AGAIN_AFTER_HOURS) &&
            isOld(reminders[0]!, REMINDED_AFTER_HOURS);
      const known = trueAnomalies(town, town.homes[home - 1]!, day).filter(({ rule }) =>
        kinds.includes(rule === "spike" ? "high-usage" : "leak"),
      );
      for (const one of known) {
        const age = (town.clockAt(day + 1, DROP_HOUR) - town.instantOf(one.until)) / 3600;
        if (age > MAX_AGE_HOURS) continue;
        const before = told.find(({ about }) => sameAnomaly(about, one));
        if (before === undefined) {
          told.push({ about: one, at, open: one.open, reminders: [], withdrawn: false });
          const tells = one.rule === "spike" ? TELLS.highUsage : one.open ? TELLS.leak : TELLS.leakOver;
          mails.push({ home, tells, at });
        } else if (before.open && one.open && isDue(before.at, before.reminders)) {
          before.reminders.push(at);
          if (one.rule === "continuous-flow") mails.push({ home, tells: TELLS.reminder, at });
        } else if (before.open && !one.open) {
          before.open = false;
          if (one.rule === "continuous-flow") mails.push({ home, tells: TELLS.stopped, at });
        }
      }
      for (const one of told) {
        if (one.withdrawn || known.some((other) => sameAnomaly(one.about, other))) continue;
        one.withdrawn = true;
        mails.push({ home, tells: TELLS.correction, at });
      }
    }
  }
  return mails.sort((a, b) => a.at - b.at || a.home - b.home);
}

function sameAnomaly(a: True, b: True): boolean {
  return a.rule === b.rule && a.from < b.until && b.from < a.until;
}

/** What the mails in the mailbox say, as the outbox knows them by their Message-ID. */
export async function mailsTold(
  town: Town,
  database: Database,
  mails: readonly Mail[],
): Promise<(Told & { readonly mail: Mail })[]> {
  const rows = await database.query<{ id: string; kind: string; told: string | null; rule: string | null }>(
    `SELECT o.outbox_id::text AS id, o.kind, o.told, a.rule FROM outbox o LEFT JOIN anomalies_seen a USING (anomaly)`,
  );
  const outbox = new Map(rows.map((row) => [row.id, row]));
  const homeOf = new Map(town.homes.map(({ email, number }) => [email, number]));
  return mails.map((mail) => {
    const row = outbox.get(/^<?([^@]*)@/.exec(mail.messageId)?.[1] ?? "");
    return {
      home: homeOf.get(mail.to) ?? 0,
      tells: row === undefined ? (mail.subject as Tells) : tellsOf(row),
      at: Math.floor(mail.at / 1000),
      mail,
    };
  });
}

function tellsOf({ kind, told, rule }: { kind: string; told: string | null; rule: string | null }): Tells {
  switch (kind) {
    case "confirmation":
      return TELLS.confirmation;
    case "reminder":
    case "last-reminder":
      return TELLS.reminder;
    case "stopped":
      return TELLS.stopped;
    case "correction":
      return TELLS.correction;
    default:
      if (rule === "spike") return TELLS.highUsage;
      return told === "over" ? TELLS.leakOver : TELLS.leak;
  }
}

/** A mail that was expected, that went out, or both. */
export interface MailLine extends Told {
  readonly expected: boolean;
  readonly sent: boolean;
  /** Number in the mailbox, where it went out. */
  readonly mail: number | undefined;
}

export function compareMails(
  expected: readonly Told[],
  sent: readonly (Told & { readonly mail: Mail })[],
): MailLine[] {
  const left = [...sent];
  const lines = expected.map(({ home, tells, at }): MailLine => {
    const i = left.findIndex((one) => one.home === home && one.tells === tells && one.at === at);
    const [found] = i < 0 ? [] : left.splice(i, 1);
    return { home, tells, at, expected: true, sent: found !== undefined, mail: found?.mail.number };
  });
  const others = left.map(({ home, tells, at, mail }): MailLine => ({
    home,
    tells,
    at,
    expected: false,
    sent: true,
    mail: mail.number,
  }));
  return [...lines, ...others].sort((a, b) => a.at - b.at || a.home - b.home);
}
