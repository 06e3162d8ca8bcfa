import { readOrMakeKeys } from '../../simulators/nagad/keys.ts';
import type { SessionReader, SimulatedName } from './booked.ts';
import { readBkashPayments } from './books/bkash.ts';
import { readNagadOrders } from './books/nagad.ts';
import { readSslcommerzSessions } from './books/sslcommerz.ts';
import { readStripeSessions } from './books/stripe.ts';

/** What the harness needs to know about a gateway. To add a gateway, add a row here, its name to the names and its scripts to the dials. */
interface GatewayRow {
  readonly readSessions: (journal: string) => SessionReader;
  /** Path below `/__sim/` of the simulator's control API. */
  readonly controlPath: string;
  /** Settings with waits of seconds instead of minutes, to keep a round short. */
  readonly hurried: object;
  /** The environment of Lenden's processes, by mode. It contains the store, whose secrets must never be shown. */
  readonly settings: (mode: 'TEST' | 'LIVE', site: GatewaySite) => Settings | Promise<Settings>;
  /** The simulator's environment: the same stores, and where to post notices. */
  readonly simulated: (apiUrl: string) => Settings;
}

type Settings = Readonly<Record<string, string>>;

/** The address of the simulators and the folder of their data. */
interface GatewaySite {
  readonly gatewayUrl: string;
  readonly data: string;
}

/** Must never appear in a log or a history. */
export const STORE_SECRETS = {
  TEST: 'canary-store-test',
  LIVE: 'canary-store-live',
} as const;
export const STORES = { TEST: 'fault_test', LIVE: 'fault_live' } as const;
const MODES = ['TEST', 'LIVE'] as const;
export const NAGAD_MERCHANTS = { TEST: '683000000000101', LIVE: '683000000000102' } as const;

const HANG_MS = 2_500;
const SLOW_MS = 800;
/** The real gateways' attempts of a day, compressed into half a minute. */
const NOTICE_RETRIES_MS = [200, 400, 700, 1_000, 1_500, 2_000, 3_000, 5_000, 8_000];

export const GATEWAYS: Readonly<Record<SimulatedName, GatewayRow>> = {
  sslcommerz: {
    readSessions: readSslcommerzSessions,
    controlPath: '',
    hurried: {
      hangMs: HANG_MS,
      slowMs: SLOW_MS,
      afterReturnMs: 300,
      lateNoticeMs: 2_000,
      noticeTimeoutMs: 2_500,
      refundAfterMs: 300,
      longRefundMs: 4_000,
      noticeRetryMs: NOTICE_RETRIES_MS,
    },
    settings: (mode) => ({ STORE_ID: STORES[mode], STORE_PASSWORD: STORE_SECRETS[mode] }),
    simulated: () => ({
      SIMULATORS_SSLCOMMERZ_STORES: MODES.map((mode) => `${STORES[mode]}:${STORE_SECRETS[mode]}`).join(','),
    }),
  },
  bkash: {
    readSessions: readBkashPayments,
    controlPath: 'bkash/',
    hurried: { hangMs: HANG_MS, slowMs: SLOW_MS },
    settings: (mode) => ({
      USERNAME: STORES[mode],
      PASSWORD: STORE_SECRETS[mode],
      APP_KEY: `${STORES[mode]}_app`,
      APP_SECRET: `${STORE_SECRETS[mode]}-app`,
    }),
    simulated: () => ({
      SIMULATORS_BKASH_MERCHANTS: MODES.map((mode) =>
        [STORES[mode], STORE_SECRETS[mode], `${STORES[mode]}_app`, `${STORE_SECRETS[mode]}-app`].join(':'),
      ).join(','),
    }),
  },
  nagad: {
    readSessions: readNagadOrders,
    controlPath: 'nagad/',
    hurried: { hangMs: HANG_MS, slowMs: SLOW_MS, lateChargeMs: 2_000 },
    settings: async (mode, { gatewayUrl, data }) => {
      const id = NAGAD_MERCHANTS[mode];
      // Both sides read the same file, which the simulator would otherwise create.
      const { gateway, merchants } = await readOrMakeKeys(
        data,
        MODES.map((one) => ({ id: NAGAD_MERCHANTS[one] })),
      );
      return {
        URL: `${gatewayUrl}/remote-payment-gateway-1.0/api/dfs`,
        MERCHANT_ID: id,
        MERCHANT_PRIVATE_KEY: merchants[id]?.privateKey ?? '',
        GATEWAY_PUBLIC_KEY: gateway.publicKey,
        ADDRESS: '127.0.0.1',
      };
    },
    simulated: () => ({ SIMULATORS_NAGAD_MERCHANTS: MODES.map((mode) => NAGAD_MERCHANTS[mode]).join(',') }),
  },
  stripe: {
    readSessions: readStripeSessions,
    controlPath: 'stripe/',
    hurried: {
      hangMs: HANG_MS,
      slowMs: SLOW_MS,
      delayedAfterMs: 600,
      pendingRefundMs: 300,
      lateEventMs: 2_000,
      eventTimeoutMs: 2_500,
      eventRetryMs: NOTICE_RETRIES_MS,
    },
    settings: (mode) => ({
      ACCOUNT: `acct_${STORES[mode]}`,
      SECRET_KEY: stripeKey(mode),
      WEBHOOK_SECRET: `whsec_${STORE_SECRETS[mode]}`,
    }),
    simulated: (apiUrl) => ({
      SIMULATORS_STRIPE_ACCOUNTS: MODES.map((mode) =>
        [
          `acct_${STORES[mode]}`,
          stripeKey(mode),
          `whsec_${STORE_SECRETS[mode]}`,
          `${apiUrl}/gateway/stripe/${mode.toLowerCase()}/ipn`,
        ].join(':'),
      ).join(','),
    }),
  },
};

function stripeKey(mode: 'TEST' | 'LIVE'): string {
  return `sk_${mode.toLowerCase()}_${STORE_SECRETS[mode]}`;
}

/** Returns the settings of Lenden's processes for every gateway. All gateways have the same address. */
export async function gatewaySettings(site: GatewaySite): Promise<Settings> {
  const told: [string, string][] = [];
  for (const [name, { settings }] of Object.entries(GATEWAYS)) {
    for (const mode of MODES) {
      const own = Object.entries({ URL: site.gatewayUrl, ...(await settings(mode, site)) });
      told.push(...own.map(([key, value]): [string, string] => [`${name.toUpperCase()}_${mode}_${key}`, value]));
    }
  }
  return Object.fromEntries(told);
}

/** Returns the simulators' settings. All simulators post to the same address. */
export function simulatorSettings(apiUrl: string): Settings {
  return Object.assign({}, ...Object.values(GATEWAYS).map(({ simulated }) => simulated(apiUrl)));
}
