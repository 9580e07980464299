import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import {
  confirmSubscription,
  consentText,
  describeConfirmation,
  describeUnsubscribe,
  requestSubscription,
  SubscriptionInvalid,
  unsubscribe,
  type ConsentStores,
  WORDS,
  type Language,
  CONSENT_KINDS,
  offered,
  type ConsentChannel,
  type KindsByChannel,
  type Unsubscription,
} from "../notify/index.js";
import { canonicalEmail } from "../schemas/canonical.js";
import type { UtilityConfig } from "../schemas/config.js";
import { framed, notFound, plainPage, send, visitorOf } from "./frame.js";
import { html, type Html, type Page } from "./page.js";
import { RateLimit } from "./rate-limit.js";

/** A sign-up is answered after this time at the earliest: how long the look-up took says nothing. */
const ANSWER_AFTER_MS = 200;
const HOUR_MS = 3_600_000;
const MOST_BY_VISITOR = 20;
const MOST_BY_ADDRESS = 5;

const field = z.string().max(300).catch("");
const form = z
  .object({
    account: field,
    zip: field,
    email: field,
    phone: field,
    call: field,
    /** Boxes that are ticked, such as `email:leak`. */
    kinds: z.union([z.array(z.string()), z.string().transform((one) => [one])]).catch([]),
    language: field,
  })
  .catch({ account: "", zip: "", email: "", phone: "", call: "", kinds: [], language: "" });
type Form = z.infer<typeof form>;

type ByUtility = FastifyRequest<{ Params: { utility: string } }>;
type ByToken = FastifyRequest<{ Params: { token: string } }>;

