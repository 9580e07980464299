import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ACCOUNT, TOKEN, type TwilioFake } from "../../demo/twilio.js";

/** Settings by which the fake is Twilio; its token lies in the folder. */
export function twilioSettings(folder: string, { url }: TwilioFake) {
  const authTokenFile = join(folder, "token");
  writeFileSync(authTokenFile, TOKEN);
  return { accountSid: ACCOUNT, authTokenFile, apiUrl: url, lookupUrl: url };
}

/** What the utility of tests has in `sms`. */
export const OAKVALE_TEXTS = {
  from: "+12135550199",
  name: "Oakvale Water",
  help: "213-555-0100",
} as const;
