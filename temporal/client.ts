import { Client, Connection, type ClientInterceptors } from '@temporalio/client';
import type { Config } from '../runtime/config.ts';
import { connectionOptionsOf } from '../runtime/temporal-server.ts';

export interface TemporalLink {
  readonly client: Client;
  readonly connection: Connection;
  close(): Promise<void>;
}

/** Does not wait for the server: a process starts while Temporal is away, and the sweeper catches up what it missed. */
export function linkTemporal(temporal: Config['temporal'], interceptors: ClientInterceptors = {}): TemporalLink {
  const connection = Connection.lazy(connectionOptionsOf(temporal));
  const client = new Client({ connection, namespace: temporal.namespace, interceptors });
  return { client, connection, close: () => connection.close() };
}
