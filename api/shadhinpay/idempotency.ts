import type { KeyName } from '../../core/idempotency/store.ts';
import { DomainError } from '../../domain/errors.ts';
import { sha256 } from '../../runtime/secrets.ts';
import { canonicalJson, type JsonValue } from '../http/json-text.ts';
import type { ReplayReply } from '../http/route.ts';
import type { WantedPayment } from '../../core/payments/create-payment.ts';
import type { ShadhinpayCaller } from './authenticate.ts';
import { ShadhinpayError } from './errors.ts';

const KEEP_DAYS = 1;
const HEADER = 'X-Idempotency-Key';

/** The parts of a request that decide whether it is a duplicate. */
export interface SentRequest {
  readonly caller: ShadhinpayCaller;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly rawBody: JsonValue;
  readonly target: string;
}

interface Keyed {
  readonly key: KeyName | null;
  readonly lease: WantedPayment['lease'];
}

/** Returns the key and lease of a request. A key is kept for a day. A duplicate's body must have the same meaning, not the same bytes. */
export function keyOf({ caller, headers, rawBody, target }: SentRequest, operation: string): Keyed {
  const given = headers['x-idempotency-key'];
  if (given !== undefined && !/^[\x20-\x7e\x80-\xff]{1,255}$/.test(given)) {
    throw new DomainError('VALIDATION_ERROR', `Invalid ${HEADER}`, {
      fields: { [HEADER]: 'must be 1 to 255 octets without control characters' },
    });
  }
  return {
    key: given === undefined ? null : { scope: caller.scope, operation: `shadhinpay ${operation}`, key: given },
    lease: { fingerprint: sha256(`POST\n${target}\n${canonicalJson(rawBody)}`), keepDays: KEEP_DAYS },
  };
}

export function requiredKeyOf(request: SentRequest, operation: string): Keyed {
  const keyed = keyOf(request, operation);
  if (keyed.key === null) {
    throw new ShadhinpayError('MISSING_REQUIRED_FIELD', `${HEADER} header is required`, { [HEADER]: 'is required' });
  }
  return keyed;
}

/** Marks a response that was stored for a former request with the same key. */
export const REPLAYED = { 'Idempotent-Replay': 'true' } as const;

export function replay({ status, text }: { readonly status: number; readonly text: string }): ReplayReply {
  return { status, text, headers: REPLAYED };
}
