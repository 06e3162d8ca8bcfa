import type { Scope } from '../../database/connection.ts';
import type { KeyName } from '../../core/idempotency/store.ts';
import { DomainError } from '../../domain/errors.ts';

export interface KeyUse {
  readonly scope: Scope;
  /** Such as `POST /payments`. */
  readonly operation: string;
  /** The header's value. */
  readonly given: string | undefined;
}

/**
 * Returns the key of a request; null without a header. Keys have 1 to 255 octets without control characters. Node decodes header octets as Latin-1,
 * one character each.
 */
export function readKey({ scope, operation, given }: KeyUse): KeyName | null {
  if (given === undefined) {
    return null;
  }
  if (!/^[\x20-\x7e\x80-\xff]{1,255}$/.test(given)) {
    throw new DomainError('VALIDATION_ERROR', 'the request is not valid', {
      fields: { 'Idempotency-Key': 'must be 1 to 255 octets without control characters' },
    });
  }
  return { scope, operation, key: given };
}
