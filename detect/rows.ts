import type { AnomalyMessage } from "../schemas/anomalies.js";
import type { FileMessage } from "../schemas/files.js";
import { MAX_BLOCK_READS, type ReadsBlock } from "../schemas/reads.js";
import { encodeNative, type NativeColumn } from "../infra/clickhouse/native-block.js";
import type { AcceptedReads, EvenBlock } from "./accepted-reads.js";
import type { BillSink } from "./bills.js";
import type { RegisterFacts } from "./channel.js";
import type { IntervalRow } from "./intervals.js";
import type { MeterOfUtility, RowSink } from "./row-sink.js";
import type { Finding } from "./checks/finding.js";
import type { Read } from "./kept-reads.js";
import { ReadColumns } from "./read-columns.js";
import { isWord, type Numbers } from "./varints.js";

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

/** A list of numbers of each row, on top of what the row says for all of them; mostly empty. */
class List {
  count = 0;
  #values = new Float64Array(FIRST_ROWS);

  add(values: Numbers, count: number): void {
    if (this.count + count > this.#values.length) this.#values = grown(this.#values, this.count + count);
    for (let i = 0; i < count; i++) this.#values[this.count++] = values[i]!;
  }

  get used(): Float64Array {
    return this.#values.subarray(0, this.count);
  }

  clear(): void {
    this.count = 0;
  }
}

/** The same for whole numbers that every row has: 32 bits for each until one needs more. */
class WholeList {
  count = 0;
  #isSmall = true;
  #small = new Int32Array(FIRST_ROWS);
  readonly #large = new List();

  add(values: Numbers, count: number): void {
    if (this.#isSmall && !this.#addSmall(values, count)) {
      this.#large.add(this.#small, this.count);
      this.#isSmall = false;
    }
    if (!this.#isSmall) this.#large.add(values, count);
    this.count += count;
  }

  get used(): Int32Array | Float64Array {
    return this.#isSmall ? this.#small.subarray(0, this.count) : this.#large.used;
  }

  clear(): void {
    this.count = 0;
    this.#isSmall = true;
    this.#large.clear();
  }

  /** @returns false where a value does not fit */
  #addSmall(values: Numbers, count: number): boolean {
    let at = this.count;
    if (at + count > this.#small.length) this.#small = grown(this.#small, at + count);
    const small = this.#small;
    for (let i = 0; i < count; i++) {
      const value = values[i]!;
      if (!isWord(value)) return false;
      small[at++] = value;
    }
    return true;
  }
}

/** Arrays of this size are dear to make: they are kept from one block to the next, and grow to twice their size. */
function grown<T extends Float64Array | Int32Array>(array: T, size: number): T {
  const kind = array.constructor as new (size: number) => T;
  const larger = new kind(Math.max(2 * array.length, size));
  larger.set(array);
  return larger;
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

/** What a row says, in the order of its cells; of 64 bits in two cells, low and high. */
const FIELDS = [
  ["utility_", "LowCardinality(String)"],
  ["channel_", "LowCardinality(String)"],
  ["unit_", "LowCardinality(String)"],
  ["meter_", "UInt64"],
  ["version_", "UInt64"],
  ["ml_per_unit", "Float64"],
  ["file_", "UInt32"],
  ["register_", "UInt16"],
  ["origin_", "UInt8"],
  ["counts_", "UInt8"],
  ["gone_", "UInt8"],
  ["time_from", "UInt32"],
  ["time_step", "Int32"],
  ["length_from", "UInt32"],
  ["flags_from", "UInt32"],
  ["line_from", "UInt32"],
  ["line_step", "Int32"],
  ["line_repeat", "UInt16"],
] as const;
type FieldType = (typeof FIELDS)[number][1];

/** What a read's value is, by the name of the list that may add to it; `i` counts along a row. */
const VALUES = {
  times: (list: string) => `toDateTime(toUInt32(time_from + time_step * i + ${list}), 'UTC')`,
  lengths: (list: string) => `toUInt32(length_from + ${list})`,
  flags: (list: string) => `toUInt32(flags_from + ${list})`,
  lines: (list: string) => `toUInt32(line_from + line_step * intDiv(i, line_repeat) + ${list})`,
  delivered: (list: string) => `if(ml_per_unit = 0, ${list}, mls / ml_per_unit)`,
} as const;
type ListName = keyof typeof VALUES;
const LIST_NAMES = Object.keys(VALUES) as ListName[];

/** Cells of a row: its fields, then where each of its lists ends, that of the millilitres last. */
const FIELD_CELLS = FIELDS.reduce((cells, [, type]) => cells + wordsOf(type), 0);
const CELLS = FIELD_CELLS + LIST_NAMES.length + 1;

function wordsOf(type: FieldType): number {
  return type === "UInt64" ? 2 : 1;
}

/**
 * Rows of one table, many reads to a row, as they are sent: the server unfolds them. So the columns that are the same
 * along a block, two thirds of the table's bytes, are neither written here nor sent.
 *
 * Time, length, flags and line of read `i` of a row are `from + step × i` (of the line: `from + step × ⌊i / repeat⌋`) plus
 * member `i` of the row's list, if it has one.
 */
class FoldedRows {
  rows = 0;
  reads = 0;
  /** Row after row: one array, so that a row is written without a look at what kind of column each number is for. */
  #cells = new Float64Array(FIRST_ROWS * CELLS);
  readonly #ml = new WholeList();
  readonly #lists: Readonly<Record<ListName, List>> = {
    times: new List(),
    lengths: new List(),
    flags: new List(),
    lines: new List(),
    delivered: new List(),
  };
  #utilities = new Dictionary();
  #channels = new Dictionary();
  #units = new Dictionary();

  /** @param delivered values as delivered, where `mlPerUnit` is 0 */
  add(common: Common, reads: ReadColumns, delivered: Numbers | undefined, high: number, low: number): void {
    const { count } = reads;
    const { times, lengths, flags, lines } = this.#lists;
    const even = evenSteps(reads.time, count);
    const evenLines = evenSteps(reads.line, count);
    const sameLength = isUniform(reads.length, count);
    const sameFlags = isUniform(reads.flags, count);
    if (even === undefined) times.add(reads.time, count);
    if (evenLines === undefined) lines.add(reads.line, count);
    if (!sameLength) lengths.add(reads.length, count);
    if (!sameFlags) flags.add(reads.flags, count);
    this.#addRow(
      common,
      count,
      even === undefined ? 0 : reads.time[0]!,
      even ?? 0,
      sameLength ? reads.length[0]! : 0,
      sameFlags ? reads.flags[0]! : 0,
      evenLines === undefined ? 0 : reads.line[0]!,
      evenLines ?? 0,
      1,
      reads.ml,
      delivered,
      high,
      low,
    );
  }

