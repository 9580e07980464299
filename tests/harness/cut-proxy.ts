import { createServer, connect, type AddressInfo, type Socket } from "node:net";

/** What happens to one connection: after so many bytes from one side it is cut, or nothing passes any more. */
export interface Fault {
  readonly do: "cut" | "stall";
  readonly from: "client" | "server";
  readonly after: number;
}

export interface CutProxy {
  readonly port: number;
  /** Connections taken so far. */
  readonly connections: number;
  /** For the next connections, in order (`undefined`: it passes); afterwards everything passes. */
  script(...faults: readonly (Fault | undefined)[]): void;
  close(): Promise<void>;
}

/** A TCP proxy on the loopback address before a server, with faults at exact bytes. */
export async function startCutProxy(serverPort: number): Promise<CutProxy> {
  const faults: (Fault | undefined)[] = [];
  const open = new Set<Socket>();
  let connections = 0;
  const server = createServer((client) => {
    connections++;
    const fault = faults.shift();
    const upstream = connect(serverPort, "127.0.0.1");
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on("error", end);
      socket.on("close", () => {
        open.delete(socket);
        end();
      });
    }
    pass(client, upstream, fault?.from === "client" ? fault : undefined);
    pass(upstream, client, fault?.from === "server" ? fault : undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    script: (...more) => void faults.push(...more),
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function pass(from: Socket, to: Socket, fault: Fault | undefined): void {
  let left = fault?.after ?? Infinity;
  from.on("data", (chunk: Buffer) => {
    const passed = chunk.subarray(0, Math.min(chunk.length, left));
    left -= passed.length;
    if (left > 0) {
      if (!to.write(passed)) {
        from.pause();
        to.once("drain", () => from.resume());
      }
      return;
    }
    from.pause();
    if (passed.length > 0) to.write(passed);
    // What has passed arrives; then both sides see the end.
    if (fault!.do === "cut") to.end();
  });
}
