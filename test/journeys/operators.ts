import { z } from 'zod';
import type { DevFile } from '../../scripts/development/dev-file.ts';

export interface OperatorAnswer {
  readonly status: number;
  readonly data: unknown;
  readonly code: string | null;
}

/** Sends a request as the demo's operator with this role, or without a session if the role is empty. */
export type AsOperator = (role: string, method: string, path: string, body?: object) => Promise<OperatorAnswer>;

const Answer = z.object({ data: z.unknown(), meta: z.object({ errorCode: z.string().nullable() }) });
const Session = z.object({ token: z.string() });
const ANSWER_TIMEOUT_MS = 20_000;

/** Logs in all of the demo's operators. `dev` is called before each request, because the stack may move. */
export async function signInOperators(dev: () => DevFile): Promise<AsOperator> {
  const tokens = new Map<string, string>();
  const send: AsOperator = async (role, method, path, body) => {
    const response = await fetch(`${dev().api}${path}`, {
      method,
      headers: {
        ...(role === '' ? {} : { authorization: `Bearer ${tokens.get(role)}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    });
    const { data, meta } = Answer.parse(await response.json());
    return { status: response.status, data, code: meta.errorCode };
  };
  for (const { role, email, password } of dev().operators) {
    const { data } = await send('', 'POST', '/auth/login', { email, password });
    tokens.set(role, Session.parse(data).token);
  }
  return send;
}
