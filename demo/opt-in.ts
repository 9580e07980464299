import type { SteppedClock } from "../infra/clock.js";
import type { Stage } from "../infra/stage.js";
import type { Mailbox } from "./mailbox.js";
import type { Phones } from "./texting.js";
import { UTILITY } from "./settings.js";
import type { Town } from "./town.js";

/** Residents sign up in groups, one group every so many seconds. */
const GROUP = 7;
const GROUP_EVERY = 1800;

/** Seconds from the first sign-up to that of resident `i`. */
export const signUpAfter = (i: number) => Math.floor(i / GROUP) * GROUP_EVERY;

/**
 * Signs the residents up the way they do it themselves: the form, the mail, the link in it, the button on its page;
 * those with a phone also reply to the text.
 * @throws Error where a page answers otherwise or no mail comes
 */
export async function optIn(options: {
  readonly town: Town;
  readonly webUrl: string;
  readonly notify: Stage;
  readonly mailbox: Mailbox;
  readonly phones: Phones;
  readonly clock: SteppedClock;
  readonly onResidents: (done: number) => void;
}): Promise<void> {
  const { town, webUrl, notify, mailbox, phones, clock, onResidents } = options;
  const begin = clock.now();
  for (let at = 0; at < town.residents.length; at += GROUP) {
    const group = town.residents.slice(at, at + GROUP);
    clock.set(begin + signUpAfter(at) * 1000);
    await Promise.all(
      group.map(async ({ home, kinds }) => {
        const { accountId, zip, email } = town.homes[home - 1]!;
        const form = await openForm(`${webUrl}/${UTILITY}/subscribe`);
        form.fields.set("account", accountId);
        form.fields.set("zip", zip);
        form.fields.set("email", email);
        const phone = phones.numberOf(home);
        form.fields.set("phone", phone ?? "");
        const ways = phone === undefined ? ["email"] : ["email", "sms"];
        const wanted = new Set(ways.flatMap((way) => kinds.map((kind) => `${way}:${kind}`)));
        for (const box of form.boxes) if (wanted.has(box.value)) form.fields.append(box.name, box.value);
        await submit(form);
      }),
    );
    await notify.drain();
    await Promise.all(
      group.map(async ({ home, confirms }) => {
        const mail = mailbox.mails.findLast(({ to }) => to === town.homes[home - 1]!.email);
        const link = /https?:\/\/\S+/.exec(mail?.text ?? "")?.[0];
        if (link === undefined) throw new Error(`No confirmation mail with a link came to home ${home}.`);
        if (confirms) await submit(await openForm(link));
        if (phones.numberOf(home) !== undefined) await phones.write(home, "Y1");
      }),
    );
    onResidents(Math.min(at + GROUP, town.residents.length));
  }
}

interface Form {
  readonly action: string;
  /** What is filled in already. */
  readonly fields: URLSearchParams;
  readonly boxes: readonly { readonly name: string; readonly value: string }[];
}

async function openForm(url: string): Promise<Form> {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  const text = await response.text();
  const form = /<form\b([^>]*)>([\s\S]*?)<\/form>/i.exec(text);
  if (!response.ok || form === null)
    throw new Error(`GET ${new URL(url).pathname} answered ${response.status}, expected a page with a form.`);
  const fields = new URLSearchParams();
  const boxes: { name: string; value: string }[] = [];
  for (const [tag] of form[2]!.matchAll(/<(?:input|button)\b[^>]*>/gi)) {
    const name = attribute(tag, "name");
    const value = attribute(tag, "value");
    if (name === undefined || value === undefined) continue;
    if (attribute(tag, "type") === "checkbox") boxes.push({ name, value });
    else fields.append(name, value);
  }
  return { action: new URL(attribute(form[1]!, "action") ?? url, url).href, fields, boxes };
}

async function submit({ action, fields }: Form): Promise<void> {
  const response = await fetch(action, {
    method: "POST",
    body: fields,
    signal: AbortSignal.timeout(10_000),
  });
  await response.arrayBuffer();
  if (!response.ok)
    throw new Error(`POST ${new URL(action).pathname} answered ${response.status}, expected 200.`);
}

function attribute(tag: string, name: string): string | undefined {
  const value = new RegExp(`\\b${name}\\s*=\\s*"([^"]*)"`, "i").exec(tag)?.[1];
  return value
    ?.replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&lt;", "<")
    .replaceAll("&amp;", "&");
}
