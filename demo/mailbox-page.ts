import { fastify } from "fastify";
import type { ClickHouse } from "../infra/clickhouse/client.js";
import type { Tells } from "./alerts.js";
import { TELLS } from "./alerts.js";
import type { Mail } from "./mailbox.js";
import { UTILITY } from "./settings.js";
import type { Town } from "./town.js";
import { escapeXml, usageChart, type Shade, type UsageBar } from "./usage-chart.js";

export interface MailboxPage {
  readonly url: string;
  /** What is known once the run is over: what each mail tells, and the meter key of each home. */
  describe(tells: ReadonlyMap<number, Tells>, meterOf: ReadonlyMap<number, string>): void;
  close(): Promise<void>;
}

const HOUR = 3600;
const AROUND = 3 * 24 * HOUR;

/**
 * A page with the mails, and one for each home that got some: its usage as an analyst reads it from ClickHouse. Listens
 * on a free port of the loopback address.
 */
export async function openMailboxPage(options: {
  readonly town: Town;
  readonly mails: readonly Mail[];
  readonly analyst: ClickHouse;
}): Promise<MailboxPage> {
  const { town, mails, analyst } = options;
  const homeOf = new Map(town.homes.map(({ email, number }) => [email, number]));
  let tells: ReadonlyMap<number, Tells> = new Map();
  let meterOf: ReadonlyMap<number, string> = new Map();
  const server = fastify({ logger: false, forceCloseConnections: true });
  server.addHook("onRequest", async (_request, reply) => {
    reply.header("Cache-Control", "no-store").header("X-Content-Type-Options", "nosniff");
    reply.header("Content-Security-Policy", PAGE_POLICY).header("Referrer-Policy", "no-referrer");
    reply.type("text/html; charset=utf-8");
  });

  const row = (mail: Mail) => {
    const home = homeOf.get(mail.to) ?? 0;
    const told = tells.get(mail.number);
    return `<tr>
      <td class="when">${moment(town, Math.floor(mail.at / 1000))}</td>
      <td><a href="/homes/${home}">Home ${home}</a></td>
      <td><a href="/mails/${mail.number}">${escapeXml(mail.subject)}</a></td>
      <td>${told === undefined ? "" : `<span class="tag ${TAG_CLASS[told]}">${told}</span>`}</td>
    </tr>`;
  };
  const list = (some: readonly Mail[]) =>
    some.length === 0
      ? "<p>No mail yet.</p>"
      : `<table><thead><tr><th>Delivered</th><th>To</th><th>Subject</th><th></th></tr></thead>
         <tbody>${[...some].reverse().map(row).join("\n")}</tbody></table>`;

  server.get("/", async () =>
    page(
      "Mailbox",
      `<h1>Mailbox</h1><p class="lead">${mails.length} mails to residents of ${town.homes.length} homes. A home leads to its usage.</p>${list(mails)}`,
    ),
  );

  server.get<{ Params: { number: string } }>("/mails/:number", async ({ params }, reply) => {
    const mail = mails[Number(params.number) - 1];
    if (mail === undefined) return reply.code(404).send(page("No such mail", "<h1>No such mail</h1>"));
    const home = homeOf.get(mail.to) ?? 0;
    return page(
      mail.subject,
      `<h1>${escapeXml(mail.subject)}</h1>
       <dl><dt>From</dt><dd>${escapeXml(mail.from)}</dd><dt>To</dt><dd>${escapeXml(mail.to)} · <a href="/homes/${home}">home ${home}</a></dd>
       <dt>Delivered</dt><dd>${moment(town, Math.floor(mail.at / 1000))}</dd></dl>
       <iframe title="The mail" sandbox="allow-popups allow-popups-to-escape-sandbox" src="/mails/${mail.number}/body"></iframe>
       <details><summary>Text part</summary><pre>${escapeXml(mail.text)}</pre></details>`,
    );
  });

  server.get<{ Params: { number: string } }>("/mails/:number/body", async ({ params }, reply) => {
    reply.header("Content-Security-Policy", BODY_POLICY);
    const { html = "" } = mails[Number(params.number) - 1] ?? {};
    return html.replace("<head>", '<head><base target="_blank">');
  });

  server.get<{ Params: { number: string } }>("/homes/:number", async ({ params }, reply) => {
    const home = town.homes[Number(params.number) - 1];
    if (home === undefined) return reply.code(404).send(page("No such home", "<h1>No such home</h1>"));
    const title = `Home ${home.number}`;
    const own = mails.filter(({ to }) => to === home.email);
    const meter = meterOf.get(home.number);
    const charts =
      meter === undefined
        ? "<p>The charts come once all files are in.</p>"
        : await chartsOf(town, analyst, meter);
    const story = home.negative === undefined ? "" : `<p class="lead">${escapeXml(home.negative)}</p>`;
    return page(title, `<h1>${title}</h1>${story}${charts}<h2>Mails</h2>${list(own)}`);
  });

  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  return {
    url,
    describe(knownTells, knownMeters) {
      tells = knownTells;
      meterOf = knownMeters;
    },
    close: () => server.close(),
  };
}

