import { connect, createServer, type Socket } from 'node:net';

/** A TCP proxy in front of a real server, with which a test makes the server unreachable. */
export interface TcpProxy {
  readonly port: number;
  /** Ends every connection and refuses new ones at once. */
  cut(): Promise<void>;
  /** Keeps connections open but returns nothing, like a firewall that drops packets. */
  silence(): void;
  restore(): Promise<void>;
  close(): Promise<void>;
}

export async function openTcpProxy({ host, port: targetPort }: { host: string; port: number }): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let silent = false;
  const server = createServer((client) => {
    const target = connect(targetPort, host);
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes) => {
        if (!silent) {
          to.write(bytes);
        }
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve) => {
      server.listen(port, '127.0.0.1', resolve);
    });
  const stop = (): Promise<unknown> =>
    new Promise((resolve) => {
      server.close(resolve);
      for (const socket of sockets) {
        socket.destroy();
      }
    });
  await listen(0);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    port,
    cut: async () => void (await stop()),
    silence() {
      silent = true;
    },
    async restore() {
      silent = false;
      if (!server.listening) {
        await listen(port);
      }
    },
    close: async () => void (server.listening && (await stop())),
  };
}
