import createClient from 'openapi-fetch';
import type { components, ErrorEnvelope, paths } from '../../api-types.ts';

export type Schemas = components['schemas'];

/** The operators' API refused a request. `code` is stable; `message` is the API's, in English. */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;
  /** What is wrong with each field of a request that is not valid. */
  readonly fields: Readonly<Record<string, string>>;

  constructor({ meta, data }: { readonly meta: ErrorEnvelope['meta']; readonly data: unknown }, status: number) {
    super(meta.message);
    this.code = meta.errorCode;
    this.status = status;
    const members = typeof data === 'object' && data !== null ? Object.entries(data) : [];
    this.fields = Object.fromEntries(members.map(([name, value]) => [name, String(value)]));
  }
}

let csrfToken: string | null = null;
/** All tabs share the session's cookie, so they must share its token too. */
const tabs = new BroadcastChannel('lenden-session');
tabs.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
  if (typeof data === 'string') {
    csrfToken = data;
  } else {
    // The person has logged out in another tab.
    location.reload();
  }
});

/** Keeps the token that every change must carry, here and in every other tab; it comes with the session and ends with it. */
export function keepCsrfToken(token: string | null): void {
  csrfToken = token;
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has the page's own origin
  tabs.postMessage(token);
}

export const api = createClient<paths>({ baseUrl: '/api/v1', credentials: 'same-origin' });
api.use({
  onRequest({ request }) {
    if (request.method !== 'GET' && csrfToken !== null) {
      request.headers.set('X-CSRF-Token', csrfToken);
    }
  },
});

interface Answer<Body> {
  readonly data?: Body | undefined;
  readonly error?: unknown;
  readonly response: Response;
}

/** Returns the body of an answer of the API. @throws ApiError, or TypeError if there was no answer */
export async function bodyOf<Body>(asked: Promise<Answer<Body>>): Promise<Body> {
  const { data, error, response } = await asked;
  if (data !== undefined && response.ok) {
    return data;
  }
  throw new ApiError(envelopeOf(error, response), response.status);
}

/** Returns `data` of an answer. @throws like `bodyOf` */
export async function dataOf<Data>(asked: Promise<Answer<{ readonly data: Data }>>): Promise<Data> {
  return (await bodyOf(asked)).data;
}

/** A proxy before the API may answer with something else than the API's envelope. */
function envelopeOf(
  error: unknown,
  { status }: Response,
): { readonly meta: ErrorEnvelope['meta']; readonly data: unknown } {
  const known = error as Partial<ErrorEnvelope> | undefined;
  return known?.meta?.errorCode === undefined
    ? {
        data: null,
        meta: { success: false, message: `HTTP ${status}`, errorCode: 'INTERNAL_ERROR', timestamp: '' },
      }
    : { data: known.data, meta: known.meta };
}
