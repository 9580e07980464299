import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { packageRoot } from "../infra/package-root.js";

/** `curbstop STAGE` as a process of its own. @param environment besides this process's own */
export function startStage(
  stage: string,
  configFile: string,
  environment: Readonly<Record<string, string>>,
): ChildProcess {
  return startProgram([join(packageRoot(), "bin", "curbstop.js"), stage, "-c", configFile], environment);
}

/** A program of this package. @param environment besides this process's own */
export function startProgram(
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
): ChildProcess {
  return spawn(process.execPath, command, {
    env: { ...process.env, ...environment, CURBSTOP_LOG_LEVEL: "error" },
    stdio: ["ignore", "ignore", "inherit"],
  });
}

/** Whether it ended, of itself or by a signal. */
export function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** Asks it to end, and resolves when it has. */
export async function endStage(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  await exit;
}
