import { constants } from "node:fs";
import { Resolver } from "node:dns/promises";
import { access, stat, statfs } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import type { Command } from "commander";
import type { Settings } from "../../infra/config/load-config.js";
import { runningServers } from "../../infra/data-directory.js";
import { dkimKey, dkimRecord } from "../../notify/index.js";
import type { Stores } from "../../infra/stores.js";
import { EXIT, explain } from "../exit.js";
import { settingsFor } from "../settings.js";
import { colours } from "../terminal.js";
import { withStores } from "../with-stores.js";

interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly found: string;
  /** What to do, where it is not as it should be. */
  readonly mend?: string;
}

const LOW_DISK_BYTES = 2 * 1024 ** 3;

/** `doctor`: looks at everything that must be in order and says what is not. */
export function addTo(root: Command): void {
  root
    .command("doctor")
    .summary("look at everything that must be in order")
    .description(
      "Checks the configuration, folders, disk, keys, stores, topics, unfinished files, stuck messages, the mail " +
        "server and the keys of DKIM in DNS, and says how to mend what is wrong. Ends with 0, 1 where a check failed, 2 or 3 where it could not go on.",
    )
    .option("--json", "one JSON array of checks")
    .action(async ({ json = false }: { json?: boolean }, command: Command) => {
      const settings = settingsFor(command);
      const findings: Finding[] = [{ check: "configuration", ok: true, found: "right" }];
      findings.push(
        ...(await folders(settings)),
        await mailServer(settings),
        ...(await signatures(settings)),
      );
      let code: number = EXIT.done;
      try {
        findings.push(...(await withStores(settings, (stores) => inStores(settings, stores), "silent")));
      } catch (error) {
        const { text, code: why } = await explain(error);
        code = why;
        findings.push({
          check: "stores",
          ok: false,
          found: text.split("\n")[0]!,
          mend: "start the store, or mend its variable",
        });
      }
      if (code === EXIT.done && findings.some(({ ok }) => !ok)) code = EXIT.rejected;
      process.stdout.write(json ? JSON.stringify(findings) + "\n" : report(findings));
      process.exitCode = code;
    });
}

function report(findings: readonly Finding[]): string {
  const { green, red, dim } = colours(process.stdout);
  return findings
    .map(
      ({ check, ok, found, mend }) =>
        `${ok ? green("ok   ") : red("wrong")}  ${check.padEnd(22)} ${found}\n` +
        (mend === undefined ? "" : dim(`       ${"".padEnd(22)} ${mend}\n`)),
    )
    .join("");
}

async function folders({ config }: Settings): Promise<Finding[]> {
  const findings: Finding[] = [];
  const owner = runningServers(config.dataDirectory);
  findings.push({
    check: "data directory",
    ok: true,
    found:
      owner === undefined
        ? `${config.dataDirectory}, free`
        : `${config.dataDirectory}, used by process ${owner.pid} since ${owner.since}`,
  });
  const device = (await stat(await existing(config.dataDirectory))).dev;
  const { bavail, bsize } = await statfs(await existing(config.dataDirectory));
  const free = bavail * bsize;
  findings.push({
    check: "disk",
    ok: free >= LOW_DISK_BYTES,
    found: `${(free / 1024 ** 3).toFixed(1)} GiB free`,
    ...(free >= LOW_DISK_BYTES ? {} : { mend: "make room: the stores stall when the disk is full" }),
  });
  const key = await stat(config.keyFile!).catch(() => undefined);
  if (key !== undefined) {
    const open = (key.mode & 0o077) !== 0;
    findings.push({
      check: "key file",
      ok: !open,
      found: open ? `others may read it (mode ${(key.mode & 0o777).toString(8)})` : config.keyFile!,
      ...(open ? { mend: `chmod 600 ${config.keyFile!}` } : {}),
    });
  }
  for (const { id, mail, sources } of config.utilities) {
    if (mail.bounces !== undefined) {
      const inbox = join(mail.bounces.folder, "new");
      const there = await access(inbox, constants.R_OK | constants.W_OK).then(
        () => true,
        () => false,
      );
      findings.push({
        check: `returned mail ${id}`.slice(0, 40),
        ok: there,
        found: there ? mail.bounces.folder : `${inbox} is not there, or not ours to read and empty`,
        ...(there
          ? {}
          : {
              mend: "have the mail server deliver mail.bounces.address into that Maildir, with rights for this user",
            }),
      });
    }
    for (const source of sources) {
      const check = `drop folder ${id}/${source.id}`.slice(0, 40);
      const there = await stat(source.folder).catch(() => undefined);
      if (there === undefined) {
        findings.push({ check, ok: true, found: `${source.folder}, made at the first start` });
      } else if (!there.isDirectory()) {
        findings.push({
          check,
          ok: false,
          found: `${source.folder} is no folder`,
          mend: "name a folder in the configuration",
        });
      } else if (there.dev !== device) {
        findings.push({
          check,
          ok: false,
          found: `${source.folder} is on another file system than the data directory`,
          mend: "put both on one: files are claimed by renaming them",
        });
      } else {
        const writable = await access(source.folder, constants.R_OK | constants.W_OK).then(
          () => true,
          () => false,
        );
        findings.push({
          check,
          ok: writable,
          found: source.folder + (writable ? "" : " can't be read and changed"),
          ...(writable ? {} : { mend: "give this user the right to read and write it" }),
        });
      }
    }
  }
  return findings;
}

