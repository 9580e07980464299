import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { simpleParser, type ParsedMail } from "mailparser";
import { SMTPServer } from "smtp-server";

/** What the server does with one message instead of taking it. */
type Misbehaviour =
  | { readonly do: "refuse"; readonly at: "rcpt" | "data"; readonly code: number }
  /** Takes the message, writes it, and breaks the connection without an answer. */
  | { readonly do: "cut-after-data" }
  /** Breaks the connection before the message is handed over. */
  | { readonly do: "cut-at-rcpt" }
  | { readonly do: "wait"; readonly ms: number };

export interface Mailbox {
  readonly port: number;
  /** For the next messages, in order; afterwards everything is taken. */
  script(...steps: readonly Misbehaviour[]): void;
  /** Every message taken so far, oldest first. */
  mails(): Promise<ParsedMail[]>;
  /** To whom, in the envelope. */
  recipients(): string[];
  close(): Promise<void>;
}

interface Stored {
  readonly to: string;
  readonly raw: string;
}

/** A mail server that writes each message to `file` and fsyncs before it answers, so that its count can be trusted. */
export async function startMailbox(file: string, options: { readonly port?: number } = {}): Promise<Mailbox> {
  const steps: Misbehaviour[] = [];
  const handle = openSync(file, "a");
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS", "AUTH"],
    logger: false,
    onRcptTo(_address, session, done) {
      const step = steps[0];
      if (step?.do === "cut-at-rcpt") {
        steps.shift();
        socketOf(server, session.id)?.destroy();
        return;
      }
      if (step?.do === "refuse" && step.at === "rcpt") {
        steps.shift();
        return done(refusal(step.code));
      }
      done();
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => void taken(Buffer.concat(chunks), session.id, session.envelope.rcptTo, done));
    },
  });
  async function taken(
    raw: Buffer,
    id: string,
    to: readonly { readonly address: string }[],
    done: (error?: Error | null) => void,
  ): Promise<void> {
    const step = steps.shift();
    if (step?.do === "refuse") return done(refusal(step.code));
    if (step?.do === "wait") await sleep(step.ms);
    for (const { address } of to) {
      const stored: Stored = { to: address, raw: raw.toString("base64") };
      writeSync(handle, JSON.stringify(stored) + "\n");
    }
    fsyncSync(handle);
    if (step?.do === "cut-after-data") socketOf(server, id)?.destroy();
    else done();
  }
  server.on("error", () => undefined);
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  const stored = () => readMailbox(file);
  return {
    port: (server.server.address() as AddressInfo).port,
    script: (...more) => void steps.push(...more),
    mails: () => Promise.all(stored().map(({ raw }) => simpleParser(Buffer.from(raw, "base64")))),
    recipients: () => stored().map(({ to }) => to),
    async close() {
      await new Promise<void>((resolve) => server.close(() => resolve()));
      closeSync(handle);
    },
  };
}

/** What a mailbox file holds, also of a server that has ended. */
export function readMailbox(file: string): Stored[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Stored);
}

/** The connection of a session; smtp-server keeps it beside what its types show. */
function socketOf(server: SMTPServer, id: string): Socket | undefined {
  const connections = server.connections as unknown as Set<{ id: string; _socket: Socket }>;
  return [...connections].find((connection) => connection.id === id)?._socket;
}

function refusal(code: number): Error {
  return Object.assign(new Error(`scripted answer ${code}`), { responseCode: code });
}
