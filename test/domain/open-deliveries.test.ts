import { describe, expect, test } from '@jest/globals';
import { ENGLISH } from '../../domain/explanation-words.ts';
import { openDeliveries as explained, type DeliverySituation } from '../../domain/open-deliveries.ts';

const openDeliveries = (situations: readonly DeliverySituation[]) => explained(situations, ENGLISH);

const NOW = new Date('2026-06-04T10:00:00Z');
const SOON = new Date('2026-06-04T10:00:05Z');
const LATER = new Date('2026-06-04T10:05:00Z');

const retrying: DeliverySituation = {
  type: 'payment.succeeded',
  status: 'RETRYING',
  attempts: 2,
  lastError: 'HTTP_503',
  nextAttemptAt: LATER,
  recovering: false,
  hasUrl: true,
  disabled: false,
  circuitOpenUntil: null,
  now: NOW,
};
const fresh = { ...retrying, status: 'PENDING', attempts: 0, lastError: null, nextAttemptAt: null } as const;
const parked = { ...retrying, status: 'PARKED', nextAttemptAt: null } as const;

const FAILED = 'The event payment.succeeded is not delivered: attempt 2 failed (HTTP_503).';

describe('an undelivered event', () => {
  test.each<[string, DeliverySituation, string]>([
    ['retried later', retrying, `${FAILED} Attempt 3 is due at 2026-06-04 10:05:00 UTC.`],
    ['retried now', { ...retrying, nextAttemptAt: NOW }, `${FAILED} Attempt 3 is due now.`],
    ['new', fresh, 'The event payment.succeeded is not delivered yet. Attempt 1 is due now.'],
    [
      'postponed by a circuit that is open for longer than it waits',
      { ...retrying, nextAttemptAt: SOON, circuitOpenUntil: LATER },
      `${FAILED} The circuit of its endpoint is open until 2026-06-04 10:05:00 UTC; attempt 3 follows.`,
    ],
    [
      'waiting for longer than the circuit is open',
      { ...retrying, circuitOpenUntil: SOON },
      `${FAILED} Attempt 3 is due at 2026-06-04 10:05:00 UTC.`,
    ],
    [
      'due at a circuit that lets one attempt through',
      { ...retrying, nextAttemptAt: NOW, circuitOpenUntil: NOW },
      `${FAILED} Attempt 3 is due now.`,
    ],
    [
      'of an application that removed its URL',
      { ...retrying, hasUrl: false },
      'The event payment.succeeded is not delivered: the application has no webhook URL. It is parked when its next attempt is due.',
    ],
    [
      'of an endpoint that was disabled',
      { ...retrying, disabled: true },
      'The event payment.succeeded is not delivered: its endpoint is disabled. It is parked when its next attempt is due.',
    ],
    [
      'parked after its last attempt',
      parked,
      'The event payment.succeeded is parked: attempt 2 failed (HTTP_503), and no other follows. An operator can resend it.',
    ],
    [
      'parked without an endpoint',
      { ...parked, lastError: 'NO_ENDPOINT', hasUrl: false },
      'The event payment.succeeded is parked: the application had no endpoint for it. An operator can resend it once the application has a webhook URL.',
    ],
    [
      'parked at a disabled endpoint',
      { ...parked, lastError: 'ENDPOINT_DISABLED', disabled: true },
      'The event payment.succeeded is parked: its endpoint was disabled. An operator can resend it once its endpoint is enabled.',
    ],
    [
      'parked and recovered',
      { ...parked, recovering: true },
      'The event payment.succeeded was parked and is about to be sent again.',
    ],
  ])('that is %s says what happens next', (_what, delivery, words) => {
    // Whoever waits for the event must learn whether to wait, to repair the receiver, or to call an operator.
    expect(openDeliveries([delivery])).toEqual([words]);
  });

  test('is not told once it is delivered', () => {
    // A payment with nothing left to happen must read so.
    expect(openDeliveries([{ ...retrying, status: 'DELIVERED' }])).toEqual([]);
  });

  test.each([
    [4, '1 more event is not delivered.'],
    [6, '3 more events are not delivered.'],
  ])('is counted where there are more than three: of %i', (number, words) => {
    // A payment with many refunds must not bury what it waits for.
    const told = openDeliveries(Array.from({ length: number }, () => retrying));
    expect(told).toHaveLength(4);
    expect(told.at(-1)).toBe(words);
  });
});
