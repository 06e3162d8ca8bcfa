import { insist } from './insist.ts';

/** What the driver tells the simulated gateway, past every link. */
export interface GatewayControl {
  /** Waits of seconds instead of minutes, so that a round can be short. */
  hurry(): Promise<void>;
  /** The attempt's reference of the session that a payer was led to. */
  tranIdOf(gatewayPage: string): Promise<string | null>;
  /** Ends what would go wrong for ever with a session. */
  mend(sessionKey: string): Promise<void>;
}

const HURRIED = {
  hangMs: 2_500,
  slowMs: 800,
  afterReturnMs: 300,
  lateNoticeMs: 2_000,
  noticeTimeoutMs: 2_500,
  refundAfterMs: 300,
  longRefundMs: 4_000,
  // Nine tries within half a minute: as often as the real one tries within a day.
  noticeRetryMs: [200, 400, 700, 1_000, 1_500, 2_000, 3_000, 5_000, 8_000],
};

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
    hurry: async () => void (await insist(() => ask('PUT', 'config', HURRIED))),
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
