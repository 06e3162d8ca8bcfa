import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Router } from '@koa/router';
import Koa from 'koa';
import { openChargeLog } from './charge-log.ts';
import type { ChargeLog } from './charge-log.ts';
import { bankRoutes } from './bank/routes.ts';
import { BodyError } from './form-body.ts';
import type { PayoutDesk } from './payouts/desk.ts';

/** A simulated gateway, mounted on the host next to the others. */
export type Simulator = {
  name: string;
  router: Router;
  /** Where its payouts are made; the bank's statement shows them. Absent from what is no gateway. */
  desk?: PayoutDesk;
  /** Clears everything. Files are renamed with the suffix. */
  reset(suffix: string): Promise<void>;
  close(): Promise<void>;
};

export type HostParts = {
  /** The origin at which the payer's browser and the merchant reach the simulators, without a trailing slash. */
  publicUrl: string;
  dataDir: string;
  charges: ChargeLog;
  /** Aborted when the host closes, so that every wait ends. */
  closing: AbortSignal;
};

export type HostOptions = {
  host: string;
  /** 0 picks a free port. */
  port: number;
  /** Default: the address on which the host listens. */
  publicUrl?: string;
  dataDir: string;
  mount: (parts: HostParts) => Promise<readonly Simulator[]>;
};

export type RunningHost = { url: string; publicUrl: string; close(): Promise<void> };

/** Longer than any pause of a client, so that a connection is never closed while a request is on its way. */
const KEEP_ALIVE_MS = 65_000;

/** Starts listening, opens the charge log and mounts the simulators. `GET /health` answers 200 once all of this is done. */
export async function startHost(options: HostOptions): Promise<RunningHost> {
  let answer: RequestListener = (_request, response) => {
    response.writeHead(503, { 'retry-after': '1' }).end();
  };
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => answer(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: options.host, port: options.port }, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`;
  const publicUrl = (options.publicUrl ?? url).replace(/\/+$/, '');
  const closing = new AbortController();
  const charges = await openChargeLog(options.dataDir);
  const parts: HostParts = { publicUrl, dataDir: options.dataDir, charges, closing: closing.signal };
  const simulators = await options.mount(parts);
  answer = createApp({ charges, simulators }).callback();
  return {
    url,
    publicUrl,
    async close() {
      closing.abort();
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
      for (const simulator of simulators) {
        await simulator.close();
      }
      await charges.close();
    },
  };
}

function createApp({ charges, simulators }: { charges: ChargeLog; simulators: readonly Simulator[] }): Koa {
  const app = new Koa();
  app.silent = true;
  app.on('error', (error: NodeJS.ErrnoException) => {
    // Many scripted faults make clients hang up in the middle of an answer.
    if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_PREMATURE_CLOSE') {
      console.error(JSON.stringify({ level: 'error', msg: 'simulator failed', error: error.stack ?? String(error) }));
    }
  });
  app.use(answerBodyErrors);
  app.use(commonRoutes({ charges, simulators }).routes());
  for (const simulator of simulators) {
    app.use(simulator.router.routes());
  }
  return app;
}

function commonRoutes({ charges, simulators }: { charges: ChargeLog; simulators: readonly Simulator[] }): Router {
  const router = new Router();
  router.get('/health', (ctx) => {
    ctx.body = { status: 'ok', simulators: simulators.map((simulator) => simulator.name) };
  });
  router.get('/__sim/charges', async (ctx) => {
    const { gateway, tran_id: tranId } = ctx.query;
    await charges.settled();
    ctx.body = charges
      .lines()
      .filter(
        (line) =>
          (gateway === undefined || line.gateway === gateway) && (tranId === undefined || line.tranId === tranId),
      );
  });
  bankRoutes(
    router,
    simulators.flatMap(({ desk }) => desk ?? []),
  );
  router.post('/__sim/reset', async (ctx) => {
    const suffix = `${new Date().toISOString().replaceAll(/[:.]/g, '-')}.old`;
    await charges.reset(suffix);
    for (const simulator of simulators) {
      await simulator.reset(suffix);
    }
    ctx.body = { putAsideAs: suffix };
  });
  return router;
}

async function answerBodyErrors(ctx: Koa.Context, next: Koa.Next): Promise<void> {
  try {
    await next();
  } catch (error) {
    if (!(error instanceof BodyError)) {
      throw error;
    }
    ctx.status = error.status;
    ctx.body = { error: error.message };
  }
}
