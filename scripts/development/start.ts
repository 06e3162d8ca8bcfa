import '../shared/lifeline.ts';
import { parseArgs } from 'node:util';
import { findRunningStack, type DevFile } from './dev-file.ts';
import { startStack, type Stack } from './stack.ts';
import { StackIsRunningError } from './stack-record.ts';

const USAGE = `npm start -- [--directory DIR] [--free-ports]

Runs all of Lenden on this machine: Postgres, Temporal with its UI, gateway simulators, worker, api and pages.
  --directory DIR   where data, secrets and logs are kept (default .lenden)
  --free-ports      take any free ports instead of the documented ones
Set DATABASE_URL and TEMPORAL_ADDRESS in the environment to use your own servers.`;

/** A second signal within this time counts as the same Ctrl-C, which the terminal sent directly and npm passed on. */
const SAME_SIGNAL_MS = 1_000;
const started = Date.now();
const say = (line: string): void => console.log(line);

process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      directory: { type: 'string', default: '.lenden' },
      'free-ports': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    say(USAGE);
    return 0;
  }
  const stopRequest = listenForStop();
  try {
    const stack = await startStack({
      directory: values.directory,
      ports: values['free-ports'] ? 'free' : 'default',
      environment: process.env,
      say,
      signal: stopRequest,
    });
    say(screen(stack.dev, values.directory));
    return await untilOver(stack, stopRequest);
  } catch (error) {
    if (stopRequest.aborted) {
      say('Stopped before the start was complete.');
      return 130;
    }
    if (error instanceof StackIsRunningError) {
      return await tellWhere(values.directory, error);
    }
    console.error(`Lenden did not start. ${error instanceof Error ? error.message : String(error)}`);
    console.error(`The logs are in ${values.directory}/logs.`);
    return 1;
  }
}

/** Aborts at the first request to stop. A later request exits at once, and the lifelines then stop the children. */
function listenForStop(): AbortSignal {
  const stop = new AbortController();
  let firstAt = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!stop.signal.aborted) {
        firstAt = Date.now();
        say('\nStopping …');
        stop.abort();
      } else if (Date.now() - firstAt > SAME_SIGNAL_MS) {
        process.exit(130);
      }
    });
  }
  return stop.signal;
}

async function untilOver(stack: Stack, stopRequest: AbortSignal): Promise<number> {
  const asked = new Promise<undefined>((settle) => stopRequest.addEventListener('abort', () => settle(undefined)));
  const trouble = stopRequest.aborted ? undefined : await Promise.race([asked, stack.gaveUp]);
  if (trouble !== undefined) {
    console.error(`${trouble} Stopping everything.`);
  }
  await stack.stop();
  say('Stopped. All data is kept; npm start continues from here.');
  return trouble === undefined ? 0 : 1;
}

async function tellWhere(directory: string, running: StackIsRunningError): Promise<number> {
  const dev = await findRunningStack(directory);
  if (dev === undefined) {
    console.error(`${running.message} It is still starting or stopping; try again in a moment.`);
    return 1;
  }
  say(`${running.message}\n${screen(dev, directory)}`);
  return 0;
}

function screen(dev: DevFile, directory: string): string {
  const { native, ownpay, shadhinpay } = dev.apps;
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  return `
Lenden is running (${seconds} s).

  API            ${dev.api}          docs: ${new URL('/docs', dev.api).href}
  Pages          ${dev.web}
  Dashboard      ${dev.admin}          log in as ${dev.operators[0]?.email}, password ${dev.operators[0]?.password}
  Temporal UI    ${dev.temporal.ui}
  Simulators     ${dev.simulators}          replace the gateways, in TEST and in LIVE
  Mailbox        ${dev.mailbox}  shows the emails that are sent
  Postgres       ${dev.databaseUrl}

Demo app (id ${native.id})
  TEST  key ${native.test.apiKey}  secret ${native.test.apiSecret}
  LIVE  key ${native.live.apiKey}  secret ${native.live.apiSecret}
  Webhooks are signed with ${native.testSigningSecret} in TEST
                      and with ${native.signingSecret} in LIVE

Demo app of OwnPay's contract (id ${ownpay.id})
  TEST  key ${ownpay.apiKey}
  Webhooks are signed with ${ownpay.webhookSecret} in TEST

Demo app of ShadhinPay's contract (id ${shadhinpay.id})
  Client-Id ${shadhinpay.clientId}  Business-Id ${shadhinpay.businessId}
  TEST  key ${shadhinpay.testKey}
  LIVE  key ${shadhinpay.liveKey}
  Webhooks are signed with ${shadhinpay.webhookSecret} in TEST
                      and with ${shadhinpay.liveWebhookSecret} in LIVE

Take a payment: paste this, then open the checkoutUrl in the response. Or: npm run demo

  curl -X POST ${dev.api}/payments \\
    -H "X-Api-Key: ${native.test.apiKey}" -H "X-Api-Secret: ${native.test.apiSecret}" \\
    -H "Content-Type: application/json" -H "Idempotency-Key: try-$(date +%s)" \\
    -d '{ "amountMinor": 10000, "currency": "BDT", "customerReference": "cust_123",
          "customerEmail": "jane@example.com", "productName": "Pro plan" }'

${directory}/dev.json lists all of the above and the operators of every role with their passwords. Ctrl-C stops everything; the data is kept.
`;
}
