import { PackedFold } from "./fold.js";
import type { Known } from "./lifecycle.js";
import { MeterState, newChannel, type Channel } from "./meter-state.js";
import type { RegisterMark } from "./registers.js";
import type { StoredFinding } from "./checks/finding.js";
import { Reader, Writer } from "./varints.js";
import type { MeterSetting } from "../schemas/meters.js";

/** Raise it when the layout changes: states of another format are rebuilt from ClickHouse. */
export const STATE_FORMAT = 8;

const to = new Writer();

/** The states of a bucket as bytes. */
export function encodeStates(states: Iterable<MeterState>): Buffer {
  to.clear();
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
  to.text(state.ahead.length === 0 ? "" : JSON.stringify(state.ahead));
  state.base.writeTo(to);
  to.number(state.channels.size);
  for (const [name, channel] of state.channels) {
    to.text(name);
    channel.registers.writeTo(to);
    channel.usage.writeTo(to);
    const mark = channel.baseMark;
    to.number(mark === undefined ? 0 : 1);
    if (mark !== undefined) to.number(mark.at).number(mark.ml).number(mark.register).number(mark.flags);
    to.number(Number.isFinite(channel.firstSeen) ? channel.firstSeen : -1);
    to.number(channel.usageUntil)
      .number(channel.resolution)
      .number(channel.modulus)
      .number(channel.modulusFile);
  }
}

function readState(from: Reader): MeterState {
  const state = new MeterState(from.text(), from.text());
  const settings = from.text();
  if (settings !== "") state.settings = JSON.parse(settings) as MeterSetting[];
  const known = from.text();
  if (known !== "") state.known = JSON.parse(known) as Known[];
  state.backfill = from.number() === 1;
  const ahead = from.text();
  if (ahead !== "") state.ahead = JSON.parse(ahead) as StoredFinding[];
  state.base = PackedFold.readFrom(from);
  const channels = from.number();
  for (let i = 0; i < channels; i++) {
    const name = from.text();
    const channel: Channel = newChannel();
    channel.registers.readFrom(from);
    channel.usage.readFrom(from);
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

function readMark(from: Reader): RegisterMark {
  return { at: from.number(), ml: from.number(), register: from.number(), flags: from.number() };
}
