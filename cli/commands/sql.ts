import { createHash, randomBytes } from "node:crypto";
import { Option, type Command } from "commander";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { analystGrants } from "../../infra/clickhouse/analyst-grants.js";
import { analystUser } from "../../infra/clickhouse/embedded-server.js";
import { EXIT, UsageError } from "../exit.js";
import { chosenUtility, settingsFor } from "../settings.js";
import { isTerminal } from "../terminal.js";
import { withStores } from "../with-stores.js";

/** `sql`: a query as the utility's analyst, who reads and sees that utility alone; `analyst` makes that user elsewhere. */
export function addTo(root: Command): void {
  root
    .command("analyst")
    .summary("SQL that makes a utility's analyst on a ClickHouse server of your own")
    .description(
      "Prints the statements that give the utility a read-only user who sees its rows and no others, with a new password " +
        "(on standard error). Run them on the server as a user who manages access. The embedded server has these users already.",
    )
    .option("-u, --utility <id>", "utility, where several are configured")
    .action((options: { utility?: string }, command: Command) => {
      const { id } = chosenUtility(settingsFor(command), options.utility);
      const password = randomBytes(24).toString("base64url");
      const checksum = createHash("sha256").update(password).digest("hex");
      process.stdout.write(analystGrants(id, checksum).join(";\n") + ";\n");
      process.stderr.write(
        `Password of ${analystUser(id)}: ${password}\nAfterwards: CURBSTOP_ANALYST_URL=https://${analystUser(id)}:PASSWORD@HOST:8443\n`,
      );
    });
  root
    .command("sql")
    .argument("<query>", "one statement of ClickHouse's SQL; - reads it from standard input")
    .summary("ask ClickHouse as the utility's analyst")
    .description(
      "Runs a query with the read-only user of the utility, who sees its rows in database curbstop and no others: " +
        "views usage, usage_daily, reads_current, leaks, anomalies_current, files_current and more (docs/reference/tables.md, docs/analysts.md).",
    )
    .option("-u, --utility <id>", "utility, where several are configured")
    .addOption(new Option("--format <name>", "format of the answer, any of ClickHouse's").conflicts("json"))
    .option("--json", "one JSON object a row")
    .addHelpText(
      "after",
      `
Examples:
  curbstop sql 'SELECT rule, state, count() FROM anomalies_current GROUP BY ALL'
  curbstop sql --json 'SELECT * FROM freshness'
  curbstop sql 'SELECT day, sum(litres) FROM usage_daily GROUP BY day ORDER BY day'`,
    )
    .action(
      async (
        query: string,
        options: { utility?: string; format?: string; json?: boolean },
        command: Command,
      ) => {
        const settings = settingsFor(command);
        const utility = chosenUtility(settings, options.utility);
        const sql = query === "-" ? await text(process.stdin) : query;
        await withStores(settings, async (stores) => {
          const url = settings.environment.CURBSTOP_ANALYST_URL ?? stores.analystUrl(utility.id);
          if (url === undefined) {
            throw new UsageError(
              "With a ClickHouse server of your own, set CURBSTOP_ANALYST_URL to its address with the analyst's user.",
            );
          }
          const format =
            options.json === true
              ? "JSONEachRow"
              : (options.format ?? (isTerminal(process.stdout) ? "PrettyCompactMonoBlock" : "TSVWithNames"));
          const address = new URL(url);
          const response = await fetch(
            `${address.origin}/?database=curbstop&default_format=${encodeURIComponent(format)}`,
            {
              method: "POST",
              body: sql,
              headers: {
                "X-ClickHouse-User": decodeURIComponent(address.username),
                "X-ClickHouse-Key": decodeURIComponent(address.password),
              },
            },
          );
          if (!response.ok) {
            process.stderr.write(`curbstop: ClickHouse refused: ${(await response.text()).trim()}\n`);
            process.exitCode = EXIT.rejected;
            return;
          }
          if (response.body !== null) {
            await pipeline(Readable.fromWeb(response.body), process.stdout, {
              end: false,
            });
          }
        });
      },
    );
}

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let all = "";
  for await (const chunk of stream) all += chunk.toString();
  return all;
}
