import type { AnomalyMessage } from "../schemas/anomalies.js";
import type { FileMessage } from "../schemas/files.js";
import { MAX_BLOCK_READS, type ReadsBlock } from "../schemas/reads.js";
import { encodeNative, type FixedType, type NativeColumn } from "../infra/clickhouse/native-block.js";
import type { AcceptedReads, IntervalRow, RowSink } from "./meter-state.js";
import { ReadColumns } from "./read-columns.js";

/** A block for ClickHouse, ready to be sent. */
export interface EncodedInsert {
  /** The statement that the block belongs to. */
  readonly statement: string;
  readonly rows: number;
  readonly block: Buffer;
}

/** Words of a LowCardinality column of one block. */
class Dictionary {
  readonly keys: string[] = [""];
  readonly #index = new Map<string, number>([["", 0]]);

  indexOf(word: string): number {
    let index = this.#index.get(word);
    if (index === undefined) {
      index = this.keys.push(word) - 1;
      this.#index.set(word, index);
    }
    return index;
  }
}

/** A column that grows. Its array is kept from one block to the next: arrays of this size are dear to make. */
class Growing<T extends Float64Array | Int32Array | Uint32Array | Uint16Array | Uint8Array> {
  count = 0;
  array: T;

  constructor(array: T) {
    this.array = array;
  }

  push(value: number): void {
    if (this.count === this.array.length) this.reserve(1);
    this.array[this.count++] = value;
  }

  reserve(more: number): void {
    if (this.count + more <= this.array.length) return;
    const kind = this.array.constructor as new (size: number) => T;
    const grown = new kind(Math.max(2 * this.array.length, this.count + more));
    grown.set(this.array);
    this.array = grown;
  }

  get used(): T {
    return this.array.subarray(0, this.count) as T;
  }
}

/** A list of numbers of each row, on top of what the row says for all of them; mostly empty. */
class Lists {
  readonly ends = new Growing(new Uint32Array(FIRST_ROWS * 2));
  readonly values = new Growing(new Float64Array(FIRST_ROWS));

  /** The list of the row in hand is what was added to it since the last row ended. */
  endRow(): void {
    this.ends.push(this.values.count);
    this.ends.push(0);
  }

  addAll(values: Float64Array | Int32Array, count: number): void {
    const { values: to } = this;
    to.reserve(count);
    for (let i = 0; i < count; i++) to.array[to.count++] = values[i]!;
  }

  clear(): void {
    this.ends.count = this.values.count = 0;
  }
}

const FIRST_ROWS = 1_024;

/** What reads of one row have in common. */
interface Common {
  readonly block: ReadsBlock;
  readonly channel: string;
  readonly unit: string;
  /** 0: values as delivered are listed. */
  readonly mlPerUnit: number;
  readonly file: number;
  readonly origin: number;
  readonly counts: number;
  readonly gone: number;
}

/**
 * Rows of one table, many reads to a row, as they are sent: the server unfolds them. So the columns that are the same
 * along a block, two thirds of the table's bytes, are neither written here nor sent.
 *
 * Time, length, flags and line of read `i` of a row are `from + step × i` plus member `i` of the row's list, if it has
 * one.
 */
