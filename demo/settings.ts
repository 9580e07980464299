import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { loadConfig, type Settings } from "../infra/config/load-config.js";
import type { ConfigInput } from "../schemas/config.js";
import { TIME_ZONE } from "./town.js";

export const UTILITY = "santa-brisa";

/** Folder of a source in the folder of the demo. */
export const dropFolder = (folder: string, source: "ami" | "customers") => join(folder, "drop", source);

/**
 * Writes `curbstop.yaml` into the demo's folder and reads it the way the command does. Variables of the environment are
 * left aside: the demo has servers of its own.
 */
export function demoSettings(
  folder: string,
  ports: { readonly smtp: number; readonly web: number },
  twilio: { readonly url: string; readonly account: string; readonly token: string },
): Settings {
  const input: ConfigInput = {
    dataDirectory: "data",
    web: { port: ports.web, publicUrl: `http://127.0.0.1:${ports.web}` },
    smtp: { host: "127.0.0.1", port: ports.smtp },
    twilio: { accountSid: twilio.account, authTokenFile: "twilio-token", apiUrl: twilio.url },
    utilities: [
      {
        id: UTILITY,
        name: "Santa Brisa Water",
        timeZone: TIME_ZONE,
        languages: ["en", "es"],
        units: "gal",
        mail: {
          from: "alerts@santabrisa.example",
          postalAddress: "1 Reservoir Road, Santa Brisa, CA 95401",
          privacy: "privacy@santabrisa.example",
        },
        sms: { from: "+17075550199", name: "Santa Brisa Water", help: "707-555-0123" },
        alerts: { live: true, gatherMinutes: 0 },
        // What is planted is told by the plain words of these.
        detect: { rules: ["continuous-flow", "spike"] },
        sources: [
          {
            id: "ami",
            folder: "drop/ami",
            files: "*.csv",
            format: "csv",
            complete: { by: "stability", seconds: 0 },
            profile: {
              columns: {
                meter: "meter_id",
                serial: "register_serial",
                time: "read_time",
                register: "reading",
                unit: "unit",
                quality: "quality",
              },
              time: { format: "YYYY-MM-DD HH:mm", zone: "utility", repeatedHour: "order" },
              unit: "gal",
              resolution: 0.1,
              digits: 7,
            },
          },
          {
            id: "customers",
            folder: "drop/customers",
            format: "crosswalk",
            complete: { by: "stability", seconds: 0 },
          },
        ],
      },
    ],
  };
  const path = join(folder, "curbstop.yaml");
  writeFileSync(join(folder, "twilio-token"), twilio.token, { mode: 0o600 });
  writeFileSync(path, stringify(input));
  return loadConfig(path, {});
}
