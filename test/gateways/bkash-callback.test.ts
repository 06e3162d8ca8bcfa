import { createSign, generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { attemptNamedIn, parseCallback } from '../../gateways/bkash/callback.ts';
import { readCredentials } from '../../gateways/bkash/credentials.ts';
import { sealedReturnUrl } from '../../gateways/callback.ts';
import { PAYMENT_ID, REFERENCE, SECRET } from './bkash-world.ts';

const credentials = readCredentials('merchant', JSON.stringify(SECRET));
const [segment = ''] = sealedReturnUrl('https://api.example/gateway/bkash/test/return', REFERENCE, SECRET.appSecret)
  .split('/')
  .slice(-1);
const parse = (query: string, path: string = segment) => parseCallback(`${path}?${query}`, credentials);

describe('the browser’s return', () => {
  test.each([
    ['success', 'paid'],
    ['failure', 'failed'],
    ['cancel', 'cancelled'],
    ['Success', 'unknown'],
    ['', 'unknown'],
  ])('with the status %p claims %s', (status, claims) => {
    // A return proves nothing.
    expect(parse(`paymentID=${PAYMENT_ID}&status=${status}&signature=whatever`)).toEqual({
      attemptReference: REFERENCE,
      signatureValid: true,
      claims,
      claimedValidationId: PAYMENT_ID,
      note: null,
    });
  });

  test.each([
    ['without a seal', REFERENCE],
    ['with the seal cut short', segment.slice(0, -1)],
    ['with another attempt’s name', segment.replace(/^./, 'z')],
  ])('%s is not signed', (_name, path) => {
    // Only a browser that was sent there knows the address.
    expect(parse('status=success', path).signatureValid).toBe(false);
  });

  test('is not sealed by another merchant’s secret', () => {
    // One application's return must not be accepted for another.
    const other = readCredentials('merchant', JSON.stringify({ ...SECRET, appSecret: 'other' }));
    expect(parseCallback(`${segment}?status=success`, other).signatureValid).toBe(false);
  });

  test.each(['paymentID=a%00b', 'paymentID=%3Cscript%3E', 'paymentID='])('with %p names no payment', (query) => {
    // The callback is stored, but the value is not used.
    expect(parse(query).claimedValidationId).toBeNull();
  });
});

describe('a notice', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const withKey = readCredentials('merchant', JSON.stringify({ ...SECRET, noticeCertificate: pem }));

  function notice(changes: object = {}, version = '1'): string {
    const fields = {
      Message: JSON.stringify({ merchantInvoiceNumber: REFERENCE, transactionStatus: 'Completed', ...changes }),
      MessageId: 'id',
      Timestamp: '2026-11-22T00:00:00.000Z',
      TopicArn: 'arn',
      Type: 'Notification',
    };
    const text = Object.entries(fields).map(([name, value]) => `${name}\n${value}\n`);
    const algorithm = version === '1' ? 'RSA-SHA1' : 'RSA-SHA256';
    const signature = createSign(algorithm).update(text.join('')).sign(privateKey, 'base64');
    return JSON.stringify({ ...fields, SignatureVersion: version, Signature: signature });
  }

  test.each(['1', '2'])('of signature version %s names its attempt and claims that it is paid', (version) => {
    // A notice can arrive before the browser returns, or instead of it.
    const raw = notice({}, version);
    expect(attemptNamedIn(raw)).toBe(REFERENCE);
    expect(parseCallback(raw, withKey)).toEqual({
      attemptReference: REFERENCE,
      signatureValid: true,
      claims: 'paid',
      claimedValidationId: null,
      note: null,
    });
  });

  test.each([
    ['whose message was changed', notice().replace('Completed', 'Complete!')],
    ['whose id was changed', notice().replace('"id"', '"di"')],
    ['of a signature version that does not fit', notice().replace('"SignatureVersion":"1"', '"SignatureVersion":"2"')],
    ['of an unknown signature version', notice({}, '3')],
    ['without a signature', notice().replace(/,"Signature":"[^"]*"/, '')],
  ])('%s is not signed', (_name, raw) => {
    // A notice that was changed on the way must not be trusted.
    expect(parseCallback(raw, withKey).signatureValid).toBe(false);
  });

  test('that cannot be checked is only a reason to ask, and says so', () => {
    // No certificate is configured.
    expect(parseCallback(notice(), credentials)).toMatchObject({ signatureValid: false, note: 'NO_CERTIFICATE' });
    const broken = { ...withKey, noticeCertificate: 'no PEM' };
    expect(parseCallback(notice(), broken).signatureValid).toBe(false);
  });

  test('of a payment that was never ours names none of our attempts', () => {
    // bKash sends a notice about every payment into the wallet.
    expect(attemptNamedIn(notice({ merchantInvoiceNumber: undefined }))).toBeNull();
    expect(attemptNamedIn(notice({ merchantInvoiceNumber: 'a b' }))).toBeNull();
  });

  test('that asks for a subscription is told apart', () => {
    // Somebody has to confirm the subscription.
    const raw = JSON.stringify({
      Type: 'SubscriptionConfirmation',
      Message: 'You have chosen …',
      SubscribeURL: 'https://x',
    });
    expect(attemptNamedIn(raw)).toBeNull();
    expect(parseCallback(raw, withKey)).toMatchObject({ claims: 'unknown', note: 'SUBSCRIPTION_CONFIRMATION' });
  });
});

test.each([
  '',
  'a password',
  '{}',
  '{"password":"p","appKey":"k"}',
  '{"password":"p","appKey":"k","appSecret":""}',
  '[]',
])('the secret %p opens no store', (secret) => {
  // The operator has to see a mistake at once, as a refusal.
  expect(() => readCredentials('merchant', secret)).toThrow(expect.objectContaining({ kind: 'unauthorized' }));
});
