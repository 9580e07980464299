import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import type { Command } from "commander";
import { systemClock } from "../../infra/clock.js";
import { CONSENT_KINDS, offered, requestSubscription } from "../../notify/index.js";
import { UsageError } from "../exit.js";
import { chosenUtility, settingsFor } from "../settings.js";
import { withStores } from "../with-stores.js";
import { answer } from "./answer.js";

interface SubscribeOptions {
  readonly utility?: string;
  readonly account?: string;
  readonly zip?: string;
  readonly email?: string;
  readonly phone?: string;
  readonly call?: string;
  readonly kind?: string[];
  readonly language?: string;
  readonly evidence?: string;
}

/** `subscribe`: asks for alerts in a resident's name; the resident confirms by the message that follows. */
export function addTo(root: Command): void {
  root
    .command("subscribe")
    .summary("ask for alerts in a resident's name (a message asks them to confirm)")
    .description(
      "Puts a request to confirm into the outbox, where account and ZIP match the registry. Nothing else is sent to the " +
        "address before the resident confirms. The answer is the same whether they match or not. What is left out is " +
        "asked for on the terminal, and so stays out of the shell's history.",
    )
    .option("-u, --utility <id>", "utility, where several are configured")
    .option("--account <number>", "account number as on the bill")
    .option("--zip <code>", "ZIP or postal code of the service address")
    .option("--email <address>", "where alerts go by e-mail")
    .option("--phone <number>", "where alerts go by SMS")
    .option("--call <number>", "where alerts go by a call")
    .option("--kind <kind...>", `what to be told of: ${CONSENT_KINDS.join(", ")} (default: leak)`)
    .option("--evidence <file>", "scan of the signed form or the like: its SHA-256 is kept with the request")
    .option("--language <code>", "en or es; default: the utility's first")
    .action(async (options: SubscribeOptions, command: Command) => {
      const settings = settingsFor(command);
      const utility = chosenUtility(settings, options.utility);
      const kinds = (options.kind ?? ["leak"]).map((kind) => {
        const all = offered(utility, "email");
        const known = all.find((one) => one === kind);
        if (known === undefined)
          throw new UsageError(`--kind: expected ${all.join(" or ")}, received "${kind}".`);
        return known;
      });
      const language = utility.languages.find((one) => one === (options.language ?? utility.languages[0]));
      if (language === undefined)
        throw new UsageError(`--language: the utility writes ${utility.languages.join(", ")}.`);
      const document = options.evidence === undefined ? undefined : hashOfFile(options.evidence);
      const account = await answer(options.account, "Account number");
      const zip = await answer(options.zip, "ZIP code");
      const { phone, call } = options;
      const email =
        (phone ?? call) !== undefined && options.email === undefined
          ? ""
          : await answer(options.email, "E-mail address");
      await withStores(settings, async ({ database, vault }) => {
        await requestSubscription(
          { config: settings.config, database, vault, clock: systemClock },
          {
            utility: utility.id,
            account,
            zip,
            email,
            ...(phone === undefined ? {} : { phone }),
            ...(call === undefined ? {} : { call }),
            kinds,
            language,
            ...(document === undefined
              ? { method: "command" as const }
              : { method: "staff" as const, evidence: { staff: userInfo().username, document } }),
          },
        ).catch((error: unknown) => {
          if ((error as Error).name === "SubscriptionInvalid") throw new UsageError((error as Error).message);
          throw error;
        });
      });
      process.stdout.write(
        "If account and ZIP code match, a request to confirm is on its way as soon as the notify stage runs" +
          (utility.alerts.live ? ".\n" : " and the utility is live (alerts.live).\n"),
      );
    });
}

function hashOfFile(path: string): string {
  try {
    return createHash("sha256").update(readFileSync(path)).digest("hex");
  } catch (error) {
    throw new UsageError(`--evidence: ${path} can't be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}
