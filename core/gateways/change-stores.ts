import { z } from 'zod';
import type { EntityManager } from '../../database/connection.ts';
import type { Statements } from '../../database/statements.ts';
import { MODES, type Mode } from '../../domain/mode.ts';
import { pendingSecretPlace } from '../../runtime/sealed-places.ts';
import { readApplication } from '../applications/store/administration.ts';
import type { ActingOperator } from '../operators/acting-operator.ts';
import { outdated, propose } from '../operators/propose.ts';
import { recordAudit, type AuditFacts } from '../operators/store/audit.ts';
import type { PendingChange } from '../operators/store/pending-changes.ts';
import { isStoreGuarded } from '../operators/store/second-person.ts';
import { acceptedByGateway, triedStore, type GivenStore, type StoreDependencies } from './check-store.ts';
import { changeTargetOf, storesOf, type KnownStores } from './known-stores.ts';
import { shownSlot, shownStore, successorOf } from './shown-stores.ts';
import { chooseStore, lockSlot, readSlot, retireStore, type StoreSlot } from './store/stores.ts';

export interface ChosenStore {
  /** Whether the gateway's answer shows that the credentials are right. */
  readonly checked: boolean;
  readonly known: KnownStores;
}

/**
 * Sets the store of a slot, or proposes it once a threshold is set. Asks the gateway about it before the transaction; only a rejection stops it.
 * @throws DomainError VALIDATION_ERROR when the gateway rejects the credentials
 */
export async function setStore(
  deps: StoreDependencies,
  caller: ActingOperator,
  { storeId, storePassword, ...slot }: GivenStore,
): Promise<ChosenStore> {
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
    return { checked, known: await storesOf(em, deps, slot.applicationId) };
  });
}

/** Removes the store of the installation, or proposes to. Returns null if there is none. */
export function removeStore(
  deps: StoreDependencies,
  caller: ActingOperator,
  of: Omit<StoreSlot, 'applicationId'>,
): Promise<KnownStores | null> {
  return deps.database.withOperator(caller.view, async (em) =>
    (await clear(em, deps, { caller, slot: { applicationId: null, ...of } })) ? storesOf(em, deps, null) : null,
  );
}

/** Removes an application's own stores in one mode, or proposes to. Returns null if it has none. Throws RESOURCE_NOT_FOUND. */
export function removeStoresOf(
  deps: StoreDependencies,
  caller: ActingOperator,
  { applicationId, mode }: { readonly applicationId: bigint; readonly mode: Mode },
): Promise<KnownStores | null> {
  return deps.database.withOperator(caller.view, async (em) => {
    await readApplication(em, applicationId);
    let cleared = false;
    for (const gateway of deps.gateways.names) {
      cleared = (await clear(em, deps, { caller, slot: { applicationId, mode, gateway } })) || cleared;
    }
    return cleared ? storesOf(em, deps, applicationId) : null;
  });
}

interface ChosenFor {
  readonly caller: ActingOperator;
  readonly slot: StoreSlot;
  readonly storeId: string;
  readonly password: string;
  /** Set when another operator proposed the change. */
  readonly proposedBy?: bigint;
}

async function openAt(
  em: EntityManager,
  deps: StoreDependencies,
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
  readonly caller: ActingOperator;
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

const StoreFacts = z.object({ gateway: z.string(), mode: z.enum(MODES), storeId: z.string().nullable() });

/**
 * Applies a change of a store that a second operator has confirmed, in that operator's transaction.
 * @throws DomainError INVALID_OPERATION_STATE when the slot, or the store that would take its place, changed since the proposal
 */
export async function confirmStore(
  em: EntityManager,
  deps: StoreDependencies,
  { caller, change, secret }: { caller: ActingOperator; change: PendingChange; secret: string | null },
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

/** Removes the slot's own store, or proposes to once a threshold is set. Returns false when the slot has no store of its own. */
async function clear(em: EntityManager, deps: StoreDependencies, cleared: ClearedSlot): Promise<boolean> {
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
  readonly caller: ActingOperator;
  readonly slot: StoreSlot;
  /** Set when another operator proposed the change. */
  readonly proposedBy?: bigint;
}

async function retireAt(
  em: EntityManager,
  deps: StoreDependencies,
  { caller, slot, proposedBy }: ClearedSlot,
): Promise<void> {
  const { facts: before } = await shownSlot(em, deps, slot);
  const { replacedBy } = await successorOf(em, deps, slot);
  await retireStore(em, slot);
  const after = { replacedBy, ...(proposedBy === undefined ? {} : { proposedBy }) };
  await audit(em, { caller, slot, action: 'gateway-store.retired', before, after });
}

interface Audited {
  readonly caller: ActingOperator;
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
