import { z } from "zod";
import type { RuleName } from "./anomalies.js";
import { segmentsOf } from "./segments.js";
import { contrastToGround } from "./look.js";
import { checksConfig } from "./checks.js";
import { detectConfig } from "./detect-config.js";
import { billingOptions } from "./formats/billing.js";
import { cmepOptions } from "./formats/cmep.js";
import { espiOptions } from "./formats/espi.js";
import { fixedWidthOptions } from "./formats/fixed-width.js";
import { jsonLinesOptions } from "./formats/json-lines.js";
import { nemOptions } from "./formats/nem.js";
import { crosswalkOptions } from "./formats/crosswalk.js";
import { temperatureOptions } from "./formats/temperatures.js";
import { JURISDICTIONS, type JurisdictionCode } from "./jurisdictions.js";
import { csvProfile } from "./profile.js";
import { expectConfig, pullConfig } from "./pull.js";
import { sourceId, utilityId } from "./reads.js";
import { isTimeZone } from "./time-zone.js";

const timeZone = z.string().refine(isTimeZone, "expected an IANA time zone such as America/Los_Angeles");

/** Units in which residents read volumes. */
export const UNITS = ["gal", "ft3", "L", "m3"] as const;

export const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "expected hh:mm, 00:00 to 23:59");
/** Paths are put behind it, each with a slash of its own. */
const withoutSlash = (url: string) => url.replace(/\/+$/, "");

const email = z.email("expected an e-mail address");

/** When a file in the drop folder is whole. */
const completeness = z
  .discriminatedUnion("by", [
    z.strictObject({
      by: z.literal("stability"),
      seconds: z
        .number()
        .min(0)
        .default(10)
        .describe("Size and time of change must stand still for so long."),
    }),
    z.strictObject({
      by: z.literal("marker"),
      suffix: z
        .string()
        .min(1)
        .default(".done")
        .describe("A file is whole when an empty file of its name with this suffix lies beside it."),
    }),
  ])
  .default({ by: "stability", seconds: 10 });

/** What a source's files may be, and the option that says how each is to be read. */
const OPTION_OF = {
  csv: "profile",
  "beacon-range": "profile",
  "aclara-star": "profile",
  cmep: "cmep",
  nem: "nem",
  espi: "espi",
  "json-lines": "jsonLines",
  "fixed-width": "fixedWidth",
  billing: "billing",
  "beacon-billing": "billing",
  crosswalk: "crosswalk",
  temperatures: "temperatures",
} as const;
type Format = keyof typeof OPTION_OF;
const FORMATS = Object.keys(OPTION_OF) as [Format, ...Format[]];
const OPTIONS = [
  "cmep",
  "nem",
  "espi",
  "jsonLines",
  "fixedWidth",
  "billing",
  "crosswalk",
  "temperatures",
] as const;
/** Those without which nothing can be read. */
const NEEDED = ["fixedWidth", "billing", "temperatures"];

