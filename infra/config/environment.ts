import { z } from "zod";

const serverUrl = (protocols: RegExp, example: string) =>
  z.string().refine((text) => {
    try {
      const url = new URL(text);
      return protocols.test(url.protocol) && url.hostname !== "";
    } catch {
      return false;
    }
  }, `expected an address such as ${example}`);

const brokers = z
  .string()
  .refine(
    (text) => text.split(",").every((broker) => /^\s*(\[[0-9a-fA-F:]+\]|[^\s:,/]+):\d{1,5}\s*$/.test(broker)),
    "expected host:port, several with commas between, such as kafka-1:9092,kafka-2:9092",
  );

const onOff = z.enum(["0", "1"]);

/** The variables that Curbstop reads, all of them. Variables with other names are left alone. */
export const environmentSchema = z.object({
  CURBSTOP_CONFIG: z
    .string()
    .min(1)
    .optional()
    .describe("Configuration file. Default: curbstop.yaml in the working directory."),
  CURBSTOP_DATA_DIRECTORY: z
    .string()
    .min(1)
    .optional()
    .describe("Data directory instead of `dataDirectory`; relative to the working directory."),
  CURBSTOP_DATABASE_URL: serverUrl(/^postgres(ql)?:$/, "postgres://user:password@host:5432/curbstop?sslmode=verify-full")
    .optional()
    .describe("PostgreSQL 15 or later. Left out: the embedded server."),
  CURBSTOP_CLICKHOUSE_URL: serverUrl(/^https?:$/, "https://user:password@host:8443")
    .optional()
    .describe("ClickHouse over HTTP. Left out: the embedded server."),
  CURBSTOP_KAFKA_BROKERS: brokers
    .optional()
    .describe("Kafka brokers, host:port with commas between. Left out: the log embedded in PostgreSQL."),
  CURBSTOP_SMTP_PASSWORD: z
    .string()
    .min(1)
    .optional()
    .describe("Password for `smtp.user`, instead of `smtp.passwordFile`."),
  CURBSTOP_ALLOW_PLAINTEXT: onOff
    .optional()
    .describe("1: servers off this machine may be reached without TLS, for a network that is private."),
  CURBSTOP_LOG_LEVEL: z
    .enum(["debug", "info", "warn", "error", "silent"])
    .default("info")
    .describe("Least severe log line that is written."),
  CURBSTOP_MEMBER: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, "expected 1 to 64 letters, digits, dots, underscores or hyphens")
    .optional()
    .describe(
      "Stable name of this process in the log's consumer groups, so that after a restart it gets its partitions back. Default: the host name.",
    ),
});
export type Environment = z.infer<typeof environmentSchema>;

/** Variables whose value is a secret as a whole. */
export const SECRET_VARIABLES: ReadonlySet<string> = new Set(["CURBSTOP_SMTP_PASSWORD"]);
