import { GROUND, lookOf } from "../../schemas/look.js";
import type { Language } from "../words/index.js";

/** A message to a resident, apart from how a channel shows it. Texts are plain: channels escape. */
export interface Letter {
  readonly language: Language;
  /** At most 60 characters where the utility's name allows. */
  readonly subject: string;
  readonly heading: string;
  readonly blocks: readonly Block[];
  readonly footer: readonly string[];
  readonly unsubscribe: Link | undefined;
  readonly choices?: Link | undefined;
  /** Of titles, buttons and links (`#rrggbb`); left out: ours. */
  readonly colour?: string | undefined;
}

export interface Link {
  readonly label: string;
  readonly url: string;
}

export type Block =
  | { readonly text: string }
  | { readonly facts: readonly (readonly [label: string, value: string])[] }
  | { readonly title: string; readonly steps: readonly string[] }
  | { readonly title: string; readonly links: readonly Link[] }
  | Bars
  | { readonly button: string; readonly url: string };

/** A small chart: columns from the left, `null` where nothing is known; those from `dark` on stand out. */
interface Bars {
  readonly title: string;
  readonly bars: readonly (number | null)[];
  readonly dark: number;
  /** What it shows, in words: for those who read, or hear, the text alone. */
  readonly caption: string;
}

/** The text part: lines of plain text, every link in full. */
export function letterText({ heading, blocks, footer, choices, unsubscribe }: Letter): string {
  const parts = [heading, ...blocks.map(blockText)];
  const foot = [...footer, ...linksOf(choices, unsubscribe).map(({ label, url }) => `${label}: ${url}`)];
  return `${parts.join("\n\n")}\n\n-- \n${foot.join("\n")}\n`;
}

function linksOf(...links: readonly (Link | undefined)[]): Link[] {
  return links.filter((link) => link !== undefined);
}

function blockText(block: Block): string {
  if ("text" in block) return block.text;
  if ("facts" in block) return block.facts.map(([label, value]) => `${label}: ${value}`).join("\n");
  if ("steps" in block)
    return [block.title, ...block.steps.map((step, index) => `${index + 1}. ${step}`)].join("\n");
  if ("bars" in block) return `${block.title}\n${block.caption}`;
  if ("links" in block)
    return [block.title, ...block.links.map(({ label, url }) => `${label}:\n${url}`)].join("\n");
  return `${block.button}:\n${block.url}`;
}

const FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const TEXT = `${FONT};font-size:16px;line-height:1.5;color:#1b2733`;
const SMALL = `${FONT};font-size:13px;line-height:1.5;color:#4d5b68`;

/** The HTML part: one column that a phone shows without zoom, styles inline, nothing fetched from elsewhere. */
export function letterHtml({
  language,
  subject,
  heading,
  blocks,
  footer,
  choices,
  unsubscribe,
  colour,
}: Letter): string {
  const look = lookOf(colour);
  const foot = [
    ...footer.map(escapeHtml),
    ...linksOf(choices, unsubscribe).map(
      ({ label, url }) =>
        `<a href="${escapeHtml(url)}" style="color:${look.accent}">${escapeHtml(label)}</a>`,
    ),
  ];
  return `<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapeHtml(subject)}</title></head>
<body style="margin:0;padding:0;background:${GROUND}">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="background:${GROUND}"><tr><td align="center" style="padding:16px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:560px;background:#ffffff;border-radius:6px"><tr><td style="padding:24px">
<h1 style="${FONT};font-size:22px;line-height:1.3;margin:0 0 16px;color:${look.title}">${escapeHtml(heading)}</h1>
${blocks.map((block) => blockHtml(block, look)).join("\n")}
</td></tr></table>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:560px"><tr><td style="padding:16px 24px;${SMALL}">
${foot.join("<br>\n")}
</td></tr></table>
</td></tr></table>
</body>
</html>
`;
}

function blockHtml(block: Block, look: ReturnType<typeof lookOf>): string {
  if ("text" in block) return `<p style="${TEXT};margin:0 0 16px">${escapeHtml(block.text)}</p>`;
  if ("facts" in block) {
    const rows = block.facts.map(
      ([label, value]) =>
        `<tr><th scope="row" align="left" valign="top" style="${TEXT};font-weight:normal;padding:4px 16px 4px 0;color:#4d5b68">${escapeHtml(label)}</th>` +
        `<td valign="top" style="${TEXT};font-weight:bold;padding:4px 0">${escapeHtml(value)}</td></tr>`,
    );
    return `<table cellpadding="0" cellspacing="0" style="margin:0 0 16px;border-collapse:collapse">${rows.join("")}</table>`;
  }
  if ("steps" in block) {
    const items = block.steps.map((step) => `<li style="margin:0 0 8px">${escapeHtml(step)}</li>`);
    return `<h2 style="${FONT};font-size:17px;margin:0 0 8px;color:${look.title}">${escapeHtml(block.title)}</h2><ol style="${TEXT};margin:0 0 16px;padding-left:24px">${items.join("")}</ol>`;
  }
  if ("links" in block) {
    const links = block.links.map(
      ({ label, url }) =>
        `<p style="margin:0 0 8px"><a href="${escapeHtml(url)}" style="${FONT};font-size:16px;display:inline-block;padding:8px 16px;border:1px solid ${look.accent};border-radius:4px;color:${look.accent};text-decoration:none">${escapeHtml(label)}</a></p>`,
    );
    return `<h2 style="${FONT};font-size:17px;margin:0 0 8px;color:${look.title}">${escapeHtml(block.title)}</h2><div style="margin:0 0 16px">${links.join("")}</div>`;
  }
  if ("bars" in block) return chartHtml(block, look);
  return `<p style="margin:0 0 16px"><a href="${escapeHtml(block.url)}" style="${FONT};font-size:16px;font-weight:bold;display:inline-block;padding:12px 24px;background:${look.accent};color:#ffffff;text-decoration:none;border-radius:4px">${escapeHtml(block.button)}</a></p>`;
}

/** Pixels of the highest column. */
const CHART_HEIGHT = 72;

/** Columns as cells of a table: mail programs show neither scripts nor drawings, and fetch no image unasked. */
function chartHtml({ title, bars, dark, caption }: Bars, look: ReturnType<typeof lookOf>): string {
  const most = Math.max(1, ...bars.map((bar) => bar ?? 0));
  const width = (100 / bars.length).toFixed(2);
  const cells = bars.map((bar, i) => {
    const height = bar === null ? 1 : Math.max(2, Math.round((bar / most) * CHART_HEIGHT));
    const colour = bar === null ? "#c9d3db" : i >= dark ? look.accent : "#8fb3d4";
    return `<td width="${width}%" valign="bottom" style="padding:0 1px 0 0"><div style="height:${height}px;line-height:0;font-size:0;background:${colour}">&nbsp;</div></td>`;
  });
  return (
    `<h2 style="${FONT};font-size:17px;margin:0 0 8px;color:${look.title}">${escapeHtml(title)}</h2>` +
    `<table role="presentation" aria-hidden="true" width="100%" height="${CHART_HEIGHT}" cellpadding="0" cellspacing="0" style="table-layout:fixed;border-bottom:1px solid #4d5b68"><tr>${cells.join("")}</tr></table>` +
    `<p style="${SMALL};margin:4px 0 16px">${escapeHtml(caption)}</p>`
  );
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/** A header's value: one line, whatever came in. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ").trim();
}
