import { createHash } from "node:crypto";

const STYLE = `
body{font:17px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;margin:0;background:#eef2f5;color:#1b2733}
main{max-width:34rem;margin:0 auto;padding:1.5rem 1.25rem;background:#fff;min-height:100vh;box-sizing:border-box}
h1{font-size:1.5rem;line-height:1.25;margin:.5rem 0 1rem;color:#0b3d66}
h2{font-size:1.1rem;margin:1.5rem 0 0}
label,legend{display:block;font-weight:600;margin-top:1rem}
label.tick{font-weight:400;margin-top:.5rem}
fieldset{border:0;padding:0;margin:1rem 0 0}
input[type=text],input[type=email],input[type=tel],input[type=date],input[type=time],select{font:inherit;width:100%;box-sizing:border-box;padding:.5rem;border:1px solid #6b7a88;border-radius:4px;background:#fff;color:#1b2733;font-weight:400}
legend{padding:0}
form>fieldset.by{border-top:1px solid #c9d3db;margin-top:1.5rem;padding-top:.5rem}
.by>legend{font-size:1.1rem;color:#0b3d66;float:left;width:100%;margin:0 0 .25rem}
.by>legend+*{clear:both}
button{font:inherit;font-weight:700;margin-top:1.25rem;padding:.6rem 1.5rem;border:0;border-radius:4px;background:#0b5394;color:#fff}
a{color:#0b5394}
.hint,footer{font-size:.9rem;color:#4d5b68}
.done{border-left:4px solid #1e7b34;padding-left:.75rem}
.wrong{border-left:4px solid #b3261e;padding-left:.75rem;color:#8c1d18}
footer{margin-top:2rem;border-top:1px solid #c9d3db;padding-top:.75rem}
`.trim();

/** Nothing but this page, its own style and forms to ourselves. */
/** Nothing is loaded, embedded or sent. */
export const NOTHING_AT_ALL = [
  "default-src 'none'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "object-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

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
}): string {
  const { language, title, body, footer } = options;
  return html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        ${new Html(`<style>${STYLE}</style>`)}
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${body} ${footer === undefined ? [] : html`<footer>${footer}</footer>`}
        </main>
      </body>
    </html> `.text;
}