export const sourceConfig = z.strictObject({
  id: sourceId.describe("Short name of the feed, part of the identity of its files. Never changes."),
  folder: z.string().min(1).describe("Drop folder; relative paths start at the configuration file."),
  files: z.string().min(1).default("*").describe("Which names are taken: * and ? stand for any characters."),
  members: z
    .string()
    .min(1)
    .default("*")
    .describe("Which members of a zip archive are read, by name without folder: * and ? as above."),
  format: z
    .enum(FORMATS)
    .describe(
      "csv: meter reads by `profile`. beacon-range, aclara-star: the same with a preset. cmep, nem, espi (Green Button), json-lines, fixed-width, billing: by the option of that name. beacon-billing: billing with a preset. crosswalk: customers, accounts, premises and their meters. temperatures: of the air where the meters are, for rule freeze-risk.",
    ),
  profile: csvProfile
    .optional()
    .describe(
      "How CSV files are to be read: required for format csv, additions to the preset for beacon-range and aclara-star. Of every other format encoding and compression count; of a crosswalk also delimiter, quote and meterId.",
    ),
  cmep: cmepOptions.optional().describe("Options of format cmep."),
  nem: nemOptions.optional().describe("Options of format nem (NEM12, NEM13)."),
  espi: espiOptions.optional().describe("Options of format espi (Green Button)."),
  jsonLines: jsonLinesOptions.optional().describe("Options of format json-lines (wmbusmeters, rtlamr)."),
  fixedWidth: fixedWidthOptions.optional().describe("Options of format fixed-width, which needs them."),
  billing: billingOptions
    .optional()
    .describe("Options of format billing, which needs them; additions to the preset for beacon-billing."),
  crosswalk: crosswalkOptions
    .optional()
    .describe("Options of format crosswalk, where names, dates or classes are not those of the page."),
  temperatures: temperatureOptions.optional().describe("Options of format temperatures, which needs them."),
  complete: completeness,
  backfill: z
    .boolean()
    .default(false)
    .describe("true while old reads are delivered: anomalies found in them are stored, not told."),
  licence: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe(
      "On what terms the data may be used, where somebody else delivers it: shown with where an attribute comes from.",
    ),
  maxFileBytes: z
    .number()
    .int()
    .positive()
    .default(8 * 1024 ** 3)
    .describe("A larger file is rejected whole."),
  pull: pullConfig.optional().describe("SFTP server from which its files are fetched into the drop folder."),
  expect: expectConfig.optional().describe("What the feed is expected to bring, for alarms to the operator."),
});
export type SourceConfig = z.infer<typeof sourceConfig>;

const LEAST_CONTRAST = 4.5;

/** Of the characters that a text message carries at their cheapest. */
const shortText = (least: number, most: number) =>
  z
    .string()
    .min(least)
    .max(most)
    .refine((text) => segmentsOf(text).outside.length === 0, {
      error: ({ input }) =>
        `expected letters of the GSM 7-bit alphabet only, without ${segmentsOf(String(input)).outside.join(" ")}`,
    });

/** What a utility may write beside alerts to who asked for it by itself. */
export const MAILINGS = ["tips", "newsletter", "survey"] as const;
export type Mailing = (typeof MAILINGS)[number];

/** What staff may look at a resident's data for, or give it away for. */
export const PURPOSES = ["help", "call", "complaint", "audit", "legal"] as const;
export type Purpose = (typeof PURPOSES)[number];

