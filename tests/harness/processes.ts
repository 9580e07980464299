import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { packageRoot } from "../../infra/package-root.js";

/** A `curbstop` process as an operator starts it, from `dist/`. */
export interface CurbstopProcess {
  readonly child: ChildProcess;
  /** What it wrote to standard output and standard error so far. */
  output(): string;
  readonly exited: Promise<number | null>;
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function environment(variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...process.env, NODE_OPTIONS: "", NO_COLOR: "1", ...variables };
}

/** Starts the command and lets it run. */
export function startCurbstop(args: readonly string[], variables: NodeJS.ProcessEnv = {}): CurbstopProcess {
  const child = spawn(process.execPath, [join(packageRoot(), "bin", "curbstop.js"), ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: environment(variables),
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
  return {
    child,
    output: () => text,
    exited: new Promise((resolve) => child.once("exit", (code) => resolve(code))),
  };
}

/** Runs the command to its end. */
export async function curbstop(
  args: readonly string[],
  variables: NodeJS.ProcessEnv = {},
  input = "",
): Promise<CommandResult> {
  const child = spawn(process.execPath, [join(packageRoot(), "bin", "curbstop.js"), ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    env: environment(variables),
  });
  child.stdin.end(input);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, stdout, stderr };
}
