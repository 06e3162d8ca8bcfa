import { resolve } from 'node:path';
import { startHost } from './host.ts';
import { createSslcommerzSimulator } from './sslcommerz/simulator.ts';
import { defaultStores, parseStores } from './sslcommerz/stores.ts';

/** How long open connections may delay a graceful stop. */
const stopTimeoutMs = 5_000;

const environment = process.env;
const stores = parseStores(environment['SIMULATORS_SSLCOMMERZ_STORES'] ?? defaultStores);
const publicUrl = environment['SIMULATORS_URL'] || undefined;

const host = await startHost({
  host: environment['SIMULATORS_HOST'] ?? '127.0.0.1',
  port: readPort(environment['SIMULATORS_PORT'] ?? '8090'),
  dataDir: resolve(environment['SIMULATORS_DATA'] ?? '.lenden/simulators'),
  ...(publicUrl === undefined ? {} : { publicUrl }),
  mount: async (parts) => [await createSslcommerzSimulator({ ...parts, stores })],
});
log('simulators ready', { url: host.url, publicUrl: host.publicUrl, stores: stores.map((store) => store.id) });

let stopping = false;
async function stop(): Promise<void> {
  if (!stopping) {
    stopping = true;
    setTimeout(() => process.exit(1), stopTimeoutMs).unref();
    await host.close();
    log('simulators stopped', {});
    process.exit(0);
  }
}

process.on('SIGTERM', () => void stop());
process.on('SIGINT', () => void stop());
// A launcher that holds an IPC channel and dies leaves nobody to stop this process.
process.on('disconnect', () => void stop());

function readPort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) {
    throw new Error(`SIMULATORS_PORT is not a port: ${text}`);
  }
  return port;
}

function log(msg: string, details: Record<string, unknown>): void {
  console.log(JSON.stringify({ level: 'info', time: new Date().toISOString(), msg, ...details }));
}
