import type { KeyName } from '../../core/idempotency/store.ts';
import { DomainError } from '../../domain/errors.ts';
import { sha256 } from '../../runtime/secrets.ts';
import type { WantedPayment } from '../../core/payments/create-payment.ts';
import type { OwnpayCaller } from './authenticate.ts';

const KEEP_DAYS = 1;

/** The parts of a request that decide whether it is a duplicate. */
export interface SentRequest {
  readonly caller: OwnpayCaller;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly bodyText: string;
  readonly target: string;
}

/**
 * Returns the key and lease of a request. Keys have at most 64 letters, digits, - and _ and are kept for a day. A duplicate must be equal byte for
 * byte.
 */
export function keyOf(
  { caller, headers, bodyText, target }: SentRequest,
  operation: string,
): { readonly key: KeyName | null; readonly lease: WantedPayment['lease'] } {
  const given = headers['idempotency-key'];
  if (given !== undefined && !/^[0-9A-Za-z_-]{1,64}$/.test(given)) {
    throw new DomainError('VALIDATION_ERROR', 'the request is not valid', {
      fields: { 'Idempotency-Key': 'must be 1 to 64 letters, digits, hyphens or underscores' },
    });
  }
  return {
    key: given === undefined ? null : { scope: caller.scope, operation, key: given },
    lease: { fingerprint: sha256(`POST\n${target}\n${bodyText}`), keepDays: KEEP_DAYS },
  };
}
