import { isOfMonth, kindOf, type AnomalyMessage } from "../schemas/anomalies.js";
import type { ConsentKind } from "./consent/wording.js";

/** `reminder`: water still runs, days after the alert or when the resident asked to hear again; `last-reminder`: after a week. */
export type AlertKind = "alert" | "reminder" | "last-reminder" | "stopped" | "correction";
/** `notice`: texts about a home have ended; `service`: a notice that is due by law or contract; `mailing`: what else was asked for. */
export type MessageKind = AlertKind | "confirmation" | "reply" | "notice" | "service" | "mailing";
/** What a message says of the anomaly: that it goes on, that it is over, that it never was. */
export type Told = "open" | "over" | "withdrawn";
export type OutboxState =
  "queued" | "held" | "sending" | "accepted" | "delivered" | "failed" | "suppressed" | "expired" | "unknown";

/** A message of the outbox about the anomaly in question, to the contact in question. */
export interface Sent {
  readonly kind: AlertKind;
  readonly stage: number;
  readonly state: OutboxState;
  /** `null` as long as no attempt can have reached the resident. */
  readonly told: Told | null;
  /** When it was accepted, UTC seconds; `null`: not, or not known. */
  readonly at: number | null;
}

/** Why nothing is sent. */
export type Refusal =
  | "backfill"
  | "not-live"
  | "old-news"
  | "no-consent"
  | "before-occupancy"
  | "already-told"
  | "waiting-to-tell"
  | "refused-before"
  | "reads-stopped"
  | "rule-changed"
  | "declared"
  | "corrected"
  | "nothing-told"
  | "still-holds"
  | "muted"
  | "past";

export type Decision =
  | { readonly send: AlertKind; readonly stage: number }
  | { readonly send: undefined; readonly reason: Refusal };

const SECONDS_AN_HOUR = 3600;
/** A leak's rate is the lowest hour of its last 24: after so long an occupancy, none of them is a former occupant's. */
const RATE_WINDOW_SECONDS = 24 * SECONDS_AN_HOUR;

/** What holds for everyone: `undefined` where residents may be told. `now` in UTC seconds. */
export function refusalForAll(
  anomaly: AnomalyMessage,
  alerts: { readonly live: boolean; readonly maxAgeHours: number },
  now: number,
): Refusal | undefined {
  if (anomaly.backfill) return "backfill";
  if (!alerts.live) return "not-live";
  // That we were wrong stays true with time; that water runs does not.
  if (anomaly.state !== "withdrawn" && isOldNews(anomaly, alerts, now)) return "old-news";
  return undefined;
}

function isOldNews(
  anomaly: AnomalyMessage,
  { maxAgeHours }: { readonly maxAgeHours: number },
  now: number,
): boolean {
  return now - anomaly.end > maxAgeHours * SECONDS_AN_HOUR;
}

/** What is compared with the same month of last year tells of all of that month. */
const COMPARED_SECONDS = (366 + 31) * 24 * SECONDS_AN_HOUR;

/**
 * Whether a resident whose occupancy began at `from` (UTC seconds) may hear of an anomaly. One that began before is a
 * former occupant's, save a leak whose last 24 hours are the resident's own: it is told without what lies before.
 */
export function concernsOccupant({ rule, start, end }: AnomalyMessage, from: number): boolean {
  if (rule === "bill-ahead") return start - COMPARED_SECONDS >= from;
  return start >= from || (kindOf(rule) === "leak" && end - from >= RATE_WINDOW_SECONDS);
}

/** Whether a message keeps to the hours in which residents are written to: not the alert of a burst to whom wants it at any hour. */
export function waitsForHours(message: MessageKind, consent: ConsentKind | null): boolean {
  return message !== "confirmation" && message !== "reply" && !(message === "alert" && consent === "burst");
}

/** What an alert would say now; a refusal where it has nothing left to say. */
export function sayable(anomaly: AnomalyMessage): Told | Refusal {
  // Whoever said that the water is as it should be is not told that it stopped, nor that we were wrong.
  if (anomaly.reason === "declared") return "declared";
  if (anomaly.state === "withdrawn") return "withdrawn";
  if (anomaly.state !== "closed") return "open";
  // Whoever was not warned of a frost, or of a month, in time has nothing to do any more.
  if (kindOf(anomaly.rule) === "freeze" || isOfMonth(anomaly.rule)) return "past";
  // Silence of the meter is no proof that the water stopped.
  if (anomaly.reason === "no-reads") return "reads-stopped";
  if (anomaly.reason === "rule-changed" || anomaly.reason === "corrected") return anomaly.reason;
  return "over";
}

