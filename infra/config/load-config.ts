import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isMap, LineCounter, parseDocument, type Document } from "yaml";
import type { z } from "zod";
import { config as schema, type Config, type UtilityConfig } from "../../schemas/config.js";
import { withPresets } from "../../schemas/presets.js";
import type { PullConfig } from "../../schemas/pull.js";
import { environment as environmentSchema, type Environment } from "./environment.js";
import { closest } from "./suggest.js";

/** Everything that is wrong with the configuration, one problem a line. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(
      `The configuration has ${problems.length} problem${problems.length === 1 ? "" : "s"}:\n  ${problems.join("\n  ")}`,
    );
    this.problems = problems;
  }
}

export interface Settings {
  readonly config: Config;
  readonly environment: Environment;
}

/**
 * Reads the configuration file and the environment. Paths in the file start at its folder.
 * @throws ConfigurationError with every problem, its line and path in the file, and what was expected
 */
export function loadConfig(path: string, variables: NodeJS.ProcessEnv = process.env): Settings {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    throw new ConfigurationError([
      `${path} can't be read. Name the file with --config, or make one: curbstop init`,
    ]);
  }
  return parseConfig(text, path, variables);
}

export function parseConfig(text: string, path: string, variables: NodeJS.ProcessEnv): Settings {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) {
    throw new ConfigurationError(document.errors.map(({ message }) => `${path}: ${message.split("\n")[0]}`));
  }
  const problems: string[] = [];
  const parsed = schema.safeParse(withPresets(document.toJS()));
  if (!parsed.success) {
    for (const issue of parsed.error.issues) problems.push(...describe(issue, path, document, lines));
  }
  const environment = readEnvironment(variables, problems);
  const { twilio, smpp, smsWebhook } = parsed.data ?? {};
  const secrets = [
    [twilio, "twilio", "authTokenFile", "CURBSTOP_TWILIO_AUTH_TOKEN"],
    [smpp, "smpp", "passwordFile", "CURBSTOP_SMPP_PASSWORD"],
    [smsWebhook, "smsWebhook", "secretFile", "CURBSTOP_SMS_WEBHOOK_SECRET"],
  ] as const;
  for (const [given, name, field, variable] of secrets)
    if (given !== undefined && !(field in given) && !variables[variable])
      problems.push(`${path}: ${name}: set ${field}, or the variable ${variable}`);
  if (!parsed.success || environment === undefined || problems.length > 0)
    throw new ConfigurationError(problems);

  const base = dirname(resolve(path));
  const config = parsed.data;
  const dataDirectory = resolve(base, environment.CURBSTOP_DATA_DIRECTORY ?? config.dataDirectory);
  return {
    environment,
    config: {
      ...config,
      dataDirectory,
      keyFile:
        config.keyFile === undefined
          ? resolve(dataDirectory, "keys", "keys.json")
          : resolve(base, config.keyFile),
      ...(config.smtp === undefined ? {} : { smtp: absolutePassword(config.smtp, base) }),
      ...(config.twilio?.authTokenFile === undefined
        ? {}
        : { twilio: { ...config.twilio, authTokenFile: resolve(base, config.twilio.authTokenFile) } }),
      ...(config.smpp?.passwordFile === undefined
        ? {}
        : { smpp: { ...config.smpp, passwordFile: resolve(base, config.smpp.passwordFile) } }),
      ...(config.smsWebhook?.secretFile === undefined
        ? {}
        : { smsWebhook: { ...config.smsWebhook, secretFile: resolve(base, config.smsWebhook.secretFile) } }),
      utilities: config.utilities.map((utility) => ({
        ...utility,
        mail: absoluteMail(utility.mail, base),
        sources: utility.sources.map((source) => ({
          ...source,
          folder: resolve(base, source.folder),
          ...(source.pull === undefined ? {} : { pull: absoluteSecrets(source.pull, base) }),
        })),
      })),
    },
  };
}

function absoluteMail(
  { bounces, dkim, ...mail }: UtilityConfig["mail"],
  base: string,
): UtilityConfig["mail"] {
  return {
    ...mail,
    ...(bounces === undefined ? {} : { bounces: { ...bounces, folder: resolve(base, bounces.folder) } }),
    ...(dkim === undefined ? {} : { dkim: { ...dkim, keyFile: resolve(base, dkim.keyFile) } }),
  };
}