export const utilityConfig = z.strictObject({
  id: utilityId.describe("Short name of the utility in every table and topic. Never changes."),
  name: z.string().min(1).max(60).describe("Name as residents know it."),
  timeZone: timeZone.describe("IANA time zone of its service points."),
  publicUrl: z
    .url({ protocol: /^https?$/ })
    .overwrite(withoutSlash)
    .optional()
    .describe(
      "Address of this utility's pages, where it has one of its own, such as https://alerts.oakvale.example: links go there, and other addresses do not show them. Left out: web.publicUrl.",
    ),
  brand: z
    .strictObject({
      colour: z
        .string()
        .regex(/^#[0-9a-f]{6}$/i, "expected a colour such as #0b5394")
        .refine((colour) => contrastToGround(colour) >= LEAST_CONTRAST, {
          error: ({ input }) =>
            `expected a colour that is dark enough on light grey: a contrast of ${LEAST_CONTRAST} (WCAG 2.2, 1.4.3), found ${contrastToGround(String(input)).toFixed(2)}`,
        })
        .optional()
        .describe("Of titles, buttons and links, on pages and in mails, such as #0b5394."),
      logoFile: z
        .string()
        .min(1)
        .optional()
        .describe("PNG or JPEG of at most 100 kB that stands above the titles of pages."),
    })
    .prefault({})
    .describe("What pages and mails look like beside the utility's name."),
  languages: z
    .array(z.enum(["en", "es"]))
    .min(1)
    .default(["en"])
    .describe("Languages of messages, the first is the default."),
  jurisdiction: z
    .enum(Object.keys(JURISDICTIONS) as [JurisdictionCode, ...JurisdictionCode[]])
    .optional()
    .describe(
      "Whose law of hours alerts keep to beside `alerts.sendFrom` and `sendUntil` (US-TX: from 9, on Sundays from 12). Left out: those two alone.",
    ),
  units: z.enum(UNITS).default("gal").describe("Unit in which residents read volumes."),
  mail: z
    .strictObject({
      from: email.describe("Sender address of alerts."),
      replyTo: email.optional(),
      postalAddress: z
        .string()
        .min(5)
        .describe("Postal address at the foot of every mail (CAN-SPAM, 15 USC 7704)."),
      privacy: email.describe("Where a resident writes about personal data."),
      bounces: z
        .strictObject({
          address: email.describe("Return path of alerts: what can't be delivered comes back to it."),
          folder: z
            .string()
            .min(1)
            .describe(
              "Maildir into which the mail server puts what comes to that address; begins at the file.",
            ),
        })
        .optional()
        .describe(
          "Where mails that can't be delivered, and complaints, come back. Left out: they are not read.",
        ),
      dkim: z
        .strictObject({
          selector: z
            .string()
            .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, "expected a label of DNS, such as alerts2026")
            .describe("Name of the key in DNS: SELECTOR._domainkey.DOMAIN; doctor prints the record."),
          keyFile: z.string().min(1).describe("RSA private key (PEM), closed to others; begins at the file."),
          domain: z
            .string()
            .regex(/^([a-z0-9-]+\.)+[a-z0-9-]+$/, "expected a domain in small letters")
            .optional()
            .describe("Domain that signs: that of `from`, or one above it. Default: that of `from`."),
        })
        .optional()
        .describe("Mails are signed with DKIM here. Left out: the mail server must do it."),
    })
    .refine(
      ({ from, dkim }) => dkim?.domain === undefined || `.${domainOf(from)}`.endsWith(`.${dkim.domain}`),
      {
        path: ["dkim", "domain"],
        error:
          "expected the domain of mail.from, or one above it: another is no proof of who sent the mail (DMARC)",
      },
    ),
  sms: z
    .strictObject({
      from: z
        .string()
        .regex(
          /^(\+[1-9]\d{6,14}|MG[0-9a-f]{32})$/,
          "expected a number such as +15550100199, or MG and 32 hex digits",
        )
        .describe(
          "Number (E.164) or Twilio messaging service that texts come from, registered for this utility.",
        ),
      name: shortText(2, 24).describe("Name at the head of each text."),
      help: shortText(4, 50).describe(
        "Where a resident gets help, as HELP tells it: a number, a page, or both.",
      ),
      country: z
        .string()
        .regex(/^[A-Z]{2}$/, "expected two capital letters, such as US")
        .default("US")
        .describe("Country of numbers that are written without one."),
      limits: z
        .array(
          z.strictObject({
            name: z.string().min(1).max(40).describe("Such as att-per-minute."),
            segments: z.number().int().min(10).describe("So many texts"),
            seconds: z.number().int().min(1).max(86_400).describe("in so many seconds."),
            carrier: z
              .string()
              .trim()
              .min(2)
              .max(40)
              .optional()
              .describe(
                "To this carrier's numbers alone: a part of its name, such as T-Mobile. Needs twilio.lookup; numbers whose carrier is not known count too. Left out: to all.",
              ),
          }),
        )
        .default([])
        .describe(
          "What carriers let this sender hand over; what is more waits its turn. A campaign of low volume in the US: 75 in 60 s to AT&T and 2000 in 86400 s to T-Mobile.",
        ),
      perMonth: z
        .number()
        .int()
        .min(1)
        .default(8)
        .describe(
          "Most routine texts to a number about a home in 30 days, as sign-up promises; a burst does not count.",
        ),
    })
    .optional()
    .describe("Text messages. Left out: this utility sends none."),
  billUrl: z
    .url({ protocol: /^https$/ })
    .optional()
    .describe(
      "Where residents see and pay their bills: mails about high use and budgets link to it, no more.",
    ),
  price: z
    .strictObject({
      amount: z.number().positive().describe("Such as 4.5; the lowest, where it rises with use,"),
      highest: z
        .number()
        .positive()
        .optional()
        .describe("the highest then: mails tell the cost from the one to the other,"),
      per: z.number().positive().default(1000).describe("for so many"),
      unit: z
        .enum(UNITS)
        .default("gal")
        .describe("of this unit; with sewer charges, if they go by the meter."),
      currency: z
        .string()
        .regex(/^[A-Z]{3}$/, "expected three capital letters, such as USD")
        .default("USD"),
    })
    .refine(({ amount, highest = Infinity }) => highest > amount, {
      path: ["highest"],
      error: "expected more than amount",
    })
    .optional()
    .describe(
      "What water costs a resident: mails tell about how much a leak costs. Left out: no cost is told.",
    ),
  voice: z
    .strictObject({
      from: z
        .string()
        .regex(/^\+[1-9]\d{6,14}$/, "expected a number such as +15550100199")
        .describe("Number (E.164) that calls come from."),
      country: z
        .string()
        .regex(/^[A-Z]{2}$/, "expected two capital letters, such as US")
        .default("US")
        .describe("Country of numbers that are written without one."),
      perMonth: z
        .number()
        .int()
        .min(1)
        .default(8)
        .describe("Most routine calls to a number about a home in 30 days; a burst does not count."),
    })
    .optional()
    .describe(
      "Calls by a computer voice through twilio, to landlines too. Left out: this utility calls nobody.",
    ),
  alerts: z
    .strictObject({
      live: z
        .boolean()
        .default(false)
        .describe("Go-live switch: while false everything is decided and stored, and nothing is sent."),
      sendFrom: clockTime.default("08:00").describe("Local time from which alerts may be sent."),
      sendUntil: clockTime.default("20:00").describe("Local time until which alerts may be sent."),
      maxAgeHours: z.number().positive().default(72).describe("Older evidence is stored, not sent."),
      stormPercent: z
        .number()
        .positive()
        .max(100)
        .default(10)
        .describe(
          "Alerts of an hour, in percent of the addresses that signed up, from which all are held until somebody looks: so many at once are most likely wrong data. Fewer than 50 never are; 100 never holds.",
        ),
      remindAfterHours: z
        .number()
        .min(24)
        .default(72)
        .describe("A leak that still runs so long after its alert is told once more."),
      remindAgainAfterHours: z
        .number()
        .min(48)
        .default(168)
        .describe(
          "And so long after it a last time: by text where the home has asked for texts, else by mail.",
        ),
      digestAbove: z
        .number()
        .int()
        .min(0)
        .default(5)
        .describe(
          "An e-mail address with alerts for more homes than this gets one mail a day, a burst apart. 0: never.",
        ),
      gatherMinutes: z
        .number()
        .min(0)
        .max(60)
        .default(15)
        .describe(
          "What comes up about a home so soon after an e-mail about it waits, and goes as one; a burst waits for nothing. 0: each at once.",
        ),
      renewAfterMonths: z
        .number()
        .int()
        .min(0)
        .default(12)
        .describe(
          "A consent of so many months is asked for again, and ends where 30 days bring no answer: who moved out may hear of another's water. 0: never, where the crosswalk tells of every move-out.",
        ),
      callAfterDays: z
        .number()
        .min(1)
        .default(14)
        .describe("A leak that still runs so long after its alert is on the list of `curbstop calls`."),
    })
    .prefault({}),
  mailings: z
    .array(z.enum(MAILINGS))
    .default([])
    .transform((kinds) => MAILINGS.filter((kind) => kinds.includes(kind)))
    .describe(
      "What residents can ask for beside alerts, by mail alone, each with a box of its own at sign-up: `curbstop notices` sends it.",
    ),
  disclosures: z
    .array(
      z.strictObject({
        clause: z.string().trim().min(1).max(40).describe("Clause of the contract, such as 7.2."),
        to: z.string().trim().min(1).max(80).describe("Who may be given data."),
        purposes: z.array(z.enum(PURPOSES)).min(1).describe("For what."),
      }),
    )
    .default([])
    .describe(
      "To whom the contract lets residents' data be given, beside messages. With any, `privacy disclose` refuses what rests on none of these clauses, on no order of a court and on no consent.",
    ),
  publish: z
    .strictObject({
      clause: z.string().trim().min(1).max(40).describe("Clause of the contract that lets it be published."),
      customers: z
        .number()
        .int()
        .min(5)
        .default(15)
        .describe(
          "Customers that a group without homes has at least: 15/15 of the CPUC's rule, and of others.",
        ),
      residential: z
        .number()
        .int()
        .min(5)
        .default(100)
        .describe("The same of one with homes: the CPUC's rule (D.14-05-016)."),
      maxSharePercent: z
        .number()
        .min(1)
        .max(50)
        .default(15)
        .describe("Percent of a group's water that one customer may have at most."),
    })
    .optional()
    .describe(
      "Lets what all customers used be published, by month and class (`curbstop publish`). Without it nothing is.",
    ),
  detect: detectConfig.prefault({}),
  checks: checksConfig
    .prefault({})
    .describe(
      "Checks of data: `false` is off, `true` on, a number on with that limit. docs/checks.md tells of each.",
    ),
  retentionDays: z
    .strictObject({
      archive: z.number().int().positive().default(90).describe("Original files, from the day they came."),
      texts: z
        .number()
        .int()
        .positive()
        .default(90)
        .describe(
          "What residents wrote, and what they said of their home once it is over; what still waits for people stays until they have seen to it.",
        ),
      unconfirmed: z
        .number()
        .int()
        .positive()
        .default(30)
        .describe(
          "Addresses that were asked and never said yes, from the last time they were asked or wrote.",
        ),
      formerCustomers: z
        .number()
        .int()
        .positive()
        .default(1096)
        .describe(
          "Names, e-mail addresses and numbers in the utility's files of who moved out, from then on.",
        ),
      evidence: z
        .number()
        .int()
        .min(365)
        .default(1826)
        .describe(
          "The proof of a consent, from its end, and the record of what was decided and sent: four years in which somebody may sue (28 USC 1658) and one more.",
        ),
    })
    .prefault({})
    .describe("Days for which each class of data is kept. STOPs stay for ever, as keyed hashes."),
  sources: z.array(sourceConfig).min(1),
});
export type UtilityConfig = z.infer<typeof utilityConfig>;

