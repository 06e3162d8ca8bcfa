import { Client, Connection } from '@temporalio/client';
import { workflowIds } from '../../workflows/messages/names.ts';
import type { DevFile } from '../../scripts/development/dev-file.ts';

const SAMPLE_MAX = 20;

/** Returns how many history events the payments of each group took, measured on a sample. */
export async function historyEvents(
  { address, namespace }: DevFile['temporal'],
  groups: ReadonlyMap<string, readonly string[]>,
): Promise<Record<string, { min: number; max: number }>> {
  const connection = await Connection.connect({ address });
  try {
    const client = new Client({ connection, namespace });
    const lengths: Record<string, { min: number; max: number }> = {};
    for (const [group, references] of groups) {
      const sample = await Promise.all(
        references.slice(0, SAMPLE_MAX).map(async (reference) => {
          const { historyLength } = await client.workflow.getHandle(workflowIds.payment(reference)).describe();
          return historyLength;
        }),
      );
      lengths[group] = { min: Math.min(...sample), max: Math.max(...sample) };
    }
    return lengths;
  } finally {
    await connection.close();
  }
}
