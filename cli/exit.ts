import { Fenced } from "../detect/checkpoint.js";
import { ConfigurationError } from "../infra/config/load-config.js";
import { DataDirectoryInUse } from "../infra/data-directory.js";
import { AnotherLog } from "../infra/log/offset-store.js";
import { TopicMismatch } from "../infra/log/log.js";
import { StoreUnavailable } from "../infra/stores.js";

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
export function explain(error: unknown): { readonly code: number; readonly text: string } {
  if (error instanceof ConfigurationError || error instanceof UsageError)
    return { code: EXIT.configuration, text: error.message };
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
