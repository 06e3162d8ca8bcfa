import { describe, expect, test } from '@jest/globals';
import { sendEvent, type SendDependencies } from '../../../core/webhooks/send.ts';
import type { Delivery, DeliveryEndpoint } from '../../../core/webhooks/store/deliveries.ts';
import { parseAllowList } from '../../../domain/outbound-url.ts';
import type { HttpReply, HttpRequest } from '../../../runtime/http-client.ts';
import { signingSecretPlace } from '../../../runtime/sealed-places.ts';
import { HttpFailure, type HttpFailureKind } from '../../../runtime/http-client/failure.ts';

const now = new Date('2026-11-21T10:00:00.900Z');
const NEW = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const OLD = `whsec_${Buffer.alloc(32, 2).toString('base64')}`;
const endpoint: DeliveryEndpoint = {
  url: 'https://shop.example.com/hook',
  disabled: false,
  place: signingSecretPlace({ applicationId: 1n, mode: 'TEST' }),
  signingSecrets: [`sealed ${NEW}`],
  circuitOpenUntil: null,
};
const delivery: Delivery = {
  eventId: 'evt_7',
  contract: 'native',
  type: 'payment.succeeded',
  payload: '{"note":"৳"}',
  status: 'PENDING',
  attempts: 0,
  lastResponseStatus: null,
  lastError: null,
  nextAttemptAt: null,
  endpoint,
  readAt: new Date(0),
};

interface Receiver {
  readonly reply?: Partial<HttpReply>;
  readonly failure?: unknown;
  readonly endpoint?: Partial<DeliveryEndpoint>;
  readonly allow?: string;
}

/** Returns the sender's result for a receiver, the requests sent to it, and the secrets that were opened. */
async function send({ reply, failure, endpoint: changed, allow = '' }: Receiver = {}) {
  const requests: HttpRequest[] = [];
  const opened: string[] = [];
  const deps: SendDependencies = {
    http: {
      send: (request) => {
        requests.push(request);
        return failure === undefined
          ? Promise.resolve({ status: 200, headers: {}, body: Buffer.from(''), truncated: false, ...reply })
          : Promise.reject(failure);
      },
      close: () => Promise.resolve(),
    },
    secrets: {
      open: (sealed) => {
        opened.push(sealed);
        if (!sealed.startsWith('sealed ')) {
          throw new Error('no key opens it');
        }
        return sealed.slice('sealed '.length);
      },
    },
    allow: parseAllowList(allow),
  };
  const result = await sendEvent(deps, {
    eventId: 'evt_1',
    delivery,
    endpoint: { ...endpoint, ...changed },
    now,
  });
  return { result, requests, opened };
}

test('one request is made, within the limits that are published', async () => {
  // A receiver may rely on the form of one attempt and on its time limits.
  const { requests } = await send();
  expect(requests).toEqual([
    {
      method: 'POST',
      url: 'https://shop.example.com/hook',
      headers: expect.objectContaining({
        'content-type': 'application/json',
        'webhook-id': 'evt_1',
        'webhook-timestamp': '1795255200',
      }),
      body: Buffer.from('{"note":"৳"}', 'utf8'),
      connectTimeoutMs: 5_000,
      totalTimeoutMs: 15_000,
      maxBodyBytes: 65_536,
      onTooLarge: 'truncate',
    },
  ]);
});

describe('a reply', () => {
  test.each([
    [199, false],
    [200, true],
    [204, true],
    [299, true],
    [300, false],
    [410, false],
    [503, false],
  ])('of %i is an acknowledgement: %p', async (status, delivered) => {
    // Only 2xx says that the receiver has accepted the event.
    const { result } = await send({ reply: { status, headers: { 'retry-after': '60' }, body: Buffer.from(' a\nb ') } });
    expect(result).toEqual({
      delivered,
      gone: status === 410,
      countsAgainstEndpoint: true,
      status,
      error: delivered ? null : `HTTP_${status}`,
      excerpt: 'a b',
      retryAfterMs: status === 503 ? 60_000 : 0,
      accepted: null,
    });
  });

  test.each([
    ['blocked', 'BLOCKED_ADDRESS'],
    ['unresolved', 'UNRESOLVED_HOST'],
    ['connect', 'CONNECT_FAILED'],
    ['tls', 'TLS_FAILED'],
    ['timeout', 'TIMEOUT'],
    ['reset', 'CONNECTION_RESET'],
    ['too-large', 'HEADERS_TOO_LARGE'],
    ['protocol', 'NOT_HTTP'],
  ] as const satisfies readonly (readonly [HttpFailureKind, string])[])(
    'that never came, because of "%s", is shown to the owner as %s',
    async (kind, error) => {
      // The endpoint's owner corrects the problem by this code. It counts like any failure and does not delay the next attempt.
      const { result } = await send({ failure: new HttpFailure(kind, { sent: true, code: 'ECODE' }) });
      expect(result).toEqual({
        delivered: false,
        gone: false,
        countsAgainstEndpoint: true,
        status: null,
        error,
        excerpt: null,
        retryAfterMs: 0,
        accepted: null,
      });
    },
  );

  test('is not blamed for an error of our own', async () => {
    // A bug in our code is not a failed attempt: the activity is retried, and the log has the error.
    await expect(send({ failure: new TypeError('ours') })).rejects.toThrow('ours');
  });
});

describe('a URL that the rules refuse', () => {
  test('is not resolved, not signed for, not connected to', async () => {
    // The URL rules apply at every attempt, whatever is in the database.
    const { result, requests, opened } = await send({ endpoint: { url: 'https://localhost/' } });
    expect(result).toMatchObject({ delivered: false, countsAgainstEndpoint: true, status: null, error: 'URL_REFUSED' });
    expect([requests, opened]).toEqual([[], []]);
  });

  test('is used where the operator allows it', async () => {
    // Development and tests have receivers on the same machine.
    const { result } = await send({ endpoint: { url: 'http://localhost:9000/' }, allow: 'localhost:9000' });
    expect(result.delivered).toBe(true);
  });
});

describe('the secrets of an endpoint', () => {
  test('all sign, the newest first', async () => {
    // A receiver that has not changed its secret yet must still be able to verify the event.
    const { requests, opened } = await send({ endpoint: { signingSecrets: [`sealed ${NEW}`, `sealed ${OLD}`] } });
    expect(String(requests[0]?.headers['webhook-signature']).split(' ')).toHaveLength(2);
    expect(opened).toEqual([`sealed ${NEW}`, `sealed ${OLD}`]);
  });

  test.each([[['lost']], [[`sealed ${NEW}`, 'lost']], [[]]])(
    'that no key opens, or that are not there, send nothing and are not held against the endpoint: %p',
    async (signingSecrets: string[]) => {
      // An operator's mistake must not disable an app's endpoint.
      const { result, requests } = await send({ endpoint: { signingSecrets } });
      expect(result).toEqual({
        delivered: false,
        gone: false,
        countsAgainstEndpoint: false,
        status: null,
        error: 'SECRET_UNREADABLE',
        excerpt: null,
        retryAfterMs: 0,
        accepted: null,
      });
      expect(requests).toEqual([]);
    },
  );
});
