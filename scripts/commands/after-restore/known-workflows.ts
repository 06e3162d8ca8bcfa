import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { z } from 'zod';
import type { NamedKind } from '../../../core/maintenance/store/after-restore.ts';
import { MODES, type Mode } from '../../../domain/mode.ts';
import {
  INVOICE_NUMBER_MEMO,
  PAYOUT_FILE_MEMO,
  SEARCH_ATTRIBUTES,
  WORKFLOW_TYPES,
} from '../../../workflows/messages/names.ts';

/** What is known of a file without its row. Its name is not: it may hold personal data. */
export interface LostFile {
  /** Null for a bank statement. */
  readonly storeId: string | null;
  /** Of its bytes, hexadecimal. */
  readonly sha256: string;
}

/** The newest run of one workflow, as Temporal knows it. */
export interface KnownWorkflow {
  readonly workflowId: string;
  readonly runId: string;
  readonly kind: NamedKind;
  /** The reference by which the database row is found: the attempt's for an unapplied payment, the event's id for a delivery. */
  readonly reference: string;
  readonly running: boolean;
  /** `RUNNING`, `COMPLETED`, `FAILED` and so on. */
  readonly execution: string;
  readonly applicationId: bigint | null;
  readonly mode: Mode | null;
  /** The status as the API names it, as of the workflow's last step. */
  readonly status: string | null;
  readonly waitsFor: string | null;
  readonly gateway: string | null;
  readonly amountMinor: bigint | null;
  readonly invoiceNumber: bigint | null;
  /** Of the import of a payout file or bank statement. */
  readonly file: LostFile | null;
  readonly startedAt: Date;
}

const TYPES = [
  WORKFLOW_TYPES.payment,
  WORKFLOW_TYPES.unappliedPayment,
  WORKFLOW_TYPES.refund,
  WORKFLOW_TYPES.invoice,
  WORKFLOW_TYPES.webhook,
  WORKFLOW_TYPES.payoutImport,
];
const KINDS = new Set<string>([
  'payment',
  'unapplied',
  'refund',
  'invoice',
  'webhook',
  'payout-import',
] satisfies NamedKind[]);
const PAGE = 1_000;

/**
 * Returns the newest run of each workflow that is running or was closed since the given time. Call it with all workers stopped: the result may lack
 * workflows that end meanwhile.
 */
export async function knownWorkflows(client: Client, since: Date): Promise<KnownWorkflow[]> {
  const types = TYPES.map((type) => `'${type}'`).join(', ');
  const query = `WorkflowType in (${types}) and (ExecutionStatus = 'Running' or CloseTime >= '${since.toISOString()}')`;
  const newest = new Map<string, KnownWorkflow>();
  for await (const info of client.workflow.list({ query, pageSize: PAGE })) {
    const known = knownOf(info);
    const before = known === null ? undefined : newest.get(known.workflowId);
    if (known !== null && (before === undefined || before.startedAt <= known.startedAt)) {
      newest.set(known.workflowId, { ...known, invoiceNumber: known.invoiceNumber ?? before?.invoiceNumber ?? null });
    }
  }
  return [...newest.values()];
}

const Memo = z.object({ [INVOICE_NUMBER_MEMO]: z.string().regex(/\d{1,18}$/) });
const FileMemo = z.object({
  [PAYOUT_FILE_MEMO]: z.object({ storeId: z.string().nullable(), sha256: z.string() }),
});
const KnownMode = z.enum(MODES);

function knownOf(info: WorkflowExecutionInfo): KnownWorkflow | null {
  const { workflowId, runId, status, typedSearchAttributes: attributes, memo, startTime } = info;
  const split = workflowId.indexOf(':');
  const kind = workflowId.slice(0, split);
  if (!isKind(kind)) {
    return null;
  }
  const application = attributes.get(SEARCH_ATTRIBUTES.app);
  const amountMinor = attributes.get(SEARCH_ATTRIBUTES.amountMinor);
  const told = Memo.safeParse(memo).data?.[INVOICE_NUMBER_MEMO];
  return {
    workflowId,
    runId,
    kind,
    reference: workflowId.slice(split + 1),
    running: status.name === 'RUNNING',
    execution: status.name,
    applicationId: application !== undefined && /^\d{1,18}$/.test(application) ? BigInt(application) : null,
    mode: KnownMode.safeParse(attributes.get(SEARCH_ATTRIBUTES.mode)).data ?? null,
    status: attributes.get(SEARCH_ATTRIBUTES.status) ?? null,
    waitsFor: attributes.get(SEARCH_ATTRIBUTES.waitsFor) ?? null,
    gateway: attributes.get(SEARCH_ATTRIBUTES.gateway) ?? null,
    amountMinor: amountMinor === undefined ? null : BigInt(amountMinor),
    invoiceNumber: told === undefined ? null : BigInt(/\d+$/.exec(told)?.[0] ?? 0),
    file: FileMemo.safeParse(memo).data?.[PAYOUT_FILE_MEMO] ?? null,
    startedAt: startTime,
  };
}

function isKind(text: string): text is NamedKind {
  return KINDS.has(text);
}
