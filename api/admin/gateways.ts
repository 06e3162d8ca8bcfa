import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { chooseStore, listStores, retireStore, type StoreRow, type StoreSlot } from '../../database/gateway-stores.ts';
import { readApplication } from '../../database/operators/applications.ts';
import { recordAudit, type AuditFacts } from '../../database/operators/audit.ts';
import type { Statements } from '../../database/statements.ts';
import { DomainError, notFound } from '../../domain/errors.ts';
import { MODES, type Mode } from '../../domain/mode.ts';
import { attemptReference } from '../../domain/references.ts';
import { GatewayFailure } from '../../gateways/port.ts';
import { keyedStoreSecret, storeSecretPlace } from '../../runtime/sealed-places.ts';
import { IdParams } from '../http/fields.ts';
import type { OperatorCaller } from './caller.ts';
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

/** Stores at gateways: one for every application, and overrides of single applications. Passwords go in and never come back. */
export function gatewayRoutes(deps: AdminDependencies): AdminRoute[] {
  return [list(deps), choose(deps), retire(deps), listOfApplication(deps), override(deps), clearOverride(deps)];
}

function list(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/gateways',
    operationId: 'listGateways',
    tag: TAG,
    summary: 'List the gateways in each mode with the store of applications that have none of their own',
    permission: 'app:read',
    everyApp: true,
    response: { status: 200, schema: z.array(GatewayStore) },
    errors: [],
    handler: async ({ caller }) => {
      const stores = await deps.database.withOperator(caller.view, (em) => listStores(em, null));
      return { status: 200, data: slotsOf(deps).map((slot) => storeView(deps, slot, stores)) };
    },
  });
}

function choose(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'PUT',
    path: '/admin/gateways/{gateway}/{mode}',
    operationId: 'putGatewayStore',
    tag: TAG,
    summary:
      'Open new checkouts of applications without an override at this store; payments under way stay where they are',
    permission: 'app:manage',
    everyApp: true,
    sensitive: true,
    params: GatewaySlotParams,
    body: StoreCredentials,
    response: { status: 200, schema: ChosenStore },
    errors: [],
    handler: async ({ caller, params, body }) => ({
      status: 200,
      data: await take(deps, caller, { applicationId: null, ...params, ...body }),
    }),
  });
}

function retire(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'DELETE',
    path: '/admin/gateways/{gateway}/{mode}',
    operationId: 'deleteGatewayStore',
    tag: TAG,
    summary:
      'Open no new checkout at the store that an operator gave; the one of the settings of the process takes its place',
    permission: 'app:manage',
    everyApp: true,
    sensitive: true,
    params: GatewaySlotParams,
    response: { status: 200, schema: GatewayStore },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params }) => {
      const slot = { applicationId: null, ...params };
      return {
        status: 200,
        data: await deps.database.withOperator(caller.view, async (em) => {
          if (!(await clear(em, caller, slot))) {
            throw notFound('store');
          }
          return storeView(deps, params, await listStores(em, null));
        }),
      };
    },
  });
}

function listOfApplication(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/apps/{id}/gateways',
    operationId: 'listApplicationGateways',
    tag: TAG,
    summary: 'List the gateways in each mode as they stand for one application',
    permission: 'app:read',
    params: IdParams,
    response: { status: 200, schema: z.array(ApplicationGateway) },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params }) => ({
      status: 200,
      data: await deps.database.withOperator(caller.view, async (em) => {
        const { gateways_allowed: allowed } = await readApplication(em, params.id);
        const stores = await listStores(em, params.id);
        return slotsOf(deps).map((slot) => ({
          ...storeView(deps, slot, stores),
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
    summary: 'Open new checkouts of one application at a store of its own; payments under way stay where they are',
    permission: 'app:manage',
    sensitive: true,
    params: IdParams,
    body: GatewayOverride,
    response: { status: 200, schema: ChosenStore },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params, body }) => {
      await deps.database.withOperator(caller.view, (em) => readApplication(em, params.id));
      return { status: 200, data: await take(deps, caller, { applicationId: params.id, ...body }) };
    },
  });
}

function clearOverride(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'DELETE',
    path: '/admin/apps/{id}/gateway-override/{mode}',
    operationId: 'deleteGatewayOverride',
    tag: TAG,
    summary: 'Clear the overrides of one application in one mode',
    permission: 'app:manage',
    sensitive: true,
    params: OverrideParams,
    response: { status: 200, schema: z.array(GatewayStore) },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params: { id, mode } }) => ({
      status: 200,
      data: await deps.database.withOperator(caller.view, async (em) => {
        await readApplication(em, id);
        let cleared = false;
        for (const gateway of deps.gateways.names) {
          cleared = (await clear(em, caller, { applicationId: id, mode, gateway })) || cleared;
        }
        if (!cleared) {
          throw notFound('override');
        }
        const stores = await listStores(em, id);
        return deps.gateways.names.map((gateway) => storeView(deps, { gateway, mode }, stores));
      }),
    }),
  });
}

