import type { AnomalyMessage, RuleName } from "../schemas/anomalies.js";
import { Flag } from "../schemas/flags.js";
import type { MeterSetting } from "../schemas/meters.js";
import { deliveredAt, sequenceAt, type ReadsBlock } from "../schemas/reads.js";
import {
  AcceptedReads,
  addAccepted,
  flagOverCapacity,
  isEven,
  lengthAt,
  takeInOrder,
  type BlockCounts,
  type EvenBlock,
} from "./accepted-reads.js";
import {
  isAcrossMonths,
  mixed,
  newChannel,
  newerModulus,
  overlapsKept,
  turnsElsewhere,
  type Channel,
} from "./channel.js";
import { REPORTED, reportsAt } from "./checks/flag-runs.js";
import type { CheckContext, Finding } from "./checks/finding.js";
import { MOST_APART, type Sums } from "./checks/sum-mismatch.js";
import { ToldFindings } from "./checks/told-findings.js";
import { classAt, Fold, PackedFold, type FoldContext } from "./fold.js";
import {
  derivedRow,
  firstMark,
  identityOf,
  intervalsOf,
  sameRow,
  stepAt,
  stepsOf,
  type IntervalRow,
} from "./intervals.js";
import type { KeptMark, KeptReads } from "./kept-reads.js";
import { diffAnomalies, isNamedBy, type Known } from "./lifecycle.js";
import type { MeterEnvironment } from "./meter-environment.js";
import { ReadColumns } from "./read-columns.js";
import { recentHours } from "./recent-hours.js";
import type { RegisterMark, RegisterParameters } from "./registers.js";
import type { RowSink } from "./row-sink.js";
import type { Found } from "./rules/rule.js";

/**
 * Reads are kept for this long before the newest (seconds), and until a copy of the memory is older; copies are taken
 * so far apart.
 */
const KEPT_SECONDS = 8 * 86_400;
const COPY_SECONDS = 4 * 86_400;
/** Where copies are missing, after a start or after reads out of order, the memory is folded once this long is kept. */
const LONGEST_KEPT_SECONDS = 13 * 86_400;

/** The memory as it was after some of the kept reads: the next `base`, when those are old enough. */
interface Copy {
  readonly fold: PackedFold;
  readonly kept: KeptMark;
  /** Time of the first read after it. */
  readonly next: number;
  readonly mark: RegisterMark | undefined;
  readonly usageUntil: number;
  /** How many of `#closed` and of the findings that ended are from before it. */
  closed: number;
  ended: number;
}

/** Units that differ by less are the same, written with fewer digits. */
const SAME_UNIT = 1e-4;

const NO_SETTINGS: readonly MeterSetting[] = [];
const ALWAYS_IN_SERVICE: CheckContext["service"] = [];
const NO_MESSAGES: readonly AnomalyMessage[] = [];

// Used again for each block.
const accepted = new AcceptedReads();
const derivedIntervals = new ReadColumns();
const settled = new ReadColumns();

/** What `#context` gave last, of meters by their resolution: nearly all of a utility have one of a few, and no settings. */
const contexts = new Map<number, { readonly environment: MeterEnvironment; readonly of: FoldContext }>();
const MOST_CONTEXTS = 100;

/**
 * All that the detector knows of one meter: the reads of the last days, and the rules' memory from before them
 * (`base`). What it tells is a function of the set of reads: whenever a read comes out of order, the memory is folded
 * again from `base` over the kept reads. A read from before `base` can't be judged here: `needsHistory` says so, and
 * the caller gives the meter its whole history first.
 */
