import { existsSync, writeFileSync } from "node:fs";
import type { Command } from "commander";
import { stringify } from "yaml";
import { maskedConfig } from "../../infra/config/load-config.js";
import { UsageError } from "../exit.js";
import { configSchema } from "../reference.js";
import { settingsFor } from "../settings.js";

/** `init`, `config check` and `config schema`. */
export function addTo(root: Command): void {
  root
    .command("init")
    .summary("write a configuration with comments to begin with")
    .description("Writes the file that --config names. An existing file is left alone.")
    .action((_options: object, command: Command) => {
      const { config: path } = command.optsWithGlobals<{ config: string }>();
      if (existsSync(path)) throw new UsageError(`${path} exists. Name another file with --config.`);
      writeFileSync(path, STARTER, { mode: 0o640 });
      process.stdout.write(`Wrote ${path}. Change it, then: curbstop config check\n`);
    });
  const config = root.command("config").summary("check the configuration, print its schema");
  config
    .command("check")
    .summary("every mistake of the file and the variables at once")
    .description(
      "Reads the configuration file and the environment and prints both with secrets masked, or every problem with its " +
        "line, its path in the file and what was expected (exit code 2).",
    )
    .option("--json", "one JSON object")
    .action(({ json = false }: { json?: boolean }, command: Command) => {
      const masked = maskedConfig(settingsFor(command));
      process.stdout.write(
        json ? JSON.stringify(masked) + "\n" : stringify(masked) + "# The configuration is right.\n",
      );
    });
  config
    .command("schema")
    .summary("JSON Schema of the file, for editors")
    .description(
      "Prints the JSON Schema of the configuration file. Editors complete the file where its first line is " +
        "`# yaml-language-server: $schema=PATH`.",
    )
    .action(() => {
      process.stdout.write(JSON.stringify(configSchema(), null, 2) + "\n");
    });
}

const STARTER = `# Curbstop. Every setting: docs/reference/configuration.md. Check this file: curbstop config check
dataDirectory: .curbstop        # embedded servers, archive; on the file system of the drop folders

web:
  host: 127.0.0.1
  port: 8080
  publicUrl: http://127.0.0.1:8080   # address of the confirm and unsubscribe pages in mails

# smtp:                          # left out: alerts wait in the outbox
#   host: mail.example.com
#   port: 587
#   user: curbstop
#   passwordFile: smtp-password  # or the variable CURBSTOP_SMTP_PASSWORD

utilities:
  - id: oakvale                  # never changes
    name: City of Oakvale Water
    timeZone: America/Los_Angeles
    languages: [en, es]
    units: gal
    mail:
      from: alerts@oakvale.example
      postalAddress: 1 Reservoir Road, Oakvale, CA 90000
      privacy: privacy@oakvale.example
    alerts:
      live: false                # true: alerts are sent
    sources:
      - id: customers            # who lives where, on which meter
        folder: drop/customers
        files: "*.csv"
        format: crosswalk
      - id: ami                  # hourly reads
        folder: drop/ami
        files: "*.csv"
        format: csv
        complete: { by: stability, seconds: 10 }
        profile:
          layout: long           # one read a row; wide: one row a meter and day
          columns: { meter: meter_id, time: timestamp, usage: value, quality: flag }
          time:
            format: YYYY-MM-DD HH:mm
            zone: utility        # or UTC, or an IANA zone
            stamp: beginning     # or end
            interval: 3600
          unit: gal
          quality: { estimated: [E] }
`;
