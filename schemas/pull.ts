import { validate } from "node-cron";
import { z } from "zod";

const seconds = z.number().int().positive();

/** What happens to a remote file once it lies in the drop folder. */
const afterPull = z
  .discriminatedUnion("do", [
    z.strictObject({ do: z.literal("leave") }),
    z.strictObject({
      do: z.literal("move"),
      to: z.string().min(1).describe("Folder on the server, which must be there."),
    }),
    z.strictObject({ do: z.literal("delete") }),
  ])
  .default({ do: "leave" });

/** An SFTP server from which the files of a source are fetched into its drop folder. */
export const pullConfig = z
  .strictObject({
    host: z.string().min(1).describe("Name or address of the SFTP server."),
    port: z.number().int().min(1).max(65535).default(22),
    user: z.string().min(1),
    keyFile: z
      .string()
      .min(1)
      .optional()
      .describe("File of the private key, without a passphrase and closed to others (mode 600)."),
    passwordFile: z.string().min(1).optional().describe("File that holds the password, closed to others."),
    passwordVariable: z
      .string()
      .regex(
        /^(?!CURBSTOP_)[A-Za-z_][A-Za-z0-9_]*$/,
        "expected a variable's name, not beginning with CURBSTOP_",
      )
      .optional()
      .describe("Environment variable that holds the password."),
    hostKey: z
      .string()
      .regex(/^SHA256:[A-Za-z0-9+/]{43}$/, "expected SHA256: and 43 characters, as ssh-keygen -l prints it")
      .describe("Fingerprint of the server's key, from its operator: another key is refused."),
    folder: z.string().min(1).default(".").describe("Folder on the server."),
    files: z
      .string()
      .min(1)
      .default("*")
      .describe("Which of the names that the source takes are fetched: * and ? stand for any characters."),
    after: afterPull,
    schedule: z
      .string()
      .refine((text) => validate(text), "expected a cron expression, such as 15 * * * * (UTC)")
      .describe("When to look, as a cron expression in UTC. A time that was missed is caught up on."),
    timeoutSeconds: z
      .strictObject({
        connect: seconds.default(20).describe("Until the server has let us in."),
        idle: seconds.default(60).describe("Without a byte from the server while one is awaited."),
        whole: seconds
          .default(3600)
          .describe("For one pull with its retries; the next goes on where it ended."),
      })
      .prefault({}),
  })
  .superRefine(
    (value, context) => {
      const { keyFile, passwordFile, passwordVariable } = Object(value) as Record<string, unknown>;
      const given = [keyFile, passwordFile, passwordVariable].filter((one) => one !== undefined);
      if (given.length !== 1) {
        context.addIssue({
          code: "custom",
          message: "give exactly one of keyFile, passwordFile and passwordVariable",
        });
      }
    },
    { when: () => true },
  );
export type PullConfig = z.infer<typeof pullConfig>;

/** What a feed is expected to bring; an alarm for the operator opens where it does not. */
export const expectConfig = z.strictObject({
  everyHours: z.number().positive().optional().describe("Alarm `late`: no file was published for so long."),
  minReadsShare: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe(
      "Alarm `thin`: the last file has less than this share of the median of the 14 files before it.",
    ),
});
export type ExpectConfig = z.infer<typeof expectConfig>;
