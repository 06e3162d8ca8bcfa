import { z } from 'zod';
import { readInbox, type InboxEntry } from '../../core/inbox/read-inbox.ts';
import { COUNTED_MAX } from '../../core/inbox/store/waiting.ts';
import { INBOX_KINDS, type InboxCount } from '../../domain/inbox.ts';
import { MODES } from '../../domain/mode.ts';
import { toJsonInteger } from '../../domain/money.ts';
import type { AdminDependencies } from './dependencies.ts';
import { ModeFilter } from './filters.ts';
import { adminRoute, type AdminRoute } from './route.ts';

const InboxQuery = z.object({ mode: ModeFilter.optional().describe('Defaults to LIVE.') });

const Ages = z
  .object({
    underHour: z.int(),
    underDay: z.int().describe('An hour or longer.'),
    underWeek: z.int().describe('A day or longer.'),
    older: z.int().describe('A week or longer.'),
  })
  .describe('How many have waited for how long.');

export const Inbox = z
  .object({
    mode: z.enum(MODES),
    total: z.int(),
    kinds: z.array(
      z.object({
        kind: z.enum(INBOX_KINDS),
        count: z.int(),
        isComplete: z.boolean().describe(`False if more than the ${COUNTED_MAX.toLocaleString('en')} oldest wait.`),
        oldestSince: z.iso.datetime().nullable(),
        ages: Ages,
        applications: z.array(
          z.object({
            applicationId: z.int().nullable().describe("Null for the installation's own."),
            applicationName: z.string().nullable(),
            count: z.int(),
            oldestSince: z.iso.datetime(),
            ages: Ages,
          }),
        ),
      }),
    ),
  })
  .meta({ id: 'Inbox' });

/** Returns the route for what waits for a person. */
export function inboxRoutes(deps: AdminDependencies): AdminRoute[] {
  return [
    adminRoute({
      method: 'GET',
      path: '/admin/inbox',
      operationId: 'getInbox',
      tag: 'Inbox',
      summary: 'Count what waits for a person, by kind, application and age',
      description:
        'Contains the kinds that you have the permission to act on, in the applications where you have it, also those that nothing waits for. What you have asked for yourself is not counted, since another person decides on it. Each kind has a list of its own: refunds, payments under review, unapplied payments, manual submissions, cases of reconciliation, webhook events, applications, pending changes.',
      permission: 'any-permission',
      query: InboxQuery,
      response: { status: 200, schema: Inbox },
      errors: [],
      handler: async ({ caller, query }) => {
        const { mode = 'LIVE' } = query;
        const kinds = (await readInbox(deps, { grants: caller.grants, operatorId: caller.operator.id, mode })).map(
          entryView,
        );
        return { status: 200, data: { mode, total: kinds.reduce((sum, { count }) => sum + count, 0), kinds } };
      },
    }),
  ];
}

function entryView({ kind, applications }: InboxEntry) {
  const count = applications.reduce((sum, application) => sum + application.count, 0);
  const oldest = applications.reduce<Date | null>(
    (earliest, { oldestSince }) => (earliest === null || oldestSince < earliest ? oldestSince : earliest),
    null,
  );
  return {
    kind,
    count,
    isComplete: count < COUNTED_MAX,
    oldestSince: oldest?.toISOString() ?? null,
    ages: agesView(applications),
    applications: applications.map((application) => ({
      applicationId: application.applicationId === null ? null : toJsonInteger(application.applicationId),
      applicationName: application.applicationName,
      count: application.count,
      oldestSince: application.oldestSince.toISOString(),
      ages: agesView([application]),
    })),
  };
}

function agesView(counts: readonly InboxCount[]) {
  const sum = (index: 0 | 1 | 2 | 3): number => counts.reduce((total, { ages }) => total + ages[index], 0);
  return { underHour: sum(0), underDay: sum(1), underWeek: sum(2), older: sum(3) };
}
