import { types } from "node:util";
import { pino, type Logger as Pino } from "pino";

/**
 * Fields that a log line may carry: none can hold personal data. Whatever else is passed is left out, and counted in
 * `dropped`, so that a name or an address can't slip into a log by mistake.
 */
const ALLOWED = [
  "stage",
  "topic",
  "partition",
  "offset",
  "next",
  "lag",
  "group",
  "member",
  "epoch",
  "utility",
  "source",
  "file",
  "sha256",
  "rows",
  "reads",
  "rejected",
  "duplicates",
  "meters",
  "bytes",
  "blocks",
  "anomaly",
  "rule",
  "state",
  "version",
  "outbox",
  "attempt",
  "channel",
  "decision",
  "reason",
  "code",
  "errorName",
  "step",
  "server",
  "pid",
  "port",
  "signal",
  "exitCode",
  "ms",
  "count",
  "columns",
  "path",
  "method",
  "status",
] as const;

export type LogField = (typeof ALLOWED)[number];
export type LogFields = Partial<Record<LogField, string | number | boolean | null>>;

/** Structured log with fixed event names. Events are constant text: values go into the fields. */
export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  child(fields: LogFields): Logger;
  /** Writes what is buffered. */
  flush(): void;
}

export interface LogOptions {
  readonly level?: "debug" | "info" | "warn" | "error" | "silent";
  /** Where lines go; standard error by default. */
  readonly write?: (line: string) => void;
}

export function createLogger(options: LogOptions = {}): Logger {
  const destination = options.write
    ? { write: options.write }
    : (pino.destination({ dest: 2, sync: true }) as { write(line: string): void });
  return wrap(pino({ level: options.level ?? "info", base: null, messageKey: "event" }, destination), {});
}

function wrap(sink: Pino, bound: LogFields): Logger {
  const at = (level: "debug" | "info" | "warn" | "error") => (event: string, fields?: LogFields) => {
    if (sink.isLevelEnabled(level)) sink[level](only({ ...bound, ...fields }), event);
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => wrap(sink, { ...bound, ...fields }),
    flush: () => sink.flush(),
  };
}

const allowed: ReadonlySet<string> = new Set(ALLOWED);

function only(fields: LogFields): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  let dropped = 0;
  for (const [name, value] of Object.entries(fields)) {
    if (allowed.has(name)) kept[name] = value;
    else dropped++;
  }
  if (dropped > 0) kept["dropped"] = dropped;
  return kept;
}

/**
 * What of an error may be logged: its class and code. Messages of drivers quote values and are left out.
 */
export function errorFields(error: unknown): LogFields {
  if (!types.isNativeError(error)) return { errorName: typeof error };
  const code = (error as { code?: unknown }).code;
  return { errorName: error.name, ...(typeof code === "string" || typeof code === "number" ? { code } : {}) };
}
