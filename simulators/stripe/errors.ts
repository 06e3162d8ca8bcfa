/** An answer that consists of an error object, with its HTTP status. */
export class ApiError extends Error {
  readonly status: number;
  readonly type: string;
  readonly code: string | undefined;
  readonly param: string | undefined;

  constructor(given: { status?: number; type?: string; code?: string; param?: string; message: string }) {
    super(given.message);
    this.status = given.status ?? 400;
    this.type = given.type ?? 'invalid_request_error';
    this.code = given.code;
    this.param = given.param;
  }

  body(requestId: string): { error: Record<string, unknown> } {
    return {
      error: {
        ...(this.code === undefined
          ? {}
          : { code: this.code, doc_url: `https://stripe.com/docs/error-codes/${this.code.replaceAll('_', '-')}` }),
        message: this.message,
        ...(this.param === undefined ? {} : { param: this.param }),
        request_log_url: `https://dashboard.stripe.com/logs/${requestId}`,
        type: this.type,
      },
    };
  }
}

export function missing(what: string, id: string, param = 'id'): ApiError {
  return new ApiError({ status: 404, code: 'resource_missing', param, message: `No such ${what}: '${id}'` });
}

export function unknownParameter(param: string): ApiError {
  return new ApiError({ code: 'parameter_unknown', param, message: `Received unknown parameter: ${param}` });
}

export function missingParameter(param: string): ApiError {
  return new ApiError({ code: 'parameter_missing', param, message: `Missing required param: ${param}.` });
}

export function invalidParameter(param: string, message: string, code?: string): ApiError {
  return new ApiError({ param, message, ...(code === undefined ? {} : { code }) });
}
