import { Fold } from "./fold.js";
import type { Known } from "./lifecycle.js";
import { KeptReads, MeterState, newChannel, type Channel } from "./meter-state.js";
import type { RegisterMark } from "./registers.js";
import { ContinuousFlow } from "./rules/continuous-flow.js";
import { Spike } from "./rules/spike.js";
import type { MeterSetting } from "../schemas/meters.js";

/** Raise it when the layout changes: states of another format are rebuilt from ClickHouse. */
export const STATE_FORMAT = 2;

/** Bytes of growing length, numbers as zigzag varints: small differences take a byte. */
class Writer {
  #bytes = Buffer.allocUnsafe(65_536);
  #at = 0;

  number(value: number): void {
    if (this.#at + 10 > this.#bytes.length) this.#grow(10);
    const bytes = this.#bytes;
    if (value >= -1_000_000_000 && value <= 1_000_000_000) {
      let small = value < 0 ? -2 * value - 1 : 2 * value;
      for (; small > 127; small >>>= 7) bytes[this.#at++] = (small & 127) | 128;
      bytes[this.#at++] = small;
      return;
    }
    let rest = value < 0 ? -2 * value - 1 : 2 * value;
    while (rest >= 128) {
      bytes[this.#at++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    bytes[this.#at++] = rest;
  }

  /** Each number as the difference from the one before. */
  differences(values: readonly number[]): void {
    let last = 0;
    for (const value of values) {
      this.number(value - last);
      last = value;
    }
  }

  /** The differences in runs of equal ones: what is the same along a day, or grows evenly, takes two numbers. */
  runs(values: readonly number[]): void {
    let last = 0;
    for (let i = 0; i < values.length;) {
      const difference = values[i]! - last;
      let end = i + 1;
      while (end < values.length && values[end]! - values[end - 1]! === difference) end++;
      this.number(difference);
      this.number(end - i);
      last = values[end - 1]!;
      i = end;
    }
  }

  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.number(length);
    if (this.#at + length > this.#bytes.length) this.#grow(length);
    this.#at += this.#bytes.write(value, this.#at, "utf8");
  }

  take(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#at));
  }

  #grow(needed: number): void {
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + needed));
    this.#bytes.copy(grown, 0, 0, this.#at);
    this.#bytes = grown;
  }
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  number(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.#bytes[this.#at++]!;
      value += (byte % 128) * scale;
      if (byte < 128) break;
      scale *= 128;
    }
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }

  differences(count: number): number[] {
    const values: number[] = [];
    let last = 0;
    for (let i = 0; i < count; i++) values.push((last += this.number()));
    return values;
  }

  runs(count: number): number[] {
    const values: number[] = [];
    let last = 0;
    while (values.length < count) {
      const difference = this.number();
      const length = this.number();
      if (length < 1 || length > count - values.length)
        throw new RangeError("a run of the state has a wrong length");
      for (let i = 0; i < length; i++) values.push((last += difference));
    }
    return values;
  }

  text(): string {
    const length = this.number();
    return this.#bytes.toString("utf8", this.#at, (this.#at += length));
  }
}

/** The states of a bucket as bytes. */
export function encodeStates(states: Iterable<MeterState>): Buffer {
  const to = new Writer();
  for (const state of states) writeState(to, state);
  return to.take();
}

/** @throws RangeError or SyntaxError where the bytes are not those of `encodeStates` */
export function decodeStates(bytes: Buffer): MeterState[] {
  const from = new Reader(bytes);
  const states: MeterState[] = [];
  while (!from.done) states.push(readState(from));
  return states;
}

function writeState(to: Writer, state: MeterState): void {
  to.text(state.utility);
  to.text(state.meter);
  to.text(state.settings.length === 0 ? "" : JSON.stringify(state.settings));
  to.text(state.known.length === 0 ? "" : JSON.stringify(state.known));
  to.number(state.backfill ? 1 : 0);
  writeFold(to, state.base);
  to.number(state.channels.size);
  for (const [name, channel] of state.channels) {
    to.text(name);
    for (const reads of [channel.registers, channel.usage]) {
      to.number(reads.count);
      to.runs(reads.time);
      to.runs(reads.length);
      to.differences(reads.ml);
      to.runs(reads.flags);
      to.runs(reads.file);
      to.runs(reads.line);
      to.runs(reads.register);
    }
    const mark = channel.baseMark;
    to.number(mark === undefined ? 0 : 1);
    if (mark !== undefined)
      for (const value of [mark.at, mark.ml, mark.register, mark.flags]) to.number(value);
    to.number(Number.isFinite(channel.firstSeen) ? channel.firstSeen : -1);
    for (const value of [channel.usageUntil, channel.resolution, channel.modulus, channel.modulusFile])
      to.number(value);
  }
}

function readState(from: Reader): MeterState {
  const state = new MeterState(from.text(), from.text());
  const settings = from.text();
  if (settings !== "") state.settings = JSON.parse(settings) as MeterSetting[];
  const known = from.text();
  if (known !== "") state.known = JSON.parse(known) as Known[];
  state.backfill = from.number() === 1;
  state.base = readFold(from);
  const channels = from.number();
  for (let i = 0; i < channels; i++) {
    const name = from.text();
    const channel: Channel = newChannel();
    for (const reads of [channel.registers, channel.usage]) readReads(from, reads);
    if (from.number() === 1) channel.baseMark = readMark(from);
    const firstSeen = from.number();
    channel.firstSeen = firstSeen < 0 ? Infinity : firstSeen;
    channel.usageUntil = from.number();
    channel.resolution = from.number();
    channel.modulus = from.number();
    channel.modulusFile = from.number();
    state.channels.set(name, channel);
  }
  return state;
}

function readReads(from: Reader, reads: KeptReads): void {
  const count = from.number();
  reads.time = from.runs(count);
  reads.length = from.runs(count);
  reads.ml = from.differences(count);
  reads.flags = from.runs(count);
  reads.file = from.runs(count);
  reads.line = from.runs(count);
  reads.register = from.runs(count);
  reads.longest = Math.max(0, ...reads.length);
}

function readMark(from: Reader): RegisterMark {
  return { at: from.number(), ml: from.number(), register: from.number(), flags: from.number() };
}

function writeFold(to: Writer, fold: Fold): void {
  const { flow, spike } = fold;
  for (const value of [fold.at, fold.slot, fold.slotMl, fold.slotSeconds, fold.slotDoubtful ? 1 : 0])
    to.number(value);
  for (const value of [flow.start, flow.end, flow.flowSeconds, flow.volume, flow.detectedAt])
    to.number(value);
  to.text(flow.threshold === 0 ? "" : String(flow.threshold));
  to.number(flow.rates.length);
  to.differences(flow.rates);
  for (const value of [spike.day, spike.dayPeak, spike.daySeconds]) to.number(value);
  for (const value of [spike.start, spike.end, spike.detectedAt, spike.volume, spike.rate]) to.number(value);
  to.text(spike.threshold < 0 ? "" : String(spike.threshold));
  to.number(spike.peaks.length);
  to.differences(spike.peaks);
}

function readFold(from: Reader): Fold {
  const flow = new ContinuousFlow();
  const spike = new Spike();
  const fold = new Fold(flow, spike);
  fold.at = from.number();
  fold.slot = from.number();
  fold.slotMl = from.number();
  fold.slotSeconds = from.number();
  fold.slotDoubtful = from.number() === 1;
  flow.start = from.number();
  flow.end = from.number();
  flow.flowSeconds = from.number();
  flow.volume = from.number();
  flow.detectedAt = from.number();
  flow.threshold = Number(from.text());
  flow.rates = from.differences(from.number());
  spike.day = from.number();
  spike.dayPeak = from.number();
  spike.daySeconds = from.number();
  spike.start = from.number();
  spike.end = from.number();
  spike.detectedAt = from.number();
  spike.volume = from.number();
  spike.rate = from.number();
  const threshold = from.text();
  spike.threshold = threshold === "" ? -1 : Number(threshold);
  spike.peaks = from.differences(from.number());
  return fold;
}
