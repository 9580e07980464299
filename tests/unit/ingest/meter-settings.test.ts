import fc from "fast-check";
import { settingsOf, type Declared } from "../../../ingest/registry/meter-settings.js";
import { meterMessage, type MeterSetting } from "../../../schemas/meters.js";

const away = (from: number, until: number): Declared => ({ kind: "away", rate: null, from, until });
const normal = (rate: number, from: number, until = Infinity): Declared => ({
  kind: "normal",
  rate,
  from,
  until,
});

it("passes on what the registry says where nobody declared anything", () => {
  const registry: MeterSetting[] = [{ from: 0, class: "commercial" }];
  expect(settingsOf(registry, [])).toBe(registry);
});

it("makes one of periods that overlap or touch", () => {
  expect(settingsOf([], [away(10, 20), away(15, 30), away(30, 40), away(60, 70)])).toEqual([
    { from: 10, away: true },
    { from: 40, away: false },
    { from: 60, away: true },
    { from: 70, away: false },
  ]);
});

it("takes the flow declared last, and the registry's again when it ends", () => {
  const registry: MeterSetting[] = [{ from: 0, class: "always-on", continuousFlowRate: 4000 }];
  expect(settingsOf(registry, [normal(9000, 100, 200), normal(7000, 150, 300)])).toEqual([
    registry[0],
    { from: 100, continuousFlowRate: 9000 },
    { from: 150, continuousFlowRate: 7000 },
    { from: 300, continuousFlowRate: 4000 },
  ]);
  expect(settingsOf([], [normal(9000, 100, 200)])).toEqual([
    { from: 100, continuousFlowRate: 9000 },
    { from: 200, continuousFlowRate: null },
  ]);
});

it("says at each moment what holds then, in a message that the detector takes", () => {
  const period = fc.record({
    kind: fc.constantFrom("away" as const, "on-purpose" as const, "normal" as const, "budget" as const),
    from: fc.integer({ min: 1, max: 100 }),
    length: fc.integer({ min: 0, max: 40 }),
    rate: fc.integer({ min: 1, max: 5 }),
  });
  fc.assert(
    fc.property(fc.array(period, { maxLength: 12 }), fc.integer({ min: 0, max: 160 }), (periods, time) => {
      const declared = periods.map(({ kind, from, length, rate }): Declared => ({
        ...{ kind, from, until: from + length },
        rate: kind === "normal" || kind === "budget" ? rate : null,
      }));
      const settings = settingsOf([], declared);
      meterMessage.parse({ v: 1, utility: "oakvale", meter: "00000000000000aa", settings: [...settings] });
      // Of each kind so many as are kept.
      fc.pre(!["normal", "budget"].some((kind) => declared.filter((one) => one.kind === kind).length > 4));
      fc.pre(!["away", "on-purpose"].some((kind) => declared.filter((one) => one.kind === kind).length > 8));
      const last = (field: keyof MeterSetting) =>
        settings.findLast((one) => one.from <= time && one[field] !== undefined)?.[field];
      const holds = (kind: string) =>
        declared.filter((one) => one.kind === kind && one.from <= time && time < one.until);
      expect(last("away") ?? false).toBe(holds("away").length > 0);
      expect(last("onPurpose") ?? false).toBe(holds("on-purpose").length > 0);
      for (const [kind, field] of [
        ["normal", "continuousFlowRate"],
        ["budget", "budget"],
      ] as const) {
        const rates = holds(kind).sort((a, b) => a.from - b.from);
        expect(last(field) ?? null).toBe(rates.at(-1)?.rate ?? null);
      }
    }),
  );
});

it("keeps what is normal however often they go away, in a message that has room for all", () => {
  const trips = Array.from({ length: 60 }, (_, i) => away(1000 + 20 * i, 1010 + 20 * i));
  const budgets = Array.from({ length: 30 }, (_, i): Declared => ({
    ...{ kind: "budget", rate: 1 + i, from: 100 + i, until: 101 + i },
  }));
  const settings = settingsOf([], [normal(9000, 10), ...budgets, ...trips]);
  meterMessage.parse({ v: 1, utility: "oakvale", meter: "00000000000000aa", settings: [...settings] });
  expect(settings[0]).toEqual({ from: 10, continuousFlowRate: 9000 });
  expect(settings.at(-1)).toEqual({ from: 1010 + 20 * 59, away: false });
});
