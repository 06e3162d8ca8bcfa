/**
 * The code of every expected failure. Each contract maps them through a table that must be complete to compile, so a new code cannot reach a client
 * without a defined response.
 */
export const ERROR_CODES = [
  'VALIDATION_ERROR',
  'AMOUNT_OUT_OF_BOUNDS',
  'UNAUTHORIZED',
  'INVALID_CREDENTIALS',
  'SECOND_FACTOR_REQUIRED',
  'PASSWORD_CHANGE_REQUIRED',
  'TOKEN_EXPIRED',
  'SESSION_EXPIRED',
  'REAUTH_REQUIRED',
  'FORBIDDEN',
  'RESOURCE_NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'RESOURCE_ALREADY_EXISTS',
  'INVALID_OPERATION_STATE',
  'REFUND_EXCEEDS_BALANCE',
  'IDEMPOTENCY_KEY_CONFLICT',
  'IDEMPOTENCY_IN_PROGRESS',
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'RATE_LIMITED',
  'GATEWAY_ERROR',
  'NOT_SUPPORTED',
  'SERVICE_UNAVAILABLE',
  'INTERNAL_ERROR',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** Field path → what is wrong with it, in words for the integrator. */
export type FieldErrors = Readonly<Record<string, string>>;

/** An expected failure with a stable code. Its message is shown to the caller, so it must not contain a secret or a payer's data. */
export class DomainError extends Error {
  readonly code: ErrorCode;
  readonly fields: FieldErrors | undefined;
  /** Seconds after which a retry makes sense; becomes `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, details: { fields?: FieldErrors; retryAfterSeconds?: number } = {}) {
    super(message);
    this.name = 'DomainError';
    this.code = code;
    this.fields = details.fields;
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

export function notFound(what: string): DomainError {
  return new DomainError('RESOURCE_NOT_FOUND', `${what} not found`);
}
