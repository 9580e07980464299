import { partitionOf, type LogProducer, type OutgoingRecord } from "../infra/log/log.js";
import { METER_PARTITIONS } from "../schemas/topics.js";
import { nameMeter } from "./block-text.js";
import type { Portion } from "./reading.js";
import type { MeterKeys } from "./registry/meter-keys.js";

/** Bytes that wait over all partitions before they are appended together; the first go sooner, so that the detector begins. */
const APPEND_BYTES = 3 * 1024 * 1024;
const FIRST_BYTES = 512 * 1024;

/** Turns blocks into records and appends them, one append on its way while the next is gathered. */
export class BlockPublisher {
  blocks = 0;
  readonly #producer: LogProducer;
  readonly #append: (work: () => Promise<void>) => Promise<void>;
  #records: OutgoingRecord[][] = Array.from({ length: METER_PARTITIONS }, () => []);
  #waiting = 0;
  #enough = FIRST_BYTES;
  #onItsWay: Promise<void> = Promise.resolve();

  /** @param append runs an append, stalling while the log can't be reached */
  constructor(producer: LogProducer, append: (work: () => Promise<void>) => Promise<void>) {
    this.#producer = producer;
    this.#append = append;
  }

  /** Publishes blocks under the keys of their meters and the numbers of their registers. */
  async publish(
    { text, ends, keysAt, registerOf }: Portion,
    { meters, numbers }: Awaited<ReturnType<MeterKeys["of"]>>,
  ): Promise<void> {
    const bytes = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
    let from = 0;
    for (let i = 0; i < ends.length; i++) {
      const meter = meters[registerOf[i]!]!;
      nameMeter(bytes, keysAt[i]!, meter, numbers[registerOf[i]!]!);
      const partition = partitionOf(meter, METER_PARTITIONS);
      this.#records[partition]!.push({ key: meter, value: bytes.subarray(from, ends[i]) });
      this.#waiting += ends[i]! - from;
      from = ends[i]!;
      this.blocks++;
      if (this.#waiting >= this.#enough) await this.#send();
    }
  }

  /** Resolves when every block is durable. */
  async flush(): Promise<void> {
    await this.#send();
    await this.#onItsWay;
  }

  async #send(): Promise<void> {
    this.#enough = APPEND_BYTES;
    await this.#onItsWay;
    const batches = this.#records
      .map((records, partition) => ({ topic: "reads", partition, records }))
      .filter(({ records }) => records.length > 0);
    this.#records = Array.from({ length: METER_PARTITIONS }, () => []);
    this.#waiting = 0;
    if (batches.length === 0) return;
    this.#onItsWay = this.#append(() => this.#producer.append(batches));
    this.#onItsWay.catch(() => undefined);
  }
}
