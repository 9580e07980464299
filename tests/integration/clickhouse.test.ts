import { analystGrants } from "../../infra/clickhouse/analyst-grants.js";
import { openClickHouse, type ClickHouse } from "../../infra/clickhouse/client.js";
import { kindOf, RULES } from "../../schemas/anomalies.js";
import { startCutProxy, type Fault } from "../harness/cut-proxy.js";
import { startStores, usageUtility, type TestStores } from "../harness/stores.js";

let test: TestStores;
let analyst: ClickHouse;
beforeAll(async () => {
  test = await startStores("clickhouse", {
    config: (folder) => {
      const oakvale = usageUtility(folder);
      const sources = [{ ...oakvale.sources[0]!, folder: `${folder}/drop/elm` }];
      return { utilities: [oakvale, { ...oakvale, id: "elm-ridge", name: "Elm Ridge Water", sources }] };
    },
  });
  analyst = openClickHouse(test.stores.analystUrl("oakvale")!);
});
afterAll(async () => {
  await analyst.close();
  await test.close();
});

const interval = (utility: string, version: number, more: object = {}) => ({
  utility,
  meter: "170",
  channel: "",
  start: "2026-01-01 00:00:00",
  length: 3600,
  ml: version * 1000,
  origin: "delivered",
  delivered: version,
  unit: "L",
  flags: 0,
  file: version,
  line: 1,
  counts: 1,
  version,
  gone: 0,
  ...more,
});

