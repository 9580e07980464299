import { isReminder, type AlertKind } from "../decide.js";
import type { LeakFlow, Told } from "./frame.js";

/** What a sentence about an anomaly is put together from, in words. */
export interface Values {
  readonly at: string;
  readonly length: string;
  readonly rate: string;
  readonly volume: string;
  readonly budget: string;
}
type Sentence = (values: Values) => string;

/** The sentences of a language about anomalies, as a text or a voice says them. */
export interface Sentences {
  readonly leak: Readonly<Record<LeakFlow, Sentence>>;
  readonly leakOver: Sentence;
  readonly reminder: Sentence;
  readonly highUsage: Sentence;
  readonly budget: Sentence;
  readonly stopped: Sentence;
  readonly correction: Sentence;
}

export function sentence(words: Sentences, about: AlertKind, told: Told, values: Values): string {
  if (about === "stopped" || about === "correction") return words[about](values);
  if (isReminder(about)) return words.reminder(values);
  if (told.budget !== undefined) return words.budget(values);
  if (told.kind === "high-usage") return words.highUsage(values);
  return told.over ? words.leakOver(values) : words.leak[told.flow](values);
}

/** Whether there is something to answer: water still runs, and it is not about a month's budget. */
export function isAnswerable(about: AlertKind, told: Told): boolean {
  return !told.over && told.budget === undefined && about !== "stopped" && about !== "correction";
}
