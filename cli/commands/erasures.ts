import type { Command } from "commander";
import { systemClock } from "../../infra/clock.js";
import { eraseAddress, holdAddress, liftHolds, listErasures, type Erasure } from "../../notify/index.js";
import { UsageError } from "../exit.js";
import { chosenUtility, settingsFor } from "../settings.js";
import { table } from "../terminal.js";
import { withStores } from "../with-stores.js";
import { answer } from "./answer.js";

interface OfContact {
  readonly contact?: string | true;
  readonly utility?: string;
}

/** `erasures`: residents whose data is deleted on request. */
export function addTo(root: Command): void {
  const erasures = root.command("erasures").summary("residents whose data is deleted on request");
  erasures
    .command("list", { isDefault: true })
    .summary("requests, what became of them and what holds them up")
    .option("-u, --utility <id>", "of this utility alone")
    .option("--json", "one JSON array")
    .action(async ({ utility, json = false }: { utility?: string; json?: boolean }, command: Command) => {
      const rows = await withStores(settingsFor(command), (stores) =>
        listErasures({ ...stores, clock: systemClock }, utility),
      );
      if (json) process.stdout.write(JSON.stringify(rows) + "\n");
      else if (rows.length === 0) process.stdout.write("Nobody has asked to be erased.\n");
      else
        process.stdout.write(
          table(rows, [
            { title: "receipt", value: ({ receipt }) => receipt },
            { title: "utility", value: (row) => row.utility },
            { title: "asked by", value: ({ askedBy }) => askedBy },
            { title: "asked", value: ({ askedAt }) => day(askedAt) },
            { title: "due", value: ({ dueAt }) => day(dueAt) },
            { title: "state", value: stateOf },
          ]),
        );
    });
  withContact(
    erasures
      .command("request")
      .summary("delete the data of one address")
      .description(
        "For a resident who asks by phone or letter: check who they are first. Deletes the address, what they wrote and " +
          "answered, and their key, so that backups can't be read either; ends their alerts. The proof of what they agreed to " +
          "stays, without the address. Prints the receipt. What is held up is done by itself once nothing holds it.",
      ),
  ).action(async (options: OfContact, command: Command) => {
    const made = await onContact(options, command, "Address to erase", (context, utility, address) =>
      eraseAddress(context, utility, address),
    );
    if (made.length === 0) throw new UsageError("erasures: the utility knows no such address.");
    for (const erasure of made) process.stdout.write(`${erasure.receipt}: ${stateOf(erasure)}\n`);
  });
  withContact(
    erasures
      .command("hold")
      .summary("keep one address from being erased, such as during a dispute before a court")
      .requiredOption("--reason <text>", "why; it names no person")
      .option("--until <day>", "it ends by itself on this day, YYYY-MM-DD (UTC)"),
  ).action(async (options: OfContact & { reason: string; until?: string }, command: Command) => {
    const until = options.until === undefined ? undefined : dayAt(options.until);
    const held = await onContact(options, command, "Address to hold", (context, utility, address) =>
      holdAddress(context, utility, address, { reason: options.reason, until }),
    );
    if (!held) throw new UsageError("erasures: the utility knows no such address.");
    process.stdout.write("Held.\n");
  });
  withContact(erasures.command("lift").summary("lift the holds of one address")).action(
    async (options: OfContact, command: Command) => {
      const lifted = await onContact(options, command, "Address", (context, utility, address) =>
        liftHolds(context, utility, address),
      );
      process.stdout.write(lifted === 0 ? "Nothing held it.\n" : "Lifted.\n");
    },
  );
}

function withContact(command: Command): Command {
  return command
    .option(
      "--contact [address]",
      "e-mail address or phone number; asked for on the terminal without a value",
    )
    .option("-u, --utility <id>", "utility of the contact, where several are configured");
}

async function onContact<T>(
  options: OfContact,
  command: Command,
  question: string,
  work: (
    context: Parameters<typeof eraseAddress>[0],
    utility: Parameters<typeof eraseAddress>[1],
    address: string,
  ) => Promise<T>,
): Promise<T> {
  const settings = settingsFor(command);
  const utility = chosenUtility(settings, options.utility);
  const address = await answer(options.contact, question);
  return withStores(settings, (stores) => work({ ...stores, clock: systemClock }, utility, address));
}

function stateOf({ erasedAt, holds }: Erasure): string {
  if (erasedAt !== null) return `erased ${day(erasedAt)}`;
  return holds.length === 0 ? "waits" : `held: ${holds.join("; ")}`;
}

function day(at: Date): string {
  return at.toISOString().slice(0, 10);
}

function dayAt(text: string): Date {
  const at = new Date(`${text}T00:00:00Z`);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || Number.isNaN(at.getTime()))
    throw new UsageError(`erasures: --until ${text} is no day. Expected YYYY-MM-DD, such as 2027-01-31.`);
  return at;
}
