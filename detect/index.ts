import { hostname } from "node:os";
import { setImmediate as immediate, setTimeout as sleep } from "node:timers/promises";
import { isClickHouseUnavailable, type ClickHouse } from "../infra/clickhouse/client.js";
import type { LogBatch, LogConsumer, LogProducer, OutgoingBatch } from "../infra/log/log.js";
import { partitionOf } from "../infra/log/log.js";
import { parseMessage } from "../infra/log/parse-message.js";
import { loadOffset, saveOffset } from "../infra/log/offset-store.js";
import { isDatabaseUnavailable } from "../infra/postgres/database.js";
import type { Stage, StageContext, StageHealth } from "../infra/stage.js";
import { stalling, type StallOptions } from "../infra/stall.js";
import { Deferred } from "../infra/deferred.js";
import type { AnomalyMessage, RuleName } from "../schemas/anomalies.js";
import { HISTORY_CHECKS, limitOf } from "../schemas/checks.js";
import { judgedRules, type UtilityConfig } from "../schemas/config.js";
import { fileMessage } from "../schemas/files.js";
import { meterMessage, type MeterMessage } from "../schemas/meters.js";
import { readsMessage, type ReadsBlock } from "../schemas/reads.js";
import { spellsDifferFrom, temperatureMessage, type ColdSpell } from "../schemas/temperatures.js";
import { METER_PARTITIONS } from "../schemas/topics.js";
import { storeBills } from "./bills.js";
import { BlockReader } from "./block-reader.js";
import {
  claimPartition,
  forgetPending,
  isKnownPartition,
  OwnedStates,
  pendingAnomalies,
  saveCheckpoint,
  type PartitionChange,
} from "./checkpoint.js";
import { holdsReads, loadHistory } from "./history.js";
import { judgedSince } from "./judged-rules.js";
import { PartitionLocks } from "./partition-locks.js";
import type { BlockCounts } from "./accepted-reads.js";
import { environmentOf, inCold, type MeterEnvironment } from "./meter-environment.js";
import { MeterState } from "./meter-state.js";
import { encodeAnomalies, fileRow, RowBuffer, type EncodedInsert } from "./rows.js";

export interface DetectContext extends StageContext {
  readonly clickhouse: ClickHouse;
  /** Name of this process in the consumer group; stable over restarts. */
  readonly member?: string;
}

const GROUP = "detect";
const FILES_GROUP = "detect-files";
/** How long a partition's former owner may take to save what it has in hand, before it is fenced. */
const HANDOVER_MS = 15_000;
const HANDOVER_RETRY_MS = 20;
/** How long `stop` waits for a store that does not answer before it leaves the work to the next start. */
const STOP_PATIENCE_MS = 5_000;
/**
 * A checkpoint takes in what comes within a moment; where much comes, it waits for an insert of good size: ClickHouse
 * has so many fewer parts to write, to sync and to merge.
 */
const GATHER_MS = 20;
const MUCH_ROWS = 50_000;
const ENOUGH_ROWS = 600_000;
const LONGEST_GATHER_MS = 700;
/** Nothing came for so long: nothing more is on its way. */
const QUIET_MS = 100;
/** Checkpoints on their way beside the one that is gathered: ClickHouse has work all along, and little is left for the end. */
const MOST_CHECKPOINTS = 2;
/** Batches of a partition that may wait for their checkpoints while the next is judged. */
const MOST_UNDERWAY = 4;
/** Meters whose history is loaded together. */
const HISTORY_CHUNK = 100;
/** Meters that are judged again before others have a turn. */
const BREATH = 200;
/** What is older is hardly told anybody, so its hours are not gathered: a backfill would pay for them. */
const SHOWN_SECONDS = 14 * 86_400;

/** A block and where it stands in the log. */
interface Placed {
  readonly block: ReadsBlock;
  readonly offset: number;
}

