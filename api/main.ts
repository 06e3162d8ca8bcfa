import { createServer, type RequestListener, type Server } from 'node:http';
import { openGateways } from '../core/gateways/open-gateways.ts';
import { createUpdateFeed } from '../core/updates/feed.ts';
import { deliveriesByWorkflow } from '../core/webhooks/deliveries.ts';
import { openProcessDatabase } from '../database/process-database.ts';
import { BUSINESS_TIME_ZONE, calendarIn } from '../domain/calendar.ts';
import { parseAllowList } from '../domain/outbound-url.ts';
import { createHttpClient } from '../runtime/http-client.ts';
import { sayReady, startProcess } from '../runtime/process.ts';
import { createSecretBox } from '../runtime/secrets.ts';
import { onShutdown } from '../runtime/shutdown.ts';
import { observeHttpClient } from '../runtime/telemetry/observe-http.ts';
import { observeRequests } from '../runtime/telemetry/observe-requests.ts';
import { linkTemporal } from '../temporal/client.ts';
import { createDispatch } from '../temporal/dispatch.ts';
import { observedInterceptors } from '../temporal/observed.ts';
import { closePress } from '../web/documents/render.ts';
import { closeServer } from './http/close-server.ts';
import { createApiListener, createWebListener } from './listeners.ts';

const ROLES = ['lenden_app', 'lenden_operator'] as const;

const { config, log, telemetry } = await startProcess('lenden-api', ROLES);
const { database, presence } = await openProcessDatabase({ config, roles: ROLES, log, name: 'api' });
const temporal = linkTemporal(config.temporal, { workflow: observedInterceptors(telemetry) });
const http = createHttpClient({ guard: 'none', allow: parseAllowList('') });
const allow = config.outboundAllow;
const publicHttp = createHttpClient({ guard: 'public-only', allow });
const secrets = createSecretBox(config.masterKey);
const gateways = openGateways({
  config,
  http: observeHttpClient(http, telemetry, 'gateway exchange'),
  database,
  tokenTransaction: (work) => database.withOperator('every-app', work),
  secrets,
  telemetry,
});
const dispatch = createDispatch(temporal.client);
const updates = createUpdateFeed({ database, log });
const deps = {
  database,
  gateways,
  dispatch,
  updates,
  deliveries: deliveriesByWorkflow(dispatch),
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
sayReady(log, { api: config.apiUrl, web: config.webUrl, environment: config.environment }, 'api ready');

onShutdown(log, [
  () => {
    updates.close();
    return Promise.all([closeServer(api), closeServer(web)]);
  },
  () => temporal.close(),
  () => Promise.all([http.close(), publicHttp.close()]),
  async () => closePress(),
  () => presence.end(),
  () => database.close(),
  () => telemetry.shutdown(),
]);

function listen(listener: RequestListener, port: number): Promise<Server> {
  // The limit is for uploads. Other bodies have to come within half a minute (api/http/body.ts).
  const server = createServer(
    { requestTimeout: 30 * 60_000, headersTimeout: 10_000, keepAliveTimeout: 65_000 },
    listener,
  );
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, config.host, () => resolve(server));
  });
}
