import type { FastifyReply, FastifyRequest } from "fastify";
import { WORDS, type Evidence, type Language } from "../notify/index.js";
import type { UtilityConfig } from "../schemas/config.js";
import { logoOf } from "./logo.js";
import { html, page, type Html, type Page } from "./page.js";

export function plainPage(utility: UtilityConfig, language: Language, title: string, text: string): Page {
  return framed(utility, language, title, html`<p>${text}</p>`);
}

export function framed(utility: UtilityConfig, language: Language, title: string, body: Html): Page {
  return page({
    language,
    title,
    body,
    footer: WORDS[language].page.privacy({ address: utility.mail.privacy }),
    look: { colour: utility.brand.colour, logo: logoOf(utility.brand.logoFile) },
  });
}

export function notFound(reply: FastifyReply, language: Language): FastifyReply {
  const words = WORDS[language].page;
  return send(
    reply,
    404,
    page({ language, title: words.notFound, body: html`<p>${words.notFoundText}</p>` }),
  );
}

export function send(reply: FastifyReply, status: number, { text, policy }: Page): FastifyReply {
  return reply
    .code(status)
    .headers({
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy,
    })
    .send(text);
}

/** Who agreed to something here. */
export function visitorOf(request: FastifyRequest): Evidence {
  const userAgent = request.headers["user-agent"]?.slice(0, 300);
  return { ip: request.ip, ...(userAgent === undefined ? {} : { userAgent }) };
}
