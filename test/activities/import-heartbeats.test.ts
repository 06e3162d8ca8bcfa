import { expect, test } from '@jest/globals';
import { asyncLocalStorage, type Context } from '@temporalio/activity';
import { createPayoutActivities } from '../../activities/payouts.ts';
import { BUSINESS_TIME_ZONE, calendarIn } from '../../domain/calendar.ts';
import { createLogger } from '../../runtime/logger.ts';

test('an import that makes no progress for a while is still alive', async () => {
  // Temporal gives the import of a dead worker to another one soon, so a living one that waits must not look dead.
  const slow = { withSystem: () => new Promise((_done, reject) => setTimeout(() => reject(new Error('over')), 6_000)) };
  const { importPayoutFile } = createPayoutActivities({
    database: slow as never,
    calendar: calendarIn(BUSINESS_TIME_ZONE),
    log: createLogger({ service: 'test', level: 'silent' }),
  });
  let beats = 0;
  const context = { cancellationSignal: new AbortController().signal, heartbeat: () => (beats += 1) };
  const imported = asyncLocalStorage.run(context as unknown as Context, () =>
    importPayoutFile({ reference: `pof_${'a'.repeat(22)}` }),
  );
  await expect(imported).rejects.toThrow();
  expect(beats).toBe(1);
}, 15_000);
