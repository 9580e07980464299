import { pausesOf } from "../notify/index.js";
import type { FastifyInstance } from "fastify";
import { logLag } from "../infra/log/lag.js";
import { errorFields } from "../infra/logger.js";
import type { Stage, StageContext, StageHealth } from "../infra/stage.js";

interface HealthReport {
  /** Every stage's loop runs. */
  readonly live: boolean;
  /** Every stage does its work; `stages` gives the reasons where one does not. */
  readonly ready: boolean;
  readonly stages: readonly (StageHealth & { readonly name: string })[];
}

export interface OperatorContext extends StageContext {
  readonly stages: () => readonly Stage[];
}

/** Health for supervisors and load balancers, metrics for Prometheus. Neither names a resident or a meter. */
export function addOperatorPages(server: FastifyInstance, context: OperatorContext): void {
  const report = (): HealthReport => {
    const stages = context.stages().map((stage) => ({ name: stage.name, ...stage.health() }));
    return {
      live: stages.every(({ live }) => live),
      ready: stages.every(({ live, ready }) => live && ready),
      stages,
    };
  };
  server.get("/health", async (_request, reply) => {
    const health = report();
    return reply.code(health.ready ? 200 : 503).send(health);
  });
  server.get("/health/live", async (_request, reply) => {
    const { live } = report();
    return reply.code(live ? 200 : 503).send({ live });
  });
  server.get("/health/ready", async (_request, reply) => {
    const health = report();
    return reply.code(health.ready ? 200 : 503).send(health);
  });
  server.get("/metrics", async (_request, reply) => {
    const { metrics, logger } = context;
    // A store that is down must not hide what the process counted itself.
    await refreshGauges(context).catch((error: unknown) =>
      logger.warn("gauges not refreshed", { stage: "web", ...errorFields(error) }),
    );
    return reply.header("content-type", metrics.registry.contentType).send(await metrics.text());
  });
}

async function refreshGauges({ database, log, metrics }: StageContext): Promise<void> {
  const alerts = await database.query<{ utility: string; state: string; alerts: number }>(
    "SELECT utility, state, count(*) AS alerts FROM outbox GROUP BY utility, state",
  );
  metrics.alerts.reset();
  for (const { utility, state, alerts: count } of alerts) metrics.alerts.set({ utility, state }, count);
  metrics.channelPaused.reset();
  for (const { utility, channel } of await pausesOf(database))
    metrics.channelPaused.set({ utility, channel }, 1);
  for (const { stage, topic, records } of await logLag(log, database)) {
    metrics.lag.set({ stage, topic }, records);
  }
}