it("asks a question a second time where its connection was reset, and no third time", async () => {
  const url = new URL(test.stores.analystUrl("oakvale")!);
  const proxy = await startCutProxy(Number(url.port));
  url.port = String(proxy.port);
  const cut: Fault = { do: "cut", from: "client", after: 0 };
  const [first, second] = [openClickHouse(url.href), openClickHouse(url.href)];
  try {
    proxy.script(cut);
    expect(await first.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
    expect(proxy.connections).toBe(2);
    proxy.script(cut, cut);
    await expect(second.query("SELECT 1 AS one")).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(proxy.connections).toBe(4);
  } finally {
    await Promise.all([first.close(), second.close()]);
    await proxy.close();
  }
});

it("has a comment on every table, view and column", async () => {
  const { clickhouse } = test.stores;
  const bare = await clickhouse.query(
    `SELECT table, name FROM system.columns WHERE database = 'curbstop' AND comment = '' AND table != 'schema_migrations'
     UNION ALL SELECT name, '' FROM system.tables WHERE database = 'curbstop' AND comment = '' AND name != 'schema_migrations'`,
  );
  expect(bare).toEqual([]);
});

it("lets the analyst read every table and view, and the rows of that utility alone", async () => {
  const { clickhouse } = test.stores;
  const names = await clickhouse.query<{ name: string }>(
    "SELECT name FROM system.tables WHERE database = 'curbstop' AND name != 'schema_migrations' ORDER BY name",
  );
  expect(names.length).toBeGreaterThan(15);
  await clickhouse.insertRows("intervals", [interval("elm-ridge", 1, { start: "2025-11-01 00:00:00" })]);
  const tables = await Promise.all(
    names.map(async ({ name }) => [
      name,
      await analyst.query(`SELECT utility FROM curbstop.${name} WHERE utility != 'oakvale'`),
    ]),
  );
  expect(tables).toEqual(names.map(({ name }) => [name, []]));
});

it("shows each interval once in its views after a correction, in one part or several, without FINAL", async () => {
  const { clickhouse } = test.stores;
  await clickhouse.command("SYSTEM STOP MERGES curbstop.intervals");
  for (const version of [2, 1, 3]) await clickhouse.insertRows("intervals", [interval("oakvale", version)]);
  const derived = { origin: "register", start: "2026-01-01 01:00:00" };
  await clickhouse.insertRows("intervals", [interval("oakvale", 1, derived)]);
  await clickhouse.insertRows("intervals", [interval("oakvale", 2, { ...derived, gone: 1 })]);
  await clickhouse.insertRows("intervals", [
    interval("oakvale", 4, { start: "2026-01-01 02:00:00", counts: 0 }),
  ]);
  const query = "SELECT litres, file FROM curbstop.usage WHERE utility = 'oakvale'";
  const daily = "SELECT litres, hours FROM curbstop.usage_daily WHERE utility = 'oakvale'";
  expect(await clickhouse.query(query)).toEqual([{ litres: 3, file: 3 }]);
  expect(await clickhouse.query(daily)).toEqual([{ litres: 3, hours: 1 }]);
  await clickhouse.command("SYSTEM START MERGES curbstop.intervals");
  await clickhouse.command("OPTIMIZE TABLE curbstop.intervals FINAL");
  expect(await clickhouse.query(query)).toEqual([{ litres: 3, file: 3 }]);
});

it("lets the analyst of a utility see its rows alone, in tables and views, and change nothing", async () => {
  const { clickhouse } = test.stores;
  await clickhouse.insertRows("intervals", [interval("oakvale", 9), interval("elm-ridge", 9)]);
  for (const from of ["usage", "usage_daily", "intervals"]) {
    const rows = await analyst.query<{ utility: string }>(`SELECT DISTINCT utility FROM curbstop.${from}`);
    expect(rows).toEqual([{ utility: "oakvale" }]);
  }
  for (const refused of [
    "INSERT INTO curbstop.files (utility) VALUES ('oakvale')",
    "ALTER TABLE curbstop.intervals DELETE WHERE 1",
    "DROP TABLE curbstop.intervals",
    "CREATE TABLE curbstop.mine (n UInt8) ENGINE = Memory",
  ]) {
    await expect(analyst.command(refused)).rejects.toThrow();
  }
  for (const refused of [
    "SELECT * FROM curbstop.schema_migrations",
    "SELECT * FROM system.users",
    "SELECT * FROM system.query_log",
    "SELECT * FROM system.processes",
    "SELECT * FROM url('http://127.0.0.1:1/', CSV, 'a String')",
    "SELECT * FROM file('/etc/hosts', 'LineAsString')",
  ]) {
    await expect(analyst.query(refused)).rejects.toThrow();
  }
});

const anomaly = (rule: string, meter: string, start: string, end: string) => ({
  ...{
    utility: "oakvale",
    meter,
    rule,
    rule_version: 1,
    version: 1,
    state: "closed",
    reason: "flow-stopped",
  },
  ...{ id: `${rule}${meter}${start}`.replace(/\W/g, "").padEnd(32, "0").slice(0, 32), evidence: "{}" },
  ...{ start, end, detected_at: start, rate: 4000, volume: 40_000, backfill: 0, class: "commercial" },
});

it("counts as leaks what rules of that kind found, with the class of the meter, and nothing else", async () => {
  const { clickhouse } = test.stores;
  const at = ["2026-02-01 00:00:00", "2026-02-01 10:00:00"] as const;
  await clickhouse.insertRows(
    "anomalies",
    RULES.map((rule) => anomaly(rule, "171", ...at)),
  );
  const found = await analyst.query<{ rule: string }>(
    "SELECT DISTINCT rule, class FROM curbstop.leaks WHERE meter = 171 ORDER BY rule",
  );
  const leaks = RULES.filter((rule) => kindOf(rule) === "leak").sort();
  expect(found).toEqual(leaks.map((rule) => ({ rule, class: "commercial" })));
});

it("tells whether the detector found what a device reported", async () => {
  const { clickhouse } = test.stores;
  const report = (code: string, meter: string, start: string, end = start) => ({
    ...{ utility: "oakvale", meter, code, start, end, open: 0, value: 0, limit: 0, version: 1, gone: 0 },
  });
  await clickhouse.insertRows("check_findings", [
    report("device-leak", "172", "2026-02-02 06:00:00", "2026-02-03 06:00:00"),
    report("device-leak", "172", "2026-02-20 06:00:00"),
    report("device-burst", "173", "2026-02-02 06:00:00"),
    report("device-clock", "172", "2026-02-02 06:00:00"),
  ]);
  await clickhouse.insertRows("anomalies", [
    anomaly("leak", "172", "2026-02-04 00:00:00", "2026-02-06 00:00:00"),
    anomaly("high-day", "173", "2026-02-02 00:00:00", "2026-02-03 00:00:00"),
  ]);
  const answers = await analyst.query(
    "SELECT meter, code, toString(start) AS start, agrees, rules FROM curbstop.device_agreement ORDER BY meter, start",
  );
  expect(answers).toEqual([
    { meter: 172, code: "device-leak", start: "2026-02-02 06:00:00", agrees: true, rules: ["leak"] },
    { meter: 172, code: "device-leak", start: "2026-02-20 06:00:00", agrees: false, rules: [] },
    { meter: 173, code: "device-burst", start: "2026-02-02 06:00:00", agrees: false, rules: [] },
  ]);
});

it("tells what is usual for a meter, from its good hours of the last 28 days", async () => {
  const { clickhouse } = test.stores;
  const first = Date.UTC(2026, 2, 1) / 1000;
  // 40 days: 10 L in each waking hour, 2 L in each hour of the last 20 nights; a day of which half is missing, and a bad hour.
  const hours = Array.from({ length: 40 * 24 }, (_, i) => {
    const [day, hour] = [Math.floor(i / 24), i % 24];
    const litres = hour >= 6 ? 10 : day >= 20 ? 2 : 0;
    return { day, hour, litres, start: first + i * 3600 };
  }).filter(({ day, hour }) => day !== 30 || hour < 12);
  await clickhouse.insertRows(
    "intervals",
    hours.map(({ day, hour, litres, start }) => {
      const estimated = day === 35 && hour === 12;
      return interval("oakvale", 1, {
        ...{ meter: "174", start, length: 3600 },
        ...{ ml: (estimated ? 500 : litres) * 1000, flags: estimated ? 1 : 0 },
      });
    }),
  );
  const [usual] = await analyst.query<Record<string, unknown>>(
    "SELECT days, litres_a_day, highest_day, highest_hour, floor, dry[1] AS night, dry[13] AS noon FROM curbstop.baselines WHERE meter = 174",
  );
  expect(usual).toEqual({
    ...{ days: 27, litres_a_day: 192, highest_day: 192, highest_hour: 10, floor: 2 },
    night: 8 / 27,
    noon: 0,
  });
});

it("gives statements for the same analyst on a server of one's own, which parse", async () => {
  const statements = analystGrants("elm-ridge", "ab".repeat(32));
  expect(statements.join("\n")).toContain("USING utility = 'elm-ridge' TO analyst_elm_ridge");
  for (const statement of statements) {
    expect(await test.stores.clickhouse.query(`EXPLAIN AST ${statement}`)).not.toEqual([]);
  }
  expect(() => analystGrants("elm-ridge", "secret")).toThrow("64 hex digits");
});
