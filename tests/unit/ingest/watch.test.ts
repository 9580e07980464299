import fc from "fast-check";
import { judgeFeed, USUAL_FILES, type FeedFile } from "../../../ingest/watch.js";

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 5, 1);

/** Files of a daily feed, newest first, the last one an hour ago. */
const daily = (...reads: number[]): FeedFile[] =>
  reads.map((count, day) => ({ at: NOW - HOUR - day * 24 * HOUR, reads: count }));

describe("a feed", () => {
  it("is late when no file was published for longer than it may take, and not before", () => {
    const files = daily(100);
    const judged = (everyHours: number) => judgeFeed({ everyHours }, files, 0, NOW).late;
    expect(judged(1)).toBe(false);
    expect(judged(0.999)).toBe(true);
  });

  it("that never brought a file is late from when it began to be watched", () => {
    expect(judgeFeed({ everyHours: 24 }, [], NOW - 24 * HOUR, NOW).late).toBe(false);
    expect(judgeFeed({ everyHours: 24 }, [], NOW - 24 * HOUR - 1, NOW).late).toBe(true);
  });

  it("is thin when the last file has less than its share of the median of those before", () => {
    const judged = (last: number) => judgeFeed({ minReadsShare: 0.8 }, daily(last, 90, 110, 100), 0, NOW);
    expect(judged(80)).toMatchObject({ thin: false, usualReads: 100 });
    expect(judged(79)).toMatchObject({ thin: true, usualReads: 100 });
  });

  it("is not called thin before there are files to compare with", () => {
    expect(judgeFeed({ minReadsShare: 0.8 }, [], 0, NOW).thin).toBe(false);
    expect(judgeFeed({ minReadsShare: 0.8 }, daily(1, 100, 100), 0, NOW).thin).toBe(false);
  });

  it("is compared with the last files alone, whatever came before them", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1000), { minLength: USUAL_FILES + 1, maxLength: USUAL_FILES + 1 }),
        fc.array(fc.nat(1_000_000), { maxLength: 20 }),
        (recent, old) => {
          const judged = (files: FeedFile[]) =>
            judgeFeed({ everyHours: 2, minReadsShare: 0.5 }, files, 0, NOW);
          expect(judged(daily(...recent, ...old))).toEqual(judged(daily(...recent)));
        },
      ),
    );
  });

  it("of which nothing is expected has no alarm", () => {
    expect(judgeFeed({}, daily(0, 100, 100, 100), 0, NOW + 1e12)).toMatchObject({ late: false, thin: false });
  });
});
