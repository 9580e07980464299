import type { Command } from "commander";
import { STAGES, startServices, type Services } from "../services.js";
import { settingsFor } from "../settings.js";
import { colours, ProgressLine, table } from "../terminal.js";
import { EXIT } from "../exit.js";

interface FileSummary {
  readonly file: number;
  readonly utility: string;
  readonly source: string;
  readonly name: string;
  readonly state: string;
  readonly rows: number;
  readonly reads: number;
  readonly rejected: number;
  readonly reason: string | null;
}

interface RunSummary {
  readonly files: readonly FileSummary[];
  readonly reads: number;
  readonly rejected: number;
  readonly anomalies: readonly {
    readonly utility: string;
    readonly rule: string;
    readonly state: string;
    readonly changes: number;
  }[];
  readonly alerts: readonly { readonly state: string; readonly alerts: number }[];
  readonly seconds: number;
}

/** `run`: everything that lies in the drop folders, once. */
export function addTo(root: Command): void {
  root
    .command("run")
    .summary("take what lies in the drop folders through every stage, once")
    .description(
      "Takes every whole file in the drop folders through ingest, detect, ClickHouse and notify until nothing is left, " +
        "prints what became of them and ends: 0, or 1 where a row or a file was rejected.",
    )
    .option("--json", "print the summary as one JSON object")
    .action(async ({ json = false }: { json?: boolean }, command: Command) => {
      const settings = settingsFor(command);
      const started = performance.now();
      const progress = new ProgressLine(process.stderr);
      const services = await startServices(
        settings,
        STAGES.filter((name) => name !== "web"),
        {
          share: false,
          logLevel: "warn",
          onProgress: ({ source, bytesDone, bytesTotal, count, what }) =>
            progress.show(source.padEnd(12), bytesDone, bytesTotal, `${count.toLocaleString("en")} ${what}`),
        },
      );
      let summary: RunSummary;
      try {
        summary = await Promise.race([drainAll(services, started), services.failed]);
      } finally {
        progress.clear();
        await services.close();
      }
      process.stdout.write(json ? JSON.stringify(summary) + "\n" : report(summary));
      const rejected = summary.rejected > 0 || summary.files.some(({ state }) => state === "rejected");
      process.exitCode = rejected ? EXIT.rejected : EXIT.done;
    });
}

async function drainAll(services: Services, started: number): Promise<RunSummary> {
  const { stores, stages, context } = services;
  const { database } = stores;
  const [before] = await database.query<{ file: number }>(
    "SELECT coalesce(max(file), 0) AS file FROM files WHERE announced",
  );
  for (const stage of stages.toReversed()) await stage.drain();
  const files = await database.query<FileSummary>(
    `SELECT file, utility, source, name, CASE WHEN state = 'archived' THEN 'taken' ELSE state END AS state, rows, reads,
            rejected, reason FROM files WHERE file > $1 ORDER BY file`,
    [before!.file],
  );
  const alerts = await database.query<{ state: string; alerts: number }>(
    "SELECT state, count(*) AS alerts FROM outbox GROUP BY state ORDER BY state",
  );
  const { values } = await context.metrics.detected.get();
  return {
    files,
    reads: files.reduce((sum, { reads }) => sum + reads, 0),
    rejected: files.reduce((sum, { rejected }) => sum + rejected, 0),
    anomalies: values.map(({ labels, value }) => ({
      utility: String(labels["utility"]),
      rule: String(labels["rule"]),
      state: String(labels["state"]),
      changes: value,
    })),
    alerts,
    seconds: Math.round(performance.now() - started) / 1000,
  };
}

function report({ files, reads, rejected, anomalies, alerts, seconds }: RunSummary): string {
  const { bold, red, green } = colours(process.stdout);
  if (files.length === 0) return "Nothing lay in the drop folders.\n";
  let text = table(files, [
    { title: "file", value: ({ file }) => file },
    { title: "source", value: ({ utility, source }) => `${utility}/${source}` },
    { title: "name", value: ({ name }) => name },
    { title: "state", value: ({ state }) => state },
    { title: "reads", value: (file) => file.reads },
    { title: "rejected", value: (file) => file.rejected },
    { title: "why", value: ({ reason }) => reason ?? "" },
  ]);
  if (anomalies.length > 0) {
    text += `\n${bold("Anomalies, changes in this run")}\n`;
    text += table(anomalies, [
      { title: "utility", value: ({ utility }) => utility },
      { title: "rule", value: ({ rule }) => rule },
      { title: "state", value: ({ state }) => state },
      { title: "changes", value: ({ changes }) => changes },
    ]);
  }
  if (alerts.length > 0) {
    text += `\n${bold("Messages in the outbox")}\n`;
    text += table(alerts, [
      { title: "state", value: ({ state }) => state },
      { title: "messages", value: (one) => one.alerts },
    ]);
  }
  const outcome = `${reads.toLocaleString("en")} reads from ${files.length} file${files.length === 1 ? "" : "s"} in ${seconds} s`;
  text += `\n${rejected > 0 ? red(`${outcome}, ${rejected} rows rejected: curbstop rejects`) : green(outcome)}\n`;
  return text;
}
