import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { EntityManager } from '../../database/connection.ts';
import {
  chooseStore,
  listStores,
  lockSlot,
  readSlot,
  retireStore,
  type StoreRow,
  type StoreSlot,
} from '../../core/gateways/store/stores.ts';
import { readApplication } from '../../core/applications/store/administration.ts';
import { recordAudit, type AuditFacts } from '../../core/operators/store/audit.ts';
import { waitingChanges, type ChangeTarget, type PendingChange } from '../../core/operators/store/pending-changes.ts';
import { isStoreGuarded } from '../../core/operators/store/second-person.ts';
import type { Statements } from '../../database/statements.ts';
import { DomainError, notFound } from '../../domain/errors.ts';
import { MODES, type Mode } from '../../domain/mode.ts';
import { attemptReference } from '../../domain/references.ts';
import { GatewayFailure, type Store } from '../../gateways/port.ts';
import { keyedStoreSecret, pendingSecretPlace, storeSecretPlace } from '../../runtime/sealed-places.ts';
import { IdParams } from '../http/fields.ts';
import type { OperatorCaller } from './caller.ts';
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
import { outdated, propose } from './propose.ts';
import { adminRoute, type AdminRoute } from './route.ts';
import { shownSlot, shownStore, successorOf } from './shown-stores.ts';

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
      return { status: 200, data: slotsOf(deps).map((slot) => storeView(deps, slot, known)) };
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
    summary: 'Remove the default store of a gateway; the one from the environment replaces it',
    description: WAITS,
    permission: 'app:manage',
    everyApp: true,
    sensitive: true,
    params: GatewaySlotParams,
    response: { status: 200, schema: GatewayStore },
    errors: ['RESOURCE_NOT_FOUND', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params }) => {
      const slot = { applicationId: null, ...params };
      return {
        status: 200,
        data: await deps.database.withOperator(caller.view, async (em) => {
          if (!(await clear(em, deps, { caller, slot }))) {
            throw notFound('store');
          }
          return storeView(deps, params, await storesOf(em, deps, null));
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
    summary: 'List the gateways of an application in each mode',
    permission: 'app:read',
    params: IdParams,
    response: { status: 200, schema: z.array(ApplicationGateway) },
    errors: ['RESOURCE_NOT_FOUND'],
    handler: async ({ caller, params }) => ({
      status: 200,
      data: await deps.database.withOperator(caller.view, async (em) => {
        const { gateways_allowed: allowed } = await readApplication(em, params.id);
        const known = await storesOf(em, deps, params.id);
        return slotsOf(deps).map((slot) => ({
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
    summary: 'Remove an application’s own stores in one mode',
    description: WAITS,
    permission: 'app:manage',
    sensitive: true,
    params: OverrideParams,
    response: { status: 200, schema: z.array(GatewayStore) },
    errors: ['RESOURCE_NOT_FOUND', 'INVALID_OPERATION_STATE'],
    handler: async ({ caller, params: { id, mode } }) => ({
      status: 200,
      data: await deps.database.withOperator(caller.view, async (em) => {
        await readApplication(em, id);
        let cleared = false;
        for (const gateway of deps.gateways.names) {
          cleared = (await clear(em, deps, { caller, slot: { applicationId: id, mode, gateway } })) || cleared;
        }
        if (!cleared) {
          throw notFound('override');
        }
        const known = await storesOf(em, deps, id);
        return deps.gateways.names.map((gateway) => storeView(deps, { gateway, mode }, known));
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

/** Checks a store with the gateway before the transaction, then stores or proposes it. Only a rejection by the gateway stops it. */
async function take(
  deps: AdminDependencies,
  caller: OperatorCaller,
  { storeId, storePassword, ...slot }: GivenStore,
): Promise<z.infer<typeof ChosenStore>> {
  const checked = await acceptedByGateway(deps, { ...slot, storeId, storePassword });
  return deps.database.withOperator(caller.view, async (em) => {
    await lockSlot(em, slot);
    if (await isStoreGuarded(em, slot)) {
      const secret = deps.secrets.seal(storePassword, pendingSecretPlace({ ...slot, storeId }));
      const after = shownStore(deps, slot, triedStore(deps, { storeId, storePassword }));
      const { facts: before, fingerprint } = await shownSlot(em, deps, slot);
      await proposeStore(em, { caller, slot, kind: 'gateway-store', before, after, fingerprint, secret });
    } else {
      await openAt(em, deps, { caller, slot, storeId, password: storePassword });
    }
    return { ...storeView(deps, slot, await storesOf(em, deps, slot.applicationId)), checked };
  });
}

interface ChosenFor {
  readonly caller: OperatorCaller;
  readonly slot: StoreSlot;
  readonly storeId: string;
  readonly password: string;
  /** Set when another operator proposed the change. */
  readonly proposedBy?: bigint;
}

async function openAt(
  em: EntityManager,
  deps: AdminDependencies,
  { caller, slot, storeId, password, proposedBy }: ChosenFor,
): Promise<void> {
  const former = await shownSlot(em, deps, slot);
  await chooseStore(em, deps.secrets, { ...slot, storeId, password });
  const before = former.storeId === null ? {} : { before: former.facts };
  const shown = shownStore(deps, slot, triedStore(deps, { storeId, storePassword: password }));
  const after = { ...shown, ...(proposedBy === undefined ? {} : { proposedBy }) };
  await audit(em, { caller, slot, action: 'gateway-store.chosen', ...before, after });
}

interface ProposedStore {
  readonly caller: OperatorCaller;
  readonly slot: StoreSlot;
  readonly kind: 'gateway-store' | 'gateway-store-retirement';
  readonly before: AuditFacts;
  readonly after: AuditFacts;
  readonly fingerprint: string;
  readonly secret?: string;
}

/** Proposes the change to a second operator. The caller has locked the slot. */
async function proposeStore(em: EntityManager, { caller, slot, ...change }: ProposedStore): Promise<void> {
  const { applicationId, mode } = slot;
  await propose(em, caller, { applicationId, mode, target: changeTargetOf(slot), ...change });
}

function changeTargetOf({ applicationId, gateway, mode }: StoreSlot): ChangeTarget {
  return applicationId === null
    ? { type: 'gateway', id: `${gateway} ${mode}` }
    : { type: 'application', id: applicationId.toString() };
}

const StoreFacts = z.object({ gateway: z.string(), mode: z.enum(MODES), storeId: z.string().nullable() });

/**
 * Applies a change of a store that a second operator has confirmed, in that operator's transaction.
 * @throws DomainError INVALID_OPERATION_STATE when the slot, or the store that would take its place, changed since the proposal
 */
export async function confirmStore(
  em: EntityManager,
  deps: AdminDependencies,
  { caller, change, secret }: { caller: OperatorCaller; change: PendingChange; secret: string | null },
): Promise<void> {
  const { gateway, mode, storeId } = StoreFacts.parse(change.after);
  const slot = { applicationId: change.applicationId, gateway, mode };
  const { proposedBy } = change;
  await lockSlot(em, slot);
  const { fingerprint } = await readSlot(em, slot);
  if (storeId === null) {
    const successor = await successorOf(em, deps, slot);
    if (clearingFingerprint(fingerprint, successor) !== change.fingerprint) {
      throw outdated();
    }
    await retireAt(em, deps, { caller, slot, proposedBy });
    return;
  }
  if (fingerprint !== change.fingerprint) {
    throw outdated();
  }
  if (secret === null) {
    throw new Error('a store that awaits a second operator has no secret');
  }
  await openAt(em, deps, {
    caller,
    slot,
    storeId,
    password: deps.secrets.open(secret, pendingSecretPlace({ ...slot, storeId })),
    proposedBy,
  });
}

/**
 * Queries the gateway about an order that does not exist, so that a wrong password is found now and not by the next payer. Returns false when the
 * gateway's answer does not show whether the credentials are right.
 * @throws DomainError VALIDATION_ERROR when the gateway rejects the credentials
 */
async function acceptedByGateway(
  deps: AdminDependencies,
  { gateway: name, mode, storeId, storePassword }: GivenStore,
): Promise<boolean> {
  try {
    const gateway = deps.gateways.open(name, mode, triedStore(deps, { storeId, storePassword }));
    // Where queries need no credentials, an answer says nothing about the credentials.
    if (gateway === undefined || !gateway.capabilities.questionsProveStore) {
      return false;
    }
    const nobodys = { attemptReference: attemptReference(), sessionKey: null, claimedValidationId: null };
    await gateway.queryAttempt({ ...nobodys, knownValidationIds: [] });
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

/** Removes the slot's own store, or proposes to once a threshold is set. Returns false when the slot has no store of its own. */
async function clear(em: EntityManager, deps: AdminDependencies, cleared: ClearedSlot): Promise<boolean> {
  const { caller, slot } = cleared;
  await lockSlot(em, slot);
  const present = await shownSlot(em, deps, slot);
  if (present.storeId === null) {
    return false;
  }
  if (await isStoreGuarded(em, slot)) {
    const successor = await successorOf(em, deps, slot);
    await proposeStore(em, {
      caller,
      slot,
      kind: 'gateway-store-retirement',
      before: present.facts,
      after: { gateway: slot.gateway, mode: slot.mode, storeId: null, replacedBy: successor.replacedBy },
      fingerprint: clearingFingerprint(present.fingerprint, successor),
    });
    return true;
  }
  await retireAt(em, deps, cleared);
  return true;
}

/** Covers the store that is removed and the one that takes its place: the confirmation becomes invalid if either is replaced in the meantime. */
function clearingFingerprint(own: string, successor: { readonly fingerprint: string }): string {
  return `${own}, then ${successor.fingerprint}`;
}

interface ClearedSlot {
  readonly caller: OperatorCaller;
  readonly slot: StoreSlot;
  /** Set when another operator proposed the change. */
  readonly proposedBy?: bigint;
}

async function retireAt(
  em: EntityManager,
  deps: AdminDependencies,
  { caller, slot, proposedBy }: ClearedSlot,
): Promise<void> {
  const { facts: before } = await shownSlot(em, deps, slot);
  const { replacedBy } = await successorOf(em, deps, slot);
  await retireStore(em, slot);
  const after = { replacedBy, ...(proposedBy === undefined ? {} : { proposedBy }) };
  await audit(em, { caller, slot, action: 'gateway-store.retired', before, after });
}

/** Returns a store with the given credentials for immediate use. It is not saved, so it is sealed under a random key. */
function triedStore(
  { secrets }: AdminDependencies,
  { storeId, storePassword }: Pick<GivenStore, 'storeId' | 'storePassword'>,
): Store {
  const key = randomUUID();
  return { storeId, sealedSecret: keyedStoreSecret(key, secrets.seal(storePassword, storeSecretPlace(key))) };
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

interface KnownStores {
  readonly stores: readonly StoreRow[];
  readonly changes: readonly PendingChange[];
}

/** Reads the stores of an application, or of the installation when null, with the changes that wait for a second operator. */
async function storesOf(
  em: EntityManager,
  deps: AdminDependencies,
  applicationId: bigint | null,
): Promise<KnownStores> {
  const targets = slotsOf(deps).map((slot) => changeTargetOf({ applicationId, ...slot }));
  const [first] = targets;
  const ids = [...new Set(targets.map(({ id }) => id))];
  return {
    stores: await listStores(em, applicationId),
    changes: first === undefined ? [] : await waitingChanges(em, first.type, ids),
  };
}

function storeView(
  { gateways }: AdminDependencies,
  { gateway, mode }: Slot,
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
  const chosen = ofSlot.find(({ application_id: id }) => id !== null) ?? ofSlot[0];
  if (chosen !== undefined) {
    const source = chosen.application_id === null ? 'INSTALLATION' : 'APPLICATION';
    return { ...shown, storeId: chosen.store_id, source, since: new Date(chosen.updated_at).toISOString() };
  }
  const storeId = gateways.defaultStoreId(gateway, mode) ?? null;
  return { ...shown, storeId, source: storeId === null ? null : 'ENVIRONMENT', since: null };
}