export class MeterState {
  readonly utility: string;
  readonly meter: string;
  readonly channels = new Map<string, Channel>();
  settings: readonly MeterSetting[] = NO_SETTINGS;
  base = PackedFold.EMPTY;
  /** After all kept reads; `undefined` until it is needed. */
  #head: Fold | undefined;
  /** The same at rest. */
  #restingHead: PackedFold | undefined;
  /** Closed since `base`, in order. */
  #closed: Found[] = [];
  readonly #onClosed = (found: Found) => this.#closed.push(found);
  /** Copies of `#head` on the way from `base`, oldest first: of a meter whose reads came in order. */
  #copies: Copy[] = [];
  /** Stretch of `COPY_SECONDS` in which the last read lies; -1: not known. Meters don't begin them at the same time. */
  #stretch = -1;
  readonly #phase: number;
  /** Anomalies told that later reads may still change. */
  known: Known[] = [];
  /** Of those that are no longer known, at least as many as there are that do not begin where their ids say. */
  moved = 0;
  backfill = false;
  /** What checks found since `base`, as it is stored. */
  readonly findings = new ToldFindings();
  /** Smallest step of any register (mL), -1: to be looked up. */
  #smallestStep = -1;
  /** The whole history is kept for now, with values as delivered. */
  hydrated = false;
  /** Row of the checkpoint that holds it as it was saved last, -1: none; and how many bytes it takes there. */
  savedIn = -1;
  savedBytes = 0;

  constructor(utility: string, meter: string) {
    this.utility = utility;
    this.meter = meter;
    this.#phase = (Number.parseInt(meter.slice(12), 16) * 60) % COPY_SECONDS || 0;
  }

