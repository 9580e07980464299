import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";
import type { Clock } from "../infra/clock.js";

/** A mail as it was delivered. */
export interface Mail {
  /** From 1 on, in order of arrival. */
  readonly number: number;
  /** Milliseconds since 1970 by the demo's clock. */
  readonly at: number;
  readonly to: string;
  readonly from: string;
  readonly subject: string;
  readonly messageId: string;
  readonly text: string;
  readonly html: string;
}

/** A mail server that takes every mail for every address and keeps it in memory. */
export interface Mailbox {
  readonly port: number;
  /** In order of arrival. */
  readonly mails: readonly Mail[];
  close(): Promise<void>;
}

/** Listens on a free port of the loopback address. */
export async function openMailbox(clock: Clock): Promise<Mailbox> {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    disabledCommands: ["AUTH"],
    hideSTARTTLS: true,
    disableReverseLookup: true,
    closeTimeout: 1000,
    onData(stream, session, done) {
      simpleParser(stream).then(
        (mail) => {
          mails.push({
            number: mails.length + 1,
            at: clock.now(),
            to: session.envelope.rcptTo.map(({ address }) => address).join(", "),
            from: mail.from?.text ?? "",
            subject: mail.subject ?? "",
            messageId: mail.messageId ?? "",
            text: mail.text ?? "",
            html: mail.html === false ? "" : (mail.html ?? ""),
          });
          done();
        },
        (error: Error) => done(error),
      );
    },
  });
  // A client that goes away in the middle is no fault of the mailbox.
  server.on("error", () => undefined);
  const listener = server.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return {
    port: (listener.address() as AddressInfo).port,
    mails,
    close: () => new Promise<void>((resolve) => server.close(resolve)),
  };
}
