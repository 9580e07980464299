import { createReadStream, statSync } from "node:fs";
import { request } from "node:http";
import { pipeline } from "node:stream/promises";

export interface SqlRequest {
  /** File sent as the body of an INSERT. */
  readonly file?: string;
  /** The body is gzip; the server unpacks it. */
  readonly gzip?: boolean;
  readonly settings?: Readonly<Record<string, string | number>>;
}

/** One statement to ClickHouse over HTTP, with what it returned: nothing of the application's client. */
export type Sql = (statement: string, options?: SqlRequest) => Promise<string>;

/** @param url http://user:password@host:port */
export function sqlAt(url: string): Sql {
  const address = new URL(url);
  return (statement, { file, gzip = false, settings = {} } = {}) =>
    new Promise((resolve, reject) => {
      const parameters = new URLSearchParams({ wait_end_of_query: "1", query: statement });
      for (const [name, value] of Object.entries(settings)) parameters.set(name, String(value));
      const call = request(
        {
          host: address.hostname,
          port: address.port,
          method: "POST",
          path: `/?${parameters.toString()}`,
          headers: {
            "X-ClickHouse-User": decodeURIComponent(address.username),
            "X-ClickHouse-Key": decodeURIComponent(address.password),
            "Content-Length": file === undefined ? 0 : statSync(file).size,
            ...(gzip ? { "Content-Encoding": "gzip" } : {}),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () => {
            const text = Buffer.concat(chunks).toString("utf8");
            if (response.statusCode === 200) resolve(text);
            else reject(new Error(text.slice(0, 2000)));
          });
        },
      );
      call.on("error", reject);
      if (file === undefined) call.end();
      else pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), call).catch(reject);
    });
}

/** Rows of a statement in format TSV, all columns numbers but those that are not. */
export async function rowsOf(sql: Sql, statement: string): Promise<string[][]> {
  const text = await sql(`${statement} FORMAT TSV`);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("\t"));
}
