import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Toxic } from './dials.ts';

/** A TCP proxy between two processes that can be made to misbehave. It listens at the same port all the time. */
export interface Link {
  readonly port: number;
  /** Starts a fault. `cut` and `reset` happen once and need no repair. */
  upset(toxic: Toxic): Promise<void>;
  /** Ends every fault. Half-open connections are reset, as by a host that comes back after a reboot. */
  mend(): Promise<void>;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';
const DELAY_MS = 150;
const SLICE_BYTES = 16;
const SLICE_PAUSE_MS = 1;
/** Longer data are not sliced, because a large answer would take minutes. */
const SLICED_BYTES_MAX = 512;

type Ending = 'fin' | 'reset';

interface Pair {
  readonly near: Socket;
  readonly far: Socket | null;
}

/** Connects each client with one of the targets in turn, and tries the next one when a target refuses. */
export async function openLink(targets: () => readonly number[]): Promise<Link> {
  const pairs = new Set<Pair>();
  let mood: Toxic | null = null;
  let turn = 0;
  const held = { pairs, endsPass: (): boolean => mood !== 'half-open' };
  const server = createServer({ allowHalfOpen: false }, (near) => {
    near.on('error', () => undefined);
    if (mood === 'half-open') {
      keep({ near, far: null }, held);
      return;
    }
    turn += 1;
    near.pause();
    void join(near, reach(targets(), turn));
  });
  const join = async (near: Socket, reaching: Promise<Socket | null>): Promise<void> => {
    const far = await reaching;
    if (far === null || near.destroyed) {
      near.resetAndDestroy();
      far?.destroy();
      return;
    }
    keep({ near, far }, held);
    carry({ from: near, to: far, mood: () => mood });
    carry({ from: far, to: near, mood: () => mood });
  };
  await listen(server, 0);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const end = (how: Ending): void => {
    for (const { near, far } of pairs) {
      for (const socket of far === null ? [near] : [near, far]) {
        endSocket(socket, how);
      }
    }
    pairs.clear();
  };
  return {
    port,
    async upset(toxic) {
      switch (toxic) {
        case 'down':
          mood = toxic;
          await stop(server, () => end('reset'));
          return;
        case 'cut':
          end('fin');
          return;
        case 'reset':
          end('reset');
          return;
        default:
          mood = toxic;
      }
    },
    async mend() {
      const was = mood;
      mood = null;
      if (was === 'half-open') {
        end('reset');
      }
      if (!server.listening) {
        await listen(server, port);
      }
    },
    async close() {
      if (server.listening) {
        await stop(server, () => end('fin'));
      }
    },
  };
}

function endSocket(socket: Socket, how: Ending): void {
  if (how === 'fin') {
    socket.destroy();
  } else {
    socket.resetAndDestroy();
  }
}

interface Held {
  readonly pairs: Set<Pair>;
  /** Returns false while not even the end of a connection reaches the other side. */
  readonly endsPass: () => boolean;
}

function keep(pair: Pair, { pairs, endsPass }: Held): void {
  pairs.add(pair);
  for (const socket of pair.far === null ? [pair.near] : [pair.near, pair.far]) {
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (endsPass()) {
        pairs.delete(pair);
        pair.near.destroy();
        pair.far?.destroy();
      }
    });
  }
}

interface Direction {
  readonly from: Socket;
  readonly to: Socket;
  readonly mood: () => Toxic | null;
}

/** Forwards bytes in order, with the delays of the current fault. A half-open connection discards them. */
function carry({ from, to, mood }: Direction): void {
  let queue: Promise<void> = Promise.resolve();
  const forward = async (before: Promise<void>, bytes: Buffer): Promise<void> => {
    await before;
    await pass({ bytes, to, mood: mood() });
    from.resume();
  };
  const finish = async (before: Promise<void>): Promise<void> => {
    await before;
    to.end();
  };
  from.on('data', (bytes: Buffer) => {
    from.pause();
    queue = forward(queue, bytes);
  });
  from.on('end', () => {
    queue = finish(queue);
  });
  from.resume();
}

async function pass({ bytes, to, mood }: { bytes: Buffer; to: Socket; mood: Toxic | null }): Promise<void> {
  if (mood === 'half-open') {
    return;
  }
  if (mood === 'delay') {
    await sleep(DELAY_MS);
  }
  if (mood !== 'slicer') {
    await write(to, bytes);
    return;
  }
  for (let start = 0; start < Math.min(bytes.length, SLICED_BYTES_MAX); start += SLICE_BYTES) {
    await write(to, bytes.subarray(start, Math.min(start + SLICE_BYTES, SLICED_BYTES_MAX)));
    await sleep(SLICE_PAUSE_MS);
  }
  if (bytes.length > SLICED_BYTES_MAX) {
    await write(to, bytes.subarray(SLICED_BYTES_MAX));
  }
}

function write(to: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (to.destroyed || to.writableEnded) {
      resolve();
      return;
    }
    to.write(bytes, () => resolve());
  });
}

async function reach(ports: readonly number[], turn: number): Promise<Socket | null> {
  for (let tries = 0; tries < ports.length; tries += 1) {
    const port = ports[(turn + tries) % ports.length];
    const socket = port === undefined ? null : await dial(port);
    if (socket !== null) {
      return socket;
    }
  }
  return null;
}

function dial(port: number): Promise<Socket | null> {
  const socket = connect({ host: HOST, port, noDelay: true });
  return new Promise((resolve) => {
    socket.once('connect', () => {
      socket.pause();
      resolve(socket);
    });
    socket.once('error', () => resolve(null));
  });
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function stop(server: Server, endConnections: () => void): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    endConnections();
  });
}
