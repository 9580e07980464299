import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { letterHtml, letterText, sampleCalls, sampleLetters, sampleTexts } from "../../notify/index.js";
import { pagesUrl } from "../../schemas/config.js";
import { html, page } from "../../web/page.js";
import { chosenUtility, settingsFor } from "../settings.js";

interface PreviewOptions {
  readonly utility?: string;
  readonly json?: boolean;
}

/** `preview`: every message that residents may get, to be read before the first goes out. */
export function addTo(root: Command): void {
  root
    .command("preview")
    .summary("every message that residents may get, as files")
    .description(
      "Writes each mail (HTML and text), each text message and what is said in each call, in every language of a utility, with made-up values and the " +
        "utility's own name, units and addresses, and an index.html that shows all of them. Nothing is sent.",
    )
    .argument("[folder]", "where to write; files of these names are replaced", "preview")
    .option("-u, --utility <id>", "utility whose messages are shown, where several are configured")
    .option("--json", "one JSON array instead of files")
    .action((folder: string, { utility: id, json = false }: PreviewOptions, command: Command) => {
      const settings = settingsFor(command);
      const utility = chosenUtility(settings, id);
      // The last reading in them: this hour.
      const end = Math.floor(Date.now() / 3_600_000) * 3600;
      const mails = sampleLetters(utility, pagesUrl(settings.config, utility), end).map(
        ({ letter, ...sample }) => ({
          ...sample,
          subject: letter.subject,
          html: letterHtml(letter),
          text: letterText(letter),
        }),
      );
      const texts = sampleTexts(utility, pagesUrl(settings.config, utility), end);
      const calls = sampleCalls(utility, end);
      if (json) {
        process.stdout.write(JSON.stringify({ mails, texts, calls }) + "\n");
        return;
      }
      for (const language of utility.languages) mkdirSync(join(folder, language), { recursive: true });
      for (const { language, name, html, text } of mails) {
        writeFileSync(join(folder, language, `${name}.html`), html);
        writeFileSync(join(folder, language, `${name}.txt`), text);
      }
      for (const { language, name, text } of texts)
        writeFileSync(join(folder, language, `${name}.sms.txt`), text + "\n");
      for (const { language, name, text } of calls)
        writeFileSync(join(folder, language, `${name}.call.txt`), text + "\n");
      writeFileSync(join(folder, "index.html"), indexPage(utility.name, mails, texts, calls));
      process.stdout.write(
        `Wrote ${mails.length} mails, ${texts.length} text messages and ${calls.length} calls. Open ${join(folder, "index.html")}\n`,
      );
    });
}

interface Shown {
  readonly language: string;
  readonly name: string;
}

function indexPage(
  utility: string,
  mails: readonly (Shown & { readonly subject: string; readonly text: string })[],
  texts: readonly (Shown & { readonly text: string })[],
  calls: readonly (Shown & { readonly text: string })[],
): string {
  const listed = (all: typeof texts) =>
    html`<dl>
      ${all.map(
        ({ language, name, text }) =>
          html`<dt class="hint">${language} · ${name}</dt>
            <dd lang="${language}">${text}</dd>`,
      )}
    </dl>`;
  return page({
    language: "en",
    title: `Messages of ${utility}`,
    body: html`${mails.map(
        ({ language, name, subject, text }) =>
          html`<h2 lang="${language}">${subject}</h2>
            <p class="hint">${language} · ${name} · <a href="${language}/${name}.html">alone</a></p>
            <iframe title="${name}" src="${language}/${name}.html" width="100%" height="700"></iframe>
            <details>
              <summary>as plain text</summary>
              <pre style="white-space:pre-wrap">${text}</pre>
            </details>`,
      )}
      <h2>Text messages</h2>
      ${listed(texts)}
      <h2>Calls</h2>
      ${listed(calls)}`,
  }).text;
}
