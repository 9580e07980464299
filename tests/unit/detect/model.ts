import {
  statesOf,
  type StoredAnomaly,
  type StoredRead,
  type StoredRegister,
} from "../../../detect/history.js";
import type { AcceptedReads, BlockCounts, EvenBlock } from "../../../detect/accepted-reads.js";
import type { RegisterFacts } from "../../../detect/channel.js";
import type { IntervalRow } from "../../../detect/intervals.js";
import {
  environmentOf as environmentOfUtility,
  inCold,
  type MeterEnvironment,
} from "../../../detect/meter-environment.js";
import { MeterState } from "../../../detect/meter-state.js";
import type { RowSink } from "../../../detect/row-sink.js";
import type { Finding } from "../../../detect/checks/finding.js";
import type { Read } from "../../../detect/kept-reads.js";
import type { ReadColumns } from "../../../detect/read-columns.js";
import { decodeState, encodeState } from "../../../detect/state-codec.js";
import type { AnomalyMessage, RuleName } from "../../../schemas/anomalies.js";
import { HISTORY_CHECKS } from "../../../schemas/checks.js";
import { detectConfig } from "../../../schemas/detect-config.js";
import { Flag } from "../../../schemas/flags.js";
import type { MeterSetting } from "../../../schemas/meters.js";
import { spellsDifferFrom, type ColdSpell } from "../../../schemas/temperatures.js";
import { deliveredAt, sequenceAt, type ReadsBlock, type Sequence } from "../../../schemas/reads.js";

export const METER = "00000000000000aa";
export const UTILITY = "oakvale";

type DetectInput = Parameters<typeof detectConfig.parse>[0];

export function environmentOf(
  detect: DetectInput = {},
  timeZone = "America/Los_Angeles",
  since?: ReadonlyMap<RuleName, number>,
): MeterEnvironment {
  const parsed = detectConfig.parse({ rules: ["continuous-flow", "spike"], ...(detect as object) });
  return environmentOfUtility(
    parsed,
    parsed.rules,
    timeZone,
    {
      ...Object.fromEntries(HISTORY_CHECKS.map((code) => [code, 0])),
      // Small enough that histories of some days meet them.
      "prolonged-estimation": 2,
      gap: 3,
      "sibling-missing": 2,
      stuck: 3,
      "no-usage": 0.25,
      "high-day": 120,
      "low-day": 80,
      "peak-interval": 50,
    },
    since,
  );
}

/** One insert: rows of one table and month, stored whole or not at all. */
interface Insert {
  /** The others are not sent before it is stored. */
  readonly first: boolean;
  readonly rows: ((tables: Tables) => void)[];
}

interface StoredFindingRow {
  readonly finding: Finding;
  readonly gone: boolean;
  readonly version: number;
}

interface StoredInterval {
  readonly channel: string;
  readonly row: IntervalRow;
  readonly gone: boolean;
  readonly version: number;
}

/** What ClickHouse holds of one meter, replacing rows as its engine does: the higher version, of equals the later. */
export class Tables {
  readonly registers = new Map<string, { readonly version: number; readonly read: StoredRead }>();
  readonly intervals = new Map<string, StoredInterval>();
  readonly superseded = new Map<string, Read>();
  readonly facts = new Map<string, { readonly version: number; readonly row: StoredRegister }>();
  readonly anomalies = new Map<string, AnomalyMessage>();
  readonly findings = new Map<string, StoredFindingRow>();

  putRead(read: StoredRead): void {
    const version = ((read.flags & Flag.estimated) === 0 ? 2 ** 50 : 0) + read.file * 2 ** 20 + read.line;
    const key = `${read.channel}|${read.time}`;
    if ((this.registers.get(key)?.version ?? -1) <= version) this.registers.set(key, { version, read });
  }

  putInterval(stored: StoredInterval): void {
    const { channel, row, version } = stored;
    const key = `${channel}|${row.start}|${row.derived}`;
    if ((this.intervals.get(key)?.version ?? -1) <= version) this.intervals.set(key, stored);
  }

  putFacts(row: StoredRegister, version: number): void {
    if ((this.facts.get(row.channel)?.version ?? -1) <= version)
      this.facts.set(row.channel, { row, version });
  }

  putSuperseded({ channel, kind }: ReadsBlock, read: Read): void {
    this.superseded.set(`${channel}|${kind}|${read.time}|${read.file}|${read.line}`, read);
  }

