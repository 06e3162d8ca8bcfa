import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { findFreePort } from './ports.ts';
import { readPrivateJson, writePrivateJson } from './private-files.ts';

/** The ports of one stack. */
export interface StackPorts {
  readonly api: number;
  readonly web: number;
  readonly simulators: number;
  readonly postgres: number;
  readonly temporal: number;
  readonly temporalUi: number;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Which ports a stack asks for: the documented ones where they are free, or any. */
export type PortChoice = 'default' | 'free';

/** Takes the documented port of each process, or a free one where it is taken. */
export async function choosePorts(choice: PortChoice, environment: Environment): Promise<StackPorts> {
  const chosen = new Set<number>();
  const take = async (preferred: number): Promise<number> => {
    for (let tries = 0; tries < 20; tries += 1) {
      const port = await findFreePort(choice === 'default' && !chosen.has(preferred) ? [preferred] : []);
      if (!chosen.has(port)) {
        chosen.add(port);
        return port;
      }
    }
    throw new Error('This machine has too few free ports on 127.0.0.1.');
  };
  return {
    api: await take(portFrom(environment, 'LENDEN_API_PORT', 8080)),
    web: await take(portFrom(environment, 'LENDEN_WEB_PORT', 3000)),
    simulators: await take(portFrom(environment, 'SIMULATORS_PORT', 8090)),
    postgres: await take(54329),
    temporal: await take(7233),
    temporalUi: await take(8233),
  };
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

/** On a developer's machine receivers listen on the loopback; a deployment allows nothing. */
export const DEVELOPMENT_ALLOW = 'localhost:*,127.0.0.1:*,[::1]:*';

/** What Lenden's own processes are started with. Whatever the caller's environment sets itself wins. */
export function lendenEnvironment(
  { ports, servers, masterKey }: { ports: StackPorts; servers: StackServers; masterKey: string },
  environment: Environment,
): Environment {
  const simulators = `http://localhost:${ports.simulators}`;
  return {
    LENDEN_MASTER_KEY: masterKey,
    LENDEN_HOST: '127.0.0.1',
    LENDEN_API_URL: `http://localhost:${ports.api}`,
    LENDEN_WEB_URL: `http://localhost:${ports.web}`,
    SSLCOMMERZ_TEST_URL: simulators,
    SSLCOMMERZ_TEST_STORE_ID: 'lenden_test',
    SSLCOMMERZ_TEST_STORE_PASSWORD: 'lenden_test@ssl',
    SSLCOMMERZ_LIVE_URL: simulators,
    SSLCOMMERZ_LIVE_STORE_ID: 'lenden_live',
    SSLCOMMERZ_LIVE_STORE_PASSWORD: 'lenden_live@ssl',
    LENDEN_OUTBOUND_ALLOW: DEVELOPMENT_ALLOW,
    ...environment,
    LENDEN_ENV: 'development',
    LENDEN_API_PORT: String(ports.api),
    LENDEN_WEB_PORT: String(ports.web),
    DATABASE_URL: servers.databaseUrl,
    TEMPORAL_ADDRESS: servers.temporalAddress,
    TEMPORAL_NAMESPACE: servers.temporalNamespace,
    LENDEN_TEMPORAL_UI: environment['LENDEN_TEMPORAL_UI'] ?? servers.temporalUi,
  };
}

/** The simulators stand for somebody else's machines, so they get nothing of ours. */
export function simulatorEnvironment(
  { ports, data }: { ports: StackPorts; data: string },
  environment: Environment,
): Environment {
  return {
    PATH: environment['PATH'],
    HOME: environment['HOME'],
    TZ: environment['TZ'],
    SIMULATORS_SSLCOMMERZ_STORES: environment['SIMULATORS_SSLCOMMERZ_STORES'],
    LENDEN_TEST_RUN: environment['LENDEN_TEST_RUN'],
    SIMULATORS_HOST: '127.0.0.1',
    SIMULATORS_PORT: String(ports.simulators),
    SIMULATORS_URL: `http://localhost:${ports.simulators}`,
    SIMULATORS_DATA: data,
  };
}

const stackSecrets = z.object({ masterKey: z.string() });

/** Made once per data directory: what it encrypted must stay readable. */
export function readOrMakeMasterKey(directory: string): string {
  const file = join(directory, 'secrets.json');
  const known = readPrivateJson(file, stackSecrets);
  if (known !== undefined) {
    return known.masterKey;
  }
  const masterKey = `dev1:${randomBytes(32).toString('base64')}`;
  writePrivateJson(file, { masterKey });
  return masterKey;
}
