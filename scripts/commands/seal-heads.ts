import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { Witness } from '../../core/ledger/verify/verify-chain.ts';
import { SEAL_HEAD_MESSAGE } from '../../runtime/seal-heads.ts';

const HeadLine = z.object({
  msg: z.literal(SEAL_HEAD_MESSAGE),
  sealId: z.string().regex(/^\d{1,19}$/),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  // When the worker wrote it. Heads of a state that a restore has undone are not compared. A head without a time is always compared.
  time: z.iso.datetime({ offset: true }).optional().catch(undefined),
});

/**
 * Returns the heads in a file of log lines, as written by a worker or passed on by a log shipper. Text before the JSON and all other lines are
 * skipped.
 * @throws Error when the file cannot be read or contains no head, because such a file must not count as a witness
 */
export async function sealHeads(file: string): Promise<Witness[]> {
  const witnesses: Witness[] = [];
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    number += 1;
    const head = headIn(line);
    if (head !== undefined) {
      witnesses.push({
        sealId: BigInt(head.sealId),
        hash: head.hash,
        source: `line ${number} of ${file}`,
        ...(head.time === undefined ? {} : { at: new Date(head.time) }),
      });
    }
  }
  if (witnesses.length === 0) {
    throw new Error(`${file} holds no line "${SEAL_HEAD_MESSAGE}"`);
  }
  return witnesses;
}

function headIn(line: string): z.infer<typeof HeadLine> | undefined {
  const start = line.indexOf('{');
  if (start === -1 || !line.includes(SEAL_HEAD_MESSAGE)) {
    return undefined;
  }
  try {
    const parsed = HeadLine.safeParse(JSON.parse(line.slice(start)));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
