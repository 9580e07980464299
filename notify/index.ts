import { hostname } from "node:os";
import { Deferred } from "../infra/deferred.js";
import { errorFields } from "../infra/logger.js";
import type { LogBatch, LogConsumer } from "../infra/log/log.js";
import { loadOffset, saveOffset } from "../infra/log/offset-store.js";
import { parseMessage } from "../infra/log/parse-message.js";
import { isDatabaseUnavailable } from "../infra/postgres/database.js";
import type { Stage, StageContext, StageHealth } from "../infra/stage.js";
import { Rounds } from "../infra/rounds.js";
import { stalling } from "../infra/stall.js";
import { anomalyMessage, type AnomalyMessage } from "../schemas/anomalies.js";
import type { MailTransport } from "./channels/email.js";
import { openChannels, openLookUp } from "./channels/index.js";
import { recordDecisions, type Policy } from "./outbox/record-decisions.js";
import { Sender } from "./outbox/sender.js";
import { BounceFolders } from "./bounces/bounce-folder.js";
import { finishErasures } from "./consent/erasure.js";
import { renewConsents } from "./consent/renewal.js";
import { forgetOld } from "./consent/retention.js";
import { OperatorMail } from "./operator/operator-mail.js";
import { hearing } from "./sms/hear.js";
import { SendingHours } from "./outbox/sending-hours.js";

export {
  confirmSubscription,
  describeConfirmation,
  describeUnsubscribe,
  requestSubscription,
  SubscriptionInvalid,
  type Unsubscription,
  unsubscribe,
  type ConsentStores,
  type KindsByChannel,
  type SubscriptionRequest,
} from "./consent/subscription.js";
export { consentEvidence, verifyConsents, type Evidence } from "./consent/evidence.js";
export {
  eraseAddress,
  eraseByLink,
  holdAddress,
  liftHolds,
  listErasures,
  type Erasure,
} from "./consent/erasure.js";
export { noteDisclosure, noteLook, privacyLog, refusalOf, type PrivacyEntry } from "./consent/privacy-log.js";
export { makeCodes, type CodeLetter } from "./consent/mailed-codes.js";
export { exportEnds, importEnd, parseEnd } from "./consent/ends.js";
export { describeHome, saveHome, type Home, type HomeField, type HomeForm } from "./consent/home.js";
export { describeChoices, saveChoices, type Choice, type Choices } from "./consent/choices.js";
export { answerAlert, describeAnswer, type Answer, type AnswerableAlert } from "./answers.js";
export {
  CONSENT_KINDS,
  consentText,
  offered,
  type ConsentChannel,
  type ConsentKind,
} from "./consent/wording.js";
export { WORDS, type Language } from "./words/index.js";
export { inboundUrl } from "./channels/twilio.js";
export { dkimKey, dkimRecord } from "./channels/dkim.js";
export { openChannel, openVoice } from "./channels/index.js";
export { pressKey } from "./voice/press-key.js";
export type { Channel, ProviderCall } from "./channels/channel.js";
export { receiveText } from "./sms/receive.js";
export { takeStatus } from "./outbox/take-status.js";
export { markHandled, waitingTexts } from "./sms/queue.js";
export { reasonInWords, whyOfAnomaly, whyOfContact, type WhyStep } from "./why.js";
export { NOTICES, pausesOf, resumeChannels, STORM, type Pause } from "./outbox/pause.js";
export { sampleCalls, sampleLetters, sampleTexts } from "./templates/samples.js";
export { letterHtml, letterText } from "./templates/letter.js";
export { textLines } from "./outbox/text-buckets.js";
export { callList, type Call } from "./outbox/call-list.js";
export {
  mailingOf,
  NoticeDiffers,
  sendNotice,
  noticeSchema,
  sentNotices,
  type HomeWithoutMail,
  type NoticeWords,
  type Reach,
  type SentNotice,
  type Notice,
} from "./notices.js";
export { noticeLetter } from "./templates/notice-letter.js";
export { listAlerts } from "./outbox/list-alerts.js";
export type { MailTransport } from "./channels/email.js";

export interface NotifyContext extends StageContext {
  /** Name of this process in the consumer group; stable over restarts. */
  readonly member?: string;
  /** Takes the mails instead of the configured mail server. */
  readonly transport?: MailTransport;
}

