import type { Command } from "commander";
import { loadConfig, type Settings } from "../infra/config/load-config.js";
import type { UtilityConfig } from "../schemas/config.js";
import { UsageError } from "./exit.js";

/** The configuration that the command line names. @throws ConfigurationError */
export function settingsFor(command: Command): Settings {
  return loadConfig(command.optsWithGlobals<{ config: string }>().config);
}

/** The utility that an option names; the only one where there is one. @throws UsageError that lists them */
export function chosenUtility({ config }: Settings, id: string | undefined): UtilityConfig {
  const ids = config.utilities.map((utility) => utility.id).join(", ");
  if (id === undefined) {
    if (config.utilities.length === 1) return config.utilities[0]!;
    throw new UsageError(`Several utilities are configured. Name one with --utility: ${ids}.`);
  }
  const found = config.utilities.find((utility) => utility.id === id);
  if (found === undefined) throw new UsageError(`Utility "${id}" is not configured; these are: ${ids}.`);
  return found;
}

/** An option that is a whole number from 1 on. @throws UsageError */
export function wholeNumber(name: string): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (!Number.isSafeInteger(number) || number < 1)
      throw new UsageError(`${name}: expected a whole number from 1 on, received "${text}".`);
    return number;
  };
}

/** An option that is a date or an instant of ISO 8601; without an offset UTC. @throws UsageError */
export function time(name: string): (text: string) => Date {
  return (text) => {
    const match = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?)?(Z|[+-]\d{2}:\d{2})?$/.exec(text);
    const date = new Date(
      match === null
        ? NaN
        : text.replace(" ", "T") + (match[1] !== undefined && match[3] === undefined ? "Z" : ""),
    );
    if (Number.isNaN(date.getTime()))
      throw new UsageError(
        `${name}: expected a time such as 2026-05-01 or 2026-05-01T07:00Z, received "${text}".`,
      );
    return date;
  };
}
