/** The parts of node-postgres' pool and client that are used here. */
interface PooledClient {
  release(destroy?: boolean): void;
  once(event: 'end', listener: () => void): unknown;
}
interface ConnectionPool {
  on(event: 'acquire' | 'connect', listener: (client: PooledClient) => void): unknown;
  on(event: 'release', listener: (error: unknown, client: PooledClient) => void): unknown;
}

/**
 * Releases a connection that is lost while a transaction holds it. Kysely's controlled transactions, which MikroORM builds on, keep it if begin,
 * commit or rollback fails (kysely-org/kysely#1990). Each loss would cost the pool one connection until none is left.
 */
export function giveBackLostConnections(pool: ConnectionPool): void {
  const held = new Set<PooledClient>();
  pool.on('acquire', (client) => held.add(client));
  pool.on('release', (_error, client) => held.delete(client));
  pool.on('connect', (client) => {
    client.once('end', () => {
      if (held.has(client)) {
        client.release(true);
        // The holder may still release it, and a second release would throw.
        client.release = () => undefined;
      }
    });
  });
}
