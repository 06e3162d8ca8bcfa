import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseAllowList } from '../../domain/outbound-url.ts';
import type { Executions } from '../../gateways/bkash/executions.ts';
import { createBkashGateway, createBkashShared } from '../../gateways/bkash/gateway.ts';
import type { TokenShelf } from '../../gateways/bkash/tokens.ts';
import type { AttemptHandle, Gateway } from '../../gateways/port.ts';
import { createHttpClient } from '../../runtime/http-client.ts';
import { impatience } from '../support/impatience.ts';
import { bkashRows } from './bkash-rows.ts';

/** The rows that processes share. */
interface BkashShelves {
  readonly shelf: TokenShelf;
  readonly executions: Executions;
}

export type Body = Record<string, unknown>;
export interface Asked {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Body;
}
export type Reply = (response: ServerResponse, asked: Asked) => void;

export const json =
  (value: unknown, status = 200): Reply =>
  (response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
export const text =
  (body: string, status = 200): Reply =>
  (response) =>
    response.writeHead(status).end(body);

export const PAYMENT_ID = 'TR0011ABCDEFGH1765275163828';
export const REFERENCE = 'AbCdEfGhIjKlMnOpQrSt';
export const SECRET = { password: 'p', appKey: 'key', appSecret: 'secret' };
export const HANDLE: AttemptHandle = {
  attemptReference: REFERENCE,
  sessionKey: PAYMENT_ID,
  claimedValidationId: null,
  knownValidationIds: [],
  mayExecute: true,
};

/** A minute after the creation time of the payment in the answers below. */
export const START_MS = Date.parse('2026-11-22T00:00:00Z');

/** The scripted answer of each call, by the last part of its path. A list is used in order, and its last entry repeats. */
export type Script = Partial<Record<'grant' | 'refresh' | 'create' | 'execute' | 'status' | 'refund', Reply | Reply[]>>;

/** Starts a minimal gateway for answers that no simulator gives, and the adapter with the test's clock. */
export async function startScriptedBkash() {
  const state = { script: {} as Script, asked: [] as Asked[], nowMs: START_MS };
  const used = new Map<string, number>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(Buffer.from(chunk));
    }
    const path = request.url ?? '';
    const name = (path.split('/').at(-1) ?? '') as keyof Script;
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Body;
    const asked = { path, headers: request.headers, body };
    state.asked.push(asked);
    const said = state.script[name] ?? usual[name] ?? text('', 404);
    const replies = Array.isArray(said) ? said : [said];
    const index = used.get(name) ?? 0;
    used.set(name, index + 1);
    (replies[Math.min(index, replies.length - 1)] ?? text('', 404))(response, asked);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { http, expectSilence } = impatience(createHttpClient({ guard: 'none', allow: parseAllowList('') }));
  const nowMs = (): number => state.nowMs;
  let granted = 0;
  const token = (): object => {
    granted += 1;
    return {
      statusCode: '0000',
      id_token: `token-${granted}`,
      expires_in: 3_600,
      refresh_token: `refresh-${granted}`,
    };
  };
  const usual: Script = {
    grant: (response, asked) => json(token())(response, asked),
    refresh: (response, asked) => json(token())(response, asked),
  };
  return {
    state,
    origin,
    /**
     * Returns an adapter that is like a separate process and shares only the given rows. Its elapsed time follows the test's clock unless `elapsedMs`
     * is given.
     */
    process({
      shelf,
      executions,
      elapsedMs = nowMs,
    }: Partial<BkashShelves> & { readonly elapsedMs?: () => number } = {}): Gateway {
      const own = bkashRows(nowMs);
      const shared = createBkashShared({
        http,
        elapsedMs,
        shelf: shelf ?? own.shelf,
        executions: executions ?? own.executions,
      });
      return createBkashGateway({
        baseUrl: origin,
        storeId: 'merchant',
        secret: JSON.stringify(SECRET),
        http,
        shared,
        elapsedMs,
        limits: { queryTimeoutMs: 4_000, executeTimeoutMs: 4_000, pausesMs: [5, 5] },
      });
    },
    answer(script: Script): void {
      state.script = script;
      state.asked.length = 0;
      used.clear();
    },
    /** Returns the last parts of the requested paths. */
    calls: () => state.asked.map(({ path }) => path.split('/').at(-1)),
    expectSilence,
    later(ms: number): void {
      state.nowMs += ms;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await http.close();
    },
  };
}

export type ScriptedBkash = Awaited<ReturnType<typeof startScriptedBkash>>;

/** Returns the answer to a query. */
export function payment(changes: Body = {}): Reply {
  return json({
    statusCode: '0000',
    statusMessage: 'Successful',
    paymentID: PAYMENT_ID,
    paymentCreateTime: '2026-11-22T05:59:00:000 GMT+0600',
    amount: '100.00',
    currency: 'BDT',
    intent: 'sale',
    merchantInvoice: REFERENCE,
    transactionStatus: 'Initiated',
    verificationStatus: 'Incomplete',
    ...changes,
  });
}

export const AGREED = payment({ verificationStatus: 'Complete' });
export const COMPLETED = payment({
  transactionStatus: 'Completed',
  verificationStatus: 'Complete',
  trxID: '6H7801QFYM',
});
export const refusal = (statusCode: string): Reply => json({ statusCode, statusMessage: 'their words' });
