import { DomainError } from '../../domain/errors.ts';
import type { PayoutMapping } from '../../domain/payouts/mapping.ts';
import { SHIPPED_MAPPINGS } from '../../domain/payouts/shipped-mappings.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { ActingOperator } from '../operators/acting-operator.ts';
import { recordAudit } from '../operators/store/audit.ts';
import { saveMapping, type MappingOwner, type MappingVersion } from './store/mappings.ts';

type Caller = Pick<ActingOperator, 'view' | 'actor' | 'operator'>;

interface NewMapping extends MappingOwner {
  readonly mapping: PayoutMapping;
}

/**
 * Saves the next version of the mapping of a gateway or of one store at it. Files that were read with an older one keep it.
 *
 * @throws DomainError VALIDATION_ERROR for a gateway that Lenden does not know
 */
export function saveNewMapping(
  { database, gateways }: Pick<CoreDependencies, 'database' | 'gateways'>,
  { view, actor, operator }: Caller,
  { gateway, storeId, mapping }: NewMapping,
): Promise<MappingVersion> {
  if (!gateways.names.includes(gateway)) {
    throw new DomainError('VALIDATION_ERROR', 'the request is not valid', { fields: { gateway: 'is not a gateway' } });
  }
  return database.withOperator(view, async (em) => {
    const saved = await saveMapping(em, {
      gateway,
      storeId,
      mapping: JSON.stringify(mapping),
      operatorId: operator.id,
    });
    await recordAudit(em, {
      actor,
      action: 'payout-mapping.saved',
      target: { type: 'payout-mapping', id: saved.id },
      after: { gateway, storeId, version: saved.version },
    });
    return saved;
  });
}

export type ShippedName = keyof typeof SHIPPED_MAPPINGS;
export const SHIPPED_NAMES = Object.keys(SHIPPED_MAPPINGS) as ShippedName[];
