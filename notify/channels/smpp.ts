import { setTimeout as sleep } from "node:timers/promises";
import smpp, { type Pdu, type Session } from "smpp";
import { requireTls } from "../../infra/endpoints.js";
import type { Config } from "../../schemas/config.js";
import { secretOf, systemCode } from "./http.js";
import {
  idOfOne,
  type Channel,
  type DeliveryFault,
  type Heard,
  type Outcome,
  type OutgoingMessage,
} from "./channel.js";

const GIVE_UP_MS = 30_000;
/** An idle session is asked whether it lives, and given up where it does not say so. */
const ENQUIRE_MS = 30_000;
const LONGEST_REST_MS = 60_000;
const LONGEST_VALID = 48 * 3600;
const LONGEST_PASSWORD = 8;

/** Fields of SMPP 3.4: an international number of the ISDN plan; a receipt of the final outcome is wanted. */
const INTERNATIONAL = 1;
const ISDN = 1;
const RECEIPT_WANTED = 1;
/** Bits of esm_class that say that a message is a receipt. */
const RECEIPT_BITS = 0x3c;
const IS_RECEIPT = 0x04;
/** ESME_RX_T_APPN: not now, bring it again. */
const NOT_NOW = 0x64;

/** command_status of submit_sm_resp (SMPP 3.4 §5.1.3): for now, and about the number. All else is for good. */
const FOR_NOW: ReadonlySet<number> = new Set([0x08, 0x14, 0x45, 0x58, 0x64]);
const UNUSABLE: ReadonlySet<number> = new Set([0x0b]);

/** message_state, and the words of a receipt's text (SMPP 3.4 §5.2.28 and appendix B). */
const STATES = {
  ENROUTE: "accepted",
  ACCEPTD: "accepted",
  DELIVRD: "delivered",
  EXPIRED: "failed",
  DELETED: "failed",
  UNDELIV: "failed",
  REJECTD: "failed",
  UNKNOWN: "failed",
} as const;
const STATE_NAMES: readonly (keyof typeof STATES | undefined)[] = [
  undefined,
  "ENROUTE",
  "DELIVRD",
  "EXPIRED",
  "DELETED",
  "UNDELIV",
  "ACCEPTD",
  "UNKNOWN",
  "REJECTD",
];
const FAULT_OF: Readonly<Partial<Record<keyof typeof STATES, DeliveryFault>>> = {
  UNDELIV: "unreachable",
  EXPIRED: "unreachable",
  REJECTD: "filtered",
};

/**
 * SMS by SMPP 3.4, one transceiver session with a message centre: texts go out by submit_sm, receipts and what residents
 * write come in by deliver_sm. A submit_sm has no key by which a repeat is known, and the centre can't be asked: what may
 * have been taken is not sent again, but a burst once.
 * @throws Error where there is no password or one that is too long, or the centre is off this machine without TLS
 */
export function createSmppChannel(config: NonNullable<Config["smpp"]>): Channel {
  const { host, port, tls } = config;
  const password = secretOf("smpp", "CURBSTOP_SMPP_PASSWORD", config.passwordFile);
  if (Buffer.byteLength(password) > LONGEST_PASSWORD)
    throw new Error(
      `smpp: a password has ${LONGEST_PASSWORD} letters at most (SMPP 3.4 §4.1); this one has more`,
    );
  requireTls("smpp.host", `smpp://${host.includes(":") ? `[${host}]` : host}:${port}`, tls);
  const link = new Link({ ...config, password });
  return {
    capabilities: { repeats: "traced" },
    async send(message) {
      let session: Session;
      try {
        session = await link.session();
      } catch (error) {
        return { status: "unreachable", code: (error as Error).message };
      }
      return submit(session, message);
    },
    // It can't be asked: its receipt, where one comes, tells.
    trace: () => Promise.resolve([]),
    listen: (heard) => link.listen(heard),
    obstacle: () => link.obstacle,
    close: () => link.close(),
  };
}

interface LinkOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly systemId: string;
  readonly systemType: string;
  readonly password: string;
}

