import { z } from 'zod';
import { GATEWAYS } from './gateways.ts';
import { insist } from './insist.ts';

const TokenSettings = z.object({ tokenCallsPerHour: z.int() });

/** What the driver tells the simulated gateway, past every link. */
export interface GatewayControl {
  /** Waits of seconds instead of minutes, so that a round can be short. */
  hurry(): Promise<void>;
  /** The attempt's reference of the session that a payer was led to. */
  tranIdOf(gatewayPage: string): Promise<string | null>;
  /** Whether Nagad takes an order that it has completed, and that nobody has paid, once more: it is not known which it does. */
  repeatOrders(are: 'accepted' | 'untilComplete'): Promise<void>;
  /** bKash gives so many tokens more in what is an hour to it. */
  grantMore(tokens: number): Promise<void>;
  /** Ends what would go wrong for ever with a session. */
  mend(sessionKey: string): Promise<void>;
}

export function controlGateway(url: string): GatewayControl {
  const ask = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${url}/__sim/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      signal: AbortSignal.timeout(5_000),
    });
    if (!response.ok) {
      throw new Error(`the simulator answered ${response.status} to ${path}: ${await response.text()}`);
    }
    return response.json();
  };
  return {
    async hurry() {
      for (const { controlPath, hurried } of Object.values(GATEWAYS)) {
        await insist(() => ask('PUT', `${controlPath}config`, hurried));
      }
    },
    repeatOrders: async (repeatedOrder) => void (await insist(() => ask('PUT', 'nagad/config', { repeatedOrder }))),
    async grantMore(tokens) {
      const { tokenCallsPerHour } = TokenSettings.parse(await insist(() => ask('GET', 'bkash/config')));
      await insist(() => ask('PUT', 'bkash/config', { tokenCallsPerHour: tokenCallsPerHour + tokens }));
    },
    async tranIdOf(gatewayPage) {
      const key = /testcde([0-9a-z]+)$/i.exec(new URL(gatewayPage).pathname)?.[1];
      const [session] = key === undefined ? [] : listOf(await ask('GET', `sessions/${key.toUpperCase()}`));
      return typeof session === 'object' && session !== null && 'tranId' in session ? String(session.tranId) : null;
    },
    mend: async (sessionKey) =>
      void (await insist(() =>
        ask('POST', `sessions/${sessionKey}/script`, { script: { faults: { validation: [], query: [] } } }),
      )),
  };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
