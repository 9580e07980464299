import fc from "fast-check";
import { BlockText } from "../../../ingest/block-text.js";
import type { RawBlock } from "../../../ingest/blocks.js";
import { readsBlock, readsMessage } from "../../../schemas/reads.js";
import { blockMessage, rawBlocks } from "../../harness/blocks.js";

const METER = "0123456789abcdef";
const parsed = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString("utf8"));

it("a block's text is the JSON of its fields, whatever numbers it holds", () => {
  const text = new BlockText();
  fc.assert(
    fc.property(rawBlocks, fc.nat(65_535), (raw, register) => {
      const expected: unknown = JSON.parse(JSON.stringify({ ...raw.block, meter: METER, register }));
      expect(parsed(blockMessage(text, raw, METER, register))).toEqual(expected);
    }),
  );
});

it("a text that was handed out does not change when others are made", () => {
  const text = new BlockText();
  fc.assert(
    fc.property(fc.array(rawBlocks, { minLength: 2, maxLength: 5 }), (blocks) => {
      const made = blocks.map((raw: RawBlock) => blockMessage(text, raw, METER, 1));
      const before = made.map((bytes) => Buffer.from(bytes).toString("utf8"));
      for (let i = 0; i < 50; i++) for (const raw of blocks) blockMessage(text, raw, METER, i);
      expect(made.map((bytes) => Buffer.from(bytes).toString("utf8"))).toEqual(before);
    }),
    { numRuns: 20 },
  );
});

it("the check by hand takes every block that the schema takes, as it is", () => {
  fc.assert(
    fc.property(rawBlocks, ({ block }) => {
      const message = { ...block, meter: METER, register: 0 };
      const checked = readsMessage.safeParse(message);
      expect(checked.success).toBe(true);
      expect(checked.data).toEqual(readsBlock.parse(message));
    }),
  );
});

it("the check by hand takes nothing that the schema refuses", () => {
  const values = fc.oneof(
    fc.constantFrom(undefined, null, true, "", "L", "UTILITY", -1, 0.5, NaN, Infinity, 2 ** 53, [], {}),
    fc.constantFrom([null], [0.5], ["1"], [-1], { from: 1 }, { from: 0.5, step: 1 }, 1_501),
    fc.array(fc.oneof(fc.integer(), fc.double(), fc.constant(null)), { maxLength: 30 }),
  );
  const fields = ["v", "utility", "source", "meter", "channel", "kind", "file", "register", "unit"].concat(
    ["mlPerUnit", "resolution", "modulus", "count", "time", "length", "ml", "delivered", "flags"],
    ["backfill", "line"],
  );
  fc.assert(
    fc.property(rawBlocks, fc.constantFrom(...fields), values, ({ block }, field, value) => {
      const message = { ...block, meter: METER, register: 0, [field]: value };
      expect(readsMessage.safeParse(message).success).toBe(readsBlock.safeParse(message).success);
    }),
    { numRuns: 2_000 },
  );
});
