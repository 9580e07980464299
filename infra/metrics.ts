import { AggregatorRegistry, Counter, Gauge, Histogram, Registry } from "prom-client";

/** Every metric with its values now, as a thread tells them to another. */
export type MetricValues = Awaited<ReturnType<Registry["getMetricsAsJSON"]>>;

/** Every metric of the process, for Prometheus. Labels are ids of utilities, sources, topics and states: no meter, no person. */
export class Metrics {
  readonly registry = new Registry();
  readonly #others: (() => Promise<MetricValues>)[] = [];

  /** Metrics of a thread of this process, to be told with these. */
  join(values: () => Promise<MetricValues>): void {
    this.#others.push(values);
  }

  values(): Promise<MetricValues> {
    return this.registry.getMetricsAsJSON();
  }

  /** The text that Prometheus reads: sums over the threads. */
  async text(): Promise<string> {
    if (this.#others.length === 0) return this.registry.metrics();
    const all = await Promise.all([this.values(), ...this.#others.map((values) => values())]);
    return AggregatorRegistry.aggregate(all).metrics();
  }

  readonly #counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name, help, labelNames, registers: [this.registry] });
  readonly #gauge = (name: string, help: string, labelNames: string[]) =>
    new Gauge({ name, help, labelNames, registers: [this.registry] });

  readonly files = this.#counter("curbstop_files_total", "Files taken, by what became of them.", [
    "utility",
    "source",
    "state",
  ]);
  readonly reads = this.#counter("curbstop_reads_total", "Reads published to the log.", [
    "utility",
    "source",
  ]);
  readonly lateReads = this.#counter(
    "curbstop_late_reads_total",
    "Reads published so long after their time that check late counts them.",
    ["utility", "source"],
  );
  readonly rejects = this.#counter("curbstop_rejects_total", "Rows rejected, by reason.", [
    "utility",
    "source",
    "reason",
  ]);
  readonly lag = this.#gauge("curbstop_log_lag_records", "Records in the log that a stage has not handled.", [
    "stage",
    "topic",
  ]);
  readonly checkpointSaved = this.#gauge(
    "curbstop_checkpoint_saved_seconds",
    "When the detector last saved a checkpoint, seconds since 1970; its age is time() minus this.",
    [],
  );
  readonly detected = this.#counter("curbstop_anomalies_total", "Changes of anomalies, by rule and state.", [
    "utility",
    "rule",
    "state",
  ]);
  readonly checkFindings = this.#counter(
    "curbstop_check_findings_total",
    "What checks of data found in meters' histories, by check.",
    ["utility", "code"],
  );
  readonly detectorReads = this.#counter(
    "curbstop_detector_reads_total",
    "Reads judged, by what became of them.",
    ["outcome"],
  );
  readonly alerts = this.#gauge("curbstop_alerts", "Alerts in the outbox, by state.", ["utility", "state"]);
  readonly decisions = this.#counter(
    "curbstop_alert_decisions_total",
    "Decisions to send or not to send, by reason.",
    ["utility", "decision"],
  );
  readonly returnedMail = this.#counter(
    "curbstop_returned_mail_total",
    "Mails that came to the address for bounces: undelivered, complaint, other.",
    ["utility", "kind"],
  );
  readonly feedAlarm = this.#gauge(
    "curbstop_feed_alarm",
    "1 while a feed does not bring what is expected of it, by kind: late, thin.",
    ["utility", "source", "kind"],
  );
  readonly channelPaused = this.#gauge(
    "curbstop_channel_paused",
    "1 while a channel of a utility is paused: carriers filter what it sends, too much mail came back, or a storm of alerts.",
    ["utility", "channel"],
  );
  readonly stalled = this.#gauge(
    "curbstop_stage_stalled",
    "1 while a stage waits for a store that does not answer.",
    ["stage"],
  );
  readonly insertSeconds = new Histogram({
    name: "curbstop_clickhouse_insert_seconds",
    help: "Time of one insert into ClickHouse.",
    buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10],
    registers: [this.registry],
  });
}
