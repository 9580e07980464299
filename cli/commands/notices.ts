import { readFile } from "node:fs/promises";
import { userInfo } from "node:os";
import type { Command } from "commander";
import { systemClock } from "../../infra/clock.js";
import { readYaml } from "../../infra/config/yaml.js";
import {
  letterText,
  mailingOf,
  NoticeDiffers,
  sendNotice,
  noticeSchema,
  noticeLetter,
  sentNotices,
  type HomeWithoutMail,
  type Language,
  type NoticeWords,
  type Reach,
  type SentNotice,
  type Notice,
} from "../../notify/index.js";
import type { UtilityConfig } from "../../schemas/config.js";
import { UsageError } from "../exit.js";
import { withPrivateCsv } from "../private-csv.js";
import { chosenUtility, settingsFor } from "../settings.js";
import { minute, table } from "../terminal.js";
import { withStores } from "../with-stores.js";
import { noted } from "./privacy.js";

const EXAMPLE = `
A notice is a file such as

  name: privacy-2027        # small letters, digits, hyphens
  about: privacy            # terms, privacy, account; tips, newsletter, survey
  words:
    en:
      subject: Our privacy policy changes on January 1
      text: |
        From January 1 we keep hourly reads for two years.

        You need not do anything.
      link: https://oakvale.example/privacy
    es:
      ...                   # in each language of the utility`;

interface SendOptions {
  readonly utility?: string;
  readonly yes?: boolean;
  readonly letters?: string;
}

/** `notices`: what is due by law or contract, to whoever signed up. */
export function addTo(root: Command): void {
  const notices = root
    .command("notices")
    .summary("what the utility writes itself: notices that are due to all, tips, newsletters, surveys");
  notices
    .command("send")
    .summary("show a notice and whom it reaches, and with --yes send it")
    .description(
      "About terms, privacy or account it goes by mail to everybody who signed up and still lives there, whatever alerts they want: " +
        "never put anything into it that promotes something. Tips, newsletters and surveys (`mailings`) go to those alone who " +
        "ticked them. Both keep to the hours for alerts and wait behind every alert. Sent again under the same name, " +
        "it goes to those alone who signed up since.",
    )
    .argument("<file>", "YAML file with the notice")
    .option("-u, --utility <id>", "utility, where several are configured")
    .option("--yes", "send it; without this nothing is sent")
    .option("--letters <file>", "CSV to write, for letters to homes that get texts or calls alone; personal")
    .addHelpText("after", EXAMPLE)
    .action(async (file: string, options: SendOptions, command: Command) => {
      const settings = settingsFor(command);
      const utility = chosenUtility(settings, options.utility);
      const notice = await readNotice(file, utility);
      const dry = options.yes !== true;
      const { letters: path } = options;
      const send = (letters?: (homes: readonly HomeWithoutMail[]) => void) =>
        withStores(settings, async (stores) => {
          if (letters !== undefined) await noted(stores, utility, { what: "letters", purpose: "help" });
          const now = new Date(systemClock.now());
          return sendNotice(stores, utility, notice, { by: userInfo().username, now, dry, letters });
        }).catch((error: unknown) => {
          throw error instanceof NoticeDiffers ? new UsageError(`notices: ${error.message}`) : error;
        });
      const reach =
        path === undefined
          ? await send()
          : await withPrivateCsv("notices", path, (write) =>
              send((homes) => {
                const rows = homes.map(({ account, name, address, language }) => [
                  account,
                  name,
                  address,
                  language,
                ]);
                write(["account", "name", "address", "language"], rows);
              }),
            );
      if (dry)
        for (const language of utility.languages)
          process.stdout.write(shown(utility, language, notice.words[language], mailingOf(notice.about)));
      process.stdout.write(reachInWords(reach, { dry, letters: path, live: utility.alerts.live }));
    });
  notices
    .command("list", { isDefault: true })
    .summary("notices that were sent, and what became of their mails")
    .option("-u, --utility <id>", "utility, where several are configured")
    .option("--json", "one JSON array")
    .action(async ({ utility: id, json = false }: { utility?: string; json?: boolean }, command: Command) => {
      const settings = settingsFor(command);
      const utility = chosenUtility(settings, id);
      const all = await withStores(settings, (stores) => sentNotices(stores, utility));
      if (json) process.stdout.write(JSON.stringify(all) + "\n");
      else process.stdout.write(all.length === 0 ? "No notice was sent.\n" : asText(all));
    });
}

/** @throws UsageError with every mistake */
async function readNotice(path: string, utility: UtilityConfig): Promise<Notice> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`notices: ${path}: ${error.code}`);
  });
  const { data, problems } = readYaml(text, path, noticeSchema(utility));
  if (data === undefined)
    throw new UsageError(`notices: the notice is not right:\n  ${problems.join("\n  ")}`);
  return data;
}

function reachInWords(
  { mails, before, homesWithoutMail: homes }: Reach,
  {
    dry,
    letters,
    live,
  }: { readonly dry: boolean; readonly letters: string | undefined; readonly live: boolean },
): string {
  const count = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`;
  const said = before > 0 ? `; it was sent to ${before} before` : "";
  const listed = letters === undefined ? "--letters FILE lists them" : `${letters} lists them`;
  return [
    `${dry ? "Would go" : "Goes"} to ${count(mails, "address", "addresses")}${said}.`,
    ...(homes > 0
      ? [`${count(homes, "home", "homes")} of people who signed up can't be reached by mail: ${listed}.`]
      : []),
    ...(!dry && !live ? ["It waits until alerts.live is true."] : []),
    ...(dry ? ["Nothing was sent. Send it with --yes."] : []),
    "",
  ].join("\n");
}

function shown(
  utility: UtilityConfig,
  language: Language,
  words: NoticeWords,
  mailing: ReturnType<typeof mailingOf>,
): string {
  const letter = noticeLetter({ utility, language, unsubscribeUrl: undefined }, words, mailing ?? null);
  return `--- ${language}\nSubject: ${letter.subject}\n\n${letterText(letter)}\n`;
}

function asText(notices: readonly SentNotice[]): string {
  return table(notices, [
    { title: "notice", value: ({ name }) => name },
    { title: "about", value: ({ about }) => about },
    { title: "sent (UTC)", value: ({ at }) => minute(at) },
    { title: "by", value: ({ by }) => by },
    {
      title: "mails",
      value: ({ mails }) =>
        Object.entries(mails)
          .map(([state, n]) => `${n} ${state}`)
          .join(", "),
    },
  ]);
}
