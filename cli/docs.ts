/**
 * Writes docs/reference/ and docs/checks.md from the sources; with --check, writes nothing and ends with 1 where a page is not what the
 * sources say.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { openClickHouse } from "../infra/clickhouse/client.js";
import { startClickHouse } from "../infra/clickhouse/embedded-server.js";
import { migrateClickHouse } from "../infra/clickhouse/migrate.js";
import { packageRoot } from "../infra/package-root.js";
import { program } from "./main.js";
import {
  checksPage,
  rulesPage,
  commandsPage,
  configSchema,
  configurationPage,
  dataClassesPage,
  messageSchemas,
  tablesPage,
  topicsPage,
} from "./reference.js";

const check = process.argv.includes("--check");
const pages = new Map<string, string>();
const json = (value: object) => JSON.stringify(value, null, 2) + "\n";
pages.set("configuration.md", configurationPage());
pages.set("curbstop.schema.json", json(configSchema()));
pages.set("topics.md", topicsPage());
for (const [topic, schema] of messageSchemas()) pages.set(`messages/${topic}.schema.json`, json(schema));
pages.set("commands.md", commandsPage(await program()));
pages.set("tables.md", await tables());
pages.set("data-classes.md", dataClassesPage());
pages.set("../checks.md", checksPage());
pages.set("../rules.md", rulesPage());

const stale: string[] = [];
for (const [name, text] of pages) {
  const path = join(packageRoot(), "docs", "reference", name);
  if (check) {
    if (!existsSync(path) || readFileSync(path, "utf8") !== text) stale.push(name);
    continue;
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
if (stale.length > 0) {
  process.stderr.write(
    `docs/reference is not what the sources say: ${stale.join(", ")}. Run: npm run docs\n`,
  );
  process.exitCode = 1;
}

async function tables(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "curbstop-docs-"));
  const server = await startClickHouse({ directory, utilities: [] });
  const clickhouse = openClickHouse(server.url);
  try {
    await migrateClickHouse(clickhouse);
    return await tablesPage(clickhouse);
  } finally {
    await clickhouse.close();
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}
