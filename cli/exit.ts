import { ConfigurationError } from "../infra/config/load-config.js";

/** What the command's exit code means; `curbstop --help` prints it. */
export const EXIT = {
  done: 0,
  /** Something was rejected, or a check failed. */
  rejected: 1,
  /** The configuration, or the way the command was called, is wrong. */
  configuration: 2,
  /** A store can't be reached, started or used. */
  store: 3,
} as const;

/** The command was called in a way that can't be done; the message says how to mend it. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Exit code and text for an error that ended a command. Messages of unknown errors may quote data: they stay inside. */
export async function explain(error: unknown): Promise<{ readonly code: number; readonly text: string }> {
  if (error instanceof ConfigurationError || error instanceof UsageError)
    return { code: EXIT.configuration, text: error.message };
  // Whoever throws one of these has loaded them; to ask for the help needs none.
  const [{ Fenced }, { DataDirectoryInUse }, { AnotherLog }, { TopicMismatch }, { StoreUnavailable }] =
    await Promise.all([
      import("../detect/checkpoint.js"),
      import("../infra/data-directory.js"),
      import("../infra/log/offset-store.js"),
      import("../infra/log/log.js"),
      import("../infra/stores.js"),
    ]);
  if (
    error instanceof DataDirectoryInUse ||
    error instanceof StoreUnavailable ||
    error instanceof AnotherLog ||
    error instanceof Fenced ||
    error instanceof TopicMismatch
  ) {
    return { code: EXIT.store, text: error.message };
  }
  const { name, code } = error as { name?: string; code?: unknown };
  const place = error instanceof Error ? (error.stack?.split("\n").slice(1, 6).join("\n") ?? "") : "";
  return {
    code: EXIT.store,
    text: `Unexpected ${name ?? "error"}${typeof code === "string" ? ` ${code}` : ""}. "curbstop doctor" shows what is wrong.\n${place}`,
  };
}
