import { z } from 'zod';
import type { DevFile } from '../../scripts/development/dev-file.ts';

const Login = z.object({ data: z.object({ token: z.string() }) });

/** A person with every permission, who uses the operators' API. */
export interface ApiOperator {
  get(path: string): Promise<unknown>;
  post(path: string, body?: object): Promise<unknown>;
  /** Enters the password again, as a change of amounts demands. */
  stepUp(): Promise<void>;
  upload(path: string, bytes: Uint8Array | ReadableStream<Uint8Array>): Promise<unknown>;
}

export interface Person {
  readonly email: string;
  readonly password: string;
}

/** Logs in a person; the stack's own first operator unless given. */
export async function logIn(dev: DevFile, person: Person | undefined = dev.operators[0]): Promise<ApiOperator> {
  if (person === undefined) {
    throw new Error('the stack has no operators');
  }
  const { email, password } = person;
  const login = await fetch(`${dev.api}/auth/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email, password }),
  });
  let { token } = Login.parse(await login.json()).data;
  const call = async (path: string, init: RequestInit): Promise<unknown> => {
    const response = await fetch(dev.api + path, {
      ...init,
      headers: { ...init.headers, Authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(120_000),
    });
    const text = await response.text();
    if (!response.ok) {
      throw new Error(`${init.method ?? 'GET'} ${path} answered ${response.status}: ${text.slice(0, 300)}`);
    }
    return z.object({ data: z.unknown() }).parse(JSON.parse(text)).data;
  };
  return {
    get: (path) => call(path, {}),
    post: (path, body) =>
      call(path, {
        method: 'POST',
        ...(body === undefined ? {} : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
      }),
    async stepUp() {
      // The session gets a new token.
      const session = await call('/auth/reauth', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ password }),
      });
      ({ token } = Login.shape.data.parse(session));
    },
    upload: (path, bytes) =>
      call(path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/octet-stream' },
        ...(bytes instanceof Uint8Array ? { body: Buffer.from(bytes) } : { body: bytes, duplex: 'half' }),
      }),
  };
}
