import fc from "fast-check";
import {
  decide,
  isReminder,
  refusalForAll,
  sayable,
  type OutboxState,
  type Sent,
  type Told,
} from "../../../notify/decide.js";
import type { AnomalyMessage } from "../../../schemas/anomalies.js";

const HOUR = 3600;
const START = 1_780_000_000;

const anomalyOf = (change: Partial<AnomalyMessage> = {}): AnomalyMessage => ({
  v: 1,
  id: "0".repeat(32),
  version: 1,
  utility: "oakvale",
  meter: "0".repeat(16),
  rule: "continuous-flow",
  ruleVersion: 1,
  state: "opened",
  reason: null,
  start: START,
  end: START + 26 * HOUR,
  detectedAt: START + 24 * HOUR,
  rate: 7000,
  volume: 182_000,
  evidence: {},
  backfill: false,
  ...change,
});
const closed = (change: Partial<AnomalyMessage> = {}) =>
  anomalyOf({ state: "closed", reason: "flow-stopped", version: 2, ...change });

const view = (history: Sent[] = [], change: Partial<Parameters<typeof decide>[1]> = {}) => ({
  from: 0,
  history,
  remindBefore: 0,
  remindAgainBefore: 0,
  hasLouderChannel: false,
  toldOfOverlap: false,
  muted: false,
  overlapHolds: false,
  ...change,
});
const alert = (state: OutboxState, told: Told | null, stage = 0, at: number | null = null): Sent => ({
  kind: "alert",
  state,
  told,
  stage,
  at,
});

describe("for everyone", () => {
  const alerts = { live: true, maxAgeHours: 72 };
  const end = START + 26 * HOUR;

  it.each([
    ["fresh evidence", anomalyOf(), alerts, end + 71 * HOUR, undefined],
    ["evidence older than the limit", anomalyOf(), alerts, end + 73 * HOUR, "old-news"],
    ["a source in backfill", anomalyOf({ backfill: true }), alerts, end, "backfill"],
    ["a utility before its go-live", anomalyOf(), { ...alerts, live: false }, end, "not-live"],
    ["a correction, however old", anomalyOf({ state: "withdrawn" }), alerts, end + 900 * HOUR, undefined],
  ] as const)("%s", (_what, anomaly, policy, now, expected) => {
    expect(refusalForAll(anomaly, policy, now)).toBe(expected);
  });
});

