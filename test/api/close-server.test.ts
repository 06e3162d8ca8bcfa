import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Agent, createServer, get, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeServer } from '../../api/http/close-server.ts';

let server: Server;
let agent: Agent;

beforeEach(async () => {
  server = createServer((_request, response) => void sleep(60).then(() => response.end('done')));
  agent = new Agent({ keepAlive: true, maxSockets: 1 });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(() => {
  agent.destroy();
  server.closeAllConnections();
});

/** Returns the body, or the error's code. */
function ask(): Promise<string> {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, agent }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve(text));
    }).on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

describe('a server that is being closed', () => {
  test('answers what runs, then leaves a client that asks again and again on one connection', async () => {
    // Otherwise the process could not stop, and would be killed in the middle of its requests.
    expect(await ask()).toBe('done');
    const answers: string[] = [];
    const running = ask();
    await sleep(20);
    const closed = closeServer(server);
    answers.push(await running);
    for (let tries = 0; tries < 100 && answers.at(-1) === 'done'; tries += 1) {
      answers.push(await ask());
    }
    await closed;
    expect(answers[0]).toBe('done');
    expect(answers.at(-1)).toBe('ECONNREFUSED');
    expect(answers.length).toBeLessThan(10);
  });

  test('closes a connection that only waits', async () => {
    // Otherwise a client with an idle keep-alive connection would delay the stop.
    await ask();
    await closeServer(server);
    expect(await ask()).toBe('ECONNREFUSED');
  });
});
