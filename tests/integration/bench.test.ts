import { Writable } from "node:stream";
import { differencesOf, runBench } from "../../bench/throughput.js";

const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() });

it("the path finds the same reads, flows and spikes in both files of a town as the engine's SQL", async () => {
  const result = await runBench({
    meters: 150,
    days: 21,
    rounds: 1,
    json: false,
    out: nowhere(),
    gate: Infinity,
  });
  expect(result.files.map(({ file }) => file)).toEqual(["long", "wide"]);
  for (const { differences, answers, ratio, ours } of result.files) {
    expect(differences).toEqual([]);
    expect(answers.flows).toBeGreaterThan(0);
    expect(answers.spikes).toBeGreaterThan(0);
    expect(ratio).toBeGreaterThan(0);
    expect(ours.rounds).toHaveLength(1);
  }
  expect(result.exitCode).toBe(0);
}, 120_000);

it("a bench above its gate fails though the answers agree", async () => {
  const { exitCode, files } = await runBench({
    meters: 20,
    days: 4,
    rounds: 1,
    json: true,
    out: nowhere(),
    gate: 0,
  });
  expect(files.flatMap(({ differences }) => differences)).toEqual([]);
  expect(exitCode).toBe(1);
}, 120_000);

it("a read, a volume or an anomaly on one side alone is a difference, and so is one found twice", () => {
  const flow = { rule: "continuous-flow", start: 0, end: 86_400, volume: 24_000 };
  const answers = { reads: 100, volume: 50_000, anomalies: [flow] };
  expect(differencesOf(answers, answers)).toEqual([]);
  expect(differencesOf({ ...answers, reads: 99 }, answers)).toHaveLength(1);
  expect(differencesOf({ ...answers, volume: 50_001 }, answers)).toHaveLength(1);
  expect(differencesOf({ ...answers, anomalies: [] }, answers)).toHaveLength(1);
  expect(differencesOf({ ...answers, anomalies: [flow, flow] }, answers)).toHaveLength(1);
  expect(differencesOf({ ...answers, anomalies: [{ ...flow, end: 90_000 }] }, answers)).toHaveLength(2);
});