/** Work of one batch that waits for its checkpoint. */
interface Waiting extends PartitionChange {
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/** Reads blocks and settings from the log, judges them, and writes rows, checkpoints and anomalies. */
export function createDetect(context: DetectContext): Stage {
  return new DetectStage(context);
}

class DetectStage implements Stage {
  readonly name = "detect";
  readonly #context: DetectContext;
  /** By utility; made at the start. */
  readonly #environments = new Map<string, MeterEnvironment>();
  readonly #owned = new Map<number, OwnedStates>();
  readonly #locks: PartitionLocks;
  readonly #blocks = new BlockReader();
  readonly #rows = new RowBuffer();
  /** What became of reads since the metric was told. */
  readonly #counts: BlockCounts = { accepted: 0, superseded: 0, missing: 0 };
  #waiting: Waiting[] = [];
  #committing = false;
  #identity = "";
  #consumer: LogConsumer | undefined;
  #files: LogConsumer | undefined;
  #producer: LogProducer | undefined;
  /** Calls that wait for a store now. */
  readonly #stalled = new Map<symbol, string>();
  #failure: string | undefined;
  #live = false;
  /** The checkpoint taken last. */
  #saved: Promise<void> = Promise.resolve();
  /** Checkpoints on their way, oldest first. */
  readonly #checkpoints: Promise<void>[] = [];
  /** Rows on their way to ClickHouse. One failure keeps every later checkpoint from being saved. */
  #flushed: Promise<unknown> = Promise.resolve();
  /** Anomalies on their way to the log and to ClickHouse. */
  #told: Promise<void> = Promise.resolve();
  /** Utilities met in messages and not in the configuration. */
  readonly #unknown = new Set<string>();
  readonly #abandon = new AbortController();
  readonly #ended = new Deferred();

  constructor(context: DetectContext) {
    this.#context = context;
    this.#locks = new PartitionLocks(context.database);
    this.#ended.promise.catch(() => undefined);
  }

  get finished(): Promise<void> {
    return this.#ended.promise;
  }

