import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import {
  describeHome,
  saveHome,
  WORDS,
  type ConsentStores,
  type Home,
  type HomeField,
  type HomeForm,
} from "../notify/index.js";
import { framed, notFound, send } from "./frame.js";
import { html, type Page } from "./page.js";

const number = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number);
const day = z.string().trim().max(10).catch("");
const form = z.object({
  occupancy: number,
  leave: day,
  back: day,
  onPurpose: day,
  budget: z.string().trim().max(12).catch(""),
  normal: z.string().trim().max(12).catch(""),
  ended: z.union([z.array(number), number.transform((one) => [one])]).catch([]),
});

type ByToken = FastifyRequest<{ Params: { token: string } }>;

/**
 * The page on which residents tell of their home: nobody there, water on purpose, what is normal. The link is the proof: it
 * went to their address. GET never changes anything.
 */
export function addHomePages(server: FastifyInstance, stores: ConsentStores): void {
  server.get("/home/:token", async ({ params: { token } }: ByToken, reply) => {
    const home = await describeHome(stores, token);
    return home === undefined ? notFound(reply, "en") : send(reply, 200, homePage(home, token));
  });

  server.post("/home/:token", async (request: ByToken, reply) => {
    const { token } = request.params;
    const filled = form.safeParse(request.body);
    const wrong = filled.success ? await saveHome(stores, token, filled.data) : undefined;
    const home = wrong && (await describeHome(stores, token));
    if (home === undefined) return notFound(reply, "en");
    return wrong!.length > 0
      ? send(reply, 400, homePage(home, token, { filled: filled.data!, wrong: wrong! }))
      : send(reply, 200, homePage(home, token, "saved"));
  });
}

/** @param result of what was sent, where something was */
function homePage(
  { utility, language, services, allowance, days, mostNormal }: Home,
  token: string,
  result?: "saved" | { readonly filled: HomeForm; readonly wrong: readonly HomeField[] },
): Page {
  const words = WORDS[language].page;
  if (services.length === 0)
    return framed(
      utility,
      language,
      words.home,
      html`<p>${words.nothingToChoose}</p>
        <p><a href="/${utility.id}/subscribe?lang=${language}">${words.signUp}</a></p>`,
    );
  const refused = typeof result === "object" ? result : undefined;
  const date = (name: HomeField, label: string, value: string, last: string) =>
    html`<label
      >${label}
      <input
        type="date"
        name="${name}"
        value="${value}"
        min="${name === "leave" ? "" : days.first}"
        max="${last}"
    /></label>`;
  return framed(
    utility,
    language,
    words.home,
    html`${result === "saved" ? html`<p class="done" role="status">${words.saved}</p>` : []}
      ${
        refused === undefined
          ? []
          : html`<div class="wrong" role="alert">
              <p>${words.wrong}</p>
              <ul>
                ${refused.wrong.map((field) => html`<li>${words.homeWrong[field]}</li>`)}
              </ul>
            </div>`
      }
      <p>${words.homeText}</p>
      ${services.map(({ occupancy, ending, away, onPurpose, budget, normal, takesNormal }) => {
        const typed = refused?.filled.occupancy === occupancy ? refused.filled : undefined;
        const value = (field: HomeField, stands: string | undefined) => typed?.[field] ?? stands ?? "";
        return html`<form method="post">
          <h2>${words.service({ ending: ending ?? "none" })}</h2>
          <input type="hidden" name="occupancy" value="${String(occupancy)}" />
          ${
            allowance === undefined
              ? []
              : html`<fieldset>
                  <legend>${words.away}</legend>
                  <p class="hint">${words.awayText({ allowance })}</p>
                  ${date("leave", words.leave, value("leave", away?.leave), days.lastAway)}
                  ${date("back", words.back, value("back", away?.back), days.lastAway)}
                </fieldset>`
          }
          <fieldset>
            <legend>${words.onPurpose}</legend>
            <p class="hint">${words.onPurposeText}</p>
            ${date("onPurpose", words.onPurposeLast, value("onPurpose", onPurpose), days.lastOnPurpose)}
          </fieldset>
          ${
            budget === undefined
              ? []
              : html`<fieldset>
                  <legend>${words.budget}</legend>
                  <p class="hint">${words.budgetText}</p>
                  <label
                    >${words.budgetLabel({ unit: words.unit[utility.units] })}
                    <input type="text" inputmode="decimal" name="budget" value="${value("budget", budget)}"
                  /></label>
                </fieldset>`
          }
          ${
            normal.length === 0 && !takesNormal
              ? []
              : html`<fieldset>
                  <legend>${words.normal}</legend>
                  ${normal.map(
                    ({ declaration, flow }) =>
                      html`<label class="tick"
                        ><input type="checkbox" name="ended" value="${String(declaration)}" />
                        ${words.normalFlow({ flow })}</label
                      >`,
                  )}
                  ${
                    takesNormal
                      ? html`<p class="hint">${words.normalText({ most: mostNormal })}</p>
                          <label
                            >${words.normalLabel({ unit: words.unit[utility.units] })}
                            <input
                              type="text"
                              inputmode="decimal"
                              name="normal"
                              value="${value("normal", undefined)}"
                          /></label>`
                      : []
                  }
                </fieldset>`
          }
          <button type="submit">${words.save}</button>
        </form>`;
      })}
      <p><a href="/choices/${token}">${words.choices({ utility: utility.name })}</a></p>`,
  );
}
