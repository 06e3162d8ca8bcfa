import type { ActingOperator } from '../operators/acting-operator.ts';
import { recordAudit } from '../operators/store/audit.ts';
import {
  moveClock,
  requireSkipsTime,
  requireTest,
  type ClockAsk,
  type MovedClock,
  type TestClockDependencies,
} from './move-clock.ts';
import { findClocked } from './store.ts';

/**
 * Moves a test clock for an operator. The audit log gets what they asked for before it is done, since the move is the application's own transaction.
 * @throws as `moveClock`
 */
export async function moveClockAsOperator(
  deps: TestClockDependencies,
  { view, actor }: Pick<ActingOperator, 'view' | 'actor'>,
  ask: ClockAsk,
): Promise<MovedClock> {
  await requireSkipsTime(deps);
  const { applicationId, mode } = await deps.database.withOperator(view, async (em) => {
    const found = await findClocked(em, ask);
    requireTest(found);
    await recordAudit(em, {
      actor,
      action: 'test-clock.moved',
      target: { type: ask.object, id: ask.id },
      application: { id: found.applicationId, mode: found.mode },
      after: { forward: ask.forward },
    });
    return found;
  });
  return moveClock(deps, { applicationId, mode }, ask);
}
