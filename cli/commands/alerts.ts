import type { Command } from "commander";
import { systemClock } from "../../infra/clock.js";
import {
  markHandled,
  NOTICES,
  pausesOf,
  STORM,
  reasonInWords,
  resumeChannels,
  textLines,
  waitingTexts,
  whyOfAnomaly,
  whyOfContact,
  type Pause,
  type WhyStep,
} from "../../notify/index.js";
import type { Purpose } from "../../schemas/config.js";
import { UsageError } from "../exit.js";
import { chosenUtility, settingsFor } from "../settings.js";
import { minute, table } from "../terminal.js";
import { withStores } from "../with-stores.js";
import { answer } from "./answer.js";
import { noted, purposeOption } from "./privacy.js";

interface WhyOptions {
  readonly anomaly?: string;
  readonly contact?: string | true;
  readonly utility?: string;
  readonly purpose: Purpose;
  readonly json?: boolean;
}

/** `why` and `texts`: what was told to whom and why not, and what residents wrote that waits for people. */
export function addTo(root: Command): void {
  root
    .command("why")
    .summary("why a resident was told, or was not")
    .description(
      "Tells the story of one anomaly, or of one address: consents, decisions, messages, what was written back, each with its " +
        "time and reason. Without a value --contact asks on the terminal, and so stays out of the shell's history.",
    )
    .option("--anomaly <id>", "id of the anomaly, as in ClickHouse")
    .option("--contact [address]", "e-mail address or phone number")
    .option("-u, --utility <id>", "utility of the contact, where several are configured")
    .addOption(purposeOption())
    .option("--json", "one JSON array")
    .action(async (options: WhyOptions, command: Command) => {
      if ((options.anomaly === undefined) === (options.contact === undefined))
        throw new UsageError("why: give --anomaly or --contact, one of them.");
      const settings = settingsFor(command);
      const steps = await withStores(settings, async (stores) => {
        if (options.anomaly !== undefined) return whyOfAnomaly(stores.database, options.anomaly);
        const utility = chosenUtility(settings, options.utility);
        const address = await answer(options.contact, "E-mail address or phone number");
        await noted(stores, utility, { what: "why --contact", purpose: options.purpose, address });
        return whyOfContact(stores, utility, address);
      });
      if (steps === undefined) throw new UsageError("why: the utility knows no such address.");
      if (options.json === true) process.stdout.write(JSON.stringify(steps) + "\n");
      else process.stdout.write(steps.length === 0 ? "Nothing is known of it.\n" : asText(steps));
    });

  const texts = root
    .command("texts")
    .summary("what residents wrote by SMS that waits for people")
    .description(
      "Lists texts that were not understood, or were taken for a STOP by their wording, oldest first. The words are a " +
        "resident's own: show them to nobody else.",
    )
    .option("-u, --utility <id>", "texts to one utility")
    .option("--json", "one JSON array")
    .action(async (options: { utility?: string; json?: boolean }, command: Command) => {
      const settings = settingsFor(command);
      const { waiting, pauses, lines } = await withStores(settings, async (stores) => {
        const of = settings.config.utilities.filter(({ id }) => id === (options.utility ?? id));
        for (const utility of of) await noted(stores, utility, { what: "texts", purpose: "help" });
        return {
          waiting: await waitingTexts(stores, options.utility),
          pauses: await pausesOf(stores.database),
          lines: await textLines(stores.database),
        };
      });
      warnOfPauses(pauses);
      for (const { utility, waiting: count, until } of lines)
        process.stderr.write(
          `${utility}: ${count} texts wait for their turn (sms.limits); the last has it about ${minute(until)} UTC.\n`,
        );
      if (options.json === true) process.stdout.write(JSON.stringify(waiting) + "\n");
      else if (waiting.length === 0) process.stdout.write("No text waits.\n");
      else {
        process.stdout.write(
          table(waiting, [
            { title: "received (UTC)", value: ({ receivedAt }) => minute(receivedAt) },
            { title: "utility", value: ({ utility }) => utility },
            { title: "id", value: ({ id }) => id },
            { title: "taken for", value: ({ asks }) => asks },
            { title: "words", value: ({ body }) => body?.replace(/\s+/g, " ") ?? "(deleted)" },
          ]),
        );
      }
    });
  texts
    .command("resume")
    .option("-u, --utility <id>", "utility, where several are configured")
    .summary(
      "let a utility send again after carriers filtered its texts, its mail came back, or a storm of alerts",
    )
    .description(
      "Three texts in an hour that carriers filtered or blocked pause the utility's texts; 5 % of a day's mails that came back " +
        "(ten at least), or 0.25 % that were called spam (three), pause its mails: more of the same would cost the sender its " +
        "name. Alerts of an hour that pass alerts.stormPercent hold all alerts back. What waits goes out after this, if it is still true and wanted.",
    )
    .action(async (options: { utility?: string }, command: Command) => {
      const settings = settingsFor(command);
      const { id } = chosenUtility(
        settings,
        options.utility ?? command.optsWithGlobals<{ utility?: string }>().utility,
      );
      const ended = await withStores(settings, ({ database }) =>
        resumeChannels(database, id, new Date(systemClock.now())),
      );
      process.stdout.write(ended === 0 ? "Nothing was paused.\n" : "Sending again.\n");
    });
  texts
    .command("done")
    .argument("<id>", "id of the text, from `curbstop texts`")
    .summary("somebody has seen to a text")
    .action(async (id: string, _options: object, command: Command) => {
      const done = await withStores(settingsFor(command), ({ database }) =>
        markHandled(database, id, new Date(systemClock.now())),
      );
      if (!done) throw new UsageError(`No text ${id} waits; "curbstop texts" lists them.`);
      process.stdout.write("Done.\n");
    });
}

/** What stands above the list: nothing goes out, and what to do. */
function warnOfPauses(pauses: readonly Pause[]): void {
  for (const { utility, channel, reason, at } of pauses) {
    process.stderr.write(
      `${utility} sends ${channel === NOTICES ? "no notices" : `${reason === STORM ? "no alerts" : "nothing"} by ${channel}`} since ${minute(at)} UTC: ` +
        `${causeOf(channel, reason)}, then: curbstop texts resume -u ${utility}\n`,
    );
  }
}

function causeOf(channel: string, reason: string): string {
  if (reason === STORM)
    return "far more were due in an hour than usual, as wrong data makes them (alerts.stormPercent). Look at what came in (curbstop files, why)";
  const cause =
    channel === "email" || channel === NOTICES
      ? "too much of its mail came back or was called spam"
      : "carriers filter it";
  return `${cause} (${reason}). Look into it with the provider`;
}

function asText(steps: readonly WhyStep[]): string {
  return table(steps, [
    { title: "when (UTC)", value: ({ at }) => minute(at) },
    { title: "contact", value: ({ contact }) => contact?.slice(0, 8) ?? "everybody" },
    { title: "channel", value: ({ channel }) => channel ?? "" },
    { title: "anomaly", value: ({ anomaly }) => anomaly?.slice(0, 8) ?? "" },
    { title: "what", value: ({ what }) => what },
    { title: "outcome", value: ({ outcome }) => outcome },
    { title: "why", value: ({ reason }) => (reason === null ? "" : reasonInWords(reason)) },
  ]);
}
