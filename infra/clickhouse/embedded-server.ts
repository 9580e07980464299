import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { totalmem } from "node:os";
import { dirname, join } from "node:path";
import type { Logger } from "../logger.js";
import { packageRoot } from "../package-root.js";
import { SupervisedServer } from "../supervise.js";

/** Tables that hold rows of several utilities; each gets the analysts' row filter. */
export const SHARED_TABLES = [
  "register_reads",
  "intervals",
  "superseded_reads",
  "anomalies",
  "anomaly_history",
  "check_findings",
  "files",
  "meter_registers",
  "bills",
];
export const VIEWS = [
  "reads_current",
  "usage",
  "usage_daily",
  "corrections",
  "anomalies_current",
  "leaks",
  "baselines",
  "device_agreement",
  "silent_meters",
  "checks_current",
  "sum_check",
  "bills_current",
  "bill_check",
  "late_reads",
  "files_current",
  "freshness",
];

export interface EmbeddedClickHouse {
  /** HTTP address with the application's user. */
  readonly url: string;
  /** HTTP address with the read-only user of a utility. */
  analystUrl(utility: string): string;
  readonly tcpPort: number;
  readonly server: SupervisedServer;
  stop(): Promise<void>;
}

/**
 * ClickHouse from the npm package of this platform, on the loopback address, in `directory`.
 *
 * Users live in a file that is written at each start: `curbstop` may do all; `analyst_<utility>` reads the tables and
 * views of database curbstop, rows of that utility alone.
 * @throws Error where there is no package for the platform: it names the variable to set
 */
export async function startClickHouse(options: {
  readonly directory: string;
  readonly utilities: readonly string[];
  readonly logger?: Logger;
}): Promise<EmbeddedClickHouse> {
  const { directory, utilities, logger } = options;
  const library = libraryPath();
  const store = join(directory, "store");
  mkdirSync(store, { recursive: true });
  const passwords = passwordsOf(directory, utilities);
  const users = join(directory, "users.xml");
  const config = join(directory, "config.xml");
  writeFileSync(users, usersXml(passwords, utilities), { mode: 0o600 });
  writeFileSync(config, configXml(users, directory), { mode: 0o600 });

  const server = await SupervisedServer.start({
    name: "embedded ClickHouse",
    command: process.execPath,
    ports: 2,
    args: (ports) => [
      join(packageRoot(), "infra", "clickhouse", "server-child.mjs"),
      library,
      store,
      config,
      ...ports.map(String),
    ],
    stopSignal: "SIGTERM",
    answers: async ([httpPort]) => {
      const response = await fetch(`http://127.0.0.1:${httpPort}/?query=SELECT%201`, {
        headers: { "X-ClickHouse-User": "curbstop", "X-ClickHouse-Key": passwords["curbstop"]! },
        signal: AbortSignal.timeout(2000),
      });
      return response.ok;
    },
    logger,
  });
  const [httpPort, tcpPort] = server.ports;
  const url = (user: string) => `http://${user}:${passwords[user]}@127.0.0.1:${httpPort}`;
  return {
    url: url("curbstop"),
    analystUrl: (utility) => url(analystUser(utility)),
    tcpPort: tcpPort!,
    server,
    stop: () => server.stop(),
  };
}

/** Name of the read-only user of a utility. */
export function analystUser(utility: string): string {
  return `analyst_${utility.replaceAll("-", "_")}`;
}

function libraryPath(): string {
  const platform =
    process.platform === "linux" ? `linux-${process.arch}-gnu` : `${process.platform}-${process.arch}`;
  const name = `@chdb/lib-${platform}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), "libchdb.so");
  } catch {
    throw new Error(
      `There is no embedded ClickHouse for this platform (${name} is not installed). ` +
        `Set CURBSTOP_CLICKHOUSE_URL to a ClickHouse server, or install with optional dependencies.`,
    );
  }
}

function passwordsOf(directory: string, utilities: readonly string[]): Record<string, string> {
  const file = join(directory, "passwords.json");
  const known = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record<string, string>) : {};
  for (const user of ["curbstop", ...utilities.map(analystUser)])
    known[user] ??= randomBytes(24).toString("hex");
  writeFileSync(file, JSON.stringify(known, null, 2) + "\n", { mode: 0o600 });
  return known;
}

function usersXml(passwords: Record<string, string>, utilities: readonly string[]): string {
  const sha256 = (user: string) => createHash("sha256").update(passwords[user]!).digest("hex");
  const analysts = utilities.map((utility) => {
    const user = analystUser(utility);
    const filters = SHARED_TABLES.map(
      (table) => `<${table}><filter>utility = '${utility}'</filter></${table}>`,
    );
    const grants = [...SHARED_TABLES, ...VIEWS].map(
      (table) => `<query>GRANT SELECT ON curbstop.${table}</query>`,
    );
    return `<${user}>
      <password_sha256_hex>${sha256(user)}</password_sha256_hex>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>analyst</profile><quota>default</quota>
      <grants>${grants.join("")}</grants>
      <databases><curbstop>${filters.join("")}</curbstop></databases>
    </${user}>`;
  });
  return `<clickhouse>
  <profiles>
    <default/>
    <analyst><readonly>2</readonly><max_execution_time>300</max_execution_time></analyst>
  </profiles>
  <quotas><default/></quotas>
  <users>
    <default><no_password/><networks><ip>::1</ip></networks><profile>default</profile><quota>default</quota></default>
    <curbstop>
      <password_sha256_hex>${sha256("curbstop")}</password_sha256_hex>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile><quota>default</quota>
    </curbstop>
    ${analysts.join("\n    ")}
  </users>
</clickhouse>
`;
}

function configXml(users: string, directory: string): string {
  const most = Math.floor(totalmem() * 0.5);
  return `<clickhouse>
  <users_config>${users}</users_config>
  <logger><level>none</level></logger>
  <tmp_path>${join(directory, "tmp")}/</tmp_path>
  <max_server_memory_usage>${most}</max_server_memory_usage>
  <mark_cache_size>134217728</mark_cache_size>
  <timezone>UTC</timezone>
</clickhouse>
`;
}
