import { createServer, type RequestListener, type Server } from 'node:http';
import { hostname } from 'node:os';
import { openDatabase } from '../database/connection.ts';
import { requireDurability } from '../database/durability.ts';
import { GatewayExecutions } from '../core/gateways/store/executions.ts';
import { GatewayTokens } from '../core/gateways/store/tokens.ts';
import { manualBook } from '../core/manual-payments/store/submissions.ts';
import { requireOwnLogins } from '../database/own-logins.ts';
import { announceProcess } from '../database/presence.ts';
import { BUSINESS_TIME_ZONE, calendarIn } from '../domain/calendar.ts';
import { parseAllowList } from '../domain/outbound-url.ts';
import { observeGateways } from '../gateways/observed.ts';
import { BKASH_CAPABILITIES } from '../gateways/bkash/gateway.ts';
import { createGatewayRegistry } from '../gateways/registry.ts';
import { readConfig } from '../runtime/config.ts';
import { failPlainly } from '../runtime/fail-plainly.ts';
import { createHttpClient } from '../runtime/http-client.ts';
import { createLogger } from '../runtime/logger.ts';
import { createSecretBox } from '../runtime/secrets.ts';
import { onShutdown } from '../runtime/shutdown.ts';
import { startTelemetry } from '../runtime/telemetry/start.ts';
import { observeHttpClient } from '../runtime/telemetry/observe-http.ts';
import { observeRequests } from '../runtime/telemetry/observe-requests.ts';
import { linkTemporal } from '../temporal/client.ts';
import { createDispatch } from '../temporal/dispatch.ts';
import { observedInterceptors } from '../temporal/observed.ts';
import { closePress } from '../web/documents/render.ts';
import { closeServer } from './http/close-server.ts';
import { createApiListener, createWebListener } from './listeners.ts';

failPlainly();
const config = readConfig(process.env, { databaseRoles: ['lenden_app', 'lenden_operator'] });
const log = createLogger({ service: 'lenden-api', level: config.logLevel });
process.on('unhandledRejection', (error) =>
  log.error({ alert: 'unhandled-rejection', error: String(error) }, 'unhandled rejection'),
);

const telemetry = await startTelemetry({ service: 'lenden-api', environment: process.env, log });
const database = await openDatabase({
  url: config.databaseUrls,
  poolSize: 20,
  onRetry: (sqlState) => log.warn({ sqlState }, 'transaction retried'),
});
await requireOwnLogins({ database, roles: ['lenden_app', 'lenden_operator'], log });
await requireDurability({ database, environment: config.environment, log });
const presence = await announceProcess({
  database,
  name: `api ${process.pid}@${hostname()}`,
  log,
  onRestore() {
    log.fatal({ alert: 'restore-while-running' }, 'npm run restore is running on this database; stopping this process');
    process.exit(1);
  },
});
const temporal = linkTemporal(config.temporal, { workflow: observedInterceptors(telemetry) });
const http = createHttpClient({ guard: 'none', allow: parseAllowList('') });
const allow = config.outboundAllow;
const publicHttp = createHttpClient({ guard: 'public-only', allow });
const secrets = createSecretBox(config.masterKey);
const bkashTokens = new GatewayTokens({ transaction: (work) => database.withOperator('every-app', work), secrets });
const bkashExecutions = new GatewayExecutions(database, BKASH_CAPABILITIES.name);
const gatewayHttp = observeHttpClient(http, telemetry, 'gateway exchange');
const deps = {
  database,
  gateways: observeGateways(
    createGatewayRegistry({
      config,
      http: gatewayHttp,
      secrets,
      bkashTokens,
      bkashExecutions,
      readManual: manualBook(database),
    }),
    telemetry,
  ),
  dispatch: createDispatch(temporal.client),
  log,
  allow,
  publicHttp,
  calendar: calendarIn(BUSINESS_TIME_ZONE),
  apiUrl: config.apiUrl,
  webUrl: config.webUrl,
  trustedProxies: config.trustedProxies,
  secrets,
  sessionLimits: config.sessionLimits,
  sendsEmail: config.mail !== null,
  temporal: temporal.client,
  temporalUi:
    config.temporal.uiUrl === null ? null : { url: config.temporal.uiUrl, namespace: config.temporal.namespace },
  observe: observeRequests(telemetry),
};

const api = await listen(createApiListener(deps).callback(), config.apiPort);
const web = await listen(createWebListener(deps).callback(), config.webPort);
// Scripts wait for this line, so it is logged at every log level.
log
  .child({}, { level: 'info' })
  .info({ api: config.apiUrl, web: config.webUrl, environment: config.environment }, 'api ready');

onShutdown(log, [
  () => Promise.all([closeServer(api), closeServer(web)]),
  () => temporal.close(),
  () => Promise.all([http.close(), publicHttp.close()]),
  async () => closePress(),
  () => presence.end(),
  () => database.close(),
  () => telemetry.shutdown(),
]);

function listen(listener: RequestListener, port: number): Promise<Server> {
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 65_000 }, listener);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, config.host, () => resolve(server));
  });
}
