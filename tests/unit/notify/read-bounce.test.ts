import fc from "fast-check";
import { faultOfStatus, readBounce } from "../../../notify/bounces/read-bounce.js";
import { outcomeOf } from "../../../notify/channels/email.js";
import { returned } from "../../harness/returned.js";

const OUTBOX = "3f2a9a52-0f6e-4c1b-9a53-0c1e7a5b9d10";
const read = (text: string) => readBounce(Buffer.from(text), "oakvale.example");

it("reads a report of delivery, whether the mail comes back whole or by its headers", async () => {
  for (const headersOnly of [false, true])
    expect(await read(returned.undelivered(OUTBOX, { status: "5.1.1", headersOnly }))).toEqual({
      outboxId: OUTBOX,
      kind: "undelivered",
      code: "5.1.1",
      fault: "unusable",
    });
});

it("reads complaints, and no praise", async () => {
  expect(await read(returned.complaint(OUTBOX, "Abuse"))).toMatchObject({
    kind: "complaint",
    fault: "stopped",
  });
  expect(await read(returned.complaint(OUTBOX, "not-spam"))).toBeUndefined();
});

it("knows no mail by another domain, nor by the report's own Message-ID", async () => {
  expect(
    await read(returned.undelivered(OUTBOX, { status: "5.1.1", domain: "oakvale.example.evil" })),
  ).toBeUndefined();
  const without = returned.undelivered("x", { status: "5.1.1" });
  expect(
    await read(without.replace("<20260601190000.4711@mx.mail.example>", `<${OUTBOX}@oakvale.example>`)),
  ).toBeUndefined();
});

it("tells what a status says of the address", () => {
  for (const code of ["5.1.1", "5.1.2", "5.1.10", "5.2.1", "5.1.6"])
    expect(faultOfStatus(code)).toBe("unusable");
  for (const code of ["5.2.2", "4.4.7", "5.4.4", "5.0.0", "4.2.2"])
    expect(faultOfStatus(code)).toBe("unreachable");
  for (const code of ["5.7.1", "5.7.26", "5.1.8", "5.6.0", "5.3.4"])
    expect(faultOfStatus(code)).toBeUndefined();
});

it("takes a server's word on a mailbox by its enhanced status alone", () => {
  const refusal = (response: string, command = "RCPT TO") =>
    outcomeOf({ responseCode: 550, response, command }, false);
  expect(refusal("550 5.1.1 <a@b.example>: unknown")).toEqual({
    status: "refused",
    permanent: true,
    code: "SMTP 550",
    fault: "unusable",
  });
  for (const [response, command] of [
    ["550 mailbox unavailable"],
    ["550 5.7.1 blocked, see 5.1.1"],
    ["550 5.1.1 sender unknown", "MAIL FROM"],
  ] as [string, string?][])
    expect(refusal(response, command)).not.toHaveProperty("fault");
});

it("never fails, whatever came", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
        fc.tuple(fc.nat(1200), fc.string()).map(([at, text]) => {
          const whole = returned.undelivered(OUTBOX, { status: "5.1.1" });
          return Buffer.from(whole.slice(0, at) + text + whole.slice(at));
        }),
      ),
      async (raw) => {
        const bounce = await readBounce(raw, "oakvale.example");
        expect(bounce?.outboxId ?? OUTBOX).toBe(OUTBOX);
      },
    ),
    { numRuns: 200 },
  );
});