describe("to one contact", () => {
  it("tells an open anomaly once", () => {
    expect(decide(anomalyOf(), view())).toEqual({ send: "alert", stage: 0 });
    for (const state of ["queued", "held"] as const)
      expect(decide(anomalyOf(), view([alert(state, null)]))).toEqual({
        send: undefined,
        reason: "waiting-to-tell",
      });
    for (const state of ["sending", "unknown", "accepted"] as const)
      expect(decide(anomalyOf(), view([alert(state, "open")]))).toEqual({
        send: undefined,
        reason: "already-told",
      });
  });

  it("tells the end of a leak that was told, once", () => {
    expect(decide(closed(), view([alert("accepted", "open")]))).toEqual({ send: "stopped", stage: 0 });
    const stopped: Sent = { kind: "stopped", state: "queued", told: null, stage: 0, at: null };
    expect(decide(closed(), view([alert("accepted", "open"), stopped]))).toMatchObject({
      reason: "already-told",
    });
  });

  it("tells no end that an alert tells itself, nor that of a spike", () => {
    expect(decide(closed(), view([alert("held", null)]))).toMatchObject({ reason: "waiting-to-tell" });
    expect(decide(closed(), view([alert("accepted", "over")]))).toMatchObject({ reason: "already-told" });
    const spike = closed({ rule: "spike", reason: "usage-normal" });
    expect(decide(spike, view([alert("accepted", "open")]))).toMatchObject({ reason: "already-told" });
    expect(decide(spike, view())).toEqual({ send: "alert", stage: 0 });
  });

  it("tells no end after an alert that the mail server refused", () => {
    expect(decide(closed(), view([alert("failed", null)]))).toMatchObject({ reason: "refused-before" });
  });

  it("reminds once of a leak that still runs days after its alert", () => {
    const alerted = [alert("accepted", "open", 0, 1_000)];
    const due = { remindBefore: 1_000 };
    const goesOn = anomalyOf({ version: 3, state: "updated" });
    expect(decide(goesOn, view(alerted, { remindBefore: 999 }))).toMatchObject({ reason: "already-told" });
    expect(decide(goesOn, view(alerted, due))).toEqual({ send: "reminder", stage: 0 });
    for (const state of ["held", "accepted", "delivered"] as const) {
      const reminder: Sent = {
        kind: "reminder",
        state,
        told: state === "held" ? null : "open",
        stage: 0,
        at: null,
      };
      expect(decide(goesOn, view([...alerted, reminder], due))).toMatchObject({ reason: "already-told" });
      // A reminder is no end: that is still to be told.
      expect(decide(closed(), view([...alerted, reminder], due))).toEqual({ send: "stopped", stage: 0 });
    }
    expect(decide(goesOn, view(alerted, { ...due, muted: true }))).toMatchObject({ reason: "muted" });
    expect(decide(goesOn, view(alerted, { ...due, toldOfOverlap: true }))).toMatchObject({
      reason: "already-told",
    });
    expect(decide(anomalyOf({ rule: "spike" }), view(alerted, due))).toMatchObject({
      reason: "already-told",
    });
    expect(decide(goesOn, view([alert("unknown", "open")], due))).toMatchObject({ reason: "already-told" });
  });

  it("reminds a last time of a leak that runs for a week, days after the first reminder, by one channel of a home", () => {
    const reminder: Sent = { kind: "reminder", state: "accepted", told: "open", stage: 0, at: 2_000 };
    const told = [alert("accepted", "open", 0, 1_000), reminder];
    const due = { remindBefore: 2_000, remindAgainBefore: 1_000 };
    const goesOn = anomalyOf({ version: 4, state: "updated" });
    expect(decide(goesOn, view(told, due))).toEqual({ send: "last-reminder", stage: 0 });
    const not = { send: undefined, reason: "already-told" };
    expect(decide(goesOn, view(told, { ...due, remindAgainBefore: 999 }))).toEqual(not);
    expect(decide(goesOn, view(told, { ...due, remindBefore: 1_999 }))).toEqual(not);
    expect(decide(goesOn, view(told, { ...due, hasLouderChannel: true }))).toEqual(not);
    expect(decide(goesOn, view(told, { ...due, muted: true }))).toMatchObject({ reason: "muted" });
    expect(decide(goesOn, view([...told, { ...reminder, kind: "last-reminder", at: 3_000 }], due))).toEqual(
      not,
    );
  });

  it("alerts again when the flow goes on after its end was told", () => {
    const told: Sent[] = [
      alert("accepted", "open"),
      { kind: "stopped", state: "accepted", told: "over", stage: 0, at: null },
    ];
    expect(decide(anomalyOf({ version: 3, state: "updated" }), view(told))).toEqual({
      send: "alert",
      stage: 1,
    });
    expect(decide(anomalyOf({ version: 3, state: "updated" }), view([alert("accepted", "over")]))).toEqual({
      send: "alert",
      stage: 1,
    });
  });

  it("corrects what was told, not what waits, and not while another anomaly holds the time", () => {
    const withdrawn = anomalyOf({ state: "withdrawn", reason: "corrected", version: 2 });
    expect(decide(withdrawn, view([alert("accepted", "open")]))).toEqual({ send: "correction", stage: 0 });
    expect(decide(withdrawn, view([alert("held", null)]))).toMatchObject({ reason: "nothing-told" });
    expect(decide(withdrawn, view([alert("accepted", "open")], { overlapHolds: true }))).toMatchObject({
      reason: "still-holds",
    });
  });

  it("takes up an alert that was put aside before anyone heard of it", () => {
    expect(decide(anomalyOf(), view([alert("suppressed", null)]))).toEqual({ send: "alert", stage: 0 });
    expect(decide(anomalyOf(), view([alert("expired", null)]))).toEqual({ send: "alert", stage: 0 });
  });

  it("tells a new occupant only what a whole day of the own time shows", () => {
    const moved = START + 10 * HOUR;
    expect(decide(anomalyOf(), view([], { from: moved }))).toMatchObject({ reason: "before-occupancy" });
    const later = anomalyOf({ end: moved + 24 * HOUR });
    expect(decide(later, view([], { from: moved }))).toEqual({ send: "alert", stage: 0 });
    expect(decide({ ...later, rule: "spike" }, view([], { from: moved }))).toMatchObject({
      reason: "before-occupancy",
    });
  });
});

