import { changeSettings, findSettings } from '../../core/operators/settings.ts';
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
    handler: async ({ caller }) => ({ status: 200, data: await findSettings(deps, caller) }),
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
      await changeSettings(deps, caller, body);
      return { status: 200, data: body };
    },
  });
}
