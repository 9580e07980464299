import { types } from "node:util";
import { Agent, request } from "node:http";
import { request as requestTls, Agent as TlsAgent } from "node:https";
import { createClient, ClickHouseError } from "@clickhouse/client";
import { requireTls } from "../endpoints.js";

export interface ClickHouse {
  /** Rows of a SELECT, which is asked a second time where its connection is reset. */
  query<T>(sql: string, parameters?: Readonly<Record<string, unknown>>): Promise<T[]>;
  command(sql: string): Promise<void>;
  /**
   * Inserts one block in Native format and resolves when it is durable. What falls into one partition of the table is
   * stored whole or not at all. The same block again replaces itself.
   * @param statement `INSERT INTO …`, with columns in the block's order or with a `SELECT … FROM input(…)`
   */
  insertNative(statement: string, block: Buffer): Promise<void>;
  /** Inserts rows as objects: for tables with few. */
  insertRows(table: string, rows: readonly object[]): Promise<void>;
  ping(): Promise<boolean>;
  close(): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 120_000;
/**
 * The rows go in as one part a month, however many a folded block unfolds to. Rows of the same identity are left to
 * merges and FINAL: to merge them in the insert took half of its time.
 */
const INSERT_SETTINGS = [
  "async_insert=0",
  "wait_end_of_query=1",
  "insert_deduplicate=0",
  "optimize_on_insert=0",
  "max_insert_threads=1",
  "min_insert_block_size_rows=1000000000",
  "min_insert_block_size_bytes=1000000000000",
].join("&");

/** @param url http(s)://user:password@host:port, database `curbstop` */
export function openClickHouse(url: string): ClickHouse {
  const address = new URL(url);
  requireTls("CURBSTOP_CLICKHOUSE_URL", url, address.protocol === "https:");
  const username = decodeURIComponent(address.username) || "default";
  const password = decodeURIComponent(address.password);
  const client = createClient({
    url: `${address.protocol}//${address.host}`,
    username,
    password,
    request_timeout: REQUEST_TIMEOUT_MS,
    // Its own logger writes queries with their arguments to the console.
    log: { level: 127 },
    clickhouse_settings: { async_insert: 0 },
  });
  const tls = address.protocol === "https:";
  const agent = tls
    ? new TlsAgent({ keepAlive: true, maxSockets: 8 })
    : new Agent({ keepAlive: true, maxSockets: 8 });

  return {
    async query<T>(sql: string, parameters: Readonly<Record<string, unknown>> = {}) {
      const ask = async () => {
        const result = await client.query({
          query: sql,
          query_params: { ...parameters },
          format: "JSONEachRow",
        });
        return result.json<T>();
      };
      try {
        return await ask();
      } catch (error) {
        // The server may close a resting connection in the moment in which it is used again: a question can be asked twice.
        if (!isReset(error)) throw error;
        return ask();
      }
    },
    async command(sql) {
      await client.command({ query: sql });
    },
    insertNative(statement, block) {
      const query = `${statement} FORMAT Native`;
      return new Promise<void>((resolve, reject) => {
        const call = (tls ? requestTls : request)(
          {
            agent,
            host: address.hostname.replace(/^\[|\]$/g, ""),
            port: address.port || (tls ? 443 : 8123),
            method: "POST",
            path: `/?${INSERT_SETTINGS}&query=${encodeURIComponent(query)}`,
            headers: {
              "X-ClickHouse-User": username,
              "X-ClickHouse-Key": password,
              "Content-Length": block.length,
            },
            timeout: REQUEST_TIMEOUT_MS,
          },
          (response) => {
            const chunks: Buffer[] = [];
            response.on("data", (chunk: Buffer) => chunks.push(chunk));
            response.on("error", reject);
            response.on("end", () => {
              if (response.statusCode === 200) return resolve();
              const text = Buffer.concat(chunks).toString("utf8");
              const code = response.headers["x-clickhouse-exception-code"];
              reject(
                new ClickHouseError({
                  message: text.slice(0, 2000),
                  code: String(code ?? "0"),
                  type: "INSERT",
                }),
              );
            });
          },
        );
        call.on("timeout", () =>
          call.destroy(Object.assign(new Error("ClickHouse did not answer"), { code: "ETIMEDOUT" })),
        );
        call.on("error", reject);
        call.end(block);
      });
    },
    async insertRows(table, rows) {
      await client.insert({ table: `curbstop.${table}`, values: [...rows], format: "JSONEachRow" });
    },
    ping: async () => (await client.ping()).success,
    async close() {
      agent.destroy();
      await client.close();
    },
  };
}

function isReset(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ECONNRESET" || code === "EPIPE";
}

/** Error codes that tell of a wrong statement or wrong data; every other fault passes with time (ENGINEERING §2.3). */
const DATA_FAULTS = new Set([
  "6",
  "16",
  "27",
  "38",
  "41",
  "43",
  "47",
  "53",
  "60",
  "62",
  "70",
  "72",
  "117",
  "131",
  "497",
]);

/** Whether an error says that the store can't be used now: the stage stalls and tries again. */
export function isClickHouseUnavailable(error: unknown): boolean {
  if (error instanceof ClickHouseError) return !DATA_FAULTS.has(error.code);
  return types.isNativeError(error);
}
