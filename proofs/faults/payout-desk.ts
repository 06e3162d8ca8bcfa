import { z } from 'zod';
import { TRADING_GATEWAYS } from '../trade/gateways.ts';
import { exchange, parseJson } from './application.ts';
import { insist } from './insist.ts';
import { NAGAD_MERCHANTS, STORES } from './gateways.ts';
import type { SimulatedName } from './booked.ts';
import { errorCodeOf, type Staff, type Tokens } from './operators.ts';

/** An account of ours at a gateway, in one mode. */
export interface PayoutStore {
  readonly gateway: SimulatedName;
  readonly mode: 'TEST' | 'LIVE';
  readonly storeId: string;
  /** The merchant in the simulator's own word. */
  readonly merchant: Readonly<Record<string, string>>;
  /** Path of the simulator's control API. */
  readonly controlPath: string;
  /** Null: Lenden reads the gateway's API. */
  readonly mapping: { readonly shipped: string } | null;
}

const OWNERS: Readonly<Record<SimulatedName, (mode: 'TEST' | 'LIVE') => readonly [word: string, storeId: string]>> = {
  sslcommerz: (mode) => ['storeId', STORES[mode]],
  bkash: (mode) => ['username', STORES[mode]],
  nagad: (mode) => ['merchantId', NAGAD_MERCHANTS[mode]],
  stripe: (mode) => ['account', `acct_${STORES[mode]}`],
};

export const PAYOUT_STORES: readonly PayoutStore[] = (['TEST', 'LIVE'] as const).flatMap((mode) =>
  Object.entries(OWNERS).map(([name, ownerOf]) => {
    const gateway = name as SimulatedName;
    const [word, storeId] = ownerOf(mode);
    const { control = '', mapping = null } = TRADING_GATEWAYS.find((trading) => trading.name === name) ?? {};
    return { gateway, mode, storeId, merchant: { [word]: storeId }, controlPath: control, mapping };
  }),
);

/** The person who closes the days, and the gateways' control. */
export interface PayoutDesk {
  /** Has a gateway pay out what it took so far. */
  payOut(
    store: PayoutStore,
    order: { readonly seed: string; readonly until: string; readonly faults: object },
  ): Promise<void>;
  /** Returns the file of everything that the gateway has paid out. */
  fileOf(store: PayoutStore): Promise<string>;
  statementOf(store: PayoutStore): Promise<string>;
  /** Sends one request to one API, and authenticates if it demands that. */
  ask(api: 0 | 1, request: PayoutRequest): Promise<{ readonly status: number | null; readonly text: string }>;
}

export interface PayoutRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** A file. */
  readonly text?: string;
  readonly json?: object;
  readonly timeoutMs: number;
}

const Login = z.object({ data: z.object({ token: z.string() }) });
const PROVING_TIMEOUT_MS = 6_000;

export function openPayoutDesk({
  staff: { finance },
  tokens,
  apis,
  simulatorUrl,
}: {
  readonly staff: Staff;
  readonly tokens: Tokens;
  readonly apis: readonly string[];
  readonly simulatorUrl: string;
}): PayoutDesk {
  const control = (path: string, body?: object): Promise<string> =>
    insist(async () => {
      const response = await fetch(`${simulatorUrl}/__sim${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
        signal: AbortSignal.timeout(10_000),
      });
      const text = await response.text();
      if (!response.ok) {
        throw new Error(`the simulator answered ${response.status} to ${path}: ${text.slice(0, 200)}`);
      }
      return text;
    });
  const send = (api: 0 | 1, { method, path, text, json, timeoutMs }: PayoutRequest) => {
    const body = json === undefined ? text : JSON.stringify(json);
    return exchange(`${apis[api]}/api/v1${path}`, {
      method,
      headers: {
        'content-type': json === undefined ? 'application/octet-stream' : 'application/json',
        authorization: `Bearer ${tokens.get(finance.id) ?? 'none'}`,
      },
      ...(body === undefined ? {} : { body }),
      timeoutMs,
    });
  };
  /** Sends what a person types to authenticate. */
  const prove = async (api: 0 | 1, path: '/auth/login' | '/auth/reauth'): Promise<void> => {
    const { email, password } = finance;
    const json = path === '/auth/login' ? { email, password } : { password };
    const answer = await send(api, { method: 'POST', path, json, timeoutMs: PROVING_TIMEOUT_MS });
    const session = Login.safeParse(parseJson(answer.text));
    if (session.success) {
      tokens.set(finance.id, session.data.data.token);
    }
  };
  return {
    async payOut({ controlPath, merchant }, order) {
      await control(`${controlPath}/payouts`, { ...merchant, spreadDays: 3, ...order });
    },
    fileOf: ({ controlPath, merchant }) =>
      control(`${controlPath}/payouts/files/lines.csv?${new URLSearchParams(merchant)}`),
    statementOf: ({ gateway, storeId }) =>
      control(`/bank/statement.xml?${new URLSearchParams({ gateway, owner: storeId })}`),
    async ask(api, request) {
      const answer = await send(api, request);
      const wanted =
        answer.status === 401 ? '/auth/login' : errorCodeOf(answer) === 'REAUTH_REQUIRED' ? '/auth/reauth' : null;
      if (wanted === null) {
        return answer;
      }
      await prove(api, wanted);
      return send(api, request);
    },
  };
}
