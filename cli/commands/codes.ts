import type { Command } from "commander";
import { systemClock } from "../../infra/clock.js";
import { makeCodes } from "../../notify/index.js";
import { withPrivateCsv } from "../private-csv.js";
import { chosenUtility, settingsFor } from "../settings.js";
import { withStores } from "../with-stores.js";
import { noted } from "./privacy.js";

/** `codes`: letters with codes by which residents prove their address. */
export function addTo(root: Command): void {
  root
    .command("codes")
    .summary("codes for letters, by which residents prove their address at sign-up")
    .description(
      "Makes a code for each home whose people get no alerts and have no code that still holds (60 days, once), and writes a " +
        "CSV for the letters: account, name, address, code. On the sign-up page the code stands in the place of the ZIP " +
        "code. Codes are kept as hashes alone: the file can't be made again. It is personal data, readable by you alone; " +
        "delete it once the letters are printed.",
    )
    .option("-u, --utility <id>", "utility, where several are configured")
    .requiredOption("--out <file>", "CSV to write; must not be there yet")
    .action(async (options: { utility?: string; out: string }, command: Command) => {
      const settings = settingsFor(command);
      const utility = chosenUtility(settings, options.utility);
      // Before any code is made: nobody could make the file anew.
      const count = await withPrivateCsv("codes", options.out, (write) =>
        withStores(settings, async (stores) => {
          await noted(stores, utility, { what: "codes", purpose: "help" });
          return makeCodes(stores, utility, systemClock.now(), (letters) => {
            const rows = letters.map(({ account, name, address, code }) => [account, name, address, code]);
            write(["account", "name", "address", "code"], rows);
          });
        }),
      );
      process.stdout.write(`Wrote ${count} codes to ${options.out}. Each works once, within 60 days.\n`);
    });
}
