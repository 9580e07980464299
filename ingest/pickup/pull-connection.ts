import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { connect as connectSocket, type Socket } from "node:net";
import { posix } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import SftpClient from "ssh2-sftp-client";
import { Deferred } from "../../infra/deferred.js";
import type { PullConfig } from "../../schemas/pull.js";
import { PullFailed } from "./pull-failed.js";

/** A file on the server. `modified`: milliseconds since 1970 by the server's clock, whole seconds. */
export interface RemoteFile {
  readonly name: string;
  readonly size: number;
  readonly modified: number;
}

/** Bytes of one request: every server answers so many (draft-ietf-secsh-filexfer-02, section 3: 32768). */
const PIECE = 32_768;
/** Requests under way at once: 2 MiB, so that a distant server's delay is waited for once. */
const AHEAD = 64;
const CLOSE_PATIENCE_MS = 1_000;

/** Status code of the protocol, draft-ietf-secsh-filexfer-02, section 7. */
const NO_SUCH_FILE = 2;

type Sftp = Awaited<ReturnType<SftpClient["connect"]>>;

interface Attributes {
  readonly size: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  isFile(): boolean;
}

interface Entry {
  readonly filename: string;
  readonly attrs: Attributes;
}

type Callback<T> = (error: Error | undefined, answer: T) => void;

/**
 * One SFTP session in the folder of a pull. Whatever is asked of it rejects with PullFailed: at once when the connection
 * breaks, and when the server says nothing for `timeoutSeconds.idle`.
 */
export class PullConnection {
  readonly #config: PullConfig;
  readonly #socket: Socket;
  readonly #client: SftpClient;
  readonly #broken = new Deferred();
  readonly #signal: AbortSignal;
  readonly #aborted = () => this.#break(this.#signal.reason as Error);
  #sftp: Sftp | undefined;
  /** Requests that are waited for: silence counts while there are some. */
  #awaited = 0;

