import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { config as schema, type Config, type UtilityConfig } from "../../schemas/config.js";
import { withPresets } from "../../schemas/presets.js";
import type { PullConfig } from "../../schemas/pull.js";
import { environment as environmentSchema, type Environment } from "./environment.js";
import { closest } from "./suggest.js";
import { readYaml } from "./yaml.js";

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
  const parsed = readYaml(text, path, schema, withPresets);
  const problems = [...parsed.problems];
  if (parsed.broken) throw new ConfigurationError(problems);
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
  if (parsed.data === undefined || environment === undefined || problems.length > 0)
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
        brand: {
          ...utility.brand,
          ...(utility.brand.logoFile === undefined
            ? {}
            : { logoFile: resolve(base, utility.brand.logoFile) }),
        },
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
