import { z } from 'zod';
import { skipsTime } from '../../core/test-clock/move-clock.ts';
import { moveClockAsOperator } from '../../core/test-clock/operators-move.ts';
import { clockAskOf, MoveTestClock, TestClock, testClockView } from '../native/test-clock.ts';
import type { AdminDependencies } from './dependencies.ts';
import { adminRoute, type AdminRoute } from './route.ts';

const TAG = 'Test clock by operators';

const TestClockSupport = z
  .object({ skipsTime: z.boolean().describe('Whether the Temporal server of this installation can skip time.') })
  .meta({ id: 'TestClockSupport' });

/** Returns the routes by which operators move the clocks of TEST objects. */
export function testClockAdminRoutes(deps: AdminDependencies): AdminRoute[] {
  return [support(deps), move(deps)];
}

function support(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'GET',
    path: '/admin/test-clock',
    operationId: 'getTestClockSupport',
    tag: TAG,
    summary: 'Retrieve whether clocks can be moved',
    permission: 'app:manage',
    response: { status: 200, schema: TestClockSupport },
    errors: [],
    handler: async () => ({ status: 200, data: { skipsTime: await skipsTime(deps) } }),
  });
}

function move(deps: AdminDependencies): AdminRoute {
  return adminRoute({
    method: 'POST',
    path: '/admin/test-clock',
    operationId: 'moveAnyTestClock',
    tag: TAG,
    summary: 'Move the clock of a TEST payment, invoice, refund or delivery forward',
    description:
      'Writes `test-clock.moved` to the audit log. Returns 409 for a LIVE object, and 501 if the Temporal server of this installation cannot skip time.',
    permission: 'app:manage',
    body: MoveTestClock,
    response: { status: 200, schema: TestClock },
    errors: ['RESOURCE_NOT_FOUND', 'INVALID_OPERATION_STATE', 'NOT_SUPPORTED'],
    handler: async ({ caller, body }) => ({
      status: 200,
      data: testClockView(await moveClockAsOperator(deps, caller, clockAskOf(body))),
    }),
  });
}
