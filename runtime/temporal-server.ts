import { loadClientConnectConfig } from '@temporalio/envconfig';
import type { TLSConfig } from '@temporalio/client';

/** The address of Temporal and the options of a connection. */
export interface TemporalServer {
  /** `host:port` of the frontend. */
  readonly address: string;
  readonly namespace: string;
  /** Absent: plain text, for a server on a private network. */
  readonly tls?: TLSConfig | true;
  /** Sent with each call; never without TLS. */
  readonly apiKey?: string;
}

/** The variables that Temporal's own command line and SDKs also read. */
export const TEMPORAL_VARIABLES = [
  'TEMPORAL_ADDRESS',
  'TEMPORAL_NAMESPACE',
  'TEMPORAL_API_KEY',
  'TEMPORAL_TLS',
  'TEMPORAL_TLS_SERVER_NAME',
  'TEMPORAL_TLS_SERVER_CA_CERT_PATH',
  'TEMPORAL_TLS_CLIENT_CERT_PATH',
  'TEMPORAL_TLS_CLIENT_KEY_PATH',
] as const;

/**
 * Reads `TEMPORAL_*`. Certificates and keys are files, which are read here. An API key or any certificate turns TLS on.
 * @param problems - receives a message for each malformed setting; values are never repeated
 */
export function readTemporalServer(environment: NodeJS.ProcessEnv, problems: string[]): TemporalServer {
  const given = new Map(
    TEMPORAL_VARIABLES.flatMap((name) => {
      const value = environment[name] ?? '';
      return value === '' ? [] : [[name, value] as const];
    }),
  );
  const address = given.get('TEMPORAL_ADDRESS') ?? '127.0.0.1:7233';
  const namespace = given.get('TEMPORAL_NAMESPACE') ?? 'default';
  const server = { address, namespace };
  const tls = given.get('TEMPORAL_TLS');
  if (tls !== undefined && !['true', 'false'].includes(tls)) {
    problems.push('TEMPORAL_TLS: must be true or false');
    return server;
  }
  if (given.has('TEMPORAL_TLS_CLIENT_CERT_PATH') !== given.has('TEMPORAL_TLS_CLIENT_KEY_PATH')) {
    problems.push('TEMPORAL_TLS_CLIENT_CERT_PATH, TEMPORAL_TLS_CLIENT_KEY_PATH: set both or neither');
    return server;
  }
  if (tls === 'false' && [...given.keys()].some((name) => name.startsWith('TEMPORAL_TLS_') || name.endsWith('_KEY'))) {
    problems.push('TEMPORAL_TLS: must not be false with certificates or TEMPORAL_API_KEY, which need TLS');
    return server;
  }
  try {
    const { connectionOptions } = loadClientConnectConfig({
      disableFile: true,
      overrideEnvVars: Object.fromEntries(given),
    });
    const { tls: options, apiKey } = connectionOptions;
    return {
      ...server,
      ...(options === undefined || options === null || options === false ? {} : { tls: options }),
      ...(typeof apiKey === 'string' ? { apiKey } : {}),
    };
  } catch {
    problems.push('TEMPORAL_TLS_*: a certificate or key file cannot be read');
    return server;
  }
}

/**
 * Returns the server named by the environment, for commands that need no other setting.
 * @throws Error that names every malformed variable
 */
export function temporalServerOf(environment: NodeJS.ProcessEnv): TemporalServer {
  const problems: string[] = [];
  const server = readTemporalServer(environment, problems);
  if (problems.length > 0) {
    throw new Error(problems.join('\n'));
  }
  return server;
}

/** Returns the options of the SDK's connections; the namespace belongs to the client. */
export function connectionOptionsOf({ address, tls, apiKey }: Omit<TemporalServer, 'namespace'>): {
  address: string;
  tls?: TLSConfig | true;
  apiKey?: string;
} {
  return { address, ...(tls === undefined ? {} : { tls }), ...(apiKey === undefined ? {} : { apiKey }) };
}
