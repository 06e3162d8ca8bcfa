import type { Client } from '@temporalio/client';
import { z } from 'zod';
import { historyOf, resultsOf, valueOf } from './history-results.ts';
import type { KnownWorkflow } from './known-workflows.ts';

/** What a person needs to find a lost payment in a gateway's panel. */
export interface LostDetails {
  /** The gateway's references for it (`tran_id`, `merchantInvoiceNumber`, `order_id`, `client_reference_id`), newest last. */
  readonly gatewayReferences: readonly string[];
  /** Decimal amount with its currency, such as `100.00 BDT`. Null if the workflow's history is gone. */
  readonly amount: string | null;
}

const Opened = z.object({ kind: z.literal('open'), attemptReference: z.string() });
/** Matches the start of the text that `summaryOf` in temporal/dispatch.ts writes. */
const SUMMARY = /^(?:Refund of )?(\d+(?:\.\d+)? [A-Z]{3}) for /;

/** Reads the details from the workflow's history, because its rows are lost. */
export async function detailsOf(client: Client, workflow: KnownWorkflow): Promise<LostDetails> {
  const { workflowId, runId, kind, reference } = workflow;
  const own = kind === 'payment' ? [] : [reference];
  const events = await historyOf(client, { workflowId, runId });
  const summary = z.string().safeParse(valueOf(events[0]?.userMetadata?.summary)).data;
  const opened = resultsOf(events).flatMap((value) => {
    const result = Opened.safeParse(value);
    return result.success ? [result.data.attemptReference] : [];
  });
  return {
    gatewayReferences: [...new Set([...own, ...opened])],
    amount: SUMMARY.exec(summary ?? '')?.[1] ?? null,
  };
}
