import { Splitter, type SplitterChunk } from "@zone-eu/mailsplit";
import type { DeliveryFault } from "../channels/channel.js";

/** What a mail server or a mailbox provider says later of a mail that was taken. */
export interface Bounce {
  /** Id of the outbox row: the returned mail's Message-ID says it, which nobody but its receiver knows. */
  readonly outboxId: string;
  readonly kind: "undelivered" | "complaint";
  /** Enhanced status code (RFC 3463), or `complaint`. */
  readonly code: string;
  readonly fault?: DeliveryFault;
}

interface Part {
  readonly type: string;
  readonly headers: string;
  body: string;
}

const MOST_HEAD_BYTES = 64 * 1024;

/**
 * Reads a report of delivery (RFC 3464) or of a complaint (ARF, RFC 5965).
 * @param raw the whole mail, or its first part
 * @param domain of our Message-IDs
 * @returns `undefined` for anything else: mail that people wrote, delays, reports about mail that is not ours
 */
export async function readBounce(raw: Buffer, domain: string): Promise<Bounce | undefined> {
  const parts = await partsOf(raw);
  const outboxId = returnedId(parts, domain);
  if (outboxId === undefined) return undefined;
  const feedback = parts.find(({ type }) => type === "message/feedback-report");
  if (feedback !== undefined) {
    const kind = fieldOf(feedback.body, "feedback-type")?.toLowerCase();
    // The others praise the mail (not-spam), or are about its signature.
    if (kind !== "abuse" && kind !== "fraud" && kind !== "opt-out") return undefined;
    return { outboxId, kind: "complaint", code: "complaint", fault: "stopped" };
  }
  const status = parts.find(({ type }) => /^message\/(global-)?delivery-status$/.test(type));
  if (status === undefined) return undefined;
  for (const recipient of status.body.split(/\r?\n[ \t]*\r?\n/)) {
    if (fieldOf(recipient, "action")?.toLowerCase() !== "failed") continue;
    const code = /^[245]\.\d{1,3}\.\d{1,3}/.exec(fieldOf(recipient, "status") ?? "")?.[0] ?? "5.0.0";
    const fault = faultOfStatus(code);
    return { outboxId, kind: "undelivered", code, ...(fault === undefined ? {} : { fault }) };
  }
  return undefined;
}

/**
 * What a status of a mail that failed for good says of the address (RFC 3463 and the registry of its codes): that it
 * takes no mail at all (unknown mailbox or domain, null MX, mailbox switched off); or that it could not be reached, as a
 * full mailbox. `undefined`: it says something of us or of the mail (our address, policy, content).
 */
export function faultOfStatus(code: string): DeliveryFault | undefined {
  if (/^5\.(1\.(0|1|2|3|6|10)|2\.1)$/.test(code)) return "unusable";
  if (/^[45]\.(1\.(7|8)|5\.|6\.|7\.|3\.4)/.test(code)) return undefined;
  return "unreachable";
}

async function partsOf(raw: Buffer): Promise<Part[]> {
  const parts: Part[] = [];
  const splitter = new Splitter({ maxHeadSize: MOST_HEAD_BYTES });
  splitter.end(raw);
  for await (const chunk of splitter as AsyncIterable<SplitterChunk>) {
    if (chunk.type === "node")
      parts.push({
        type: (chunk.contentType || "text/plain").toLowerCase(),
        headers: chunk.getHeaders().toString("latin1"),
        body: "",
      });
    else if (chunk.type === "body") parts.at(-1)!.body += chunk.value.toString("latin1");
  }
  return parts;
}

/** Our id in the Message-ID of the mail that came back: not in that of the report. */
function returnedId(parts: readonly Part[], domain: string): string | undefined {
  const at = parts.findIndex(({ type }) => type === "message/rfc822" || type === "message/global");
  const texts = [
    ...parts
      .filter(({ type }) => /^text\/rfc822-headers$|^message\/global-headers$/.test(type))
      .map(({ body }) => body),
    ...(at < 0 ? [] : [parts[at]!.body, parts[at + 1]?.headers ?? ""]),
  ];
  for (const text of texts) {
    const [, id, of] =
      /^<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@([^>]+)>/.exec(fieldOf(text, "message-id") ?? "") ??
      [];
    if (id !== undefined && of?.toLowerCase() === domain.toLowerCase()) return id;
  }
  return undefined;
}

/** A field of a header block, unfolded; `undefined` where there is none. */
function fieldOf(text: string, name: string): string | undefined {
  for (const line of text.replace(/\r?\n[ \t]+/g, " ").split(/\r?\n/)) {
    const colon = line.indexOf(":");
    if (colon > 0 && line.slice(0, colon).trim().toLowerCase() === name) return line.slice(colon + 1).trim();
  }
  return undefined;
}
