import { mkdirSync, readFileSync, rmSync, writeFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { AnomalyHours, FoundAnomaly } from "../../detect/found-anomalies.js";
import { loadConfig } from "../../infra/config/load-config.js";
import { createLogger } from "../../infra/logger.js";
import { openStores, type Stores } from "../../infra/stores.js";
import { curbstop, startCurbstop } from "../harness/processes.js";
import { temporaryFolder } from "../harness/stores.js";

let folder: string;
let config: string;
beforeAll(async () => {
  folder = temporaryFolder("cli");
  config = join(folder, "curbstop.yaml");
  const made = await curbstop(["init", "-c", config]);
  expect(made).toMatchObject({ code: 0 });
  const text = readFileSync(config, "utf8")
    .replace("seconds: 10", "seconds: 0")
    .replace("format: crosswalk", "format: crosswalk\n        complete: { by: stability, seconds: 0 }")
    .replace("port: 8080", "port: 0");
  writeFileSync(config, text);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function drop(source: string, name: string, text: string): void {
  mkdirSync(join(folder, "drop", source), { recursive: true });
  writeFileSync(join(folder, "drop", source, name), text);
}

/** Commands beside a process that has the servers share them, and need not start any. */
async function besideServers<T>(work: () => Promise<T>): Promise<T> {
  const stores = await openStores(loadConfig(config, {}), { logger: createLogger({ level: "silent" }) });
  try {
    return await work();
  } finally {
    await stores.close();
  }
}

it("tells the mend of an unknown command, option and value, with exit code 2", async () => {
  const command = await curbstop(["ingets"]);
  expect(command.code).toBe(2);
  expect(command.stderr).toMatch(/Did you mean ingest\?/);
  const option = await curbstop(["rejects", "--jsn"]);
  expect(option.code).toBe(2);
  expect(option.stderr).toMatch(/Did you mean --json\?/);
  const value = await curbstop(["rejects", "--reason", "bad-nmber", "-c", config]);
  expect(value.code).toBe(2);
  expect(value.stderr).toMatch(/not a reason\. Known: .*bad-number/);
  const number = await curbstop(["files", "-n", "many", "-c", config]);
  expect(number.code).toBe(2);
  expect(number.stderr).toMatch(/whole number from 1 on, received "many"/);
});

it("prints help that says what each command does and what exit codes mean", async () => {
  const { code, stdout } = await curbstop(["--help"]);
  expect(code).toBe(0);
  for (const name of [
    "up",
    "ingest",
    "detect",
    "notify",
    "web",
    "run",
    "files",
    "rejects",
    "profile",
    "sql",
    "subscribe",
    "config",
    "doctor",
    "demo",
  ])
    expect(stdout).toMatch(new RegExp(`^ {2}${name}\\b`, "m"));
  expect(stdout).toMatch(/Exit codes: 0 done, 1 .*rejected.*, 2 .*, 3 .*store/);
});

it("checks a configuration: right, wrong, missing", async () => {
  expect(await curbstop(["config", "check", "-c", config])).toMatchObject({ code: 0 });
  const wrong = join(folder, "wrong.yaml");
  writeFileSync(wrong, readFileSync(config, "utf8").replace("units: gal", "units: gallons"));
  const { code, stderr } = await curbstop(["config", "check", "-c", wrong]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/wrong\.yaml:\d+ utilities\[0\]\.units: .*"gal".*received "gallons"/);
  expect(await curbstop(["up", "-c", join(folder, "none.yaml")])).toMatchObject({ code: 2 });
});

it("prints the schema that editors complete from", async () => {
  const { stdout } = await curbstop(["config", "schema"]);
  const schema = JSON.parse(stdout);
  expect(schema.properties.utilities.items.properties.timeZone.description).toMatch(/IANA/);
});

it("prints the SQL that makes a utility's analyst on a server of one's own", async () => {
  const { code, stdout, stderr } = await curbstop(["analyst", "-c", config]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/CREATE ROW POLICY IF NOT EXISTS analyst_oakvale ON curbstop\.intervals/);
  expect(stdout).not.toContain(/Password of analyst_oakvale: (\S+)/.exec(stderr)![1]);
});

it("takes what lies in the drop folders, lists files and rejects, answers the analyst", async () => {
  drop("customers", "customers.csv", "meter_id,account_id,location_id,zip\nM-1,1001,L-1,90000\n");
  const rows = ["meter_id,timestamp,value,flag"];
  for (let hour = 0; hour < 48; hour++)
    rows.push(`M-1,2026-05-0${1 + Math.floor(hour / 24)} ${String(hour % 24).padStart(2, "0")}:00,2.5,`);
  rows.push("M-1,2026-05-03 00:00,lots,");
  drop("ami", "reads.csv", rows.join("\n") + "\n");
  const run = await curbstop(["run", "--json", "-c", config]);
  expect(run.stderr).toBe("");
  expect(run.code).toBe(1);
  const summary = JSON.parse(run.stdout);
  expect(summary).toMatchObject({ reads: 48, rejected: 1 });
  expect(summary.files.map(({ state }: { state: string }) => state)).toEqual(["taken", "taken"]);

  const files = JSON.parse((await curbstop(["files", "--json", "-c", config])).stdout);
  expect(files).toHaveLength(2);
  expect(files).toContainEqual(expect.objectContaining({ source: "ami", reads: 48, rejected: 1 }));
  await besideServers(async () => {
    const rejects = JSON.parse((await curbstop(["rejects", "--json", "-c", config])).stdout);
    expect(rejects).toMatchObject([{ line: 50, code: "bad-number", field: "usage", value: "lots" }]);

    const sql = await curbstop([
      "sql",
      "SELECT count() AS n, round(sum(litres), 3) AS litres FROM usage",
      "--json",
      "-c",
      config,
    ]);
    expect(JSON.parse(sql.stdout)).toEqual({ n: expect.anything(), litres: 454.272 });
    const refused = await curbstop(["sql", "DROP TABLE intervals", "-c", config]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/ClickHouse refused/);
  });

  const again = await curbstop(["run", "-c", config]);
  expect(again).toMatchObject({ code: 0, stdout: "Nothing lay in the drop folders.\n" });
}, 120_000);

it("processes a file again after its profile was mended", async () => {
  const files = JSON.parse((await curbstop(["files", "--json", "-c", config])).stdout);
  const text = readFileSync(config, "utf8");
  writeFileSync(config, text.replace("unit: gal\n          quality", "unit: L\n          quality"));
  const again = await curbstop([
    "files",
    "reingest",
    String(files.find(({ source }: { source: string }) => source === "ami").file),
    "-c",
    config,
  ]);
  expect(again.stdout).toMatch(/processed again as \d+: archived, 48 reads, 1 rejected/);
  expect(again.code).toBe(1);
  await curbstop(["run", "-c", config]);
  const { stdout } = await curbstop([
    "sql",
    "SELECT sum(litres) FROM usage",
    "--format",
    "TSV",
    "-c",
    config,
  ]);
  expect(Number(stdout)).toBeCloseTo(120);
  const none = await curbstop(["files", "reingest", "999", "-c", config]);
  expect(none).toMatchObject({ code: 2 });
  expect(none.stderr).toMatch(/There is no file 999/);
}, 120_000);

it("tells a file's story, shows a rejected row on request, and replays it exactly once", async () => {
  const files = JSON.parse((await curbstop(["files", "--json", "-c", config])).stdout);
  const first = files.filter(({ source }: { source: string }) => source === "ami").at(-1).file as number;
  await besideServers(async () => {
    const told = await curbstop(["rejects", "show", String(first), "50", "-c", config]);
    expect(told.code).toBe(0);
    expect(told.stdout).toMatch(/bad-number, usage: received "lots"/);
    expect(told.stdout).not.toContain("M-1,");
    const row = await curbstop(["rejects", "show", String(first), "50", "--show-row", "-c", config]);
    expect(row.stdout).toContain("M-1,2026-05-03 00:00,lots,");
    expect(row.stderr).toMatch(/row of an archived file shown/);
    expect(row.stderr).not.toContain("lots");
  });

  const text = readFileSync(config, "utf8");
  writeFileSync(
    config,
    text.replace("quality: { estimated: [E] }", "quality: { estimated: [E] }\n          noRead: [lots]"),
  );
  const replayed = await curbstop(["rejects", "replay", "reads.csv", "-s", "ami", "--json", "-c", config]);
  expect(replayed.stderr).toBe("");
  expect(replayed.code).toBe(0);
  expect(JSON.parse(replayed.stdout)).toMatchObject({
    rows: { before: 1, takenNow: 1, stillRejected: 0, rejectedAnew: 0 },
    compared: { added: 0, equal: 48, corrected: 0, outranked: 0 },
  });
  const { again } = JSON.parse(replayed.stdout);
  await besideServers(async () => {
    const story = JSON.parse(
      (await curbstop(["files", "show", String(again), "--json", "-c", config])).stdout,
    );
    expect(story).toMatchObject({ name: "reads.csv", reads: 48, noReads: 1, unjudged: { ofFile: 0 } });
    const { stdout } = await curbstop(["files", "show", String(again), "-c", config]);
    expect(stdout).toMatch(/stand now +48 of 48 reads/);
    expect(stdout).toMatch(/processed +\d+ \(archived/);
    const none = await curbstop(["files", "show", "999", "-c", config]);
    expect(none).toMatchObject({ code: 2 });
    expect(none.stderr).toMatch(/There is no file 999/);
  });
}, 120_000);

it("lists what was found, and tells one of them to its numbers", async () => {
  const day = [0, 0, 0, 0, 0, 0, 9, 30, 12, 0, 0, 5, 0, 0, 0, 8, 0, 11, 25, 14, 0, 6, 0, 0];
  const rows = Array.from({ length: 24 * 24 }, (_, i) => {
    const stamp = new Date(Date.UTC(2026, 5, 1, i)).toISOString().slice(0, 16).replace("T", " ");
    const leak = i >= 22 * 24 + 9 && i < 23 * 24 + 20 ? 17 : 0;
    return `M-2,${stamp},${day[i % 24]! + ((i * 5) % 3 === 0 && day[i % 24]! > 0 ? 1 : 0) + leak},`;
  });
  drop("ami", "leak.csv", `meter_id,timestamp,value,flag\n${rows.join("\n")}\n`);
  expect(await curbstop(["run", "-c", config])).toMatchObject({ code: 0 });
  await besideServers(async () => {
    const found = JSON.parse(
      (await curbstop(["anomalies", "--json", "-c", config])).stdout,
    ) as FoundAnomaly[];
    const leak = found.find(({ rule }) => rule === "leak")!;
    expect(leak).toMatchObject({
      utility: "oakvale",
      state: "closed",
      reason: "flow-stopped",
      rate: 17_000,
      end: Date.UTC(2026, 5, 25, 3) / 1000,
      evidence: { kind: "continuous", unitHours: 1, usualFloor: 0 },
    });
    const listed = await curbstop(["anomalies", "--rule", "leak", "-c", config]);
    expect(listed.stdout).toMatch(/^id +meter key +rule +since \(local\) +for +rate +in all +state\n/);
    expect(listed.stdout).toMatch(/leak +2026-06-23 09:00 +35 h +4\.49 gal\/h +\d+ gal +flow-stopped\n/);
    expect(await curbstop(["anomalies", "--open", "--rule", "leak", "-c", config])).toMatchObject({
      code: 0,
      stdout: "Nothing was found.\n",
    });
    const { code, stdout } = await curbstop(["anomalies", "show", leak.id.slice(0, 8), "-c", config]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^leak, over \(flow-stopped\)\n/);
    expect(stdout).toMatch(/\nsince +2026-06-23 09:00, local time\nuntil +2026-06-24 20:00: 35 h\n/);
    expect(stdout).toMatch(/\nneeded +[\d.]+ nats +what was needed/);
    expect(stdout).toMatch(/\n *1 +closed, flow-stopped +2026-06-25 03:00 /);
    const bars = stdout.split("\n").filter((line) => /^ *\d* ?\|/.test(line));
    // Two days of eight lines; the flow does not stop on the first, and stops on the usual one.
    expect(bars).toHaveLength(16);
    expect(stdout.split("Usual: ")[1]).toMatch(/\|\s+(\.\.|##)/);
    const shown = JSON.parse(
      (await curbstop(["anomalies", "show", leak.id, "--json", "-c", config])).stdout,
    ) as {
      hours: AnomalyHours;
    };
    expect(shown.hours.usual[3]).toBe(0);
    expect(shown.hours.thatDay[23]).toBe(17);
    for (const [id, why] of [
      ["0000000000", /There is no anomaly 0000000000; "curbstop anomalies" lists them/],
      ["leak", /"leak" is no id: expected 4 to 32 of 0-9 and a-f/],
    ] as const) {
      const none = await curbstop(["anomalies", "show", id, "-c", config]);
      expect(none).toMatchObject({ code: 2, stdout: "" });
      expect(none.stderr).toMatch(why);
    }
  });
  const rule = await curbstop(["anomalies", "--rule", "leek", "-c", config]);
  expect(rule).toMatchObject({ code: 2, stderr: expect.stringMatching(/"leek" is not a rule. Known: /) });
}, 120_000);

it("guesses a source for a file and tries it, without any store", async () => {
  const file = join(folder, "sample.csv");
  const rows = Array.from({ length: 48 }, (_, i) => {
    const stamp = `05/13/2026 ${String(i % 24).padStart(2, "0")}:00`;
    return `000471${Math.floor(i / 24)}A;${stamp};${(i * 7) % 5},5`;
  });
  writeFileSync(file, ["Meter ID;Read Time;Usage gal", ...rows].join("\n") + "\n");
  const variables = { CURBSTOP_DATABASE_URL: "postgres://u:p@127.0.0.1:9/x" };
  const guessed = await curbstop(["profile", "guess", file, "-z", "America/Los_Angeles"], variables);
  expect(guessed).toMatchObject({ code: 0, stderr: "" });
  expect(guessed.stdout).toMatch(/# zone: utility \| UTC/);
  const yaml = join(folder, "guessed.yaml");
  writeFileSync(yaml, guessed.stdout);
  const call = ["profile", "try", file, "--profile", yaml, "-z", "America/Los_Angeles"];
  const tried = await curbstop([...call, "--rows", "2"], variables);
  expect(tried).toMatchObject({ code: 0, stderr: "" });
  expect(tried.stdout).toMatch(/2 +\*10A +2026-05-13 00:00 +01:00 +05-13 07:00 +0\.5 gal +1\.893/);
  expect(tried.stdout).not.toContain("0004710A");
  expect(tried.stdout).toMatch(/All 48 rows would be taken/);
  for (const line of tried.stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  const shown = JSON.parse((await curbstop([...call, "--json", "--show-meters"], variables)).stdout);
  expect(shown).toMatchObject({ rows: 48, meters: 2, refused: null });
  expect(shown.values[0].meter).toBe("0004710A");
}, 60_000);

it("tries temperatures: their times, when it was cold, and a clock that is not the utility's", async () => {
  const file = join(folder, "weather.csv");
  const rows = Array.from({ length: 24 * 6 }, (_, hour) => {
    const stamp = new Date(Date.UTC(2026, 0, 10, hour)).toISOString().slice(0, 16).replace("T", " ");
    return `${stamp},${hour % 24 === 22 ? 41 : 14},7`;
  });
  writeFileSync(file, ["valid,tmpf,wind", ...rows, "2026-01-12 10:00,999,7"].join("\n"));
  const yaml = join(folder, "weather.yaml");
  writeFileSync(
    yaml,
    "format: temperatures\ntemperatures:\n  columns: { time: valid, temperature: tmpf }\n  unit: F\n",
  );
  const call = ["profile", "try", file, "-p", yaml, "-z", "America/Denver"];
  const { code, stdout } = await curbstop(call);
  expect(code).toBe(1);
  expect(stdout).toMatch(/144 rows taken, 1 rejected/);
  expect(stdout).toMatch(/local 2026-01-10 00:00 to 2026-01-15 23:00/);
  expect(stdout).toMatch(
    /-10 to 5 °C; at -6\.7 °C or less 6 times\n +2026-01-10 00:00 until 2026-01-10 22:00/,
  );
  expect(stdout.replace(/\s+/g, " ")).toMatch(/warmest at 22:00 local.*mend temperatures\.time\.zone/);
  expect(stdout).toMatch(/passed over: wind[^]*not-air: 1 times[^]*line 146, temperature: "999"/);
  const told = JSON.parse((await curbstop([...call, "--json"])).stdout);
  expect(told).toMatchObject({ rows: 144, lowest: -10, highest: 5, warmestHour: 22, refused: null });
  expect(told.cold).toHaveLength(6);
}, 60_000);

it("tries a file as a source of the configuration, and says what is wrong with file, source and profile", async () => {
  const file = join(folder, "wrong.csv");
  writeFileSync(file, "meter_id,timestamp,value,flag\nM-1,2026-05-03 00:00,some,\nM-1,2026-05-03 01:00,2,\n");
  const source = await curbstop(["profile", "try", file, "--source", "oakvale/ami", "-c", config]);
  expect(source.code).toBe(1);
  expect(source.stdout).toMatch(
    /bad-number: 1 times[^]*line 2, usage: "some"[^]*1 of 2 rows would be rejected/,
  );
  const bare = join(folder, "profile.yaml");
  writeFileSync(bare, "columns: { meter: m, time: timestamp, usage: value }\ndecimal: ;\n");
  const wrong = await curbstop(["profile", "try", file, "--profile", bare, "-z", "UTC"]);
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toMatch(/profile\.yaml decimal: .*received ";"/);
  writeFileSync(bare, "columns: { meter: m, time: timestamp, usage: value }\n");
  const refused = await curbstop(["profile", "try", file, "--profile", bare, "-z", "UTC"]);
  expect(refused.code).toBe(1);
  expect(refused.stdout.replace(/\s+/g, " ")).toMatch(
    /rejected whole: The header has no column for meter "m"/,
  );
  const crosswalk = join(folder, "crosswalk.csv");
  writeFileSync(crosswalk, "meter_id,account_id,location_id,name\nM-1,1001,L-1,Ann Doe\n,1002,L-2,Bob Roe\n");
  const people = await curbstop(["profile", "try", crosswalk, "--source", "oakvale/customers", "-c", config]);
  expect(people.code).toBe(1);
  expect(people.stdout).toMatch(/1 rows taken, 1 rejected: 1 meters, 1 accounts, 1 premises\./);
  expect(people.stdout).toMatch(/line 3, meter/);
  expect(people.stdout).not.toMatch(/Ann|Bob|1001/);
  for (const [args, why] of [
    [["profile", "try", file], /--source UTILITY\/SOURCE or --profile/],
    [["profile", "try", file, "-s", "oakvale/amy", "-c", config], /these are: .*oakvale\/ami/],
    [["profile", "try", file, "-p", bare, "-z", "Mars"], /IANA time zone/],
    [
      ["profile", "try", join(folder, "none.csv"), "-s", "oakvale/ami", "-c", config],
      /can't be read \(ENOENT\)/,
    ],
    [["profile", "guess", folder], /is no file/],
  ] as const) {
    const { code, stderr } = await curbstop(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(why);
  }
}, 120_000);

it("runs until SIGTERM, shares its servers with other commands, and refuses a second up on its data", async () => {
  const up = startCurbstop(["up", "-c", config]);
  try {
    const until = Date.now() + 30_000;
    while (!up.output().includes("Stop with Ctrl-C") && Date.now() < until)
      await new Promise((r) => setTimeout(r, 50));
    expect(up.output()).toMatch(/Curbstop runs: ingest, detect, notify, web/);
    const web = /web +(http\S+)/.exec(up.output())![1]!;
    expect((await fetch(`${web}/health/ready`)).status).toBe(200);
    expect(await (await fetch(`${web}/metrics`)).text()).toMatch(/# HELP curbstop_reads_total/);
    const second = await curbstop(["up", "-c", config]);
    expect(second.code).toBe(3);
    expect(second.stderr).toContain(`in use by process ${up.child.pid}`);
    const doctor = await curbstop(["doctor", "-c", config]);
    expect(doctor.stdout).toContain(`used by process ${up.child.pid}`);
    expect(doctor.code).toBe(0);
    drop("ami", "more.csv", "meter_id,timestamp,value,flag\nM-1,2026-05-04 00:00,1,\n");
    const seen = async () => JSON.parse((await curbstop(["files", "--json", "-c", config])).stdout)[0];
    while ((await seen()).name !== "more.csv" && Date.now() < until);
    expect(await seen()).toMatchObject({ name: "more.csv", reads: 1 });
    // The detector runs in a thread of its own: its figures are told with the others.
    const judged = async () => {
      const text = await (await fetch(`${web}/metrics`)).text();
      return Number(/curbstop_detector_reads_total\{outcome="accepted"\} (\d+)/.exec(text)?.[1] ?? 0);
    };
    while ((await judged()) === 0 && Date.now() < until);
    expect(await judged()).toBe(1);
    const ready = (await (await fetch(`${web}/health/ready`)).json()) as { stages: object[] };
    expect(ready.stages).toContainEqual({ name: "detect", live: true, ready: true });
  } finally {
    up.child.kill("SIGTERM");
  }
  expect(await up.exited).toBe(0);
  expect(up.output()).not.toMatch(/"level":50/);
}, 120_000);

it("tells of a folder for returned mail that is not there", async () => {
  const other = join(folder, "returned.yaml");
  const inbox = join(folder, "Maildir");
  writeFileSync(
    other,
    readFileSync(config, "utf8").replace(
      /^( +)mail:\n/m,
      (line, indent: string) =>
        `${line}${indent}  bounces: { address: back@oakvale.example, folder: ${inbox} }\n`,
    ),
  );
  const missing = await curbstop(["doctor", "-c", other]);
  expect(missing.stdout).toMatch(/wrong +returned mail \S+ +.*Maildir\/new is not there/);
  expect(missing.stdout).toMatch(/have the mail server deliver mail\.bounces\.address/);
  expect(missing.code).toBe(1);
  mkdirSync(join(inbox, "new"), { recursive: true });
  const there = await curbstop(["doctor", "-c", other]);
  expect(there.stdout).toMatch(/ok +returned mail/);
  expect(there.code).toBe(0);
}, 60_000);

describe("beside a process that has the servers", () => {
  let stores: Stores;
  beforeAll(async () => {
    stores = await openStores(loadConfig(config, {}), { logger: createLogger({ level: "silent" }) });
  }, 60_000);
  afterAll(() => stores.close());

  it("tells why somebody was told or not, and what residents wrote", async () => {
    const why = (...args: string[]) => curbstop(["why", ...args, "-c", config]);
    expect(await why()).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/give --anomaly or --contact/),
    });
    expect(await why("--contact", "nobody@mail.example")).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/knows no such address/),
    });
    expect(await why("--anomaly", "0".repeat(32))).toMatchObject({
      code: 0,
      stdout: "Nothing is known of it.\n",
    });
    expect(await curbstop(["texts", "-c", config])).toMatchObject({ code: 0, stdout: "No text waits.\n" });
    expect(await curbstop(["texts", "--json", "-c", config])).toMatchObject({ code: 0, stdout: "[]\n" });
    expect(await curbstop(["texts", "done", "SM1", "-c", config])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/No text SM1 waits/),
    });
    const phone = ["--account", "1001", "--zip", "90001", "--phone", "213-555-0123"];
    expect(await curbstop(["subscribe", ...phone, "-c", config])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/phone missing or not in the expected form/),
    });
  }, 120_000);

  it("keeps who looked at personal data and what for, and lists whom to call", async () => {
    expect(await curbstop(["calls", "-c", config])).toMatchObject({
      code: 0,
      stdout: "Nobody needs a call.\n",
    });
    expect(await curbstop(["calls", "--untold", "--json", "-c", config])).toMatchObject({
      code: 0,
      stdout: "[]\n",
    });
    const log = await curbstop(["privacy", "--json", "-c", config]);
    const looks = (JSON.parse(log.stdout) as { kind: string; what: string; purpose: string }[]).map(
      ({ kind, what, purpose }) => `${kind} ${what} ${purpose}`,
    );
    expect(looks).toEqual(
      expect.arrayContaining(["look why --contact help", "look texts help", "look calls call"]),
    );
    expect(log.stdout).not.toContain("nobody@mail.example");
    expect((await curbstop(["privacy", "log", "-c", config])).stdout).toMatch(/several +calls +call/);
    const letters = join(folder, "letters.csv");
    expect(await curbstop(["codes", "--out", letters, "-c", config])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Wrote \d+ codes to /),
    });
    expect(readFileSync(letters, "utf8")).toMatch(/^account,name,address,code\r\n/);
    expect(statSync(letters).mode & 0o777).toBe(0o600);
    expect(await curbstop(["codes", "--out", letters, "-c", config])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/is there already/),
    });
    const gossip = await curbstop([
      "why",
      "--contact",
      "a@mail.example",
      "--purpose",
      "gossip",
      "-c",
      config,
    ]);
    expect(gossip).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/Allowed choices are help, call/),
    });
    const unknown = ["--contact", "a@mail.example", "--to", "court", "--what", "all", "--ground", "order 1"];
    expect(await curbstop(["privacy", "disclose", ...unknown, "-c", config])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/knows no such address/),
    });
    expect(await curbstop(["privacy", "--from", "soon", "-c", config])).toMatchObject({ code: 2 });
    expect(await curbstop(["privacy", "recipients", "-c", config])).toMatchObject({
      code: 0,
      stdout: "Nobody: all of it stays on this machine.\n",
    });
    const contract = join(folder, "contract.yaml");
    writeFileSync(
      contract,
      readFileSync(config, "utf8").replace(
        /^( +)mail:\n/m,
        (line, indent: string) =>
          `${indent}disclosures: [{ clause: "7.2", to: Auditor, purposes: [audit] }]\n${line}`,
      ),
    );
    expect(await curbstop(["privacy", "recipients", "-c", contract])).toMatchObject({
      stdout: expect.stringMatching(/Auditor +clause 7\.2/),
    });
    const given = ["--contact", "a@mail.example", "--to", "News", "--what", "all", "--ground", "7.2"];
    expect(await curbstop(["privacy", "disclose", ...given, "-c", contract])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--ground: clause 7\.2 is for Auditor/),
    });
  }, 120_000);

  it("shows a notice before it sends it, where data comes from, and publishes what may be", async () => {
    const file = join(folder, "notice.yaml");
    const words = (language: string) =>
      `  ${language}: { subject: "Our terms change", text: "One.\\n\\nTwo." }\n`;
    writeFileSync(file, `name: Terms\nabout: tips\nwords:\n${words("en")}`);
    const wrong = await curbstop(["notices", "send", file, "-c", config]);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(/notice\.yaml:1 name: expected small letters.*received "Terms"/);
    expect(wrong.stderr).toMatch(/notice\.yaml:2 about: .*received "tips"/);
    expect(wrong.stderr).toMatch(/words\.es/);
    writeFileSync(file, `name: terms-2027\nabout: terms\nwords:\n${words("en")}${words("es")}`);
    const shown = await curbstop(["notices", "send", file, "-c", config]);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(/--- en\nSubject: Our terms change[^]*--- es[^]*Would go to \d+ address/);
    expect(shown.stdout).toMatch(/Nothing was sent\. Send it with --yes\.\n$/);
    expect(await curbstop(["notices", "--json", "-c", config])).toMatchObject({ code: 0, stdout: "[]\n" });
    const letters = join(folder, "notice letters.csv");
    const sent = await curbstop(["notices", "send", file, "--yes", "--letters", letters, "-c", config]);
    expect(sent).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Goes to \d+ address/) });
    expect(readFileSync(letters, "utf8")).toMatch(/^account,name,address,language\r\n/);

    const unknown = await curbstop(["privacy", "origins", "--account", "NOBODY-1", "-c", config]);
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringMatching(/knows no such account/) });
    const crosswalk = await curbstop(["privacy", "forget", "customers", "--yes", "-c", config]);
    expect(crosswalk).toMatchObject({ code: 2, stderr: expect.stringMatching(/still in the configuration/) });
    const careless = await curbstop(["privacy", "forget", "parcels", "-c", config]);
    expect(careless).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/can't be brought back. Add --yes/),
    });
    const forgotten = await curbstop(["privacy", "forget", "parcels", "--yes", "-c", config]);
    expect(forgotten).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Deleted: 0 names, /) });

    const closed = await curbstop(["publish", "2026-01", "-c", config]);
    expect(closed).toMatchObject({ code: 2, stderr: expect.stringMatching(/set `publish` with the clause/) });
    const open = join(folder, "publish.yaml");
    const published = (line: string, indent: string) => `${indent}publish: { clause: "7.2" }\n${line}`;
    writeFileSync(open, readFileSync(config, "utf8").replace(/^( +)mail:\n/m, published));
    const few = await curbstop(["publish", "2026-01", "-c", open]);
    expect(few).toMatchObject({ code: 2, stderr: expect.stringMatching(/Too few customers in 2026-01/) });
    expect(await curbstop(["publish", "-c", open])).toMatchObject({ stdout: "Nothing was published.\n" });
  }, 120_000);

  it("proves consents and erases on request, by what the stores know", async () => {
    const run = (...args: string[]) => curbstop([...args, "-c", config]);
    const unknown = { code: 2, stderr: expect.stringMatching(/knows no such address/) as string };
    expect(await run("consents", "verify")).toMatchObject({
      code: 0,
      stdout: "There are no consents yet.\n",
    });
    expect(await run("consents", "export", "--contact", "nobody@mail.example")).toMatchObject(unknown);
    expect(await run("consents", "ends")).toMatchObject({ code: 0, stdout: "" });
    const ends = join(folder, "ends.jsonl");
    const stopped = {
      ...{ ended: "suppressed", utility: "oakvale", channel: "sms", reason: "stop" },
      ...{ address: "0f".repeat(32), at: "2026-06-01T19:00:00.000Z" },
    };
    writeFileSync(ends, `${JSON.stringify(stopped)}\n`);
    const put = ["consents", "ends", "--import", ends];
    expect(await run(...put)).toMatchObject({ code: 0, stdout: "1 read, 1 were news.\n" });
    expect(await run(...put)).toMatchObject({ code: 0, stdout: "1 read, 0 were news.\n" });
    expect(JSON.parse((await run("consents", "ends")).stdout)).toEqual(stopped);
    writeFileSync(ends, `${JSON.stringify(stopped)}\nSTOP\n`);
    expect(await run(...put)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/line 2 of .*ends\.jsonl: expected a JSON object/),
    });
    expect(await run("erasures")).toMatchObject({ code: 0, stdout: "Nobody has asked to be erased.\n" });
    expect(await run("erasures", "list", "--json")).toMatchObject({ code: 0, stdout: "[]\n" });
    expect(await run("erasures", "request", "--contact", "nobody@mail.example")).toMatchObject(unknown);
    const hold = ["erasures", "hold", "--contact", "nobody@mail.example"];
    expect(await run(...hold)).toMatchObject({ code: 2, stderr: expect.stringMatching(/--reason/) });
    expect(await run(...hold, "--reason", "court")).toMatchObject(unknown);
    expect(await run(...hold, "--reason", "court", "--until", "soon")).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--until soon is no day. Expected YYYY-MM-DD/),
    });
    expect(await run("erasures", "lift", "--contact", "nobody@mail.example")).toMatchObject({
      code: 0,
      stdout: "Nothing held it.\n",
    });
  }, 120_000);
});

it("writes every message that residents may get, without a store", async () => {
  const into = join(folder, "preview");
  const { code, stdout } = await curbstop(["preview", into, "-c", config]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Wrote 60 mails, 0 text messages and 0 calls\. Open /);
  const mail = readFileSync(join(into, "es", "leak-nonstop.html"), "utf8");
  expect(mail).toContain("City of Oakvale Water");
  expect(mail).toContain("El agua corre a propósito");
  expect(readFileSync(join(into, "en", "leak-nonstop.txt"), "utf8")).toContain("without a break");
  expect(readFileSync(join(into, "index.html"), "utf8")).toContain('src="en/leak-nonstop.html"');
  const { mails } = JSON.parse((await curbstop(["preview", "--json", "-c", config])).stdout) as {
    mails: { name: string; subject: string }[];
  };
  expect(mails).toHaveLength(60);
}, 60_000);

it("says which store can't be reached, with exit code 3", async () => {
  const variables = { CURBSTOP_DATABASE_URL: "postgres://u:p@127.0.0.1:9/x" };
  const { code, stderr } = await curbstop(["files", "-c", config], variables);
  expect(code).toBe(3);
  expect(stderr).toMatch(/PostgreSQL can't be used/);
}, 60_000);
