import { expect, test } from '@jest/globals';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { pino } from 'pino';
import { asApplicationFailure, guarded } from '../../activities/failures.ts';
import { LedgerConflict } from '../../core/ledger/store.ts';
import { GatewayFailure } from '../../gateways/port.ts';

const seen = ({ type, message, nonRetryable, nextRetryDelay, cause, details }: ApplicationFailure) => ({
  type,
  message,
  nonRetryable: nonRetryable ?? false,
  nextRetryDelay,
  cause,
  details: details ?? [],
});

test('a failure of our own goes on as it is', () => {
  // The code that created the failure already decided whether to retry.
  const own = ApplicationFailure.nonRetryable('no', 'OWN');
  expect(asApplicationFailure(own)).toBe(own);
});

test.each([
  ['unavailable', 'GATEWAY_UNAVAILABLE', undefined],
  ['ambiguous', 'GATEWAY_AMBIGUOUS', undefined],
  ['rate-limited', 'GATEWAY_RATE_LIMITED', '10s'],
] as const)('a gateway that is %s becomes %s and is tried again', (kind, type, nextRetryDelay) => {
  // The kind decides whether a retry is safe. The gateway's text must not get into a history.
  const failure = asApplicationFailure(new GatewayFailure(kind, 'our words', { cause: new Error('their words') }));
  expect(seen(failure)).toMatchObject({ type, message: 'our words', nonRetryable: false, nextRetryDelay });
  expect(failure.cause).toBeUndefined();
});

test('a ledger that holds something else is never tried again', () => {
  // A retry would find the same ledger.
  const failure = asApplicationFailure(new LedgerConflict('pay_secret'));
  expect(seen(failure)).toMatchObject({
    type: 'LEDGER_CONFLICT',
    message: 'the ledger already has a different transaction for this cause',
    nonRetryable: true,
  });
});

test.each([new Error('duplicate key (email)=(jane@example.com)'), 'text', undefined])(
  'anything else, %p, is an internal error without a word of it',
  (error) => {
    // Histories are kept for months, so they must not contain row values or payers' data.
    const failure = asApplicationFailure(error);
    expect(seen(failure)).toMatchObject({
      type: 'INTERNAL_ERROR',
      message: 'an internal error; see the log',
      nonRetryable: false,
      details: [],
    });
    expect(failure.cause).toBeUndefined();
  },
);

test('what was cancelled goes on as cancelled, and is no fault to log', async () => {
  // Temporal would otherwise repeat an activity that an operator has stopped.
  const cancelled = new CancelledFailure('CANCELLED');
  const lines: string[] = [];
  const log = pino({}, { write: (line) => void lines.push(line) });
  const stopped = guarded({ log, activity: 'importPayoutFile' }, () => Promise.reject(cancelled));
  await expect(stopped).rejects.toBe(cancelled);
  expect(lines).toEqual([]);
});
