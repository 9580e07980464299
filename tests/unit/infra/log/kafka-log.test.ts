import { createRequire } from "node:module";
import { createKafkaLog } from "../../../../infra/log/kafka-log.js";
import { createLogger } from "../../../../infra/logger.js";

interface RequestQueue {
  readonly throttleCheckTimeoutId: unknown;
  checkPendingRequests(): void;
  maybeThrottle(ms: number): void;
  destroy(): void;
}

function idleQueue(): RequestQueue {
  createKafkaLog({ brokers: ["127.0.0.1:1"], logger: createLogger({ level: "silent" }) });
  const load = createRequire(import.meta.url);
  const Queue = load("kafkajs/src/network/requestQueue") as new (options: object) => RequestQueue;
  return new Queue({
    maxInFlightRequests: 1,
    requestTimeout: 1000,
    enforceRequestTimeout: false,
    clientId: "test",
    broker: "127.0.0.1:1",
    logger: { namespace: () => ({ debug: () => undefined }), debug: () => undefined },
    isConnected: () => true,
  });
}

it("arms no timer of kafkajs while no request waits: an idle connection costs nothing", () => {
  const queue = idleQueue();
  queue.checkPendingRequests();
  expect(queue.throttleCheckTimeoutId).toBeNull();
});

it("still looks again when the broker has asked to wait", () => {
  const queue = idleQueue();
  queue.maybeThrottle(60_000);
  queue.checkPendingRequests();
  expect(queue.throttleCheckTimeoutId).not.toBeNull();
  queue.destroy();
});
