import { readOrMakeKeys } from '../../simulators/nagad/keys.ts';
import { defaultMerchants, parseMerchants } from '../../simulators/nagad/merchants.ts';
import { TEMPORAL_VARIABLES } from '../../runtime/temporal-server.ts';
import { DEVELOPMENT_ALLOW } from './development-secrets.ts';
import { findFreePort } from '../shared/ports.ts';
import { runtimeLoginVariables } from '../shared/runtime-logins.ts';

export interface StackPorts {
  readonly api: number;
  readonly web: number;
  readonly simulators: number;
  /** The port on which the development mailbox accepts email. */
  readonly smtp: number;
  readonly postgres: number;
  readonly temporal: number;
  readonly temporalUi: number;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Which ports a stack uses: the documented ones if they are free, or any free ones. */
export type PortChoice = 'default' | 'free';

/** Chooses each process's documented port, or a free one if that is taken. */
export async function choosePorts(
  choice: PortChoice,
  environment: Environment,
  onTaken: (taken: TakenPort) => void = () => undefined,
): Promise<StackPorts> {
  const chosen = new Set<number>();
  const take = async (what: string, preferred: number): Promise<number> => {
    for (let tries = 0; tries < 20; tries += 1) {
      const port = await findFreePort(choice === 'default' && !chosen.has(preferred) ? [preferred] : []);
      if (!chosen.has(port)) {
        chosen.add(port);
        if (choice === 'default' && port !== preferred) {
          onTaken({ what, preferred, port });
        }
        return port;
      }
    }
    throw new Error('This machine has too few free ports on 127.0.0.1.');
  };
  return {
    api: await take('the API', portFrom(environment, 'LENDEN_API_PORT', 8080)),
    web: await take('the pages', portFrom(environment, 'LENDEN_WEB_PORT', 3000)),
    simulators: await take('the simulators', portFrom(environment, 'SIMULATORS_PORT', 8090)),
    smtp: await take('the mailbox', portFrom(environment, 'SIMULATORS_SMTP_PORT', 1025)),
    postgres: await take('Postgres', portFrom(environment, 'LENDEN_POSTGRES_PORT', 54329)),
    temporal: await take('Temporal', portFrom(environment, 'LENDEN_TEMPORAL_PORT', 7233)),
    temporalUi: await take("Temporal's UI", portFrom(environment, 'LENDEN_TEMPORAL_UI_PORT', 8233)),
  };
}

/** A port that another program has, and the one that is used instead. */
export interface TakenPort {
  /** What would listen there, in words. */
  readonly what: string;
  readonly preferred: number;
  readonly port: number;
}

function portFrom(environment: Environment, name: string, usual: number): number {
  const text = environment[name];
  if (text === undefined || text === '') {
    return usual;
  }
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Error(`${name} must be a port number, not "${text}".`);
  }
  return port;
}

export interface StackServers {
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly temporalNamespace: string;
  readonly temporalUi: string;
}

/** What is known of a stack before its processes start. */
export interface StackParts {
  readonly ports: StackPorts;
  readonly servers: StackServers;
  readonly masterKey: string;
  /** Result of {@link nagadSettings}. */
  readonly nagad: Environment;
}

/** Returns the environment of Lenden's own processes. Variables that the caller's environment sets take precedence. */
export function lendenEnvironment(
  { ports, servers, masterKey, nagad }: StackParts,
  environment: Environment,
): Environment {
  const simulators = `http://localhost:${ports.simulators}`;
  return {
    LENDEN_MASTER_KEY: masterKey,
    ...runtimeLoginVariables(servers.databaseUrl),
    LENDEN_HOST: '127.0.0.1',
    LENDEN_API_URL: `http://localhost:${ports.api}`,
    LENDEN_WEB_URL: `http://localhost:${ports.web}`,
    SSLCOMMERZ_TEST_URL: simulators,
    SSLCOMMERZ_TEST_STORE_ID: 'lenden_test',
    SSLCOMMERZ_TEST_STORE_PASSWORD: 'lenden_test@ssl',
    SSLCOMMERZ_LIVE_URL: simulators,
    SSLCOMMERZ_LIVE_STORE_ID: 'lenden_live',
    SSLCOMMERZ_LIVE_STORE_PASSWORD: 'lenden_live@ssl',
    ...bkashSettings(simulators),
    ...nagad,
    ...stripeSettings(simulators),
    LENDEN_OUTBOUND_ALLOW: DEVELOPMENT_ALLOW,
    ...mailSettings(ports, environment),
    ...environment,
    ...(environment['TEMPORAL_ADDRESS'] ? {} : PLAIN_TEMPORAL),
    LENDEN_ENV: 'development',
    LENDEN_API_PORT: String(ports.api),
    LENDEN_WEB_PORT: String(ports.web),
    DATABASE_URL: servers.databaseUrl,
    TEMPORAL_ADDRESS: servers.temporalAddress,
    TEMPORAL_NAMESPACE: servers.temporalNamespace,
    LENDEN_TEMPORAL_UI: environment['LENDEN_TEMPORAL_UI'] ?? servers.temporalUi,
  };
}

