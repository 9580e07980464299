import { PackedFold } from "./fold.js";
import type { Known } from "./lifecycle.js";
import { MeterState } from "./meter-state.js";
import type { RegisterMark } from "./registers.js";
import type { StoredFinding } from "./checks/finding.js";
import { Reader, Writer } from "./varints.js";
import type { MeterSetting } from "../schemas/meters.js";

/** Raise it when the layout changes: states of another format are rebuilt from ClickHouse. */
export const STATE_FORMAT = 12;

const to = new Writer();

/** A state and how many bytes of a row it takes. */
export interface PlacedState {
  readonly state: MeterState;
  readonly bytes: number;
}

/** States as bytes. */
export interface EncodedRow {
  readonly payload: Buffer;
  readonly states: readonly PlacedState[];
}

/** The states as rows of at most `most` bytes; a larger state has one alone. Rows are views of one buffer. */
export function encodeRows(states: Iterable<MeterState>, most: number): EncodedRow[] {
  to.clear();
  const rows: { from: number; states: PlacedState[] }[] = [];
  for (const state of states) {
    const from = to.length;
    writeState(to, state);
    const placed = { state, bytes: to.length - from };
    const row = rows.at(-1);
    if (row !== undefined && to.length - row.from <= most) row.states.push(placed);
    else rows.push({ from, states: [placed] });
  }
  const bytes = to.take();
  return rows.map((row, i) => ({
    payload: bytes.subarray(row.from, rows[i + 1]?.from),
    states: row.states,
  }));
}

/** @throws RangeError or SyntaxError where the bytes are not those of a row */
export function decodeRow(bytes: Buffer): PlacedState[] {
  const from = new Reader(bytes);
  const states: PlacedState[] = [];
  while (!from.done) {
    const before = from.at;
    const state = readState(from);
    states.push({ state, bytes: from.at - before });
  }
  return states;
}

/** One state as it is in a row. */
export function encodeState(state: MeterState): Buffer {
  return encodeRows([state], Infinity)[0]!.payload;
}

/** @throws RangeError or SyntaxError where the bytes are not those of `encodeState` */
export function decodeState(bytes: Buffer): MeterState {
  return readState(new Reader(bytes));
}

function writeState(to: Writer, state: MeterState): void {
  to.text(state.utility);
  to.text(state.meter);
  to.text(state.settings.length === 0 ? "" : JSON.stringify(state.settings));
  to.text(state.known.length === 0 ? "" : JSON.stringify(state.known));
  to.number((state.backfill ? 1 : 0) + 2 * state.moved);
  const { ahead } = state.findings;
  to.text(ahead.length === 0 ? "" : JSON.stringify(ahead));
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
  const facts = from.number();
  state.backfill = (facts & 1) === 1;
  state.moved = facts >> 1;
  const ahead = from.text();
  if (ahead !== "") state.findings.ahead = JSON.parse(ahead) as StoredFinding[];
  state.base = PackedFold.readFrom(from);
  const channels = from.number();
  for (let i = 0; i < channels; i++) {
    const channel = state.channel(from.text());
    channel.registers.readFrom(from);
    channel.usage.readFrom(from);
    if (from.number() === 1) channel.baseMark = readMark(from);
    const firstSeen = from.number();
    channel.firstSeen = firstSeen < 0 ? Infinity : firstSeen;
    channel.usageUntil = from.number();
    channel.resolution = from.number();
    channel.modulus = from.number();
    channel.modulusFile = from.number();
  }
  return state;
}

function readMark(from: Reader): RegisterMark {
  return { at: from.number(), ml: from.number(), register: from.number(), flags: from.number() };
}