  /**
   * Whether the block can only be judged with the meter's whole history: a read of it lies before all that is kept, or
   * it overlaps a delivered interval, whose stored row must then be written again (or may have to, see `writeAgain`:
   * an insert is whole within a month), or it tells about the register what changes the judgement of all that was.
   */
  needsHistory(block: ReadsBlock): boolean {
    const channel = this.channels.get(block.channel);
    if (channel === undefined && this.base.at === 0) return false;
    if (this.base.at > 0 && (this.#finer(block) || (channel !== undefined && turnsElsewhere(block, channel))))
      return true;
    const usage = block.kind === "usage";
    if (this.#isLater(block, channel)) return false;
    for (let i = 0; i < block.count; i++) {
      if (block.ml[i] === null) continue;
      const time = sequenceAt(block.time, i);
      if (time < this.base.at) return true;
      if (channel === undefined) continue;
      if (!usage && channel.baseMark !== undefined && time <= channel.baseMark.at) return true;
      if (!usage && time < channel.registers.first && this.#isPartlyFolded(channel, time)) return true;
      if (usage && !this.hydrated) {
        const length = lengthAt(block.length, i);
        if (overlapsKept(channel.usage, time, length)) return true;
        if (
          channel.usage.has(block.file, time, sequenceAt(block.line, i)) &&
          isAcrossMonths(channel.usage, time, length)
        )
          return true;
      }
    }
    return false;
  }

  /** Whether all of the block lies after what is kept of its channel: the common case, told at a glance. */
  #isLater({ time, kind }: ReadsBlock, channel: Channel | undefined): boolean {
    let first = Infinity;
    if (!Array.isArray(time)) first = time.step >= 0 ? time.from : -Infinity;
    else for (const one of time) if (one < first) first = one;
    if (first < this.base.at) return false;
    if (channel === undefined) return true;
    if (kind === "register")
      return (
        channel.baseMark === undefined ||
        (first > channel.baseMark.at && !this.#isPartlyFolded(channel, first))
      );
    return channel.usage.endsBy(first);
  }

  /** Whether delivered usage that a register read at `time` is to be compared with is in the base already. */
  #isPartlyFolded({ baseMark, usageUntil }: Channel, time: number): boolean {
    if (baseMark === undefined || usageUntil <= baseMark.at) return false;
    return baseMark.at < this.base.at && time - baseMark.at <= MOST_APART;
  }

  /**
   * Takes a block in.
   * @returns messages of anomalies that changed
   */
  apply(
    block: ReadsBlock,
    environment: MeterEnvironment,
    sink: RowSink,
    counts: BlockCounts,
  ): readonly AnomalyMessage[] {
    this.backfill = block.backfill === true;
    const channel = this.channel(block.channel);
    const head = this.#headFold(environment);
    this.findings.begin(() => this.#found(environment));
    if (typeof block.flags !== "number" || (block.flags & REPORTED) !== 0)
      this.#tellReports(block, environment, sink);
    if (head.at > 0 && (this.#finer(block) || turnsElsewhere(block, channel))) {
      const before = this.#rows(environment);
      this.#takeFacts(block, channel, sink);
      this.#insert(block, channel, before, environment, sink, counts);
      this.#tellFindings(environment, sink);
      return this.#diff(environment);
    }
    this.#takeFacts(block, channel, sink);
    const context = this.#context(environment);
    if (!this.#append(block, channel, head, context, environment, sink, counts)) {
      this.#insert(block, channel, this.#rows(environment), environment, sink, counts);
    }
    this.#tellFindings(environment, sink);
    return this.#diff(environment);
  }

  /** Reports of the device that came without a value: they say nothing of a time, so nothing follows from them. */
  #tellReports(block: ReadsBlock, { checkLimits }: MeterEnvironment, sink: RowSink): void {
    for (let i = 0; i < block.count; i++) {
      const flags = typeof block.flags === "number" ? block.flags : block.flags[i]!;
      if (block.ml[i] !== null || (flags & REPORTED) === 0) continue;
      for (const report of reportsAt(sequenceAt(block.time, i), flags, checkLimits))
        sink.finding(this, report, "new");
    }
  }

  /** What checks find in the memory and the kept reads. */
  #found(environment: MeterEnvironment): readonly Finding[] {
    return this.#headFold(environment).checks.findings(this.#context(environment).checks);
  }

  #tellFindings(environment: MeterEnvironment, sink: RowSink): void {
    this.findings.tell(this.#found(environment), sink.rowVersion, (finding, change) =>
      sink.finding(this, finding, change),
    );
  }

  /** New settings: what follows from `base` on is judged again. */
  applySettings(
    settings: readonly MeterSetting[],
    environment: MeterEnvironment,
    sink: RowSink,
  ): readonly AnomalyMessage[] {
    if (this.channels.size > 0) this.findings.begin(() => this.#found(environment));
    this.settings = settings;
    if (this.channels.size === 0) return NO_MESSAGES;
    this.#head = this.#restingHead = undefined;
    this.#headFold(environment);
    this.#tellFindings(environment, sink);
    return this.#diff(environment, "declared");
  }

  /** Whether something was read of the time after `time` (UTC seconds); at a glance, so `true` may also mean: perhaps. */
  readsAfter(time: number): boolean {
    if (this.base.at > time) return true;
    for (const { registers, usage } of this.channels.values())
      if (!registers.endsBy(time) || !usage.endsBy(time)) return true;
    return false;
  }

  /** Judges what follows from `base` on again: it was cold at other times than was known. */
  applyCold(environment: MeterEnvironment): readonly AnomalyMessage[] {
    this.#head = this.#restingHead = undefined;
    return this.#diff(environment);
  }

  /** Adds to messages about this meter what flowed hour by hour, for those who read it: the kept reads are unpacked for it. */
  showHours(messages: readonly AnomalyMessage[], environment: MeterEnvironment): void {
    const rows = [...this.#rows(environment).values()];
    for (const message of messages) message.hours = recentHours(rows, message.end);
  }

  /** Class of the meter as far as settings tell. */
  get class(): MeterSetting["class"] {
    return classAt(this.settings, Infinity);
  }

  /** Whether settings reach back to before the kept reads. */
  settingsNeedHistory(settings: readonly MeterSetting[]): boolean {
    if (this.base.at === 0) return false;
    const before = (list: readonly MeterSetting[]) =>
      JSON.stringify(
        list
          .filter(({ from }) => from < this.base.at)
          // What these say holds from the reads in hand on.
          .map(({ class: _class, capacity: _capacity, mlPerUnit: _unit, ...judged }) => judged)
          .filter((judged) => Object.keys(judged).length > 1),
      );
    return before(settings) !== before(this.settings);
  }

  /** The meter's channel of that name, made where it is missing. */
  channel(name: string): Channel {
    let channel = this.channels.get(name);
    if (channel === undefined) {
      channel = newChannel();
      this.channels.set(name, channel);
    }
    return channel;
  }

  #context(environment: MeterEnvironment): FoldContext {
    const { settings } = this;
    const resolution = this.#resolution();
    const last = contexts.get(resolution);
    if (last?.environment === environment && last.of.settings === settings) return last.of;
    const { context, checkLimits: limits } = environment;
    const checks = { limits, resolution, service: serviceOf(settings) };
    const { detect, since, days, cold } = context;
    const rules = this.#rules(environment);
    const of: FoldContext = { detect, rules, since, days, cold, settings, resolution, checks };
    if (contexts.size >= MOST_CONTEXTS) contexts.clear();
    contexts.set(resolution, { environment, of });
    return of;
  }

  #rules({ context, rulesWithoutWord }: MeterEnvironment): ReadonlySet<RuleName> {
    const says = ({ away, budget, class: of }: MeterSetting) =>
      away === true || typeof budget === "number" || of === "irrigation";
    return this.settings.some(says) ? context.rules : rulesWithoutWord;
  }

  /** What the meter can pass, mL/h. */
  #maxRate({ registers: { maxRate } }: MeterEnvironment): number {
    return this.settings.findLast(({ capacity }) => capacity !== undefined)?.capacity ?? maxRate;
  }

  /** Whether the registry says that a unit of the meter's register is another than the block's. */
  #isOfOtherUnit({ kind, mlPerUnit }: ReadsBlock, { checkLimits }: MeterEnvironment): boolean {
    if (kind === "usage" || checkLimits["unit-mismatch"] === undefined) return false;
    const known = this.settings.findLast((setting) => setting.mlPerUnit !== undefined)?.mlPerUnit;
    return known !== undefined && Math.abs(mlPerUnit / known - 1) > SAME_UNIT;
  }

