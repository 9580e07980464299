import type { UtilityConfig } from "../../schemas/config.js";
import type { Letter } from "../templates/letter.js";

/** A row of `feed_alarms`. */
export interface FeedAlarm {
  readonly feed_alarm: number;
  readonly utility: string;
  readonly source: string;
  readonly kind: "late" | "thin";
  readonly opened_at: Date;
  readonly closed_at: Date | null;
  readonly last_file_at: Date | null;
  readonly reads: number | null;
  readonly usual_reads: number | null;
  readonly opened_told_at: Date | null;
}

/** What the operator is told of an alarm of a feed: that it opened, or that it ended. */
export function feedAlarmLetter(alarm: FeedAlarm, utility: UtilityConfig, ended: boolean): Letter {
  const { source, kind } = alarm;
  const feed = `${utility.id}/${source}`;
  const what = kind === "late" ? "is late" : "brought much less than usual";
  return {
    language: "en",
    subject: ended ? `Feed ${feed}: alarm ended` : `Feed ${feed} ${what}`,
    heading: ended ? `The alarm of feed ${feed} has ended.` : `Feed ${feed} ${what}.`,
    blocks: [
      { facts: facts(alarm, utility, ended) },
      ...(ended
        ? []
        : [
            {
              title: "What to look at",
              steps: [
                `What came: curbstop files --utility ${utility.id} --source ${source}`,
                "What waits for something: curbstop doctor, or /health",
                "Then ask the utility whether its export ran.",
              ],
            },
          ]),
    ],
    footer: ["Sent to operator.mail in the configuration of Curbstop, as expect of this source says."],
    unsubscribe: undefined,
  };
}

function facts(alarm: FeedAlarm, utility: UtilityConfig, ended: boolean): [string, string][] {
  const clock = new Intl.DateTimeFormat("en-US", {
    dateStyle: "medium",
    timeStyle: "long",
    timeZone: utility.timeZone,
  });
  const { opened_at, closed_at, last_file_at, reads, usual_reads } = alarm;
  const rows: [string, string][] = [
    ["Utility", utility.name],
    ["Alarm", `${alarm.kind}, since ${clock.format(opened_at)}`],
  ];
  if (ended && closed_at !== null) rows.push(["Ended", clock.format(closed_at)]);
  if (!ended) {
    rows.push(["Last file published", last_file_at === null ? "never" : clock.format(last_file_at)]);
    if (reads !== null && usual_reads !== null) {
      const count = new Intl.NumberFormat("en");
      rows.push(["Reads in it", `${count.format(reads)}, usual are ${count.format(usual_reads)}`]);
    }
  }
  return rows;
}
