import fc from "fast-check";
import { BlockReader } from "../../../detect/block-reader.js";
import { BlockText } from "../../../ingest/block-text.js";
import { readsBlock, type ReadsBlock } from "../../../schemas/reads.js";
import { blockMessage, rawBlocks } from "../../harness/blocks.js";

const METER = "0123456789abcdef";

function parsed(bytes: Uint8Array): ReadsBlock | undefined {
  try {
    return readsBlock.safeParse(JSON.parse(Buffer.from(bytes).toString("utf8"))).data;
  } catch {
    return undefined;
  }
}

it("reads every block of a file whose first one it saw, as the schema reads it", () => {
  let read = 0;
  fc.assert(
    fc.property(rawBlocks, rawBlocks, fc.nat(65_535), (first, second, register) => {
      const reader = new BlockReader();
      const text = new BlockText();
      const { kind } = first.block;
      const plain = { ...second.block };
      delete plain.length;
      const length = first.block.kind === "usage" ? { length: second.block.length ?? 3600 } : {};
      const { utility, source, channel, file, unit, mlPerUnit, resolution, modulus, backfill } = first.block;
      const head = { utility, source, channel, kind, file, unit, mlPerUnit, resolution, modulus };
      const block = { ...plain, ...head, ...length };
      if (backfill === undefined) delete block.backfill;
      else block.backfill = backfill;
      const bytes = blockMessage(text, first, METER, 0);
      reader.learn(parsed(bytes)!, bytes);
      const next = blockMessage(text, { ...second, block }, METER, register);
      const found = reader.read(next);
      if (found === undefined) return;
      read++;
      expect(found).toEqual(parsed(next));
    }),
    { numRuns: 500 },
  );
  // It leaves numbers of more than 15 digits to the schema, and most of these blocks have one.
  expect(read).toBeGreaterThan(30);
});

it("never reads what the schema refuses, nor otherwise than the schema, whatever the bytes", () => {
  let taken = 0;
  const edits = fc.array(
    fc.tuple(fc.nat(2_000), fc.constantFrom(...'0123456789-+.,:[]{}"nulef \\'.split(""))),
    {
      minLength: 1,
      maxLength: 3,
    },
  );
  fc.assert(
    fc.property(rawBlocks, edits, fc.boolean(), (raw, changes, cutOff) => {
      const reader = new BlockReader();
      const text = new BlockText();
      const bytes = blockMessage(text, raw, METER, 3);
      reader.learn(parsed(bytes)!, bytes);
      const changed = Buffer.from(bytes);
      for (const [place, byte] of changes) changed.write(byte, place % changed.length, "latin1");
      const given = cutOff ? changed.subarray(0, changes[0]![0] % changed.length) : changed;
      const found = reader.read(given);
      if (found === undefined) return;
      taken++;
      expect(found).toEqual(parsed(given));
    }),
    { numRuns: 20_000 },
  );
  expect(taken).toBeGreaterThan(20);
});