  #registerParameters({ modulus }: Channel, environment: MeterEnvironment): RegisterParameters {
    const { stepBack } = environment.registers;
    // Of all registers: where that grows finer, all is judged again.
    return { stepBack, maxRate: this.#maxRate(environment), modulus, resolution: this.#resolution() };
  }

  /** Smallest step of any register, 0: unknown. */
  #resolution(): number {
    if (this.#smallestStep < 0) {
      this.#smallestStep = 0;
      for (const { resolution } of this.channels.values()) {
        if (resolution > 0 && (this.#smallestStep === 0 || resolution < this.#smallestStep))
          this.#smallestStep = resolution;
      }
    }
    return this.#smallestStep;
  }

  /** Whether the block tells of a smaller step than was known: thresholds change with it. */
  #finer({ resolution }: ReadsBlock): boolean {
    if (resolution === 0) return false;
    const known = this.#resolution();
    return known === 0 || resolution < known;
  }

  #takeFacts(block: ReadsBlock, channel: Channel, sink: RowSink): void {
    const { resolution, modulus, file } = block;
    let isNew = false;
    if (resolution > 0 && (channel.resolution === 0 || resolution < channel.resolution)) {
      channel.resolution = resolution;
      this.#smallestStep = -1;
      isNew = true;
    }
    if (newerModulus(block, channel)) {
      isNew ||= modulus !== channel.modulus;
      channel.modulus = modulus;
      channel.modulusFile = file;
    }
    if (isNew) sink.meterRegister(this, block.channel, channel);
  }

  /**
   * The common case: one register, one kind of reads, all later than what is there. Each read is folded once.
   * @returns false, with nothing changed, where the case is another
   */
  #append(
    block: ReadsBlock,
    channel: Channel,
    head: Fold,
    context: FoldContext,
    environment: MeterEnvironment,
    sink: RowSink,
    counts: BlockCounts,
  ): boolean {
    const usage = block.kind === "usage";
    const kept = usage ? channel.usage : channel.registers;
    if (this.channels.size !== 1 || (usage ? channel.registers : channel.usage).count > 0) return false;
    const { headMark } = channel;
    if (headMark !== undefined && (usage || headMark.at < channel.usageUntil)) return false;
    const most = this.#maxRate(environment) / 3600;
    if (isEven(block, head.at, most)) {
      this.hydrated = false;
      this.#appendEven(block, channel, head, context, sink);
      counts.accepted += block.count;
      return true;
    }
    const missing = takeInOrder(block, head.at, accepted);
    if (missing < 0) return false;

    this.hydrated = false;
    counts.missing += missing;
    counts.accepted += accepted.count;
    const { count, time } = accepted;
    if (count === 0) return true;
    if (time[0]! < channel.firstSeen) channel.firstSeen = time[0]!;
    if (usage) {
      flagOverCapacity(accepted, most);
      sink.usage(block, accepted);
    } else {
      if (this.#isOfOtherUnit(block, environment))
        for (let i = 0; i < count; i++) accepted.flags[i]! |= Flag.otherUnit;
      sink.registerReads(block, accepted);
      derivedIntervals.count = 0;
    }
    const parameters = this.#registerParameters(channel, environment);
    for (let from = 0; from < count;) {
      const until = this.#untilCopy(time[from]!, time[count - 1]!, channel, kept, head);
      let to = from + 1;
      while (to < count && time[to]! < until) to++;
      if (usage) head.pushAll(accepted, from, to, context, this.#onClosed);
      else {
        const derived = derivedIntervals.count;
        channel.headMark = stepsOf(accepted, from, to, channel.headMark, parameters, derivedIntervals);
        head.pushAll(derivedIntervals, derived, derivedIntervals.count, context, this.#onClosed);
        if (time[to - 1]! > head.at) head.at = time[to - 1]!;
      }
      kept.append(accepted, from, to);
      from = to;
    }
    if (!usage && derivedIntervals.count > 0) sink.derived(block, derivedIntervals);
    return true;
  }

  #appendEven(block: EvenBlock, channel: Channel, head: Fold, context: FoldContext, sink: RowSink): void {
    const { count } = block;
    const { from: start, step } = block.time;
    if (start < channel.firstSeen) channel.firstSeen = start;
    sink.evenUsage(block);
    const last = start + step * (count - 1);
    for (let from = 0; from < count;) {
      const until = this.#untilCopy(start + step * from, last, channel, channel.usage, head);
      const to = last < until ? count : Math.ceil((until - start) / step);
      head.pushEven(block, from, to, context, this.#onClosed);
      channel.usage.appendEven(block, from, to);
      from = to;
    }
  }

  /**
   * The time up to which reads may be folded in before the next copy of the memory; takes the one that is due.
   * @param next read that comes, @param last of its block: a copy that a later one of the same block makes needless is not
   *   taken
   */
  #untilCopy(next: number, last: number, channel: Channel, kept: KeptReads, head: Fold): number {
    const stretch = Math.floor((next + this.#phase) / COPY_SECONDS);
    const until = (stretch + 1) * COPY_SECONDS - this.#phase;
    if (this.#stretch >= 0 && stretch !== this.#stretch && until > last - KEPT_SECONDS) {
      const { headMark: mark } = channel;
      this.#copies.push({
        fold: PackedFold.of(head),
        kept: kept.mark(),
        next,
        mark: mark === undefined ? undefined : { ...mark },
        usageUntil: kept === channel.usage ? head.at : channel.usageUntil,
        closed: this.#closed.length,
        ended: head.checks.ended.length,
      });
    }
    this.#stretch = stretch;
    return until;
  }

  /** The general case: rows as they were against rows as they are now. */
  #insert(
    block: ReadsBlock,
    channel: Channel,
    before: ReadonlyMap<string, readonly IntervalRow[]>,
    environment: MeterEnvironment,
    sink: RowSink,
    counts: BlockCounts,
  ): void {
    let again = false;
    accepted.count = 0;
    const usage = block.kind === "usage";
    const kept = usage ? channel.usage : channel.registers;
    const most = this.#maxRate(environment) / 3600;
    const otherUnit = this.#isOfOtherUnit(block, environment) ? Flag.otherUnit : 0;
    for (let i = 0; i < block.count; i++) {
      const ml = block.ml[i] ?? null;
      if (ml === null) {
        counts.missing++;
        continue;
      }
      const time = sequenceAt(block.time, i);
      const length = usage ? lengthAt(block.length, i) : 0;
      let flags = typeof block.flags === "number" ? block.flags : block.flags[i]!;
      if (usage && ml > most * length) flags |= Flag.overCapacity;
      flags |= otherUnit;
      const line = sequenceAt(block.line, i);
      const { outcome, fallen } = kept.insert({
        time,
        length,
        ml,
        flags,
        file: block.file,
        line,
        register: block.register,
        asDelivered: usage ? { value: deliveredAt(block, i) ?? 0, unit: block.unit } : undefined,
      });
      if (fallen !== undefined) sink.superseded(block, fallen);
      if (outcome !== "accepted") {
        if (outcome === "again") again = true;
        counts.superseded++;
        continue;
      }
      counts.accepted++;
      if (time < channel.firstSeen) channel.firstSeen = time;
      if (!usage) addAccepted(accepted, time, length, ml, flags, block, line, i);
    }
    if (accepted.count > 0) sink.registerReads(block, accepted);
    const after = this.#rows(environment);
    for (const [name, rows] of after) {
      const was = new Map((before.get(name) ?? []).map((row) => [identityOf(row), row]));
      for (const row of rows) {
        const identity = identityOf(row);
        const old = was.get(identity);
        was.delete(identity);
        if (old === undefined || !sameRow(old, row)) sink.interval(block, name, row, false);
      }
      for (const row of was.values()) sink.interval(block, name, row, true);
    }
    if (again) writeAgain(block, channel, after.get(block.channel)!, sink);
    this.#head = undefined;
    this.#headFold(environment);
  }

  /**
   * All kept reads as intervals in order of time, by channel; those that don't count are marked.
   * @param sums gets what was delivered between register reads, in order of their ends
   */
  #rows(environment: MeterEnvironment, sums?: Sums[]): Map<string, IntervalRow[]> {
    const rows = new Map<string, IntervalRow[]>();
    for (const [name, channel] of this.channels) {
      const parameters = this.#registerParameters(channel, environment);
      rows.set(name, intervalsOf(channel, parameters, sums));
    }
    if (this.channels.size > 1) sums?.sort((a, b) => a.end - b.end || a.start - b.start || a.usage - b.usage);
    return rows;
  }

  /** The memory after all kept reads; folded anew where it was dropped. */
  #headFold(environment: MeterEnvironment): Fold {
    if (this.#head !== undefined) return this.#head;
    if (this.#restingHead !== undefined) {
      this.#head = this.#restingHead.unpack();
      this.#restingHead = undefined;
      return this.#head;
    }
    const head = this.base.unpack();
    this.#closed = [];
    this.#copies = [];
    this.#stretch = -1;
    const sums: Sums[] = [];
    const rows = this.#rows(environment, sums);
    this.#foldInto(head, rows, sums, this.#context(environment), this.#onClosed);
    for (const channel of this.channels.values()) {
      if (channel.headMark !== undefined && channel.headMark.at > head.at) head.at = channel.headMark.at;
    }
    this.#head = head;
    return head;
  }

  #foldInto(
    fold: Fold,
    rows: ReadonlyMap<string, readonly IntervalRow[]>,
    sums: readonly Sums[],
    context: FoldContext,
    closed: (found: Found) => void,
  ): void {
    const all = [...rows.values()].flat().filter(({ counts }) => counts);
    if (this.channels.size > 1)
      all.sort((a, b) => a.start - b.start || a.length - b.length || a.ml - b.ml || b.flags - a.flags);
    const firsts = [...this.channels.values()].map(({ firstSeen }) => firstSeen);
    let summed = 0;
    for (const row of all) {
      for (; summed < sums.length && sums[summed]!.end <= row.start; summed++)
        fold.checks.pushSums(sums[summed]!, context.checks);
      const registers = firsts.length === 1 ? 1 : firsts.filter((first) => first <= row.start).length;
      fold.push(row.start, row.length, row.ml, row.flags, registers, context, closed);
    }
    for (; summed < sums.length; summed++) fold.checks.pushSums(sums[summed]!, context.checks);
  }

  /** @param gone why an anomaly that is no longer found never was */
  #diff(
    environment: MeterEnvironment,
    gone: "corrected" | "declared" = "corrected",
  ): readonly AnomalyMessage[] {
    const head = this.#headFold(environment);
    if (head.isQuiet && this.#closed.length === 0 && this.known.length === 0) return NO_MESSAGES;
    const open = head.open(this.#context(environment));
    const { known, messages } = diffAnomalies(
      this.known,
      [...this.#closed, ...open],
      this,
      environment.context,
      gone,
    );
    this.known = known;
    return messages;
  }

  /**
   * Moves reads that are old enough from the kept ones into `base`, and lets the memory rest as bytes until the next read;
   * what is told does not depend on when.
   */
  trim(environment: MeterEnvironment): void {
    const head = this.#headFold(environment);
    if (this.findings.ahead.length > 0) return;
    this.#trim(head, environment);
    // What ended is not among the bytes; it waits for the base to pass it.
    if (head.checks.ended.length > 0) return;
    this.#restingHead = PackedFold.of(head);
    this.#head = undefined;
  }

  #trim(head: Fold, environment: MeterEnvironment): void {
    let due: Copy | undefined;
    while (this.#copies.length > 0 && this.#copies[0]!.next <= head.at - KEPT_SECONDS)
      due = this.#copies.shift();
    if (due !== undefined) return this.#rebase(due, head);
    let first = Infinity;
    for (const { registers, usage } of this.channels.values()) {
      first = Math.min(first, registers.first, usage.first);
    }
    if (head.at - first > LONGEST_KEPT_SECONDS) this.#foldBase(first, head, environment);
  }

  /** The copy is the base from here on. */
  #rebase({ fold, kept, next, mark, usageUntil, closed, ended }: Copy, head: Fold): void {
    const [channel] = this.channels.values();
    const { usage, registers } = channel!;
    const reads = usage.count > 0 ? usage : registers;
    if (!reads.dropTo(kept)) reads.dropFirst(reads.indexOf(next));
    channel!.baseMark = mark;
    channel!.usageUntil = usageUntil;
    this.base = fold;
    this.#settle(head, closed, ended);
  }

  /** Folds the older reads into the base. */
  #foldBase(first: number, head: Fold, environment: MeterEnvironment): void {
    const cut = this.#cut(head.at - KEPT_SECONDS);
    if (cut <= first) return;
    const base = this.base.unpack();
    const context = this.#context(environment);
    let closed = 0;
    const onClosed = () => closed++;
    const [only] = this.channels.values();
    if (this.channels.size === 1 && !mixed(only!)) {
      this.#foldSegments(base, only!, cut, environment, context, onClosed);
    } else {
      this.#foldRowsBefore(base, cut, environment, context, onClosed);
      for (const { registers, usage } of this.channels.values()) {
        registers.dropFirst(registers.indexOf(cut + 1));
        usage.dropFirst(usage.indexOf(cut));
      }
    }
    for (const { baseMark } of this.channels.values()) {
      if (baseMark !== undefined && baseMark.at > base.at) base.at = baseMark.at;
    }
    this.hydrated = false;
    this.base = PackedFold.of(base);
    this.#settle(head, closed, base.checks.ended.length);
  }

  /** What closed and ended in the base can't change any more, nor can what began before all that it can lead to. */
  #settle(head: Fold, closed: number, ended: number): void {
    for (const copy of this.#copies) {
      copy.closed -= closed;
      copy.ended -= ended;
    }
    this.#closed.splice(0, closed);
    this.findings.settle(head.checks.ended.splice(0, ended));
    if (this.known.length === 0) return;
    const base = this.base.unpack();
    this.known = this.known.filter((one) => {
      if (one.found.start >= base.earliest(one.found.rule)) return true;
      if (!isNamedBy(this.meter, one)) this.moved++;
      return false;
    });
  }

  /** Folds segments from before `cut` into the base: one register, one kind of reads, no overlap. */
  #foldSegments(
    base: Fold,
    channel: Channel,
    cut: number,
    environment: MeterEnvironment,
    context: FoldContext,
    onClosed: (found: Found) => void,
  ): void {
    const { usage, registers } = channel;
    const parameters = this.#registerParameters(channel, environment);
    while (usage.takeSegmentBefore(cut, settled)) {
      base.pushAll(settled, 0, settled.count, context, onClosed);
      const last = settled.count - 1;
      channel.usageUntil = settled.time[last]! + settled.length[last]!;
    }
    while (registers.takeSegmentBefore(cut, settled)) {
      derivedIntervals.count = 0;
      channel.baseMark = stepsOf(settled, 0, settled.count, channel.baseMark, parameters, derivedIntervals);
      base.pushAll(derivedIntervals, 0, derivedIntervals.count, context, onClosed);
    }
  }

  /** The same for several registers, or delivered usage beside register reads. */
  #foldRowsBefore(
    base: Fold,
    cut: number,
    environment: MeterEnvironment,
    context: FoldContext,
    onClosed: (found: Found) => void,
  ): void {
    const old = new Map<string, IntervalRow[]>();
    const sums: Sums[] = [];
    for (const [name, list] of this.#rows(environment, sums)) {
      // None lies across: what ends at the cut is before it, so that all of it begins before all that is left.
      const before = list.filter((row) => row.start < cut);
      old.set(name, before);
      const channel = this.channels.get(name)!;
      for (const { start, length, derived, counts } of before) {
        if (counts && !derived) channel.usageUntil = Math.max(channel.usageUntil, start + length);
      }
    }
    const past = sums.filter(({ end }) => end <= cut);
    this.#foldInto(base, old, past, context, onClosed);
    for (const channel of this.channels.values()) {
      const { registers } = channel;
      const parameters = this.#registerParameters(channel, environment);
      for (let i = 0, until = registers.indexOf(cut + 1); i < until; i++) {
        if (channel.baseMark === undefined) channel.baseMark = firstMark(registers, i);
        else stepAt(channel.baseMark, registers, i, parameters);
      }
    }
  }

  /**
   * The latest time not after `wanted` at which, of a meter with several channels, of intervals that overlap, or between
   * register reads that are compared with delivered intervals, none lies across: only there does folding in two parts equal
   * folding in one.
   */
  #cut(wanted: number): number {
    const [only] = this.channels.values();
    const isOne = this.channels.size === 1;
    if (isOne && !mixed(only!)) return wanted;
    let cut = wanted;
    for (let moved = true; moved;) {
      moved = false;
      for (const { registers, usage, baseMark } of this.channels.values()) {
        const r = registers.indexOf(cut);
        const from = r > 0 ? registers.time[r - 1]! : baseMark?.at;
        const next = r < registers.count ? registers.time[r]! : -Infinity;
        if (from !== undefined && from < cut && next > cut && (!isOne || next - from <= MOST_APART)) {
          cut = from;
          moved = true;
        }
        for (let u = usage.indexOf(cut) - 1; u >= 0 && usage.time[u]! + usage.longest > cut; u--) {
          if (usage.time[u]! + usage.length[u]! <= cut) continue;
          cut = usage.time[u]!;
          moved = true;
        }
      }
    }
    return cut;
  }
}