/** Whether a source's files hold reads of meters. */
export function bringsReads({ format }: Pick<SourceConfig, "format">): boolean {
  return format !== "crosswalk" && format !== "temperatures";
}

/** Whether a utility has a source of temperatures. */
export function hasTemperatures({ sources }: Pick<UtilityConfig, "sources">): boolean {
  return sources.some(({ format }) => format === "temperatures");
}

/** The rules by which a utility's meters are judged. */
export function judgedRules(utility: Pick<UtilityConfig, "sources" | "detect">): readonly RuleName[] {
  const { rules } = utility.detect;
  return hasTemperatures(utility) ? [...new Set<RuleName>([...rules, "freeze-risk"])] : rules;
}

/** The domain of an e-mail address, in small letters. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf("@") + 1).toLowerCase();
}

export const config = z
  .strictObject({
    dataDirectory: z
      .string()
      .min(1)
      .default(".curbstop")
      .describe("Embedded servers, archive and spool; relative paths start at the configuration file."),
    keyFile: z
      .string()
      .optional()
      .describe(
        "File with the master key (made at first use). Keep it apart from the backups. Default: keys.json in the data directory.",
      ),
    web: z
      .strictObject({
        host: z.string().default("127.0.0.1"),
        port: z.number().int().min(0).max(65535).default(8080).describe("0: any free port."),
        publicUrl: z
          .url({ protocol: /^https?$/ })
          .overwrite(withoutSlash)
          .default("http://127.0.0.1:8080")
          .describe("Address under which residents reach the confirm and unsubscribe pages."),
      })
      .prefault({}),
    smtp: z
      .strictObject({
        host: z.string().min(1),
        port: z.number().int().min(1).max(65535).default(587),
        secure: z
          .boolean()
          .default(false)
          .describe("TLS from the first byte (port 465). Otherwise STARTTLS is required except on loopback."),
        user: z.string().optional(),
        passwordFile: z
          .string()
          .optional()
          .describe("File that holds the password; or set CURBSTOP_SMTP_PASSWORD."),
      })
      .optional()
      .describe("Mail server that takes alerts. Left out: alerts wait in the outbox."),
    twilio: z
      .strictObject({
        accountSid: z.string().regex(/^AC[0-9a-f]{32}$/, "expected AC and 32 hex digits"),
        authTokenFile: z
          .string()
          .optional()
          .describe("File that holds the auth token; or set CURBSTOP_TWILIO_AUTH_TOKEN."),
        apiUrl: z
          .url({ protocol: /^https?$/ })
          .overwrite(withoutSlash)
          .default("https://api.twilio.com")
          .describe("Address of the API; another one for tests."),
        lookup: z
          .boolean()
          .default(false)
          .describe(
            "Ask, before a number's first text and once a year, what kind of line it is and whose network it is on (Lookup, which Twilio bills): landlines get no text, and limits may name a carrier.",
          ),
        lookupUrl: z
          .url({ protocol: /^https?$/ })
          .overwrite(withoutSlash)
          .default("https://lookups.twilio.com")
          .describe("Address of Lookup; another one for tests."),
      })
      .optional()
      .describe(
        "Account that sends text messages (unless smpp or smsWebhook do) and makes calls. Left out: they wait in the outbox.",
      ),
    smpp: z
      .strictObject({
        host: z.string().min(1).describe("Message centre of a carrier or an aggregator."),
        port: z.number().int().min(1).max(65535).default(2775),
        tls: z.boolean().default(false).describe("Needed off this machine."),
        systemId: z.string().min(1).max(15),
        systemType: z.string().max(12).default(""),
        passwordFile: z
          .string()
          .optional()
          .describe("File that holds the password; or set CURBSTOP_SMPP_PASSWORD."),
      })
      .optional()
      .describe("Sends and receives text messages by SMPP 3.4, in the place of twilio."),
    smsWebhook: z
      .strictObject({
        url: z.url({ protocol: /^https?$/ }).describe("Address that takes each text as a JSON POST."),
        secretFile: z
          .string()
          .optional()
          .describe("File with the secret that signs calls, both ways; or set CURBSTOP_SMS_WEBHOOK_SECRET."),
      })
      .optional()
      .describe("A gateway of your own that sends text messages, in the place of twilio (docs/alerts.md)."),
    operator: z
      .strictObject({ mail: email.describe("Gets a mail when an alarm of a feed opens and when it ends.") })
      .optional()
      .describe("Who runs this."),
    utilities: z.array(utilityConfig).min(1),
  })
  .superRefine(checkAcrossFields, {
    // Also where a field is wrong: whoever writes the file sees every mistake at once.
    when: () => true,
  });

/** Address under which residents reach the pages of a utility. */
export function pagesUrl({ web }: Pick<Config, "web">, { publicUrl }: UtilityConfig): string {
  return publicUrl ?? web.publicUrl;
}

