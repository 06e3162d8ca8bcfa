import { expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '../../../scripts/shared/ports.ts';
import { startStack } from '../../../scripts/development/stack.ts';
import { createTestDatabase } from '../../support/database.ts';
import { createTestNamespace } from '../../support/temporal.ts';
import { testServers } from '../../support/test-servers.ts';
import { until } from '../../support/until.ts';

test('a stack whose port another program takes while it starts says so, and not that it runs', async () => {
  // Otherwise another program that answers on the port would be taken for our api.
  const directory = mkdtempSync(join(tmpdir(), 'lenden-race-'));
  const [database, namespace, port] = await Promise.all([
    createTestDatabase(),
    createTestNamespace(),
    findFreePort([]),
  ]);
  const other: Server = createServer((_request, response) => response.end('{"status":"ready"}'));
  const own = ['LENDEN_WEB_PORT', 'SIMULATORS_PORT', 'SIMULATORS_SMTP_PORT'];
  const ports = Object.fromEntries(
    await Promise.all(own.map(async (name) => [name, String(await findFreePort([]))] as const)),
  );
  try {
    const starting = startStack({
      directory,
      ports: 'default',
      environment: {
        ...process.env,
        ...ports,
        LENDEN_API_PORT: String(port),
        DATABASE_URL: database.url,
        TEMPORAL_ADDRESS: testServers().temporalAddress,
        TEMPORAL_NAMESPACE: namespace,
      },
      say: () => undefined,
    });
    starting.catch(() => undefined);
    await until(() => existsSync(join(directory, 'logs', 'migrate.log')));
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
    const outcome = await starting.then(
      async (stack) => {
        await stack.stop();
        return 'it runs';
      },
      (error: unknown) => String(error),
    );
    expect(outcome).toMatch(/api did not become ready[^]*another program is already listening on this address/);
  } finally {
    other.close();
    await database.drop();
    rmSync(directory, { recursive: true, force: true });
  }
});