/** The configuration with secrets masked, for people. */
export function maskedConfig({ config, environment }: Settings): unknown {
  const mask = (url: string) => url.replace(/(:\/\/[^:/@]*:)[^@]*@/, "$1***@");
  const variables = Object.fromEntries(
    Object.entries(environment)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, /PASSWORD|TOKEN/.test(name) ? "***" : mask(value ?? "")]),
  );
  return { environment: variables, ...config };
}

function absolutePassword(smtp: NonNullable<Config["smtp"]>, base: string): NonNullable<Config["smtp"]> {
  return smtp.passwordFile === undefined ? smtp : { ...smtp, passwordFile: resolve(base, smtp.passwordFile) };
}

function absoluteSecrets(pull: PullConfig, base: string): PullConfig {
  const { keyFile, passwordFile } = pull;
  return {
    ...pull,
    ...(keyFile === undefined ? {} : { keyFile: resolve(base, keyFile) }),
    ...(passwordFile === undefined ? {} : { passwordFile: resolve(base, passwordFile) }),
  };
}

function readEnvironment(variables: NodeJS.ProcessEnv, problems: string[]): Environment | undefined {
  for (const name of Object.keys(variables)) {
    if (!name.startsWith("CURBSTOP_") || name in environmentSchema.shape || name.startsWith("CURBSTOP_TEST_"))
      continue;
    const near = closest(name, Object.keys(environmentSchema.shape));
    problems.push(`Variable ${name} is not known.${near === undefined ? "" : ` Did you mean ${near}?`}`);
  }
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ""));
  const parsed = environmentSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  for (const { path: at, message } of parsed.error.issues) {
    problems.push(`Variable ${at.map(String).join(".")}: ${message}.`);
  }
  return undefined;
}

function describe(issue: z.core.$ZodIssue, file: string, document: Document, lines: LineCounter): string[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const path = [...issue.path, key];
      const near = closest(key, knownKeys(issue.path));
      return `${place(file, path, document, lines)}: this key is not known.${near === undefined ? " Remove it." : ` Did you mean "${near}"?`}`;
    });
  }
  const received = document.getIn(issue.path as (string | number)[]);
  const shown =
    received === undefined || typeof received === "object" ? "" : `, received ${JSON.stringify(received)}`;
  return [
    `${place(file, issue.path, document, lines)}: ${issue.message.replace(/^Invalid input: /, "")}${shown}.`,
  ];
}

function place(file: string, path: readonly PropertyKey[], document: Document, lines: LineCounter): string {
  const name = path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("")
    .replace(/^\./, "");
  for (let depth = path.length; depth >= 0; depth--) {
    const node =
      depth === 0 ? document.contents : document.getIn(path.slice(0, depth) as (string | number)[], true);
    const range = (node as { range?: [number, number, number] } | null | undefined)?.range;
    if (range) {
      // A key of a map stands before its value.
      const parent =
        depth > 0 ? document.getIn(path.slice(0, depth - 1) as (string | number)[], true) : undefined;
      const pair = isMap(parent)
        ? parent.items.find(({ key }) => String(key) === String(path[depth - 1]))
        : undefined;
      const at = (pair?.key as { range?: [number, number, number] } | undefined)?.range?.[0] ?? range[0];
      return `${file}:${lines.linePos(at).line} ${name || "(whole file)"}`;
    }
  }
  return `${file} ${name}`;
}

/** Keys that the schema knows at a path, as far as it is made of objects and arrays. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let at: unknown = schema;
  const unwrap = () => {
    for (;;) {
      const { def } = at as { def?: { innerType?: unknown; in?: unknown; element?: unknown } };
      const inner = def?.innerType ?? def?.in;
      if (inner === undefined) return;
      at = inner;
    }
  };
  for (const part of path) {
    unwrap();
    at =
      typeof part === "number"
        ? (at as { element?: unknown }).element
        : (at as { shape?: Record<string, unknown> }).shape?.[String(part)];
    if (at === undefined) return [];
  }
  unwrap();
  return Object.keys((at as { shape?: object }).shape ?? {});
}
