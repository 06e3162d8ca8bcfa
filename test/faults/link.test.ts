import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLink, type Link } from '../../proofs/faults/link.ts';
import { until } from '../support/until.ts';

let echo: Server;
let link: Link;

beforeEach(async () => {
  echo = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  const port = portOf(echo);
  link = await openLink(() => [port]);
});

afterEach(async () => {
  await link.close();
  echo.close();
});

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Opens a client that keeps what it received and how its connection ended. */
function client(): { socket: Socket; heard: () => string; end: Promise<string> } {
  const socket = connect(link.port, '127.0.0.1');
  let heard = '';
  socket.on('data', (bytes) => (heard += bytes.toString()));
  const end = new Promise<string>((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.once('close', () => resolve('closed'));
  });
  return { socket, heard: () => heard, end };
}

async function talking() {
  const own = client();
  own.socket.write('one');
  await until(() => own.heard() === 'one');
  return own;
}

describe('a link', () => {
  test('carries bytes both ways, and in their order when it delays or slices them', async () => {
    // A proxy that corrupts data would make the fault tests report wrong defects.
    const own = await talking();
    const text = 'abcdefghij'.repeat(300);
    for (const toxic of ['delay', 'slicer'] as const) {
      await link.upset(toxic);
      const before = own.heard();
      own.socket.write(text);
      await until(() => own.heard().length === before.length + text.length);
      expect(own.heard()).toBe(before + text);
      await link.mend();
    }
    own.socket.destroy();
  });

  test('that is down ends what it has and refuses, until it is mended at the same port', async () => {
    // If "down" had no effect, the fault tests would not test it.
    const own = await talking();
    await link.upset('down');
    expect(['ECONNRESET', 'closed']).toContain(await own.end);
    expect(await client().end).toBe('ECONNREFUSED');
    await link.mend();
    (await talking()).socket.destroy();
  });

  test.each([
    ['cut', 'closed'],
    ['reset', 'ECONNRESET'],
  ] as const)('that is %s ends its connections once', async (toxic, ending) => {
    // The two ways of ending a connection must differ, or one of them stays untested.
    const own = await talking();
    await link.upset(toxic);
    expect(await own.end).toBe(ending);
    (await talking()).socket.destroy();
  });

  test('that is half open stays connected and says nothing, and is reset when it is mended', async () => {
    // The hardest network fault: the peer is gone, and the other side does not notice.
    const own = await talking();
    await link.upset('half-open');
    own.socket.write('two');
    const late = client();
    late.socket.write('three');
    await sleep(200);
    expect([own.heard(), late.heard()]).toEqual(['one', '']);
    expect([own.socket.destroyed, late.socket.destroyed]).toEqual([false, false]);
    await link.mend();
    expect([await own.end, await late.end]).toEqual(['ECONNRESET', 'ECONNRESET']);
  });

  test('goes to the next target when one refuses', async () => {
    // As with a load balancer, one dead api must not stop payers while the other one runs.
    const dead = createServer();
    await new Promise<void>((resolve) => dead.listen(0, '127.0.0.1', resolve));
    const deadPort = portOf(dead);
    await new Promise((resolve) => dead.close(resolve));
    await link.close();
    link = await openLink(() => [deadPort, portOf(echo)]);
    for (let turns = 0; turns < 4; turns += 1) {
      (await talking()).socket.destroy();
    }
  });
});
