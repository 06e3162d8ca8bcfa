import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import { BARE_QUEUE, STATUS, WAITS_FOR } from './bare/names.ts';
import type { BareInput } from './bare/activities.ts';

const keyword = (name: string) => defineSearchAttributeKey(name, 'KEYWORD');

/** Returns start options with as many search attributes and as long a summary as those of a payment. */
export function startOptions(input: BareInput, workflowId: string) {
  const { applicationId, mode, reference } = input;
  return {
    workflowId,
    taskQueue: BARE_QUEUE,
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
    args: [input],
    staticSummary: '100.00 BDT for Bench shop through sslcommerz (TEST)',
    typedSearchAttributes: new TypedSearchAttributes([
      { key: keyword('LendenApp'), value: applicationId },
      { key: keyword('LendenMode'), value: mode },
      { key: keyword('LendenReference'), value: reference },
      { key: keyword('LendenGateway'), value: 'sslcommerz' },
      { key: defineSearchAttributeKey('LendenAmountMinor', 'INT'), value: 10_000 },
      { key: STATUS, value: 'PENDING' },
      { key: WAITS_FOR, value: 'payer' },
    ]),
  };
}
