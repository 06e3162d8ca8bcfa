import { DomainError, type ErrorCode } from '../../domain/errors.ts';
import { writeJson } from '../../domain/exact-json.ts';

/** Status and code of each failure. OwnPay names those of validation, gateways, tokens and scopes; the others are named in its manner. */
export const OWNPAY_ANSWERS = {
  VALIDATION_ERROR: [400, 'VALIDATION_ERROR'],
  AMOUNT_OUT_OF_BOUNDS: [400, 'VALIDATION_ERROR'],
  UNAUTHORIZED: [401, 'INVALID_TOKEN'],
  INVALID_CREDENTIALS: [401, 'INVALID_TOKEN'],
  SECOND_FACTOR_REQUIRED: [401, 'INVALID_TOKEN'],
  PASSWORD_CHANGE_REQUIRED: [401, 'INVALID_TOKEN'],
  TOKEN_EXPIRED: [401, 'INVALID_TOKEN'],
  SESSION_EXPIRED: [401, 'INVALID_TOKEN'],
  REAUTH_REQUIRED: [401, 'INVALID_TOKEN'],
  FORBIDDEN: [403, 'INSUFFICIENT_SCOPE'],
  RESOURCE_NOT_FOUND: [404, 'NOT_FOUND'],
  METHOD_NOT_ALLOWED: [405, 'METHOD_NOT_ALLOWED'],
  RESOURCE_ALREADY_EXISTS: [409, 'ALREADY_EXISTS'],
  INVALID_OPERATION_STATE: [400, 'INVALID_REFUND_PARAMETERS'],
  REFUND_EXCEEDS_BALANCE: [400, 'INVALID_REFUND_PARAMETERS'],
  IDEMPOTENCY_KEY_CONFLICT: [400, 'IDEMPOTENCY_COLLISION'],
  IDEMPOTENCY_IN_PROGRESS: [409, 'IDEMPOTENCY_IN_PROGRESS'],
  PAYLOAD_TOO_LARGE: [413, 'PAYLOAD_TOO_LARGE'],
  UNSUPPORTED_MEDIA_TYPE: [415, 'UNSUPPORTED_MEDIA_TYPE'],
  RATE_LIMITED: [429, 'RATE_LIMIT_EXCEEDED'],
  GATEWAY_ERROR: [502, 'GATEWAY_ERROR'],
  SERVICE_UNAVAILABLE: [503, 'SERVICE_UNAVAILABLE'],
  INTERNAL_ERROR: [500, 'INTERNAL_ERROR'],
} as const satisfies Record<ErrorCode, readonly [number, string]>;

/** Codes that are narrower than ours, by the one that they belong to. */
export const NARROWER = {
  MISSING_TOKEN: 'UNAUTHORIZED',
  GATEWAY_NOT_FOUND: 'RESOURCE_NOT_FOUND',
  PAYMENT_NOT_FOUND: 'RESOURCE_NOT_FOUND',
  TRANSACTION_NOT_FOUND: 'RESOURCE_NOT_FOUND',
} as const satisfies Record<string, ErrorCode>;

/** A failure that OwnPay's documents know by a code of its own; its message is shown as it is. */
export class OwnpayError extends DomainError {
  readonly wireCode: keyof typeof NARROWER;

  constructor(wireCode: keyof typeof NARROWER, message: string) {
    super(NARROWER[wireCode], message);
    this.wireCode = wireCode;
  }
}

/** `{error, message, code}`, with `errors` by field where the request is not valid. */
export function renderOwnpayError(error: DomainError): { status: number; text: string } {
  const [status, code] = OWNPAY_ANSWERS[error.code];
  const invalid = code === 'VALIDATION_ERROR';
  const errors = Object.entries(error.fields ?? {}).map(([field, words]) => [field, [sentence(field, words)]] as const);
  return {
    status,
    text: writeJson({
      error: true,
      message: invalid ? 'Validation failed.' : capitalized(error.message),
      code: error instanceof OwnpayError ? error.wireCode : code,
      errors: invalid ? Object.fromEntries(errors) : undefined,
    }),
  };
}

/** `must be text` → `The order_id must be text.`; what is a sentence already stays one. */
function sentence(field: string, words: string): string {
  if (words === 'is required') {
    return `The ${field} field is required.`;
  }
  return /^(must|is|are) /.test(words) ? `The ${field} ${words}.` : capitalized(words);
}

function capitalized(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${words.endsWith('.') ? '' : '.'}`;
}
