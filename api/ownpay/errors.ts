import { DomainError, type ErrorCode } from '../../domain/errors.ts';
import { writeJson } from '../../domain/exact-json.ts';

/** Status and code of each error. OwnPay defines the codes for validation, gateways, tokens and scopes; the others follow its style. */
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
  NOT_SUPPORTED: [501, 'NOT_SUPPORTED'],
  SERVICE_UNAVAILABLE: [503, 'SERVICE_UNAVAILABLE'],
  INTERNAL_ERROR: [500, 'INTERNAL_ERROR'],
} as const satisfies Record<ErrorCode, readonly [number, string]>;

/** Codes that are more specific than ours, with the code that each belongs to. */
export const NARROWER = {
  MISSING_TOKEN: 'UNAUTHORIZED',
  GATEWAY_NOT_FOUND: 'RESOURCE_NOT_FOUND',
  PAYMENT_NOT_FOUND: 'RESOURCE_NOT_FOUND',
  TRANSACTION_NOT_FOUND: 'RESOURCE_NOT_FOUND',
} as const satisfies Record<string, ErrorCode>;

/** An error for which OwnPay documents a code of its own. Its message is shown unchanged. */
export class OwnpayError extends DomainError {
  readonly wireCode: keyof typeof NARROWER;

  constructor(wireCode: keyof typeof NARROWER, message: string) {
    super(NARROWER[wireCode], message);
    this.wireCode = wireCode;
  }
}

/** Renders `{error, message, code}`, with `errors` by field if the request is not valid. */
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

/** `must be text` → `The order_id must be text.` Text that already is a sentence only gets its capital and period. */
function sentence(field: string, words: string): string {
  if (words === 'is required') {
    return `The ${field} field is required.`;
  }
  return /^(must|is|are) /.test(words) ? `The ${field} ${words}.` : capitalized(words);
}

function capitalized(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${words.endsWith('.') ? '' : '.'}`;
}