/** The path itself, or the nearest folder above that exists. */
async function existing(path: string): Promise<string> {
  let at = path;
  while ((await stat(at).catch(() => undefined)) === undefined) at = dirname(at);
  return at;
}

/** Whether DNS tells the keys by which utilities sign their mails. */
async function signatures({ config: { utilities } }: Settings): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const utility of utilities) {
    const check = `DKIM ${utility.id}`.slice(0, 40);
    try {
      const key = dkimKey(utility);
      if (key === undefined) continue;
      const { name, text } = dkimRecord(key);
      const told = await new Resolver({ timeout: 3000, tries: 2 })
        .resolveTxt(name)
        .catch((error: NodeJS.ErrnoException) => error.code ?? "error");
      const ok = Array.isArray(told) && told.some((parts) => parts.join("") === text);
      const found = ok ? "as it should be" : Array.isArray(told) ? "another text" : told;
      const mend = ok ? {} : { mend: `publish in DNS, as TXT: ${name} "${text}"` };
      findings.push({ check, ok, found: `${name}: ${found}`, ...mend });
    } catch (error) {
      findings.push({ check, ok: false, found: (error as Error).message });
    }
  }
  return findings;
}

async function mailServer({ config: { smtp } }: Settings): Promise<Finding> {
  const check = "mail server";
  if (smtp === undefined) return { check, ok: true, found: "none configured: alerts wait in the outbox" };
  const place = `${smtp.host}:${smtp.port}`;
  const answers = await new Promise<boolean>((resolve) => {
    const socket = connect({ host: smtp.host, port: smtp.port, timeout: 5000 });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once(smtp.secure ? "connect" : "data", () => end(true));
    socket.once("error", () => end(false));
    socket.once("timeout", () => end(false));
  });
  return answers
    ? { check, ok: true, found: place }
    : {
        check,
        ok: false,
        found: `${place} does not answer`,
        mend: "look at smtp.host and smtp.port, and the network",
      };
}

async function inStores(settings: Settings, stores: Stores): Promise<Finding[]> {
  const findings: Finding[] = [];
  const { database, clickhouse, log, embedded } = stores;
  const [server] = await database.query<{ version: string; drift: number }>(
    "SELECT current_setting('server_version') AS version, extract(epoch FROM clock_timestamp())::float8 AS drift",
  );
  findings.push({
    check: "PostgreSQL",
    ok: true,
    found: `${embedded.postgres ? "embedded" : new URL(database.url).host}, version ${server!.version}`,
  });
  const drift = Math.abs(server!.drift - Date.now() / 1000);
  findings.push({
    check: "clocks",
    ok: drift < 5,
    found: `PostgreSQL's is ${drift.toFixed(1)} s from ours`,
    ...(drift < 5 ? {} : { mend: "set both by NTP" }),
  });
  const [engine] = await clickhouse.query<{ version: string }>("SELECT version() AS version");
  findings.push({
    check: "ClickHouse",
    ok: true,
    found: `${embedded.clickhouse ? "embedded" : new URL(stores.clickhouseUrl).host}, version ${engine!.version}`,
  });
  findings.push({
    check: "log",
    ok: true,
    found: `${embedded.log ? "embedded" : "Kafka"}, identity ${await log.identity()}`,
  });
  const [files] = await database.query<{ unfinished: number; rejected: number }>(
    `SELECT count(*) FILTER (WHERE state IN ('claimed', 'publishing', 'published')) AS unfinished,
            count(*) FILTER (WHERE state = 'rejected' AND claimed_at > now() - interval '7 days') AS rejected FROM files`,
  );
  findings.push({
    check: "files",
    ok: files!.rejected === 0,
    found: `${files!.unfinished} in work, ${files!.rejected} rejected whole in the last 7 days`,
    ...(files!.rejected === 0
      ? {}
      : { mend: "curbstop files shows why; after the mend: curbstop files reingest FILE" }),
  });
  const [outbox] = await database.query<{ waiting: number; unknown: number; failed: number }>(
    `SELECT count(*) FILTER (WHERE state IN ('queued', 'held')) AS waiting, count(*) FILTER (WHERE state = 'unknown') AS unknown,
            count(*) FILTER (WHERE state = 'failed') AS failed FROM outbox`,
  );
  findings.push({
    check: "outbox",
    ok: outbox!.unknown === 0,
    found: `${outbox!.waiting} waiting, ${outbox!.unknown} with unknown fate, ${outbox!.failed} failed`,
    ...(outbox!.unknown === 0 ? {} : { mend: "the notify stage settles them: is it running?" }),
  });
  for (const { id, alerts } of settings.config.utilities) {
    if (!alerts.live)
      findings.push({ check: `utility ${id}`, ok: true, found: "not live: nothing is sent (alerts.live)" });
  }
  return findings;
}
