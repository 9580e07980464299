import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Clock } from "../../infra/clock.js";
import type { Vault } from "../../infra/crypto/vault.js";
import { Deferred } from "../../infra/deferred.js";
import { errorFields, type Logger } from "../../infra/logger.js";
import type { Database } from "../../infra/postgres/database.js";
import type { Config } from "../../schemas/config.js";
import type { Channel, Outcome, OutgoingMessage } from "../channels/channel.js";
import { PersonErased } from "../../infra/crypto/person-keys.js";
import { lockContact } from "../consent/contact.js";
import { waitsForHours } from "../decide.js";
import { endFormerConsents } from "../consent/subscription.js";
import { takeProvidersWord } from "./providers-word.js";
import type { LookUp } from "../channels/twilio-lookup.js";
import { LineLookUp } from "./line-look-up.js";
import { claim, isBusy, OWNER_LOCK, type Claimed, type ClaimContext } from "./claim.js";
import { compose } from "./compose.js";
import type { Policy } from "./record-decisions.js";
import { settle, type Lost } from "./settle.js";

/** Messages in hand at once; the mail transport spreads them over its connections. More are taken when half are done. */
const IN_HAND = 16;
const POLL_MS = 500;
const CONSENTS_EVERY_MS = 60_000;
/** How long a text that no hours bind may be on its way. */
const ANY_HOUR_SECONDS = 4 * 3600;
/** A provider that has no message after so long never got it. */
const TRACED_FOR_MS = 10 * 60_000;
const LONGEST_REST_MS = 5_000;
/** Beyond the longest pause between attempts; older bad news says nothing of now. */
const AWAY_COUNTS_MS = 120_000;
/** How long `stop` waits for messages in hand; those left are `unknown` at the next start. */
const STOP_PATIENCE_MS = 5_000;

export interface SenderContext {
  readonly config: Config;
  readonly database: Database;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly channels: ReadonlyMap<string, Channel>;
  /** `undefined`: numbers are not looked up. */
  readonly lookUp: LookUp | undefined;
  readonly policies: ReadonlyMap<string, Policy>;
  /** Tries again while the database can't be used. */
  readonly stalling: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Sends what the outbox holds, a few messages at a time, until stopped. */
export class Sender {
  readonly finished: Promise<void>;
  readonly #context: SenderContext;
  readonly #lines: LineLookUp | undefined;
  readonly #inHand = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();
  #wake = new Deferred();
  #owner: { readonly id: number; readonly connection: pg.Client } | undefined;
  /** Kept over a lost connection, so that what is in hand stays ours. */
  #ownerNumber: number | undefined;
  #consentsEnded = 0;
  /** Channels whose last attempt found the provider away: since when (monotonic), and how often in a row. */
  readonly #away = new Map<
    string,
    { readonly reason: string; readonly since: number; readonly times: number }
  >();

  constructor(context: SenderContext) {
    this.#context = context;
    this.#lines = context.lookUp && new LineLookUp(context.lookUp, context);
    this.finished = this.#run();
    this.finished.catch(() => undefined);
  }

  /** Why nothing goes out, or what residents write does not come in, if so. */
  get obstacle(): string | undefined {
    const now = performance.now();
    const fresh = [...this.#away.values()].filter(({ since }) => now - since < AWAY_COUNTS_MS);
    const deaf = [...this.#context.channels].flatMap(([name, channel]) => {
      const code = channel.obstacle?.();
      return code === undefined ? [] : [`${name}: ${code}`];
    });
    const reasons = new Set([...fresh.map(({ reason }) => reason), ...deaf]);
    return reasons.size === 0 ? undefined : [...reasons].join(", ");
  }

  wake(): void {
    this.#wake.resolve();
  }

