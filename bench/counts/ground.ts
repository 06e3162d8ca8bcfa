import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Environment } from '../../scripts/development/stack-environment.ts';
import { startMeasuredStack } from '../measured-stack.ts';
import { callContracts } from './contracts.ts';
import { startGatewayCounter, type GatewayCounter } from './gateway-counter.ts';
import type { CountingGround } from './measure.ts';
import { registerShops } from './shop-keys.ts';

/**
 * Disables vacuum and delays checkpoints, because both would write their own WAL in the middle of a payment. A page's image, which the first change
 * after a checkpoint writes, belongs to the checkpoint and not to the payment that happens to come first.
 */
const STILL = { autovacuum: 'off', checkpoint_timeout: '1h', max_wal_size: '8GB', full_page_writes: 'off' };

const WEBHOOK_TIMEOUT_MS = 30_000;

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
      environment: { ...given.environment, ...gatewaysAt(gateway) },
      postgres: { ...STILL, ...given.settings },
      say: given.say,
    });
    gateway.forwardTo(stack.dev.simulators);
    const keys = await registerShops({
      databaseUrl: stack.dev.databaseUrl,
      directory: stack.directory,
      webhookUrl: receiver.url,
    });
    const stop = async (): Promise<void> => {
      await stack.stop();
      await Promise.all([gateway.close(), receiver.close()]);
    };
    // Pausing needs the running worker, and every count needs the pause.
    await stack.pauseLoops();
    const contracts = callContracts(stack.dev.api, keys);
    return { stack, contracts, gateway, nextWebhooks: receiver.next, stop };
  } catch (error) {
    await Promise.all([gateway.close(), receiver.close()]);
    throw error;
  }
}

function gatewaysAt({ url }: GatewayCounter): Environment {
  return {
    SSLCOMMERZ_TEST_URL: url,
    BKASH_TEST_URL: url,
    STRIPE_TEST_URL: url,
    NAGAD_TEST_URL: `${url}/remote-payment-gateway-1.0/api/dfs`,
  };
}

async function startReceiver() {
  let received = 0;
  const arrivals = new EventTarget();
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      response.writeHead(204).end();
      received += 1;
      arrivals.dispatchEvent(new Event('arrived'));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async next(count: number): Promise<void> {
      const wanted = received + count;
      const signal = AbortSignal.timeout(WEBHOOK_TIMEOUT_MS);
      for (;;) {
        if (received >= wanted) {
          return;
        }
        await once(arrivals, 'arrived', { signal }).catch(() => {
          throw new Error(`only ${received + count - wanted} of ${count} events arrived`);
        });
      }
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
