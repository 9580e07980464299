import { EVIDENCE_FACTS, type EvidenceName } from "../../../schemas/evidence.js";
import { reference } from "./any-order.js";
import { blockOf, type TestRead } from "./model.js";

const HOUR = 3600;
const FROM = Date.UTC(2026, 0, 1) / 1000;

it("says of each figure that rules tell what it is, as a number or a word", () => {
  const reads: TestRead[] = Array.from({ length: 120 * 24 }, (_, i) => {
    const [day, hour] = [Math.floor(i / 24), i % 24];
    const usual = hour >= 6 && hour < 22 ? 20_000 + ((i * 7919) % 13) * 1_000 : 0;
    const leak = day >= 40 && day < 44 ? 15_000 : 0;
    const burst = day === 60 && hour < 8 ? 900_000 : 0;
    const high = day >= 100 && day < 107 && hour === 12 ? 1_500_000 : 0;
    return { time: FROM + i * HOUR, ml: usual + leak + burst + high };
  });
  const blocks = [];
  for (let at = 0; at < reads.length; at += 24)
    blocks.push(blockOf(reads.slice(at, at + 24), { line: at + 1 }));
  const found = [...reference(blocks).tables.anomalies.values()];
  const rules = new Set(found.map(({ rule }) => rule));
  for (const rule of [
    "leak",
    "burst",
    "high-day",
    "spike",
    "continuous-flow",
    "day-2x",
    "day-3x-5d",
    "kamstrup-12x2h",
  ])
    expect([...rules]).toContain(rule);
  for (const { rule, evidence } of found) {
    for (const [name, value] of Object.entries(evidence)) {
      const fact = EVIDENCE_FACTS[name as EvidenceName] as { measure: string } | undefined;
      expect([rule, name, fact?.measure === "word" ? "string" : "number"]).toEqual([
        rule,
        name,
        typeof value,
      ]);
      expect([rule, name, fact]).not.toEqual([rule, name, undefined]);
    }
  }
});
