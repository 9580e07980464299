import { createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export const ACCOUNT = `AC${"a1".repeat(16)}`;
export const TOKEN = "5e".repeat(16);

/** What Lookup knows of a number: its line, that it can't tell, or nothing, for it is away. */
type KnownLine = { readonly type: string; readonly carrier: string | null } | "unknown" | "away";

/** A message as the fake took it. */
export interface Taken {
  readonly sid: string;
  readonly to: string;
  readonly from: string | null;
  readonly body: string;
  readonly statusCallback: string | undefined;
  readonly validityPeriod: number;
  readonly at: Date;
  status: string;
  errorCode: number | null;
}

/** A call as the fake made it. */
export interface Called {
  readonly sid: string;
  readonly to: string;
  readonly from: string;
  readonly twiml: string;
  readonly statusCallback: string | undefined;
  readonly at: Date;
}

/** What it does with the next message or call instead of taking it. */
type Misbehaviour =
  | { readonly do: "answer"; readonly status: number; readonly code?: number }
  /** Takes the message and breaks the connection without an answer. */
  | { readonly do: "cut-after-taking" }
  /** Breaks the connection without taking it. */
  | { readonly do: "cut-before-taking" }
  | { readonly do: "wait"; readonly ms: number }
  /** Takes the message, and at that point does what the test wants, such as to kill whoever sent it. */
  | {
      readonly do: "run";
      readonly at: "before-taking" | "after-taking" | "after-answering";
      readonly work: () => Promise<unknown>;
    };

interface SignedCall {
  readonly url: string;
  readonly parameters: Record<string, string>;
  readonly headers: { readonly "x-twilio-signature": string };
}

export interface TwilioFake {
  readonly url: string;
  /** For the next messages, in order; afterwards everything is taken. */
  script(...steps: readonly Misbehaviour[]): void;
  /** What was scripted and not come to. */
  forget(): void;
  /** Every message taken so far, oldest first. */
  readonly taken: readonly Taken[];
  /** Texts that a number got. */
  to(number: string): string[];
  /** Tells by the message's callback what became of it; returns the status of the answer. */
  report(sid: string, status: string, errorCode?: number): Promise<number>;
  /** A resident writes: calls `hook` as Twilio does; returns the status of the answer. */
  write(hook: string, from: string, body: string, sid?: string): Promise<number>;
  /** Every call made so far, oldest first. */
  readonly calls: readonly Called[];
  /** Whoever picked up presses a key; what is said to that. */
  press(sid: string, key: string): Promise<{ readonly status: number; readonly twiml: string }>;
  /** Tells by the call's callback how it ended; returns the status of the answer. */
  hangUp(sid: string, status: string): Promise<number>;
  /** A request as Twilio makes it. */
  signed(url: string, parameters: Record<string, string>): SignedCall;
  /** Look-ups of messages answered so far. */
  readonly lookups: () => number;
  /** The next look-ups of messages, so many, are answered with 503. */
  failLookups(times: number): void;
  /** What Lookup says of a number; of all others that they are mobile. */
  line(number: string, line: KnownLine): void;
  /** Numbers that were asked for at Lookup, in order. */
  readonly askedFor: readonly string[];
  close(): Promise<void>;
}

/**
 * The part of Twilio's REST API 2010-04-01 that Curbstop uses, as its published description has it: Basic authentication,
 * form bodies, Messages.json with POST (201 and the resource; 400, 401, 429 with code, message, more_info, status) and GET
 * (To and DateSent filters, pages), signed callbacks. It keeps a message before it answers.
 */
export async function startTwilio(now: () => number): Promise<TwilioFake> {
  const taken: Taken[] = [];
  const steps: Misbehaviour[] = [];
  const lines = new Map<string, KnownLine>();
  const askedFor: string[] = [];
  let lookups = 0;
  let failing = 0;
  let last = 0;
  const newSid = (prefix: "SM" | "CA") => prefix + (++last).toString(16).padStart(32, "0");
  const messages = `/2010-04-01/Accounts/${ACCOUNT}/Messages.json`;
  const callsPath = `/2010-04-01/Accounts/${ACCOUNT}/Calls.json`;
  const calls: Called[] = [];

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url!, "http://fake");
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const expected = `Basic ${Buffer.from(`${ACCOUNT}:${TOKEN}`).toString("base64")}`;
    if (request.headers.authorization !== expected) return refuse(response, 401, 20003);
    if (pathname === callsPath && request.method === "POST")
      return dial(new URLSearchParams(Buffer.concat(chunks).toString("utf8")), response);
    if (pathname.startsWith(LOOKUP) && request.method === "GET")
      return lookUp(decodeURIComponent(pathname.slice(LOOKUP.length)), searchParams, response);
    if (pathname !== messages) return refuse(response, 404, 20404);
    if (request.method === "GET") {
      lookups++;
      if (failing > 0) {
        failing--;
        return refuse(response, 503, 20503);
      }
      return send(response, 200, page(searchParams));
    }
    if (request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded") !== true)
      return refuse(response, 415, 20415);
    return create(new URLSearchParams(Buffer.concat(chunks).toString("utf8")), response);
  }

  async function create(form: URLSearchParams, response: ServerResponse): Promise<void> {
    const step = steps.shift();
    if (step?.do === "wait") await sleep(step.ms);
    const runs = async (at: string) => {
      if (step?.do === "run" && step.at === at) await step.work();
    };
    await runs("before-taking");
    // Whoever went away meanwhile asked for nothing.
    if (response.destroyed) return;
    if (step?.do === "answer") return refuse(response, step.status, step.code, form.get("To"));
    if (step?.do === "cut-before-taking") return void response.destroy();
    const [to, body, from, service] = ["To", "Body", "From", "MessagingServiceSid"].map((name) =>
      form.get(name),
    );
    if (to === null) return refuse(response, 400, 21604);
    if (!/^\+[1-9]\d{6,14}$/.test(to!)) return refuse(response, 400, 21211, to);
    if (from === null && service === null) return refuse(response, 400, 21603);
    if (body === null || body === "") return refuse(response, 400, 21602);
    if (body!.length > 1600) return refuse(response, 400, 21617);
    const validity = Number(form.get("ValidityPeriod") ?? 36_000);
    if (!(validity >= 1 && validity <= 36_000)) return refuse(response, 400, 21628);
    const one: Taken = {
      sid: newSid("SM"),
      to: to!,
      from: from ?? null,
      body: body!,
      statusCallback: form.get("StatusCallback") ?? undefined,
      validityPeriod: validity,
      at: new Date(now()),
      status: "queued",
      errorCode: null,
    };
    taken.push(one);
    if (step?.do === "cut-after-taking") return void response.destroy();
    await runs("after-taking");
    send(response, 201, resource(one));
    await new Promise((resolve) => response.once("close", resolve));
    await runs("after-answering");
  }

  function dial(form: URLSearchParams, response: ServerResponse): void {
    const step = steps.shift();
    if (step?.do === "answer") return refuse(response, step.status, step.code, form.get("To"));
    if (step?.do === "cut-before-taking") return void response.destroy();
    const [to, from, twiml] = ["To", "From", "Twiml"].map((name) => form.get(name) ?? "");
    if (!/^\+[1-9]\d{6,14}$/.test(to!)) return refuse(response, 400, 21211, to);
    if (from === "" || twiml === "" || twiml!.length > 4000) return refuse(response, 400, 21205);
    const sid = newSid("CA");
    const statusCallback = form.get("StatusCallback") ?? undefined;
    calls.push({ sid, to: to!, from: from!, twiml: twiml!, statusCallback, at: new Date(now()) });
    if (step?.do === "cut-after-taking") return void response.destroy();
    send(response, 201, { sid, to, from, status: "queued", direction: "outbound-api", account_sid: ACCOUNT });
  }

  function lookUp(number: string, query: URLSearchParams, response: ServerResponse): void {
    askedFor.push(number);
    const line = lines.get(number) ?? { type: "mobile", carrier: "Fake Wireless" };
    if (line === "away") return refuse(response, 503, 20503);
    const wanted = query.get("Fields")?.split(",").includes("line_type_intelligence") === true;
    send(response, 200, phoneNumberResource(number, wanted ? lineType(line) : null));
  }

  function page(query: URLSearchParams): object {
    const to = query.get("To");
    const since = query.get("DateSent>");
    const size = Number(query.get("PageSize") ?? 50);
    const found = taken.filter(
      (one) => (to === null || one.to === to) && (since === null || one.at >= new Date(since)),
    );
    return {
      messages: found.toReversed().slice(0, size).map(resource),
      page: 0,
      page_size: size,
      start: 0,
      end: Math.max(0, Math.min(size, found.length) - 1),
      uri: messages,
      first_page_uri: `${messages}?Page=0&PageSize=${size}`,
      next_page_uri: null,
      previous_page_uri: null,
    };
  }

  async function call(url: string, parameters: Record<string, string>): Promise<number> {
    const { headers } = signed(url, parameters);
    const response = await fetch(url, { method: "POST", headers, body: new URLSearchParams(parameters) });
    await response.arrayBuffer();
    return response.status;
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    script: (...more) => void steps.push(...more),
    forget: () => void steps.splice(0),
    taken,
    to: (number) => taken.filter((one) => one.to === number).map(({ body }) => body),
    async report(sid, status, errorCode) {
      const one = taken.find((message) => message.sid === sid)!;
      one.status = status;
      one.errorCode = errorCode ?? null;
      return call(one.statusCallback!, {
        AccountSid: ACCOUNT,
        ApiVersion: "2010-04-01",
        From: one.from ?? "",
        MessageSid: sid,
        MessageStatus: status,
        SmsSid: sid,
        SmsStatus: status,
        To: one.to,
        ...(errorCode === undefined ? {} : { ErrorCode: String(errorCode) }),
      });
    },
    write: (hook, from, body, sid = newSid("SM")) =>
      call(hook, {
        AccountSid: ACCOUNT,
        ApiVersion: "2010-04-01",
        Body: body,
        From: from,
        FromCountry: "US",
        MessageSid: sid,
        NumMedia: "0",
        NumSegments: "1",
        SmsMessageSid: sid,
        SmsSid: sid,
        SmsStatus: "received",
        To: "+15550100199",
      }),
    signed,
    calls,
    async press(sid, key) {
      const one = calls.find((made) => made.sid === sid)!;
      const action = unescape(/action="([^"]+)"/.exec(one.twiml)![1]!);
      const { url, parameters, headers } = signed(action, {
        ...{ AccountSid: ACCOUNT, ApiVersion: "2010-04-01", CallSid: sid, CallStatus: "in-progress" },
        ...{ Digits: key, Direction: "outbound-api", From: one.from, To: one.to },
      });
      const response = await fetch(url, { method: "POST", headers, body: new URLSearchParams(parameters) });
      return { status: response.status, twiml: await response.text() };
    },
    hangUp(sid, status) {
      const { statusCallback, from, to } = calls.find((made) => made.sid === sid)!;
      return call(statusCallback!, {
        ...{ AccountSid: ACCOUNT, ApiVersion: "2010-04-01", CallSid: sid, CallStatus: status },
        ...{ Direction: "outbound-api", From: from, To: to },
      });
    },
    line: (number, line) => void lines.set(number, line),
    askedFor,
    lookups: () => lookups,
    failLookups: (times) => void (failing = times),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function signed(url: string, parameters: Record<string, string>): SignedCall {
  const text = Object.keys(parameters)
    .sort()
    .reduce((all, name) => all + name + parameters[name]!, url);
  const signature = createHmac("sha1", TOKEN).update(text).digest("base64");
  return { url, parameters, headers: { "x-twilio-signature": signature } };
}

function unescape(text: string): string {
  return text
    .replaceAll("&quot;", '"')
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function refuse(response: ServerResponse, status: number, code = 20_500, to: string | null = null): void {
  send(response, status, {
    code,
    // As the vendor's do, these quote the number.
    message: `Refused with ${code}: To ${to ?? "nobody"}`,
    more_info: `https://www.twilio.com/docs/errors/${code}`,
    status,
  });
}

const LOOKUP = "/v2/PhoneNumbers/";

/** A phone number resource: lookups.v2.phone_number of the published description. */
function phoneNumberResource(number: string, line: object | null): object {
  return {
    calling_country_code: "1",
    country_code: "US",
    phone_number: number,
    national_format: `(${number.slice(2, 5)}) ${number.slice(5, 8)}-${number.slice(8)}`,
    valid: true,
    validation_errors: null,
    caller_name: null,
    sim_swap: null,
    call_forwarding: null,
    live_activity: null,
    line_type_intelligence: line,
    identity_match: null,
    reassigned_number: null,
    sms_pumping_risk: null,
    phone_number_quality_score: null,
    url: `https://lookups.twilio.com${LOOKUP}${number}`,
  };
}

/** Its line type intelligence; of a number that it can't tell of, the error alone (60600: not provisioned or out of coverage). */
function lineType(line: Exclude<KnownLine, "away">): object {
  if (line === "unknown")
    return {
      ...{ error_code: 60600, mobile_country_code: null, mobile_network_code: null },
      ...{ carrier_name: null, type: null },
    };
  const [country, network] = line.type === "landline" ? [null, null] : ["310", "260"];
  return {
    error_code: null,
    mobile_country_code: country,
    mobile_network_code: network,
    carrier_name: line.carrier,
    type: line.type,
  };
}

/** A message resource: api.v2010.account.message of the published description. */
function resource(one: Taken): object {
  const date = one.at.toUTCString().replace("GMT", "+0000");
  return {
    account_sid: ACCOUNT,
    api_version: "2010-04-01",
    body: one.body,
    date_created: date,
    date_sent: one.status === "queued" ? null : date,
    date_updated: date,
    direction: "outbound-api",
    error_code: one.errorCode,
    error_message: null,
    from: one.from,
    messaging_service_sid: null,
    num_media: "0",
    num_segments: "1",
    price: null,
    price_unit: "USD",
    sid: one.sid,
    status: one.status,
    subresource_uris: { media: `/2010-04-01/Accounts/${ACCOUNT}/Messages/${one.sid}/Media.json` },
    to: one.to,
    uri: `/2010-04-01/Accounts/${ACCOUNT}/Messages/${one.sid}.json`,
  };
}
