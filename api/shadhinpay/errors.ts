import { DomainError, type ErrorCode } from '../../domain/errors.ts';

/** Status and code of each error. Codes that the contract does not define follow its style. */
export const SHADHINPAY_ANSWERS = {
  VALIDATION_ERROR: [400, 'VALIDATION_ERROR'],
  AMOUNT_OUT_OF_BOUNDS: [400, 'INVALID_AMOUNT'],
  UNAUTHORIZED: [401, 'INVALID_API_KEY'],
  INVALID_CREDENTIALS: [401, 'INVALID_API_KEY'],
  SECOND_FACTOR_REQUIRED: [401, 'INVALID_API_KEY'],
  PASSWORD_CHANGE_REQUIRED: [401, 'INVALID_API_KEY'],
  TOKEN_EXPIRED: [401, 'INVALID_API_KEY'],
  SESSION_EXPIRED: [401, 'INVALID_API_KEY'],
  REAUTH_REQUIRED: [401, 'INVALID_API_KEY'],
  FORBIDDEN: [403, 'AUTHORIZATION_ERROR'],
  RESOURCE_NOT_FOUND: [404, 'RESOURCE_NOT_FOUND'],
  METHOD_NOT_ALLOWED: [405, 'METHOD_NOT_ALLOWED'],
  RESOURCE_ALREADY_EXISTS: [409, 'DUPLICATE_RESOURCE'],
  INVALID_OPERATION_STATE: [422, 'BUSINESS_RULE_VIOLATION'],
  REFUND_EXCEEDS_BALANCE: [422, 'REFUND_NOT_ALLOWED'],
  IDEMPOTENCY_KEY_CONFLICT: [409, 'IDEMPOTENCY_CONFLICT'],
  IDEMPOTENCY_IN_PROGRESS: [409, 'IDEMPOTENCY_CONFLICT'],
  PAYLOAD_TOO_LARGE: [413, 'PAYLOAD_TOO_LARGE'],
  UNSUPPORTED_MEDIA_TYPE: [415, 'UNSUPPORTED_MEDIA_TYPE'],
  RATE_LIMITED: [429, 'RATE_LIMIT_EXCEEDED'],
  GATEWAY_ERROR: [502, 'VENDOR_ERROR'],
  NOT_SUPPORTED: [501, 'NOT_SUPPORTED'],
  SERVICE_UNAVAILABLE: [503, 'EXTERNAL_SERVICE_ERROR'],
  INTERNAL_ERROR: [500, 'INTERNAL_SERVER_ERROR'],
} as const satisfies Record<ErrorCode, readonly [number, string]>;

/** Errors that every operation can answer. */
export const ALWAYS = ['UNAUTHORIZED', 'RATE_LIMITED', 'SERVICE_UNAVAILABLE', 'INTERNAL_ERROR'] as const;
export const OF_BODIES = [
  'VALIDATION_ERROR',
  'IDEMPOTENCY_KEY_CONFLICT',
  'IDEMPOTENCY_IN_PROGRESS',
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'INVALID_OPERATION_STATE',
] as const;

/** Codes that are more specific than ours, with the code that each belongs to. */
export const NARROWER = {
  MISSING_REQUIRED_FIELD: 'VALIDATION_ERROR',
  INVALID_FORMAT: 'VALIDATION_ERROR',
  INVALID_STATUS_TRANSITION: 'RESOURCE_ALREADY_EXISTS',
  REFUND_NOT_ALLOWED: 'INVALID_OPERATION_STATE',
  VENDOR_UNAVAILABLE: 'INVALID_OPERATION_STATE',
} as const satisfies Record<string, ErrorCode>;

/** An error for which ShadhinPay documents a code of its own. */
export class ShadhinpayError extends DomainError {
  readonly wireCode: keyof typeof NARROWER;

  constructor(wireCode: keyof typeof NARROWER, message: string, fields?: Readonly<Record<string, string>>) {
    super(NARROWER[wireCode], message, fields === undefined ? {} : { fields });
    this.wireCode = wireCode;
  }
}

/** Renders `{status, errorType, message, data}`. If the request is not valid, `data` has a message for each field; otherwise it is null. */
export function renderShadhinpayError(error: DomainError): { status: number; text: string } {
  const [status, code] = SHADHINPAY_ANSWERS[error.code];
  const { body: unreadable, ...fields } = error.fields ?? {};
  const entries = Object.entries(unreadable === undefined ? fields : { body: unreadable });
  return {
    status,
    text: JSON.stringify({
      status: 'error',
      errorType: error instanceof ShadhinpayError ? error.wireCode : unreadable === undefined ? code : 'INVALID_FORMAT',
      message: capitalized(error.message),
      data:
        status === 400 && entries.length > 0
          ? Object.fromEntries(entries.map(([field, words]) => [field, sentence(field, words)]))
          : null,
    }),
  };
}

/** `is required` of `merchantTxnId` → `Merchant txn ID is required`. Text that already is a sentence stays unchanged. */
function sentence(field: string, words: string): string {
  return /^(must|is|are) /.test(words) ? `${nameInWords(field)} ${words}` : words;
}

function nameInWords(field: string): string {
  const words = field
    .split('.')
    .at(-1)
    ?.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    .replaceAll(/\b(url|id)\b/g, (word) => word.toUpperCase());
  return field.includes('-') ? field : capitalized(words ?? field);
}

function capitalized(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}
