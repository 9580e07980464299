import { join } from "node:path";
import type { Command } from "commander";
import { packageRoot } from "../../infra/package-root.js";
import { wholeNumber } from "../settings.js";

/** `demo`, `bench` and `real`: Curbstop shown and measured. Loaded when called: the other commands start sooner. */
export function addTo(root: Command): void {
  root
    .command("demo")
    .summary("the whole way with a made-up utility, in a minute")
    .description(
      "Makes a utility of 300 homes with 60 days of hourly registers, drops its files, opts residents in, and prints what " +
        "was planted against what was found. Real PostgreSQL, ClickHouse and mail server, in a directory of its own. " +
        "Ends with 0 only if what was found equals what was planted.",
    )
    .option("--keep", "leave the servers and the mailbox open for a look, until Ctrl-C")
    .option("--json", "print one JSON object instead")
    .action(async ({ keep = false, json = false }: { keep?: boolean; json?: boolean }) => {
      const stop = new AbortController();
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
      const { runDemo } = await import("../../demo/index.js");
      const { exitCode } = await runDemo({
        keep,
        json,
        out: process.stdout,
        err: process.stderr,
        signal: stop.signal,
      });
      process.exitCode = exitCode;
    });
  root
    .command("bench")
    .summary("throughput as a ratio to ClickHouse alone, in the same run")
    .description(
      "Takes a seeded town from dropped file to ClickHouse, and has ClickHouse load the same file and find the same flows " +
        "and spikes in SQL, in turns. Prints medians, CPU seconds, memory and the ratio; 1 where the answers differ or the ratio is above the gate.",
    )
    .option("--meters <number>", "meters", wholeNumber("--meters"), 10_000)
    .option("--days <number>", "days of hourly reads", wholeNumber("--days"), 21)
    .option("--rounds <number>", "rounds, in turns", wholeNumber("--rounds"), 5)
    .option("--json", "print one JSON object instead")
    .action(async (options: { meters: number; days: number; rounds: number; json?: boolean }) => {
      const { runBench } = await import("../../bench/throughput.js");
      const { exitCode } = await runBench({ ...options, json: options.json === true, out: process.stdout });
      process.exitCode = exitCode;
    });
  root
    .command("real")
    .summary("real meter data through the same way, against a brute-force oracle")
    .description(
      "Takes the DAIAD and Karratha data sets through ingest and detect and compares the continuous flows with those of an " +
        "oracle that shares no code with the detector.",
    )
    .option(
      "--data <folder>",
      "folder that holds daiad/ and karratha/ (default: ../shared/data from the package)",
    )
    .option("--json", "print one JSON object instead")
    .action(async (options: { data?: string; json?: boolean }) => {
      const { runReal } = await import("../../bench/real.js");
      const { exitCode } = await runReal({
        shared: options.data ?? join(packageRoot(), "..", "shared", "data"),
        json: options.json === true,
        out: process.stdout,
      });
      process.exitCode = exitCode;
    });
}