/** What one field alone can't tell. `value` may be wrong in any part, so nothing of its shape is trusted. */
function checkAcrossFields(value: unknown, context: z.RefinementCtx): void {
  const complain = (path: PropertyKey[], message: string) =>
    context.addIssue({ code: "custom", path, message });
  const isSet = (name: string) => fieldOf(value, name) !== undefined;
  const gateway = ["smpp", "smsWebhook"].find(isSet);
  if (gateway === "smpp" && isSet("smsWebhook"))
    complain(["smsWebhook"], "texts go out by smpp already; keep one of them");
  const calls = listOf(value, "utilities").some((utility) => fieldOf(utility, "voice") !== undefined);
  const looksUp = fieldOf(fieldOf(value, "twilio"), "lookup") === true;
  if (gateway !== undefined && isSet("twilio") && !calls && !looksUp)
    complain(["twilio"], `texts go out by ${gateway}, and no utility has voice; take one of the two out`);
  const utilities = new Set<unknown>();
  /** Which source takes which files: `folder` and `files` together. */
  const feeds = new Map<string, string>();
  for (const [u, utility] of listOf(value, "utilities").entries()) {
    const id = textOf(utility, "id");
    if (fieldOf(utility, "voice") !== undefined && fieldOf(value, "twilio") === undefined)
      complain(["utilities", u, "voice"], "calls go through twilio, which is not set");
    if (id !== undefined && utilities.has(id)) {
      complain(["utilities", u, "id"], `"${id}" stands twice; give each utility its own id`);
    }
    utilities.add(id);
    const { detect } = Object(utility) as Record<string, unknown>;
    const isCold = listOf(utility, "sources").some((source) => fieldOf(source, "format") === "temperatures");
    if (!isCold && listOf(detect, "rules").includes("freeze-risk"))
      complain(
        ["utilities", u, "detect", "rules"],
        "freeze-risk needs temperatures; add a source of that format",
      );
    const sources = new Set<unknown>();
    for (const [s, source] of listOf(utility, "sources").entries()) {
      const path = ["utilities", u, "sources", s];
      const sourceId = textOf(source, "id");
      if (sourceId !== undefined && sources.has(sourceId)) {
        complain([...path, "id"], `"${sourceId}" stands twice; give each source of a utility its own id`);
      }
      sources.add(sourceId);
      const folder = textOf(source, "folder");
      if (folder !== undefined) {
        const feed = `${folder.replace(/[/\\]+$/, "")}\0${textOf(source, "files") ?? "*"}`;
        const other = feeds.get(feed);
        if (other !== undefined) {
          complain(
            [...path, "files"],
            `source "${other}" takes the same names from the same folder; give each its own folder or pattern`,
          );
        }
        feeds.set(feed, sourceId ?? "");
      }
      const format = fieldOf(source, "format");
      const wanted = (OPTION_OF as Readonly<Record<string, string>>)[String(format)];
      for (const option of OPTIONS) {
        const given = fieldOf(source, option) !== undefined;
        if (wanted !== undefined && given && option !== wanted)
          complain([...path, option], `is not an option of format ${String(format)}; take it out`);
        if (!given && option === wanted && NEEDED.includes(option))
          complain([...path, option], `missing; format ${String(format)} needs it`);
      }
      const profile = fieldOf(source, "profile");
      if (format !== "csv") {
        if (fieldOf(profile, "meterFrom") !== undefined)
          complain([...path, "profile", "meterFrom"], "is for format csv alone; take it out");
        continue;
      }
      if (profile === undefined) {
        complain([...path, "profile"], "missing; format csv needs a profile that names its columns");
      } else {
        checkColumns(profile, (field, message) => complain([...path, "profile", ...field], message));
      }
    }
  }
}

