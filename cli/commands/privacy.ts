import { userInfo } from "node:os";
import { join } from "node:path";
import { Option, type Command } from "commander";
import { systemClock } from "../../infra/clock.js";
import type { Stores } from "../../infra/stores.js";
import { noteDisclosure, noteLook, privacyLog, refusalOf, type PrivacyEntry } from "../../notify/index.js";
import { forgetSource, originsOf, type Origin } from "../../ingest/registry/origins.js";
import { Archive } from "../../ingest/pickup/archive.js";
import { recipientsOf } from "../../infra/config/recipients.js";
import { PURPOSES, type Purpose, type UtilityConfig } from "../../schemas/config.js";
import { UsageError } from "../exit.js";
import { chosenUtility, settingsFor } from "../settings.js";
import { minute, table } from "../terminal.js";
import { withStores } from "../with-stores.js";
import { answer } from "./answer.js";

/** What a command that shows personal data is run for. */
export function purposeOption(): Option {
  return new Option("--purpose <why>", "what it is looked at for, kept in the privacy log")
    .choices(PURPOSES)
    .default("help" satisfies Purpose);
}

/** Writes down that a command shows personal data, before it does. */
export function noted(
  stores: Stores,
  utility: UtilityConfig,
  look: { readonly what: string; readonly purpose: Purpose; readonly address?: string },
): Promise<void> {
  return noteLook(stores, utility, { actor: userInfo().username, ...look }, systemClock.now());
}

interface LogOptions {
  readonly contact?: string | true;
  readonly utility?: string;
  readonly from?: string;
  readonly until?: string;
  readonly json?: boolean;
}

interface DiscloseOptions {
  readonly contact?: string | true;
  readonly utility?: string;
  readonly to: string;
  readonly what: string;
  readonly ground: string;
}

/** `privacy`: who looked at residents' data, and what was given to whom. */
export function addTo(root: Command): void {
  const privacy = root
    .command("privacy")
    .summary("who looked at residents' data, and what was given to whom");
  privacy
    .command("log", { isDefault: true })
    .summary("looks at personal data and disclosures, of one address or of the utility")
    .description(
      "With --contact everything about one address: each message that was handed to the mail server or the provider of texts, with the " +
        "consent that it rests on, each look of staff with its purpose, each disclosure. Without it looks and disclosures of all, " +
        "for a review or after a breach.",
    )
    .option("--contact [address]", "e-mail address or phone number; without a value it is asked for")
    .option("-u, --utility <id>", "utility, where several are configured")
    .option("--from <time>", "not before this time (ISO 8601)")
    .option("--until <time>", "before this time")
    .option("--json", "one JSON array")
    .action(async (options: LogOptions, command: Command) => {
      const settings = settingsFor(command);
      const utility = chosenUtility(settings, options.utility);
      const address =
        options.contact === undefined
          ? undefined
          : await answer(options.contact, "E-mail address or phone number");
      const times = { from: timeOf("--from", options.from), until: timeOf("--until", options.until) };
      const entries = await withStores(settings, (stores) =>
        privacyLog(stores, utility, {
          ...(address === undefined ? {} : { address }),
          ...(times.from === undefined ? {} : { from: times.from }),
          ...(times.until === undefined ? {} : { until: times.until }),
        }),
      );
      if (entries === undefined) throw new UsageError("privacy: the utility knows no such address.");
      if (options.json === true) process.stdout.write(JSON.stringify(entries) + "\n");
      else
        process.stdout.write(
          entries.length === 0 ? "Nothing was looked at or given away.\n" : asText(entries),
        );
    });
  privacy
    .command("disclose")
    .summary("write down that a resident's data is given to somebody outside")
    .description(
      "For what leaves by another way than a message: to a court, an auditor, the resident. Write it down before it is given. " +
        "The row is never changed, and is shown with `privacy log --contact`.",
    )
    .option("--contact [address]", "e-mail address or phone number; without a value it is asked for")
    .option("-u, --utility <id>", "utility, where several are configured")
    .requiredOption("--to <whom>", "who gets it")
    .requiredOption("--what <data>", "what they get")
    .requiredOption(
      "--ground <why>",
      'consent, clause of the contract (disclosures in the configuration), or "order" and its number',
    )
    .addOption(purposeOption())
    .action(async (options: DiscloseOptions & { readonly purpose: Purpose }, command: Command) => {
      const settings = settingsFor(command);
      const utility = chosenUtility(settings, options.utility);
      const address = await answer(options.contact, "E-mail address or phone number");
      const { to, what, ground, purpose } = options;
      const refusal = refusalOf(utility, { givenTo: to, purpose, ground });
      if (refusal !== undefined) throw new UsageError(`--ground: ${refusal}.`);
      const disclosure = { actor: userInfo().username, what, purpose, address, givenTo: to, ground };
      const done = await withStores(settings, (stores) =>
        noteDisclosure(stores, utility, disclosure, systemClock.now()),
      );
      if (!done) throw new UsageError("privacy: the utility knows no such address.");
      process.stdout.write("Written down.\n");
    });
  addOriginCommands(privacy);
  privacy
    .command("recipients")
    .summary("who outside gets data of residents, by what is configured")
    .description(
      "A register of those who process data for the utility: providers of messages, servers off this machine, and whom clauses of the " +
        "contract name. Who runs this machine is not in it.",
    )
    .option("-u, --utility <id>", "utility, where several are configured")
    .option("--json", "one JSON array")
    .action(({ utility: id, json = false }: { utility?: string; json?: boolean }, command: Command) => {
      const settings = settingsFor(command);
      const all = recipientsOf(settings.config, chosenUtility(settings, id), settings.environment);
      if (json) process.stdout.write(JSON.stringify(all) + "\n");
      else if (all.length === 0) process.stdout.write("Nobody: all of it stays on this machine.\n");
      else
        process.stdout.write(
          table(all, [
            { title: "who", value: ({ who }) => who },
            { title: "where", value: ({ where }) => where },
            { title: "what they get", value: ({ what }) => what },
          ]),
        );
    });
}

