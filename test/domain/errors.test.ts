import { expect, test } from '@jest/globals';
import { DomainError, ERROR_CODES, notFound } from '../../domain/errors.ts';

test('an expected failure carries its code, its words and what helps to repair it', () => {
  // The contracts build their error responses from these members alone.
  const error = new DomainError('VALIDATION_ERROR', 'the request is not valid', { fields: { amount: 'is required' } });
  expect(error).toBeInstanceOf(Error);
  expect({ ...error, message: error.message }).toEqual({
    name: 'DomainError',
    code: 'VALIDATION_ERROR',
    message: 'the request is not valid',
    fields: { amount: 'is required' },
    retryAfterSeconds: undefined,
  });
  expect(new DomainError('RATE_LIMITED', 'x', { retryAfterSeconds: 3 }).retryAfterSeconds).toBe(3);
});

test('what is not there is named', () => {
  // The code is the same for every missing object. The message says what is missing.
  const { code, message } = notFound('payment');
  expect([code, message]).toEqual(['RESOURCE_NOT_FOUND', 'payment not found']);
});

test('codes are published, and none is there twice', () => {
  // Clients branch on the codes.
  expect(new Set(ERROR_CODES).size).toBe(ERROR_CODES.length);
  expect(ERROR_CODES.every((code) => /^[A-Z]+(_[A-Z]+)*$/.test(code))).toBe(true);
});