/** Also: `drain` resolves when what may be sent now was sent or rests; retries of a later time and quiet hours are left. */
export type NotifyStage = Stage;

const GROUP = "notify";
const TOPIC = "anomalies";
const STOP_PATIENCE_MS = 5_000;
/** Erasures that were held up or left half-way are looked for so often; */
const ERASURES_MS = 60_000;
/** and consents that are to be asked for again, and what is kept no longer. */
const RETENTION_MS = 3_600_000;

/**
 * Decides what residents are told of anomalies, and sends it.
 *
 * Several may run: each decides for a share of the partitions and all send from the one outbox. Nothing is sent about a
 * utility before its `alerts.live`, confirmation mails included.
 */
export function createNotify(context: NotifyContext): NotifyStage {
  return new Notify(context);
}

class Notify implements NotifyStage {
  readonly name = "notify";
  readonly #context: NotifyContext;
  readonly #policies: ReadonlyMap<string, Policy>;
  readonly #abandon = new AbortController();
  readonly #ended = new Deferred();
  #identity = "";
  #consumer: LogConsumer | undefined;
  #sender: Sender | undefined;
  #operatorMail: OperatorMail | undefined;
  #bounces: BounceFolders | undefined;
  #erasures: Rounds | undefined;
  #retention: Rounds | undefined;
  #stalledOn: string | undefined;
  #live = false;
  #sends = false;