  /** The same for a block that was accepted as a whole. */
  addEven(common: Common, delivered: Numbers | undefined, high: number, low: number): void {
    const { time, length, flags, line, ml, count } = common.block as EvenBlock;
    this.#addRow(
      common,
      count,
      time.from,
      time.step,
      length,
      flags,
      line.from,
      line.step,
      // A block has fewer reads than the cell holds.
      Math.min(line.repeat ?? 1, MAX_BLOCK_READS),
      ml,
      delivered,
      high,
      low,
    );
  }

  #addRow(
    common: Common,
    count: number,
    timeFrom: number,
    timeStep: number,
    length: number,
    flags: number,
    lineFrom: number,
    lineStep: number,
    lineRepeat: number,
    ml: Numbers,
    delivered: Numbers | undefined,
    high: number,
    low: number,
  ): void {
    const { block } = common;
    const lists = this.#lists;
    this.#ml.add(ml, count);
    if (delivered !== undefined) lists.delivered.add(delivered, count);
    let at = this.rows++ * CELLS;
    this.reads += count;
    if (at + CELLS > this.#cells.length) this.#cells = grown(this.#cells, at + CELLS);
    const cells = this.#cells;
    // In the order of `FIELDS`.
    cells[at++] = this.#utilities.indexOf(block.utility);
    cells[at++] = this.#channels.indexOf(common.channel);
    cells[at++] = this.#units.indexOf(common.unit);
    cells[at++] = Number.parseInt(block.meter.slice(8), 16);
    cells[at++] = Number.parseInt(block.meter.slice(0, 8), 16);
    cells[at++] = low;
    cells[at++] = high;
    cells[at++] = common.mlPerUnit;
    cells[at++] = common.file;
    cells[at++] = block.register;
    cells[at++] = common.origin;
    cells[at++] = common.counts;
    cells[at++] = common.gone;
    cells[at++] = timeFrom;
    cells[at++] = timeStep;
    cells[at++] = length;
    cells[at++] = flags;
    cells[at++] = lineFrom;
    cells[at++] = lineStep;
    cells[at++] = lineRepeat;
    // In the order of `VALUES`.
    cells[at++] = lists.times.count;
    cells[at++] = lists.lengths.count;
    cells[at++] = lists.flags.count;
    cells[at++] = lists.lines.count;
    cells[at++] = lists.delivered.count;
    cells[at++] = this.#ml.count;
  }

  /** The block, and nothing left here. */
  take(table: string, columns: Columns): EncodedInsert {
    const filled = LIST_NAMES.filter((name) => this.#lists[name].count > 0);
    const { used: millilitres } = this.#ml;
    const ml = millilitres instanceof Int32Array ? "Int32" : "Float64";
    const dictionaries = { utility_: this.#utilities, channel_: this.#channels, unit_: this.#units };
    let cell = 0;
    const fields = FIELDS.map(([name, type]): NativeColumn => {
      const values = this.#column(cell, type);
      cell += wordsOf(type);
      return type === "LowCardinality(String)"
        ? { name, type, keys: dictionaries[name].keys, values: values as Uint16Array }
        : { name, type, values };
    });
    const lists = filled.map((name): NativeColumn => ({
      name,
      type: "Array(Float64)",
      ends: this.#ends(FIELD_CELLS + LIST_NAMES.indexOf(name)),
      values: this.#lists[name].used,
    }));
    const block = encodeNative(this.rows, [
      ...fields,
      { name: "mls", type: `Array(${ml})`, ends: this.#ends(CELLS - 1), values: millilitres },
      ...lists,
    ]);
    const taken = { statement: unfolding(table, columns, ml, filled), rows: this.reads, block };
    this.#clear();
    return taken;
  }

  /** The cells of one field as an array of its type. */
  #column(cell: number, type: FieldType) {
    const width = wordsOf(type);
    const column = new Float64Array(this.rows * width);
    for (let word = 0; word < width; word++) this.#gather(cell + word, column, width, word);
    return new ARRAYS[type](column);
  }

  /** Where each row's list ends, as words of 64 bits. */
  #ends(cell: number): Uint32Array {
    const ends = new Float64Array(this.rows * 2);
    this.#gather(cell, ends, 2, 0);
    return new Uint32Array(ends);
  }

  /** One cell of each row to every `width`th place of `to`: always the same kind of array, which is much quicker. */
  #gather(cell: number, to: Float64Array, width: number, from: number): void {
    const cells = this.#cells;
    for (let row = 0, at = cell; row < this.rows; row++, at += CELLS) to[row * width + from] = cells[at]!;
  }

  #clear(): void {
    this.rows = this.reads = 0;
    this.#ml.clear();
    for (const name of LIST_NAMES) this.#lists[name].clear();
    this.#utilities = new Dictionary();
    this.#channels = new Dictionary();
    this.#units = new Dictionary();
  }
}