  private constructor(config: PullConfig, socket: Socket, signal: AbortSignal) {
    this.#config = config;
    this.#socket = socket;
    this.#signal = signal;
    signal.addEventListener("abort", this.#aborted, { once: true });
    this.#broken.promise.catch(() => undefined);
    const cut = () => this.#break(new PullFailed("connection", `${place(config)} broke the connection.`));
    // Without listeners of ours the client would write to the console, or end the process.
    this.#client = new SftpClient("curbstop", { error: cut, end: cut, close: cut });
    socket.on("error", cut);
    socket.on("close", cut);
    socket.setTimeout(config.timeoutSeconds.idle * 1000, () => {
      if (this.#awaited > 0) this.#break(silence(config));
    });
  }

  /** Connects and logs in. Once the signal aborts, whatever is waited for rejects with its reason. @throws PullFailed */
  static async open(config: PullConfig, signal: AbortSignal): Promise<PullConnection> {
    const secret = await readSecret(config);
    const until = performance.now() + config.timeoutSeconds.connect * 1000;
    const socket = await openSocket(config, signal);
    const connection = new PullConnection(config, socket, signal);
    try {
      await connection.#logIn(secret, Math.max(1, until - performance.now()));
      return connection;
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /** Regular files in the folder; links, folders and pipes are none. */
  async list(): Promise<RemoteFile[]> {
    const { folder } = this.#config;
    const entries = await this.#call<readonly Entry[]>((done) => this.#sftp!.readdir(folder, done)).catch(
      (error: unknown) => {
        throw this.#explained(error, "folder", `Folder ${folder} can't be listed`);
      },
    );
    return entries
      .filter(({ attrs }) => attrs.isFile())
      .map(({ filename, attrs }) => ({ name: filename, size: attrs.size, modified: attrs.mtime * 1000 }));
  }

  /** A file as it is now; `undefined` where there is none of that name. */
  async find(name: string): Promise<RemoteFile | undefined> {
    try {
      const found = await this.#call<Attributes>((done) => this.#sftp!.lstat(this.#pathOf(name), done));
      return found.isFile() ? { name, size: found.size, modified: found.mtime * 1000 } : undefined;
    } catch (error) {
      if ((error as { code?: unknown }).code === NO_SUCH_FILE) return undefined;
      throw this.#explained(error, "server", "A file can't be looked at");
    }
  }

  /**
   * The bytes of a file from `from` to the size it was listed with, in order.
   * @throws PullFailed "changed" where the file ends before
   */
  async *read({ name, size }: RemoteFile, from: number): AsyncGenerator<Buffer> {
    const sftp = this.#sftp!;
    const path = this.#pathOf(name);
    const handle = await this.#call<Buffer>((done) => sftp.open(path, "r", done)).catch((error: unknown) => {
      throw this.#explained(error, "server", "A file can't be opened for reading");
    });
    const underWay: Promise<Buffer>[] = [];
    let next = from;
    try {
      for (;;) {
        for (; underWay.length < AHEAD && next < size; next += PIECE) {
          const piece = this.#piece(handle, next, Math.min(PIECE, size - next));
          piece.catch(() => undefined);
          underWay.push(piece);
        }
        const first = underWay.shift();
        if (first === undefined) return;
        yield await this.#ask(first).catch((error: unknown) => {
          throw this.#explained(error, "server", "A file can't be read");
        });
      }
    } finally {
      sftp.close(handle, () => undefined);
    }
  }

  async remove(name: string): Promise<void> {
    await this.#ask(this.#client.delete(this.#pathOf(name))).catch((error: unknown) => {
      throw this.#explained(error, "server", "A fetched file can't be deleted");
    });
  }

  /** Moves a file to another folder on the server; where its name is taken there, `spare` is appended. */
  async move(name: string, folder: string, spare: string): Promise<void> {
    const to = posix.join(folder, name);
    const move = (target: string) => this.#ask(this.#client.rename(this.#pathOf(name), target));
    await move(to)
      .catch((error: unknown) => {
        if (error instanceof PullFailed) throw error;
        return move(`${to}.${spare}`);
      })
      .catch((error: unknown) => {
        throw this.#explained(error, "server", `A fetched file can't be moved to ${folder}`);
      });
  }

  async close(): Promise<void> {
    this.#signal.removeEventListener("abort", this.#aborted);
    await Promise.race([
      this.#client.end().catch(() => undefined),
      sleep(CLOSE_PATIENCE_MS, undefined, { ref: false }),
    ]);
    this.#socket.destroy();
  }

  #pathOf(name: string): string {
    return posix.join(this.#config.folder, name);
  }

  async #logIn(secret: Secret, patienceMs: number): Promise<void> {
    const { host, port, user, hostKey } = this.#config;
    let shown: string | undefined;
    const password = "password" in secret ? secret.password : undefined;
    if (password !== undefined) {
      // Many servers ask for the password in a dialogue, and take it no other way.
      this.#client.on("keyboard-interactive", (...dialogue: unknown[]) => {
        const [prompts, finish] = dialogue.slice(3) as [readonly unknown[], (answers: string[]) => void];
        finish(prompts.map(() => password));
      });
    }
    const late = setTimeout(() => {
      const { connect } = this.#config.timeoutSeconds;
      this.#break(
        new PullFailed("time-out", `${place(this.#config)} did not let us in within ${connect} s.`),
      );
    }, patienceMs);
    try {
      this.#sftp = await this.#ask(
        this.#client.connect({
          host,
          port,
          username: user,
          ...secret,
          tryKeyboard: password !== undefined,
          sock: this.#socket,
          readyTimeout: patienceMs,
          hostVerifier: (key: Buffer) => {
            shown = `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
            return shown === hostKey;
          },
        }),
      );
    } catch (error) {
      if (shown !== undefined && shown !== hostKey) throw strangeHost(this.#config, shown);
      if (/authentication methods failed/.test((error as Error).message)) {
        throw new PullFailed(
          "login",
          `${place(this.#config)} refuses the ${password === undefined ? "key" : "password"} of user ${user}. ` +
            `Have its operator check both, or mend user and ${password === undefined ? "keyFile" : "the password"}.`,
        );
      }
      if (/privateKey/.test((error as Error).message)) {
        throw new PullFailed(
          "secret",
          "keyFile holds no private key that can be used: it is damaged or has a passphrase. ssh-keygen -p -N '' removes one.",
        );
      }
      const [, lacking] = /no matching (.*)$/.exec((error as Error).message) ?? [];
      if (lacking !== undefined) {
        throw new PullFailed(
          "server",
          `${place(this.#config)} and we have no ${lacking} in common. Its operator may have to allow a newer one.`,
        );
      }
      throw this.#explained(error, "connection", `${place(this.#config)} can't be used`);
    } finally {
      clearTimeout(late);
    }
  }

  /** A server may answer with fewer bytes than it was asked for: then the rest is asked for. */
  async #piece(handle: Buffer, position: number, length: number): Promise<Buffer> {
    const piece = Buffer.allocUnsafe(length);
    for (let done = 0; done < length;) {
      const from = done;
      const got = await promised<number>((answer) =>
        this.#sftp!.read(handle, piece, from, length - from, position + from, answer),
      );
      if (got === 0) throw new PullFailed("changed", "A file became shorter while it was fetched.");
      done += got;
    }
    return piece;
  }

  #call<T>(work: (done: Callback<T>) => unknown): Promise<T> {
    return this.#ask(promised(work));
  }

  async #ask<T>(answer: Promise<T>): Promise<T> {
    this.#awaited++;
    try {
      return await Promise.race([answer, this.#broken.promise as Promise<never>]);
    } finally {
      this.#awaited--;
    }
  }

  #break(error: Error): void {
    this.#broken.reject(error);
    this.#socket.destroy();
  }

  /** What broke the connection, if something did; else the server's answer under a code of ours. */
  #explained(error: unknown, code: "connection" | "folder" | "server", what: string): PullFailed {
    if (error instanceof PullFailed) return error;
    // Answers of the server carry the protocol's status; without one there was no answer.
    if (this.#socket.destroyed || typeof (error as { code?: unknown }).code !== "number")
      return new PullFailed("connection", `${place(this.#config)} broke the connection.`, { cause: error });
    // The client's messages end with the path, which may hold a file's name.
    const answer = /permission denied/i.test((error as Error).message) ? ": permission denied" : "";
    return new PullFailed(code, `${what}${answer}.`, { cause: error });
  }
}

