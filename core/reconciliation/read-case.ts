import { notFound } from '../../domain/errors.ts';
import type { CoreDependencies } from '../dependencies.ts';
import type { ActingOperator } from '../operators/acting-operator.ts';
import { proposalsOfLine, type ShownProposal } from './proposals.ts';
import { type CaseRow, readCase, readEntries, type ShownEntry } from './store/case-list.ts';
import { readShownResult, type ShownResult } from './store/near-movements.ts';

/** A case with all that a person needs to close it. */
export interface WholeCase {
  readonly found: CaseRow;
  readonly result: ShownResult | null;
  readonly entries: readonly ShownEntry[];
  readonly proposals: readonly ShownProposal[];
}

/** @throws DomainError RESOURCE_NOT_FOUND */
export async function readWholeCase(
  { database, calendar, gateways }: Pick<CoreDependencies, 'database' | 'calendar' | 'gateways'>,
  { view }: ActingOperator,
  reference: string,
): Promise<WholeCase> {
  return database.withOperator(view, async (em) => {
    const found = await readCase(em, reference);
    if (found === null) {
      throw notFound('case');
    }
    const { mode, gateway } = found;
    const result = found.resultId === null ? null : await readShownResult(em, found.resultId);
    const feeAtSettlement = gateways.capabilities(gateway)?.feeKnown === 'at-settlement';
    const proposals =
      result === null || result.lineId === null || found.state === 'RESOLVED'
        ? []
        : await proposalsOfLine(
            em,
            { calendar, feeAtSettlement },
            { mode, gateway, lineId: result.lineId, period: result.period },
          );
    return { found, result, entries: await readEntries(em, found.id), proposals };
  });
}