const ARRAYS = {
  UInt8: Uint8Array,
  UInt16: Uint16Array,
  UInt32: Uint32Array,
  Int32: Int32Array,
  UInt64: Uint32Array,
  Float64: Float64Array,
  "LowCardinality(String)": Uint16Array,
} as const satisfies Readonly<Record<FieldType, unknown>>;

/** The step of even numbers (0 for a single one), `undefined` where they are not even or the step is too long. */
function evenSteps(values: Float64Array, count: number): number | undefined {
  const first = values[0]!;
  const step = count > 1 ? values[1]! - first : 0;
  if (!isWord(step)) return undefined;
  for (let i = 2; i < count; i++) if (values[i] !== first + step * i) return undefined;
  return step;
}

function isUniform(values: Float64Array | Int32Array, count: number): boolean {
  const first = values[0]!;
  for (let i = 1; i < count; i++) if (values[i] !== first) return false;
  return true;
}

type Values = Readonly<Record<ListName, string>>;

/** The columns of a table, each with its expression. */
type Columns = (values: Values) => readonly (readonly [column: string, expression: string])[];

/**
 * The statement that unfolds a block of `FoldedRows` into a table.
 * @param ml type of the millilitres: the smaller one where it holds them
 * @param filled lists with any values: the others are not sent, and count as nothing
 */
