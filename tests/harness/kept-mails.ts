import type { MailTransport } from "../../notify/index.js";

/** A mail that was taken, as it was handed over. */
export interface KeptMail {
  readonly to: string;
  readonly text: string;
}

/** Takes every mail and keeps it: where what is sent matters, and not how. */
export function keptMails(): { readonly mails: KeptMail[]; readonly transport: MailTransport } {
  const mails: KeptMail[] = [];
  return {
    mails,
    transport: {
      send: ({ to, bytes }) => {
        mails.push({ to, text: bytes.toString() });
        return Promise.resolve({ status: "accepted" });
      },
      close: () => Promise.resolve(),
    },
  };
}
