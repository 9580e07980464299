const id = (outbox: string, domain: string) => `<${outbox}@${domain}>`;

function report(type: string, parts: readonly (readonly [type: string, body: string])[]): string {
  const sections = parts.map(([of, body]) => `--=_b\nContent-Type: ${of}\n\n${body}\n`);
  return [
    "Return-Path: <>",
    "From: Mail Delivery System <MAILER-DAEMON@mx.mail.example>",
    "To: bounces@oakvale.example",
    "Subject: Returned",
    "Message-ID: <20260601190000.4711@mx.mail.example>",
    "MIME-Version: 1.0",
    `Content-Type: multipart/report; report-type=${type};\n\tboundary="=_b"`,
    "",
    ...sections,
    "--=_b--",
    "",
  ]
    .join("\n")
    .replace(/\n/g, "\r\n");
}

/** Reports of mail servers and mailbox providers, as RFC 3464 and RFC 5965 lay them out. */
export const returned = {
  /** @param headersOnly the mail comes back by its headers alone */
  undelivered(
    outbox: string,
    {
      status,
      action = "failed",
      domain = "oakvale.example",
      headersOnly = false,
    }: { status: string; action?: string; domain?: string; headersOnly?: boolean },
  ): string {
    const original = `From: alerts@oakvale.example\nTo: resident@mail.example\nSubject: Possible leak\nMessage-ID:\n ${id(outbox, domain)}\n`;
    return report("delivery-status", [
      ["text/plain", "I could not deliver your message."],
      [
        "message/delivery-status",
        "Reporting-MTA: dns; mx.mail.example\nArrival-Date: Mon, 1 Jun 2026 19:00:00 +0000\n\n" +
          `Final-Recipient: rfc822; resident@mail.example\nAction: ${action}\nStatus: ${status} (words)\n` +
          "Diagnostic-Code: smtp; 550 no such\n person",
      ],
      headersOnly ? ["text/rfc822-headers", original] : ["message/rfc822", `${original}\nWater is running.`],
    ]);
  },
  complaint(outbox: string, kind: string): string {
    return report("feedback-report", [
      ["text/plain", "This is a report about mail."],
      ["message/feedback-report", `Feedback-Type: ${kind}\nUser-Agent: Reporter/1\nVersion: 1`],
      [
        "message/rfc822",
        `From: alerts@oakvale.example\nMessage-ID: ${id(outbox, "oakvale.example")}\n\nWater.`,
      ],
    ]);
  },
};
