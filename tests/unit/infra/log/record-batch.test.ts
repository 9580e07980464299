import fc from "fast-check";
import { decodeBatch, encodeBatch, slices, valueBytes } from "../../../../infra/log/record-batch.js";

const record = fc.record({
  key: fc.string({ unit: "grapheme", maxLength: 20 }),
  value: fc.option(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.nat(20_000).map((length) => new Uint8Array(length)),
    ),
  ),
});
/** Records whose offsets may have holes, as compaction leaves them. */
const batch = fc.array(fc.tuple(record, fc.integer({ min: 1, max: 3 })), { maxLength: 30 }).map((pairs) => {
  let delta = -1;
  return pairs.map(([{ key, value }, step]) => ({ key, value, delta: (delta += step) }));
});

it("gives back every record with its offset, from any offset on", async () => {
  await fc.assert(
    fc.asyncProperty(batch, fc.nat(1_000_000), fc.nat(60), async (records, base, skip) => {
      const found = await decodeBatch(await encodeBatch(records), base, base + skip, "reads/0");
      const expected = records.filter(({ delta }) => delta >= skip);
      expect(found.map(({ offset, key }) => [offset, key])).toEqual(
        expected.map(({ delta, key }) => [base + delta, key]),
      );
      for (const [index, { value }] of expected.entries())
        expect(value === null ? null : Buffer.from(value)).toEqual(
          found[index]!.value === null ? null : Buffer.from(found[index]!.value),
        );
    }),
  );
});

it("refuses a batch in which any byte was changed or cut off", async () => {
  await fc.assert(
    fc.asyncProperty(
      batch.filter(({ length }) => length > 0),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      fc.boolean(),
      async (records, place, change, cut) => {
        const stored = await encodeBatch(records);
        const at = place % stored.length;
        const damaged = cut ? stored.subarray(0, at) : Buffer.from(stored);
        if (!cut) damaged[at] = damaged[at]! ^ change;
        await expect(decodeBatch(damaged, 7, 0, "reads/0")).rejects.toThrow(
          /^reads\/0: record batch at offset 7 (is damaged|has an unknown format)/,
        );
      },
    ),
  );
});

it("compresses what repeats", async () => {
  const value = Buffer.from(JSON.stringify(Array.from({ length: 2_000 }, () => 12)));
  const stored = await encodeBatch([{ key: "a", value, delta: 0 }]);
  expect(stored.length).toBeLessThan(value.length / 10);
});

it("cuts records into slices within the bound, in order, a larger one alone", () => {
  fc.assert(
    fc.property(batch, fc.integer({ min: 1, max: 5_000 }), (records, bound) => {
      const all = records.map(({ key, value, delta }) => ({ key, value, offset: delta }));
      const cut = [...slices(all, bound)];
      expect(cut.flat()).toEqual(all);
      for (const [index, slice] of cut.entries()) {
        expect(slice.length).toBeGreaterThan(0);
        if (slice.length > 1) expect(valueBytes(slice)).toBeLessThanOrEqual(bound);
        const next = cut[index + 1];
        if (next !== undefined) expect(valueBytes([...slice, next[0]!])).toBeGreaterThan(bound);
      }
    }),
  );
});