  /**
   * Resolves when nothing is left that may be sent now; what waits for a later time is left, and so is all where an
   * attempt since the call found the provider away.
   */
  async drained(): Promise<void> {
    const { database, channels, stalling } = this.#context;
    await stalling(() => this.#endConsents(true));
    if (channels.size === 0) return;
    const called = performance.now();
    while (!this.#stop.signal.aborted) {
      if (this.#inHand.size === 0) {
        const away = [...this.#away].filter(([, { since }]) => since > called).map(([name]) => name);
        if (away.length === channels.size) return;
        if (!(await stalling(() => isBusy(database, this.#claimContext(away))))) return;
      }
      this.wake();
      await sleep(10);
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.wake();
    await this.finished.catch(() => undefined);
    await Promise.race([
      Promise.all(this.#inHand.values()),
      sleep(STOP_PATIENCE_MS, undefined, { ref: false }),
    ]);
    for (const channel of this.#context.channels.values()) await channel.close();
    await this.#owner?.connection.end().catch(() => undefined);
  }

  async #run(): Promise<void> {
    const { stalling } = this.#context;
    while (!this.#stop.signal.aborted) {
      this.#wake = new Deferred();
      const looked = await stalling(() => this.#fill());
      if (looked > 0 && this.#inHand.size < IN_HAND) continue;
      await Promise.race([this.#wake.promise, sleep(POLL_MS, undefined, { ref: false })]);
    }
  }

  /** Takes messages in hand up to the limit; returns how many were looked at. */
  async #fill(): Promise<number> {
    const { database, channels } = this.#context;
    await this.#endConsents(false);
    const room = IN_HAND - this.#inHand.size;
    const resting = [...channels.keys()].filter((name) => this.#resting(name));
    if (channels.size === resting.length || room < IN_HAND / 2) return 0;
    const owner = await this.#ownerId();
    const sender = { owner, inHand: [...this.#inHand.keys()] };
    const { claimed, looked } = await claim(database, this.#claimContext(resting), sender, room);
    for (const message of claimed) {
      const sending = this.#send(message).finally(() => {
        for (const { outbox_id } of [message, ...message.others]) this.#inHand.delete(outbox_id);
        this.wake();
      });
      for (const { outbox_id } of [message, ...message.others]) this.#inHand.set(outbox_id, sending);
    }
    return looked;
  }

  async #send(message: Claimed): Promise<void> {
    const { channels, policies, clock, logger, stalling } = this.#context;
    const fields = {
      outbox: message.outbox_id,
      utility: message.utility,
      channel: message.channel,
      attempt: message.attempt,
    };
    let outcome: Outcome | Lost;
    try {
      const { utility, hours } = policies.get(message.utility)!;
      const validSeconds = waitsForHours(message.kind, message.consent_kind)
        ? hours.within(message).left(clock.now())
        : ANY_HOUR_SECONDS;
      const outgoing = compose(message, utility, { ...this.#context, validSeconds });
      const channel = channels.get(message.channel)!;
      if (message.state === "unknown" && channel.trace !== undefined)
        outcome = await this.#retrace(message, outgoing, channel);
      else if (
        message.channel === "sms" &&
        (await this.#lines?.isLandline(message, outgoing.address)) === true
      )
        outcome = { status: "refused", permanent: true, code: "landline", fault: "unusable" };
      else outcome = await channel.send(outgoing);
    } catch (error) {
      // Nothing was handed over: the message could not be put together.
      const erased = error instanceof PersonErased;
      if (!erased) logger.error("message could not be composed", { ...fields, ...errorFields(error) });
      outcome = { status: "refused", permanent: true, code: erased ? "erased" : "not-composed" };
    }
    this.#noteReach(message, outcome);
    try {
      const state = await stalling(() => this.#settle(message, outcome));
      const result = { ...fields, state, ...("code" in outcome ? { code: outcome.code } : {}) };
      if (state === "accepted") logger.info("message accepted", result);
      else logger.warn("message not accepted", result);
    } catch (error) {
      // The row stays `sending`; its lease makes it `unknown`.
      logger.warn("outcome of a message not recorded", { ...fields, ...errorFields(error) });
    }
  }

  /** The outcome, and what it says of address or sender, in one transaction. */
  #settle(message: Claimed, outcome: Outcome | Lost): Promise<string> {
    const { database, clock } = this.#context;
    return database.transaction(async (transaction) => {
      const { fault, code } = outcome.status === "refused" ? outcome : { fault: undefined, code: "" };
      // The contact first, as whoever takes in a stop: else each could wait for the other.
      if (fault !== undefined) await lockContact(transaction, message.contact_id);
      const state = await settle(transaction, message, outcome, clock.now());
      for (const other of message.others) await settle(transaction, other, outcome, clock.now());
      if (fault !== undefined)
        await takeProvidersWord(transaction, message.contact_id, { fault, code }, new Date(clock.now()));
      return state;
    });
  }

  /**
   * A message that may have been taken, by a provider that takes a repeat for another message: it is looked for. Where the
   * provider has none after ten minutes, a burst is sent once more; of all else it is better that none comes than two.
   */
  async #retrace(message: Claimed, outgoing: OutgoingMessage, channel: Channel): Promise<Outcome | Lost> {
    const { database, clock, policies } = this.#context;
    const handed = message.handed_at ?? new Date(clock.now());
    try {
      const ids = await channel.trace!(outgoing, handed);
      const others = await database.query<{ provider_id: string }>(
        "SELECT provider_id FROM outbox WHERE channel = $1 AND provider_id = ANY ($2)",
        [message.channel, ids],
      );
      const id = ids.find((one) => !others.some(({ provider_id }) => provider_id === one));
      if (id !== undefined) return { status: "accepted", id };
      if (clock.now() - handed.getTime() < TRACED_FOR_MS) return { status: "unknown", code: "not-found-yet" };
      if (message.message?.rule !== "burst" || message.resent) return { status: "lost", code: "no-trace" };
      const hours = policies.get(message.utility)!.hours.within(message);
      if (waitsForHours(message.kind, message.consent_kind) && hours.next(clock.now()) > clock.now())
        return { status: "unknown", code: "quiet-hours" };
      await database.query("UPDATE outbox SET resent = true, handed_at = $2 WHERE outbox_id = $1", [
        message.outbox_id,
        new Date(clock.now()),
      ]);
    } catch (error) {
      // Neither found nor known to be absent.
      return { status: "unknown", code: (error as Error).name };
    }
    return channel.send(outgoing);
  }

  /** A number whose lock lives as long as our connection: when we die, others see it at once. */
  async #ownerId(): Promise<number> {
    if (this.#owner !== undefined) return this.#owner.id;
    const connection = await this.#context.database.connect();
    try {
      let id = this.#ownerNumber;
      // The server may not have noticed yet that the connection of before is gone: then under a new number.
      if (id === undefined || !(await lockOwner(connection, id))) {
        const { rows } = await connection.query("SELECT nextval('outbox_owners')::integer AS id");
        ({ id } = (rows as [{ id: number }])[0]);
        await lockOwner(connection, id);
      }
      connection.once("end", () => (this.#owner = undefined));
      this.#owner = { id, connection };
      this.#ownerNumber = id;
      return id;
    } catch (error) {
      await connection.end().catch(() => undefined);
      throw error;
    }
  }

  #noteReach({ channel }: Claimed, outcome: Outcome | Lost): void {
    if (outcome.status !== "unreachable") {
      this.#away.delete(channel);
      return;
    }
    // Several in hand find out together: that is once.
    if (this.#resting(channel)) return;
    const times = (this.#away.get(channel)?.times ?? 0) + 1;
    this.#away.set(channel, { reason: `${channel}: ${outcome.code}`, since: performance.now(), times });
  }

  /** Whether to leave a provider alone that was away a moment ago: with thousands waiting, each would knock. */
  #resting(channel: string): boolean {
    const away = this.#away.get(channel);
    return (
      away !== undefined && performance.now() - away.since < Math.min(LONGEST_REST_MS, 100 * 2 ** away.times)
    );
  }

  async #endConsents(now: boolean): Promise<void> {
    const time = performance.now();
    if (!now && this.#consentsEnded !== 0 && time - this.#consentsEnded < CONSENTS_EVERY_MS) return;
    await endFormerConsents(this.#context.database, new Date(this.#context.clock.now()));
    this.#consentsEnded = time;
  }

  #claimContext(without: readonly string[]): ClaimContext {
    const { policies, channels, clock } = this.#context;
    const names = [...channels.keys()].filter((name) => !without.includes(name));
    const traced = names.filter((name) => channels.get(name)!.capabilities.repeats === "traced");
    return { policies, channels: names, traced, now: clock.now() };
  }
}

async function lockOwner(connection: pg.Client, id: number): Promise<boolean> {
  const { rows } = await connection.query("SELECT pg_try_advisory_lock($1, $2) AS got", [OWNER_LOCK, id]);
  return (rows as [{ got: boolean }])[0].got;
}