/** Layouts whose header has more than names, and columns that have no place beside it: a row is of all meters, or of all times. */
const TABLES: Readonly<Record<string, { inHeader: string; lacks: readonly string[]; why: string }>> = {
  matrix: {
    inHeader: "meters",
    lacks: ["serial", "channel", "register", "usage", "unit", "registerUnit", "multiplier", "repeated"],
    why: "every column from `first` on is a meter",
  },
  pivot: {
    inHeader: "times",
    lacks: ["time", "clock", "register", "usage", "first", "repeated"],
    why: "every column whose name is a stamp of `time.format` holds the values of that time",
  },
};

/** A profile for csv must name where identity, time and value stand, and its marks must differ. */
function checkColumns(profile: unknown, complain: (field: string[], message: string) => void): void {
  const columns = fieldOf(profile, "columns");
  const layout = fieldOf(profile, "layout");
  const isMatrix = layout === "matrix";
  const fromElsewhere = fieldOf(profile, "meterFrom") !== undefined;
  if (isMatrix && fromElsewhere)
    complain(["meterFrom"], "has no place in layout matrix: its header names the meters");
  if (fieldOf(columns, "meter") === undefined) {
    if (!isMatrix && !fromElsewhere)
      complain(["columns", "meter"], "missing; name the column of the meter id, or give meterFrom");
  } else if (isMatrix || fromElsewhere) {
    complain(["columns", "meter"], "is told in another way already; take one of them out");
  }
  if (
    fieldOf(fieldOf(profile, "meterFrom"), "preamble") !== undefined &&
    !(Number(fieldOf(profile, "skipRows")) > 0)
  )
    complain(
      ["skipRows"],
      "is 0: meterFrom.preamble looks at the rows before the header that are passed over",
    );
  if (fieldOf(columns, "time") === undefined && layout !== "pivot") {
    complain(["columns", "time"], "missing; name the column of the time stamp (wide: of the date)");
  }
  const format = fieldOf(fieldOf(profile, "time"), "format");
  if (fieldOf(columns, "clock") !== undefined && typeof format === "string" && !/\S.*(HH|hh)/.test(format)) {
    complain(
      ["time", "format"],
      "has no time of day for the column `clock`; write the date, a blank and HH:mm",
    );
  }
  const table = TABLES[String(layout)];
  if (table !== undefined) {
    if (isMatrix && fieldOf(columns, "first") === undefined)
      complain(["columns", "first"], "missing; layout matrix needs the column of the first meter");
    if (fieldOf(profile, "header") === false)
      complain(["header"], `is false; layout ${String(layout)} takes the ${table.inHeader} from the header`);
    for (const name of table.lacks)
      if (fieldOf(columns, name) !== undefined)
        complain(["columns", name], `has no place in layout ${String(layout)}, where ${table.why}`);
  } else if (layout === "wide") {
    if (fieldOf(columns, "first") === undefined) {
      complain(["columns", "first"], "missing; layout wide needs the column of the first interval");
    }
    const counts = fieldOf(fieldOf(profile, "time"), "wide") === "elapsed";
    if (counts && fieldOf(columns, "repeated") !== undefined) {
      complain(["columns", "repeated"], "has no place where columns count the hours (time.wide: elapsed)");
    }
  } else if (fieldOf(columns, "register") === undefined && fieldOf(columns, "usage") === undefined) {
    complain(["columns"], "names no value; give `register`, `usage` or both");
  }
  const {
    delimiter = ",",
    quote = '"',
    decimal = ".",
    thousands = "",
  } = Object(profile) as Record<string, unknown>;
  if (delimiter === quote) complain(["quote"], "is the delimiter too; give another mark");
  if (decimal === thousands) complain(["thousands"], "is the decimal mark too; give another mark");
}

/** The field where it is text, else `undefined`: its own check complains about the rest. */
function textOf(value: unknown, name: string): string | undefined {
  const field = fieldOf(value, name);
  return typeof field === "string" ? field : undefined;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function listOf(value: unknown, name: string): unknown[] {
  const list = fieldOf(value, name);
  return Array.isArray(list) ? list : [];
}

export type Config = z.infer<typeof config>;
/** As written in the file: what has a default may be left out. */
export type ConfigInput = z.input<typeof config>;
