import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import { createTwilioChannel } from "../../../notify/channels/twilio.js";
import type { OutgoingMessage } from "../../../notify/channels/channel.js";
import { ACCOUNT, startTwilio, TOKEN, type TwilioFake } from "../../../demo/twilio.js";
import { utilityConfig } from "../../../schemas/config.js";

/*
 * What Twilio's published description of its API says of messages (OpenAPI, twilio_api_v2010.json of 2026): names, types,
 * patterns and values. Our fake and our client are both held to it.
 */
const sid = (prefix: string) => z.string().regex(new RegExp(`^${prefix}[0-9a-fA-F]{32}$`));
const STATUS = [
  ..."queued,sending,sent,failed,delivered,undelivered,receiving,received".split(","),
  ..."accepted,scheduled,read,partially_delivered,canceled".split(","),
];
/** date-time-rfc-2822, in GMT. */
const date = z.string().regex(/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000$/);
const message = z.strictObject({
  body: z.string().nullable(),
  num_segments: z.string().regex(/^\d+$/).nullable(),
  direction: z.enum(["inbound", "outbound-api", "outbound-call", "outbound-reply"]),
  from: z.string().nullable(),
  to: z.string().nullable(),
  date_updated: date.nullable(),
  price: z.string().nullable(),
  error_message: z.string().nullable(),
  uri: z.string().nullable(),
  account_sid: sid("AC").nullable(),
  num_media: z.string().regex(/^\d+$/).nullable(),
  status: z.enum(STATUS as [string, ...string[]]),
  messaging_service_sid: sid("MG").nullable(),
  sid: sid("(SM|MM)").nullable(),
  date_sent: date.nullable(),
  date_created: date.nullable(),
  error_code: z.number().int().nullable(),
  price_unit: z.string().nullable(),
  api_version: z.string().nullable(),
  subresource_uris: z.record(z.string(), z.string()).nullable(),
});
const list = z.strictObject({
  messages: z.array(message),
  end: z.number().int(),
  first_page_uri: z.string(),
  next_page_uri: z.string().nullable(),
  page: z.number().int(),
  page_size: z.number().int(),
  previous_page_uri: z.string().nullable(),
  start: z.number().int(),
  uri: z.string(),
});
const refusal = z.strictObject({
  code: z.number().int(),
  message: z.string(),
  more_info: z.url(),
  status: z.number().int(),
});
/** Form fields of CreateMessage that are ours to use; `To` alone is required, with a sender and a content by its words. */
const create = z.strictObject({
  To: z.string().regex(/^\+[1-9]\d{6,14}$/),
  From: z.string().optional(),
  MessagingServiceSid: sid("MG").optional(),
  Body: z.string().min(1).max(1600),
  StatusCallback: z.url().refine((url) => !new URL(url).hostname.includes("_")),
  ValidityPeriod: z.coerce.number().int().min(1).max(36_000),
});
const FILTERS = ["To", "From", "DateSent", "DateSent<", "DateSent>", "PageSize", "Page", "PageToken"];

const utility = utilityConfig.parse({
  ...{ id: "oakvale", name: "City of Oakvale Water", timeZone: "America/Los_Angeles" },
  mail: { from: "a@oakvale.example", postalAddress: "1 Road, Oakvale", privacy: "p@oakvale.example" },
  sms: { from: "+12135550199", name: "Oakvale Water", help: "213-555-0100" },
  sources: [{ id: "ami", folder: "drop", format: "cmep" }],
});
const outgoing = (change: Partial<OutgoingMessage> = {}): OutgoingMessage => ({
  id: "0f0e0d0c-0b0a-4908-8706-050403020100",
  utility,
  address: "+12135550101",
  validSeconds: 7200.5,
  text: () => "Oakvale Water: Possible leak",
  letter: () => undefined as never,
  spoken: () => ({ language: "en", words: "Hello. Water & <more>." }),
  ...change,
});
const web = { host: "127.0.0.1", port: 0, publicUrl: "https://alerts.oakvale.example" };
process.env["CURBSTOP_TWILIO_AUTH_TOKEN"] = TOKEN;

