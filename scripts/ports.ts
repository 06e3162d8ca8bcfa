import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Below the range from which systems take the ports of outgoing connections: a port from there may be somebody's before our process, which
 * starts seconds later, listens on it.
 */
const QUIET_PORTS = { least: 20_000, most: 31_999 } as const;
const QUIET_TRIES = 50;

/** Takes the first of `preferred` that nobody listens on, else any free port of the loopback. */
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

/** Whether somebody accepts connections at this address. */
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

/** Polls an address until it accepts; false once `timeoutMs` has passed or `abandoned()` says there is no hope. */
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
 * `localhost` may mean ::1 first, so a port that is taken there is not ours either: a browser would meet the other
 * program. A machine without IPv6 has nobody on ::1.
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
