import {
  allHandlersFinished,
  condition,
  defineSignal,
  defineUpdate,
  proxyLocalActivities,
  setHandler,
  sleep,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { BareActivities, BareInput } from './activities.ts';
import { STATUS, WAITS_FOR } from './names.ts';

const { open, verify } = proxyLocalActivities<BareActivities>({ startToCloseTimeout: '15s' });
export const openedUpdate = defineUpdate<{ status: string }>('bare-opened');
export const wakeSignal = defineSignal<[string]>('bare-wake');

/** Issues the same Temporal commands as a payment but does none of its work. */
export async function barePayment(input: BareInput): Promise<string> {
  let opened = false;
  let woken = false;
  setHandler(openedUpdate, async () => {
    await condition(() => opened);
    return { status: 'PENDING' };
  });
  const wake = (): boolean => (woken = true);
  setHandler(wakeSignal, () => void wake());
  await open(input);
  opened = true;
  void sleep(1_800_000).then(wake);
  await condition(() => woken);
  const status = await verify(input);
  upsertSearchAttributes([
    { key: STATUS, value: status },
    { key: WAITS_FOR, value: null },
  ]);
  await condition(allHandlersFinished);
  return status;
}
