/** Partitions of every topic that is keyed by meter. Fixed for good: another count would move meters away from their state. */
export const METER_PARTITIONS = 12;

/**
 * The topics, their partitions and retention: the only list. They are provisioned from it and checked at start.
 * `billing` and `meters` share the partitions of `reads`, so one owner sees all that concerns a meter; what `temperatures`
 * says of a utility stands in each of them.
 */
export const TOPICS = [
  { name: "reads", partitions: METER_PARTITIONS, cleanup: "delete", retentionHours: 7 * 24 },
  { name: "billing", partitions: METER_PARTITIONS, cleanup: "delete", retentionHours: 7 * 24 },
  { name: "meters", partitions: METER_PARTITIONS, cleanup: "compact", retentionHours: 7 * 24 },
  { name: "temperatures", partitions: METER_PARTITIONS, cleanup: "compact", retentionHours: 7 * 24 },
  { name: "anomalies", partitions: METER_PARTITIONS, cleanup: "delete", retentionHours: 30 * 24 },
  { name: "files", partitions: 1, cleanup: "delete", retentionHours: 30 * 24 },
] as const;

export type TopicName = (typeof TOPICS)[number]["name"];
