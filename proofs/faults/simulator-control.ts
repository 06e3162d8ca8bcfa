import { z } from 'zod';
import { GATEWAYS } from './gateways.ts';
import { insist } from './insist.ts';

const TokenSettings = z.object({ tokenCallsPerHour: z.int() });

/** What the driver sets in the simulated gateway, bypassing every link. */
export interface GatewayControl {
  /** Sets waits of seconds instead of minutes, to keep a round short. */
  hurry(): Promise<void>;
  /** Returns the attempt's reference for the session to which a payer was sent. */
  tranIdOf(gatewayPage: string): Promise<string | null>;
  /** Sets whether Nagad accepts a completed but unpaid order again. It is not known which of the two the real Nagad does. */
  repeatOrders(are: 'accepted' | 'untilComplete'): Promise<void>;
  /** Lets bKash grant this many more tokens in its current hour. */
  grantMore(tokens: number): Promise<void>;
  /** Ends a session's fault that would otherwise last forever. */
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