export interface RecipientView {
  /** Since when meter, premise and account belong together, UTC seconds. */
  readonly from: number;
  readonly history: readonly Sent[];
  /** UTC seconds: a leak whose alert is older is due a reminder. */
  readonly remindBefore: number;
  /** UTC seconds: where the alert is older and the reminder as old as for the first, the last one is due. */
  readonly remindAgainBefore: number;
  /** The last reminder goes by another channel of the same home. */
  readonly hasLouderChannel: boolean;
  /** The contact was told of another anomaly of this meter that overlaps this one and speaks for it. */
  readonly toldOfOverlap: boolean;
  /** The contact said that it knows of such a flow, and that still holds. */
  readonly muted: boolean;
  /** Another anomaly of this meter that speaks for this one still holds and overlaps it. */
  readonly overlapHolds: boolean;
}

/**
 * What one consenting contact is to be told of an anomaly as it stands now.
 *
 * An open one is told once, whenever the contact first may hear of it; a leak that still runs days later once more; again (next
 * stage) only if an end was told and the water runs on. One that ended before it could be told is told once, as over: it is on the bill. The end of a leak
 * that was told is told once, if the flow is known to have stopped; the end of high usage says nothing new. What was told and
 * never was is corrected once.
 */
export function decide(anomaly: AnomalyMessage, view: RecipientView): Decision {
  const history = view.history.filter((sent) => !neverLeft(sent));
  const latest = history
    .filter(({ kind }) => kind === "alert")
    .reduce<Sent | undefined>(
      (last, sent) => (last === undefined || sent.stage > last.stage ? sent : last),
      undefined,
    );
  const says = sayable(anomaly);
  if (says === "withdrawn") return decideCorrection(latest, history, view);
  if (latest === undefined) {
    if (says !== "open" && says !== "over") return not(says);
    if (!concernsOccupant(anomaly, view.from)) return not("before-occupancy");
    if (view.toldOfOverlap) return not("already-told");
    if (view.muted) return not("muted");
    return { send: "alert", stage: 0 };
  }
  if (latest.state === "failed") return not("refused-before");
  if (latest.told === null) return not("waiting-to-tell");
  const { stage } = latest;
  const ends = history.filter((sent) => isEnd(sent.kind) && sent.stage === stage);
  if (says === "open") {
    const endTold = latest.told === "over" || ends.some(({ told }) => told !== null);
    if (!endTold) return decideReminder(anomaly, latest, history, view);
    return view.muted ? not("muted") : { send: "alert", stage: stage + 1 };
  }
  if (latest.told === "over" || kindOf(anomaly.rule) !== "leak") return not("already-told");
  if (says !== "over") return not(says);
  return ends.length > 0 ? not("already-told") : { send: "stopped", stage };
}

/** A leak that goes on is told once more, some days after its alert, and again after a week, unless another message speaks for it. */
function decideReminder(
  anomaly: AnomalyMessage,
  { stage, at }: Sent,
  history: readonly Sent[],
  view: RecipientView,
): Decision {
  const sentAs = (kind: AlertKind) => history.find((sent) => sent.kind === kind && sent.stage === stage);
  const isBefore = (time: number | null, limit: number) => time !== null && time <= limit;
  const first = sentAs("reminder");
  const send = first === undefined ? "reminder" : "last-reminder";
  const due =
    send === "reminder"
      ? isBefore(at, view.remindBefore)
      : isBefore(at, view.remindAgainBefore) &&
        isBefore(first!.at, view.remindBefore) &&
        !view.hasLouderChannel &&
        sentAs("last-reminder") === undefined;
  if (kindOf(anomaly.rule) !== "leak" || !due || view.toldOfOverlap) return not("already-told");
  return view.muted ? not("muted") : { send, stage };
}

function isEnd(kind: AlertKind): boolean {
  return kind === "stopped" || kind === "correction";
}

function decideCorrection(latest: Sent | undefined, history: readonly Sent[], view: RecipientView): Decision {
  if (latest === undefined || latest.told === null) return not("nothing-told");
  if (view.overlapHolds) return not("still-holds");
  const corrected = history.some(({ kind, stage }) => kind === "correction" && stage === latest.stage);
  return corrected ? not("already-told") : { send: "correction", stage: latest.stage };
}

export function isReminder(kind: string): kind is "reminder" | "last-reminder" {
  return kind === "reminder" || kind === "last-reminder";
}

/** Taken back before any attempt: as if it had never been. */
function neverLeft({ state, told }: Sent): boolean {
  return told === null && (state === "suppressed" || state === "expired");
}

function not(reason: Refusal): Decision {
  return { send: undefined, reason };
}