/** Keeps one session bound, from its first use to the end. */
class Link {
  readonly #options: LinkOptions;
  #session: Promise<Session> | undefined;
  #heard: Heard | undefined;
  /** Why there is no session, since it was last tried to keep one. */
  obstacle: string | undefined;
  #closed = new AbortController();

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /**
   * The bound session.
   * @throws Error whose message is a code: why there is none
   */
  session(): Promise<Session> {
    this.#session ??= this.#bind().catch((error: unknown) => {
      this.#session = undefined;
      throw error;
    });
    return this.#session;
  }

  /** From now on a session is kept, for what comes in. */
  listen(heard: Heard): void {
    this.#heard = heard;
    void this.#stayBound();
  }

  async close(): Promise<void> {
    this.#closed.abort();
    const session = await this.#session?.catch(() => undefined);
    if (session === undefined) return;
    await new Promise<void>((resolve) => {
      session.once("close", resolve);
      if (!session.unbind({}, () => session.close())) session.destroy();
      setTimeout(() => session.destroy(), 1_000).unref();
    });
  }

  async #stayBound(): Promise<void> {
    const { signal } = this.#closed;
    let rest = 1_000;
    while (!signal.aborted) {
      try {
        const session = await this.session();
        this.obstacle = undefined;
        rest = 1_000;
        await new Promise<void>((resolve) => {
          session.once("close", resolve);
        });
        this.obstacle = "smpp closed";
      } catch (error) {
        this.obstacle = (error as Error).message;
      }
      await sleep(rest, undefined, { signal, ref: false }).catch(() => undefined);
      rest = Math.min(LONGEST_REST_MS, 2 * rest);
    }
  }

  #bind(): Promise<Session> {
    const { host, port, tls, systemId, systemType, password } = this.#options;
    const session = smpp.connect({ host, port, tls });
    return new Promise((resolve, reject) => {
      const patience = setTimeout(() => fail("smpp timeout"), GIVE_UP_MS).unref();
      const fail = (code: string) => {
        clearTimeout(patience);
        session.destroy();
        reject(new Error(code));
      };
      session.on("error", (error: { code?: unknown }) => fail(systemCode(error) ?? "smpp broken"));
      session.once("close", () => {
        this.#session = undefined;
        fail("smpp closed");
      });
      session.on("deliver_sm", (pdu: Pdu) => void this.#deliver(session, pdu));
      session.on("enquire_link", (pdu: Pdu) => session.send(pdu.response()));
      session.on("unbind", (pdu: Pdu) => {
        session.send(pdu.response());
        session.close();
      });
      session.once(tls ? "secureConnect" : "connect", () => {
        const credentials = {
          system_id: systemId,
          password,
          system_type: systemType,
          interface_version: 0x34,
        };
        session.bind_transceiver(credentials, ({ command_status: status }) => {
          if (status !== 0) return fail(`smpp bind ${hex(status)}`);
          clearTimeout(patience);
          this.#watch(session);
          resolve(session);
        });
      });
    });
  }

  #watch(session: Session): void {
    let answered = true;
    const timer = setInterval(() => {
      if (!answered) return session.destroy();
      answered = false;
      session.enquire_link({}, () => (answered = true));
    }, ENQUIRE_MS).unref();
    session.once("close", () => clearInterval(timer));
  }

  /** Answered once it is taken in: what could not be is brought again. */
  async #deliver(session: Session, pdu: Pdu): Promise<void> {
    const taken = await this.#take(pdu).catch(() => false);
    session.send(taken ? pdu.response() : pdu.response({ command_status: NOT_NOW }));
  }

  async #take(pdu: Pdu): Promise<boolean> {
    if (this.#heard === undefined) return false;
    const words = wordsOf(pdu);
    const phone = numberOf(pdu.source_addr);
    if (((pdu.esm_class ?? 0) & RECEIPT_BITS) !== IS_RECEIPT) {
      const to = numberOf(pdu.destination_addr);
      return this.#heard.text({ to, from: phone, body: words });
    }
    const [, id] = /\bid:(\S+)/i.exec(words) ?? [];
    const [, word] = /\bstat:(\w+)/i.exec(words) ?? [];
    const [, err] = /\berr:(\w{1,8})/i.exec(words) ?? [];
    const state =
      STATE_NAMES[pdu.message_state ?? 0] ?? (word?.toUpperCase() as keyof typeof STATES | undefined);
    const ids = [pdu.receipted_message_id, id].filter(
      (one): one is string => one !== undefined && one !== "",
    );
    // A receipt in no known words: nothing to learn, and no use in its coming again.
    if (state === undefined || !(state in STATES) || ids.length === 0) return true;
    const status = STATES[state];
    const fault = FAULT_OF[state];
    return this.#heard.status({
      ids: [...new Set(ids.flatMap(spellings))],
      phone,
      report: {
        status,
        ...(status === "failed" ? { code: `smpp ${state}${err === undefined ? "" : ` ${err}`}` } : {}),
        ...(fault === undefined ? {} : { fault }),
      },
    });
  }
}