  /** The rows of table `superseded_reads`, in order. */
  fallen() {
    return [...this.superseded]
      .map(([key, { time, length, ml, flags, file, line }]) => ({ key, time, length, ml, flags, file, line }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  putFinding(row: StoredFindingRow): void {
    const key = `${row.finding.code} ${row.finding.start}`;
    if ((this.findings.get(key)?.version ?? -1) <= row.version) this.findings.set(key, row);
  }

  /** The rows of view `checks_current`, in order. */
  checks(): Finding[] {
    return [...this.findings.values()]
      .filter(({ gone }) => !gone)
      .map(({ finding }) => finding)
      .sort((a, b) => a.start - b.start || (a.code < b.code ? -1 : 1));
  }

  putAnomaly(message: AnomalyMessage): void {
    const known = this.anomalies.get(message.id);
    if (known !== undefined && known.version >= message.version) {
      throw new Error(`${message.id}: version ${message.version} told after ${known.version}`);
    }
    this.anomalies.set(message.id, message);
  }

  /** The rows of view `usage`, in order. */
  usage() {
    return [...this.intervals.values()]
      .filter(({ gone, row }) => !gone && row.counts)
      .map(({ channel, row }) => ({ channel, ...row }))
      .sort((a, b) => (a.channel < b.channel ? -1 : a.channel > b.channel ? 1 : a.start - b.start));
  }

  /** All delivered rows, counted or not. */
  delivered() {
    return [...this.intervals.values()]
      .filter(({ row }) => !row.derived)
      .map(({ channel, row }) => ({ channel, ...row }))
      .sort((a, b) => (a.channel < b.channel ? -1 : a.channel > b.channel ? 1 : a.start - b.start));
  }

  /** The rows of view `anomalies_current`, in order, without what depends on the way to them. */
  current() {
    return [...this.anomalies.values()]
      .filter(({ state }) => state !== "withdrawn")
      .map(({ rule, start, end, detectedAt, rate, volume, state, reason }) => ({
        rule,
        start,
        end,
        detectedAt,
        rate,
        volume,
        open: state !== "closed",
        reason,
      }))
      .sort((a, b) => a.start - b.start || (a.rule < b.rule ? -1 : 1));
  }
}

export interface ModelOptions {
  readonly environment?: MeterEnvironment;
  /** Whether the state is trimmed after this batch and on the way; the stage does it always. */
  readonly trims?: (batch: number) => boolean;
  /** Whether the state goes through its bytes after this batch. */
  readonly saves?: (batch: number) => boolean;
}

/** The stage for one meter, with what it stores, without its stores. */
export class Model {
  readonly tables = new Tables();
  readonly messages: AnomalyMessage[] = [];
  state: MeterState | undefined;
  histories = 0;
  #offset = 0;
  #batches = 0;
  #environment: MeterEnvironment;
  readonly #options: ModelOptions;

  constructor(options: ModelOptions = {}) {
    this.#options = options;
    this.#environment = options.environment ?? environmentOf();
  }

  get offset(): number {
    return this.#offset;
  }

  /** One batch as the stage does it: all its blocks with one state, then a checkpoint. */
  batch(blocks: readonly ReadsBlock[]): BlockCounts {
    const { inserts, messages, counts } = this.judge(blocks);
    for (const insert of inserts) this.store(insert);
    this.commit(messages);
    return counts;
  }

  /** What a batch leads to, not yet stored nor committed. */
  judge(blocks: readonly ReadsBlock[]) {
    let state = this.state ?? new MeterState(UTILITY, METER);
    const counts: BlockCounts = { accepted: 0, superseded: 0, missing: 0 };
    const sink = new InsertSink(() => this.#offset + 1);
    const messages: AnomalyMessage[] = [];
    const trims = this.#options.trims?.(this.#batches) ?? true;
    for (const block of blocks) {
      if (state.needsHistory(block)) {
        for (const insert of sink.take()) this.store(insert);
        state = this.#hydrate(state);
      }
      const found = state.apply(block, this.#environment, sink, counts);
      state.showHours(found, this.#environment);
      messages.push(...found);
      // What the state knows must last until it is told.
      if (trims && messages.length === 0) state.trim(this.#environment);
      this.#offset++;
    }
    if (trims) state.trim(this.#environment);
    if (this.#options.saves?.(this.#batches) ?? false) state = throughBytes(state);
    this.#batches++;
    this.state = state;
    return { inserts: sink.take(), messages, counts };
  }

  store(insert: Insert): void {
    for (const row of insert.rows) row(this.tables);
  }

  commit(messages: readonly AnomalyMessage[]): void {
    for (const message of messages) {
      this.tables.putAnomaly(message);
      this.messages.push(message);
    }
  }

  settings(settings: readonly MeterSetting[]): void {
    let state = this.state ?? new MeterState(UTILITY, METER);
    if (state.settingsNeedHistory(settings)) state = this.#hydrate(state);
    const sink = new InsertSink(() => this.#offset);
    this.commit(state.applySettings(settings, this.#environment, sink));
    for (const insert of sink.take()) this.store(insert);
    state.trim(this.#environment);
    this.state = state;
  }

  /** It was cold at these times, as far as is known now. */
  cold(spells: readonly ColdSpell[]): void {
    const before = this.#environment;
    const from = spellsDifferFrom(before.context.cold, spells);
    this.#environment = inCold(before, spells);
    let { state } = this;
    if (state?.readsAfter(from) !== true) return;
    if (state.base.at > from) state = this.#hydrate(state);
    this.commit(state.applyCold(this.#environment));
    state.trim(this.#environment);
    this.state = state;
  }

  /** The state as it is saved, and the offset to go on from. */
  checkpoint(): { readonly state: Buffer | undefined; readonly offset: number } {
    return { state: this.state === undefined ? undefined : encodeState(this.state), offset: this.#offset };
  }

  /** The process was killed and another goes on from a checkpoint; a state that was lost is made from the tables. */
  restart(state: Buffer | "lost" | undefined, offset: number): void {
    if (state === "lost") this.state = this.#hydrate(undefined);
    else this.state = state === undefined ? undefined : decodeState(state);
    this.#offset = offset;
  }

  #hydrate(before: MeterState | undefined): MeterState {
    this.histories++;
    const { registers, intervals, anomalies } = this.tables;
    const [state] = statesOf(UTILITY, new Map([[METER, before]]), {
      facts: [...this.tables.facts.values()].map(({ row }) => row),
      registers: [...registers.values()].map(({ read }) => read).sort((a, b) => a.time - b.time),
      usage: [...intervals.values()]
        .filter(({ row }) => !row.derived)
        .map(({ channel, row }) => storedUsage(channel, row))
        .sort((a, b) => a.time - b.time),
      anomalies: [...anomalies.values()].map(storedAnomaly),
      findings: [...this.tables.findings.values()]
        .filter(({ finding: { start, end } }) => end > start)
        .map(({ finding, gone, version }) => ({
          ...finding,
          key: METER,
          open: finding.open ? 1 : 0,
          gone: gone ? 1 : 0,
          version: String(version),
        })),
    });
    return state!;
  }
}

function throughBytes(state: MeterState): MeterState {
  return decodeState(encodeState(state));
}

class InsertSink implements RowSink {
  readonly #inserts = new Map<string, Pick<Insert, "rows">>();
  readonly #version: () => number;

  constructor(version: () => number) {
    this.#version = version;
  }

  /** Those of `superseded_reads` and `meter_registers` come first, as the stage has it. */
  take(): Insert[] {
    const isFirst = (name: string) => (/^(superseded|facts)/.test(name) ? 0 : 1);
    const inserts = [...this.#inserts]
      .sort(([a], [b]) => isFirst(a) - isFirst(b))
      .map(([name, { rows }]) => ({ rows, first: isFirst(name) === 0 }));
    this.#inserts.clear();
    return inserts;
  }

  get rowVersion(): number {
    return this.#version();
  }

  registerReads(block: ReadsBlock, reads: AcceptedReads): void {
    const { channel, unit } = block;
    for (let i = 0; i < reads.count; i++) {
      const at = reads.time[i]!;
      const read: StoredRead = {
        key: METER,
        channel,
        time: at,
        length: 0,
        ml: String(reads.ml[i]),
        flags: reads.flags[i]!,
        file: reads.file[i]!,
        line: reads.line[i]!,
        register: reads.register[i]!,
        delivered: deliveredAt(block, reads.index[i]!) ?? 0,
        unit,
      };
      this.#put(`reads ${month(at)}`, (tables) => tables.putRead(read));
    }
  }

  usage(block: ReadsBlock, reads: AcceptedReads): void {
    for (let i = 0; i < reads.count; i++) {
      const asDelivered = { value: deliveredAt(block, reads.index[i]!) ?? 0, unit: block.unit };
      const row = { ...rowAt(reads, i), asDelivered, file: reads.file[i]!, line: reads.line[i]! };
      this.interval(block, block.channel, row, false);
    }
  }

  evenUsage(block: EvenBlock): void {
    for (let i = 0; i < block.count; i++) {
      const row: IntervalRow = {
        start: sequenceAt(block.time, i),
        length: block.length,
        ml: block.ml[i]!,
        flags: block.flags,
        derived: false,
        counts: true,
        asDelivered: { value: deliveredAt(block, i) ?? 0, unit: block.unit },
        file: block.file,
        line: sequenceAt(block.line, i),
      };
      this.interval(block, block.channel, row, false);
    }
  }

  derived(block: ReadsBlock, intervals: ReadColumns): void {
    for (let i = 0; i < intervals.count; i++) {
      const row = { ...rowAt(intervals, i), derived: true, asDelivered: undefined, file: 0, line: 0 };
      this.interval(block, block.channel, row, false);
    }
  }

  interval(_block: ReadsBlock, channel: string, row: IntervalRow, gone: boolean): void {
    if (!row.derived && row.asDelivered === undefined) {
      throw new Error(`delivered row at ${row.start} written without its value as delivered`);
    }
    const stored = { channel, row, gone, version: this.#version() };
    this.#put(`intervals ${month(row.start)}`, (tables) => tables.putInterval(stored));
  }

  superseded(block: ReadsBlock, read: Read): void {
    this.#put(`superseded ${month(read.time)}`, (tables) => tables.putSuperseded(block, read));
  }

  meterRegister(_meter: object, channel: string, { resolution, modulus, modulusFile }: RegisterFacts): void {
    const row: StoredRegister = {
      key: METER,
      channel,
      resolution: String(resolution),
      modulus: String(modulus),
      modulus_file: modulusFile,
    };
    const version = this.rowVersion;
    this.#put("facts", (tables) => tables.putFacts(row, version));
  }

  finding(_meter: object, finding: Finding, change: "new" | "changed" | "gone"): void {
    const row = { finding, gone: change === "gone", version: this.rowVersion };
    this.#put("findings", (tables) => tables.putFinding(row));
  }

  #put(insert: string, row: (tables: Tables) => void): void {
    const known = this.#inserts.get(insert);
    if (known === undefined) this.#inserts.set(insert, { rows: [row] });
    else known.rows.push(row);
  }
}

function rowAt({ time, length, ml, flags }: ReadColumns, i: number) {
  return { start: time[i]!, length: length[i]!, ml: ml[i]!, flags: flags[i]!, derived: false, counts: true };
}

function month(second: number): string {
  return new Date(second * 1000).toISOString().slice(0, 7);
}

function storedUsage(channel: string, row: IntervalRow): StoredRead {
  const { start, length, ml, flags, file, line, asDelivered } = row;
  return {
    key: METER,
    channel,
    time: start,
    length,
    ml: String(ml),
    flags,
    file,
    line,
    register: 0,
    delivered: asDelivered!.value,
    unit: asDelivered!.unit,
  };
}

function storedAnomaly(message: AnomalyMessage): StoredAnomaly {
  return {
    key: METER,
    id: message.id,
    version: message.version,
    rule: message.rule,
    rule_version: message.ruleVersion,
    state: message.state,
    reason: message.reason ?? "",
    start: message.start,
    end: message.end,
    detected_at: message.detectedAt,
    rate: String(message.rate),
    volume: String(message.volume),
    evidence: JSON.stringify(message.evidence),
  };
}

/** A read of a test: `length` 0 for a register. */
export interface TestRead {
  readonly time: number;
  readonly length?: number;
  readonly ml: number | null;
  readonly flags?: number;
}

/** A block of reads in order of time. Lines are numbered from `line`. */
/** As short as an importer tells them. */
function sequenceOf(values: readonly number[]): Sequence {
  const from = values[0]!;
  const step = values.length > 1 ? values[1]! - from : 0;
  return values.every((value, i) => value === from + step * i) ? { from, step } : [...values];
}

function oneOrEach(values: readonly number[]): number | number[] {
  return values.every((value) => value === values[0]) ? values[0]! : [...values];
}

export function blockOf(
  reads: readonly TestRead[],
  of: {
    readonly kind?: ReadsBlock["kind"];
    readonly channel?: string;
    readonly file?: number;
    readonly line?: number;
    readonly register?: number;
    readonly resolution?: number;
    readonly modulus?: number;
    readonly backfill?: boolean;
  } = {},
): ReadsBlock {
  const { kind = "usage", channel = "", file = 1, line = 1, register = 1 } = of;
  return {
    v: 1,
    utility: UTILITY,
    source: "ami",
    meter: METER,
    channel,
    kind,
    file,
    register,
    unit: "L",
    mlPerUnit: 1000,
    resolution: of.resolution ?? 1,
    modulus: of.modulus ?? 0,
    count: reads.length,
    time: sequenceOf(reads.map(({ time }) => time)),
    ...(kind === "usage" ? { length: oneOrEach(reads.map(({ length }) => length ?? 3600)) } : {}),
    ml: reads.map(({ ml }) => ml),
    delivered: reads.map(({ ml }) => (ml === null ? null : ml / 1000)),
    flags: oneOrEach(reads.map(({ flags }) => flags ?? 0)),
    line: { from: line, step: 1 },
    ...(of.backfill === undefined ? {} : { backfill: of.backfill }),
  };
}
