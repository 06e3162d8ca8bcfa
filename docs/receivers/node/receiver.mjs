// A webhook receiver on Node 20 or later without packages. WEBHOOK_SECRET is the app's signing secret, whsec_…
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';

const key = Buffer.from((process.env.WEBHOOK_SECRET ?? '').replace(/^whsec_/, ''), 'base64');
const seenIds = new Set(); // Keep both in your database, in the transaction that acts on the event.
const newest = new Map();

function isGenuine(headers, body) {
  const [id, sentAt = ''] = [headers['webhook-id'], headers['webhook-timestamp']];
  const fresh = /^\d+$/.test(sentAt) && Math.abs(Date.now() / 1000 - Number(sentAt)) <= 300;
  const expected = createHmac('sha256', key).update(`${id}.${sentAt}.`).update(body).digest();
  const matches = (headers['webhook-signature'] ?? '').split(' ').some((entry) => {
    const given = Buffer.from(entry.startsWith('v1,') ? entry.slice(3) : '', 'base64');
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  return key.length >= 24 && id !== undefined && fresh && matches;
}

function accept(event) {
  const payment = event.data.id;
  if (seenIds.has(event.id)) {
    return 'duplicate';
  }
  seenIds.add(event.id);
  if (event.sequence <= (newest.get(payment) ?? 0)) {
    return 'stale'; // A later state was seen already.
  }
  newest.set(payment, event.sequence);
  return 'accepted'; // Act on event.type and event.data here.
}

const server = createServer(async (request, response) => {
  const body = await buffer(request); // The raw bytes: parsed and written again they would not match.
  const genuine = isGenuine(request.headers, body);
  response.writeHead(genuine ? 200 : 401).end(genuine ? accept(JSON.parse(body)) : 'bad signature');
});
server.listen(Number(process.env.PORT ?? 4000), '127.0.0.1');
