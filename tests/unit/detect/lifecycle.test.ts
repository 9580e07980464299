import { diffAnomalies, isNamedBy, type Known } from "../../../detect/lifecycle.js";
import type { Found } from "../../../detect/rules/rule.js";
import { anomalyMessage } from "../../../schemas/anomalies.js";
import { METER, UTILITY } from "./model.js";

const owner = { utility: UTILITY, meter: METER, class: undefined, backfill: false, moved: 0 };
const both = { rules: new Set(["continuous-flow", "spike"] as const) };

function flow(start: number, end: number, closed: Found["closed"] = null): Found {
  return {
    rule: "continuous-flow",
    ruleVersion: 1,
    start,
    end,
    detectedAt: start + 24,
    rate: 5000,
    volume: (end - start) * 5000,
    closed,
    evidence: {},
  };
}

/** Each list is what is found after one more block. */
function tell(...lists: readonly (readonly Found[])[]) {
  let known: Known[] = [];
  return lists.map((found) => {
    const next = diffAnomalies(known, found, owner, both);
    known = next.known;
    for (const message of next.messages) expect(() => anomalyMessage.parse(message)).not.toThrow();
    return next.messages.map(({ id, version, state, reason, start, end }) => ({
      id,
      version,
      state,
      reason,
      start,
      end,
    }));
  });
}

it("opens, updates and closes under one id with versions that grow by one", () => {
  const [opened, updated, closed, again] = tell(
    [flow(0, 24)],
    [flow(0, 30)],
    [flow(0, 31, "flow-stopped")],
    [flow(0, 31, "flow-stopped")],
  );
  expect(opened).toMatchObject([{ version: 1, state: "opened", reason: null }]);
  expect(updated).toMatchObject([{ id: opened![0]!.id, version: 2, state: "updated" }]);
  expect(closed).toMatchObject([
    { id: opened![0]!.id, version: 3, state: "closed", reason: "flow-stopped", end: 31 },
  ]);
  expect(again).toEqual([]);
});

it("keeps the id when late reads move start or end, and opens a closed one again", () => {
  const [opened, moved, reopened] = tell(
    [flow(10, 40, "flow-stopped")],
    [flow(5, 40, "flow-stopped")],
    [flow(5, 60)],
  );
  expect(moved).toMatchObject([{ id: opened![0]!.id, version: 2, state: "closed", start: 5 }]);
  expect(reopened).toMatchObject([{ id: opened![0]!.id, version: 3, state: "updated", reason: null }]);
});

it("gives the id to the first part when one is split, a new one to the second", () => {
  const [opened, split] = tell([flow(0, 100)], [flow(0, 40, "flow-stopped"), flow(60, 100)]);
  expect(split).toMatchObject([
    { id: opened![0]!.id, version: 2, state: "closed" },
    { version: 1, state: "opened", start: 60 },
  ]);
  expect(split![1]!.id).not.toBe(opened![0]!.id);
});

it("keeps the older id when two are joined and withdraws the other", () => {
  const [two, joined] = tell([flow(0, 40, "flow-stopped"), flow(60, 100)], [flow(0, 100)]);
  expect(joined).toMatchObject([
    { id: two![0]!.id, version: 2, state: "updated", end: 100 },
    { id: two![1]!.id, version: 2, state: "withdrawn", reason: "corrected" },
  ]);
});

it("withdraws once what later reads deny, and takes the id again with a higher version when it comes back", () => {
  const [opened, withdrawn, silent, back] = tell([flow(0, 30)], [], [], [flow(0, 33)]);
  expect(withdrawn).toMatchObject([{ id: opened![0]!.id, version: 2, state: "withdrawn" }]);
  expect(silent).toEqual([]);
  expect(back).toMatchObject([{ id: opened![0]!.id, version: 3, state: "opened" }]);
});

it("never gives one id to two that live at once", () => {
  // The first moves away from its start with its id; another begins there.
  const [opened, after] = tell([flow(50, 90)], [flow(40, 49, "flow-stopped"), flow(50, 90)]);
  const moved = tell(
    [flow(50, 90)],
    [flow(20, 60, "flow-stopped"), flow(61, 90)],
    [flow(20, 49, "flow-stopped"), flow(50, 60, "flow-stopped"), flow(61, 90)],
  );
  expect(new Set([...opened!, ...after!].map(({ id }) => id)).size).toBe(2);
  const ids = moved.flat().map(({ id }) => id);
  expect(moved[2]).toMatchObject([
    { id: ids[0], start: 20 },
    { start: 50, version: 1 },
  ]);
  expect(moved[2]![1]!.id).not.toBe(ids[0]);
});

it("does not take a spike for a continuous flow at the same time", () => {
  const spike: Found = { ...flow(10, 12), rule: "spike" };
  const [, second] = tell([flow(0, 40)], [flow(0, 40), spike]);
  expect(second).toMatchObject([{ version: 1, state: "opened", start: 10 }]);
});

it("closes what a rule left open that is not judged any more, and leaves what it had closed", () => {
  const { known } = diffAnomalies([], [flow(0, 40, "flow-stopped"), flow(60, 100)], owner, both);
  const ended = diffAnomalies(known, [], owner, { rules: new Set(["spike"]) });
  expect(ended.messages).toMatchObject([
    { id: known[1]!.id, version: 2, state: "closed", reason: "rule-changed" },
  ]);
  expect(diffAnomalies(ended.known, [], owner, { rules: new Set(["spike"]) }).messages).toEqual([]);
  // Judged again later, it is no judge of what it said before.
  const since = new Map([["continuous-flow", known[1]!.found.end]] as const);
  expect(diffAnomalies(ended.known, [], owner, { ...both, since }).messages).toEqual([]);
  // Not even where nothing came while it was not judged.
  expect(diffAnomalies(known, [], owner, { ...both, since }).messages).toMatchObject([
    { id: known[1]!.id, state: "closed", reason: "rule-changed" },
  ]);
});

it("says of which class the meter is known to be", () => {
  const classOf = (known: "commercial" | undefined) =>
    diffAnomalies([], [flow(0, 40)], { ...owner, class: known }, both).messages[0]!.class;
  expect([classOf("commercial"), classOf(undefined)]).toEqual(["commercial", undefined]);
});

it("says when the source was in backfill", () => {
  const { messages } = diffAnomalies([], [flow(0, 40)], { ...owner, backfill: true }, both);
  expect(messages).toMatchObject([{ backfill: true }]);
});

it("gives no id again whose anomaly moved away from its start and is forgotten", () => {
  const [opened] = diffAnomalies([], [flow(60, 100)], owner, both).known;
  expect(isNamedBy(METER, opened!)).toBe(true);
  const [moved] = diffAnomalies([opened!], [flow(20, 100)], owner, both).known;
  expect(moved!.id).toBe(opened!.id);
  expect(isNamedBy(METER, moved!)).toBe(false);
  const again = diffAnomalies([], [flow(60, 100)], { ...owner, moved: 1 }, both).known;
  expect(again[0]!.id).not.toBe(opened!.id);
});
