import type { EntityManager } from '../../database/connection.ts';
import { MODES, type Mode } from '../../domain/mode.ts';
import type { ChangeTarget } from '../../domain/pending-change.ts';
import type { CoreDependencies } from '../dependencies.ts';
import { waitingChanges, type PendingChange } from '../operators/store/pending-changes.ts';
import { listStores, type StoreRow, type StoreSlot } from './store/stores.ts';

/** A gateway in one mode. */
export interface GatewayInMode {
  readonly gateway: string;
  readonly mode: Mode;
}

export function gatewaysInModes({ gateways }: Pick<CoreDependencies, 'gateways'>): GatewayInMode[] {
  return gateways.names.flatMap((gateway) => MODES.map((mode) => ({ gateway, mode })));
}

export interface KnownStores {
  readonly stores: readonly StoreRow[];
  readonly changes: readonly PendingChange[];
}

/** Reads the stores of an application, or of the installation when null, with the changes that wait for a second operator. */
export async function storesOf(
  em: EntityManager,
  deps: Pick<CoreDependencies, 'gateways'>,
  applicationId: bigint | null,
): Promise<KnownStores> {
  const targets = gatewaysInModes(deps).map((slot) => changeTargetOf({ applicationId, ...slot }));
  const [first] = targets;
  const ids = [...new Set(targets.map(({ id }) => id))];
  return {
    stores: await listStores(em, applicationId),
    changes: first === undefined ? [] : await waitingChanges(em, first.type, ids),
  };
}

/** Returns what a change of the slot's store is about. */
export function changeTargetOf({ applicationId, gateway, mode }: StoreSlot): ChangeTarget {
  return applicationId === null
    ? { type: 'gateway', id: `${gateway} ${mode}` }
    : { type: 'application', id: applicationId.toString() };
}