function unfolding(
  table: string,
  columnsOf: Columns,
  ml: "Int32" | "Float64",
  filled: readonly ListName[],
): string {
  const values = Object.fromEntries(
    LIST_NAMES.map((name) => [name, VALUES[name](filled.includes(name) ? `${name}_` : "0")]),
  ) as Values;
  const columns = columnsOf(values);
  const fields = FIELDS.map(([name, type]) => `${name} ${type}`).join(", ");
  const lists = filled.map((name) => `, ${name} Array(Float64)`).join("");
  const sized = filled.map((name) => `, arrayResize(${name}, length(mls)) AS ${name}_`).join("");
  const joined = filled.map((name) => `, ${name}_`).join("");
  return `INSERT INTO curbstop.${table} (${columns.map(([name]) => name).join(", ")})
SELECT ${columns.map(([, expression]) => expression).join(", ")}
FROM (SELECT *, range(toUInt32(length(mls))) AS i${sized} FROM input('${fields}, mls Array(${ml})${lists}')
  ORDER BY utility_, meter_, channel_, time_from)
ARRAY JOIN mls, i${joined}`;
}

const intervals: Columns = ({ times, lengths, delivered, flags, lines }) => [
  ["utility", "utility_"],
  ["meter", "meter_"],
  ["channel", "channel_"],
  ["start", times],
  ["length", lengths],
  ["ml", "toInt64(mls)"],
  ["origin", "CAST(toInt8(origin_), 'Enum8(''delivered'' = 1, ''register'' = 2)')"],
  ["delivered", delivered],
  ["unit", "unit_"],
  ["flags", flags],
  ["file", "file_"],
  ["line", lines],
  ["counts", "counts_"],
  ["version", "version_"],
  ["gone", "gone_"],
];

const registerReads: Columns = ({ times, delivered, flags, lines }) => [
  ["utility", "utility_"],
  ["meter", "meter_"],
  ["channel", "channel_"],
  ["at", times],
  ["ml", "toInt64(mls)"],
  ["delivered", delivered],
  ["unit", "unit_"],
  ["flags", flags],
  ["register", "register_"],
  ["file", "file_"],
  ["line", lines],
  // Standing: an actual read stands above an estimated one, then the newer file, then the later line.
  ["version", `bitShiftLeft(toUInt64(file_) + if(bitTest(${flags}, 0), 0, 2147483648), 32) + ${lines}`],
];

const supersededReads: Columns = ({ times, lengths, flags, lines }) => [
  ["utility", "utility_"],
  ["meter", "meter_"],
  ["channel", "channel_"],
  ["kind", "CAST(toInt8(origin_), 'Enum8(''register'' = 1, ''usage'' = 2)')"],
  ["at", times],
  ["length", lengths],
  ["ml", "toInt64(mls)"],
  ["flags", flags],
  ["file", "file_"],
  ["line", lines],
];

const bills: Columns = ({ times, lengths, delivered, flags, lines }) => [
  ["utility", "utility_"],
  ["meter", "meter_"],
  ["channel", "channel_"],
  ["start", times],
  ["length", lengths],
  ["ml", "toInt64(mls)"],
  ["delivered", delivered],
  ["unit", "unit_"],
  ["flags", flags],
  ["file", "file_"],
  ["line", lines],
];

const KIND_REGISTER = 1;
const KIND_USAGE = 2;
const ORIGIN_DELIVERED = 1;
const ORIGIN_REGISTER = 2;
const STATE_TYPE = "Enum8('opened' = 1, 'updated' = 2, 'closed' = 3, 'withdrawn' = 4)";
const STATES = { opened: 1, updated: 2, closed: 3, withdrawn: 4 } as const;

/** Rows of one batch for ClickHouse, gathered as columns. */
export class RowBuffer implements RowSink, BillSink {
  readonly #intervals = new FoldedRows();
  readonly #reads = new FoldedRows();
  readonly #superseded = new FoldedRows();
  readonly #bills = new FoldedRows();
  #registers: RegisterRow[] = [];
  #findings: FindingRow[] = [];
  #newFindings: { readonly utility: string; readonly code: string }[] = [];
  readonly #one = new ReadColumns();
  readonly #delivered = new Float64Array(MAX_BLOCK_READS);
  #versionHigh = 0;
  #versionLow = 0;

