import { NativeConnection, Runtime, makeTelemetryFilterString, DefaultLogger } from '@temporalio/worker';
import { setTimeout as sleep } from 'node:timers/promises';
import { openGateways } from '../core/gateways/open-gateways.ts';
import { createEndpointGate } from '../core/webhooks/endpoint-gate.ts';
import { FirstAttempts } from '../core/webhooks/first-attempts.ts';
import { openProcessDatabase } from '../database/process-database.ts';
import { BUSINESS_TIME_ZONE, calendarIn } from '../domain/calendar.ts';
import { createHttpClient } from '../runtime/http-client.ts';
import { describeError } from '../runtime/logger.ts';
import { createMailer } from '../runtime/mailer.ts';
import { sayReady, startProcess } from '../runtime/process.ts';
import { createSecretBox } from '../runtime/secrets.ts';
import { onShutdown } from '../runtime/shutdown.ts';
import { connectionOptionsOf, type TemporalServer } from '../runtime/temporal-server.ts';
import { observeHttpClient } from '../runtime/telemetry/observe-http.ts';
import { linkTemporal } from '../temporal/client.ts';
import { ensureReconciliationSchedules } from '../temporal/reconciliation.ts';
import { createDispatch } from '../temporal/dispatch.ts';
import { observedInterceptors } from '../temporal/observed.ts';
import { readGauges } from './gauges.ts';
import { keepLoops } from './loops.ts';
import { observeWorker } from './observed.ts';
import { createWorkers } from './workers.ts';
import { workflowBundle } from './workflow-bundle.ts';

/** Several applications may share a host. The activity enforces the limit of five per endpoint. */
const WEBHOOK_SOCKETS_PER_ORIGIN = 64;

const ROLES = ['lenden_app', 'lenden_system'] as const;

const { config, log, telemetry } = await startProcess('lenden-worker', ROLES);
const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;
Runtime.install({
  logger: new DefaultLogger('WARN', ({ level, message }) => log[levels[level]]({ source: 'temporal' }, message)),
  telemetryOptions: {
    logging: { filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }), forward: {} },
    ...telemetry.temporalMetrics,
  },
  shutdownSignals: [],
});

const allow = config.outboundAllow;
if (allow.entries.length > 0) {
  log.warn({ allow: allow.entries }, 'webhooks may be sent to these non-public hosts');
}
const { database, presence } = await openProcessDatabase({ config, roles: ROLES, log, name: 'worker' });
const secrets = createSecretBox(config.masterKey);
const temporal = linkTemporal(config.temporal, { workflow: observedInterceptors(telemetry) });
const gatewayHttp = observeHttpClient(createHttpClient({ guard: 'none', allow }), telemetry, 'gateway exchange');
const webhookHttp = observeHttpClient(
  createHttpClient({ guard: 'public-only', allow, socketsPerOrigin: WEBHOOK_SOCKETS_PER_ORIGIN }),
  telemetry,
  'webhook attempt',
);
telemetry.readGauges(() => readGauges(database));
const mailer = config.mail === null ? null : createMailer(config.mail);
const dispatch = createDispatch(temporal.client);
const gate = createEndpointGate();
const firstAttempts = new FirstAttempts({
  database,
  dispatch,
  gate,
  log,
  allow,
  secrets,
  http: webhookHttp,
  onResult: (kind) => telemetry.count('lenden.webhook.attempts', { 'lenden.outcome': kind }),
});
const gateways = openGateways({
  config,
  http: gatewayHttp,
  database,
  tokenTransaction: database.withSystem,
  secrets,
  telemetry,
});
const connection = await connect(config.temporal);
const workers = await createWorkers(
  {
    database,
    gateways,
    dispatch,
    deliveries: firstAttempts,
    gate,
    log,
    apiUrl: config.apiUrl,
    webUrl: config.webUrl,
    calendar: calendarIn(BUSINESS_TIME_ZONE),
    mailer,
    secrets,
    webhookHttp,
    allow,
    temporal: temporal.client,
    retention: config.retention,
  },
  {
    connection,
    namespace: config.temporal.namespace,
    workflowBundle: await workflowBundle(config.workflowBundle),
    cachedWorkflowsMax: config.cachedWorkflowsMax,
    ...observeWorker(telemetry),
  },
);
const running = Promise.all(workers.map((worker) => worker.run()));
running.catch((error: unknown) => {
  log.fatal({ error: describeError(error) }, 'a worker stopped');
  process.exit(1);
});
const loops = await keepLoops({ client: temporal.client, log });
await ensureReconciliationSchedules(temporal.client, gateways.names).catch((error: unknown) =>
  log.warn({ error: describeError(error) }, 'the schedules of reconciliation were not made; a later start makes them'),
);
sayReady(log, { queues: workers.map(({ options }) => options.taskQueue) }, 'worker ready');

onShutdown(log, [
  // Together, since the grace of a stopping process is short. What workers still finalize is handed to workflows.
  async () => {
    for (const worker of workers) {
      worker.shutdown();
    }
    await Promise.all([running, firstAttempts.close(), loops.end()]);
  },
  () => connection.close(),
  () => temporal.close(),
  async () => mailer?.close(),
  () => Promise.all([gatewayHttp.close(), webhookHttp.close()]),
  () => telemetry.shutdown(),
  () => presence.end(),
  () => database.close(),
]);

/** Waits for a Temporal server that is still starting, because the worker can do nothing without it. */
async function connect(temporal: TemporalServer): Promise<NativeConnection> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await NativeConnection.connect(connectionOptionsOf(temporal));
    } catch (error) {
      if (tries === 0) {
        log.warn({ error: describeError(error) }, 'Temporal cannot be reached yet');
      }
      await sleep(Math.min(5_000, 250 * 2 ** tries));
    }
  }
}
