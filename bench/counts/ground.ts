import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Environment } from '../../scripts/development/stack-environment.ts';
import { startMeasuredStack } from '../measured-stack.ts';
import { registerShop } from '../shop.ts';
import { startGatewayCounter } from './gateway-counter.ts';
import type { CountingGround } from './measure.ts';

/** Disables vacuum and delays checkpoints, because both would write their own WAL in the middle of a payment. */
const STILL = { autovacuum: 'off', checkpoint_timeout: '1h', max_wal_size: '8GB' };

/** Starts a separate stack with a counted gateway and a shop that receives webhooks. */
export async function startCountingGround(given: {
  environment?: Environment;
  /** Postgres settings in addition to those that keep it quiet. */
  settings?: Readonly<Record<string, string>>;
  say: (line: string) => void;
}): Promise<CountingGround & { stop(): Promise<void> }> {
  const gateway = await startGatewayCounter();
  const receiver = await startReceiver();
  try {
    const stack = await startMeasuredStack({
      environment: { ...given.environment, SSLCOMMERZ_TEST_URL: gateway.url },
      postgres: { ...STILL, ...given.settings },
      say: given.say,
    });
    gateway.forwardTo(stack.dev.simulators);
    const shop = await registerShop({
      databaseUrl: stack.dev.databaseUrl,
      directory: stack.directory,
      webhookUrl: receiver.url,
    });
    const stop = async (): Promise<void> => {
      await stack.stop();
      await Promise.all([gateway.close(), receiver.close()]);
    };
    return { stack, shop, gateway, nextWebhook: receiver.next, stop };
  } catch (error) {
    await Promise.all([gateway.close(), receiver.close()]);
    throw error;
  }
}

async function startReceiver() {
  let arrived = Promise.withResolvers<string>();
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      response.writeHead(204).end();
      arrived.resolve(String(request.headers['webhook-id']));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    next(): Promise<string> {
      arrived = Promise.withResolvers<string>();
      return arrived.promise;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
