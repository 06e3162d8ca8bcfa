import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { loopProgressQuery, pauseSignal, wakeSignal } from '../workflows/messages/loop.ts';
import { LOOP_IDS } from '../workflows/messages/names.ts';

type LoopId = (typeof LOOP_IDS)[keyof typeof LOOP_IDS];

const TIMEOUT_MS = 60_000;
const LOOK_EVERY_MS = 50;

/** Pauses sweeper and sealer and waits until no pass runs. */
export async function pauseLoops(client: Client): Promise<void> {
  for (const id of Object.values(LOOP_IDS)) {
    const handle = client.workflow.getHandle(id);
    await handle.signal(pauseSignal);
    await untilTrue(`${id} does not come to rest`, async () => {
      return (await handle.query(loopProgressQuery)).state === 'paused';
    });
  }
}

/** Makes a paused loop pass once, on the real worker. */
export async function passOnce(client: Client, id: LoopId): Promise<void> {
  const handle = client.workflow.getHandle(id);
  const before = await handle.query(loopProgressQuery);
  await handle.signal(wakeSignal);
  await untilTrue(`${id} did not pass`, async () => {
    const { state, passes } = await handle.query(loopProgressQuery);
    return passes > before.passes && state === 'paused';
  });
}

async function untilTrue(complaint: string, holds: () => Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + TIMEOUT_MS;
  while (!(await holds())) {
    if (Date.now() > deadlineMs) {
      throw new Error(complaint);
    }
    await sleep(LOOK_EVERY_MS);
  }
}
