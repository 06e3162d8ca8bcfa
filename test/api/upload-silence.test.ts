import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { readBytes } from '../../api/http/body.ts';

const SILENCE_MS = 30_000;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
});
afterEach(() => {
  jest.useRealTimers();
});

/** An upload of which we decide when each part comes. */
function upload(): { request: IncomingMessage; read: string[]; ended: Promise<string> } {
  const request = new IncomingMessage(new Socket());
  const read: string[] = [];
  const ended = (async () => {
    for await (const bytes of readBytes(request, 1_000)) {
      read.push(Buffer.from(bytes).toString());
    }
    return 'whole';
  })().catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
  return { request, read, ended };
}

/** Lets time pass, and what follows from it happen. */
const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

test('an upload that falls silent ends after half a minute', async () => {
  // A connection that sends nothing more would otherwise hold its place for as long as the whole request may take.
  const { request, read, ended } = upload();
  request.push('first');
  await pass(SILENCE_MS - 1);
  expect(read).toEqual(['first']);
  let outcome: string | null = null;
  void ended.then((words) => (outcome = words));
  await pass(0);
  expect(outcome).toBeNull();
  await pass(2);
  expect(await ended).toBe('the body could not be read');
  expect(request.destroyed).toBe(false);
});

test('an upload that is slow but never silent is read to its end', async () => {
  // A file of a gibibyte over a poor line takes many minutes.
  const { request, read, ended } = upload();
  for (let part = 0; part < 5; part += 1) {
    request.push(String(part));
    await pass(SILENCE_MS - 1);
  }
  request.push(null);
  await pass(0);
  expect(await ended).toBe('whole');
  expect(read).toEqual(['0', '1', '2', '3', '4']);
});
