import type { IncomingMessage } from 'node:http';

/** The error for a request body that cannot be read; `status` is the HTTP status to answer with. */
export class BodyError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const bodyLengthMax = 256 * 1024;

/**
 * Reads a urlencoded or multipart form into names and values. If a name is repeated, the last value counts, as in PHP. Another content type, or none,
 * gives an empty form.
 * @throws BodyError 413 over 256 KiB, 400 for a malformed multipart body or one with files
 */
export async function readForm(request: IncomingMessage): Promise<Record<string, string>> {
  const type = request.headers['content-type'] ?? '';
  const body = await readBody(request);
  if (/^application\/x-www-form-urlencoded\b/i.test(type)) {
    return Object.fromEntries(new URLSearchParams(body.toString('utf8')));
  }
  return /^multipart\/form-data\b/i.test(type) ? readMultipart({ body, type }) : {};
}

/**
 * Reads a JSON object. Accepts only `application/json`, so that a form on another site cannot send it.
 * @throws BodyError 415, 413, 400
 */
export async function readJsonObject(request: IncomingMessage): Promise<Record<string, unknown>> {
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    throw new BodyError(415, 'Send application/json');
  }
  const body = await readBody(request);
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch {
    throw new BodyError(400, 'The body is not JSON');
  }
  throw new BodyError(400, 'The body is not a JSON object');
}

/** @throws BodyError 413 over 256 KiB */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > bodyLengthMax) {
      throw new BodyError(413, `The body is over ${bodyLengthMax} bytes`);
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

async function readMultipart({ body, type }: { body: Buffer; type: string }): Promise<Record<string, string>> {
  // Only reading an unbounded body with formData() is deprecated. This body is already read and bounded.
  // oxlint-disable-next-line typescript/no-deprecated
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData().catch(() => {
    throw new BodyError(400, 'The multipart body is malformed');
  });
  const fields: Record<string, string> = {};
  for (const [name, value] of form) {
    if (typeof value !== 'string') {
      throw new BodyError(400, 'The multipart body has a file');
    }
    fields[name] = value;
  }
  return fields;
}
