import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { StageContext } from "../infra/stage.js";
import {
  openChannel,
  openVoice,
  pressKey,
  receiveText,
  takeStatus,
  type Channel,
  type ProviderCall,
} from "../notify/index.js";
import type { Config, UtilityConfig } from "../schemas/config.js";

const OUTBOX_ID = /^[0-9a-f-]{36}$/;

type Hook = FastifyRequest<{ Params: { utility: string; outbox: string } }>;

/**
 * What providers of text messages call: texts of residents, and what became of ours. Calls without the provider's
 * signature get 403; the work is done before the answer, so that a call that fails is repeated.
 */
export function addProviderHooks(server: FastifyInstance, context: StageContext): void {
  const { config, logger } = context;
  addVoiceHooks(server, context);
  const sms = openChannel("sms", { config });
  if (sms?.hook === undefined) return;
  const { name, type, answer } = sms.hook;

  void server.register((hooks, _options, done) => {
    // A signature is over the bytes that came.
    hooks.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, parsed) =>
      parsed(null, body),
    );
    hooks.post(`/hooks/${name}/:utility/messages`, async (request: Hook, reply) => {
      const utility = utilityOf(config, request, "sms");
      const text = sms.parseInbound?.(providerCall(config, request));
      if (utility === undefined || text === undefined) return refuse(reply, request, logger);
      const received = await receiveText(context, utility, text);
      if (received !== undefined)
        logger.info("text received", { utility: utility.id, channel: "sms", reason: received.asks });
      return reply.type(type).send(answer);
    });

    hooks.post(`/hooks/${name}/:utility/status/:outbox`, statusHook(context, "sms", sms));
    done();
  });
}

/** What the provider of calls tells: keys that were pressed, and what became of a call. */
function addVoiceHooks(server: FastifyInstance, context: StageContext): void {
  const { config, logger } = context;
  const voice = openVoice({ config });
  if (voice?.hook === undefined) return;
  const { name, type, answer } = voice.hook;

  server.post(`/hooks/${name}/:utility/keys/:outbox`, async (request: Hook, reply) => {
    const utility = utilityOf(config, request, "voice");
    const pressed = voice.parseKey(providerCall(config, request));
    const { outbox } = request.params;
    if (utility === undefined || pressed === undefined || !OUTBOX_ID.test(outbox))
      return refuse(reply, request, logger);
    const said = await pressKey(context, utility, outbox, pressed);
    return reply.type(type).send(said === undefined ? answer : voice.say(said.language, said.words));
  });

  server.post(`/hooks/${name}/:utility/calls/:outbox`, statusHook(context, "voice", voice));
}

/** What became of a message or a call. */
function statusHook(context: StageContext, name: "sms" | "voice", channel: Channel) {
  const { config, logger } = context;
  return async (request: Hook, reply: FastifyReply): Promise<FastifyReply> => {
    const utility = utilityOf(config, request, name);
    const report = channel.parseStatus?.(providerCall(config, request));
    if (utility === undefined || report === undefined) return refuse(reply, request, logger);
    const { outbox } = request.params;
    if (OUTBOX_ID.test(outbox))
      await takeStatus(context, { utility: utility.id, outboxId: outbox, channel: name }, report);
    return reply.code(204).send();
  };
}

/** The utility that is called for, where it has the channel. */
function utilityOf(
  { utilities }: Config,
  { params }: Hook,
  channel: "sms" | "voice",
): UtilityConfig | undefined {
  return utilities.find((utility) => utility.id === params.utility && utility[channel] !== undefined);
}

function providerCall({ web: { publicUrl } }: Config, request: FastifyRequest): ProviderCall {
  const isText = typeof request.body === "string";
  return {
    url: publicUrl + request.url,
    parameters: isText ? {} : textsOf(request.body),
    body: isText ? (request.body as string) : "",
    headers: request.headers,
  };
}

function refuse(reply: FastifyReply, request: FastifyRequest, logger: StageContext["logger"]): FastifyReply {
  logger.warn("call without a provider's signature refused", {
    path: request.routeOptions.url ?? "unknown",
  });
  return reply.code(403).type("text/plain; charset=utf-8").send("Forbidden.");
}

function textsOf(body: unknown): Record<string, string> {
  if (typeof body !== "object" || body === null) return {};
  return Object.fromEntries(
    Object.entries(body).filter((pair): pair is [string, string] => typeof pair[1] === "string"),
  );
}