function promised<T>(work: (done: Callback<T>) => unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    work((error, answer) => (error === undefined ? resolve(answer) : reject(error)));
  });
}

type Secret = { readonly privateKey: Buffer } | { readonly password: string };

async function readSecret({ keyFile, passwordFile, passwordVariable }: PullConfig): Promise<Secret> {
  if (passwordVariable !== undefined) {
    const password = process.env[passwordVariable];
    if (password !== undefined && password !== "") return { password };
    throw new PullFailed("secret", `Variable ${passwordVariable} is not set: it should hold the password.`);
  }
  const path = (keyFile ?? passwordFile)!;
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0)
      throw new PullFailed("secret", `${path} can be read by others. chmod 600 ${path}`);
    const text = await readFile(path);
    return keyFile === undefined
      ? { password: text.toString("utf8").replace(/\r?\n$/, "") }
      : { privateKey: text };
  } catch (error) {
    if (error instanceof PullFailed) throw error;
    throw new PullFailed("secret", `${path} can't be read. Mend the path or its rights.`, { cause: error });
  }
}

function openSocket(config: PullConfig, signal: AbortSignal): Promise<Socket> {
  const { host, port, timeoutSeconds } = config;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connectSocket({ host, port, noDelay: true });
    const fail = (error: Error) => {
      clearTimeout(late);
      signal.removeEventListener("abort", aborted);
      socket.destroy();
      reject(error);
    };
    const aborted = () => fail(signal.reason as Error);
    const late = setTimeout(
      () =>
        fail(
          new PullFailed("time-out", `${place(config)} did not answer within ${timeoutSeconds.connect} s.`),
        ),
      timeoutSeconds.connect * 1000,
    );
    signal.addEventListener("abort", aborted, { once: true });
    socket.once("error", (error: NodeJS.ErrnoException) =>
      fail(new PullFailed("connection", `${place(config)} can't be reached: ${error.code ?? "error"}.`)),
    );
    socket.once("connect", () => {
      clearTimeout(late);
      signal.removeEventListener("abort", aborted);
      socket.removeAllListeners("error");
      resolve(socket);
    });
  });
}

function place({ host, port }: PullConfig): string {
  return `SFTP server ${host}:${port}`;
}

function silence(config: PullConfig): PullFailed {
  return new PullFailed("time-out", `${place(config)} said nothing for ${config.timeoutSeconds.idle} s.`);
}

function strangeHost(config: PullConfig, shown: string): PullFailed {
  return new PullFailed(
    "host-key",
    `${place(config)} shows the key ${shown}, and hostKey is ${config.hostKey}. Nothing was sent to it. ` +
      "Somebody may stand between, or the server has a new key: ask its operator, and only then set hostKey to the fingerprint they name.",
  );
}
