import { z } from 'zod';
import { moveClock, type ClockAsk, type MovedClock } from '../../core/test-clock/move-clock.ts';
import { CLOCK_AHEAD_MAX_SECONDS, CLOCK_TARGETS } from '../../domain/test-clock.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { text } from '../http/fields.ts';
import { route, type Route } from '../http/route.ts';
import type { NativeCaller } from './authenticate.ts';
import { CREDENTIAL_ERRORS } from './errors.ts';

const FORWARD_RULE = `must be a number of seconds from 1 to ${CLOCK_AHEAD_MAX_SECONDS}, or one of ${CLOCK_TARGETS.join(', ')}`;

const ROWS = ['payment', 'invoice', 'refund'] as const;

const FORWARD = {
  forward: z
    .union([z.int().min(1).max(CLOCK_AHEAD_MAX_SECONDS), z.enum(CLOCK_TARGETS)], FORWARD_RULE)
    .describe(
      'A number of seconds; `expiry`: when the payment or invoice expires, or the time for the approval of a refund is over; `next-attempt`: the next attempt to deliver an event; `month`: the same time in the next month.',
    ),
};

export const MoveTestClock = z
  .discriminatedUnion(
    'object',
    [
      z.object({
        object: z.enum(ROWS),
        id: z.int('must be a number').min(1).max(Number.MAX_SAFE_INTEGER).describe('The id of the object.'),
        ...FORWARD,
      }),
      z.object({
        object: z.literal('delivery'),
        id: text(64).describe('The id of the event, such as `evt_…`.'),
        ...FORWARD,
      }),
    ],
    `must be one of ${[...ROWS, 'delivery'].join(', ')}`,
  )
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

export function clockAskOf(body: z.infer<typeof MoveTestClock>): ClockAsk {
  return body.object === 'delivery' ? body : { ...body, id: BigInt(body.id) };
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