/** Where what is kept of people comes from, and how what one source said is deleted. */
function addOriginCommands(privacy: Command): void {
  privacy
    .command("origins")
    .summary("what is kept of an account, and where each of it comes from")
    .description(
      "For whoever asks what is known of them and from where: each attribute of the account, its homes, meters and residents, " +
        "with the file that said it, its source and licence, or the resident's own word. Values are not shown.",
    )
    .option("--account [number]", "account number; without a value it is asked for")
    .option("-u, --utility <id>", "utility, where several are configured")
    .option("--json", "one JSON array")
    .addOption(purposeOption())
    .action(async (options: OriginOptions, command: Command) => {
      const settings = settingsFor(command);
      const utility = chosenUtility(settings, options.utility);
      const account = await answer(options.account ?? true, "Account number");
      const found = await withStores(settings, async (stores) => {
        await noted(stores, utility, { what: "privacy origins", purpose: options.purpose });
        return originsOf(stores, utility.id, account);
      });
      if (found === undefined) throw new UsageError("privacy: the utility knows no such account.");
      const licences = new Map(utility.sources.map(({ id, licence }) => [id, licence]));
      const all = found.map((one) => ({ ...one, licence: licences.get(one.source ?? "") ?? null }));
      if (options.json === true) process.stdout.write(JSON.stringify(all) + "\n");
      else process.stdout.write(all.length === 0 ? "Nothing but its number is kept.\n" : originsAsText(all));
    });
  privacy
    .command("forget")
    .summary("delete what one source said of people, homes and meters")
    .description(
      "For a source that may not be used any more: names, addresses, phone numbers, ZIP codes and classes of meters that it said " +
        "last, and the originals of its files. Which account has which home and meter stays. Take the source out of " +
        "the configuration first, or its next file brings all of it back.",
    )
    .argument("<source>", "id of the source")
    .option("-u, --utility <id>", "utility, where several are configured")
    .option("--yes", "delete it; it can't be brought back")
    .action(async (source: string, options: { utility?: string; yes?: boolean }, command: Command) => {
      const settings = settingsFor(command);
      const utility = chosenUtility(settings, options.utility);
      if (utility.sources.some(({ id }) => id === source)) {
        throw new UsageError(
          `privacy: source "${source}" is still in the configuration: its next file would bring all of it back. Take it out first.`,
        );
      }
      if (options.yes !== true)
        throw new UsageError(`privacy: what "${source}" said can't be brought back. Add --yes to delete it.`);
      const said = await withStores(settings, async (stores) => {
        await noted(stores, utility, { what: `privacy forget ${source}`, purpose: "legal" });
        const forgotten = await forgetSource(stores, utility.id, source);
        const archive = new Archive(join(settings.config.dataDirectory, "archive"), stores.vault);
        return { ...forgotten, files: await archive.forget(stores.database, utility.id, source) };
      });
      process.stdout.write(
        `Deleted: ${Object.entries(said)
          .map(([what, n]) => `${n.toLocaleString("en")} ${FORGOTTEN[what as keyof typeof FORGOTTEN]}`)
          .join(", ")}.\n`,
      );
    });
}

interface OriginOptions {
  readonly account?: string | true;
  readonly utility?: string;
  readonly json?: boolean;
  readonly purpose: Purpose;
}

const FORGOTTEN = {
  names: "names",
  mails: "e-mail addresses",
  phones: "phone numbers",
  addresses: "addresses",
  zips: "ZIP codes",
  meters: "settings of meters",
  files: "originals of files",
} as const;

function originsAsText(origins: readonly (Origin & { readonly licence: string | null })[]): string {
  return table(origins, [
    { title: "what", value: ({ attribute }) => attribute },
    { title: "from", value: ({ source }) => source ?? "not written down then" },
    { title: "file", value: ({ file }) => file ?? "" },
    { title: "since (UTC)", value: ({ at }) => (at === null ? "" : minute(at)) },
    { title: "licence", value: ({ licence }) => licence ?? "" },
  ]);
}

function timeOf(option: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const time = new Date(text);
  if (Number.isNaN(time.getTime()))
    throw new UsageError(`${option}: expected a time such as 2026-11-29T08:00:00Z, received "${text}".`);
  return time;
}

function asText(entries: readonly PrivacyEntry[]): string {
  return table(entries, [
    { title: "when (UTC)", value: ({ at }) => minute(at) },
    { title: "kind", value: ({ kind }) => kind },
    { title: "by", value: ({ actor }) => actor },
    { title: "contact", value: ({ contact }) => contact?.slice(0, 8) ?? "several" },
    { title: "what", value: ({ what }) => what },
    { title: "for", value: ({ purpose }) => purpose },
    { title: "to", value: ({ givenTo }) => givenTo ?? "" },
    { title: "ground", value: ({ ground }) => ground ?? "" },
  ]);
}