  get rows(): number {
    return this.#intervals.reads + this.#reads.reads + this.#superseded.reads + this.#bills.reads;
  }

  get rowVersion(): number {
    return this.#versionHigh * 2 ** 32 + this.#versionLow;
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

  evenUsage(block: EvenBlock): void {
    const { channel, unit, file, delivered } = block;
    const mlPerUnit = delivered === undefined ? block.mlPerUnit : 0;
    this.#intervals.addEven(
      { block, channel, unit, mlPerUnit, file, origin: ORIGIN_DELIVERED, counts: 1, gone: 0 },
      delivered as Numbers | undefined,
      this.#versionHigh,
      this.#versionLow,
    );
  }

  bills(block: ReadsBlock, reads: AcceptedReads): void {
    this.#deliveredReads(this.#bills, block, reads);
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
    this.#takeOne(row.start, row);
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
      this.#one,
    );
  }

  superseded(block: ReadsBlock, read: Read): void {
    this.#takeOne(read.time, read);
    const { channel, kind } = block;
    const { file } = read;
    const origin = kind === "register" ? KIND_REGISTER : KIND_USAGE;
    this.#add(
      this.#superseded,
      { block, channel, unit: "", mlPerUnit: 1, file, origin, counts: 1, gone: 0 },
      this.#one,
    );
  }

  meterRegister(
    { utility, meter }: MeterOfUtility,
    channel: string,
    { resolution, modulus, modulusFile }: RegisterFacts,
  ): void {
    const version = BigInt(this.rowVersion);
    this.#registers.push({ utility, meter, channel, resolution, modulus, modulusFile, version });
  }

  finding({ utility, meter }: MeterOfUtility, finding: Finding, change: "new" | "changed" | "gone"): void {
    const version = BigInt(this.rowVersion);
    this.#findings.push({ utility, meter, finding, gone: change === "gone", version });
    if (change === "new") this.#newFindings.push({ utility, code: finding.code });
  }

  /** What was found anew since the last call. */
  takeNewFindings(): readonly { readonly utility: string; readonly code: string }[] {
    const found = this.#newFindings;
    if (found.length > 0) this.#newFindings = [];
    return found;
  }

  #takeOne(time: number, { length, ml, flags, line }: Pick<Read, "length" | "ml" | "flags" | "line">): void {
    const one = this.#one;
    one.count = 1;
    one.time[0] = time;
    one.length[0] = length;
    one.ml[0] = ml;
    one.flags[0] = flags;
    one.line[0] = line;
  }

  /**
   * What is inserted before the rest: a state that is made from the reads which stand does not know what they replaced,
   * nor what was told of their register.
   */
  takeFirst(): EncodedInsert[] {
    const inserts: EncodedInsert[] = [];
    if (this.#registers.length > 0) {
      inserts.push(encodeRegisters(this.#registers));
      this.#registers = [];
    }
    if (this.#superseded.rows > 0) inserts.push(this.#superseded.take("superseded_reads", supersededReads));
    return inserts;
  }

  /** The other blocks to insert; the buffer is empty afterwards. */
  take(): EncodedInsert[] {
    const inserts: EncodedInsert[] = [];
    if (this.#reads.rows > 0) inserts.push(this.#reads.take("register_reads", registerReads));
    if (this.#intervals.rows > 0) inserts.push(this.#intervals.take("intervals", intervals));
    if (this.#bills.rows > 0) inserts.push(this.#bills.take("bills", bills));
    if (this.#findings.length > 0) {
      inserts.push(encodeFindings(this.#findings));
      this.#findings = [];
    }
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

interface RegisterRow extends MeterOfUtility, RegisterFacts {
  readonly channel: string;
  readonly version: bigint;
}

/** Rows of table `meter_registers`. */
function encodeRegisters(rows: readonly RegisterRow[]): EncodedInsert {
  return encodeRows("meter_registers", rows.length, [
    words(
      "utility",
      rows.map(({ utility }) => utility),
    ),
    { name: "meter", type: "UInt64", values: metersOf(rows) },
    words(
      "channel",
      rows.map(({ channel }) => channel),
    ),
    {
      name: "resolution",
      type: "UInt64",
      values: BigUint64Array.from(rows, ({ resolution }) => BigInt(resolution)),
    },
    { name: "modulus", type: "UInt64", values: BigUint64Array.from(rows, ({ modulus }) => BigInt(modulus)) },
    {
      name: "modulus_file",
      type: "UInt32",
      values: Uint32Array.from(rows, ({ modulusFile }) => modulusFile),
    },
    { name: "version", type: "UInt64", values: BigUint64Array.from(rows, ({ version }) => version) },
  ]);
}

interface FindingRow {
  readonly utility: string;
  readonly meter: string;
  readonly finding: Finding;
  readonly gone: boolean;
  readonly version: bigint;
}

/** Rows of table `check_findings`. */
function encodeFindings(rows: readonly FindingRow[]): EncodedInsert {
  const findings = rows.map(({ finding }) => finding);
  return encodeRows("check_findings", rows.length, [
    words(
      "utility",
      rows.map(({ utility }) => utility),
    ),
    { name: "meter", type: "UInt64", values: metersOf(rows) },
    words(
      "code",
      findings.map(({ code }) => code),
    ),
    { name: "start", type: "DateTime('UTC')", values: Uint32Array.from(findings, ({ start }) => start) },
    { name: "end", type: "DateTime('UTC')", values: Uint32Array.from(findings, ({ end }) => end) },
    { name: "open", type: "UInt8", values: Uint8Array.from(findings, ({ open }) => (open ? 1 : 0)) },
    { name: "value", type: "Float64", values: Float64Array.from(findings, ({ value }) => value) },
    { name: "limit", type: "Float64", values: Float64Array.from(findings, ({ limit }) => limit) },
    { name: "version", type: "UInt64", values: BigUint64Array.from(rows, ({ version }) => version) },
    { name: "gone", type: "UInt8", values: Uint8Array.from(rows, ({ gone }) => (gone ? 1 : 0)) },
  ]);
}

function encodeRows(table: string, rows: number, columns: readonly NativeColumn[]): EncodedInsert {
  const names = columns.map(({ name }) => name).join(", ");
  return {
    statement: `INSERT INTO curbstop.${table} (${names})`,
    rows,
    block: encodeNative(rows, columns),
  };
}

function words(name: string, values: readonly string[]): NativeColumn {
  const dictionary = new Dictionary();
  const indexes = Uint16Array.from(values, (word) => dictionary.indexOf(word));
  return { name, type: "LowCardinality(String)", keys: dictionary.keys, values: indexes };
}

/** Meter keys as words of 64 bits, low and high. */
function metersOf(rows: readonly { readonly meter: string }[]): Uint32Array {
  const meters = new Uint32Array(rows.length * 2);
  rows.forEach(({ meter }, i) => {
    meters[2 * i] = Number.parseInt(meter.slice(8), 16);
    meters[2 * i + 1] = Number.parseInt(meter.slice(0, 8), 16);
  });
  return meters;
}

/** Rows of table `anomalies`, where the newest version of an anomaly stands, and of its history, where each does. */
export function encodeAnomalies(messages: readonly AnomalyMessage[]): readonly EncodedInsert[] {
  const numbers = (of: (message: AnomalyMessage) => number) => messages.map(of);
  const big = (of: (message: AnomalyMessage) => number) => BigInt64Array.from(numbers(of), BigInt);
  const columns: NativeColumn[] = [
    words(
      "utility",
      messages.map(({ utility }) => utility),
    ),
    { name: "meter", type: "UInt64", values: metersOf(messages) },
    {
      name: "id",
      type: "FixedString(32)",
      values: Buffer.from(messages.map(({ id }) => id).join(""), "latin1"),
    },
    { name: "version", type: "UInt32", values: Uint32Array.from(numbers(({ version }) => version)) },
    words(
      "class",
      messages.map((message) => message.class ?? ""),
    ),
    words(
      "rule",
      messages.map(({ rule }) => rule),
    ),
    {
      name: "rule_version",
      type: "UInt16",
      values: Uint16Array.from(numbers(({ ruleVersion }) => ruleVersion)),
    },
    { name: "state", type: STATE_TYPE, values: Int8Array.from(numbers(({ state }) => STATES[state])) },
    words(
      "reason",
      messages.map(({ reason }) => reason ?? ""),
    ),
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
  return ["anomalies", "anomaly_history"].map((table) => encodeRows(table, messages.length, columns));
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
    late_reads: message.lateReads,
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
