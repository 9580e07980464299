import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../infra/supervise.js";
import { PASSWORD, startSmsc, SYSTEM_ID, type Smsc } from "../harness/smsc.js";

const BOXES = ["/usr/sbin/bearerbox", "/usr/sbin/smsbox"] as const;
const missing = BOXES.find((path) => !existsSync(path));
if (missing !== undefined) {
  if (process.env["CI"] === "true")
    throw new Error(
      `No Kannel for the tests (${missing}). Run tests/harness/install-kannel.sh as root first.`,
    );
  process.stderr.write(
    `\nSKIPPED: the message centre is not checked by Kannel, since there is no ${missing}.\n`,
  );
}

const TEXT = "¿Avisos de fugas? Para mañana: 5 é, {corchetes} y 3 € [fin]";

let centre: Smsc;
let web: Server;
let folder: string;
let sendPort: number;
const heard: URL[] = [];
const boxes: ChildProcess[] = [];

async function until<T>(look: () => T | undefined): Promise<T> {
  for (let i = 0; i < 200; i++) {
    const found = look();
    if (found !== undefined) return found;
    await sleep(100);
  }
  throw new Error(`Kannel did not come to it:\n${readFileSync(join(folder, "log"), "utf8").slice(-3000)}`);
}

(missing === undefined ? describe : describe.skip)("Kannel, an SMPP client that others wrote", () => {
  beforeAll(async () => {
    centre = await startSmsc();
    web = createServer((request, response) => {
      heard.push(new URL(request.url!, "http://here"));
      response.end("");
    });
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    const back = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
    folder = mkdtempSync(join(tmpdir(), "curbstop-kannel-"));
    const [adminPort, boxPort] = [await freePort(), await freePort()];
    sendPort = await freePort();
    const log = `log-file = "${join(folder, "log")}"\nlog-level = 0`;
    writeFileSync(
      join(folder, "kannel.conf"),
      `group = core
admin-port = ${adminPort}
admin-password = x
smsbox-port = ${boxPort}
box-allow-ip = "127.0.0.1"
dlr-storage = internal
${log}

group = smsc
smsc = smpp
smsc-id = centre
host = 127.0.0.1
port = ${centre.port}
smsc-username = ${SYSTEM_ID}
smsc-password = ${PASSWORD}
system-type = ""
transceiver-mode = true
source-addr-ton = 1
source-addr-npi = 1
dest-addr-ton = 1
dest-addr-npi = 1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = ${sendPort}
${log}

group = sendsms-user
username = tester
password = tester

group = sms-service
keyword = default
catch-all = true
get-url = "${back}/in?from=%p&to=%P&text=%a"
max-messages = 0
`,
    );
    for (const path of BOXES) {
      boxes.push(spawn(path, [join(folder, "kannel.conf")], { stdio: "ignore" }));
      if (path === BOXES[0]) await until(() => (centre.bound() > 0 ? true : undefined));
    }
  }, 60_000);
  afterAll(async () => {
    for (const box of boxes.toReversed()) {
      const ended = new Promise((resolve) => box.once("exit", resolve));
      box.kill("SIGTERM");
      await Promise.race([ended, sleep(5_000, undefined, { ref: false })]);
      box.kill("SIGKILL");
    }
    web.closeAllConnections();
    web.close();
    await centre.close();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  it("binds to our message centre, is understood to the letter, and understands its receipts and texts", async () => {
    const { port } = web.address() as AddressInfo;
    const query = new URLSearchParams({
      ...{ username: "tester", password: "tester", to: "12135550101", from: "12135550199" },
      ...{ text: TEXT, charset: "UTF-8", coding: "0", "dlr-mask": "31" },
      "dlr-url": `http://127.0.0.1:${port}/receipt?status=%d`,
    });
    const answer = await (async () => {
      for (let i = 0; ; i++) {
        try {
          return await fetch(`http://127.0.0.1:${sendPort}/cgi-bin/sendsms?${query.toString()}`);
        } catch (error) {
          if (i === 100) throw error;
          await sleep(100);
        }
      }
    })();
    expect([answer.status, await answer.text()]).toEqual([202, "0: Accepted for delivery"]);
    const sent = await until(() => centre.taken[0]);
    expect(sent).toMatchObject({ to: "12135550101", from: "12135550199", text: TEXT, wantsReceipt: true });
    // 8: the centre took it; 1: it arrived.
    const status = (want: string) =>
      until(() =>
        heard.find((url) => url.pathname === "/receipt" && url.searchParams.get("status") === want),
      );
    await status("8");
    expect(await centre.receipt(sent.id, "DELIVRD")).toBe(0);
    await status("1");

    expect(await centre.write("+12135550101", "+12135550199", "Sí, ¿mañana?")).toBe(0);
    const inbound = await until(() => heard.find(({ pathname }) => pathname === "/in"));
    expect(Object.fromEntries(inbound.searchParams)).toEqual({
      ...{ from: "+12135550101", to: "+12135550199" },
      text: expect.stringMatching(/^S.*, .ma.*ana\?$/) as string,
    });

    // Too many at once: Kannel knows the refusal by its number.
    centre.script({ do: "refuse", status: 0x58 });
    await fetch(`http://127.0.0.1:${sendPort}/cgi-bin/sendsms?${query.toString()}`);
    await until(() =>
      readFileSync(join(folder, "log"), "utf8").includes("(Throttling error)") ? true : undefined,
    );
  }, 60_000);
});