const TAG_CLASS: Readonly<Record<Tells, string>> = {
  [TELLS.confirmation]: "plain",
  [TELLS.leak]: "bad",
  [TELLS.leakOver]: "warn",
  [TELLS.reminder]: "bad",
  [TELLS.stopped]: "good",
  [TELLS.highUsage]: "warn",
  [TELLS.correction]: "plain",
};

/** The whole period, then each anomaly with some days around it. */
async function chartsOf(town: Town, analyst: ClickHouse, meter: string): Promise<string> {
  const parameters = { utility: UTILITY, meter };
  const usage = await analyst.query<{ start: number; length: number; gallons: number; estimated: boolean }>(
    `SELECT toUnixTimestamp(start) AS start, length, litres / 3.785411784 AS gallons, estimated
     FROM curbstop.usage WHERE utility = {utility:String} AND meter = reinterpretAsUInt64(reverse(unhex({meter:String})))
     ORDER BY start`,
    parameters,
  );
  const anomalies = await analyst.query<{
    rule: string;
    state: string;
    start: number;
    end: number;
    rate: number;
    gallons: number;
  }>(
    `SELECT rule, state, toUnixTimestamp(start) AS start, toUnixTimestamp(end) AS end,
            litres_per_hour / 3.785411784 AS rate, litres / 3.785411784 AS gallons
     FROM curbstop.anomalies_current
     WHERE utility = {utility:String} AND meter = reinterpretAsUInt64(reverse(unhex({meter:String}))) ORDER BY start`,
    parameters,
  );
  if (usage.length === 0) return "<p>No reads.</p>";
  const bars = usage.map(({ start, length, gallons, estimated }): UsageBar => ({
    start,
    end: start + length,
    gallons,
    estimated,
  }));
  const shades = anomalies.map(({ rule, start, end, rate, gallons }): Shade => {
    const spike = rule === "spike";
    const label = spike
      ? `high use: up to ${rate.toFixed(0)} gal/h`
      : `continuous flow: ${rate.toFixed(1)} gal/h, ${gallons.toFixed(0)} gal`;
    return { start, end, label, kind: spike ? "spike" : "leak" };
  });
  const local = (instant: number) => town.zone.offsetAt(instant);
  const whole = `<h2>By day</h2>${chart(byDay(town, bars), shades.map(withoutLabel), local, "Gallons an hour, mean of the day")}`;
  const closer = shades.map((shade) => {
    const near = bars.filter(({ start, end }) => end > shade.start - AROUND && start < shade.end + AROUND);
    const until = anomalies.find(({ start }) => start === shade.start)?.state === "closed";
    const heading = shade.kind === "spike" ? "Unusually high use" : "Continuous flow";
    const when = `${moment(town, shade.start)} to ${until ? moment(town, shade.end) : `${moment(town, shade.end)}, the last read; it goes on`}`;
    return `<h2>${heading}</h2><p>${when}</p>${chart(near, [shade], local, "Gallons in each hour; estimated reads are light")}`;
  });
  return [whole, ...closer].join("\n");
}

const withoutLabel = (shade: Shade): Shade => ({ ...shade, label: "" });

