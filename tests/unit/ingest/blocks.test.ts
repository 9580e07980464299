import fc from "fast-check";
import { BlockBuilder } from "../../../ingest/blocks.js";
import { deliveredAt, MAX_BLOCK_READS, sequenceAt, type ReadsBlock } from "../../../schemas/reads.js";

const HOUR = 3600;
const DAY = 24 * HOUR;
const SPAN = 28 * DAY;
const START = Date.UTC(2026, 0, 1) / 1000;

function builder(lateUntil = -Infinity): BlockBuilder {
  return new BlockBuilder({
    utility: "oakvale",
    source: "ami",
    file: 1,
    backfill: false,
    lateUntil,
    resolution: 0,
    digits: 0,
  });
}

type Read = readonly [
  time: number,
  length: number,
  ml: number | null,
  delivered: number | null,
  flags: number,
  line: number,
];

/** Reads of a block, one by one. */
function readsOf(block: Omit<ReadsBlock, "meter" | "register">): Read[] {
  const whole = { ...block, meter: "", register: 0 };
  const at = (of: number | readonly number[], i: number) => (typeof of === "number" ? of : of[i]!);
  return whole.ml.map((ml, i) => [
    sequenceAt(whole.time, i),
    at(whole.length!, i),
    ml,
    deliveredAt(whole, i),
    at(whole.flags, i),
    sequenceAt(whole.line, i),
  ]);
}

function seriesIn(blocks: BlockBuilder) {
  const series = blocks.series("M-1", "", "", "usage");
  series.unit = "L";
  series.mlPerUnit = 1000;
  return series;
}

it("counts late reads alike, a day at once and one by one; those without a value are none", () => {
  const hours = Array.from({ length: 24 }, (_, i) => i);
  const litres = Float64Array.from(hours);
  for (const step of [HOUR, 2 * HOUR]) {
    for (let until = START - 2; until < START + 60 * HOUR; until += HOUR / 2) {
      const [whole, single] = [builder(until), builder(until)];
      const [a, b] = [seriesIn(whole), seriesIn(single)];
      whole.readAll(a, START, step, HOUR, litres, litres, 24, 0, 2);
      for (const i of hours) single.read(b, START + i * step, HOUR, i, i, 0, 2);
      single.read(b, START - HOUR, HOUR, null, null, 0, 2);
      expect(whole.lateReads).toBe(hours.filter((i) => START + i * step + HOUR <= until).length);
      expect(single.lateReads).toBe(whole.lateReads);
    }
  }
});

it("makes one block of 28 days of rows with 24 columns, whose lines are told once", () => {
  const blocks = builder();
  const series = seriesIn(blocks);
  const litres = Float64Array.from({ length: 24 }, (_, i) => i);
  const ml = litres.map((value) => value * 1000);
  for (let day = 0; day < 30; day++)
    blocks.readAll(series, START + day * DAY, HOUR, HOUR, ml, litres, 24, 0, 2 + day);
  blocks.finish();
  expect(
    blocks.ready.map(({ block: { count, time, line, length, flags } }) => [count, time, line, length, flags]),
  ).toEqual([
    [672, { from: START, step: HOUR }, { from: 2, step: 1, repeat: 24 }, HOUR, 0],
    [48, { from: START + SPAN, step: HOUR }, { from: 30, step: 1, repeat: 24 }, HOUR, 0],
  ]);
});

it("tells of a meter before the file ends, once the file has gone on to others", () => {
  const blocks = builder();
  const [one, other, short] = ["M-1", "M-2", "M-3"].map((meter) => {
    const series = blocks.series(meter, "", "", "usage");
    series.unit = "L";
    series.mlPerUnit = 1000;
    return series;
  });
  let line = 2;
  const read = (series: typeof one, from: number, count: number) => {
    for (let i = from; i < from + count; i++)
      blocks.read(series!, START + i * HOUR, HOUR, 1000, 1, 0, line++);
  };
  const told = () => blocks.ready.splice(0).map(({ meterId, block: { count } }) => [meterId, count]);
  read(one, 0, 100);
  read(short, 0, 99);
  blocks.pause();
  expect(told()).toEqual([]);
  read(other, 0, 100);
  read(one, 100, 1);
  blocks.pause();
  expect(told()).toEqual([]);
  read(other, 100, 67);
  blocks.pause();
  expect(told()).toEqual([["M-1", 101]]);
  read(one, 101, 1);
  read(other, 167, 1);
  blocks.pause();
  expect(told()).toEqual([["M-2", 168]]);
  blocks.finish();
  expect(told().toSorted()).toEqual([
    ["M-1", 1],
    ["M-3", 99],
  ]);
  blocks.finish();
  expect(told()).toEqual([]);
});

it("keeps every read, however they come, in blocks of 28 days at most, in order of time", () => {
  const row = fc.record({
    hour: fc.nat(24 * 80),
    pause: fc.boolean(),
    count: fc.constantFrom(1, 1, 24),
    minutes: fc.constantFrom(15, 60),
    flags: fc.constantFrom(0, 0, 1),
    litres: fc.constantFrom(0, 1.5, 7, 0.0004),
    gap: fc.boolean(),
    unit: fc.constantFrom("L", "L", "L", "gal"),
  });
  const inOrder = fc.boolean();
  fc.assert(
    fc.property(fc.array(row, { maxLength: 60 }), inOrder, (rows, sorted) => {
      const blocks = builder();
      const series = seriesIn(blocks);
      const expected: Read[] = [];
      if (sorted) rows = rows.toSorted((a, b) => a.hour - b.hour);
      for (const [i, { hour, pause, count, minutes, flags, litres, gap, unit }] of rows.entries()) {
        const line = 2 + i;
        const time = START + hour * HOUR;
        const seconds = minutes * 60;
        series.unit = unit;
        series.mlPerUnit = unit === "L" ? 1000 : 3785.411784;
        const ml = Math.round(litres * series.mlPerUnit);
        for (let n = 0; n < count; n++) expected.push([time + n * seconds, seconds, ml, litres, flags, line]);
        const values = (value: number) => new Float64Array(count).fill(value);
        blocks.readAll(series, time, seconds, seconds, values(ml), values(litres), count, flags, line);
        if (pause) blocks.pause();
        if (!gap) continue;
        blocks.read(series, time, HOUR, null, null, flags, line);
        expected.push([time, HOUR, null, null, flags, line]);
      }
      blocks.finish();
      const reads: Read[] = [];
      for (const { block } of blocks.ready) {
        const list = readsOf(block);
        const times = list.map(([time]) => time);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        expect(times.at(-1)! - times[0]!).toBeLessThan(SPAN);
        expect(list.length).toBeLessThanOrEqual(MAX_BLOCK_READS);
        expect(block.count).toBe(list.length);
        reads.push(...list);
      }
      const ordered = (list: readonly Read[]) => list.map(String).toSorted();
      expect(ordered(reads)).toEqual(ordered(expected));
    }),
    { numRuns: 300 },
  );
});
