/** Errors that every operation with a credential can answer. */
export const CREDENTIAL_ERRORS = ['UNAUTHORIZED', 'RATE_LIMITED', 'SERVICE_UNAVAILABLE', 'INTERNAL_ERROR'] as const;
