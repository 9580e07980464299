import type { Command } from "commander";
import type { Settings } from "../../infra/config/load-config.js";
import { serve, STAGES, startServices, type Services, type StageName } from "../services.js";
import { settingsFor } from "../settings.js";
import { colours } from "../terminal.js";

const ALONE: Record<StageName, { readonly what: string; readonly more: string }> = {
  ingest: {
    what: "take files from the drop folders and publish their reads",
    more: "Looks into each source's folder once a second, claims whole files, and keeps the ledger and the archive.",
  },
  detect: {
    what: "judge reads and write reads, usage and anomalies to ClickHouse",
    more: "Several may run: each takes a share of the partitions. Goes on from its last checkpoint.",
  },
  notify: {
    what: "decide on alerts and send them",
    more: "Sends nothing for a utility whose alerts.live is false: decisions are stored.",
  },
  web: {
    what: "serve sign-up, confirm and unsubscribe pages, health and metrics",
    more: "Pages: /UTILITY/subscribe. Operators: /health, /health/live, /health/ready, /metrics.",
  },
};

/** `up` and each stage alone. */
export function addTo(root: Command): void {
  root
    .command("up")
    .summary("run all stages until stopped")
    .description(
      "Runs ingest, detect, notify and web in one process, with the embedded servers where no others are configured, " +
        "until SIGTERM or SIGINT. The first signal lets the work in hand end, the second ends at once.",
    )
    .action(async (_options: object, command: Command) => {
      await run(command, STAGES, false);
    });
  for (const name of STAGES) {
    const { what, more } = ALONE[name];
    root
      .command(name)
      .summary(`run one stage: ${what}`)
      .description(
        `${what[0]!.toUpperCase()}${what.slice(1)}, until stopped. ${more} ` +
          "Uses the embedded servers of a process that already runs on the same data directory, or starts them.",
      )
      .action(async (_options: object, command: Command) => {
        await run(command, [name], true);
      });
  }
}

async function run(command: Command, names: readonly StageName[], share: boolean): Promise<void> {
  const settings = settingsFor(command);
  const services = await startServices(settings, names, { share, stays: true, logLevel: "info" });
  process.stdout.write(greeting(settings, services, names));
  await serve(services);
}

function greeting({ config }: Settings, services: Services, names: readonly StageName[]): string {
  const { bold, dim } = colours(process.stdout);
  const { stores, webUrl } = services;
  const line = (label: string, value: string) => `  ${label.padEnd(12)} ${value}\n`;
  let text = bold(`Curbstop runs: ${names.join(", ")}`) + dim(` (process ${process.pid})`) + "\n";
  text += line("data", config.dataDirectory);
  text += line("PostgreSQL", place(stores.embedded.postgres, stores.database.url));
  text += line("ClickHouse", place(stores.embedded.clickhouse, stores.clickhouseUrl));
  text += line("log", stores.embedded.log ? "embedded in PostgreSQL" : "Kafka");
  if (webUrl !== undefined) text += line("web", webUrl);
  if (names.includes("ingest")) {
    for (const { id, sources } of config.utilities)
      for (const source of sources) {
        text += line("drop", `${source.folder} (${id}/${source.id})`);
        if (source.pull !== undefined)
          text += line(
            "",
            `pulled from ${source.pull.host}:${source.pull.port}, ${source.pull.schedule} UTC`,
          );
      }
  }
  if (names.includes("notify")) {
    for (const { id, alerts } of config.utilities)
      if (!alerts.live)
        text += line("not live", `${id}: alerts are decided and stored, not sent (alerts.live)`);
  }
  return text + dim("  Stop with Ctrl-C.\n");
}

function place(embedded: boolean, url: string): string {
  return `${embedded ? "embedded, " : ""}${new URL(url).host}`;
}
