import type { MeterEnvironment } from "../../detect/meter-environment.js";
import { MeterState } from "../../detect/meter-state.js";
import { NO_ROWS } from "../../detect/row-sink.js";
import { decodeState, encodeState } from "../../detect/state-codec.js";
import { normalFlow } from "../../notify/consent/declare.js";
import type { AnomalyMessage, RuleName } from "../../schemas/anomalies.js";
import { Flag } from "../../schemas/flags.js";
import type { MeterSetting } from "../../schemas/meters.js";
import type { ReadsBlock } from "../../schemas/reads.js";
import type { Home } from "./homes.js";

/** An alert of a rule: open from `at` to `until` (UTC seconds; Infinity where it was open at the end). */
export interface Alert {
  readonly rule: RuleName;
  readonly at: number;
  until: number;
  /** When it says that it began. */
  readonly start: number;
  /** Event time at which it was told to be over; Infinity: never. */
  closedAt: number;
  /** mL/h as told at the alert, and 24 hours later or at the end. */
  readonly rate: number;
  later: number;
}

/** How a register is read. */
export interface Reading {
  /** Smallest step of the register, mL. */
  readonly resolution: number;
  /** Share of reads that never come. */
  readonly missing: number;
}

/** A read as it is delivered. */
export interface Read {
  readonly time: number;
  readonly ml: number;
  readonly flags: number;
  readonly register: number;
  /** Smallest step, mL, where it is not the reading's. */
  readonly resolution?: number;
}

const DAY = 86_400;
/** Hours after an alert at which a resident who answers does. */
const ANSWERS_AFTER = 6 * 3600;

/** The production detector over the reads of one meter. */
export class Replay {
  readonly #state: MeterState;
  readonly #environment: MeterEnvironment;
  readonly #resolution: number;
  readonly #modulus: number;
  readonly #alerts = new Map<string, Alert>();
  #line = 0;
  #at = 0;
  /** Whether the first alert of a leak is answered with "normal for us", and what then is normal (mL/h) from when on. */
  answers = false;
  #answer: { readonly at: number; readonly rate: number } | undefined;

  private constructor(state: MeterState, environment: MeterEnvironment, resolution: number, modulus: number) {
    this.#state = state;
    this.#environment = environment;
    this.#resolution = resolution;
    this.#modulus = modulus;
  }

  static begin(environment: MeterEnvironment, resolution: number, modulus = 0): Replay {
    return new Replay(new MeterState("evaluation", "0123456789abcdef"), environment, resolution, modulus);
  }

  /** What the registry tells of the meter, before its first read. */
  told(settings: readonly MeterSetting[]): this {
    this.#state.applySettings(settings, this.#environment, NO_ROWS);
    return this;
  }

  /** The state as it would be saved. */
  save(): Buffer {
    return encodeState(this.#state);
  }

  static restore(saved: Buffer, environment: MeterEnvironment, resolution: number, modulus = 0): Replay {
    return new Replay(decodeState(saved), environment, resolution, modulus);
  }

  /** Delivers reads in one block. */
  push(reads: readonly Read[]): void {
    if (reads.length === 0) return;
    const block: ReadsBlock = {
      v: 1,
      utility: "evaluation",
      source: "homes",
      meter: "0123456789abcdef",
      channel: "",
      kind: "register",
      file: 1,
      register: reads[0]!.register,
      unit: "L",
      mlPerUnit: 1000,
      resolution: reads[0]!.resolution ?? this.#resolution,
      modulus: this.#modulus,
      count: reads.length,
      time: reads.map(({ time }) => time),
      ml: reads.map(({ ml }) => ml),
      flags: reads.map(({ flags }) => flags),
      line: reads.map(() => ++this.#line),
    };
    if (this.#state.needsHistory(block)) throw new Error("a read came before all that is kept");
    this.#at = Math.max(this.#at, ...reads.map(({ time }) => time));
    const counts = { accepted: 0, superseded: 0, missing: 0 };
    for (const message of this.#state.apply(block, this.#environment, NO_ROWS, counts)) this.#take(message);
    this.#state.trim(this.#environment);
    if (this.#answer !== undefined && this.#at >= this.#answer.at) {
      const { at, rate } = this.#answer;
      this.answers = false;
      this.#answer = undefined;
      const settings = [{ from: at, continuousFlowRate: rate }];
      for (const message of this.#state.applySettings(settings, this.#environment, NO_ROWS))
        this.#take(message);
    }
  }

  /** All that was told and not withdrawn, by event time. */
  alerts(): Alert[] {
    return [...this.#alerts.values()].sort((a, b) => a.at - b.at);
  }

  #take(message: AnomalyMessage): void {
    const { id, state, rule, start, end, detectedAt, rate, reason } = message;
    if (state === "withdrawn") {
      this.#alerts.delete(id);
      return;
    }
    const until = reason === null ? Infinity : Math.max(end, detectedAt);
    const known = this.#alerts.get(id);
    const closedAt = reason === null ? Infinity : this.#at;
    if (known === undefined) {
      this.#alerts.set(id, { rule, at: detectedAt, until, start, closedAt, rate, later: rate });
      const normal = this.answers && this.#answer === undefined ? normalFlow(message) : undefined;
      if (normal !== undefined) this.#answer = { at: detectedAt + ANSWERS_AFTER, rate: normal };
      return;
    }
    if (closedAt < known.closedAt || closedAt === Infinity) known.closedAt = closedAt;
    known.until = until;
    if (this.#at <= known.at + DAY) known.later = rate;
  }
}

/** Reads `from` to `until` (places) of a home as its register shows them; those that don't come are left out. */
export function readsOf(
  home: Home,
  { resolution, missing }: Reading,
  from: number,
  until: number,
  added?: (time: number) => number,
): Read[] {
  const phase = (hashOf(home.name) % 1000) / 1000;
  const reads: Read[] = [];
  for (let i = from; i < until; i++) {
    const time = home.time[i]!;
    if (missing > 0 && (hashOf(`${home.name} ${i}`) % 10_000) / 10_000 < missing) continue;
    const ml = home.register[i]! + (added === undefined ? 0 : added(time)) + phase * resolution;
    reads.push({ time, ml: Math.round(Math.floor(ml / resolution) * resolution), flags: 0, register: 0 });
  }
  return reads;
}

/** Every `share`-th stretch of six hours estimated: its inner reads lie evenly between the outer ones. */
export function withEstimates(reads: readonly Read[], name: string, share: number): Read[] {
  const out = reads.slice();
  for (let i = 0; i + 6 < out.length; i += 6) {
    if ((hashOf(`${name} ${out[i]!.time}`) % 1000) / 1000 >= share) continue;
    const from = reads[i]!;
    const until = reads[i + 6]!;
    for (let j = 1; j < 6; j++) {
      const read = reads[i + j]!;
      const part = (read.time - from.time) / (until.time - from.time);
      const ml = Math.round(from.ml + part * (until.ml - from.ml));
      out[i + j] = { ...read, ml, flags: Flag.estimated };
    }
  }
  return out;
}

/** FNV-1a: the same number for the same text on every machine. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x7feb352d);
  return (hash ^ (hash >>> 15)) >>> 0;
}
