import { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import type { Witness } from '../../core/ledger/verify/verify-chain.ts';
import { connectionOptionsOf, type TemporalServer } from '../../runtime/temporal-server.ts';
import { WORKFLOW_TYPES } from '../../workflows/messages/names.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const NEWEST_MAX = 25;
const HOURS_SAMPLED = 24;
const DAYS_SAMPLED = 90;
const ALL_MAX = 1_000_000;
const READS_AT_ONCE = 8;
const HOUR_MS = 3_600_000;

const SealingResult = z.object({
  sealId: z.string().regex(/^\d{1,19}$/),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
});

export interface WitnessQuestion extends TemporalServer {
  /**
   * False reads a sample: the newest results, one per hour for a day, and one per day for as long as workflows are kept. If someone rewrote the chain
   * from a recent seal on, the newest results reveal it only for some minutes. `true` reads every result and reveals it for as long as workflows are
   * kept.
   */
  readonly all: boolean;
}

/** Returns the results of sealing workflows. Throws if Temporal cannot be reached. */
export async function sealingWitnesses({ namespace, all, ...server }: WitnessQuestion): Promise<Witness[]> {
  const connection = await Connection.connect({ ...connectionOptionsOf(server), connectTimeout: CONNECT_TIMEOUT_MS });
  try {
    const client = new Client({ connection, namespace });
    const executions = all ? await listed(client, { max: ALL_MAX }) : await sampled(client);
    return await results(client, executions);
  } finally {
    await connection.close();
  }
}

interface Execution {
  readonly workflowId: string;
  readonly runId: string;
  readonly closeTime: Date | undefined;
}

async function listed(
  client: Client,
  { max, closedBeforeMs }: { max: number; closedBeforeMs?: number },
): Promise<Execution[]> {
  const before = closedBeforeMs === undefined ? '' : ` and CloseTime < '${new Date(closedBeforeMs).toISOString()}'`;
  const query = `WorkflowType = '${WORKFLOW_TYPES.sealLedger}' and ExecutionStatus = 'Completed'${before}`;
  const found: Execution[] = [];
  for await (const { workflowId, runId, closeTime } of client.workflow.list({
    query,
    pageSize: Math.min(max, 1_000),
  })) {
    found.push({ workflowId, runId, closeTime });
    if (found.length === max) {
      break;
    }
  }
  return found;
}

async function sampled(client: Client): Promise<Execution[]> {
  const nowMs = Date.now();
  const hours = Array.from({ length: HOURS_SAMPLED }, (_, hour) => nowMs - (hour + 1) * HOUR_MS);
  const days = Array.from({ length: DAYS_SAMPLED }, (_, day) => nowMs - (day + 1) * 24 * HOUR_MS);
  const found = new Map<string, Execution>();
  const keep = (executions: readonly Execution[]): void =>
    executions.forEach((execution) => found.set(execution.runId, execution));
  keep(await listed(client, { max: NEWEST_MAX }));
  for (const closedBeforeMs of [...hours, ...days]) {
    const older = await listed(client, { max: 1, closedBeforeMs });
    if (older.length === 0) {
      break;
    }
    keep(older);
  }
  return [...found.values()];
}

async function results(client: Client, executions: readonly Execution[]): Promise<Witness[]> {
  const witnesses: Witness[] = [];
  for (let start = 0; start < executions.length; start += READS_AT_ONCE) {
    const read = await Promise.all(
      executions.slice(start, start + READS_AT_ONCE).map(async ({ workflowId, runId, closeTime }) => ({
        workflowId,
        closeTime,
        result: SealingResult.safeParse(await client.workflow.getHandle(workflowId, runId).result()),
      })),
    );
    for (const { workflowId, closeTime, result } of read) {
      // A run over an empty ledger has no seal.
      if (result.success && result.data.sealId !== '0') {
        const { sealId, hash } = result.data;
        witnesses.push({
          sealId: BigInt(sealId),
          hash,
          source: `workflow ${workflowId}`,
          ...(closeTime === undefined ? {} : { at: closeTime }),
        });
      }
    }
  }
  return witnesses;
}
