// A webhook receiver on Node 20 or later without packages. WEBHOOK_SECRET is the app's signing secret for one mode, whsec_…,
// and WEBHOOK_MODE that mode: LIVE, unless it is TEST.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';

const { WEBHOOK_SECRET = '', WEBHOOK_MODE = 'LIVE', PORT = '4000' } = process.env;
const key = Buffer.from(WEBHOOK_SECRET.replace(/^whsec_/, ''), 'base64');
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
  const stale = event.sequence <= (newest.get(event.subject) ?? 0); // A later state was seen already.
  const answer = seenIds.has(event.id) ? 'duplicate' : stale ? 'stale' : 'accepted';
  seenIds.add(event.id);
  if (answer === 'accepted') {
    newest.set(event.subject, event.sequence); // Act on event.type and event.data here.
  }
  return answer;
}

createServer(async (request, response) => {
  const body = await buffer(request); // The raw bytes: parsed and written again they would not match.
  const event = isGenuine(request.headers, body) ? JSON.parse(body) : null;
  const rightMode = event?.mode === WEBHOOK_MODE; // Never ship for a TEST payment.
  const answer = event === null ? 'bad signature' : rightMode ? accept(event) : 'wrong mode';
  console.log(answer, event?.mode, event?.type, event?.subject, event?.sequence, event?.id);
  response.writeHead({ 'bad signature': 401, 'wrong mode': 400 }[answer] ?? 200).end(answer);
}).listen(Number(PORT), '127.0.0.1');
