import { CLICKHOUSE_COLUMNS, classOfColumns, POSTGRES_COLUMNS } from "../../infra/data-classes.js";
import { startStores, type TestStores } from "../harness/stores.js";

let test: TestStores;
beforeAll(async () => {
  test = await startStores("data-classes");
});
afterAll(() => test.close());

const postgres = classOfColumns(POSTGRES_COLUMNS);
const clickhouse = classOfColumns(CLICKHOUSE_COLUMNS);
const columns = () =>
  test.stores.database.query<{ name: string; type: string }>(
    `SELECT table_name || '.' || column_name AS name, data_type AS type FROM information_schema.columns
     WHERE table_schema = 'public' ORDER BY 1`,
  );

it("knows the class of every column of PostgreSQL, and of no other", async () => {
  const names = (await columns()).map(({ name }) => name);
  expect([...postgres.keys()].sort()).toEqual(names.sort());
});

it("knows the class of every column of ClickHouse, and of no other", async () => {
  const found = await test.stores.clickhouse.query<{ name: string }>(
    `SELECT concat(c.table, '.', c.name) AS name FROM system.columns AS c
     JOIN system.tables AS t ON t.database = c.database AND t.name = c.table
     WHERE c.database = 'curbstop' AND t.engine NOT LIKE '%View' AND c.table != 'schema_migrations'`,
  );
  expect([...clickhouse.keys()].sort()).toEqual(found.map(({ name }) => name).sort());
});

it("keeps persons in PostgreSQL alone, sealed or as keyed hashes, and what belongs to them there", async () => {
  const types = new Map((await columns()).map(({ name, type }) => [name, type]));
  const persons = [...postgres].filter(([, one]) => one === "person").map(([name]) => name);
  expect(persons.length).toBeGreaterThan(15);
  expect(persons.filter((name) => types.get(name) !== "bytea")).toEqual([]);
  // A name that says so is of that class.
  const named = [...postgres.keys()].filter((name) =>
    /_sealed$|(address|number|serial|zip|location)_hash$/.test(name),
  );
  expect(named.filter((name) => postgres.get(name) !== "person")).toEqual([]);
  expect(new Set(clickhouse.values())).toEqual(new Set(["pseudonymous", "operation"]));
});
