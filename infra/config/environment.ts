import { z } from "zod";

const address = (protocols: RegExp) => z.url({ protocol: protocols }).optional();

/** Variables that Curbstop reads; everything else is in the configuration file. */
export const environment = z.object({
  CURBSTOP_DATABASE_URL: address(/^postgres(ql)?$/).describe(
    "PostgreSQL 15 or later, postgres://user:password@host/database. Left out: the embedded one.",
  ),
  CURBSTOP_CLICKHOUSE_URL: address(/^https?$/).describe(
    "ClickHouse over HTTP, http(s)://user:password@host:port. Left out: the embedded one.",
  ),
  CURBSTOP_ANALYST_URL: address(/^https?$/).describe(
    "With a ClickHouse server of one's own: its address with an analyst's user, for `curbstop sql`.",
  ),
  CURBSTOP_KAFKA_BROKERS: z
    .string()
    .regex(/^[^,\s:]+:\d+(,[^,\s:]+:\d+)*$/, "expected host:port, several with commas between")
    .optional()
    .describe("Kafka brokers, host:port,host:port. Left out: the log in PostgreSQL."),
  CURBSTOP_DATA_DIRECTORY: z.string().min(1).optional().describe("Overrides dataDirectory of the file."),
  CURBSTOP_SMTP_PASSWORD: z.string().min(1).optional().describe("Password of the mail server."),
  CURBSTOP_TWILIO_AUTH_TOKEN: z
    .string()
    .min(1)
    .optional()
    .describe("Auth token of the Twilio account; also checks that its calls are its own."),
  CURBSTOP_SMPP_PASSWORD: z.string().min(1).optional().describe("Password of the SMPP account."),
  CURBSTOP_SMS_WEBHOOK_SECRET: z
    .string()
    .min(1)
    .optional()
    .describe("Secret that signs calls to and from the gateway of smsWebhook."),
  CURBSTOP_LOG_LEVEL: z
    .enum(["debug", "info", "warn", "error", "silent"])
    .optional()
    .describe("What is logged to standard error; default info for services, warn for commands."),
  CURBSTOP_ALLOW_PLAINTEXT: z
    .enum(["0", "1"])
    .optional()
    .describe("1: stores off this machine may be reached without TLS."),
  CURBSTOP_ACCEPT_NEW_LOG: z
    .enum(["0", "1"])
    .optional()
    .describe("1, for one start: the log was replaced on purpose and is read from its beginning."),
});
export type Environment = z.infer<typeof environment>;
