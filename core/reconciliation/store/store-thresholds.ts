import { sql } from 'kysely';
import { z } from 'zod';
import type { Statements } from '../../../database/statements.ts';
import { statement, type Given } from '../../../database/typed-statements.ts';
import type { ApprovalThresholds } from '../../../domain/refund.ts';
import type { AtGateway } from './movements.ts';

const Others = z.record(z.string(), z.int().min(0).transform(BigInt));

interface Stored {
  readonly bdtMinor: bigint | null;
  readonly others: unknown;
}

/** Reads thresholds as they are stored. */
export function thresholdsFrom({ bdtMinor, others }: Stored): ApprovalThresholds {
  return { bdtMinor, othersMinor: Others.parse(others) };
}

/** A store as a line or a case names it. */
export interface UsedStore extends AtGateway {
  readonly storeId: string;
  /** The store is the installation's, so that every application uses it. Without this, its configuration tells. */
  readonly isShared: boolean;
}

const OF_STORE = statement((db, $: Given<UsedStore>) =>
  db
    .selectFrom(
      sql<{
        threshold: bigint | null;
        thresholds: unknown;
      }>`lenden_store_thresholds(${$('mode')}, ${$('gateway')}, ${$('storeId')}, ${$('isShared')})`.as('store'),
    )
    .select(['store.threshold as bdtMinor', 'store.thresholds as others']),
);

/** Returns the approval thresholds of the applications that use a store. */
export async function thresholdsOfStore(statements: Statements, store: UsedStore): Promise<ApprovalThresholds[]> {
  return (await OF_STORE.all(statements, store)).map(thresholdsFrom);
}