interface Slot {
  readonly gateway: string;
  readonly mode: Mode;
}

function slotsOf({ gateways }: AdminDependencies): Slot[] {
  return gateways.names.flatMap((gateway) => MODES.map((mode) => ({ gateway, mode })));
}

interface GivenStore extends StoreSlot {
  readonly storeId: string;
  readonly storePassword: string;
}

/** The gateway is asked before the transaction, and the store is kept unless it says no. */
async function take(
  deps: AdminDependencies,
  caller: OperatorCaller,
  { storeId, storePassword, ...slot }: GivenStore,
): Promise<z.infer<typeof ChosenStore>> {
  const checked = await acceptedByGateway(deps, { ...slot, storeId, storePassword });
  return deps.database.withOperator(caller.view, async (em) => {
    const former = await chooseStore(em, deps.secrets, { ...slot, storeId, password: storePassword });
    const before = former === null ? {} : { before: factsOf(slot, former) };
    await audit(em, { caller, slot, action: 'gateway-store.chosen', ...before, after: factsOf(slot, storeId) });
    return { ...storeView(deps, slot, await listStores(em, slot.applicationId)), checked };
  });
}

/**
 * A wrong password would be noticed by the next payer, so the gateway is asked about an order that does not exist.
 * @throws DomainError VALIDATION_ERROR when it does not take the credentials
 */
async function acceptedByGateway(
  { gateways, secrets }: AdminDependencies,
  { gateway: name, mode, storeId, storePassword }: GivenStore,
): Promise<boolean> {
  try {
    // Kept nowhere, so its place is nobody's.
    const key = randomUUID();
    const sealedSecret = keyedStoreSecret(key, secrets.seal(storePassword, storeSecretPlace(key)));
    const gateway = gateways.open(name, mode, { storeId, sealedSecret });
    // A question without credentials would be answered whatever they are.
    if (gateway === undefined || !gateway.capabilities.questionsProveStore) {
      return false;
    }
    const nobodys = { attemptReference: attemptReference(), sessionKey: null, claimedValidationId: null };
    await gateway.askAttempt({ ...nobodys, knownValidationIds: [] });
    return true;
  } catch (error) {
    if (!(error instanceof GatewayFailure)) {
      throw error;
    }
    if (error.kind === 'unauthorized') {
      const fields = { storePassword: 'is not accepted by the gateway for this store' };
      throw new DomainError('VALIDATION_ERROR', 'the request is not valid', { fields });
    }
    return false;
  }
}

async function clear(em: Statements, caller: OperatorCaller, slot: StoreSlot): Promise<boolean> {
  const former = await retireStore(em, slot);
  if (former === null) {
    return false;
  }
  await audit(em, { caller, slot, action: 'gateway-store.retired', before: factsOf(slot, former) });
  return true;
}

function factsOf({ gateway, mode }: StoreSlot, storeId: string): AuditFacts {
  return { gateway, mode, storeId };
}

interface Audited {
  readonly caller: OperatorCaller;
  readonly slot: StoreSlot;
  readonly action: string;
  readonly before?: AuditFacts;
  readonly after?: AuditFacts;
}

function audit(em: Statements, { caller, slot, action, ...facts }: Audited): Promise<void> {
  const { applicationId: id, gateway, mode } = slot;
  const whose =
    id === null
      ? { target: { type: 'gateway', id: `${gateway} ${mode}` } }
      : { target: { type: 'application', id }, application: { id } };
  return recordAudit(em, { actor: caller.actor, action, ...whose, ...facts });
}

function storeView(
  { gateways }: AdminDependencies,
  { gateway, mode }: Slot,
  stores: readonly StoreRow[],
): z.infer<typeof GatewayStore> {
  const capabilities = gateways.capabilities(gateway);
  const shown = {
    gateway,
    displayName: capabilities?.displayName ?? gateway,
    mode,
    currencies: [...(capabilities?.limits.keys() ?? [])],
  };
  const ofSlot = stores.filter((store) => store.gateway === gateway && store.mode === mode);
  const chosen = ofSlot.find(({ application_id: id }) => id !== null) ?? ofSlot[0];
  if (chosen !== undefined) {
    const source = chosen.application_id === null ? 'INSTALLATION' : 'APPLICATION';
    return { ...shown, storeId: chosen.store_id, source, since: new Date(chosen.updated_at).toISOString() };
  }
  const storeId = gateways.defaultStoreId(gateway, mode) ?? null;
  return { ...shown, storeId, source: storeId === null ? null : 'ENVIRONMENT', since: null };
}