/** Sign-up, confirmation and unsubscribe pages. GET never changes anything: mail scanners follow links. */
export function addResidentPages(server: FastifyInstance, stores: ConsentStores): void {
  const { config, clock, vault } = stores;
  const byVisitor = new RateLimit({ clock, most: MOST_BY_VISITOR, windowMs: HOUR_MS });
  const byAddress = new RateLimit({ clock, most: MOST_BY_ADDRESS, windowMs: HOUR_MS });
  const utilityOf = (id: string) => config.utilities.find((utility) => utility.id === id);

  server.get("/:utility/subscribe", async (request: ByUtility, reply) => {
    const utility = utilityOf(request.params.utility);
    if (utility === undefined) return notFound(reply, "en");
    const language = languageOf(request, utility);
    if (!utility.alerts.live) return notOpen(reply, utility, language);
    return send(reply, 200, subscribePage(utility, language));
  });

  server.post("/:utility/subscribe", async (request: ByUtility, reply) => {
    const utility = utilityOf(request.params.utility);
    if (utility === undefined) return notFound(reply, "en");
    const given = form.parse(request.body);
    const language = utility.languages.find((one) => one === given.language) ?? languageOf(request, utility);
    if (!utility.alerts.live) return notOpen(reply, utility, language);
    const words = WORDS[language].page;
    const to = vault
      .hash(
        utility.id,
        "sign-up",
        `${canonicalEmail(given.email)} ${`${given.phone} ${given.call}`.replace(/\D/g, "")}`,
      )
      .toString("base64");
    if (!byVisitor.take(request.ip) || !byAddress.take(to)) {
      return send(
        reply,
        429,
        plainPage(utility, language, words.subscribe({ utility: utility.name }), words.tooMany),
      );
    }
    const earliest = sleep(ANSWER_AFTER_MS);
    try {
      const { account, zip } = given;
      await requestSubscription(stores, {
        utility: utility.id,
        account,
        zip,
        email: given.email,
        phone: utility.sms === undefined ? "" : given.phone,
        call: utility.voice === undefined ? "" : given.call,
        kinds: kindsOf(given),
        language,
        method: "web",
      });
    } catch (error) {
      if (!(error instanceof SubscriptionInvalid)) throw error;
      return send(reply, 400, subscribePage(utility, language, given, error.fields));
    }
    await earliest;
    const asked = [
      given.phone.trim() === "" ? words.askedText : words.askedTextSms({ from: textsFrom(utility) }),
      ...(given.call.trim() === "" ? [] : [words.askedTextCall]),
    ].join(" ");
    return send(reply, 200, plainPage(utility, language, words.asked, asked));
  });

  server.get("/confirm/:token", async ({ params: { token } }: ByToken, reply) => {
    const found = await describeConfirmation(stores, token);
    if (found === undefined) return notFound(reply, "en");
    const { utility, language, kinds, state } = found;
    const words = WORDS[language].page;
    if (state !== "open") return send(reply, 200, closedPage(utility, language, state));
    const text = words.confirmText({
      utility: utility.name,
      kinds: kinds.map((kind) => words.kind[kind]).join(", "),
    });
    return send(
      reply,
      200,
      framed(
        utility,
        language,
        words.confirm,
        html`<p>${text}</p>
          <form method="post"><button type="submit">${words.confirmButton}</button></form>
          <p class="hint">${consentText(utility, language, "email")}</p>`,
      ),
    );
  });

  server.post("/confirm/:token", async (request: ByToken, reply) => {
    const { token } = request.params;
    const found = await describeConfirmation(stores, token);
    if (found === undefined) return notFound(reply, "en");
    const { utility, language, state } = found;
    const words = WORDS[language].page;
    const confirmed = await confirmSubscription(stores, token, visitorOf(request));
    if (!confirmed) {
      return send(reply, 200, closedPage(utility, language, state === "confirmed" ? state : "expired"));
    }
    return send(reply, 200, plainPage(utility, language, words.confirmed, words.confirmedText));
  });

  server.get("/unsubscribe/:token", async ({ params: { token } }: ByToken, reply) => {
    const found = await describeUnsubscribe(stores, token);
    if (found === undefined) return notFound(reply, "en");
    const { utility, language, state, mailing } = found;
    if (state === "done") return send(reply, 200, unsubscribedPage(found));
    const words = WORDS[language].page;
    const what = mailing === null ? undefined : WORDS[language].mail.kinds[mailing];
    return send(
      reply,
      200,
      framed(
        utility,
        language,
        what === undefined ? words.unsubscribe : words.leaveMailing({ what }),
        html`<p>
            ${what === undefined ? words.unsubscribeText({ utility: utility.name }) : words.leaveMailingText({ utility: utility.name })}
          </p>
          <form method="post">
            <button type="submit">
              ${what === undefined ? words.unsubscribeButton : words.leaveMailing({ what })}
            </button>
          </form>`,
      ),
    );
  });

  // Also what a mail program posts by itself (RFC 8058): no cookie, no redirect, any form of body.
  server.post("/unsubscribe/:token", async ({ params: { token } }: ByToken, reply) => {
    const found = await describeUnsubscribe(stores, token);
    if (found === undefined || !(await unsubscribe(stores, token))) return notFound(reply, "en");
    return send(reply, 200, unsubscribedPage(found));
  });
}

function unsubscribedPage({ utility, language, mailing }: Unsubscription): Page {
  const words = WORDS[language].page;
  return mailing === null
    ? plainPage(utility, language, words.unsubscribed, words.unsubscribedText)
    : plainPage(utility, language, words.mailingLeft, words.mailingLeftText);
}