function submit(session: Session, message: OutgoingMessage): Promise<Outcome> {
  const { address, utility, validSeconds } = message;
  return new Promise((resolve) => {
    const done = (outcome: Outcome) => {
      clearTimeout(patience);
      session.off("close", closed);
      resolve(outcome);
    };
    const closed = () => done({ status: "unknown", code: "smpp closed" });
    const patience = setTimeout(() => done({ status: "unknown", code: "smpp timeout" }), GIVE_UP_MS);
    session.once("close", closed);
    const sent = session.submit_sm(
      {
        source_addr_ton: INTERNATIONAL,
        source_addr_npi: ISDN,
        source_addr: utility.sms!.from.replace("+", ""),
        dest_addr_ton: INTERNATIONAL,
        dest_addr_npi: ISDN,
        destination_addr: address.replace("+", ""),
        validity_period: relativeTime(validSeconds),
        registered_delivery: RECEIPT_WANTED,
        // The centre's default alphabet: texts are of the GSM 7-bit letters alone.
        data_coding: 0,
        short_message: message.text(),
      },
      ({ command_status: status, message_id: id }) => {
        if (status === 0) return done({ status: "accepted", ...(id ? { id: idOfOne(id, message.id) } : {}) });
        done({
          status: "refused",
          permanent: !FOR_NOW.has(status),
          code: `smpp ${hex(status)}`,
          ...(UNUSABLE.has(status) ? { fault: "unusable" as const } : {}),
        });
      },
    );
    if (!sent) done({ status: "unreachable", code: "smpp closed" });
  });
}

/** From now on, as SMPP writes it: YYMMDDhhmmss and 000R. */
function relativeTime(seconds: number): string {
  const all = Math.floor(Math.min(LONGEST_VALID, Math.max(60, seconds)));
  const two = (part: number) => String(part).padStart(2, "0");
  const [days, hours, minutes] = [
    Math.floor(all / 86_400),
    Math.floor(all / 3600) % 24,
    Math.floor(all / 60) % 60,
  ];
  return `0000${two(days)}${two(hours)}${two(minutes)}${two(all % 60)}000R`;
}

/** Some centres name a message in hexadecimals when they take it, and in decimals in its receipt, or the other way round. */
function spellings(id: string): string[] {
  const all = [id];
  if (/^\d{1,15}$/.test(id)) all.push(Number(id).toString(16), Number(id).toString(16).toUpperCase());
  if (/^[0-9a-f]{1,12}$/i.test(id)) all.push(String(parseInt(id, 16)));
  return all;
}

function wordsOf({ short_message, message_payload }: Pdu): string {
  const message = message_payload?.message ?? short_message?.message ?? "";
  return typeof message === "string" ? message : message.toString("latin1");
}

function numberOf(address = ""): string {
  return address.startsWith("+") ? address : `+${address}`;
}

function hex(status: number): string {
  return `0x${status.toString(16).padStart(2, "0")}`;
}