class FoldedRows {
  rows = 0;
  reads = 0;
  readonly #utility = new Growing(new Uint16Array(FIRST_ROWS));
  readonly #meter = new Growing(new Uint32Array(FIRST_ROWS * 2));
  readonly #channel = new Growing(new Uint16Array(FIRST_ROWS));
  readonly #unit = new Growing(new Uint16Array(FIRST_ROWS));
  readonly #mlPerUnit = new Growing(new Float64Array(FIRST_ROWS));
  readonly #file = new Growing(new Uint32Array(FIRST_ROWS));
  readonly #register = new Growing(new Uint16Array(FIRST_ROWS));
  readonly #origin = new Growing(new Uint8Array(FIRST_ROWS));
  readonly #counts = new Growing(new Uint8Array(FIRST_ROWS));
  readonly #gone = new Growing(new Uint8Array(FIRST_ROWS));
  readonly #version = new Growing(new Uint32Array(FIRST_ROWS * 2));
  readonly #timeFrom = new Growing(new Uint32Array(FIRST_ROWS));
  readonly #timeStep = new Growing(new Int32Array(FIRST_ROWS));
  readonly #lengthFrom = new Growing(new Uint32Array(FIRST_ROWS));
  readonly #flagsFrom = new Growing(new Uint32Array(FIRST_ROWS));
  readonly #lineFrom = new Growing(new Uint32Array(FIRST_ROWS));
  readonly #lineStep = new Growing(new Int32Array(FIRST_ROWS));
  readonly #ml = new Lists();
  readonly #lists: Readonly<Record<ListName, Lists>> = {
    times: new Lists(),
    lengths: new Lists(),
    flags: new Lists(),
    lines: new Lists(),
    delivered: new Lists(),
  };
  #utilities = new Dictionary();
  #channels = new Dictionary();
  #units = new Dictionary();

  /** @param delivered values as delivered, where `mlPerUnit` is 0 */
  add(
    common: Common,
    reads: ReadColumns,
    delivered: Float64Array | undefined,
    high: number,
    low: number,
  ): void {
    const { block, mlPerUnit } = common;
    const { count } = reads;
    const { times, lengths, flags, lines } = this.#lists;
    this.rows++;
    this.reads += count;
    this.#utility.push(this.#utilities.indexOf(block.utility));
    pushMeter(this.#meter, block.meter);
    this.#channel.push(this.#channels.indexOf(common.channel));
    this.#unit.push(this.#units.indexOf(common.unit));
    this.#mlPerUnit.push(mlPerUnit);
    this.#file.push(common.file);
    this.#register.push(block.register);
    this.#origin.push(common.origin);
    this.#counts.push(common.counts);
    this.#gone.push(common.gone);
    this.#version.push(low);
    this.#version.push(high);
    pushSequence(reads.time, count, this.#timeFrom, this.#timeStep, times);
    pushUniform(reads.length, count, this.#lengthFrom, lengths);
    pushUniform(reads.flags, count, this.#flagsFrom, flags);
    pushSequence(reads.line, count, this.#lineFrom, this.#lineStep, lines);
    this.#ml.addAll(reads.ml, count);
    this.#ml.endRow();
    if (delivered !== undefined) this.#lists.delivered.addAll(delivered, count);
    this.#lists.delivered.endRow();
  }

  /** The block, and nothing left here. */
  take(table: string, columns: Parameters<typeof unfolding>[1]): EncodedInsert {
    const { rows } = this;
    const filled = LIST_NAMES.filter((name) => this.#lists[name].values.count > 0);
    const one = (
      name: string,
      type: FixedType,
      { used }: { readonly used: ArrayBufferView },
    ): NativeColumn => ({
      name,
      type,
      values: used,
    });
    const words = (name: string, { used }: Growing<Uint16Array>, { keys }: Dictionary): NativeColumn => ({
      name,
      type: "LowCardinality(String)",
      keys,
      values: used,
    });
    const list = (name: string, { ends, values }: Lists): NativeColumn => ({
      name,
      type: "Array(Float64)",
      ends: ends.used,
      values: values.used,
    });
    const { used: millilitres } = this.#ml.values;
    const small = millilitres.every((ml) => (ml | 0) === ml);
    const block = encodeNative(rows, [
      words("utility_", this.#utility, this.#utilities),
      one("meter_", "UInt64", this.#meter),
      words("channel_", this.#channel, this.#channels),
      words("unit_", this.#unit, this.#units),
      one("ml_per_unit", "Float64", this.#mlPerUnit),
      one("file_", "UInt32", this.#file),
      one("register_", "UInt16", this.#register),
      one("origin_", "UInt8", this.#origin),
      one("counts_", "UInt8", this.#counts),
      one("gone_", "UInt8", this.#gone),
      one("version_", "UInt64", this.#version),
      one("time_from", "UInt32", this.#timeFrom),
      one("time_step", "Int32", this.#timeStep),
      one("length_from", "UInt32", this.#lengthFrom),
      one("flags_from", "UInt32", this.#flagsFrom),
      one("line_from", "UInt32", this.#lineFrom),
      one("line_step", "Int32", this.#lineStep),
      small
        ? {
            name: "mls",
            type: "Array(Int32)",
            ends: this.#ml.ends.used,
            values: Int32Array.from(millilitres),
          }
        : list("mls", this.#ml),
      ...filled.map((name) => list(name, this.#lists[name])),
    ]);
    const taken = {
      statement: unfolding(table, columns, small ? "Int32" : "Float64", filled),
      rows: this.reads,
      block,
    };
    this.#clear();
    return taken;
  }

  #clear(): void {
    this.rows = this.reads = 0;
    const columns = [this.#utility, this.#meter, this.#channel, this.#unit, this.#mlPerUnit, this.#file];
    const more = [this.#register, this.#origin, this.#counts, this.#gone, this.#version, this.#timeFrom];
    const sequences = [this.#timeStep, this.#lengthFrom, this.#flagsFrom, this.#lineFrom, this.#lineStep];
    for (const column of [...columns, ...more, ...sequences]) column.count = 0;
    this.#ml.clear();
    for (const name of LIST_NAMES) this.#lists[name].clear();
    this.#utilities = new Dictionary();
    this.#channels = new Dictionary();
    this.#units = new Dictionary();
  }
}

function pushMeter(to: Growing<Uint32Array>, meter: string): void {
  to.push(Number.parseInt(meter.slice(8), 16));
  to.push(Number.parseInt(meter.slice(0, 8), 16));
}

function pushSequence(
  values: Float64Array,
  count: number,
  from: Growing<Uint32Array>,
  step: Growing<Int32Array>,
  lists: Lists,
): void {
  const first = values[0]!;
  const by = count > 1 ? values[1]! - first : 0;
  let even = (by | 0) === by;
  for (let i = 2; i < count; i++) if (values[i] !== first + by * i) even = false;
  from.push(even ? first : 0);
  step.push(even ? by : 0);
  if (!even) lists.addAll(values, count);
  lists.endRow();
}

function pushUniform(
  values: Float64Array | Int32Array,
  count: number,
  from: Growing<Uint32Array>,
  lists: Lists,
): void {
  const first = values[0]!;
  let same = true;
  for (let i = 1; i < count; i++) if (values[i] !== first) same = false;
  from.push(same ? first : 0);
  if (!same) lists.addAll(values, count);
  lists.endRow();
}

const FOLDED = `utility_ LowCardinality(String), meter_ UInt64, channel_ LowCardinality(String),
  unit_ LowCardinality(String), ml_per_unit Float64, file_ UInt32, register_ UInt16, origin_ UInt8, counts_ UInt8,
  gone_ UInt8, version_ UInt64, time_from UInt32, time_step Int32, length_from UInt32, flags_from UInt32,
  line_from UInt32, line_step Int32`;

/** What a read's value is, by the name of the list that may add to it; `i` counts along a row. */
const VALUES = {
  times: "toDateTime(toUInt32(time_from + time_step * i + times), 'UTC')",
  lengths: "toUInt32(length_from + lengths)",
  flags: "toUInt32(flags_from + flags)",
  lines: "toUInt32(line_from + line_step * i + lines)",
  delivered: "if(ml_per_unit = 0, delivered, mls / ml_per_unit)",
} as const;
type ListName = keyof typeof VALUES;
const LIST_NAMES = Object.keys(VALUES) as ListName[];

/**
 * The statement that unfolds a block of `FoldedRows` into a table.
 * @param columns of the table, each with its expression: of a folded column, or of `VALUES` by the list's name
 * @param ml type of the millilitres: the smaller one where it holds them
 * @param filled lists with any values: the others are not sent, and count as nothing
 */
function unfolding(
  table: string,
  columns: readonly (readonly [column: string, expression: string])[],
  ml: "Int32" | "Float64",
  filled: readonly ListName[],
): string {
  const value = (name: ListName) =>
    filled.includes(name)
      ? VALUES[name].replaceAll(new RegExp(`\\b${name}\\b`, "g"), `${name}_`)
      : VALUES[name].replaceAll(new RegExp(`\\b${name}\\b`, "g"), "0");
  const select = columns.map(([, expression]) =>
    expression.replaceAll(/:(\w+)/g, (_, name: ListName) => value(name)),
  );
  const lists = filled.map((name) => `, ${name} Array(Float64)`).join("");
  const sized = filled.map((name) => `, arrayResize(${name}, length(mls)) AS ${name}_`).join("");
  const joined = filled.map((name) => `, ${name}_`).join("");
  return `INSERT INTO curbstop.${table} (${columns.map(([name]) => name).join(", ")})
SELECT ${select.join(", ")}
FROM (SELECT *, range(toUInt32(length(mls))) AS i${sized} FROM input('${FOLDED}, mls Array(${ml})${lists}'))
ARRAY JOIN mls, i${joined}`;
}

const INTERVALS = [
  ["utility", "utility_"],
  ["meter", "meter_"],
  ["channel", "channel_"],
  ["start", ":times"],
  ["length", ":lengths"],
  ["ml", "toInt64(mls)"],
  ["origin", "CAST(toInt8(origin_), 'Enum8(''delivered'' = 1, ''register'' = 2)')"],
  ["delivered", ":delivered"],
  ["unit", "unit_"],
  ["flags", ":flags"],
  ["file", "file_"],
  ["line", ":lines"],
  ["counts", "counts_"],
  ["version", "version_"],
  ["gone", "gone_"],
] as const;

const REGISTER_READS = [
  ["utility", "utility_"],
  ["meter", "meter_"],
  ["channel", "channel_"],
  ["at", ":times"],
  ["ml", "toInt64(mls)"],
  ["delivered", ":delivered"],
  ["unit", "unit_"],
  ["flags", ":flags"],
  ["register", "register_"],
  ["file", "file_"],
  ["line", ":lines"],
  // Standing: an actual read stands above an estimated one, then the newer file, then the later line.
  ["version", "bitShiftLeft(toUInt64(file_) + if(bitTest(:flags, 0), 0, 2147483648), 32) + :lines"],
] as const;

const ORIGIN_DELIVERED = 1;
const ORIGIN_REGISTER = 2;
const STATE_TYPE = "Enum8('opened' = 1, 'updated' = 2, 'closed' = 3, 'withdrawn' = 4)";
const STATES = { opened: 1, updated: 2, closed: 3, withdrawn: 4 } as const;

/** Rows of one batch for ClickHouse, gathered as columns. */
export class RowBuffer implements RowSink {
  readonly #intervals = new FoldedRows();
  readonly #reads = new FoldedRows();
  readonly #one = new ReadColumns();
  readonly #delivered = new Float64Array(MAX_BLOCK_READS);
  #versionHigh = 0;
  #versionLow = 0;

  get rows(): number {
    return this.#intervals.reads + this.#reads.reads;
  }

  /**
   * Version of interval rows from here on: decisions that come later in the log win.
   * @param generation of the log, @param offset of the message in its partition
   */
  version(generation: number, offset: number): void {
    this.#versionHigh = generation * 256 + Math.floor(offset / 4_294_967_296);
    this.#versionLow = offset % 4_294_967_296;
  }

  registerReads(block: ReadsBlock, reads: AcceptedReads): void {
    this.#deliveredReads(this.#reads, block, reads);
  }

  usage(block: ReadsBlock, reads: AcceptedReads): void {
    this.#deliveredReads(this.#intervals, block, reads);
  }

  derived(block: ReadsBlock, intervals: ReadColumns): void {
    const { channel } = block;
    intervals.line.fill(0, 0, intervals.count);
    this.#delivered.fill(0, 0, intervals.count);
    this.#add(
      this.#intervals,
      { block, channel, unit: "", mlPerUnit: 0, file: 0, origin: ORIGIN_REGISTER, counts: 1, gone: 0 },
      intervals,
    );
  }

  interval(block: ReadsBlock, channel: string, row: IntervalRow, gone: boolean): void {
    const one = this.#one;
    one.count = 1;
    one.time[0] = row.start;
    one.length[0] = row.length;
    one.ml[0] = row.ml;
    one.flags[0] = row.flags;
    one.line[0] = row.line;
    this.#delivered[0] = row.asDelivered?.value ?? 0;
    this.#add(
      this.#intervals,
      {
        block,
        channel,
        unit: row.asDelivered?.unit ?? "",
        mlPerUnit: 0,
        file: row.file,
        origin: row.derived ? ORIGIN_REGISTER : ORIGIN_DELIVERED,
        counts: row.counts ? 1 : 0,
        gone: gone ? 1 : 0,
      },
      one,
    );
  }

  /** The blocks to insert; the buffer is empty afterwards. */
  take(): EncodedInsert[] {
    const inserts: EncodedInsert[] = [];
    if (this.#reads.rows > 0) inserts.push(this.#reads.take("register_reads", REGISTER_READS));
    if (this.#intervals.rows > 0) inserts.push(this.#intervals.take("intervals", INTERVALS));
    return inserts;
  }

  #deliveredReads(to: FoldedRows, block: ReadsBlock, reads: AcceptedReads): void {
    const { channel, unit, file, delivered } = block;
    if (delivered !== undefined)
      for (let i = 0; i < reads.count; i++) this.#delivered[i] = delivered[reads.index[i]!] ?? 0;
    const mlPerUnit = delivered === undefined ? block.mlPerUnit : 0;
    this.#add(
      to,
      { block, channel, unit, mlPerUnit, file, origin: ORIGIN_DELIVERED, counts: 1, gone: 0 },
      reads,
    );
  }

  #add(to: FoldedRows, common: Common, reads: ReadColumns): void {
    to.add(
      common,
      reads,
      common.mlPerUnit === 0 ? this.#delivered : undefined,
      this.#versionHigh,
      this.#versionLow,
    );
  }
}

/** Rows of table `anomalies`. */
export function encodeAnomalies(messages: readonly AnomalyMessage[]): EncodedInsert {
  const utilities = new Dictionary();
  const rules = new Dictionary();
  const reasons = new Dictionary();
  const numbers = (of: (message: AnomalyMessage) => number) => messages.map(of);
  const ids = Buffer.from(messages.map(({ id }) => id).join(""), "latin1");
  const meter = new Uint32Array(messages.length * 2);
  messages.forEach((message, i) => {
    meter[2 * i] = Number.parseInt(message.meter.slice(8), 16);
    meter[2 * i + 1] = Number.parseInt(message.meter.slice(0, 8), 16);
  });
  const big = (of: (message: AnomalyMessage) => number) => BigInt64Array.from(numbers(of), BigInt);
  const columns: NativeColumn[] = [
    {
      name: "utility",
      type: "LowCardinality(String)",
      keys: utilities.keys,
      values: Uint16Array.from(messages, ({ utility }) => utilities.indexOf(utility)),
    },
    { name: "meter", type: "UInt64", values: meter },
    { name: "id", type: "FixedString(32)", values: ids },
    { name: "version", type: "UInt32", values: Uint32Array.from(numbers(({ version }) => version)) },
    {
      name: "rule",
      type: "LowCardinality(String)",
      keys: rules.keys,
      values: Uint16Array.from(messages, ({ rule }) => rules.indexOf(rule)),
    },
    {
      name: "rule_version",
      type: "UInt16",
      values: Uint16Array.from(numbers(({ ruleVersion }) => ruleVersion)),
    },
    { name: "state", type: STATE_TYPE, values: Int8Array.from(numbers(({ state }) => STATES[state])) },
    {
      name: "reason",
      type: "LowCardinality(String)",
      keys: reasons.keys,
      values: Uint16Array.from(messages, ({ reason }) => reasons.indexOf(reason ?? "")),
    },
    { name: "start", type: "DateTime('UTC')", values: Uint32Array.from(numbers(({ start }) => start)) },
    { name: "end", type: "DateTime('UTC')", values: Uint32Array.from(numbers(({ end }) => end)) },
    {
      name: "detected_at",
      type: "DateTime('UTC')",
      values: Uint32Array.from(numbers(({ detectedAt }) => detectedAt)),
    },
    { name: "rate", type: "Int64", values: big(({ rate }) => rate) },
    { name: "volume", type: "Int64", values: big(({ volume }) => volume) },
    { name: "evidence", type: "String", values: messages.map(({ evidence }) => JSON.stringify(evidence)) },
    {
      name: "backfill",
      type: "UInt8",
      values: Uint8Array.from(numbers(({ backfill }) => (backfill ? 1 : 0))),
    },
  ];
  const names = columns.map(({ name }) => name).join(", ");
  return {
    statement: `INSERT INTO curbstop.anomalies (${names})`,
    rows: messages.length,
    block: encodeNative(messages.length, columns),
  };
}

/** Row of table `files`. */
export function fileRow(message: FileMessage): Record<string, unknown> {
  return {
    utility: message.utility,
    source: message.source,
    file: message.file,
    sha256: message.sha256,
    state: message.state,
    correction: message.correction ? 1 : 0,
    bytes: message.bytes,
    rows: message.rows,
    rejected: message.rejected,
    reads: message.reads,
    meters: message.meters,
    first_read: message.firstRead,
    last_read: message.lastRead,
    claimed_at: instant(message.claimedAt),
    published_at: instant(message.publishedAt),
  };
}

function instant(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace("T", " ").replace("Z", "");
}