  constructor(context: NotifyContext) {
    this.#context = context;
    this.#policies = new Map(
      context.config.utilities.map((utility) => [utility.id, { utility, hours: SendingHours.of(utility) }]),
    );
    this.#ended.promise.catch(() => undefined);
  }

  get finished(): Promise<void> {
    return this.#ended.promise;
  }

  async start(): Promise<void> {
    const { log, member } = this.#context;
    await this.#checkKeys();
    const channels = openChannels(this.#context);
    this.#sends = channels.size > 0;
    this.#identity = await log.identity();
    this.#consumer = await log.consumer({
      group: GROUP,
      topics: [TOPIC],
      member: member ?? `notify@${hostname()}`,
      maxBatchBytes: 256 * 1024,
      handler: {
        assigned: async (partition) => ({ [TOPIC]: await this.#loadOffset(partition) }),
        batch: (batch) => this.#batch(batch),
        revoked: () => Promise.resolve(),
      },
    });
    this.#sender = new Sender({
      ...this.#context,
      channels,
      lookUp: openLookUp(this.#context),
      policies: this.#policies,
      stalling: (work) => this.#stalling(work),
    });
    for (const channel of channels.values()) channel.listen?.(hearing(this.#context));
    this.#operatorMail = OperatorMail.start(this.#context);
    this.#bounces = BounceFolders.start(this.#context);
    this.#erasures = new Rounds(() => this.#finishErasures(), ERASURES_MS);
    this.#retention = new Rounds(() => this.#keepTime(), RETENTION_MS);
    this.#live = true;
    Promise.all([
      this.#consumer.finished,
      this.#sender.finished,
      this.#operatorMail?.finished,
      this.#bounces?.finished,
      this.#erasures.finished,
      this.#retention.finished,
    ]).then(
      () => this.#end(),
      (error: unknown) => this.#end(error),
    );
  }

  async drain(): Promise<void> {
    const work = async () => {
      await this.#bounces?.drained();
      await this.#consumer?.drained();
      await this.#retention?.drained();
      await this.#sender?.drained();
      await this.#operatorMail?.drained();
      await this.#erasures?.drained();
    };
    // A stage that failed never drains: its error is the answer.
    await Promise.race([work(), this.#ended.promise]);
  }

  async stop(): Promise<void> {
    const patience = setTimeout(() => this.#abandon.abort(), STOP_PATIENCE_MS);
    await this.#consumer?.stop();
    await this.#sender?.stop();
    await this.#operatorMail?.stop();
    await this.#bounces?.stop();
    await this.#erasures?.stop();
    await this.#retention?.stop();
    clearTimeout(patience);
    this.#end();
  }

  health(): StageHealth {
    if (!this.#live) return { live: false, ready: false, reason: "not running" };
    if (this.#stalledOn !== undefined)
      return { live: true, ready: false, reason: `waiting for ${this.#stalledOn}` };
    const obstacle = this.#sender?.obstacle;
    if (obstacle !== undefined)
      return { live: true, ready: false, reason: `waiting for a provider (${obstacle})` };
    if (!this.#sends)
      return {
        live: true,
        ready: true,
        reason: "no mail server and no SMS account configured: messages wait in the outbox",
      };
    return { live: true, ready: true };
  }

  #end(error?: unknown): void {
    this.#live = false;
    if (error === undefined) this.#ended.resolve();
    else this.#ended.reject(error as Error);
  }

  #loadOffset(partition: number): Promise<number> {
    const { database } = this.#context;
    const at = { group: GROUP, topic: TOPIC, partition, identity: this.#identity };
    return this.#stalling(() => loadOffset(database, at));
  }

  /** Decisions, outbox rows and the position of a batch, in one transaction. */
  async #batch(batch: LogBatch): Promise<void> {
    const { database, clock, logger, metrics } = this.#context;
    // Of several versions the newest: what happened in between is told as it stands.
    const latest = new Map<string, AnomalyMessage>();
    for (const { value, offset } of batch.records) {
      if (value === null) continue;
      const message = parseMessage(anomalyMessage, value, batch, offset);
      if ((latest.get(message.id)?.version ?? 0) < message.version) latest.set(message.id, message);
    }
    const { partition } = batch;
    const next = batch.records.at(-1)!.offset + 1;
    const { outcomes, storms } = await this.#stalling(() =>
      database.transaction(async (transaction) => {
        const done = await recordDecisions(transaction, [...latest.values()], {
          policies: this.#policies,
          now: clock.now(),
        });
        await saveOffset(transaction, {
          group: GROUP,
          topic: TOPIC,
          partition,
          identity: this.#identity,
          next,
        });
        return done;
      }),
    );
    for (const { utility, alerts } of storms)
      logger.error(
        "alerts held: more in an hour than stormPercent; look at the data, then curbstop texts resume",
        {
          utility,
          count: alerts,
        },
      );
    for (const { utility, decision } of outcomes) metrics.decisions.inc({ utility, decision });
    if (outcomes.length > 0) this.#sender?.wake();
    await this.#consumer?.commit(TOPIC, partition, next).catch(() => undefined);
  }

  /** What has lasted its time: consents are asked for again, what is kept no longer goes. */
  async #keepTime(): Promise<void> {
    const { logger } = this.#context;
    for (const { utility, hours } of this.#policies.values()) {
      try {
        await this.#stalling(() => renewConsents(this.#context, utility, hours));
        await this.#stalling(() => forgetOld(this.#context, utility));
      } catch (error) {
        if (this.#abandon.signal.aborted) return;
        logger.error("consents not renewed or old data not forgotten", {
          utility: utility.id,
          ...errorFields(error),
        });
      }
    }
  }

  /** A key that can't be destroyed now, such as on a disk without rights, is tried again; alerts go on meanwhile. */
  async #finishErasures(): Promise<void> {
    const { logger } = this.#context;
    try {
      await this.#stalling(() => finishErasures(this.#context));
    } catch (error) {
      if (!this.#abandon.signal.aborted) logger.error("erasures not finished", errorFields(error));
    }
  }

  /** Without the folder nobody could be written to: alerts would fail for good where they could wait. */
  async #checkKeys(): Promise<void> {
    const { database, vault } = this.#context;
    if (vault.people.exists) return;
    const contacts = await this.#stalling(() =>
      database.query("SELECT 1 FROM contacts WHERE erased_at IS NULL LIMIT 1"),
    );
    if (contacts.length > 0)
      throw new Error(
        "The folder people beside the key file is gone, and with it the keys of everybody who signed up. Put its mirror back; " +
          "where there is none, make it empty: those residents must sign up again.",
      );
  }

  #stalling<T>(work: () => Promise<T>): Promise<T> {
    return stalling(work, {
      store: "PostgreSQL",
      signal: this.#abandon.signal,
      isUnavailable: isDatabaseUnavailable,
      logger: this.#context.logger,
      onStall: (on) => {
        this.#stalledOn = on;
        this.#context.metrics.stalled.set({ stage: this.name }, on === undefined ? 0 : 1);
      },
    });
  }
}
