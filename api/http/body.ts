import type { IncomingMessage } from 'node:http';
import getRawBody from 'raw-body';
import { DomainError } from '../../domain/errors.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** How long a body that is held in memory may take. */
const TEXT_WITHIN_MS = 30_000;
/** How long a body that is read as it comes may be silent. The server limits the time of the whole request. */
const SILENCE_MAX_MS = 30_000;

/** Reads a request body of at most `bytesMax` bytes. Throws PAYLOAD_TOO_LARGE, or VALIDATION_ERROR for bytes that are not UTF-8. */
export async function readText(request: IncomingMessage, bytesMax: number): Promise<string> {
  const reading = getRawBody(request, { limit: bytesMax, length: request.headers['content-length'] ?? null });
  const bytes = await within(TEXT_WITHIN_MS, reading).catch((error: unknown) => {
    throw typeof error === 'object' && error !== null && 'type' in error && error.type === 'entity.too.large'
      ? tooLarge(bytesMax)
      : unread();
  });
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

/**
 * Yields a request body as it comes, so that it is never held as a whole.
 *
 * @throws DomainError PAYLOAD_TOO_LARGE, as soon as it is known; VALIDATION_ERROR for a body that ends early or falls silent
 */
export async function* readBytes(request: IncomingMessage, bytesMax: number): AsyncGenerator<Uint8Array> {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) {
    throw tooLarge(bytesMax);
  }
  // The connection is still needed for the answer.
  const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>;
  for (let total = 0; ;) {
    const next = await within(SILENCE_MAX_MS, chunks.next()).catch(() => {
      throw unread();
    });
    if (next.done === true) {
      return;
    }
    total += next.value.length;
    if (total > bytesMax) {
      throw tooLarge(bytesMax);
    }
    yield next.value;
  }
}

/** Throws UNSUPPORTED_MEDIA_TYPE unless the body is declared as one of these types. */
export function requireType(contentType: string | undefined, types: readonly string[]): void {
  const [type = ''] = (contentType ?? '').toLowerCase().split(';', 1);
  if (!types.includes(type.trim())) {
    throw new DomainError('UNSUPPORTED_MEDIA_TYPE', `send the body as ${types.join(', ')}`);
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('too slow')), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function tooLarge(bytesMax: number): DomainError {
  return new DomainError('PAYLOAD_TOO_LARGE', `the body is larger than ${bytesMax} bytes`);
}

function unread(): DomainError {
  return new DomainError('VALIDATION_ERROR', 'the body could not be read');
}
