import { join } from 'node:path';
import { temporalServerOf, type TemporalServer } from '../../runtime/temporal-server.ts';
import { findRunningStack } from '../development/dev-file.ts';
import { readOrMakeMasterKey } from '../development/development-secrets.ts';
import type { Environment } from '../development/stack-environment.ts';

export interface VerifyTarget {
  readonly databaseUrl: string;
  readonly temporal: TemporalServer | null;
  /** The settings of the processes that use this database, needed to query the gateways. */
  readonly environment: () => NodeJS.ProcessEnv;
}

/** Returns what the environment names, as in a deployment, else the stack that runs in this directory. */
export async function findVerifyTarget(directory: string): Promise<VerifyTarget> {
  const given = process.env;
  if (given['DATABASE_URL']) {
    return {
      databaseUrl: given['DATABASE_URL'],
      temporal: given['TEMPORAL_ADDRESS'] ? temporalServerOf(given) : null,
      environment: () => given,
    };
  }
  const stack = await findRunningStack(directory);
  if (stack === undefined) {
    throw new Error(`no stack runs in ${directory}. Start one with npm start, or set DATABASE_URL.`);
  }
  // Imported only here, because a deployment's image lacks the simulators that this module needs.
  const { lendenEnvironment, nagadSettings } = await import('../development/stack-environment.ts');
  const { databaseUrl, temporal } = stack;
  const ports = { ...NO_PORTS, simulators: Number(new URL(stack.simulators).port) };
  const nagad = await nagadSettings({ ports, data: join(directory, 'simulators') }, given);
  return {
    databaseUrl,
    temporal: { address: temporal.address, namespace: temporal.namespace },
    environment: () =>
      definedOnly(
        lendenEnvironment(
          {
            ports,
            nagad,
            servers: {
              databaseUrl,
              temporalAddress: temporal.address,
              temporalNamespace: temporal.namespace,
              temporalUi: temporal.ui,
            },
            masterKey: readOrMakeMasterKey(directory),
          },
          // A script sends no email, and there is no port to send it to.
          { ...given, LENDEN_SMTP_URL: '', LENDEN_MAIL_FROM: '' },
        ),
      ),
  };
}

/** A script listens on no ports. */
const NO_PORTS = { api: 0, web: 0, simulators: 0, smtp: 0, postgres: 0, temporal: 0, temporalUi: 0 };

function definedOnly(environment: Environment): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined));
}
