import { recordAudit } from '../../core/operators/store/audit.ts';
import { readSettings, writeSettings } from '../../core/operators/store/settings.ts';
import type { AdminDependencies } from './dependencies.ts';
import { adminRoute, type AdminRoute } from './route.ts';
import { Settings } from './schemas.ts';

const TAG = 'Settings';

/** Returns the routes for the settings of the whole installation. */
export function settingsRoutes(deps: AdminDependencies): AdminRoute[] {
  return [read(deps), write(deps)];
}

function read(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/settings',
    operationId: 'getSettings',
    tag: TAG,
    summary: "Retrieve the installation's settings",
    permission: 'user:read',
    everyApp: true,
    response: { status: 200, schema: Settings },
    errors: [],
    handler: async ({ caller }) => ({ status: 200, data: await deps.database.withOperator(caller.view, readSettings) }),
  });
}

function write(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'PUT',
    path: '/admin/settings',
    operationId: 'putSettings',
    tag: TAG,
    summary: "Update the installation's settings",
    permission: 'user:manage',
    everyApp: true,
    sensitive: true,
    body: Settings,
    response: { status: 200, schema: Settings },
    errors: [],
    handler: async ({ caller, body }) => {
      await deps.database.withOperator(caller.view, async (em) => {
        const before = await readSettings(em);
        await writeSettings(em, body);
        await recordAudit(em, {
          actor: caller.actor,
          action: 'settings.changed',
          target: { type: 'settings', id: 'installation' },
          before: { ...before },
          after: body,
        });
      });
      return { status: 200, data: body };
    },
  });
}
