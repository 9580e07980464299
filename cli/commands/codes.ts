import { closeSync, fsyncSync, openSync, rmSync, writeFileSync } from "node:fs";
import type { Command } from "commander";
import { systemClock } from "../../infra/clock.js";
import { makeCodes, type CodeLetter } from "../../notify/index.js";
import { UsageError } from "../exit.js";
import { chosenUtility, settingsFor } from "../settings.js";
import { withStores } from "../with-stores.js";
import { noted } from "./privacy.js";

/** `codes`: letters with codes by which residents prove their address. */
export function addCodes(root: Command): void {
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
      const file = openNew(options.out);
      try {
        const count = await withStores(settings, async (stores) => {
          await noted(stores, utility, { what: "codes", purpose: "help" });
          return makeCodes(stores, utility, systemClock.now(), (letters) => {
            writeFileSync(file, csvOf(letters));
            fsyncSync(file);
          });
        });
        process.stdout.write(`Wrote ${count} codes to ${options.out}. Each works once, within 60 days.\n`);
      } catch (error) {
        rmSync(options.out, { force: true });
        throw error;
      } finally {
        closeSync(file);
      }
    });
}

function openNew(path: string): number {
  try {
    return openSync(path, "wx", 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(
      code === "EEXIST" ? `codes: ${path} is there already; give a new name.` : `codes: ${path}: ${code}`,
    );
  }
}

function csvOf(letters: readonly CodeLetter[]): string {
  const rows = letters.map(({ account, name, address, code }) => [account, name, address, code]);
  return [["account", "name", "address", "code"], ...rows]
    .map((row) => row.map(csvField).join(",") + "\r\n")
    .join("");
}

/** RFC 4180; what a spreadsheet would take for a formula gets a quote before it. */
export function csvField(text: string): string {
  const plain = /^[=+\-@\t\r\0]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
