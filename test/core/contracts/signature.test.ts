import { describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { signedHeaders } from '../../../core/contracts/signature.ts';

const secret = `whsec_${randomBytes(32).toString('base64')}`;
const body = Buffer.from('{"id":"evt_1","data":{"note":"৳ টাকা 💸"}}');
const sign = (secrets = [secret], sentAt = new Date()): Record<string, string> =>
  signedHeaders({ eventId: 'evt_1', sentAt, body, secrets });

describe('the signature of a webhook', () => {
  test('equals the published vector', () => {
    // Software that we did not write depends on this scheme.
    const headers = signedHeaders({
      eventId: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      sentAt: new Date(1_614_265_330_000),
      body: Buffer.from('{"test": 2432232314}'),
      secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    });
    expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
    expect(headers['webhook-timestamp']).toBe('1614265330');
  });

  test('is accepted by the reference library, over non-ASCII text too', () => {
    // An integrator verifies with the library, not with our code.
    expect(new Webhook(secret).verify(body, sign())).toEqual(JSON.parse(body.toString()));
  });

  test.each(['webhook-id', 'webhook-timestamp', 'body'])('fails when one bit of %s changes', (part) => {
    // An attacker must not be able to alter anything that a receiver acts on.
    const headers = sign();
    const changed = Buffer.from(body);
    if (part === 'body') {
      changed[10] = (changed[10] ?? 0) ^ 1;
    } else {
      const value = Buffer.from(headers[part] ?? '');
      value[value.length - 1] = (value.at(-1) ?? 0) ^ 1;
      headers[part] = value.toString();
    }
    expect(() => new Webhook(secret).verify(changed, headers)).toThrow('No matching signature found');
  });

  test('holds during a rotation for a receiver with either secret, and for no other', () => {
    // No event may be lost when a secret is rotated.
    const next = `whsec_${randomBytes(32).toString('base64')}`;
    const headers = sign([next, secret]);
    expect(headers['webhook-signature']).toMatch(/^v1,\S{44} v1,\S{44}$/);
    expect(new Webhook(next).verify(body, headers)).toBeDefined();
    expect(new Webhook(secret).verify(body, headers)).toBeDefined();
    expect(() => new Webhook(randomBytes(32).toString('base64')).verify(body, headers)).toThrow(
      'No matching signature found',
    );
  });

  test('is refused under a malformed secret, which the message does not repeat', () => {
    // A weak or damaged key must cause an error, and the error must not write it to a log.
    for (const bad of ['plain-text-secret', 'whsec_c2hvcnQ=']) {
      expect(() => sign([bad])).toThrow(/^(?!.*(plain|c2hvcnQ)).*whsec_/);
    }
  });

  test('comes with the id in both header names', () => {
    // The payment API documents X-Webhook-Id, the signature scheme webhook-id.
    expect(sign()).toMatchObject({ 'webhook-id': 'evt_1', 'x-webhook-id': 'evt_1' });
  });
});
