import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * These ports are below the range from which systems assign ports to outgoing connections. A port from that range could be taken in the seconds
 * before the new process listens on it.
 */
const QUIET_PORTS = { least: 20_000, most: 31_999 } as const;
const QUIET_TRIES = 50;

/** Returns the first of `preferred` that is free, else any free port of the loopback interface. */
export async function findFreePort(preferred: readonly number[]): Promise<number> {
  for (const port of preferred) {
    if (await isFree(port)) {
      return port;
    }
  }
  for (let tries = 0; tries < QUIET_TRIES; tries += 1) {
    const port = randomInt(QUIET_PORTS.least, QUIET_PORTS.most + 1);
    if (await isFree(port)) {
      return port;
    }
  }
  const port = await listenOnce({ host: '127.0.0.1', port: 0 });
  if (port === undefined) {
    throw new Error('This machine has no free port on 127.0.0.1.');
  }
  return port;
}

/** Returns whether a process accepts connections at this address. */
export async function acceptsConnections({ host, port }: { host: string; port: number }): Promise<boolean> {
  const socket = connect({ host, port, timeout: 2_000 });
  try {
    return await new Promise<boolean>((settle) => {
      socket.once('connect', () => settle(true));
      socket.once('error', () => settle(false));
      socket.once('timeout', () => settle(false));
    });
  } finally {
    socket.destroy();
  }
}

/** Polls an address until it accepts connections. Returns false once `timeoutMs` has passed or `abandoned()` returns true. */
export async function waitForPort(
  address: { host: string; port: number },
  { timeoutMs, abandoned }: { timeoutMs: number; abandoned?: () => boolean },
): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (!(await acceptsConnections(address))) {
    if (abandoned?.() === true || Date.now() > deadline) {
      return false;
    }
    await sleep(20);
  }
  return true;
}

/**
 * Checks ::1 too, because `localhost` may resolve to it first and a browser would then reach the other program. On a machine without IPv6 nothing
 * listens on ::1.
 */
async function isFree(port: number): Promise<boolean> {
  const onLoopback = await listenOnce({ host: '127.0.0.1', port });
  return onLoopback !== undefined && !(await acceptsConnections({ host: '::1', port }));
}

async function listenOnce({ host, port }: { host: string; port: number }): Promise<number | undefined> {
  const server = createServer();
  server.listen({ host, port, exclusive: true });
  try {
    await once(server, 'listening');
    return portOf(server.address());
  } catch {
    return undefined;
  } finally {
    server.close();
  }
}

function portOf(address: AddressInfo | string | null): number | undefined {
  return address !== null && typeof address === 'object' ? address.port : undefined;
}
