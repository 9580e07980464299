import { isReminder, type AlertKind } from "../decide.js";
import type { Words } from "../words/index.js";
import type { Told } from "./frame.js";

/** What a sentence about an anomaly is put together from, in words. */
export interface SentenceValues {
  readonly at: string;
  readonly length: string;
  readonly rate: string;
  readonly volume: string;
  /** What a month is compared with. */
  readonly of: string;
  /** For how long no water has run. */
  readonly dry: string;
}

/** The sentence about an anomaly, as a text or a voice says it. */
export function sentence(
  words: (Words["sms"] | Words["voice"])["about"],
  about: AlertKind,
  told: Told,
  values: SentenceValues,
): string {
  if (about === "stopped" || about === "correction") return words[about](values);
  if (isReminder(about)) return words.reminder(values);
  if (told.month !== undefined)
    return told.month.against === "budget" ? words.budget(values) : words.lastYear(values);
  if (told.frost !== undefined) return words.freeze(values);
  if (told.kind === "high-usage") return words.highUsage(values);
  return told.over ? words.leakOver(values) : words.leak[told.flow](values);
}

/** Whether there is something to answer: water still runs, and it is about neither a month nor a frost. */
export function isAnswerable(about: AlertKind, { over, month, frost }: Told): boolean {
  return !over && month === undefined && frost === undefined && about !== "stopped" && about !== "correction";
}
