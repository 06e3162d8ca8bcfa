import type { EntityManager } from '../../database/connection.ts';
import { lockSlot, readSlot, type StoreSlot } from '../../database/gateway-stores.ts';
import type { AuditFacts } from '../../database/operators/audit.ts';
import { GatewayFailure, type Gateway, type Store } from '../../gateways/port.ts';
import type { AdminDependencies } from './dependencies.ts';

type Registry = Pick<AdminDependencies, 'gateways'>;

/** A slot with what people are shown of its store. */
export interface ShownSlot {
  readonly storeId: string | null;
  readonly facts: AuditFacts;
  readonly fingerprint: string;
}

/** What opens new checkouts in the slot, with the account that payers are shown there: under one store id it can be another one. */
export async function shownSlot(em: EntityManager, { gateways }: Registry, slot: StoreSlot): Promise<ShownSlot> {
  const { storeId, shownAccount, fingerprint } = await readSlot(em, slot);
  const { gateway, mode } = slot;
  const shown =
    storeId === null || shownAccount === null
      ? {}
      : instructionsFrom(() => gateways.open(gateway, mode, { storeId, sealedSecret: shownAccount }));
  return { storeId, facts: { gateway, mode, storeId, ...shown }, fingerprint };
}

/** A store that takes a slot: with its account where payers are shown one, otherwise only that there are credentials anew. */
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
  /** Null: no checkout is opened there any more. */
  readonly replacedBy: AuditFacts | null;
  readonly fingerprint: string;
}

/**
 * What opens checkouts once the slot's own store is cleared. Locks the installation's slot, so that nobody swaps its store before the
 * transaction ends.
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

/** Nothing where payers read no account of ours, or where its text cannot be opened. */
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
