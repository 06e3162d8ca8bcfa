import type { AdminDependencies } from '../../../api/admin/dependencies.ts';
import type { AdminRoute } from '../../../api/admin/route.ts';
import { adminRoutes } from '../../../api/admin/routes.ts';
import { parseAllowList } from '../../../domain/outbound-url.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { registryOf } from '../../support/gateways.ts';

/** The tests need only the table of routes. No handler runs. */
const refuse = (): never => {
  throw new Error('nothing of the routes themselves runs in this test');
};

export const operatorRoutes: readonly AdminRoute[] = adminRoutes({
  database: { withOperator: refuse } as unknown as AdminDependencies['database'],
  dispatch: {} as AdminDependencies['dispatch'],
  updates: { follow: refuse, close: refuse },
  gateways: registryOf(),
  secrets: { keyId: '', seal: refuse, open: refuse, fits: refuse, reseal: refuse },
  sessionLimits: { idleMs: 0, absoluteMs: 0 },
  temporalUi: null,
  sendsEmail: false,
  calendar: { timeZone: 'UTC', today: refuse, startOf: refuse, morningOf: refuse },
  allow: parseAllowList(''),
  log: createLogger({ service: 'test', level: 'silent' }),
  apiUrl: 'http://localhost:8080',
  webUrl: 'http://localhost:3000',
});
