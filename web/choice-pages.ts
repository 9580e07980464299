import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import {
  answerAlert,
  CONSENT_KINDS,
  consentText,
  describeAnswer,
  describeChoices,
  eraseByLink,
  saveChoices,
  type Answer,
  type AnswerableAlert,
  type Choice,
  type Choices,
  type ConsentStores,
  WORDS,
  type Language,
} from "../notify/index.js";
import { UNITS } from "../schemas/config.js";
import { framed, notFound, plainPage, send, visitorOf } from "./frame.js";
import { html, type Page } from "./page.js";

const several = z.union([z.array(z.string()), z.string().transform((one) => [one])]).catch([]);
const word = z.string().trim().max(20).catch("");
const zone = z.string().trim().max(64).catch("");
const choicesForm = z
  .object({
    shown: several,
    on: several,
    language: word,
    units: word,
    from: word,
    until: word,
    timeZone: zone,
  })
  .catch({ shown: [], on: [], language: "", units: "", from: "", until: "", timeZone: "" });
const answerForm = z.object({ answer: z.enum(["1", "2", "3", "4"]) });

/** Zones in which somebody may live who gets alerts of a home elsewhere. */
const ZONES = Intl.supportedValuesOf("timeZone");

type ByToken = FastifyRequest<{ Params: { token: string } }>;

/**
 * Pages behind links of alerts: what a resident is told, and what they say of an alert. The link is the proof: it went to
 * their address. GET never changes anything.
 */
export function addChoicePages(server: FastifyInstance, stores: ConsentStores): void {
  server.get("/choices/:token", async ({ params: { token } }: ByToken, reply) => {
    const choices = await describeChoices(stores, token);
    return choices === undefined ? notFound(reply, "en") : send(reply, 200, choicesPage(choices, token));
  });

  server.post("/choices/:token", async (request: ByToken, reply) => {
    const { token } = request.params;
    const { shown, on, language, ...rest } = choicesForm.parse(request.body);
    const wanted = { ...rest, shown: boxesOf(shown), ticked: boxesOf(on), language: language as Language };
    const saved = await saveChoices(stores, token, wanted, visitorOf(request));
    const choices = saved === false ? undefined : await describeChoices(stores, token);
    if (choices === undefined) return notFound(reply, "en");
    return saved === "hours"
      ? send(reply, 400, choicesPage(choices, token, rest))
      : send(reply, 200, choicesPage(choices, token, "saved"));
  });

  server.get("/erase/:token", async ({ params: { token } }: ByToken, reply) => {
    const choices = await describeChoices(stores, token);
    return choices === undefined ? notFound(reply, "en") : send(reply, 200, erasePage(choices));
  });

  server.post("/erase/:token", async ({ params: { token } }: ByToken, reply) => {
    const erased = await eraseByLink(stores, token);
    if (erased === undefined) return notFound(reply, "en");
    const { utility, language } = erased;
    const words = WORDS[language].page;
    const { receipt, erasedAt, dueAt } = erased.erasure;
    if (erasedAt !== null)
      return send(reply, 200, plainPage(utility, language, words.erased, words.erasedText({ receipt })));
    const due = dueAt.toLocaleDateString(language, { dateStyle: "long", timeZone: utility.timeZone });
    return send(
      reply,
      200,
      plainPage(utility, language, words.eraseHeld, words.eraseHeldText({ receipt, due })),
    );
  });

  server.get("/answer/:token", async (request: ByToken, reply) => {
    const alert = await describeAnswer(stores, request.params.token);
    if (alert === undefined) return notFound(reply, "en");
    if (alert.state !== "open") return send(reply, 200, closedPage(alert));
    const asked = answerForm.safeParse(request.query).data?.answer;
    return send(reply, 200, answerPage(alert, asked === undefined ? undefined : (Number(asked) as Answer)));
  });

  server.post("/answer/:token", async (request: ByToken, reply) => {
    const { token } = request.params;
    const alert = await describeAnswer(stores, token);
    if (alert === undefined) return notFound(reply, "en");
    const given = answerForm.safeParse(request.body).data?.answer;
    if (given === undefined) return send(reply, 400, answerPage(alert, undefined));
    const answer = Number(given) as Answer;
    if (!alert.answers.includes(answer)) return send(reply, 400, answerPage(alert, undefined));
    if ((await answerAlert(stores, token, answer)) === undefined) return send(reply, 200, closedPage(alert));
    const { utility, language, normal } = alert;
    const words = WORDS[language].page;
    const text = answer === 4 ? words.answeredNormal({ flow: normal! }) : words.answeredText[answer];
    return send(reply, 200, plainPage(utility, language, words.answered, text));
  });
}

/** Boxes by their names, such as `17:leak`; names that are none are passed over. */
function boxesOf(names: readonly string[]): Choice[] {
  return names.flatMap((name) => {
    const [, occupancy, kind] = /^(\d{1,15}):(.+)$/.exec(name) ?? [];
    const known = CONSENT_KINDS.find((one) => one === kind);
    return known === undefined ? [] : [{ occupancy: Number(occupancy), kind: known }];
  });
}

/**
 * @param token of the page itself, and of the one that erases
 * @param result of what was sent, where something was: saved, or the hours that can't be
 */
