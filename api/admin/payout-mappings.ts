import { z } from 'zod';
import { SHIPPED_NAMES, saveNewMapping } from '../../core/payouts/save-mapping.ts';
import { listMappings, type MappingVersion as Version } from '../../core/payouts/store/mappings.ts';
import { toJsonInteger } from '../../domain/money.ts';
import { SHIPPED_MAPPINGS } from '../../domain/payouts/shipped-mappings.ts';
import { paginationOf, sliceOf } from '../http/paging.ts';
import type { AdminDependencies } from './dependencies.ts';
import { MappingsQuery, MappingVersion, SaveMapping, ShippedMapping } from './payout-schemas.ts';
import { adminRoute, type AdminRoute } from './route.ts';

const TAG = 'Payouts';

/** Returns the routes for mappings: how the columns of a gateway's payout files become lines. */
export function payoutMappingRoutes(deps: AdminDependencies): AdminRoute[] {
  return [list(deps), shipped(), save(deps)];
}

function list(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/payout-mappings',
    operationId: 'listPayoutMappings',
    tag: TAG,
    summary: 'List the saved mappings, newest first',
    description: 'The newest version of a store is the current one. A store without its own uses that of its gateway.',
    permission: 'report:read',
    everyApp: true,
    query: MappingsQuery,
    response: { status: 200, schema: z.array(MappingVersion), list: true },
    errors: [],
    handler: async ({ caller, query }) => {
      const slice = sliceOf(query, 'id');
      const { gateway, storeId } = query;
      const page = await deps.database.withOperator(caller.view, (em) =>
        listMappings(em, { filter: { gateway, storeId }, slice }),
      );
      return { status: 200, data: page.rows.map(versionView), pagination: paginationOf(slice, page) };
    },
  });
}

function shipped(): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/payout-mappings/shipped',
    operationId: 'listShippedPayoutMappings',
    tag: TAG,
    summary: 'List the mappings that Lenden ships, to start from',
    permission: 'report:read',
    everyApp: true,
    response: { status: 200, schema: z.array(ShippedMapping) },
    errors: [],
    handler: () =>
      Promise.resolve({
        status: 200,
        data: SHIPPED_NAMES.map((name) => ({ name, mapping: { ...SHIPPED_MAPPINGS[name] } })),
      }),
  });
}

function save(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/payout-mappings',
    operationId: 'savePayoutMapping',
    tag: TAG,
    summary: 'Save a new version of a mapping',
    description: 'Files that were read with an older version keep it.',
    permission: 'reconciliation:manage',
    everyApp: true,
    body: SaveMapping,
    response: { status: 201, schema: MappingVersion },
    errors: [],
    handler: async ({ caller, body }) => ({ status: 201, data: versionView(await saveNewMapping(deps, caller, body)) }),
  });
}

function versionView({ id, gateway, storeId, version, mapping, createdAt }: Version): z.infer<typeof MappingVersion> {
  return {
    id: toJsonInteger(id),
    gateway,
    storeId,
    version,
    mapping: JSON.parse(mapping) as z.infer<typeof MappingVersion>['mapping'],
    createdAt: createdAt.toISOString(),
  };
}
