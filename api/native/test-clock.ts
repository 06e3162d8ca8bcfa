import { z } from 'zod';
import { moveClock, type ClockAsk, type MovedClock } from '../../core/test-clock/move-clock.ts';
import { DomainError } from '../../domain/errors.ts';
import { CLOCK_AHEAD_MAX_SECONDS, CLOCK_TARGETS } from '../../domain/test-clock.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { text } from '../http/fields.ts';
import { route, type Route } from '../http/route.ts';
import type { NativeCaller } from './authenticate.ts';
import { CREDENTIAL_ERRORS } from './errors.ts';

const FORWARD_RULE = `must be a number of seconds from 1 to ${CLOCK_AHEAD_MAX_SECONDS}, or one of ${CLOCK_TARGETS.join(', ')}`;

const OBJECTS = ['payment', 'invoice', 'refund', 'delivery'] as const;
const Id = z.int().min(1).max(Number.MAX_SAFE_INTEGER);

export const MoveTestClock = z
  .object({
    object: z.enum(OBJECTS, `must be one of ${OBJECTS.join(', ')}`),
    id: z
      .union([Id, text(64)], 'must be the id of the object')
      .describe('The id of the payment, invoice or refund. For a delivery the id of its event, such as `evt_…`.'),
    forward: z
      .union([z.int().min(1).max(CLOCK_AHEAD_MAX_SECONDS), z.enum(CLOCK_TARGETS)], FORWARD_RULE)
      .describe(
        'A number of seconds; `expiry`: when the payment or invoice expires, or the time for the approval of a refund is over; `next-attempt`: the next attempt to deliver an event; `month`: the same time in the next month.',
      ),
  })
  .meta({ id: 'MoveTestClock' });

export const TestClock = z
  .object({
    movedSeconds: z.int().describe('How far this request has moved the clock. 0 if its target had passed.'),
    aheadSeconds: z.int().describe('How far the clock of the payment or invoice is ahead of the real time.'),
    time: z.iso.datetime().describe('The time by the clock of the payment or invoice.'),
    workflowsBehind: z
      .int()
      .describe(
        'How many workflows are not there yet, since a step of them is in progress. Repeat the request to wait.',
      ),
  })
  .meta({ id: 'TestClock' });

/** @throws DomainError VALIDATION_ERROR for the id of another kind of object */
export function clockAskOf({ object, id, forward }: z.infer<typeof MoveTestClock>): ClockAsk {
  if (object === 'delivery' && typeof id === 'string') {
    return { object, id, forward };
  }
  if (object !== 'delivery' && typeof id === 'number') {
    return { object, id: BigInt(id), forward };
  }
  const rule = object === 'delivery' ? 'must be the id of an event' : 'must be a number';
  throw new DomainError('VALIDATION_ERROR', 'the request is not valid', { fields: { id: rule } });
}

export function testClockView({ time, ...moved }: MovedClock): z.infer<typeof TestClock> {
  return { ...moved, time: time.toISOString() };
}

/** Returns the route that moves the clock of a TEST object. */
export function testClockRoutes(deps: ApiDependencies): Route<NativeCaller>[] {
  return [
    route({
      method: 'POST',
      path: '/test-clock',
      operationId: 'moveTestClock',
      tag: 'Test clock',
      summary: 'Move the clock of a TEST payment, invoice, refund or delivery forward',
      description:
        'What is due by then happens at once, by the code that runs in LIVE. A refund has the clock of its payment, and the payments of an invoice move with it. For a delivery, the next attempt comes sooner. Returns 501 if the Temporal server of this installation cannot skip time, and 409 for a LIVE key.',
      auth: 'credential',
      body: MoveTestClock,
      response: { status: 200, schema: TestClock },
      errors: [
        'VALIDATION_ERROR',
        'RESOURCE_NOT_FOUND',
        'INVALID_OPERATION_STATE',
        'PAYLOAD_TOO_LARGE',
        'UNSUPPORTED_MEDIA_TYPE',
        'NOT_SUPPORTED',
        ...CREDENTIAL_ERRORS,
      ],
      handler: async ({ caller, body }) => ({
        status: 200,
        data: testClockView(await moveClock(deps, caller.scope, clockAskOf(body))),
      }),
    }),
  ];
}
