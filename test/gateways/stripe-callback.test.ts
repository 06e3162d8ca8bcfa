import { describe, expect, test } from '@jest/globals';
import { Stripe } from 'stripe';
import { sealedReturnUrl } from '../../gateways/callback.ts';
import { attemptNamedIn, parseCallback } from '../../gateways/stripe/callback.ts';
import { readCredentials } from '../../gateways/stripe/credentials.ts';
import { REFERENCE, SECRET, SESSION_ID } from './stripe-world.ts';

const credentials = readCredentials('TEST', JSON.stringify(SECRET));
const nowSeconds = (): number => Math.floor(Date.now() / 1_000);

describe('the browser’s return', () => {
  const [segment = ''] = sealedReturnUrl(
    'https://api.example/gateway/stripe/test/return',
    REFERENCE,
    SECRET.webhookSecret,
  )
    .split('/')
    .slice(-1);
  const parse = (query: string, path: string = segment) => parseCallback(`${path}?${query}`, undefined, credentials);

  test.each([
    ['success', 'paid'],
    ['cancel', 'cancelled'],
    ['Success', 'unknown'],
    ['', 'unknown'],
  ])('with the outcome %p claims %s', (outcome, claims) => {
    // A return proves nothing.
    expect(parse(`outcome=${outcome}&session_id=${SESSION_ID}`)).toEqual({
      attemptReference: REFERENCE,
      signatureValid: true,
      claims,
      claimedValidationId: SESSION_ID,
      note: null,
    });
  });

  test.each([
    ['with the seal cut short', segment.slice(0, -1)],
    ['with another attempt’s name', segment.replace(/^./, 'z')],
    ['with another seal', `${REFERENCE}.${'x'.repeat(22)}`],
  ])('%s is not signed', (_name, path) => {
    // Only a browser that was sent there knows the address.
    expect(parse('outcome=success', path).signatureValid).toBe(false);
  });

  test('without a seal is none', () => {
    expect(parse('outcome=success', REFERENCE)).toMatchObject({ attemptReference: null, note: 'UNREADABLE' });
  });

  test('is not sealed by another account’s secret', () => {
    // One store's return must not be accepted for another.
    const other = readCredentials('TEST', JSON.stringify({ ...SECRET, webhookSecret: 'whsec_2' }));
    expect(parseCallback(`${segment}?outcome=success`, undefined, other).signatureValid).toBe(false);
  });

  test.each(['session_id=cs_%00', 'session_id=../refunds', 'session_id=', 'session_id=%7BCHECKOUT_SESSION_ID%7D'])(
    'with %p names no session',
    (query) => {
      // The callback is stored, but the value is not used.
      expect(parse(query).claimedValidationId).toBeNull();
    },
  );
});

