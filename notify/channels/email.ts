import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { createTransport } from "nodemailer";
import { isLoopback } from "../../infra/endpoints.js";
import { domainOf, type Config, type UtilityConfig } from "../../schemas/config.js";
import { letterHtml, letterText, oneLine, type Letter } from "../templates/letter.js";
import { faultOfStatus } from "../bounces/read-bounce.js";
import type { Channel, OutgoingMessage, Outcome } from "./channel.js";
import { dkimKey, signingOptions, type DkimKey } from "./dkim.js";

/** A mail as it goes to the server: envelope and the bytes after DATA. */
interface Mail {
  readonly from: string;
  readonly to: string;
  readonly bytes: Buffer;
}

export interface MailTransport {
  send(mail: Mail): Promise<Outcome>;
  close(): Promise<void>;
}

type AddressedLetter = Pick<OutgoingMessage, "id" | "utility" | "address"> & { readonly letter: Letter };

/**
 * E-mail: builds the MIME message, signs it where the utility has a key, hands it to the transport.
 * @throws Error where a key can't be used
 */
export function createEmailChannel(
  transport: MailTransport,
  utilities: readonly Pick<UtilityConfig, "id" | "mail">[],
): Channel {
  const keys = new Map(utilities.map((utility) => [utility.id, dkimKey(utility)]));
  return {
    // A repeat carries the same Message-ID.
    capabilities: { repeats: "known" },
    async send(message) {
      const { id, utility, address } = message;
      const bytes = await composeMail(
        { id, utility, address, letter: message.letter() },
        keys.get(utility.id),
      );
      return transport.send({ from: utility.mail.bounces?.address ?? utility.mail.from, to: address, bytes });
    },
    close: () => transport.close(),
  };
}

const composer = createTransport({ streamTransport: true, buffer: true, newline: "windows" });

/**
 * The MIME message. `Message-ID` is the outbox id, so a repeat is known as one.
 * @param key signs it; without one the mail server does, and must include List-Unsubscribe and List-Unsubscribe-Post
 *   (RFC 8058, section 4)
 */
export async function composeMail(
  { id, utility, address, letter }: AddressedLetter,
  key?: DkimKey,
): Promise<Buffer> {
  const { from, replyTo } = utility.mail;
  const domain = domainOf(from);
  const name = oneLine(utility.name);
  const headers: Record<string, string> = {
    "Auto-Submitted": "auto-generated",
    "X-Auto-Response-Suppress": "All",
  };
  if (letter.unsubscribe !== undefined) {
    headers["List-Id"] = `<alerts.${utility.id}.${domain}>`;
    headers["List-Unsubscribe"] = `<${oneLine(letter.unsubscribe.url)}>`;
    headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click";
  }
  const { message } = await composer.sendMail({
    messageId: `<${id}@${domain}>`,
    from: { name, address: from },
    to: { name: "", address: oneLine(address) },
    ...(replyTo === undefined ? {} : { replyTo }),
    subject: oneLine(letter.subject),
    headers,
    text: letterText(letter),
    html: letterHtml(letter),
    xMailer: false,
    ...(key === undefined ? {} : { dkim: signingOptions(key) }),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return message as Buffer;
}

const CONNECTIONS = 4;
const GIVE_UP_MS = 90_000;

/**
 * The configured mail server over pooled connections. TLS is required off this machine; on the loopback a certificate
 * that it offers need not be signed.
 * @throws Error where the password file can't be read
 */
export function createSmtpTransport(smtp: NonNullable<Config["smtp"]>): MailTransport {
  const { host, port, secure, user } = smtp;
  const local = isLoopback(host);
  const pass = passwordOf(smtp);
  const transporter = createTransport({
    pool: true,
    maxConnections: CONNECTIONS,
    maxRequeues: 0,
    host,
    port,
    secure,
    requireTLS: !secure && !local,
    tls: { rejectUnauthorized: !local, minVersion: "TLSv1.2" },
    ...(user === undefined ? {} : { auth: { user, pass: pass ?? "" } }),
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 30_000,
    dnsTimeout: 10_000,
    logger: false,
  });
  return {
    async send({ from, to, bytes }) {
      let handedOver = false;
      const raw = new Readable({
        read() {
          handedOver = true;
          this.push(bytes);
          this.push(null);
        },
      });
      try {
        await transporter.sendMail({
          envelope: { from, to: [to] },
          raw,
          signal: AbortSignal.timeout(GIVE_UP_MS),
        });
        return { status: "accepted" };
      } catch (error) {
        return outcomeOf(error, handedOver);
      }
    },
    close: () => Promise.resolve(transporter.close()),
  };
}

/**
 * What an error of nodemailer says. An answer to a command of the message is the server's word on this message. Anything
 * before (greeting, STARTTLS, login) is about us and the server: no message is lost for it.
 */
export function outcomeOf(error: unknown, handedOver: boolean): Outcome {
  const { responseCode, response, command, code } = error as {
    responseCode?: unknown;
    response?: unknown;
    command?: unknown;
    code?: unknown;
  };
  const name = typeof code === "string" && /^[A-Z]{2,20}$/.test(code) ? code : "ERROR";
  if (typeof responseCode === "number" && responseCode >= 400) {
    const answer = `SMTP ${responseCode}`;
    const ofMessage = typeof command === "string" && /^(MAIL FROM|RCPT TO|DATA)/.test(command);
    if (ofMessage) {
      const permanent = responseCode >= 500;
      // RFC 2034: the enhanced status stands behind the code. Without one, the server may have spoken of us.
      const status = /^\d{3}[ -]([45]\.\d{1,3}\.\d{1,3})\b/.exec(
        typeof response === "string" ? response : "",
      )?.[1];
      const ofAddress = permanent && status !== undefined && /^RCPT TO/.test(command);
      const fault = ofAddress ? faultOfStatus(status) : undefined;
      return { status: "refused", permanent, code: answer, ...(fault === undefined ? {} : { fault }) };
    }
    if (!handedOver) return { status: "unreachable", code: answer };
    // A closing word such as 421 after the message was handed over says that it was not taken.
    return { status: "refused", permanent: false, code: answer };
  }
  return handedOver ? { status: "unknown", code: name } : { status: "unreachable", code: name };
}

function passwordOf({ user, passwordFile }: NonNullable<Config["smtp"]>): string | undefined {
  if (user === undefined) return undefined;
  const given = process.env["CURBSTOP_SMTP_PASSWORD"];
  if (given !== undefined) return given;
  return passwordFile === undefined ? undefined : readFileSync(passwordFile, "utf8").trim();
}
