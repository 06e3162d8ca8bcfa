import { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import type { Witness } from '../database/ledger/verify-chain.ts';
import { WORKFLOW_TYPES } from '../workflows/messages/names.ts';

const WITNESSES_MAX = 25;
const CONNECT_TIMEOUT_MS = 5_000;
const DEADLINE_MS = 20_000;

const SealingResult = z.object({
  sealId: z.string().regex(/^\d{1,19}$/),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
});

/** What the newest sealing workflows answered, newest first. Throws when Temporal cannot be reached. */
export async function sealingWitnesses({
  address,
  namespace,
}: {
  address: string;
  namespace: string;
}): Promise<Witness[]> {
  const connection = await Connection.connect({ address, connectTimeout: CONNECT_TIMEOUT_MS });
  try {
    const client = new Client({ connection, namespace });
    return await connection.withDeadline(Date.now() + DEADLINE_MS, () => newestResults(client));
  } finally {
    await connection.close();
  }
}

async function newestResults(client: Client): Promise<Witness[]> {
  const witnesses: Witness[] = [];
  const query = `WorkflowType = '${WORKFLOW_TYPES.sealLedger}' and ExecutionStatus = 'Completed'`;
  for await (const { workflowId, runId } of client.workflow.list({ query, pageSize: WITNESSES_MAX })) {
    const result = SealingResult.safeParse(await client.workflow.getHandle(workflowId, runId).result());
    if (result.success && result.data.sealId !== '0') {
      const { sealId, hash } = result.data;
      witnesses.push({ sealId: BigInt(sealId), hash, source: `workflow ${workflowId}` });
    }
    if (witnesses.length === WITNESSES_MAX) {
      break;
    }
  }
  return witnesses;
}
