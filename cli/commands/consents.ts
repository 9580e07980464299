import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { systemClock } from "../../infra/clock.js";
import { consentEvidence, exportEnds, importEnd, parseEnd, verifyConsents } from "../../notify/index.js";
import type { Purpose } from "../../schemas/config.js";
import { EXIT, UsageError } from "../exit.js";
import { chosenUtility, settingsFor } from "../settings.js";
import { table } from "../terminal.js";
import { withStores } from "../with-stores.js";
import { answer } from "./answer.js";
import { noted, purposeOption } from "./privacy.js";

interface ExportOptions {
  readonly contact?: string | true;
  readonly utility?: string;
  readonly purpose: Purpose;
}

/** `consents`: the proof of what residents agreed to. */
export function addTo(root: Command): void {
  const consents = root.command("consents").summary("the proof of what residents agreed to");
  consents
    .command("verify")
    .summary("whether no step of a consent was changed, taken out or put in later")
    .description(
      "Follows the chain of each utility's consents: every step holds the SHA-256 of the one before it. Keep the head that is " +
        "printed elsewhere, such as in a letter to the utility: who has it can tell later that nothing before it was changed. " +
        "Ends with 1 where a chain is broken.",
    )
    .option("--json", "one JSON array")
    .action(async ({ json = false }: { json?: boolean }, command: Command) => {
      const chains = await withStores(settingsFor(command), ({ database }) => verifyConsents(database));
      if (json) process.stdout.write(JSON.stringify(chains) + "\n");
      else if (chains.length === 0) process.stdout.write("There are no consents yet.\n");
      else
        process.stdout.write(
          table(chains, [
            { title: "utility", value: ({ utility }) => utility },
            { title: "steps", value: ({ steps }) => steps },
            { title: "head", value: ({ head }) => head },
            { title: "", value: ({ broken }) => (broken === undefined ? "unbroken" : `BROKEN: ${broken}`) },
          ]),
        );
      if (chains.some(({ broken }) => broken !== undefined)) process.exitCode = EXIT.rejected;
    });
  consents
    .command("export")
    .summary("everything that one address agreed to and took back, as JSON")
    .description(
      "Prints each step of the address's consents with its time, wording, who confirmed and its place in the chain. It is " +
        "personal data: give it to the resident or to whoever has to judge it. Without a value --contact asks on the terminal.",
    )
    .option("--contact [address]", "e-mail address or phone number")
    .option("-u, --utility <id>", "utility of the contact, where several are configured")
    .addOption(purposeOption())
    .action(async (options: ExportOptions, command: Command) => {
      const settings = settingsFor(command);
      const utility = chosenUtility(settings, options.utility);
      const address = await answer(options.contact, "E-mail address or phone number");
      const steps = await withStores(settings, async (stores) => {
        await noted(stores, utility, { what: "consents export", purpose: options.purpose, address });
        return consentEvidence(stores, utility, address);
      });
      if (steps === undefined) throw new UsageError("consents: the utility knows no such address.");
      process.stdout.write(JSON.stringify(steps, null, 2) + "\n");
    });
  consents
    .command("ends")
    .summary(
      "what residents ended: STOPs, unsubscribes, deletions; to keep apart, and to put into a restored backup",
    )
    .description(
      "Prints one JSON object a line, addresses as keyed hashes that name nobody without the key file. Run it often and keep what " +
        "it prints outside of the database. After PostgreSQL was restored from a backup, and before alerts go out again, put the " +
        "newest list in with --import: who had ended something since the backup is not written to.",
    )
    .option(
      "--import <file>",
      "take over what the file says, unless somebody agreed again after it; - for standard input",
    )
    .action(async (options: { import?: string }, command: Command) => {
      const settings = settingsFor(command);
      if (options.import === undefined) {
        const ends = await withStores(settings, exportEnds);
        for (const one of ends) process.stdout.write(JSON.stringify(one) + "\n");
        return;
      }
      const text = await readFile(options.import === "-" ? "/dev/stdin" : options.import, "utf8").catch(
        (error: unknown) => {
          throw new UsageError(`consents: ${options.import} can't be read (${(error as Error).message}).`);
        },
      );
      const ends = text.split("\n").flatMap((line, i) => {
        if (line.trim() === "") return [];
        try {
          return [parseEnd(line)];
        } catch (error) {
          throw new UsageError(`consents: line ${i + 1} of ${options.import}: ${(error as Error).message}.`);
        }
      });
      const changed = await withStores(settings, async (stores) => {
        let count = 0;
        for (const one of ends) if (await importEnd({ ...stores, clock: systemClock }, one)) count++;
        return count;
      });
      process.stdout.write(`${ends.length} read, ${changed} were news.\n`);
    });
}