/** The embedded server uses no TLS on the loopback interface, so TLS settings for the caller's other server are removed. */
const PLAIN_TEMPORAL: Environment = Object.fromEntries(
  TEMPORAL_VARIABLES.filter((name) => /_(TLS|KEY)/.test(name)).map((name) => [name, undefined]),
);

/** The simulator's default merchants. */
function bkashSettings(simulators: string): Environment {
  return Object.fromEntries(
    ['TEST', 'LIVE'].flatMap((mode) => {
      const merchant = `lenden_${mode.toLowerCase()}`;
      return [
        [`BKASH_${mode}_URL`, simulators],
        [`BKASH_${mode}_USERNAME`, merchant],
        [`BKASH_${mode}_PASSWORD`, `${merchant}@bkash`],
        [`BKASH_${mode}_APP_KEY`, `${merchant}_app`],
        [`BKASH_${mode}_APP_SECRET`, `${merchant}_app_secret`],
      ];
    }),
  );
}

/** The accounts with which the simulator is started. */
function stripeSettings(simulators: string): Environment {
  return Object.fromEntries(
    stripeAccounts().flatMap(({ mode, id, secretKey, webhookSecret }) => [
      [`STRIPE_${mode}_URL`, simulators],
      [`STRIPE_${mode}_ACCOUNT`, id],
      [`STRIPE_${mode}_SECRET_KEY`, secretKey],
      [`STRIPE_${mode}_WEBHOOK_SECRET`, webhookSecret],
    ]),
  );
}

function stripeAccounts() {
  return ['TEST', 'LIVE'].map((mode) => {
    const name = mode.toLowerCase();
    return {
      mode,
      id: `acct_lenden_${name}`,
      secretKey: `sk_${name}_lenden`,
      webhookSecret: `whsec_lenden_${name}`,
      path: `/gateway/stripe/${name}/ipn`,
    };
  });
}

/** Includes the address of Lenden's endpoint, which a real merchant registers once. */
function simulatedStripeAccounts({ api }: StackPorts): string {
  return stripeAccounts()
    .map(({ id, secretKey, webhookSecret, path }) =>
      [id, secretKey, webhookSecret, `http://localhost:${api}${path}`].join(':'),
    )
    .join(',');
}

/**
 * Reads or creates the keys in the simulators' folder. The first merchant for which the simulator makes keys is TEST's, the second LIVE's. Call it
 * before either side starts, because both read the same file.
 */
export async function nagadSettings(
  { ports, data }: { readonly ports: Pick<StackPorts, 'simulators'>; readonly data: string },
  environment: Environment,
): Promise<Environment> {
  const merchants = parseMerchants(environment['SIMULATORS_NAGAD_MERCHANTS'] || defaultMerchants);
  const keys = await readOrMakeKeys(data, merchants);
  const own = merchants.flatMap(({ id }) => {
    const privateKey = keys.merchants[id]?.privateKey;
    return privateKey === undefined ? [] : [{ id, privateKey }];
  });
  return Object.fromEntries(
    own.slice(0, 2).flatMap(({ id, privateKey }, index) => {
      const prefix = `NAGAD_${index === 0 ? 'TEST' : 'LIVE'}`;
      return [
        [`${prefix}_URL`, `http://localhost:${ports.simulators}/remote-payment-gateway-1.0/api/dfs`],
        [`${prefix}_MERCHANT_ID`, id],
        [`${prefix}_MERCHANT_PRIVATE_KEY`, privateKey],
        [`${prefix}_GATEWAY_PUBLIC_KEY`, keys.gateway.publicKey],
        [`${prefix}_ADDRESS`, '127.0.0.1'],
      ];
    }),
  );
}

/** Sends email to the development mailbox, unless the caller has their own server or disabled email with an empty address. */
function mailSettings(ports: StackPorts, environment: Environment): Environment {
  return environment['LENDEN_SMTP_URL'] === ''
    ? {}
    : { LENDEN_SMTP_URL: `smtp://127.0.0.1:${ports.smtp}`, LENDEN_MAIL_FROM: 'Lenden <billing@lenden.example>' };
}

/** Returns the simulators' environment. It contains none of Lenden's settings, because the simulators stand for other parties' machines. */
export function simulatorEnvironment(
  { ports, data }: { ports: StackPorts; data: string },
  environment: Environment,
): Environment {
  return {
    PATH: environment['PATH'],
    HOME: environment['HOME'],
    TZ: environment['TZ'],
    SIMULATORS_SSLCOMMERZ_STORES: environment['SIMULATORS_SSLCOMMERZ_STORES'],
    SIMULATORS_BKASH_MERCHANTS: environment['SIMULATORS_BKASH_MERCHANTS'],
    SIMULATORS_NAGAD_MERCHANTS: environment['SIMULATORS_NAGAD_MERCHANTS'],
    SIMULATORS_STRIPE_ACCOUNTS: environment['SIMULATORS_STRIPE_ACCOUNTS'] ?? simulatedStripeAccounts(ports),
    LENDEN_TEST_RUN: environment['LENDEN_TEST_RUN'],
    SIMULATORS_HOST: '127.0.0.1',
    SIMULATORS_PORT: String(ports.simulators),
    SIMULATORS_SMTP_PORT: String(ports.smtp),
    SIMULATORS_URL: `http://localhost:${ports.simulators}`,
    SIMULATORS_DATA: data,
  };
}