function chart(
  bars: readonly UsageBar[],
  shades: readonly Shade[],
  local: (instant: number) => number,
  caption: string,
): string {
  return `<figure>${usageChart(bars, shades, local)}<figcaption>${caption}</figcaption></figure>`;
}

/** One bar for each local day. */
function byDay(town: Town, bars: readonly UsageBar[]): UsageBar[] {
  const days = new Map<number, number>();
  for (const { start, gallons } of bars) {
    const day = town.zone.dayOf(start);
    days.set(day, (days.get(day) ?? 0) + gallons);
  }
  return [...days].map(([day, gallons]) => {
    const [start] = town.zone.instantsOf(day * 86_400);
    const [end] = town.zone.instantsOf((day + 1) * 86_400);
    return { start: start!, end: end!, gallons, estimated: false };
  });
}

/** Local time in words. */
export function moment(town: Town, instant: number): string {
  const local = new Date((instant + town.zone.offsetAt(instant)) * 1000);
  return local.toLocaleString("en-US", {
    timeZone: "UTC",
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
}

const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'";
const BODY_POLICY =
  "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:";

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeXml(title)} · Curbstop demo</title>
<style>${STYLE}</style>
</head>
<body>
<header><a href="/">Curbstop demo</a><span>Santa Brisa Water, a made-up utility</span></header>
<main>${body}</main>
</body>
</html>
`;
}

const STYLE = `
  :root { --ink: #17242e; --soft: #5a6b78; --line: #dde4ea; --paper: #fff; --back: #f3f6f8; --blue: #1769aa; }
  * { box-sizing: border-box; }
  body { margin: 0; background: var(--back); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
  header { background: #0f3550; color: #cfe0ec; padding: 0.8rem 1.5rem; display: flex; gap: 1rem; align-items: baseline; }
  header a { color: #fff; font-weight: 600; text-decoration: none; }
  header span { font-size: 0.9rem; }
  main { max-width: 64rem; margin: 1.5rem auto; padding: 0 1.5rem 3rem; }
  h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 0.4rem; }
  h2 { font-size: 1.15rem; margin: 2rem 0 0.4rem; }
  p { margin: 0 0 0.6rem; }
  .lead, .when, figcaption, dt { color: var(--soft); }
  a { color: var(--blue); }
  table { width: 100%; border-collapse: collapse; background: var(--paper); border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
  th { text-align: left; font-weight: 600; font-size: 0.85rem; color: var(--soft); background: #f8fafb; }
  th, td { padding: 0.5rem 0.9rem; border-bottom: 1px solid var(--line); }
  tr:last-child td { border-bottom: 0; }
  .when { white-space: nowrap; font-variant-numeric: tabular-nums; }
  .tag { font-size: 0.8rem; padding: 0.1rem 0.55rem; border-radius: 1rem; white-space: nowrap; }
  .tag.plain { background: #e8eef2; color: #3b4c59; }
  .tag.bad { background: #fbe0dd; color: #8f1d14; }
  .tag.warn { background: #fdeccb; color: #7a4b00; }
  .tag.good { background: #d9f0df; color: #14602b; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.1rem 1rem; margin: 0.6rem 0 1rem; }
  dd { margin: 0; }
  iframe { width: 100%; height: 58rem; border: 1px solid var(--line); border-radius: 8px; background: var(--paper); }
  details { margin-top: 1rem; }
  pre { white-space: pre-wrap; background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: 1rem; }
  figure { margin: 0; background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: 0.8rem; }
  figcaption { font-size: 0.85rem; padding-left: 0.5rem; }
  svg { display: block; width: 100%; height: auto; }
  svg .bar { fill: #2b83c4; }
  svg .bar.estimated { fill: #b3d2ea; }
  svg .shade.leak { fill: #f8dedb; }
  svg .shade.spike { fill: #fbe5bd; }
  svg .grid { stroke: #e6ebef; }
  svg .midnight { stroke: #eef2f5; }
  svg .tick { font-size: 12px; fill: #5a6b78; }
  svg .label { font-size: 13px; font-weight: 600; }
  svg .label.leak { fill: #a32a20; }
  svg .label.spike { fill: #7a4b00; }
`;