  async start(): Promise<void> {
    const { log, database, config, clock } = this.#context;
    for (const utility of config.utilities) {
      const since = await judgedSince(database, utility.id, judgedRules(utility), new Date(clock.now()));
      this.#environments.set(utility.id, environmentFor(utility, since));
    }
    this.#identity = await log.identity();
    this.#producer = await log.producer();
    const member = this.#context.member ?? `detect@${hostname()}`;
    this.#consumer = await log.consumer({
      group: GROUP,
      topics: ["meters", "temperatures", "reads"],
      member,
      maxBatchBytes: 1024 * 1024,
      handler: {
        assigned: (partition) => this.#assigned(partition),
        batch: (batch) => this.#batch(batch),
        revoked: async (partition) => {
          await this.#owned.get(partition)?.saved.catch(() => undefined);
          this.#owned.delete(partition);
          // A server that does not answer must not keep the stage from stopping.
          void this.#locks.release(partition);
        },
      },
    });
    this.#files = await log.consumer({
      group: FILES_GROUP,
      topics: ["files"],
      member,
      handler: {
        assigned: async (partition) => ({
          files: await loadOffset(this.#context.database, {
            group: FILES_GROUP,
            topic: "files",
            partition,
            identity: this.#identity,
          }),
        }),
        batch: (batch) => this.#fileBatch(batch),
        revoked: () => Promise.resolve(),
      },
    });
    this.#live = true;
    Promise.all([this.#consumer.finished, this.#files.finished]).then(
      () => this.#end(),
      (error: unknown) => this.#end(error),
    );
  }

  async drain(): Promise<void> {
    await Promise.all([this.#consumer?.drained(), this.#files?.drained()]);
    await Promise.all([...this.#owned.values()].map(({ saved }) => saved));
    await this.#told;
  }

  async stop(): Promise<void> {
    const patience = setTimeout(() => this.#abandon.abort(), STOP_PATIENCE_MS);
    await Promise.all([this.#consumer?.stop(), this.#files?.stop()]);
    await this.#told.catch(() => undefined);
    this.#locks.close();
    clearTimeout(patience);
    await this.#producer?.close();
    this.#end();
  }

  health(): StageHealth {
    if (!this.#live) return { live: false, ready: false, reason: this.#failure ?? "not running" };
    const [store] = this.#stalled.values();
    if (store !== undefined) return { live: true, ready: false, reason: `waiting for ${store}` };
    return { live: true, ready: true };
  }

  #end(error?: unknown): void {
    this.#live = false;
    if (error === undefined) this.#ended.resolve();
    else {
      this.#failure = (error as Error).message;
      this.#ended.reject(error as Error);
    }
  }

  async #assigned(partition: number): Promise<Record<string, number>> {
    const { database } = this.#context;
    await this.#takeOver(partition);
    const known = await this.#stalling("PostgreSQL", () => isKnownPartition(database, partition));
    const beginsAnew =
      !known && (await this.#stalling("ClickHouse", () => holdsReads(this.#context.clickhouse)));
    const owned = await this.#stalling("PostgreSQL", () =>
      claimPartition(database, partition, this.#identity, beginsAnew),
    );
    if (owned.lost) {
      this.#context.logger.warn("states lost, rebuilding from ClickHouse as meters are met", { partition });
      await this.#readSettings(owned);
    }
    if ((owned.offsets["temperatures"] ?? 0) > 0) await this.#readCold(owned);
    this.#owned.set(partition, owned);
    await this.#tell([partition]);
    return owned.offsets;
  }

  /** Resolves when the partition's former owner has saved what it had in hand, or had long enough to do so. */
  async #takeOver(partition: number): Promise<void> {
    const until = performance.now() + HANDOVER_MS;
    const { signal } = this.#abandon;
    while (!(await this.#stalling("PostgreSQL", () => this.#locks.take(partition)))) {
      if (performance.now() > until) return;
      await sleep(HANDOVER_RETRY_MS, undefined, { signal });
    }
  }

  /** What was told of the meters whose states were lost: the topic keeps the newest of each. */
  async #readSettings(owned: OwnedStates): Promise<void> {
    for await (const batch of this.#context.log.read("meters", owned.partition, 0)) {
      for (const { key, value, offset } of batch.records) {
        if (!owned.isLost(key)) continue;
        const settings = value === null ? [] : parseMessage(meterMessage, value, batch, offset).settings;
        owned.lostSettings.set(key, settings);
      }
    }
  }

  /**
   * When it was cold, as far as the partition's states know. Where a newer message took the place of that one already,
   * nothing is known of it, and when the newer one comes meters are judged again from their beginning.
   */
  async #readCold(owned: OwnedStates): Promise<void> {
    const known = owned.offsets["temperatures"]!;
    for await (const batch of this.#context.log.read("temperatures", owned.partition, 0)) {
      for (const { value, offset } of batch.records) {
        if (value === null || offset >= known) continue;
        const { utility, cold } = parseMessage(temperatureMessage, value, batch, offset);
        const environment = this.#environments.get(utility);
        if (environment !== undefined) owned.environments.set(utility, inCold(environment, cold));
      }
    }
  }

  async #batch(batch: LogBatch): Promise<void> {
    // What the stores have answered comes first: judging keeps the thread for tens of milliseconds.
    await immediate();
    const owned = this.#owned.get(batch.partition)!;
    const messages: AnomalyMessage[] = [];
    if (batch.topic === "meters") await this.#judgeSettings(batch, owned, messages);
    else if (batch.topic === "temperatures") await this.#judgeCold(batch, owned, messages);
    else await this.#judgeReads(batch, owned, messages);
    this.#countReads();
    const { topic, partition } = batch;
    const next = batch.records.at(-1)!.offset + 1;
    const changed = owned.takeChanged();
    owned.saved = new Promise<void>((done, failed) => {
      this.#waiting.push({ owned, topic, next, changed, messages, done, failed });
    });
    owned.saved.then(
      () => void this.#consumer?.commit(topic, partition, next).catch(() => undefined),
      (error: unknown) => this.#fail(error),
    );
    void this.#commit();
    // The next batch is judged while this one and the one before are saved, not earlier.
    owned.underway.push(owned.saved);
    if (owned.underway.length > MOST_UNDERWAY) await owned.underway.shift();
  }

  async #judgeReads(batch: LogBatch, owned: OwnedStates, messages: AnomalyMessage[]): Promise<void> {
    /** Blocks of meters whose history must be loaded first, in order. */
    let late = new Map<string, Placed[]>();
    /** Meters of which something is to be told: what they know must last until it is. */
    const told = new Set<MeterState>();
    for (const { value, offset } of batch.records) {
      if (value === null) continue;
      const block =
        this.#blocks.read(value) ??
        this.#blocks.learn(parseMessage(readsMessage, value, batch, offset), value);
      const { utility, meter } = block;
      if (!this.#environments.has(utility)) {
        this.#warnOfUnknown(utility);
        continue;
      }
      if (block.kind === "bill") {
        storeBills(block, this.#rows, this.#counts);
        continue;
      }
      const waiting = late.size === 0 ? undefined : late.get(meter);
      if (waiting !== undefined) {
        waiting.push({ block, offset });
        continue;
      }
      const known = owned.get(meter);
      if (known === undefined && owned.isLost(meter)) {
        late.set(meter, [{ block, offset }]);
        continue;
      }
      const state = known ?? new MeterState(utility, meter);
      const before = messages.length;
      if (!this.#judge(state, { block, offset }, owned, messages)) {
        late.set(meter, [{ block, offset }]);
        continue;
      }
      if (messages.length > before) told.add(state);
      // At once: what is unpacked dies young, and costs the collector nothing.
      if (!told.has(state)) state.trim(this.#environment(owned, utility));
      owned.put(state);
    }
    for (const state of told) if (!late.has(state.meter)) state.trim(this.#environment(owned, state.utility));
    while (late.size > 0) {
      const before = late;
      late = new Map();
      await this.#withHistory(
        owned,
        [...before].map(([meter, list]) => ({ meter, utility: list[0]!.block.utility })),
        (state) => {
          const list = before.get(state.meter)!;
          const done = list.findIndex((placed) => !this.#judge(state, placed, owned, messages));
          if (done < 0) state.trim(this.#environment(owned, state.utility));
          else late.set(state.meter, list.slice(done));
          owned.put(state);
        },
      );
    }
  }

  /** @returns false, with nothing done, where the block can't be judged without the meter's history */
  #judge(
    state: MeterState,
    { block, offset }: Placed,
    owned: OwnedStates,
    messages: AnomalyMessage[],
  ): boolean {
    if (state.needsHistory(block)) return false;
    owned.judgedTo = offset + 1;
    this.#rows.version(owned.generation, owned.judgedTo);
    const environment = this.#environment(owned, state.utility);
    this.#take(state.apply(block, environment, this.#rows, this.#counts), state, environment, messages);
    return true;
  }

  /** Of what may still be told somebody, the hours are shown. */
  #take(
    found: readonly AnomalyMessage[],
    state: MeterState,
    environment: MeterEnvironment,
    messages: AnomalyMessage[],
  ): void {
    if (found.length === 0) return;
    const since = this.#context.clock.now() / 1000 - SHOWN_SECONDS;
    const shown = found.filter(({ end, state: now }) => end > since && now !== "withdrawn");
    if (shown.length > 0) state.showHours(shown, environment);
    for (const message of found) messages.push(message);
  }

  async #judgeSettings(batch: LogBatch, owned: OwnedStates, messages: AnomalyMessage[]): Promise<void> {
    const latest = new Map<string, MeterMessage>();
    for (const { key, value, offset } of batch.records) {
      if (value === null) {
        // A tombstone: the utility's defaults hold again.
        const utility = owned.get(key)?.utility;
        if (utility !== undefined) latest.set(key, { v: 1, utility, meter: key, settings: [] });
        continue;
      }
      const message = parseMessage(meterMessage, value, batch, offset);
      if (this.#environments.has(message.utility)) latest.set(message.meter, message);
      else this.#warnOfUnknown(message.utility);
    }
    const judge = (state: MeterState) => {
      // What follows from settings stands beside what the last block led to.
      this.#rows.version(owned.generation, owned.judgedTo);
      const environment = this.#environment(owned, state.utility);
      const { settings } = latest.get(state.meter)!;
      this.#take(state.applySettings(settings, environment, this.#rows), state, environment, messages);
      state.trim(environment);
      owned.put(state);
    };
    const histories: MeterMessage[] = [];
    for (const message of latest.values()) {
      const { utility, meter, settings } = message;
      const state = owned.get(meter);
      if (state === undefined ? owned.isLost(meter) : state.settingsNeedHistory(settings))
        histories.push(message);
      else judge(state ?? new MeterState(utility, meter));
    }
    await this.#withHistory(owned, histories, judge);
  }

  /** It was cold at other times than was known: meters that were read since then are judged again. */
  async #judgeCold(batch: LogBatch, owned: OwnedStates, messages: AnomalyMessage[]): Promise<void> {
    const latest = new Map<string, readonly ColdSpell[]>();
    for (const { value, offset } of batch.records) {
      if (value === null) continue;
      const { utility, cold } = parseMessage(temperatureMessage, value, batch, offset);
      if (this.#environments.has(utility)) latest.set(utility, cold);
      else this.#warnOfUnknown(utility);
    }
    for (const [utility, cold] of latest) {
      const before = this.#environment(owned, utility);
      const environment = inCold(before, cold);
      owned.environments.set(utility, environment);
      const from = spellsDifferFrom(before.context.cold, cold);
      const judge = (state: MeterState) => {
        this.#take(state.applyCold(environment), state, environment, messages);
        state.trim(environment);
        owned.put(state);
      };
      const histories: MeterState[] = [];
      let judged = 0;
      for (const state of [...owned.statesOf(utility)]) {
        if (!state.readsAfter(from)) continue;
        if (state.base.at > from) histories.push(state);
        else judge(state);
        if (++judged % BREATH === 0) await immediate();
      }
      await this.#withHistory(owned, histories, judge);
    }
  }

  /** What judging a utility's meters goes by, as the partition knows it. */
  #environment(owned: OwnedStates, utility: string): MeterEnvironment {
    return owned.environments.get(utility) ?? this.#environments.get(utility)!;
  }

  /** Gives the meters their whole history, so many at a time. */
  async #withHistory(
    owned: OwnedStates,
    meters: readonly { readonly utility: string; readonly meter: string }[],
    use: (state: MeterState) => void,
  ): Promise<void> {
    if (meters.length === 0) return;
    // What was decided so far must be in ClickHouse before a history is read from it.
    await owned.saved;
    await this.#flushRows();
    await this.#tell([owned.partition]);
    for (const chunk of chunksByUtility(meters)) {
      const before = new Map(chunk.meters.map((meter) => [meter, owned.get(meter)]));
      const states = await this.#stalling("ClickHouse", () =>
        loadHistory(this.#context.clickhouse, chunk.utility, before),
      );
      for (const state of states) {
        if (before.get(state.meter) === undefined) state.settings = owned.lostSettings.get(state.meter) ?? [];
        use(state);
      }
    }
  }

  #countReads(): void {
    const { detectorReads, checkFindings } = this.#context.metrics;
    for (const outcome of ["accepted", "superseded", "missing"] as const) {
      if (this.#counts[outcome] > 0) detectorReads.inc({ outcome }, this.#counts[outcome]);
      this.#counts[outcome] = 0;
    }
    for (const { utility, code } of this.#rows.takeNewFindings()) checkFindings.inc({ utility, code });
  }

  #warnOfUnknown(utility: string): void {
    if (this.#unknown.has(utility)) return;
    this.#unknown.add(utility);
    this.#context.logger.warn("messages of a utility that is not in the configuration are passed over", {
      utility,
    });
  }

  /**
   * Checkpoints for all batches that wait: rows first, then states with offsets, then the anomalies. While some are saved,
   * one after the other, the rows of the next are on their way.
   */
  async #commit(): Promise<void> {
    if (this.#committing) return;
    this.#committing = true;
    while (this.#waiting.length > 0) {
      await this.#gather();
      const group = this.#waiting;
      this.#waiting = [];
      this.#saved = this.#save(group, this.#flushRows(), this.#saved);
      this.#saved.catch(() => undefined);
      this.#checkpoints.push(this.#saved);
      if (this.#checkpoints.length > MOST_CHECKPOINTS)
        await this.#checkpoints.shift()!.catch(() => undefined);
    }
    this.#committing = false;
  }

  /** @throws where this or an earlier checkpoint can't be saved: the ones after it must not be either */
  async #save(group: readonly Waiting[], flushed: Promise<void>, before: Promise<void>): Promise<void> {
    try {
      await Promise.all([flushed, before]);
      await this.#stalling("PostgreSQL", () => saveCheckpoint(this.#context.database, group));
    } catch (error) {
      for (const { failed } of group) failed(error);
      throw error;
    }
    this.#context.metrics.checkpointSaved.set(this.#context.clock.now() / 1000);
    for (const { done } of group) done();
    // The batches are done: what they led to is saved, and telling it may go on beside the next.
    if (group.some(({ messages }) => messages.length > 0)) {
      const partitions = new Set(group.map(({ owned }) => owned.partition));
      this.#tell([...partitions]).catch((error: unknown) => this.#fail(error));
    }
  }

  async #gather(): Promise<void> {
    const from = performance.now();
    let last = from;
    for (let before = -1; ;) {
      const { rows } = this.#rows;
      const now = performance.now();
      if (rows !== before) last = now;
      const waited = before >= 0;
      if (rows >= ENOUGH_ROWS || (waited && rows < MUCH_ROWS)) return;
      if (now - last >= QUIET_MS || now - from >= LONGEST_GATHER_MS) return;
      before = rows;
      await sleep(GATHER_MS);
    }
  }

  /** Resolves when every row so far is in ClickHouse. */
  async #flushRows(): Promise<void> {
    const first = this.#rows.takeFirst();
    const inserts = this.#rows.take();
    const flush = async () => {
      await Promise.all(first.map((insert) => this.#insert(insert)));
      await Promise.all(inserts.map((insert) => this.#insert(insert)));
    };
    this.#flushed = Promise.all([this.#flushed, flush()]);
    this.#flushed.catch(() => undefined);
    await this.#flushed;
  }

  #insert({ statement, block }: EncodedInsert): Promise<void> {
    return this.#stalling("ClickHouse", async () => {
      const end = this.#context.metrics.insertSeconds.startTimer();
      await this.#context.clickhouse.insertNative(statement, block);
      end();
    });
  }

  /** Tells what checkpoints have saved, one telling after the other: of an anomaly, its versions come in order. */
  #tell(partitions: readonly number[]): Promise<void> {
    this.#told = this.#told.then(() => this.#tellPending(partitions));
    this.#told.catch(() => undefined);
    return this.#told;
  }

  #fail(error: unknown): void {
    this.#end(error);
    void this.#consumer?.stop();
    void this.#files?.stop();
  }

  /** Anomalies of committed checkpoints go to the log and to ClickHouse, then are forgotten; a crash tells them again. */
  async #tellPending(partitions: readonly number[]): Promise<void> {
    const { database, clickhouse, metrics } = this.#context;
    const { ids, messages } = await this.#stalling("PostgreSQL", () =>
      pendingAnomalies(database, partitions),
    );
    if (messages.length === 0) return;
    await this.#stalling("log", () => this.#producer!.append(anomalyBatches(messages)));
    await Promise.all(
      encodeAnomalies(messages).map(({ statement, block }) =>
        this.#stalling("ClickHouse", () => clickhouse.insertNative(statement, block)),
      ),
    );
    await this.#stalling("PostgreSQL", () => forgetPending(database, ids));
    for (const { utility, rule, state } of messages) metrics.detected.inc({ utility, rule, state });
  }

  async #fileBatch(batch: LogBatch): Promise<void> {
    const rows = batch.records
      .filter(({ value }) => value !== null)
      .map(({ value, offset }) => fileRow(parseMessage(fileMessage, value!, batch, offset)));
    await this.#stalling("ClickHouse", () => this.#context.clickhouse.insertRows("files", rows));
    const next = batch.records.at(-1)!.offset + 1;
    const at = {
      group: FILES_GROUP,
      topic: "files",
      partition: batch.partition,
      identity: this.#identity,
      next,
    };
    await this.#stalling("PostgreSQL", () => saveOffset(this.#context.database, at));
    await this.#files?.commit("files", batch.partition, next).catch(() => undefined);
  }

  #stalling<T>(store: "PostgreSQL" | "ClickHouse" | "log", work: () => Promise<T>): Promise<T> {
    const isUnavailable: StallOptions["isUnavailable"] =
      store === "ClickHouse"
        ? isClickHouseUnavailable
        : store === "PostgreSQL"
          ? isDatabaseUnavailable
          : () => true;
    const call = Symbol();
    return stalling(work, {
      store,
      signal: this.#abandon.signal,
      isUnavailable,
      logger: this.#context.logger,
      onStall: (on) => {
        if (on === undefined) this.#stalled.delete(call);
        else this.#stalled.set(call, on);
        this.#context.metrics.stalled.set({ stage: this.name }, this.#stalled.size > 0 ? 1 : 0);
      },
    });
  }
}

