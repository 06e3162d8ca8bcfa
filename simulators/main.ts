import { resolve } from 'node:path';
import { defaultMerchants as bkashDefaults, parseMerchants as parseBkashMerchants } from './bkash/merchants.ts';
import { createBkashSimulator } from './bkash/simulator.ts';
import { startHost } from './kit/host.ts';
import { createMailbox } from './mailbox/mailbox.ts';
import { defaultMerchants as nagadDefaults, parseMerchants as parseNagadMerchants } from './nagad/merchants.ts';
import { createNagadSimulator } from './nagad/simulator.ts';
import { createSslcommerzSimulator } from './sslcommerz/simulator.ts';
import { defaultStores, parseStores } from './sslcommerz/stores.ts';
import { defaultAccounts as stripeDefaults, parseAccounts as parseStripeAccounts } from './stripe/accounts.ts';
import { createStripeSimulator } from './stripe/simulator.ts';

/** How long open connections may delay a graceful stop. */
const stopTimeoutMs = 5_000;

const environment = process.env;
const stores = parseStores(environment['SIMULATORS_SSLCOMMERZ_STORES'] ?? defaultStores);
const bkashMerchants = parseBkashMerchants(environment['SIMULATORS_BKASH_MERCHANTS'] || bkashDefaults);
const nagadMerchants = parseNagadMerchants(environment['SIMULATORS_NAGAD_MERCHANTS'] || nagadDefaults);
const stripeAccounts = parseStripeAccounts(environment['SIMULATORS_STRIPE_ACCOUNTS'] || stripeDefaults);
const listenHost = environment['SIMULATORS_HOST'] ?? '127.0.0.1';
const publicUrl = environment['SIMULATORS_URL'] || undefined;

let smtpPort = 0;
const host = await startHost({
  host: listenHost,
  port: readPort('SIMULATORS_PORT', '8090'),
  dataDir: resolve(environment['SIMULATORS_DATA'] ?? '.lenden/simulators'),
  ...(publicUrl === undefined ? {} : { publicUrl }),
  mount: async (parts) => {
    const mailbox = await createMailbox({
      ...parts,
      smtpHost: listenHost,
      smtpPort: readPort('SIMULATORS_SMTP_PORT', '1025'),
    });
    smtpPort = mailbox.smtpPort;
    return [
      await createSslcommerzSimulator({ ...parts, stores }),
      await createBkashSimulator({ ...parts, merchants: bkashMerchants }),
      await createNagadSimulator({ ...parts, merchants: nagadMerchants }),
      await createStripeSimulator({ ...parts, accounts: stripeAccounts }),
      mailbox,
    ];
  },
});
log('simulators ready', {
  url: host.url,
  publicUrl: host.publicUrl,
  stores: stores.map((store) => store.id),
  bkashMerchants: bkashMerchants.map(({ username }) => username),
  nagadMerchants: nagadMerchants.map((merchant) => merchant.id),
  stripeAccounts: stripeAccounts.map(({ id }) => id),
  smtp: `smtp://${listenHost.includes(':') ? `[${listenHost}]` : listenHost}:${smtpPort}`,
});

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
// If the launcher that holds the IPC channel dies, no other process stops this one.
process.on('disconnect', () => void stop());

function readPort(name: string, usual: string): number {
  const text = environment[name] || usual;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) {
    throw new Error(`${name} is not a port: ${text}`);
  }
  return port;
}

function log(msg: string, details: Record<string, unknown>): void {
  console.log(JSON.stringify({ level: 'info', time: new Date().toISOString(), msg, ...details }));
}
