/** The part of package smpp that is used here: it comes without types. */
declare module "smpp" {
  import type { EventEmitter } from "node:events";
  import type { Server } from "node:net";

  export interface Pdu {
    readonly command: string;
    readonly command_status: number;
    readonly sequence_number: number;
    readonly message_id?: string;
    readonly source_addr?: string;
    readonly destination_addr?: string;
    readonly esm_class?: number;
    readonly data_coding?: number;
    readonly validity_period?: Date;
    readonly registered_delivery?: number;
    readonly system_id?: string;
    readonly password?: string;
    readonly short_message?: { readonly message: string | Buffer };
    readonly message_payload?: { readonly message: string | Buffer };
    readonly receipted_message_id?: string;
    readonly message_state?: number;
    response(fields?: Readonly<Record<string, unknown>>): Pdu;
  }
  type Answered = (answer: Pdu) => void;
  type Request = (fields: Readonly<Record<string, unknown>>, answered?: Answered) => boolean;

  export interface Session extends EventEmitter {
    send(pdu: Pdu, answered?: Answered): boolean;
    bind_transceiver: Request;
    submit_sm: Request;
    deliver_sm: Request;
    enquire_link: Request;
    unbind: Request;
    close(): void;
    destroy(): void;
  }
  interface Smpp {
    connect(options: { readonly host: string; readonly port: number; readonly tls: boolean }): Session;
    createServer(listener: (session: Session) => void): Server;
  }
  const smpp: Smpp;
  export default smpp;
}
