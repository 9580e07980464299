import { userInfo } from "node:os";
import type { Command } from "commander";
import { systemClock } from "../../infra/clock.js";
import { NotPublishable, published, publishMonth, type Publication } from "../../publish/month.js";
import { UsageError } from "../exit.js";
import { chosenUtility, settingsFor } from "../settings.js";
import { minute, table } from "../terminal.js";
import { withStores } from "../with-stores.js";

interface PublishOptions {
  readonly utility?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `publish`: what all customers used in a month, so that it tells of none of them. */
export function addTo(root: Command): void {
  root
    .command("publish")
    .summary("what all customers used in a month by class, so that it tells of none of them")
    .description(
      "Prints a CSV that may be published: customers and cubic metres by class. A class with too few customers (`publish`: 15, " +
        "with homes 100) or in which one of them used more than 15 percent is joined with others. A month is published once " +
        "(--yes) and stays as it is, whatever is corrected later: two versions would tell of a customer by their difference. " +
        "Without a month: what was published.",
    )
    .argument("[month]", "such as 2026-05, in the utility's time zone")
    .option("-u, --utility <id>", "utility, where several are configured")
    .option("--yes", "publish it: it is kept as it is for good")
    .option("--json", "JSON")
    .action(async (month: string | undefined, options: PublishOptions, command: Command) => {
      const settings = settingsFor(command);
      const utility = chosenUtility(settings, options.utility);
      if (month === undefined) {
        const all = await withStores(settings, ({ database }) =>
          published(database.of(utility.id), utility.id),
        );
        if (options.json === true) process.stdout.write(JSON.stringify(all) + "\n");
        else process.stdout.write(all.length === 0 ? "Nothing was published.\n" : asText(all));
        return;
      }
      const write = options.yes === true;
      const by = userInfo().username;
      const done = await withStores(settings, (stores) =>
        publishMonth(stores, utility, month, { by, now: new Date(systemClock.now()), write }),
      ).catch((error: unknown) => {
        throw error instanceof NotPublishable ? new UsageError(`publish: ${error.message}`) : error;
      });
      process.stdout.write(options.json === true ? JSON.stringify(done) + "\n" : csvOf(done));
      if (!done.isNew)
        process.stderr.write(`Published on ${minute(done.at)} UTC by ${done.by}; it stays as it was.\n`);
      else if (!write) process.stderr.write("Not published yet. Publish it with --yes.\n");
    });
}

function csvOf({ month, rows }: Publication): string {
  return [
    "month,classes,customers,cubic_metres",
    ...rows.map(({ classes, customers, cubicMetres }) => [month, classes, customers, cubicMetres].join(",")),
    "",
  ].join("\n");
}

function asText(publications: readonly Publication[]): string {
  return table(publications, [
    { title: "month", value: ({ month }) => month },
    { title: "groups", value: ({ rows }) => rows.length },
    { title: "published (UTC)", value: ({ at }) => minute(at) },
    { title: "by", value: ({ by }) => by },
    { title: "clause", value: ({ clause }) => clause },
  ]);
}