it("compares with last year's water only where all of it was the resident's own", () => {
  const ahead = anomalyOf({ rule: "bill-ahead" });
  const since = (days: number) => decide(ahead, view([], { from: START - days * 24 * HOUR }));
  expect(since(397)).toEqual({ send: "alert", stage: 0 });
  expect(since(396)).toMatchObject({ reason: "before-occupancy" });
});

it("says nothing of a month or a frost that is over, and neither reminds nor ends", () => {
  for (const rule of ["bill-ahead", "budget", "freeze-risk"] as const) {
    expect(decide(closed({ rule, reason: "usage-normal" }), view())).toMatchObject({ reason: "past" });
    const told = [alert("accepted", "open", 0, 1_000)];
    expect(decide(closed({ rule, reason: "usage-normal" }), view(told))).toMatchObject({
      reason: "already-told",
    });
    expect(decide(anomalyOf({ rule, state: "updated" }), view(told, { remindBefore: 2_000 }))).toMatchObject({
      reason: "already-told",
    });
    expect(decide(anomalyOf({ rule, state: "withdrawn" }), view(told))).toEqual({
      send: "correction",
      stage: 0,
    });
  }
});

it("takes only a seen dry hour or usual use for an end", () => {
  expect(sayable(closed())).toBe("over");
  expect(sayable(closed({ reason: "no-reads" }))).toBe("reads-stopped");
  expect(sayable(closed({ reason: "rule-changed" }))).toBe("rule-changed");
  expect(sayable(closed({ reason: "declared" }))).toBe("declared");
  expect(sayable(closed({ state: "withdrawn", reason: "declared" }))).toBe("declared");
});

it("never tells anything twice, whatever the order of changes and deliveries", () => {
  const step = fc.record({
    state: fc.constantFrom("opened", "updated", "closed", "withdrawn" as const),
    reason: fc.constantFrom("flow-stopped", "no-reads", "rule-changed", "declared" as const),
    becomes: fc.constantFrom<OutboxState>("accepted", "failed", "suppressed", "expired", "unknown", "held"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      let history: Sent[] = [];
      const told: string[] = [];
      for (const [index, { state, reason, becomes }] of steps.entries()) {
        const anomaly = anomalyOf({
          state,
          version: index + 1,
          reason: state === "closed" ? reason : state === "withdrawn" ? "corrected" : null,
        });
        const decision = decide(
          anomaly,
          view(history, { remindBefore: index - 2, remindAgainBefore: index - 5 }),
        );
        if (decision.send === undefined) continue;
        const { send: kind, stage } = decision;
        const reached = becomes === "accepted" || becomes === "unknown";
        const says = sayable(anomaly) as Told;
        history = history.filter((sent) => !(sent.kind === kind && sent.stage === stage));
        history.push({
          ...{ kind, stage, state: becomes, told: reached ? says : null },
          at: becomes === "accepted" ? index : null,
        });
        if (reached) told.push(`${kind} ${stage} ${says}`);
      }
      expect(new Set(told).size).toBe(told.length);
      // An end or a correction only ever follows an alert, and an alert never follows an alert that still holds.
      let open = false;
      for (const one of told) {
        const [kind, , says] = one.split(" ");
        if (kind === "alert") {
          expect(open).toBe(false);
          open = says === "open";
        } else if (isReminder(kind!)) {
          expect(open).toBe(true);
        } else if (kind === "stopped") {
          expect(open).toBe(true);
          open = false;
        } else open = false;
      }
    }),
    { numRuns: 2_000 },
  );
});
