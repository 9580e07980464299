import type { Config } from "../../schemas/config.js";
import type { Channel } from "./channel.js";
import { createTwilioVoice, type VoiceChannel } from "./twilio-voice.js";
import { createTwilioLookUp, type LookUp } from "./twilio-lookup.js";
import { createTwilioChannel } from "./twilio.js";
import { createSmppChannel } from "./smpp.js";
import { createWebhookChannel } from "./webhook.js";
import { createEmailChannel, createSmtpTransport, type MailTransport } from "./email.js";

/** What channels are made from. */
export interface ChannelContext {
  readonly config: Config;
  readonly transport?: MailTransport;
}

/** The channels by name: a new one is an entry here. `undefined`: not configured, its messages wait. */
const CHANNELS: Readonly<Record<string, (context: ChannelContext) => Channel | undefined>> = {
  email: ({ config: { smtp, utilities }, transport }) => {
    const mail = transport ?? (smtp === undefined ? undefined : createSmtpTransport(smtp));
    return mail === undefined ? undefined : createEmailChannel(mail, utilities);
  },
  sms: ({ config: { twilio, smpp, smsWebhook, web } }) => {
    if (smpp !== undefined) return createSmppChannel(smpp);
    if (smsWebhook !== undefined) return createWebhookChannel(smsWebhook);
    return twilio === undefined ? undefined : createTwilioChannel(twilio, web);
  },
  voice: openVoice,
};

/** Calls; `undefined` where no utility makes any. */
export function openVoice({
  config: { twilio, web, utilities },
}: Pick<ChannelContext, "config">): VoiceChannel | undefined {
  const calls = utilities.some(({ voice }) => voice !== undefined);
  return twilio === undefined || !calls ? undefined : createTwilioVoice(twilio, web);
}

/** `undefined`: numbers are not looked up. */
export function openLookUp({ config: { twilio } }: Pick<ChannelContext, "config">): LookUp | undefined {
  return twilio?.lookup === true ? createTwilioLookUp(twilio) : undefined;
}

/** One of them; `undefined` where it is not configured. */
export function openChannel(name: "email" | "sms", context: ChannelContext): Channel | undefined {
  return CHANNELS[name]!(context);
}

export function openChannels(context: ChannelContext): ReadonlyMap<string, Channel> {
  const open = new Map<string, Channel>();
  for (const [name, make] of Object.entries(CHANNELS)) {
    const channel = make(context);
    if (channel !== undefined) open.set(name, channel);
  }
  return open;
}
