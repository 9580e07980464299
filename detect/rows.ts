import type { AnomalyMessage } from "../schemas/anomalies.js";
import type { FileMessage } from "../schemas/files.js";
import { deliveredAt, type ReadsBlock } from "../schemas/reads.js";
import { encodeNative, type NativeColumn } from "../infra/clickhouse/native-block.js";
import type { IntervalRow, RowSink } from "./meter-state.js";

/** A block for ClickHouse, ready to be sent. */
export interface EncodedInsert {
  readonly table: string;
  readonly columns: readonly string[];
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

/** Rows that share everything but their own columns: filled in at once when the block is encoded. */
interface Run {
  readonly rows: number;
  readonly utility: number;
  readonly meterHigh: number;
  readonly meterLow: number;
  readonly channel: number;
  readonly unit: number;
  readonly register: number;
  readonly file: number;
  readonly origin: number;
  readonly counts: number;
  readonly gone: number;
  readonly versionHigh: number;
  readonly versionLow: number;
}

type Constants = Omit<Run, "rows">;

const FIRST_ROWS = 65_536;

/** Growing columns of one table, and the runs that say the rest. */
class Columns {
  rows = 0;
  // Kept from one block to the next: arrays of this size are dear to make and to collect.
  time = new Uint32Array(FIRST_ROWS);
  length = new Uint32Array(FIRST_ROWS);
  ml = new BigInt64Array(FIRST_ROWS);
  delivered = new Float64Array(FIRST_ROWS);
  flags = new Uint16Array(FIRST_ROWS);
  line = new Uint32Array(FIRST_ROWS);
  runs: Run[] = [];
  utilities = new Dictionary();
  channels = new Dictionary();
  units = new Dictionary();
  #block: ReadsBlock | undefined;
  #constants: Constants | undefined;
  #from = 0;
  /** Low and high words of `ml`: writing numbers in halves spares a BigInt for each row. */
  mlWords = new Uint32Array(this.ml.buffer);

  add(time: number, length: number, ml: number, delivered: number, flags: number, line: number): void {
    const at = this.rows;
    if (at === this.time.length) this.#grow();
    this.rows = at + 1;
    this.time[at] = time;
    this.length[at] = length;
    const high = Math.floor(ml / 4_294_967_296);
    this.mlWords[2 * at] = ml - high * 4_294_967_296;
    this.mlWords[2 * at + 1] = high;
    this.delivered[at] = delivered;
    this.flags[at] = flags;
    this.line[at] = line;
  }

  /** Whether the run in hand is of this block: no need to work its constants out again. */
  isRunOf(block: ReadsBlock): boolean {
    return this.#block === block;
  }

  begin(block: ReadsBlock | undefined, constants: Constants): void {
    this.endRun();
    this.#block = block;
    this.#constants = constants;
  }

  endRun(): void {
    if (this.#constants !== undefined && this.rows > this.#from) {
      this.runs.push({ ...this.#constants, rows: this.rows - this.#from });
    }
    this.#from = this.rows;
    this.#constants = undefined;
    this.#block = undefined;
  }

  clear(): void {
    this.rows = 0;
    this.runs = [];
    this.utilities = new Dictionary();
    this.channels = new Dictionary();
    this.units = new Dictionary();
    this.#from = 0;
    this.#constants = undefined;
    this.#block = undefined;
  }

  #grow(): void {
    const size = this.time.length * 2;
    const grown = <T extends { set(from: T): void }>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.time = grown(new Uint32Array(size), this.time);
    this.length = grown(new Uint32Array(size), this.length);
    this.ml = grown(new BigInt64Array(size), this.ml);
    this.mlWords = new Uint32Array(this.ml.buffer);
    this.delivered = grown(new Float64Array(size), this.delivered);
    this.flags = grown(new Uint16Array(size), this.flags);
    this.line = grown(new Uint32Array(size), this.line);
  }
}

const ORIGIN_DELIVERED = 1;
const ORIGIN_REGISTER = 2;
const ORIGIN_TYPE = "Enum8('delivered' = 1, 'register' = 2)";
const STATE_TYPE = "Enum8('opened' = 1, 'updated' = 2, 'closed' = 3, 'withdrawn' = 4)";
const STATES = { opened: 1, updated: 2, closed: 3, withdrawn: 4 } as const;

/** Rows of one batch for ClickHouse, gathered as columns. */
export class RowBuffer implements RowSink {
  readonly #intervals = new Columns();
  readonly #reads = new Columns();
  #versionHigh = 0;
  #versionLow = 0;

