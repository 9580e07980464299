import fc from "fast-check";
import { nameJudge } from "../../../ingest/pickup/pull-names.js";
import { PullSchedule } from "../../../ingest/pickup/pull-schedule.js";
import { pullConfig } from "../../../schemas/pull.js";

const MINUTE = 60_000;
const DAY = 86_400_000;
const at = (text: string) => Date.parse(`${text}Z`);

describe("the schedule of a pull", () => {
  const due = async (expression: string, mark: string | undefined, now: string) => {
    const schedule = new PullSchedule(expression);
    const answer = schedule.isDue(mark === undefined ? undefined : at(mark), at(now));
    await schedule.end();
    return answer;
  };

  it("is due at once where nothing was ever pulled", async () => {
    expect(await due("0 0 1 1 *", undefined, "2026-06-01T12:00")).toBe(true);
  });

  it("is due from the minute on, in UTC, and not before", async () => {
    expect(await due("15 6 * * *", "2026-06-01T06:15:00.001", "2026-06-02T06:14:59.999")).toBe(false);
    expect(await due("15 6 * * *", "2026-06-01T06:15:00.001", "2026-06-02T06:15")).toBe(true);
    expect(await due("15 6 * * *", "2026-06-02T06:15", "2026-06-02T06:15")).toBe(false);
  });

  it("is due for a time that nobody was there for, however long ago", async () => {
    expect(await due("0 3 * * 1", "2026-06-01T03:00", "2026-06-08T02:59")).toBe(false);
    expect(await due("0 3 * * 1", "2026-06-01T03:00", "2026-06-10T00:00")).toBe(true);
    expect(await due("0 0 1 1 *", "2026-01-02T00:00", "2026-12-31T23:59")).toBe(false);
    expect(await due("0 0 1 1 *", "2026-01-02T00:00", "2027-01-01T00:00")).toBe(true);
    expect(await due("0 0 29 2 *", "2025-03-01T00:00", "2028-02-28T23:59")).toBe(false);
  });

  it("counts seconds where the expression has them", async () => {
    expect(await due("*/10 * * * * *", "2026-06-01T00:00:00", "2026-06-01T00:00:09")).toBe(false);
    expect(await due("*/10 * * * * *", "2026-06-01T00:00:00", "2026-06-01T00:00:10")).toBe(true);
  });

  it("agrees with a search minute by minute", async () => {
    const field = (most: number, least = 0) =>
      fc.oneof(
        fc.constant("*"),
        fc.integer({ min: least, max: most }).map(String),
        fc.integer({ min: 2, max: 20 }).map((step) => `*/${step}`),
      );
    const expression = fc
      .tuple(field(59), field(23), field(28, 1), field(12, 1), field(6))
      .map((fields) => fields.join(" "));
    await fc.assert(
      fc.asyncProperty(
        expression,
        fc.integer({ min: 0, max: 365 * DAY }),
        fc.integer({ min: 0, max: 2000 * MINUTE }),
        async (text, from, length) => {
          const mark = at("2026-01-01T00:00") + from;
          const now = mark + length;
          const schedule = new PullSchedule(text);
          const fields = text.split(" ");
          let expected = false;
          for (
            let time = (Math.floor(mark / MINUTE) + 1) * MINUTE;
            time <= now && !expected;
            time += MINUTE
          ) {
            const date = new Date(time);
            const values = [
              date.getUTCMinutes(),
              date.getUTCHours(),
              date.getUTCDate(),
              date.getUTCMonth() + 1,
              date.getUTCDay(),
            ];
            const starts = [0, 0, 1, 1, 0];
            expected = values.every((value, i) => {
              const one = fields[i]!;
              if (one === "*") return true;
              if (one.startsWith("*/")) return (value - starts[i]!) % Number(one.slice(2)) === 0;
              return value === Number(one);
            });
          }
          const answer = schedule.isDue(mark, now);
          await schedule.end();
          expect({ text, mark, now, due: answer }).toEqual({ text, mark, now, due: expected });
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe("a remote name", () => {
  const judge = nameJudge(
    { files: "*.csv", complete: { by: "marker", suffix: ".done" } },
    { files: "reads-*" },
  );

  it("is fetched where it fits the patterns of the source and of the pull", () => {
    expect(judge("reads-2026-06-01.csv")).toBe("fetch");
    expect(judge("READS-1.CSV")).toBe("fetch");
    expect(judge("other-1.csv")).toBe("pass");
    expect(judge("reads-1.txt")).toBe("pass");
  });

  it("is passed over where it is hidden, partial or a marker", () => {
    for (const name of [
      ".",
      "..",
      ".reads-1.csv",
      "reads-1.csv.part",
      "reads-1.csv.FILEPART",
      "reads-1.csv.done",
    ])
      expect(judge(name)).toBe("pass");
  });

  it("is refused with separators, control characters, broken UTF-8, or too many bytes", () => {
    for (const name of [
      "../reads-1.csv",
      "reads-/etc/passwd.csv",
      "reads-\\..\\x.csv",
      "reads-\u0000.csv",
      "reads-\n.csv",
      "reads-\u001b[31m.csv",
      "reads-\u0085.csv",
      "reads-\u2028.csv",
      "reads-\uFFFD.csv",
      `reads-${"é".repeat(130)}.csv`,
    ])
      expect(judge(name)).toBe("refuse");
  });
});

describe("the settings of a pull", () => {
  const valid = {
    host: "files.oakvale.example",
    user: "curbstop",
    keyFile: "oakvale.key",
    hostKey: `SHA256:${"a".repeat(43)}`,
    schedule: "15 * * * *",
  };

  it("have defaults for the rest", () => {
    expect(pullConfig.parse(valid)).toMatchObject({
      port: 22,
      folder: ".",
      files: "*",
      after: { do: "leave" },
      timeoutSeconds: { connect: 20, idle: 60, whole: 3600 },
    });
  });

  it("need one secret, a fingerprint and a cron expression", () => {
    const wrong = (change: object) =>
      pullConfig
        .safeParse({ ...valid, ...change })
        .error?.issues.map(({ message }) => message)
        .join("; ");
    expect(wrong({ keyFile: undefined })).toContain("exactly one of keyFile");
    expect(wrong({ passwordFile: "x" })).toContain("exactly one of keyFile");
    expect(wrong({ keyFile: undefined, passwordVariable: "CURBSTOP_X" })).toContain(
      "not beginning with CURBSTOP_",
    );
    expect(wrong({ hostKey: "16:27:ac:a5" })).toContain("expected SHA256:");
    expect(wrong({ schedule: "hourly" })).toContain("cron expression");
    expect(wrong({ schedule: "61 * * * *" })).toContain("cron expression");
  });
});
