import type { Command } from "commander";
import { systemClock } from "../../infra/clock.js";
import {
  markHandled,
  reasonInWords,
  waitingTexts,
  whyOfAnomaly,
  whyOfContact,
  type WhyStep,
} from "../../notify/index.js";
import { UsageError } from "../exit.js";
import { chosenUtility, settingsFor } from "../settings.js";
import { table } from "../terminal.js";
import { withStores } from "../with-stores.js";
import { answer } from "./answer.js";

interface WhyOptions {
  readonly anomaly?: string;
  readonly contact?: string | true;
  readonly utility?: string;
  readonly json?: boolean;
}

/** `why` and `texts`: what was told to whom and why not, and what residents wrote that waits for people. */
export function addAlertCommands(root: Command): void {
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
    .option("--json", "one JSON array")
    .action(async (options: WhyOptions, command: Command) => {
      if ((options.anomaly === undefined) === (options.contact === undefined))
        throw new UsageError("why: give --anomaly or --contact, one of them.");
      const settings = settingsFor(command);
      const steps = await withStores(settings, async (stores) => {
        if (options.anomaly !== undefined) return whyOfAnomaly(stores.database, options.anomaly);
        const utility = chosenUtility(settings, options.utility);
        const given = options.contact === true ? undefined : options.contact;
        return whyOfContact(stores, utility, await answer(given, "E-mail address or phone number"));
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
      const waiting = await withStores(settingsFor(command), (stores) =>
        waitingTexts(stores, options.utility),
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
            { title: "words", value: ({ body }) => body.replace(/\s+/g, " ") },
          ]),
        );
      }
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

function minute(time: Date): string {
  return time.toISOString().slice(0, 16).replace("T", " ");
}
