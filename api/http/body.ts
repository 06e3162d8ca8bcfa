import type { IncomingMessage } from 'node:http';
import getRawBody from 'raw-body';
import { DomainError } from '../../domain/errors.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Reads a request body of at most `bytesMax` bytes. Throws PAYLOAD_TOO_LARGE, or VALIDATION_ERROR for bytes that are not UTF-8. */
export async function readText(request: IncomingMessage, bytesMax: number): Promise<string> {
  const bytes = await getRawBody(request, { limit: bytesMax, length: request.headers['content-length'] ?? null }).catch(
    (error: unknown) => {
      throw typeof error === 'object' && error !== null && 'type' in error && error.type === 'entity.too.large'
        ? new DomainError('PAYLOAD_TOO_LARGE', `the body is larger than ${bytesMax} bytes`)
        : new DomainError('VALIDATION_ERROR', 'the body could not be read');
    },
  );
  try {
    return utf8.decode(bytes);
  } catch {
    throw new DomainError('VALIDATION_ERROR', 'the body is not valid UTF-8', {
      fields: { body: 'is not valid UTF-8' },
    });
  }
}

/** Throws UNSUPPORTED_MEDIA_TYPE unless the body is declared as JSON in UTF-8. */
export function requireJson(contentType: string | undefined): void {
  const [type = '', ...parameters] = (contentType ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const foreignCharset = parameters.some(
    (parameter) => parameter.startsWith('charset=') && !/^charset="?utf-?8"?$/.test(parameter),
  );
  if (type !== 'application/json' || foreignCharset) {
    throw new DomainError('UNSUPPORTED_MEDIA_TYPE', 'send the body as application/json in UTF-8');
  }
}
