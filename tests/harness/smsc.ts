import type { AddressInfo } from "node:net";
import smpp, { type Pdu, type Session } from "smpp";

export const SYSTEM_ID = "oakvale";
export const PASSWORD = "tap8ters";

/** A text as the centre took it; numbers as they came, without a sign. */
export interface Submitted {
  readonly id: string;
  readonly to: string;
  readonly from: string;
  readonly text: string;
  /** Until when it may be brought, by the clock of this machine. */
  readonly validUntil: Date | undefined;
  readonly wantsReceipt: boolean;
}

/** What it does with the next text instead of taking it. */
type Misbehaviour =
  | { readonly do: "refuse"; readonly status: number }
  | { readonly do: "cut-after-taking" | "cut-before-taking" | "take-and-be-silent" };

/** A message centre: SMPP 3.4 with state. It keeps a text before it answers, and misbehaves on command. */
export interface Smsc {
  readonly port: number;
  readonly taken: Submitted[];
  /** Sessions that are bound now. */
  bound(): number;
  script(...steps: readonly Misbehaviour[]): void;
  /** Tells by a receipt what became of a text; resolves with the status of the answer. */
  receipt(id: string, state: string, err?: string): Promise<number>;
  /** A resident writes; resolves with the status of the answer. */
  write(from: string, to: string, text: string): Promise<number>;
  /** Breaks every session. */
  cut(): void;
  close(): Promise<void>;
}

const ESME_RINVPASWD = 0x0e;

export async function startSmsc(port = 0): Promise<Smsc> {
  const taken: Submitted[] = [];
  const steps: Misbehaviour[] = [];
  const all = new Set<Session>();
  const bound = new Set<Session>();
  let last = 0;
  const server = smpp.createServer((session) => {
    all.add(session);
    session.on("error", () => undefined);
    session.on("close", () => {
      all.delete(session);
      bound.delete(session);
    });
    session.on("enquire_link", (pdu: Pdu) => session.send(pdu.response()));
    session.on("unbind", (pdu: Pdu) => {
      session.send(pdu.response());
      session.close();
    });
    session.on("bind_transceiver", (pdu: Pdu) => {
      const right = pdu.system_id === SYSTEM_ID && pdu.password === PASSWORD;
      session.send(pdu.response({ command_status: right ? 0 : ESME_RINVPASWD, system_id: "fake" }));
      if (right) bound.add(session);
    });
    session.on("submit_sm", (pdu: Pdu) => submitted(session, pdu));
  });

  function submitted(session: Session, pdu: Pdu): void {
    const step = steps.shift();
    if (step?.do === "refuse") return void session.send(pdu.response({ command_status: step.status }));
    if (step?.do === "cut-before-taking") return session.destroy();
    const message = pdu.short_message?.message ?? "";
    const id = (++last).toString(16).padStart(8, "0");
    taken.push({
      id,
      to: pdu.destination_addr!,
      from: pdu.source_addr!,
      text: typeof message === "string" ? message : message.toString("latin1"),
      validUntil: pdu.validity_period,
      wantsReceipt: ((pdu.registered_delivery ?? 0) & 3) === 1,
    });
    if (step?.do === "cut-after-taking") return session.destroy();
    if (step?.do === "take-and-be-silent") return;
    session.send(pdu.response({ message_id: id }));
  }

  function deliver(fields: Readonly<Record<string, unknown>>): Promise<number> {
    const [session] = bound;
    if (session === undefined) throw new Error("nobody is bound");
    return new Promise((resolve, reject) => {
      const ended = () => reject(new Error("the session ended before the answer"));
      session.once("close", ended);
      session.deliver_sm(
        { source_addr_ton: 1, source_addr_npi: 1, dest_addr_ton: 1, dest_addr_npi: 1, ...fields },
        ({ command_status }) => {
          session.off("close", ended);
          resolve(command_status);
        },
      );
    });
  }

  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    taken,
    bound: () => bound.size,
    script: (...more) => void steps.push(...more),
    receipt(id, state, err = "000") {
      const { to, from, text } = taken.find((one) => one.id === id)!;
      const words = `id:${id} sub:001 dlvrd:001 submit date:2606011200 done date:2606011201 stat:${state} err:${err} text:${text.slice(0, 20)}`;
      return deliver({ source_addr: to, destination_addr: from, esm_class: 4, short_message: words });
    },
    write: (from, to, text) =>
      deliver({
        source_addr: from.replace("+", ""),
        destination_addr: to.replace("+", ""),
        short_message: text,
      }),
    cut: () => all.forEach((session) => session.destroy()),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      all.forEach((session) => session.destroy());
      await closed;
    },
  };
}
