import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { begin, openRecorder, type Recorder } from '../../replay/branches.ts';
import type { Form } from '../../core/payments/payment-world.ts';
import { until } from '../../support/until.ts';

const FLOOD = 300;
/** Per attempt. test/api/gateway-callbacks/bounded.test.ts tests the other limits. */
const UNSIGNED_KEPT = 100;
const AT_ONCE = 30;

let recorder: Recorder;
beforeAll(async () => {
  recorder = await openRecorder();
});
afterAll(() => recorder.close());

async function eventsOf(handle: { describe(): Promise<{ historyLength: number }> }): Promise<number> {
  return (await handle.describe()).historyLength;
}

/** One query to the gateway: signal, workflow task, activity, workflow task. */
const EVENTS_A_QUESTION = 10;

test.each([
  ['signed', true, 5],
  ['forged', false, 60],
])(
  '%s callbacks by the hundreds add ten events to a payment at a time, rarely, and all are answered',
  async (_name, signed, pauseSeconds) => {
    // Target T-54: a history is limited to 51,200 events. Outsiders must not be able to fill it.
    const { world } = recorder;
    const { input, attempt, handle } = await begin(recorder);
    const before = await eventsOf(handle);
    const bodies = Array.from({ length: FLOOD }, (_value, n): Form => {
      const fields = {
        tran_id: String(attempt['reference']),
        val_id: `flood${n}`,
        bank_tran_id: 'bank',
        amount: '100.00',
        currency: 'BDT',
        currency_type: 'BDT',
        currency_amount: '100.00',
        status: 'FAILED',
        store_id: 'lenden_test',
      };
      return signed ? world.signed(fields) : fields;
    });
    const durations: number[] = [];
    const started = performance.now();
    const statuses = new Set<number>();
    for (let start = 0; start < FLOOD; start += AT_ONCE) {
      await Promise.all(
        bodies.slice(start, start + AT_ONCE).map(async (body) => {
          const began = performance.now();
          statuses.add((await world.post('ipn', body)).status);
          durations.push(performance.now() - began);
        }),
      );
    }
    expect(statuses).toEqual(new Set([200]));
    expect(await world.callbacksOf(input)).toHaveLength(signed ? FLOOD : UNSIGNED_KEPT);
    await until(async () => (await world.paymentRow(input))['callback_signalled_at'] === null);
    await new Promise((resolve) => {
      setTimeout(resolve, 500);
    });
    // On a slow machine the flood lasts for several pauses. Each of them allows one more query.
    const pauses = Math.floor((performance.now() - started) / 1_000 / pauseSeconds);
    expect((await eventsOf(handle)) - before).toBeLessThanOrEqual(EVENTS_A_QUESTION * (1 + pauses));
    durations.sort((a, b) => a - b);
    const quantile = (share: number): number => Math.round(durations[Math.floor(durations.length * share)] ?? 0);
    // Reported but not asserted, because the machine is shared.
    process.stderr.write(`callback acks at ${AT_ONCE} in flight: p50 ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms\n`);
    await handle.terminate();
  },
);
