import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { requireTls } from "../../infra/endpoints.js";
import type { Config } from "../../schemas/config.js";
import { codeOf, NOT_SENT, secretOf } from "./http.js";
import { FAULTS, type Channel, type Outcome, type ProviderCall } from "./channel.js";

const GIVE_UP_MS = 30_000;
/** A call is as old as this at most: one that was overheard can't be made again later. */
const LATEST_SECONDS = 300;

const taken = z.object({ id: z.string().min(1).max(200).optional() });
const refused = z.object({ code: z.string().max(60).optional(), fault: z.enum(FAULTS).optional() });
const status = z.object({
  id: z.string().min(1).max(200).optional(),
  status: z.enum(["accepted", "delivered", "failed"]),
  code: z.string().max(60).optional(),
  fault: z.enum(FAULTS).optional(),
});
const inbound = z.object({
  id: z.string().min(1).max(200),
  from: z.string().max(40),
  text: z.string().max(2000),
});

/**
 * Text messages by a gateway of the utility's own, or before any provider that has no file here: a JSON POST to one address.
 *
 * Request: `{"id","utility","from","to","text","validSeconds"}` with `Idempotency-Key: ID` and `Curbstop-Signature`. Answer:
 * 2xx, with `{"id"}` where the gateway has one; 4xx, with `{"code","fault"}` where it knows why, is for good, but for 408, 425
 * and 429; anything else may have been taken and is sent again under the same key: the gateway must know a repeat.
 *
 * `Curbstop-Signature` is `t=UNIX SECONDS,v1=HEX`, the HMAC-SHA256 by the shared secret over the seconds, a full stop and the
 * body, both ways. What the gateway calls: `/hooks/webhook/UTILITY/messages` with `{"id","from","text"}`, and
 * `/hooks/webhook/UTILITY/status/ID` with `{"status","id","code","fault"}`.
 * @throws Error where there is no secret, or the address is plain and not this machine
 */
export function createWebhookChannel(webhook: NonNullable<Config["smsWebhook"]>): Channel {
  const { url } = webhook;
  const secret = secretOf("smsWebhook", "CURBSTOP_SMS_WEBHOOK_SECRET", webhook.secretFile);
  requireTls("smsWebhook.url", url, url.startsWith("https:"));
  return {
    capabilities: { repeats: "known" },
    hook: { name: "webhook", type: "application/json", answer: "{}" },
    async send(message) {
      const { id, utility, address, validSeconds } = message;
      const body = JSON.stringify({
        id,
        utility: utility.id,
        from: utility.sms!.from,
        to: address,
        text: message.text(),
        validSeconds: Math.max(1, Math.floor(Math.min(validSeconds, 86_400))),
      });
      try {
        const response = await fetch(url, {
          method: "POST",
          body,
          headers: {
            "content-type": "application/json",
            "idempotency-key": id,
            "curbstop-signature": signatureOf(secret, body, Math.floor(Date.now() / 1000)),
          },
          redirect: "error",
          signal: AbortSignal.timeout(GIVE_UP_MS),
        });
        return await outcomeOf(response);
      } catch (error) {
        const code = codeOf(error);
        return { status: NOT_SENT.has(code) ? "unreachable" : "unknown", code };
      }
    },
    parseStatus(call) {
      const report = signed(call, secret, status);
      if (report === undefined) return undefined;
      const { id, status: is, code, fault } = report;
      return {
        status: is,
        ...(id === undefined ? {} : { providerId: id }),
        ...(code === undefined ? {} : { code: `webhook ${code}` }),
        ...(fault === undefined ? {} : { fault }),
      };
    },
    parseInbound(call) {
      const text = signed(call, secret, inbound);
      return text && { providerId: text.id, from: text.from, body: text.text };
    },
    close: () => Promise.resolve(),
  };
}

/** What stands in `Curbstop-Signature`. @param seconds UTC, when it is made */
export function signatureOf(secret: string, body: string, seconds: number): string {
  const mac = createHmac("sha256", secret).update(`${seconds}.${body}`, "utf8").digest("hex");
  return `t=${seconds},v1=${mac}`;
}

function signed<T>({ headers, body }: ProviderCall, secret: string, shape: z.ZodType<T>): T | undefined {
  const given = headers["curbstop-signature"];
  const [, seconds] = /^t=(\d{1,12}),v1=[0-9a-f]{64}$/.exec(typeof given === "string" ? given : "") ?? [];
  if (seconds === undefined || Math.abs(Date.now() / 1000 - Number(seconds)) > LATEST_SECONDS)
    return undefined;
  const expected = Buffer.from(signatureOf(secret, body, Number(seconds)));
  if (
    !timingSafeEqual(Buffer.from(String(given).padEnd(expected.length).slice(0, expected.length)), expected)
  )
    return undefined;
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  return shape.safeParse(value).data;
}

async function outcomeOf(response: Response): Promise<Outcome> {
  const { status: http, ok } = response;
  const body: unknown = await response.json().catch(() => undefined);
  if (ok) {
    const id = taken.safeParse(body).data?.id;
    return { status: "accepted", ...(id === undefined ? {} : { id }) };
  }
  if (http < 400 || http >= 500) return { status: "unknown", code: `webhook HTTP ${http}` };
  if (http === 401 || http === 403 || http === 404)
    return { status: "unreachable", code: `webhook HTTP ${http}` };
  const { code, fault } = refused.safeParse(body).data ?? {};
  return {
    status: "refused",
    permanent: ![408, 425, 429].includes(http),
    code: /^[\w. -]{1,60}$/.test(code ?? "") ? `webhook ${code}` : `webhook HTTP ${http}`,
    ...(fault === undefined ? {} : { fault }),
  };
}
