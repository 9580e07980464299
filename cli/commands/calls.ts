import type { Command } from "commander";
import { systemClock } from "../../infra/clock.js";
import { callList, type Call } from "../../notify/index.js";
import { chosenUtility, settingsFor } from "../settings.js";
import { minute, table } from "../terminal.js";
import { withStores } from "../with-stores.js";
import { noted } from "./privacy.js";

const SAID = { 1: "on purpose", 2: "looking into it", 3: "remind me", 4: "normal here" } as const;

interface CallsOptions {
  readonly utility?: string;
  readonly untold?: boolean;
  readonly json?: boolean;
}

/** `calls`: leaks that go on after every message, for people to call. */
export function addTo(root: Command): void {
  root
    .command("calls")
    .summary("leaks that still run weeks after the resident was told, for people to call")
    .description(
      "Lists leaks that still run alerts.callAfterDays (14) after their alert, the fastest first, by account number. Who " +
        "answered that the water runs on purpose is left out while that holds. Account numbers are personal: the list is for " +
        "whoever calls.",
    )
    .option("-u, --utility <id>", "utility, where several are configured")
    .option("--untold", "leaks instead that nobody was told of: no resident there has asked for alerts")
    .option("--json", "one JSON array; rates in mL an hour, volumes in mL")
    .action(async (options: CallsOptions, command: Command) => {
      const settings = settingsFor(command);
      const utility = chosenUtility(settings, options.utility);
      const calls = await withStores(settings, async (stores) => {
        await noted(stores, utility, { what: "calls", purpose: "call" });
        return callList(stores, utility, { untold: options.untold === true, now: systemClock.now() });
      });
      if (options.json === true) process.stdout.write(JSON.stringify(calls) + "\n");
      else process.stdout.write(calls.length === 0 ? "Nobody needs a call.\n" : asText(calls));
    });
}

function asText(calls: readonly Call[]): string {
  return table(calls, [
    { title: "account", value: ({ account }) => account ?? "unknown" },
    { title: "runs since (UTC)", value: ({ since }) => minute(since) },
    { title: "L/h", value: ({ rate }) => Math.round(rate / 100) / 10 },
    { title: "m³ so far", value: ({ volume }) => Math.round(volume / 100_000) / 10 },
    { title: "told (UTC)", value: ({ toldAt }) => (toldAt === null ? "nobody" : minute(toldAt)) },
    { title: "said", value: ({ answer }) => (answer === null ? "" : SAID[answer]) },
    { title: "rule", value: ({ rule }) => rule },
    { title: "anomaly", value: ({ anomaly }) => anomaly },
  ]);
}