function choicesPage(
  choices: Choices,
  token: string,
  result?: "saved" | { readonly from: string; readonly until: string; readonly timeZone: string },
): Page {
  const { utility, language, channel, address, services, offered, unsubscribe } = choices;
  const words = WORDS[language].page;
  const title = words.choices({ utility: utility.name });
  const erase = html`<p><a href="/erase/${token}">${words.erase}</a></p>`;
  if (services.length === 0)
    return framed(
      utility,
      language,
      title,
      html`<p>${words.nothingToChoose}</p>
        <p><a href="/${utility.id}/subscribe?lang=${language}">${words.signUp}</a></p>
        ${erase}`,
    );
  const tick = (name: string, on: boolean, label: string) => {
    const input = on
      ? html`<input type="checkbox" name="on" value="${name}" checked />`
      : html`<input type="checkbox" name="on" value="${name}" />`;
    return html`<input type="hidden" name="shown" value="${name}" />
      <label class="tick">${input} ${label}</label>`;
  };
  const radio = (name: string, value: string, on: boolean, label: string, lang = language) => {
    const input = on
      ? html`<input type="radio" name="${name}" value="${value}" checked />`
      : html`<input type="radio" name="${name}" value="${value}" />`;
    return html`<label class="tick" lang="${lang}">${input} ${label}</label>`;
  };
  const languages = utility.languages.map((one) =>
    radio("language", one, one === language, WORDS[one].name, one),
  );
  const { sendFrom, sendUntil } = utility.alerts;
  const refused = typeof result === "object" ? result : undefined;
  const hours = refused ?? choices.hours;
  const timeZone = refused?.timeZone ?? choices.timeZone ?? "";
  const option = (value: string, on: boolean, label: string) =>
    on
      ? html`<option value="${value}" selected>${label}</option>`
      : html`<option value="${value}">${label}</option>`;
  return framed(
    utility,
    language,
    title,
    html`${result === "saved" ? html`<p class="done" role="status">${words.saved}</p>` : []}
      ${refused === undefined ? [] : html`<p class="wrong" role="alert">${words.wrongHours({ from: sendFrom, until: sendUntil })}</p>`}
      <p>${words.choicesText({ address })}</p>
      <form method="post">
        ${services.map(
          ({ occupancy, ending, kinds }) =>
            html`<fieldset>
              <legend>${words.service({ ending: ending ?? "none" })}</legend>
              ${offered.map((kind) => tick(`${occupancy}:${kind}`, kinds.has(kind), words.kind[kind]))}
            </fieldset>`,
        )}
        ${
          languages.length > 1
            ? html`<fieldset>
                <legend>${words.language}</legend>
                ${languages}
              </fieldset>`
            : html`<input type="hidden" name="language" value="${language}" />`
        }
        <fieldset>
          <legend>${words.units}</legend>
          ${UNITS.map((unit) => radio("units", unit, unit === choices.units, words.unit[unit]))}
        </fieldset>
        <fieldset>
          <legend>${words.hours}</legend>
          <p class="hint">${words.hoursText({ from: sendFrom, until: sendUntil })}</p>
          <label>${words.hoursFrom} <input type="time" name="from" value="${hours?.from ?? ""}" /></label>
          <label>${words.hoursUntil} <input type="time" name="until" value="${hours?.until ?? ""}" /></label>
          <label
            >${words.timeZone}
            <select name="timeZone">
              ${option("", timeZone === "", words.timeZoneSame)}
              ${ZONES.map((one) => option(one, one === timeZone, one))}
            </select></label
          >
        </fieldset>
        <p class="hint">${consentText(utility, language, channel)}</p>
        <button type="submit">${words.save}</button>
      </form>
      <p><a href="/home/${token}">${words.home}</a></p>
      <p><a href="/unsubscribe/${unsubscribe}">${words.unsubscribeButton}</a></p>
      ${erase}`,
  );
}

function erasePage({ utility, language, address }: Choices): Page {
  const words = WORDS[language].page;
  return framed(
    utility,
    language,
    words.erase,
    html`<p>${words.eraseText({ address })}</p>
      <p>${words.eraseKept}</p>
      <form method="post"><button type="submit">${words.eraseButton}</button></form>`,
  );
}

function answerPage({ utility, language, answers }: AnswerableAlert, asked: Answer | undefined): Page {
  const words = WORDS[language].page;
  const options = answers.map((answer) => {
    const input =
      answer === asked
        ? html`<input type="radio" name="answer" value="${String(answer)}" required checked />`
        : html`<input type="radio" name="answer" value="${String(answer)}" required />`;
    return html`<label class="tick">${input} ${WORDS[language].answers[answer]}</label>`;
  });
  return framed(
    utility,
    language,
    words.answerTitle,
    html`<form method="post" action="?">
      <fieldset>
        <legend>${words.answerText}</legend>
        ${options}
      </fieldset>
      <button type="submit">${words.answerButton}</button>
    </form>`,
  );
}

function closedPage({ utility, language, state }: AnswerableAlert): Page {
  const words = WORDS[language].page;
  return plainPage(
    utility,
    language,
    words.answerTitle,
    state === "over" ? words.answerOver : words.answerOld,
  );
}
