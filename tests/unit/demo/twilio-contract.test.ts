import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import { createTwilioLookUp } from "../../../notify/channels/twilio-lookup.js";
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
/** A phone number resource of Lookup (twilio_lookups_v2.json of 2026), with the line type intelligence of its example. */
const phoneNumber = z.strictObject({
  calling_country_code: z.string().nullable(),
  country_code: z.string().nullable(),
  phone_number: z.string().nullable(),
  national_format: z.string().nullable(),
  valid: z.boolean().nullable(),
  validation_errors: z.array(z.string()).nullable(),
  line_type_intelligence: z
    .strictObject({
      error_code: z.number().nullable(),
      mobile_country_code: z.string().nullable(),
      mobile_network_code: z.string().nullable(),
      carrier_name: z.string().nullable(),
      type: z.string().nullable(),
    })
    .nullable(),
  ...Object.fromEntries(
    [
      ..."caller_name sim_swap call_forwarding live_activity identity_match".split(" "),
      ..."reassigned_number sms_pumping_risk phone_number_quality_score".split(" "),
    ].map((name) => [name, z.unknown().nullable()]),
  ),
  url: z.url().nullable(),
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

it("our fake looks numbers up in the published form, and our client reads what it says", async () => {
  const lookUp = createTwilioLookUp({
    ...{ accountSid: ACCOUNT, apiUrl: fake.url, lookup: true, lookupUrl: fake.url },
  });
  const kinds = "mobile landline fixedVoip nonFixedVoip tollFree voicemail pager unknown".split(" ");
  const heard = [];
  for (const [n, type] of kinds.entries()) {
    fake.line(`+1213555020${n}`, { type, carrier: type === "mobile" ? "T-Mobile USA, Inc." : null });
    const url = `${fake.url}/v2/PhoneNumbers/%2B1213555020${n}?Fields=line_type_intelligence`;
    const response = await fetch(url, { headers: { authorization } });
    expect([type, phoneNumber.safeParse(await response.json()).error]).toEqual([type, undefined]);
    heard.push((await lookUp(`+1213555020${n}`))?.kind);
  }
  expect(heard).toEqual(["mobile", "landline", "voip", "voip", "other", "other", "other", "other"]);
  expect(await lookUp("+12135550200")).toEqual({ kind: "mobile", carrier: "T-Mobile USA, Inc." });
  expect(fake.askedFor).toContain("+12135550200");
  for (const line of ["unknown", "away"] as const) {
    fake.line("+12135550299", line);
    expect(await lookUp("+12135550299")).toBeUndefined();
  }
  const nobody = createTwilioLookUp({
    ...{ accountSid: ACCOUNT, apiUrl: fake.url, lookup: true, lookupUrl: "http://127.0.0.1:1" },
  });
  expect(await nobody("+12135550299")).toBeUndefined();
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
