import fc from "fast-check";
import { BlockText, nameMeter } from "../../ingest/block-text.js";
import type { RawBlock } from "../../ingest/blocks.js";

const counted = (count: number) => {
  const each = <T>(value: fc.Arbitrary<T>) => fc.array(value, { minLength: count, maxLength: count });
  const sequence = fc.oneof(
    fc.record(
      { from: fc.nat(4_000_000_000), step: fc.integer(), repeat: fc.integer({ min: 1, max: 96 }) },
      { noNullPrototype: true, requiredKeys: ["from", "step"] },
    ),
    each(fc.nat(4_000_000_000)),
  );
  const ml = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.constant(null));
  const delivered = fc.oneof(
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constant(null),
  );
  const common = {
    v: fc.constant(1 as const),
    utility: fc.constantFrom("oakvale", "a-1"),
    source: fc.constant("ami"),
    channel: fc.constantFrom("", "high", "ü"),
    file: fc.integer({ min: 1 }),
    unit: fc.constantFrom("L", "m³", 'a"b'),
    mlPerUnit: fc.constantFrom(1, 1_000, 3785.411784, 28_316.846592),
    resolution: fc.nat(),
    modulus: fc.maxSafeNat(),
    count: fc.constant(count),
    time: sequence,
    ml: each(ml),
    flags: fc.oneof(fc.nat(16_383), each(fc.nat(16_383))),
    line: sequence,
  };
  const maybe = { delivered: each(delivered), backfill: fc.boolean() };
  const length = fc.oneof(fc.nat(86_400), each(fc.nat(86_400)));
  const required = Object.keys(common) as (keyof typeof common)[];
  return fc.oneof(
    fc.record(
      { ...common, ...maybe, kind: fc.constantFrom("usage" as const, "bill" as const), length },
      { requiredKeys: [...required, "kind", "length"], noNullPrototype: true },
    ),
    fc.record(
      { ...common, ...maybe, kind: fc.constant("register" as const) },
      { requiredKeys: [...required, "kind"], noNullPrototype: true },
    ),
  );
};

/** Blocks of every form that the schema allows, of a meter that has no name. */
export const rawBlocks: fc.Arbitrary<RawBlock> = fc
  .integer({ min: 1, max: 30 })
  .chain(counted)
  .map((block) => ({ meterId: "M", serial: "", block }));

/** The message of a block, as it is published. */
export function blockMessage(text: BlockText, raw: RawBlock, meter: string, register: number): Buffer {
  const portion = text.portionOf([register > 0 ? { ...raw, serial: "S" } : raw]);
  const bytes = Buffer.from(portion.text.buffer);
  nameMeter(bytes, portion.keysAt[0]!, meter, register);
  return bytes;
}
