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
    kind: fc.constantFrom("away" as const, "on-purpose" as const, "normal" as const),
    from: fc.integer({ min: 1, max: 100 }),
    length: fc.integer({ min: 0, max: 40 }),
    rate: fc.integer({ min: 1, max: 5 }),
  });
  fc.assert(
    fc.property(fc.array(period, { maxLength: 24 }), fc.integer({ min: 0, max: 160 }), (periods, time) => {
      const declared = periods.map(({ kind, from, length, rate }): Declared => ({
        ...{ kind, from, until: from + length },
        rate: kind === "normal" ? rate : null,
      }));
      const settings = settingsOf([], declared);
      meterMessage.parse({ v: 1, utility: "oakvale", meter: "00000000000000aa", settings: [...settings] });
      const last = (field: keyof MeterSetting) =>
        settings.findLast((one) => one.from <= time && one[field] !== undefined)?.[field];
      const holds = (kind: string) =>
        declared.filter((one) => one.kind === kind && one.from <= time && time < one.until);
      expect(last("away") ?? false).toBe(holds("away").length > 0);
      expect(last("onPurpose") ?? false).toBe(holds("on-purpose").length > 0);
      const rates = holds("normal").sort((a, b) => a.from - b.from);
      expect(last("continuousFlowRate") ?? null).toBe(rates.at(-1)?.rate ?? null);
    }),
  );
});
