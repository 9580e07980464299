import { types as kinds } from "node:util";
import pg from "pg";
import { requireTls } from "../endpoints.js";

/** A row as PostgreSQL returns it: int8 as number, bytea as Buffer, timestamptz as Date. */
export type Row = Record<string, unknown>;

/** What runs statements: the pool, or one transaction. */
export interface Queryable {
  query<T = Row>(text: string, values?: readonly unknown[]): Promise<T[]>;
}

/** What also runs several statements as one. */
export interface Transactions extends Queryable {
  /** Runs `work` in one transaction: committed when it resolves, rolled back when it rejects. */
  transaction<T>(work: (transaction: Queryable) => Promise<T>): Promise<T>;
  /** The same for one utility: rows of others are neither seen nor taken (migration 0023). */
  of(utility: string): Transactions;
}

export interface Database extends Transactions {
  readonly url: string;
  /** A connection of its own, for session locks and LISTEN; the caller ends it. */
  connect(): Promise<pg.Client>;
  close(): Promise<void>;
}

/** Whole numbers beyond 2^53 throw instead of losing digits; other types as the client's defaults. */
const types = {
  getTypeParser(
    oid: Parameters<typeof pg.types.getTypeParser>[0],
    format?: "text" | "binary",
  ): (value: never) => unknown {
    if (oid !== pg.types.builtins.INT8)
      return pg.types.getTypeParser(oid, format) as (value: never) => unknown;
    return (text: string) => {
      const number = Number(text);
      if (!Number.isSafeInteger(number)) throw new RangeError(`int8 ${text} exceeds 2^53`);
      return number;
    };
  },
};

/**
 * @param url postgres://user:password@host:port/database
 * @throws Error for a server off this machine without TLS
 */
export function openDatabase(
  url: string,
  options: { readonly max?: number; readonly name?: string } = {},
): Database {
  requireTls("CURBSTOP_DATABASE_URL", url, /[?&]sslmode=(require|verify-ca|verify-full)\b/.test(url));
  const settings: pg.PoolConfig = {
    connectionString: url,
    max: options.max ?? 10,
    application_name: options.name ?? "curbstop",
    connectionTimeoutMillis: 10_000,
    types,
  };
  const pool = new pg.Pool(settings);
  // An idle connection that breaks is replaced at the next query; without a listener it would end the process.
  pool.on("error", () => undefined);
  // The pool listens to idle connections alone: one that breaks inside a transaction, between two statements, too.
  pool.on("connect", (client) => client.on("error", () => undefined));
  const transaction = async <T>(
    work: (transaction: Queryable) => Promise<T>,
    utility?: string,
  ): Promise<T> => {
    const client = await pool.connect();
    let broken: Error | undefined;
    try {
      await client.query("BEGIN");
      if (utility !== undefined) await client.query(AS_TENANT, [utility]);
      const result = await work({ query: (text, values) => run(client, text, values) });
      await client.query("COMMIT");
      return result;
    } catch (error) {
      await client.query("ROLLBACK").catch((failure: Error) => (broken = failure));
      throw error;
    } finally {
      client.release(broken);
    }
  };
  const of = (utility: string): Transactions => ({
    query: (text, values) => transaction((on) => on.query(text, values), utility),
    transaction: (work) => transaction(work, utility),
    of,
  });
  return {
    url,
    query: (text, values) => run(pool, text, values),
    transaction: (work) => transaction(work),
    of,
    async connect() {
      const client = new pg.Client(settings);
      client.on("error", () => undefined);
      await client.connect();
      return client;
    },
    close: () => pool.end(),
  };
}

/** Until the transaction ends. Both settings at once: nothing runs between them. */
const AS_TENANT =
  "SELECT set_config('curbstop.utility', $1, true), set_config('role', 'curbstop_tenant', true)";

async function run<T>(
  on: pg.Pool | pg.PoolClient,
  text: string,
  values: readonly unknown[] = [],
): Promise<T[]> {
  const result = await on.query({ text, values: values.map(arrayAsText) });
  return result.rows as T[];
}

const HEX = /^[0-9a-f]+$/;
const LONG_ARRAY = 50;

/** A long array whose members need no quotes is joined at once: the client looks at each of them in several ways. */
function arrayAsText(value: unknown): unknown {
  if (!Array.isArray(value) || value.length < LONG_ARRAY) return value;
  for (const member of value as unknown[]) {
    const plain = typeof member === "number" || typeof member === "boolean";
    if (!plain && !(typeof member === "string" && HEX.test(member))) return value;
  }
  return `{${value.join(",")}}`;
}

/** Classes of PostgreSQL's error codes that tell of the server's state, not of the statement. */
const TEMPORARY = /^(08|53|57P0|58|40001|40P01|55P03)/;

/**
 * Whether an error says that the store can't be used now (down, full, restarting), rather than that the statement or
 * its values are wrong: the stage stalls and tries again.
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!kinds.isNativeError(error)) return false;
  const { code } = error as { code?: unknown };
  if (typeof code === "string") {
    if (TEMPORARY.test(code)) return true;
    if (/^E[A-Z]+$/.test(code)) return true;
    if (/^[0-9A-Z]{5}$/.test(code)) return false;
  }
  return /Connection terminated|timeout exceeded when trying to connect|not queryable|Client was closed/.test(
    error.message,
  );
}
