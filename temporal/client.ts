import { Client, Connection, type ClientInterceptors } from '@temporalio/client';
import type { Config } from '../runtime/config.ts';
import { connectionOptionsOf } from '../runtime/temporal-server.ts';

export interface TemporalLink {
  readonly client: Client;
  readonly connection: Connection;
  close(): Promise<void>;
}

/** Connects lazily: a process can start while Temporal is away, and the sweeper catches up later. */
export function linkTemporal(temporal: Config['temporal'], interceptors: ClientInterceptors = {}): TemporalLink {
  const connection = Connection.lazy(connectionOptionsOf(temporal));
  const client = new Client({ connection, namespace: temporal.namespace, interceptors });
  return { client, connection, close: () => connection.close() };
}
