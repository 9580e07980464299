/**
 * ClickHouse as a child process: loads libchdb.so of the platform's npm package and runs its server until ended.
 *
 * node server-child.mjs LIBRARY DATA_DIRECTORY CONFIG_FILE HTTP_PORT TCP_PORT
 *
 * The one file that rests on a C function older than the package's documented interface: `query_stable_v2` takes the
 * arguments of `clickhouse local`. The query that never ends keeps the listeners up; it runs in a thread of its own.
 */
import { DataType, load, open } from "ffi-rs";

const [library, directory, config, httpPort, tcpPort] = process.argv.slice(2);
// HTTP last: whoever waits for an answer there finds all of it up.
const query =
  "SYSTEM START LISTEN TCP; SYSTEM START LISTEN HTTP; CREATE DATABASE IF NOT EXISTS curbstop ENGINE=Atomic; " +
  "SELECT sleepEachRow(3) FROM system.numbers FORMAT Null SETTINGS max_block_size=1, max_execution_time=0";
const args = [
  "clickhouse",
  `--path=${directory}`,
  `--config-file=${config}`,
  `--http_port=${httpPort}`,
  `--tcp_port=${tcpPort}`,
  "--listen_host=127.0.0.1",
  "--multiquery",
  `--query=${query}`,
];

open({ library: "chdb", path: library });
try {
  await load({
    library: "chdb",
    funcName: "query_stable_v2",
    retType: DataType.External,
    paramsType: [DataType.I32, DataType.StringArray],
    paramsValue: [args.length, args],
    runInNewThread: true,
  });
} catch (error) {
  process.stderr.write(
    `libchdb can't be started through query_stable_v2 (${error.message}). ` +
      "This version of Curbstop knows @chdb/lib 26.7; set CURBSTOP_CLICKHOUSE_URL to use a server instead.\n",
  );
  process.exit(1);
}
process.stderr.write("The embedded ClickHouse returned by itself.\n");
process.exit(1);