  get rows(): number {
    return this.#intervals.rows + this.#reads.rows;
  }

  /**
   * Version of interval rows from here on: decisions that come later in the log win.
   * @param generation of the log, @param offset of the message in its partition
   */
  version(generation: number, offset: number): void {
    this.#intervals.endRun();
    this.#versionHigh = generation * 256 + Math.floor(offset / 4_294_967_296);
    this.#versionLow = offset % 4_294_967_296;
  }

  registerRead(block: ReadsBlock, at: number, i: number, flags: number, line: number): void {
    const columns = this.#reads;
    if (!columns.isRunOf(block))
      columns.begin(block, this.#constants(columns, block, block.channel, block.unit));
    columns.add(at, 0, block.ml[i]!, deliveredAt(block, i) ?? 0, flags, line);
  }

  usage(block: ReadsBlock, start: number, length: number, i: number, flags: number, line: number): void {
    const columns = this.#intervals;
    if (!columns.isRunOf(block))
      columns.begin(block, this.#constants(columns, block, block.channel, block.unit));
    columns.add(start, length, block.ml[i]!, deliveredAt(block, i) ?? 0, flags, line);
  }

  interval(block: ReadsBlock, channel: string, row: IntervalRow, gone: boolean): void {
    const columns = this.#intervals;
    // The usual row of a file of registers; those of a block are one run.
    const usual =
      block.kind === "register" && row.derived && row.counts && !gone && channel === block.channel;
    if (!usual || !columns.isRunOf(block)) {
      columns.begin(usual ? block : undefined, {
        ...this.#constants(columns, block, channel, row.asDelivered?.unit ?? ""),
        file: row.file,
        origin: row.derived ? ORIGIN_REGISTER : ORIGIN_DELIVERED,
        counts: row.counts ? 1 : 0,
        gone: gone ? 1 : 0,
      });
    }
    columns.add(row.start, row.length, row.ml, row.asDelivered?.value ?? 0, row.flags, row.line);
  }

  #constants(columns: Columns, block: ReadsBlock, channel: string, unit: string): Constants {
    return {
      utility: columns.utilities.indexOf(block.utility),
      meterHigh: Number.parseInt(block.meter.slice(0, 8), 16),
      meterLow: Number.parseInt(block.meter.slice(8), 16),
      channel: columns.channels.indexOf(channel),
      unit: columns.units.indexOf(unit),
      register: block.register,
      file: block.file,
      origin: ORIGIN_DELIVERED,
      counts: 1,
      gone: 0,
      versionHigh: this.#versionHigh,
      versionLow: this.#versionLow,
    };
  }

  /** The blocks to insert; the buffer is empty afterwards. */
  take(): EncodedInsert[] {
    const inserts: EncodedInsert[] = [];
    if (this.#reads.rows > 0) inserts.push(encodeReads(this.#reads));
    if (this.#intervals.rows > 0) inserts.push(encodeIntervals(this.#intervals));
    this.#reads.clear();
    this.#intervals.clear();
    return inserts;
  }
}

function words(
  rows: number,
  runs: readonly Run[],
  high: (run: Run) => number,
  low: (run: Run) => number,
): Uint32Array {
  const array = new Uint32Array(rows * 2);
  let at = 0;
  for (const run of runs) {
    const h = high(run);
    const l = low(run);
    for (const end = at + 2 * run.rows; at < end; at += 2) {
      array[at] = l;
      array[at + 1] = h;
    }
  }
  return array;
}

/**
 * Nearly all columns that runs say are the same all along. Otherwise a loop: runs are as short as a day, for which `fill`
 * costs more.
 */
function filled<T extends { [index: number]: number; fill(value: number): unknown }>(
  array: T,
  runs: readonly Run[],
  value: (run: Run) => number,
): T {
  const first = runs.length === 0 ? 0 : value(runs[0]!);
  if (runs.every((run) => value(run) === first)) {
    array.fill(first);
    return array;
  }
  let at = 0;
  for (const run of runs) {
    const same = value(run);
    for (const end = at + run.rows; at < end; at++) array[at] = same;
  }
  return array;
}

function identity(columns: Columns): NativeColumn[] {
  const { rows, runs } = columns;
  return [
    {
      name: "utility",
      type: "LowCardinality(String)",
      keys: columns.utilities.keys,
      values: filled(new Uint16Array(rows), runs, (run) => run.utility),
    },
    {
      name: "meter",
      type: "UInt64",
      values: words(
        rows,
        runs,
        (run) => run.meterHigh,
        (run) => run.meterLow,
      ),
    },
    {
      name: "channel",
      type: "LowCardinality(String)",
      keys: columns.channels.keys,
      values: filled(new Uint16Array(rows), runs, (run) => run.channel),
    },
  ];
}

function values(columns: Columns): NativeColumn[] {
  const { rows, runs } = columns;
  return [
    { name: "ml", type: "Int64", values: columns.ml.subarray(0, rows) },
    { name: "delivered", type: "Float64", values: columns.delivered.subarray(0, rows) },
    {
      name: "unit",
      type: "LowCardinality(String)",
      keys: columns.units.keys,
      values: filled(new Uint16Array(rows), runs, (run) => run.unit),
    },
    { name: "flags", type: "UInt16", values: columns.flags.subarray(0, rows) },
    { name: "file", type: "UInt32", values: filled(new Uint32Array(rows), runs, (run) => run.file) },
    { name: "line", type: "UInt32", values: columns.line.subarray(0, rows) },
  ];
}

function insert(table: string, rows: number, columns: readonly NativeColumn[]): EncodedInsert {
  return { table, columns: columns.map(({ name }) => name), rows, block: encodeNative(rows, columns) };
}

function encodeIntervals(columns: Columns): EncodedInsert {
  columns.endRun();
  const { rows, runs } = columns;
  return insert("intervals", rows, [
    ...identity(columns),
    { name: "start", type: "DateTime('UTC')", values: columns.time.subarray(0, rows) },
    { name: "length", type: "UInt32", values: columns.length.subarray(0, rows) },
    ...values(columns),
    { name: "origin", type: ORIGIN_TYPE, values: filled(new Int8Array(rows), runs, (run) => run.origin) },
    { name: "counts", type: "UInt8", values: filled(new Uint8Array(rows), runs, (run) => run.counts) },
    {
      name: "version",
      type: "UInt64",
      values: words(
        rows,
        runs,
        (run) => run.versionHigh,
        (run) => run.versionLow,
      ),
    },
    { name: "gone", type: "UInt8", values: filled(new Uint8Array(rows), runs, (run) => run.gone) },
  ]);
}

/** An actual read stands above an estimated one, then the newer file, then the later line. */
const ACTUAL = 2 ** 31;

function encodeReads(columns: Columns): EncodedInsert {
  columns.endRun();
  const { rows, runs, flags, line } = columns;
  const version = new Uint32Array(rows * 2);
  let at = 0;
  for (const run of runs) {
    for (const end = at + run.rows; at < end; at++) {
      version[2 * at] = line[at]!;
      version[2 * at + 1] = run.file + ((flags[at]! & 1) === 0 ? ACTUAL : 0);
    }
  }
  return insert("register_reads", rows, [
    ...identity(columns),
    { name: "at", type: "DateTime('UTC')", values: columns.time.subarray(0, rows) },
    ...values(columns),
    { name: "register", type: "UInt16", values: filled(new Uint16Array(rows), runs, (run) => run.register) },
    { name: "version", type: "UInt64", values: version },
  ]);
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
  return insert("anomalies", messages.length, [
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
  ]);
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