describe('an event', () => {
  type Fields = Record<string, unknown>;
  const SESSION: Fields = {
    id: SESSION_ID,
    object: 'checkout.session',
    client_reference_id: REFERENCE,
    payment_status: 'paid',
  };
  const eventOf = (type: string, object: Fields = SESSION, fields: Fields = {}): string =>
    JSON.stringify({ id: 'evt_1', object: 'event', type, data: { object }, ...fields }, null, 2);
  const signed = (payload: string, changes: { secret?: string; timestamp?: number } = {}): string =>
    Stripe.webhooks.generateTestHeaderString({ payload, secret: SECRET.webhookSecret, ...changes });
  const parse = (body: string, header: string | readonly string[] | undefined = signed(body)) =>
    parseCallback(body, { headers: { 'stripe-signature': header }, at: new Date() }, credentials);

  test.each([
    ['checkout.session.completed', {}, 'paid'],
    ['checkout.session.completed', { payment_status: 'unpaid' }, 'unknown'],
    ['checkout.session.completed', { payment_status: null }, 'unknown'],
    ['checkout.session.async_payment_succeeded', {}, 'paid'],
    ['checkout.session.async_payment_failed', { payment_status: 'unpaid' }, 'failed'],
    ['checkout.session.expired', { payment_status: 'unpaid' }, 'expired'],
    ['something.new', {}, 'unknown'],
  ])('%s with %p claims %s', (type, changes, claims) => {
    // Complete does not mean paid: with a slow method, the money is still on its way.
    expect(parse(eventOf(type, { ...SESSION, ...changes }))).toEqual({
      attemptReference: REFERENCE,
      signatureValid: true,
      claims,
      claimedValidationId: SESSION_ID,
      note: null,
      eventId: 'evt_1',
    });
  });

  test('of a charge names its attempt by our label, and no session', () => {
    // A charge has no client_reference_id, and its id is not a session that could be queried.
    const body = eventOf('charge.succeeded', {
      id: 'ch_1',
      object: 'charge',
      metadata: { attempt_reference: REFERENCE },
    });
    expect(attemptNamedIn(body)).toBe(REFERENCE);
    expect(parse(body)).toMatchObject({ attemptReference: REFERENCE, claims: 'unknown', claimedValidationId: null });
  });

  const payout = { id: 'po_1', object: 'payout', status: 'paid', amount: 990 };
  const dispute = { id: 'dp_1', object: 'dispute', status: 'needs_response', payment_intent: 'pi_1', metadata: {} };
  const aboutPayout = { kind: 'payout', payoutReference: 'po_1' };
  const aboutDispute = { kind: 'dispute', disputeId: 'dp_1', status: 'needs_response', gatewayTxnId: 'pi_1' };
  test.each<[string, Record<string, unknown>, object | undefined]>([
    ['payout.reconciliation_completed', payout, aboutPayout],
    ['payout.paid', payout, aboutPayout],
    ['payout.failed', { ...payout, status: 'failed' }, aboutPayout],
    ['charge.dispute.created', dispute, aboutDispute],
    [
      'charge.dispute.closed',
      { ...dispute, status: 'lost', payment_intent: null },
      { ...aboutDispute, status: 'lost', gatewayTxnId: null },
    ],
    ['payout.created', payout, aboutPayout],
    ['charge.dispute.updated', dispute, aboutDispute],
    ['charge.dispute.funds_withdrawn', dispute, aboutDispute],
    ['invoice.paid', payout, undefined],
    ['payout.paid', { ...payout, id: 'po 1' }, undefined],
    ['payout.paid', dispute, undefined],
    ['charge.dispute.created', { ...dispute, status: null }, undefined],
    ['checkout.session.completed', {}, undefined],
  ])('%s of %p is about %p and claims nothing of an attempt', (type, object, about) => {
    // A use case asks the gateway about the payout or the dispute; the event alone proves nothing.
    const parsed = parse(eventOf(type, type.startsWith('checkout') ? { ...SESSION, ...object } : object));
    expect(parsed.about).toEqual(about);
    expect(parsed.signatureValid).toBe(true);
    expect(parsed.attemptReference).toBe(type.startsWith('checkout') ? REFERENCE : null);
  });

  const body = eventOf('checkout.session.completed');
  test.each<[string, () => string | readonly string[]]>([
    ['with another secret', () => signed(body, { secret: 'whsec_2' })],
    ['over other bytes', () => signed(body.replaceAll('\n', ''))],
    ['more than five minutes ago', () => signed(body, { timestamp: nowSeconds() - 301 })],
    ['more than a minute from now', () => signed(body, { timestamp: nowSeconds() + 120 })],
    ['a year from now', () => signed(body, { timestamp: nowSeconds() + 365 * 24 * 3_600 })],
    ['with no time', () => signed(body).replace(/^t=\d+,/, '')],
    ['in an old scheme', () => signed(body).replace('v1=', 'v0=')],
    ['twice, in two headers', () => [signed(body), signed(body)]],
    ['with nonsense', () => 't=x,v1=y'],
    ['with nothing', () => ''],
  ])('that is signed %s is not signed, and is read all the same', (_name, header) => {
    // The event is stored as evidence, but its claims are not trusted.
    expect(parse(body, header())).toMatchObject({ attemptReference: REFERENCE, signatureValid: false });
  });

  test('is signed by a clock that is a little ahead', () => {
    // The clocks of two machines always differ a little.
    expect(parse(body, signed(body, { timestamp: nowSeconds() + 30 })).signatureValid).toBe(true);
  });

  test('is signed under one of two secrets while the account’s is changed', () => {
    // Stripe signs with both secrets for a day.
    const other = signed(body, { secret: 'whsec_2' }).split(',')[1] ?? '';
    expect(parse(body, `${signed(body)},${other}`).signatureValid).toBe(true);
  });

  test('without its header is read for its words', () => {
    // A stored event is parsed again later, when its signature is too old to check.
    expect(parseCallback(body, undefined, credentials)).toMatchObject({ claims: 'paid', signatureValid: false });
  });

  test.each([
    eventOf('x', { ...SESSION, client_reference_id: 'a b' }),
    eventOf('x', { ...SESSION, client_reference_id: 'a'.repeat(65) }),
    eventOf('x', { ...SESSION, client_reference_id: null }),
    eventOf('x', SESSION, { object: 'list' }),
    eventOf('x', SESSION, { id: 7 }),
    '{"object":"event"}',
    '{}',
    '{',
  ])('of nonsense names no attempt (%#)', (raw) => {
    // A stranger's text must never become a reference.
    expect(attemptNamedIn(raw)).toBeNull();
    expect(parseCallback(raw, undefined, credentials)).toMatchObject({ attemptReference: null, signatureValid: false });
  });
});
