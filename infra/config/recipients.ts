import type { Config, UtilityConfig } from "../../schemas/config.js";
import { isLoopback } from "../endpoints.js";
import type { Environment } from "./environment.js";

/** Somebody outside of this machine who gets data, by what is configured. */
export interface Recipient {
  readonly who: string;
  /** Host, or what the contract calls them. */
  readonly where: string;
  readonly what: string;
}

/**
 * Who gets data of a utility's residents: a register of those who process it for the utility. What stays on this machine
 * is not in it, nor who runs the machine.
 */
export function recipientsOf(config: Config, utility: UtilityConfig, environment: Environment): Recipient[] {
  const { smtp, twilio, smpp, smsWebhook } = config;
  const texts =
    "phone numbers, and texts: the utility's name, last four of the account number, a leak's time and rate";
  const all: (Recipient | false | undefined)[] = [
    smtp && {
      who: "mail server",
      where: smtp.host,
      what: "e-mail addresses, and mails: last four of the account number, water by the hour, what a leak costs",
    },
    utility.sms && smpp && { who: "message centre (SMPP)", where: smpp.host, what: texts },
    utility.sms && smsWebhook && { who: "gateway for texts", where: hostOf(smsWebhook.url), what: texts },
    utility.sms &&
      twilio &&
      smpp === undefined &&
      smsWebhook === undefined && { who: "Twilio, texts", where: hostOf(twilio.apiUrl), what: texts },
    utility.voice &&
      twilio && {
        who: "Twilio, calls",
        where: hostOf(twilio.apiUrl),
        what: "phone numbers, and what is said: as texts",
      },
    utility.sms &&
      twilio?.lookup === true && {
        who: "Twilio, Lookup",
        where: hostOf(twilio.lookupUrl),
        what: "phone numbers",
      },
    server(
      "PostgreSQL",
      environment.CURBSTOP_DATABASE_URL,
      "persons sealed, and what belongs to them by key",
    ),
    server("ClickHouse", environment.CURBSTOP_CLICKHOUSE_URL, "usage by meter key, no person"),
    ...(environment.CURBSTOP_KAFKA_BROKERS?.split(",") ?? []).map((broker) =>
      server("Kafka", `kafka://${broker}`, "usage by meter key, no person"),
    ),
    ...utility.disclosures.map(({ clause, to, purposes }) => ({
      who: to,
      where: `clause ${clause}`,
      what: `what is written down for each: ${purposes.join(", ")}`,
    })),
  ];
  return all.filter((one) => typeof one === "object").filter(({ where }) => !isLoopback(where));
}

function server(who: string, url: string | undefined, what: string): Recipient | undefined {
  return url === undefined ? undefined : { who, where: hostOf(url), what };
}

function hostOf(url: string): string {
  return new URL(url).hostname;
}
