import type { EntityManager } from '../../database/connection.ts';
import { lockSlot, readSlot, type StoreSlot } from './store/stores.ts';
import type { AuditFacts } from '../operators/store/audit.ts';
import { GatewayFailure, type Gateway, type Store } from '../../gateways/port.ts';
import type { CoreDependencies } from '../dependencies.ts';

type Registry = Pick<CoreDependencies, 'gateways'>;

/** A slot with the facts about its store that operators may see. */
export interface ShownSlot {
  readonly storeId: string | null;
  readonly facts: AuditFacts;
  readonly fingerprint: string;
}

/** Returns the store that opens new checkouts in the slot. Includes the account shown to payers, because it can change under the same store id. */
export async function shownSlot(em: EntityManager, { gateways }: Registry, slot: StoreSlot): Promise<ShownSlot> {
  const { storeId, shownAccount, fingerprint } = await readSlot(em, slot);
  const { gateway, mode } = slot;
  const shown =
    storeId === null || shownAccount === null
      ? {}
      : instructionsFrom(() => gateways.open(gateway, mode, { storeId, sealedSecret: shownAccount }));
  return { storeId, facts: { gateway, mode, storeId, ...shown }, fingerprint };
}

/** Returns what operators see of a store that takes a slot: its account if payers are shown one, otherwise only that credentials were replaced. */
export function shownStore({ gateways }: Registry, { gateway, mode }: StoreSlot, store: Store): AuditFacts {
  const shown = instructionsFrom(() => gateways.open(gateway, mode, store));
  return {
    gateway,
    mode,
    storeId: store.storeId,
    ...('instructions' in shown ? shown : { credentialsReplaced: true }),
  };
}

interface Successor {
  /** Null if no checkout can be opened there any more. */
  readonly replacedBy: AuditFacts | null;
  readonly fingerprint: string;
}

/**
 * Returns the store that opens checkouts once the slot's own store is removed. Locks the installation's slot, so that its store cannot be replaced
 * before the transaction ends.
 */
export async function successorOf(em: EntityManager, deps: Registry, slot: StoreSlot): Promise<Successor> {
  const { applicationId, gateway, mode } = slot;
  if (applicationId !== null) {
    const ofAll = { ...slot, applicationId: null };
    await lockSlot(em, ofAll);
    const { storeId, facts, fingerprint } = await shownSlot(em, deps, ofAll);
    if (storeId !== null) {
      const { gateway: _gateway, mode: _mode, ...shown } = facts;
      return { replacedBy: { source: 'INSTALLATION', ...shown }, fingerprint };
    }
  }
  const storeId = deps.gateways.defaultStoreId(gateway, mode) ?? null;
  return {
    replacedBy: storeId === null ? null : { source: 'ENVIRONMENT', storeId },
    fingerprint: `environment ${storeId ?? 'none'}`,
  };
}

/** Returns no facts if payers are shown no account, or if its text cannot be opened. */
function instructionsFrom(open: () => Gateway | undefined): AuditFacts {
  try {
    const instructions = open()?.instructions;
    return instructions === undefined
      ? {}
      : { instructions: { label: { ...instructions.label }, text: { ...instructions.text } } };
  } catch (error) {
    if (!(error instanceof GatewayFailure)) {
      throw error;
    }
    return {};
  }
}
