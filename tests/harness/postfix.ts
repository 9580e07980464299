import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "../../infra/supervise.js";

const POSTFIX = "/usr/sbin/postfix";
const OPENSSL = "/usr/bin/openssl";
const run = promisify(execFile);

/** A real Postfix for one test file, with mailboxes of its own. It sends nothing anywhere else. */
export interface TestPostfix {
  /** Refuses mailboxes that it does not have when they are named. */
  readonly strictPort: number;
  /** Takes mail to any mailbox of its domains, and returns what it can't deliver. */
  readonly laxPort: number;
  /** Maildir of a mailbox. */
  maildir(mailbox: string): string;
  /** Texts of the mails that lie in a mailbox. */
  mailsOf(mailbox: string): readonly string[];
  /** Lets mail to `GREY` in from now on. */
  liftGreylist(): void;
  stop(): Promise<void>;
}

/** A mailbox whose mail is refused for now, as greylisting does. */
export const GREY = "grey@town.example";

/**
 * Postfix for tests.
 * @throws Error under CI where there is none: nothing skips there
 */
export function findPostfix():
  { start(mailboxes: readonly string[]): Promise<TestPostfix> } | { readonly missing: string } {
  const missing =
    process.getuid?.() !== 0
      ? "no root, which starts it"
      : [POSTFIX, OPENSSL].find((path) => !existsSync(path));
  if (missing === undefined) return { start };
  if (process.env["CI"] === "true")
    throw new Error(
      `No Postfix for the tests (${missing}). Run tests/harness/install-postfix.sh as root first.`,
    );
  process.stderr.write(`\nSKIPPED: the tests on a real mail server, since there is ${missing}.\n`);
  return { missing };
}

