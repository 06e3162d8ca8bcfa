import { appendFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeliveryDial, ReceiverDial } from './dials.ts';

/**
 * `node proofs/faults/receiver-main.ts PORT LOG`: an application's webhook endpoint that records every delivery before it answers, and misbehaves as
 * set by `PUT /mode`.
 */
type Mode = ReceiverDial | Extract<DeliveryDial, 'receiver-hangs'> | 'good';

const [port = '', logFile = ''] = process.argv.slice(2);
const SLOW_MS = 2_500;
const ENDLESS_PAUSE_MS = 100;
const BODY_BYTES_MAX = 1_000_000;
let mode: Mode = 'good';

createServer((request, response) => {
  void take(request, response).catch(() => response.destroy());
}).listen(Number(port), '127.0.0.1');

async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url === '/health') {
    response.writeHead(200).end('ok');
    return;
  }
  const body = await read(request);
  if (request.url === '/mode') {
    mode = modeNamed(body);
    response.writeHead(204).end();
    return;
  }
  const behaviour = mode;
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = request.headers;
  const { 'x-webhook-id': ownpayId, 'x-ownpay-signature': ownpaySignature } = request.headers;
  const line = { at: Date.now(), behaviour, id, timestamp, signature, ownpayId, ownpaySignature, body };
  appendFileSync(logFile, `${JSON.stringify(line)}\n`);
  await answer(response, behaviour);
}

async function answer(response: ServerResponse, behaviour: Mode): Promise<void> {
  switch (behaviour) {
    case 'good':
      response.writeHead(204).end();
      return;
    case 'receiver-500':
      response.writeHead(500).end('no');
      return;
    case 'receiver-slow':
      await sleep(SLOW_MS);
      response.writeHead(204).end();
      return;
    case 'receiver-fails-after-accepting':
      response.destroy();
      return;
    case 'receiver-hangs':
      // Its client gives up.
      return;
    case 'receiver-endless':
      response.writeHead(200, { 'content-type': 'text/plain' });
      while (!response.destroyed && isStill(behaviour)) {
        response.write('.');
        await sleep(ENDLESS_PAUSE_MS);
      }
      response.destroy();
  }
}

function isStill(behaviour: Mode): boolean {
  return mode === behaviour;
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > BODY_BYTES_MAX) {
      throw new RangeError('the body is too large');
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function modeNamed(name: string): Mode {
  switch (name) {
    case 'receiver-500':
    case 'receiver-slow':
    case 'receiver-endless':
    case 'receiver-fails-after-accepting':
    case 'receiver-hangs':
      return name;
    default:
      return 'good';
  }
}
