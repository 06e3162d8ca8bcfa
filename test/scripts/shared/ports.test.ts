import { afterEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { acceptsConnections, findFreePort, waitForPort } from '../../../scripts/shared/ports.ts';
import { choosePorts, type TakenPort } from '../../../scripts/development/stack-environment.ts';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
  }
});

async function occupy(host: string): Promise<number> {
  const server = createServer().listen({ host, port: 0 });
  servers.push(server);
  await once(server, 'listening');
  const address = server.address();
  return address !== null && typeof address === 'object' ? address.port : 0;
}

describe('ports', () => {
  test('a taken port is passed over for the next wish, then for any free one', async () => {
    // Otherwise another program on port 8080 would keep Lenden from starting.
    const [taken, free] = [await occupy('127.0.0.1'), await findFreePort([])];
    expect(await findFreePort([taken, free])).toBe(free);
    expect(await findFreePort([taken])).not.toBe(taken);
  });

  test('a free port is none that an outgoing connection may get before we listen', async () => {
    // Otherwise a process that starts seconds later would find its port taken.
    const port = await findFreePort([]);
    expect(port).toBeGreaterThanOrEqual(20_000);
    expect(port).toBeLessThan(32_000);
  });

  test('a port counts as taken when all interfaces have it', async () => {
    // A server on 0.0.0.0 also occupies the port.
    const taken = await occupy('0.0.0.0');
    expect(await findFreePort([taken])).not.toBe(taken);
  });

  test('a port counts as taken when only ::1 has it', async () => {
    // Otherwise http://localhost:PORT could lead a browser to another program.
    const taken = await occupy('::1');
    expect(await findFreePort([taken])).not.toBe(taken);
  });

  test('the documented port is replaced where it is taken, and all seven differ', async () => {
    // Otherwise two processes of a stack would get the same port.
    const taken = await occupy('127.0.0.1');
    const told: TakenPort[] = [];
    const ports = await choosePorts(
      'default',
      { LENDEN_API_PORT: String(taken), LENDEN_WEB_PORT: String(taken) },
      (one) => told.push(one),
    );
    expect(Object.values(ports)).not.toContain(taken);
    expect(new Set(Object.values(ports)).size).toBe(7);
    expect(told.slice(0, 2)).toEqual([
      { what: 'the API', preferred: taken, port: ports.api },
      { what: 'the pages', preferred: taken, port: ports.web },
    ]);
  });

  test.each(['http', '0', '65536', '80.5', '-1'])('LENDEN_API_PORT=%s is refused by name', async (value) => {
    // Otherwise a mistyped port would be replaced without a message.
    await expect(choosePorts('default', { LENDEN_API_PORT: value })).rejects.toThrow('LENDEN_API_PORT');
  });

  test('waiting for a port ends as soon as there is no hope', async () => {
    // Otherwise a server that died at once would be reported only after the timeout.
    const port = await findFreePort([]);
    expect(await waitForPort({ host: '127.0.0.1', port }, { timeoutMs: 60_000, abandoned: () => true })).toBe(false);
    expect(await acceptsConnections({ host: '127.0.0.1', port })).toBe(false);
  });
});