/** What judging a utility's meters goes by. @param since from when rules are judged that were not always (UTC seconds) */
export function environmentFor(
  utility: UtilityConfig,
  since: ReadonlyMap<RuleName, number>,
): MeterEnvironment {
  const { detect, timeZone, checks } = utility;
  const limits = HISTORY_CHECKS.map((code) => [code, limitOf(checks, code)]).filter(
    ([, limit]) => limit !== undefined,
  );
  return environmentOf(
    detect,
    judgedRules(utility),
    timeZone,
    Object.fromEntries(limits) as MeterEnvironment["checkLimits"],
    since.size > 0 ? since : undefined,
  );
}

function* chunksByUtility(
  meters: readonly { readonly utility: string; readonly meter: string }[],
): Iterable<{ readonly utility: string; readonly meters: string[] }> {
  const byUtility = new Map<string, string[]>();
  for (const { utility, meter } of meters) {
    const list = byUtility.get(utility);
    if (list === undefined) byUtility.set(utility, [meter]);
    else list.push(meter);
  }
  for (const [utility, list] of byUtility) {
    for (let at = 0; at < list.length; at += HISTORY_CHUNK)
      yield { utility, meters: list.slice(at, at + HISTORY_CHUNK) };
  }
}

function anomalyBatches(messages: readonly AnomalyMessage[]): OutgoingBatch[] {
  const records = new Map<number, { key: string; value: Buffer }[]>();
  for (const message of messages) {
    const partition = partitionOf(message.meter, METER_PARTITIONS);
    const list = records.get(partition) ?? [];
    list.push({ key: message.meter, value: Buffer.from(JSON.stringify(message)) });
    records.set(partition, list);
  }
  return [...records].map(([partition, list]) => ({ topic: "anomalies", partition, records: list }));
}
