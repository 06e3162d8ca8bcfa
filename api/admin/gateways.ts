import { z } from 'zod';
import { readApplication } from '../../core/applications/store/administration.ts';
import {
  removeStore,
  removeStoresOf,
  setStore,
  type ChosenStore as ChosenInCore,
} from '../../core/gateways/change-stores.ts';
import { gatewaysInModes, storesOf, type GatewayInMode, type KnownStores } from '../../core/gateways/known-stores.ts';
import { notFound } from '../../domain/errors.ts';
import { IdParams } from '../http/fields.ts';
import { pendingChangeView } from './change-schemas.ts';
import type { AdminDependencies } from './dependencies.ts';
import {
  ApplicationGateway,
  ChosenStore,
  GatewayOverride,
  GatewaySlotParams,
  GatewayStore,
  OverrideParams,
  StoreCredentials,
} from './gateway-schemas.ts';
import { adminRoute, type AdminRoute } from './route.ts';

const TAG = 'Gateways';
const WAITS =
  'Once an affected application has a threshold, the change stays in pendingChanges until another operator confirms it.';

/** Returns the routes for gateway stores: one store for all applications, and overrides for single ones. No response contains a password. */
export function gatewayRoutes(deps: AdminDependencies): AdminRoute[] {
  return [list(deps), choose(deps), retire(deps), listOfApplication(deps), override(deps), clearOverride(deps)];
}

function list(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/gateways',
    operationId: 'listGateways',
    tag: TAG,
    summary: 'List gateways and the default stores of each mode',
    permission: 'app:read',
    everyApp: true,
    response: { status: 200, schema: z.array(GatewayStore) },
    errors: [],
    handler: async ({ caller }) => {
      const known = await deps.database.withOperator(caller.view, (em) => storesOf(em, deps, null));
      return { status: 200, data: gatewaysInModes(deps).map((slot) => storeView(deps, slot, known)) };
    },
  });
}

function choose(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'PUT',
    path: '/admin/gateways/{gateway}/{mode}',
    operationId: 'putGatewayStore',
    tag: TAG,
    summary: 'Set the default store of a gateway; payments in progress keep theirs',
    description: WAITS,
    permission: 'app:manage',
    everyApp: true,
    sensitive: true,
    params: GatewaySlotParams,
    body: StoreCredentials,
    response: { status: 200, schema: ChosenStore },
    errors: ['INVALID_OPERATION_STATE'],
    handler: async ({ caller, params, body }) => ({
      status: 200,
      data: chosenView(deps, params, await setStore(deps, caller, { applicationId: null, ...params, ...body })),
    }),
  });
}

function retire(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'DELETE',
    path: '/admin/gateways/{gateway}/{mode}',
    operationId: 'deleteGatewayStore',
    tag: TAG,
    summary: 'Remove the default store of a gateway; the one from the environment replaces it',
    description: WAITS,
    permission: 'app:manage',
    everyApp: true,
    sensitive: true,
    params: GatewaySlotParams,
    response: { status: 200, schema: GatewayStore },
    errors: ['RESOURCE_NOT_FOUND', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params }) => {
      const known = await removeStore(deps, caller, params);
      if (known === null) {
        throw notFound('store');
      }
      return { status: 200, data: storeView(deps, params, known) };
    },
  });
}

function listOfApplication(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/apps/{id}/gateways',
    operationId: 'listApplicationGateways',
    tag: TAG,
    summary: 'List the gateways of an application in each mode',
    permission: 'app:read',
    params: IdParams,
    response: { status: 200, schema: z.array(ApplicationGateway) },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params }) => ({
      status: 200,
      data: await deps.database.withOperator(caller.view, async (em) => {
        const { gatewaysAllowed: allowed } = await readApplication(em, params.id);
        const known = await storesOf(em, deps, params.id);
        return gatewaysInModes(deps).map((slot) => ({
          ...storeView(deps, slot, known),
          allowed: allowed === null || allowed.includes(slot.gateway),
        }));
      }),
    }),
  });
}

function override(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'PUT',
    path: '/admin/apps/{id}/gateway-override',
    operationId: 'putGatewayOverride',
    tag: TAG,
    summary: 'Set an application’s own store at a gateway; payments in progress keep theirs',
    description: WAITS,
    permission: 'app:manage',
    sensitive: true,
    params: IdParams,
    body: GatewayOverride,
    response: { status: 200, schema: ChosenStore },
    errors: ['RESOURCE_NOT_FOUND', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params, body }) => {
      await deps.database.withOperator(caller.view, (em) => readApplication(em, params.id));
      const chosen = await setStore(deps, caller, { applicationId: params.id, ...body });
      return { status: 200, data: chosenView(deps, body, chosen) };
    },
  });
}

function clearOverride(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'DELETE',
    path: '/admin/apps/{id}/gateway-override/{mode}',
    operationId: 'deleteGatewayOverride',
    tag: TAG,
    summary: 'Remove an application’s own stores in one mode',
    description: WAITS,
    permission: 'app:manage',
    sensitive: true,
    params: OverrideParams,
    response: { status: 200, schema: z.array(GatewayStore) },
    errors: ['RESOURCE_NOT_FOUND', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params: { id, mode } }) => {
      const known = await removeStoresOf(deps, caller, { applicationId: id, mode });
      if (known === null) {
        throw notFound('override');
      }
      return { status: 200, data: deps.gateways.names.map((gateway) => storeView(deps, { gateway, mode }, known)) };
    },
  });
}

function chosenView(
  deps: AdminDependencies,
  slot: GatewayInMode,
  { checked, known }: ChosenInCore,
): z.infer<typeof ChosenStore> {
  return { ...storeView(deps, slot, known), checked };
}

function storeView(
  { gateways }: AdminDependencies,
  { gateway, mode }: GatewayInMode,
  { stores, changes }: KnownStores,
): z.infer<typeof GatewayStore> {
  const capabilities = gateways.capabilities(gateway);
  const shown = {
    gateway,
    displayName: capabilities?.displayName ?? gateway,
    mode,
    currencies: [...(capabilities?.limits.keys() ?? [])],
    pendingChanges: changes
      .filter((change) => change.mode === mode && change.after['gateway'] === gateway)
      .map(pendingChangeView),
  };
  const ofSlot = stores.filter((store) => store.gateway === gateway && store.mode === mode);
  const chosen = ofSlot.find(({ applicationId }) => applicationId !== null) ?? ofSlot[0];
  if (chosen !== undefined) {
    const source = chosen.applicationId === null ? 'INSTALLATION' : 'APPLICATION';
    return { ...shown, storeId: chosen.storeId, source, since: chosen.updatedAt.toISOString() };
  }
  const storeId = gateways.defaultStoreId(gateway, mode) ?? null;
  return { ...shown, storeId, source: storeId === null ? null : 'ENVIRONMENT', since: null };
}
