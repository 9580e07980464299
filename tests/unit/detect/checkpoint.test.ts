import fc from "fast-check";
import { OwnedStates } from "../../../detect/checkpoint.js";
import { MeterState } from "../../../detect/meter-state.js";

const METERS = Array.from({ length: 30 }, (_, i) => i.toString(16).padStart(16, "0"));
/** A meter's state in bytes, about: large, so that rows are soon too many. */
const STATE_BYTES = 20_000;
const LEAST_BYTES = 4 * 1024 * 1024;

/** The rows of one partition, as the database would keep them. */
class Rows {
  first = 0;
  next = 0;
  readonly #rows = new Map<number, Buffer>();

  save({ rows, first, next }: ReturnType<OwnedStates["takeChanged"]>): void {
    for (const { row, payload } of rows) {
      expect(row).toBe(this.next++);
      this.#rows.set(row, Buffer.from(payload));
    }
    expect(next).toBe(this.next);
    for (; this.first < first; this.first++) this.#rows.delete(this.first);
  }

  get bytes(): number {
    return [...this.#rows.values()].reduce((sum, { length }) => sum + length, 0);
  }

  claimed(): OwnedStates {
    const claimed = { partition: 0, epoch: 1, generation: 1, offsets: {}, lost: false };
    return new OwnedStates(claimed, this.first, this.#rows.values());
  }
}

/** What a state is told by: an anomaly whose id is so long. */
const mark = (size: number) => ({ id: "x".repeat(size) }) as MeterState["known"][number];

it("finds each state as it was saved last, in rows that stay few, whatever changed and whenever it was taken over", () => {
  // Most change a few meters again and again, so that others lie in old rows.
  const among = (meters: number) => fc.uniqueArray(fc.nat(meters - 1), { minLength: 1, maxLength: 20 });
  const batch = fc.oneof({ weight: 1, arbitrary: among(METERS.length) }, { weight: 9, arbitrary: among(8) });
  const batches = fc.array(fc.record({ changed: batch, anew: fc.boolean(), restart: fc.boolean() }), {
    minLength: 60,
    maxLength: 100,
  });
  let cleaned = 0;
  fc.assert(
    fc.property(batches, (steps) => {
      const rows = new Rows();
      let owned = rows.claimed();
      const expected = new Map<string, number>();
      let size = STATE_BYTES;
      for (const { changed, anew, restart } of steps) {
        for (const index of changed) {
          const meter = METERS[index]!;
          const state = (anew ? undefined : owned.get(meter)) ?? new MeterState("oakvale", meter);
          state.known = [mark(++size)];
          owned.put(state);
          expected.set(meter, size);
        }
        rows.save(owned.takeChanged());
        expect(rows.bytes).toBeLessThan(LEAST_BYTES + METERS.length * 2 * STATE_BYTES);
        if (restart) owned = rows.claimed();
      }
      owned = rows.claimed();
      for (const meter of METERS) {
        const size = expected.get(meter);
        expect(owned.get(meter)?.known).toEqual(size === undefined ? undefined : [mark(size)]);
      }
      if (rows.first > 0) cleaned++;
    }),
    // Shrinking states of 20 kB would take minutes.
    { numRuns: 30, endOnFailure: true },
  );
  expect(cleaned).toBeGreaterThan(10);
});