function subscribePage(
  utility: UtilityConfig,
  language: Language,
  given?: Form,
  wrong: readonly string[] = [],
): Page {
  const words = WORDS[language].page;
  const fields: Readonly<Record<string, string>> = words.field;
  const others = utility.languages.filter((one) => one !== language);
  const boxes = (channel: ConsentChannel) =>
    offered(utility, channel).map((kind) => {
      const box = `${channel}:${kind}`;
      return html`<label class="tick"
        >${
          given?.kinds.includes(box) === true
            ? html`<input type="checkbox" name="kinds" value="${box}" checked />`
            : html`<input type="checkbox" name="kinds" value="${box}" />`
        }
        ${words.kind[kind]}</label
      >`;
    });
  /** An address, what it is told of, and the words that are agreed to. */
  const section = (channel: ConsentChannel, address: Html) =>
    html`<fieldset class="by">
      <legend>${words.by[channel]}</legend>
      ${address}
      <fieldset>
        <legend>${words.kinds}</legend>
        ${boxes(channel)}
      </fieldset>
      <p class="hint">${consentText(utility, language, channel)}</p>
    </fieldset>`;
  const { sms, voice } = utility;
  const email = html`<label for="email">${words.email}</label>
    <input
      id="email"
      type="email"
      name="email"
      ${sms === undefined && voice === undefined ? html`required` : html``}
      maxlength="254"
      autocomplete="email"
      value="${given?.email ?? ""}"
    />`;
  const phone = () => phoneField("phone", words.phone, words.phoneHint, given?.phone);
  const call = () => phoneField("call", words.call, words.callHint, given?.call);
  const complaint =
    wrong.length === 0
      ? []
      : html`<p class="wrong" role="alert">
          ${words.wrong} ${wrong.map((name) => fields[name] ?? name).join(", ")}
        </p>`;
  return framed(
    utility,
    language,
    words.subscribe({ utility: utility.name }),
    html`<p>${utility.sms === undefined ? words.intro : words.introSms}</p>
      ${complaint}
      <form method="post" action="/${utility.id}/subscribe">
        <input type="hidden" name="language" value="${language}" />
        <label for="account">${words.account}</label>
        <input
          id="account"
          type="text"
          name="account"
          required
          maxlength="40"
          autocomplete="off"
          value="${given?.account ?? ""}"
          aria-describedby="account-hint"
        />
        <span id="account-hint" class="hint">${words.accountHint}</span>
        <label for="zip">${words.zip}</label>
        <input
          id="zip"
          type="text"
          name="zip"
          required
          maxlength="12"
          autocomplete="postal-code"
          value="${given?.zip ?? ""}"
        />
        ${section("email", email)} ${sms === undefined ? html`` : section("sms", phone())}
        ${voice === undefined ? html`` : section("voice", call())}
        <button type="submit">${words.send}</button>
      </form>
      ${others.map(
        (other) =>
          html`<p>
            <a href="/${utility.id}/subscribe?lang=${other}" hreflang="${other}" lang="${other}"
              >${WORDS[other].name}</a
            >
          </p>`,
      )}`,
  );
}

/** What was ticked, by channel. */
function kindsOf({ kinds }: Form): KindsByChannel {
  const of = (channel: ConsentChannel) =>
    CONSENT_KINDS.filter((kind) => kinds.includes(`${channel}:${kind}`));
  return { email: of("email"), sms: of("sms"), voice: of("voice") };
}

function phoneField(name: "phone" | "call", label: string, hint: string, given = ""): Html {
  return html`<label for="${name}">${label}</label>
    <input
      id="${name}"
      type="tel"
      name="${name}"
      maxlength="30"
      autocomplete="tel"
      value="${given}"
      aria-describedby="${name}-hint"
    />
    <span id="${name}-hint" class="hint">${hint}</span>`;
}

function closedPage(utility: UtilityConfig, language: Language, state: "confirmed" | "expired"): Page {
  const words = WORDS[language].page;
  return plainPage(utility, language, words.confirm, state === "confirmed" ? words.used : words.expired);
}

function notOpen(reply: FastifyReply, utility: UtilityConfig, language: Language): FastifyReply {
  const words = WORDS[language].page;
  return send(
    reply,
    404,
    plainPage(utility, language, words.subscribe({ utility: utility.name }), words.notOpen),
  );
}

/** Number that texts come from, `none` where the provider picks one. */
function textsFrom({ sms }: UtilityConfig): string {
  return sms !== undefined && /^\+/.test(sms.from) ? sms.from : "none";
}

/** `?lang=`, else the first language of the browser that the utility writes, else the utility's first. */
function languageOf(request: FastifyRequest, { languages }: UtilityConfig): Language {
  const asked = z.object({ lang: z.string() }).safeParse(request.query).data?.lang;
  const wanted = [asked ?? "", ...(request.headers["accept-language"] ?? "").split(",")];
  for (const one of wanted) {
    const known = languages.find((language) => one.trim().toLowerCase().startsWith(language));
    if (known !== undefined) return known;
  }
  return languages[0]!;
}
