import formbody from "@fastify/formbody";
import fastify, { type FastifyInstance, type FastifyReply } from "fastify";
import { Deferred } from "../infra/deferred.js";
import { errorFields } from "../infra/logger.js";
import type { Stage, StageContext, StageHealth } from "../infra/stage.js";
import { addOperatorPages } from "./operator-pages.js";
import { addChoicePages } from "./choice-pages.js";
import type { UtilityConfig } from "../schemas/config.js";
import { notFound } from "./frame.js";
import { addHomePages } from "./home-pages.js";
import { logoOf } from "./logo.js";
import { addProviderHooks } from "./provider-hooks.js";
import { NOTHING_AT_ALL } from "./page.js";
import { addResidentPages } from "./resident-pages.js";

export interface WebContext extends StageContext {
  /** The stages of this process, for the health pages. */
  readonly stages: () => readonly Stage[];
}

export interface WebStage extends Stage {
  /** Address it listens at, such as http://127.0.0.1:8080; known after `start`. */
  readonly url: string;
}

const BODY_LIMIT = 16 * 1024;

/**
 * Pages for residents (sign-up, confirm, choices, answers, their homes, unsubscribe), what providers of text messages call, health and metrics. Behind a proxy on this machine the address
 * of the visitor is taken from X-Forwarded-For. The proxy should pass on the residents' pages only.
 */
export function createWeb(context: WebContext): WebStage {
  return new Web(context);
}

class Web implements WebStage {
  readonly name = "web";
  readonly #context: WebContext;
  readonly #ended = new Deferred();
  #server: FastifyInstance | undefined;
  #url = "";

  constructor(context: WebContext) {
    this.#context = context;
  }

  get url(): string {
    return this.#url;
  }

  get finished(): Promise<void> {
    return this.#ended.promise;
  }

  async start(): Promise<void> {
    const { host, port } = this.#context.config.web;
    // A logo that can't be shown is said now, not at the first page.
    for (const { brand } of this.#context.config.utilities) logoOf(brand.logoFile);
    const server = createServer(this.#context);
    this.#url = await server.listen({ host, port });
    this.#server = server;
  }

  drain(): Promise<void> {
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    await this.#server?.close();
    this.#server = undefined;
    this.#ended.resolve();
  }

  health(): StageHealth {
    return this.#server === undefined
      ? { live: false, ready: false, reason: "not running" }
      : { live: true, ready: true };
  }
}

/** What every answer carries, whoever asked and whatever for; pages allow their own style besides. */
function securityHeaders(publicUrl: string): readonly (readonly [name: string, value: string])[] {
  const always = [
    ["content-security-policy", NOTHING_AT_ALL],
    ["referrer-policy", "no-referrer"],
    ["x-content-type-options", "nosniff"],
    ["cache-control", "no-store"],
  ] as const;
  // A browser that came by https once comes by nothing else for a year.
  const secure = ["strict-transport-security", "max-age=31536000; includeSubDomains"] as const;
  return publicUrl.startsWith("https:") ? [...always, secure] : always;
}

function createServer(context: WebContext): FastifyInstance {
  const { logger } = context;
  const headers = securityHeaders(context.config.web.publicUrl);
  const secure = (reply: FastifyReply) => {
    for (const [name, value] of headers) if (!reply.hasHeader(name)) reply.header(name, value);
  };
  const server = fastify({
    logger: false,
    trustProxy: "loopback",
    bodyLimit: BODY_LIMIT,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 64 },
    // An address that is none comes to no hook.
    frameworkErrors: (_error, _request, reply: FastifyReply) => {
      secure(reply);
      void reply.code(400).type("text/plain; charset=utf-8").send("Bad request.");
    },
  });
  void server.register(formbody, { bodyLimit: BODY_LIMIT });
  // One-click requests may come as multipart: the body is read and not used.
  server.addContentTypeParser("*", { parseAs: "buffer" }, (_request, _body, done) => done(null, {}));
  server.addHook("onResponse", (request, reply, done) => {
    // The route, not the address: tokens stay out of the log.
    logger.debug("request", {
      method: request.method,
      path: request.routeOptions.url ?? "unknown",
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
    });
    done();
  });
  server.addHook("onSend", (_request, reply, _payload, done) => {
    secure(reply);
    done();
  });
  server.setErrorHandler(async (error, request, reply) => {
    const { statusCode } = error as { statusCode?: unknown };
    const status = typeof statusCode === "number" && statusCode >= 400 && statusCode < 500 ? statusCode : 503;
    if (status === 503) {
      logger.error("request failed", {
        method: request.method,
        path: request.routeOptions.url ?? "unknown",
        ...errorFields(error),
      });
    }
    return reply
      .code(status)
      .type("text/plain; charset=utf-8")
      .send(status === 503 ? "Not available now. Please try again in a few minutes." : "Bad request.");
  });
  server.setNotFoundHandler((_request, reply) => notFound(reply, "en"));
  addPages(server, context);
  addOperatorPages(server, context);
  addProviderHooks(server, context);
  return server;
}

/** Pages of residents: of a utility with an address of its own there alone, of the others at whichever leads here. */
function addPages(server: FastifyInstance, context: WebContext): void {
  const { config } = context;
  const byHost = new Map<string | undefined, UtilityConfig[]>();
  for (const utility of config.utilities) {
    const host = utility.publicUrl === undefined ? undefined : new URL(utility.publicUrl).host;
    byHost.set(host, [...(byHost.get(host) ?? []), utility]);
  }
  for (const [host, utilities] of byHost) {
    void server.register((pages, _options, done) => {
      if (host !== undefined)
        pages.addHook("onRoute", (route) => void (route.constraints = { ...route.constraints, host }));
      const own = { ...context, config: { ...config, utilities } };
      addResidentPages(pages, own);
      addChoicePages(pages, own);
      addHomePages(pages, own);
      done();
    });
  }
}
