import { spawn, type ChildProcess } from "node:child_process";
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { join } from "node:path";
import type { Logger } from "./logger.js";
import { packageRoot } from "./package-root.js";

export interface ServerCommand {
  /** Name in logs and errors. */
  readonly name: string;
  readonly command: string;
  /** How many ports of the loopback address it needs; none by default. */
  readonly ports?: number;
  readonly args: (ports: readonly number[]) => readonly string[];
  /** Signal that ends it cleanly. */
  readonly stopSignal: NodeJS.Signals;
  /** User to run as, where the server refuses root. */
  readonly identity?: { readonly uid: number; readonly gid: number };
  readonly env?: NodeJS.ProcessEnv;
  /** Resolves true once the server answers. */
  readonly answers: (ports: readonly number[]) => Promise<boolean>;
  readonly logger?: Logger | undefined;
}

const START_TIMEOUT_MS = 60_000;
const LONGEST_PAUSE_MS = 10_000;
/** A guardian gives its server 8 seconds to end cleanly before it kills it. */
const LEFT_OVER_MS = 12_000;

/**
 * A server process kept running: started again with growing pauses when it ends by itself, and ended with this process
 * in any case (`guardian.mjs`).
 */
export class SupervisedServer {
  readonly #spec: ServerCommand;
  #guardian: ChildProcess | undefined;
  #pid = 0;
  /** Drawn anew at each try until it is up for the first time: a port that was free may be taken a moment later. */
  #ports: readonly number[] = [];
  #wasUp = false;
  #stopping = false;
  #restarts = 0;
  #lines: string[] = [];
  #state: "starting" | "up" | "down" = "starting";

  private constructor(spec: ServerCommand) {
    this.#spec = spec;
  }

  /**
   * Starts it, and again where it ends at once: a server whose parent was killed a moment ago may still hold the data.
   * @throws Error with the server's last lines where it does not come up
   */
  static async start(spec: ServerCommand): Promise<SupervisedServer> {
    const server = new SupervisedServer(spec);
    const until = Date.now() + LEFT_OVER_MS;
    await server.#spawn();
    for (;;) {
      try {
        await server.#untilUp();
        return server;
      } catch (error) {
        if (Date.now() > until) {
          await server.stop();
          throw error;
        }
        await sleep(50);
      }
    }
  }

  /** Process id of the server itself. */
  get pid(): number {
    return this.#pid;
  }

  /** Those that it listens on. */
  get ports(): readonly number[] {
    return this.#ports;
  }

  get healthy(): boolean {
    return this.#state === "up";
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const guardian = this.#guardian;
    if (guardian === undefined || guardian.exitCode !== null || guardian.signalCode !== null) return;
    const ended = new Promise((resolve) => guardian.once("exit", resolve));
    guardian.stdin?.end();
    await ended;
  }

  async #spawn(): Promise<void> {
    const { name, command, args, ports = 0, stopSignal, identity, env, logger } = this.#spec;
    if (!this.#wasUp) this.#ports = await Promise.all(Array.from({ length: ports }, freePort));
    if (this.#stopping) return;
    const { uid, gid } = identity ?? { uid: 0, gid: 0 };
    const guardian = spawn(
      process.execPath,
      [
        join(packageRoot(), "infra", "guardian.mjs"),
        String(uid),
        String(gid),
        stopSignal,
        command,
        ...args(this.#ports),
      ],
      { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...env, NODE_OPTIONS: "" } },
    );
    this.#guardian = guardian;
    const take = (chunk: Buffer) => {
      for (const line of chunk.toString("utf8").split("\n")) {
        const pid = /^guardian-pid (\d+)$/.exec(line);
        if (pid) this.#pid = Number(pid[1]);
        else if (line !== "") this.#lines.push(line);
      }
      this.#lines = this.#lines.slice(-20);
    };
    guardian.stdout.on("data", take);
    guardian.stderr.on("data", take);
    guardian.stdin.on("error", () => undefined);
    guardian.once("exit", (code) => {
      this.#state = "down";
      if (this.#stopping) return;
      logger?.warn("server ended by itself", { server: name, exitCode: code ?? -1 });
      void this.#again();
    });
  }

  async #again(): Promise<void> {
    const pause = Math.min(LONGEST_PAUSE_MS, 100 * 2 ** this.#restarts++);
    await sleep(pause);
    if (this.#stopping) return;
    await this.#spawn();
    try {
      await this.#untilUp();
      this.#restarts = 0;
    } catch {
      // It ended again: its exit handler goes on.
    }
  }

  async #untilUp(): Promise<void> {
    const guardian = this.#guardian!;
    const until = Date.now() + START_TIMEOUT_MS;
    while (Date.now() < until) {
      if (guardian.exitCode !== null) break;
      if (await this.#spec.answers(this.#ports).catch(() => false)) {
        this.#state = "up";
        this.#wasUp = true;
        this.#spec.logger?.info("server up", { server: this.#spec.name, pid: this.#pid });
        return;
      }
      await sleep(20);
    }
    throw new Error(`${this.#spec.name} did not start. Its last lines:\n${this.#lines.join("\n")}`);
  }
}

/**
 * A port of 127.0.0.1 that nobody listens on. It is taken from below those that systems give to connections (32768 and up on
 * Linux, 49152 on others), so that none of these has it by the time somebody listens.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(15_000, 32_768);
    if (await isFree(port)) return port;
  }
}

/** @throws the error of a port that can't be had for another reason than that it is taken */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(false);
      else reject(error);
    });
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
