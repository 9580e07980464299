import { feedAlarmLetter } from "../../../notify/operator/feed-alarm-letter.js";
import { letterText } from "../../../notify/templates/letter.js";
import { utilityConfig } from "../../../schemas/config.js";
import { usageUtility } from "../../harness/stores.js";

const utility = utilityConfig.parse(usageUtility("/tmp"));
const thin = {
  feed_alarm: 7,
  utility: "oakvale",
  source: "ami",
  kind: "thin",
  opened_at: new Date("2026-06-01T12:00:00Z"),
  closed_at: null,
  last_file_at: new Date("2026-06-01T11:00:00Z"),
  reads: 4_900,
  usual_reads: 10_000,
  opened_told_at: null,
} as const;

it("tells the operator what came and what is usual, in the time of the utility", () => {
  const letter = feedAlarmLetter(thin, utility, false);
  expect(letter.subject).toBe("Feed oakvale/ami brought much less than usual");
  const text = letterText(letter);
  expect(text).toContain("Alarm: thin, since Jun 1, 2026");
  expect(text).toContain("5:00:00");
  expect(text).toContain("Reads in it: 4,900, usual are 10,000");
  expect(text).not.toContain("Ended");
});

it("tells that a feed never brought a file, and when an alarm ended", () => {
  const late = { ...thin, kind: "late", last_file_at: null, reads: null, usual_reads: null } as const;
  expect(letterText(feedAlarmLetter(late, utility, false))).toContain("Last file published: never");
  const closed_at = new Date("2026-06-02T01:30:00Z");
  const ended = feedAlarmLetter({ ...late, closed_at, opened_told_at: thin.opened_at }, utility, true);
  expect(ended.subject).toBe("Feed oakvale/ami: alarm ended");
  expect(letterText(ended)).toContain("Ended: Jun 1, 2026");
});