/**
 * Writes again what may follow from reads that came before: a process that was killed may have stored such a read and
 * not all that it led to, and a state made from the stored reads then sees nothing new in it. Small steps back carry a
 * register read's effect on to later intervals, overlaps that of a delivered one to any.
 */
function writeAgain(block: ReadsBlock, channel: Channel, rows: readonly IntervalRow[], sink: RowSink): void {
  const { registers, baseMark } = channel;
  const starts = baseMark === undefined ? registers.time : [baseMark.at, ...registers.time];
  let first = -Infinity;
  if (block.kind === "register") {
    let earliest = Infinity;
    for (let i = 0; i < block.count; i++) {
      if (block.ml[i] !== null) earliest = Math.min(earliest, sequenceAt(block.time, i));
    }
    for (const start of starts) if (start < earliest) first = start;
  }
  const gone = new Set(starts.filter((start) => start >= first));
  for (const row of rows) {
    if (row.start < first) continue;
    if (row.derived) gone.delete(row.start);
    // Without its value as delivered it is not of this block and nothing overlaps it: it stands as it is stored.
    else if (row.asDelivered === undefined) continue;
    sink.interval(block, block.channel, row, false);
  }
  for (const start of gone)
    sink.interval(block, block.channel, derivedRow({ start, length: 0, ml: 0, flags: 0 }), true);
}

function serviceOf(settings: readonly MeterSetting[]): CheckContext["service"] {
  if (settings.length === 0) return ALWAYS_IN_SERVICE;
  return settings.flatMap(({ from, inService }) => (inService === undefined ? [] : [{ from, inService }]));
}