async function start(mailboxes: readonly string[]): Promise<TestPostfix> {
  const folder = mkdtempSync("/srv/curbstop-postfix-");
  execFileSync("chmod", ["755", folder]);
  const [uid, gid] = ["-u", "-g"].map((what) =>
    Number(execFileSync("id", [what, "postfix"], { encoding: "utf8" })),
  );
  for (const name of ["etc", "queue", "data", "mail"]) mkdirSync(join(folder, name));
  for (const name of ["data", "mail"]) chownSync(join(folder, name), uid!, gid!);
  for (const mailbox of mailboxes)
    for (const place of ["", "new", "cur", "tmp"]) {
      mkdirSync(join(folder, "mail", mailbox, place), { recursive: true });
      chownSync(join(folder, "mail", mailbox, place), uid!, gid!);
    }
  let greylisted = true;
  const policy = await policyServer((recipient) => greylisted && recipient === GREY);
  const domains = [...new Set(mailboxes.map((mailbox) => mailbox.slice(mailbox.indexOf("@") + 1)))];
  writeFileSync(join(folder, "mailboxes"), mailboxes.map((mailbox) => `${mailbox} ${mailbox}/\n`).join(""));
  execFileSync(
    OPENSSL,
    [
      ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=mx.oakvale.example"],
      ...["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")],
    ],
    { stdio: "ignore" },
  );
  const [strictPort, laxPort] = [await freePort(), await freePort()];
  const settings: Record<string, string> = {
    compatibility_level: "3.6",
    queue_directory: join(folder, "queue"),
    data_directory: join(folder, "data"),
    command_directory: "/usr/sbin",
    daemon_directory: "/usr/lib/postfix/sbin",
    mail_owner: "postfix",
    setgid_group: "postdrop",
    maillog_file: join(folder, "maillog"),
    maillog_file_prefixes: folder,
    myhostname: "mx.oakvale.example",
    mydestination: "",
    local_transport: "error:5.1.1 no local mailboxes",
    default_transport: "error:5.4.4 this server sends nothing elsewhere",
    inet_interfaces: "127.0.0.1",
    inet_protocols: "ipv4",
    mynetworks: "127.0.0.0/8",
    smtpd_relay_restrictions: "permit_mynetworks, reject",
    smtpd_tls_security_level: "may",
    smtpd_tls_cert_file: join(folder, "cert.pem"),
    smtpd_tls_key_file: join(folder, "key.pem"),
    virtual_mailbox_domains: domains.join(" "),
    virtual_mailbox_base: join(folder, "mail"),
    virtual_mailbox_maps: `texthash:${join(folder, "mailboxes")}`,
    virtual_uid_maps: `static:${uid}`,
    virtual_gid_maps: `static:${gid}`,
    virtual_minimum_uid: "1",
    // Greylisting as it is done: the server asks at each recipient. A table's file is read when a process starts, and
    // there is no telling which process answers.
    smtpd_recipient_restrictions: `check_policy_service inet:127.0.0.1:${(policy.address() as AddressInfo).port}`,
  };
  writeFileSync(
    join(folder, "etc", "main.cf"),
    Object.entries(settings)
      .map(([name, value]) => `${name} = ${value}\n`)
      .join(""),
  );
  const services = [
    `127.0.0.1:${strictPort} inet n - n - - smtpd`,
    `127.0.0.1:${laxPort} inet n - n - - smtpd -o smtpd_reject_unlisted_recipient=no`,
    "pickup unix n - n 60 1 pickup",
    "qmgr unix n - n 300 1 qmgr",
    ...["bounce bounce", "defer bounce", "trace bounce"].map(
      (one) => `${one.split(" ")[0]} unix - - n - 0 ${one.split(" ")[1]}`,
    ),
    ...[
      "tlsmgr",
      "rewrite trivial-rewrite",
      "cleanup",
      "error",
      "retry error",
      "virtual",
      "anvil",
      "proxymap",
    ].map((one) => {
      const [name, command = name] = one.split(" ");
      return `${name} unix ${name === "cleanup" ? "n" : "-"} ${name === "virtual" ? "n" : "-"} n - ${name === "cleanup" ? "0" : name === "tlsmgr" || name === "anvil" ? "1" : "-"} ${command}`;
    }),
    "postlog unix-dgram n - n - 1 postlogd",
  ];
  writeFileSync(join(folder, "etc", "master.cf"), services.join("\n") + "\n");
  const child = spawn(POSTFIX, ["-c", join(folder, "etc"), "start-fg"], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const maildir = (mailbox: string) => join(folder, "mail", mailbox);
  for (let tries = 0; !(await answers(laxPort)); tries++) {
    if (tries === 100 || child.exitCode !== null) {
      const log = join(folder, "maillog");
      throw new Error(`Postfix did not start:\n${existsSync(log) ? readFileSync(log, "utf8") : "(no log)"}`);
    }
    await sleep(100);
  }
  return {
    strictPort,
    laxPort,
    maildir,
    mailsOf: (mailbox) =>
      ["new", "cur"].flatMap((place) => {
        const at = join(maildir(mailbox), place);
        return existsSync(at) ? readdirSync(at).map((name) => readFileSync(join(at, name), "utf8")) : [];
      }),
    liftGreylist() {
      greylisted = false;
    },
    async stop() {
      await run(POSTFIX, ["-c", join(folder, "etc"), "stop"]).catch(() => undefined);
      await ended;
      policy.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Postfix's policy delegation protocol: lines `name=value` of one question up to an empty one, then its action. */
async function policyServer(refuses: (recipient: string) => boolean): Promise<Server> {
  const server = createServer((socket) => {
    let asked = "";
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes) => {
      asked += bytes.toString("latin1");
      for (let end; (end = asked.indexOf("\n\n")) >= 0; asked = asked.slice(end + 2)) {
        const recipient = /^recipient=(.*)$/m.exec(asked.slice(0, end))?.[1] ?? "";
        socket.write(`action=${refuses(recipient) ? "450 4.2.0 Greylisted, try again later" : "dunno"}\n\n`);
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("data", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