let fake: TwilioFake;
beforeAll(async () => {
  fake = await startTwilio(() => Date.UTC(2026, 5, 1, 19));
});
afterAll(() => fake.close());

const authorization = `Basic ${Buffer.from(`${ACCOUNT}:${TOKEN}`).toString("base64")}`;
const messages = () => `${fake.url}/2010-04-01/Accounts/${ACCOUNT}/Messages.json`;
const post = (form: Record<string, string>, headers: Record<string, string> = { authorization }) =>
  fetch(messages(), { method: "POST", body: new URLSearchParams(form), headers });

it("our client asks in the published form", async () => {
  const forms: Record<string, string>[] = [];
  const queries: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      expect(request.headers.authorization).toBe(authorization);
      const { pathname, searchParams } = new URL(request.url!, "http://here");
      expect(pathname).toBe(`/2010-04-01/Accounts/${ACCOUNT}/Messages.json`);
      if (request.method === "GET") queries.push(...searchParams.keys());
      else {
        expect(request.headers["content-type"]).toMatch(/^application\/x-www-form-urlencoded/);
        forms.push(Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString())));
      }
      response.writeHead(201, { "content-type": "application/json" }).end('{"sid":"SM1","messages":[]}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const channel = createTwilioChannel({ accountSid: ACCOUNT, apiUrl }, web);
  await channel.send(outgoing());
  const service = { ...utility, sms: { ...utility.sms!, from: `MG${"0".repeat(32)}` } };
  await channel.send(outgoing({ utility: service, validSeconds: Infinity }));
  await channel.trace!(outgoing(), new Date(0));
  server.closeAllConnections();
  server.close();
  expect(forms.map((form) => create.safeParse(form).error)).toEqual([undefined, undefined]);
  expect(forms.map(({ From, MessagingServiceSid }) => [From, MessagingServiceSid])).toEqual([
    ["+12135550199", undefined],
    [undefined, `MG${"0".repeat(32)}`],
  ]);
  expect(queries.filter((name) => !FILTERS.includes(name))).toEqual([]);
});

it("our fake answers in the published form, also when it refuses", async () => {
  const form = { To: "+12135550101", From: "+12135550199", Body: "Hello" };
  const sent = await post(form);
  expect([sent.status, message.safeParse(await sent.json()).error]).toEqual([201, undefined]);
  for (const status of ["delivered", "undelivered"]) fake.taken[0]!.status = status;
  const listed = await fetch(`${messages()}?To=%2B12135550101`, { headers: { authorization } });
  const page: unknown = await listed.json();
  expect([listed.status, list.safeParse(page).error]).toEqual([200, undefined]);
  expect((page as z.infer<typeof list>).messages).toHaveLength(1);

  const { To, ...nobody } = form;
  const { Body, ...nothing } = form;
  const refused: [Response, number][] = [
    [await post(nobody), 400],
    [await post(nothing), 400],
    [await post({ ...form, To: To.slice(0, 3) }), 400],
    [await post({ ...form, Body: Body.repeat(400) }), 400],
    [await post({ ...form, ValidityPeriod: "36001" }), 400],
    [await post(form, { authorization: "Basic eDp5" }), 401],
  ];
  for (const [response, status] of refused) {
    const body: unknown = await response.json();
    expect([response.status, refusal.safeParse(body).error]).toEqual([status, undefined]);
    expect((body as { status: number }).status).toBe(status);
  }
});

it("our client knows every published status", () => {
  const channel = createTwilioChannel({ accountSid: ACCOUNT, apiUrl: fake.url }, web);
  const heard = STATUS.filter((status) => status !== "receiving" && status !== "received").map((status) => {
    const url = "https://alerts.oakvale.example/hooks/twilio/oakvale/status/1";
    const parameters = { MessageSid: `SM${"0".repeat(32)}`, MessageStatus: status };
    return [status, fake.signed(url, parameters)] as const;
  });
  for (const [status, call] of heard)
    expect([status, channel.parseStatus!({ ...call, body: "" })?.status]).toEqual([
      status,
      expect.stringMatching(/accepted|delivered|failed/),
    ]);
});
