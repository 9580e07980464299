import { createHash } from "node:crypto";
import { GROUND, lookOf } from "../schemas/look.js";

/** @param colour of titles, links and buttons */
const styleOf = ({ title, accent }: ReturnType<typeof lookOf>) =>
  `
body{font:17px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;margin:0;background:${GROUND};color:#1b2733}
main{max-width:34rem;margin:0 auto;padding:1.5rem 1.25rem;background:#fff;min-height:100vh;box-sizing:border-box}
h1{font-size:1.5rem;line-height:1.25;margin:.5rem 0 1rem;color:${title}}
h2{font-size:1.1rem;margin:1.5rem 0 0}
label,legend{display:block;font-weight:600;margin-top:1rem}
label.tick{font-weight:400;margin-top:.5rem}
fieldset{border:0;padding:0;margin:1rem 0 0}
input[type=text],input[type=email],input[type=tel],input[type=date],input[type=time],select{font:inherit;width:100%;box-sizing:border-box;padding:.5rem;border:1px solid #6b7a88;border-radius:4px;background:#fff;color:#1b2733;font-weight:400}
legend{padding:0}
form>fieldset.by{border-top:1px solid #c9d3db;margin-top:1.5rem;padding-top:.5rem}
.by>legend{font-size:1.1rem;color:${title};float:left;width:100%;margin:0 0 .25rem}
.by>legend+*{clear:both}
button{font:inherit;font-weight:700;margin-top:1.25rem;padding:.6rem 1.5rem;border:0;border-radius:4px;background:${accent};color:#fff}
a{color:${accent}}
.hint,footer{font-size:.9rem;color:#4d5b68}
.done{border-left:4px solid #1e7b34;padding-left:.75rem}
.wrong{border-left:4px solid #b3261e;padding-left:.75rem;color:#8c1d18}
img.logo{display:block;max-width:100%;max-height:5rem}
footer{margin-top:2rem;border-top:1px solid #c9d3db;padding-top:.75rem}
`.trim();

/** Nothing is loaded, embedded or sent. */
export const NOTHING_AT_ALL = [
  "default-src 'none'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Nothing but this page, its own style and logo, and forms to ourselves. */
function policyOf(style: string, hasLogo: boolean): string {
  return [
    "default-src 'none'",
    "object-src 'none'",
    `style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'`,
    ...(hasLogo ? ["img-src data:"] : []),
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/** How a utility's pages look. */
export interface Look {
  readonly colour?: string | undefined;
  /** A `data:` URL of an image. */
  readonly logo?: string | undefined;
}

/** A page as it is sent, and what a browser may do with it (Content-Security-Policy). */
export interface Page {
  readonly text: string;
  readonly policy: string;
}

/** HTML that needs no more escaping. */
export class Html {
  constructor(readonly text: string) {}
}

/** Template of HTML: what is put in is escaped, save other HTML and lists of it. */
export function html(
  strings: TemplateStringsArray,
  ...values: readonly (string | Html | readonly Html[])[]
): Html {
  let text = strings[0]!;
  for (const [index, value] of values.entries()) {
    text +=
      (typeof value === "string"
        ? escape(value)
        : value instanceof Html
          ? value.text
          : value.map((part) => part.text).join("")) + strings[index + 1]!;
  }
  return new Html(text);
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/** A whole page. Works without scripts and cookies. */
export function page(options: {
  readonly language: string;
  readonly title: string;
  readonly body: Html;
  readonly footer?: string;
  readonly look?: Look;
}): Page {
  const { language, title, body, footer, look = {} } = options;
  const { colour, logo } = look;
  const style = styleOf(lookOf(colour));
  const { text } = html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        ${new Html(`<style>${style}</style>`)}
      </head>
      <body>
        <main>
          ${logo === undefined ? [] : html`<img class="logo" src="${logo}" alt="" />`}
          <h1>${title}</h1>
          ${body} ${footer === undefined ? [] : html`<footer>${footer}</footer>`}
        </main>
      </body>
    </html> `;
  return { text, policy: policyOf(style, logo !== undefined) };
}
