import { z } from 'zod';
import { search, type Found } from '../../core/search/search.ts';
import { MODES } from '../../domain/mode.ts';
import { toBoundedJsonInteger, toJsonInteger } from '../../domain/money.ts';
import { FOUND_BY, SEARCH_KINDS } from '../../domain/search.ts';
import { text } from '../http/fields.ts';
import type { AdminDependencies } from './dependencies.ts';
import { adminRoute, type AdminRoute } from './route.ts';

const SearchQuery = z.object({ q: text(255).describe('What you have at hand, whole: it is not searched for parts.') });

export const SearchHit = z
  .object({
    kind: z.enum(SEARCH_KINDS),
    foundBy: z.enum(FOUND_BY).describe('Which of its identifiers the text is.'),
    id: z.int(),
    reference: z.string(),
    applicationId: z.int().nullable().describe("Null for a payout of the installation's store."),
    applicationName: z.string().nullable(),
    mode: z.enum(MODES),
    status: z.string().describe('The status as the list of its kind has it.'),
    amountMinor: z.int().nullable().describe('Null for an event.'),
    currency: z.string().nullable(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'SearchHit' });

/** Returns the route that finds things by whatever a person has at hand. */
export function searchRoutes(deps: AdminDependencies): AdminRoute[] {
  return [
    adminRoute({
      method: 'GET',
      path: '/admin/search',
      operationId: 'search',
      tag: 'Search',
      summary: 'Find something by any of its identifiers',
      description:
        'Finds payments by their reference, by that of an attempt, by the gateway’s transaction id, by the references of the shop and its customer, and by amount (`120.50`; the newest ten); refunds, invoices, webhook events and payouts by theirs. It searches both modes, and only what you may read. The surest matches come first.',
      permission: 'any-permission',
      query: SearchQuery,
      response: { status: 200, schema: z.array(SearchHit) },
      errors: [],
      handler: async ({ caller, query }) => ({
        status: 200,
        data: (await search(deps, { grants: caller.grants, typed: query.q })).map(hitView),
      }),
    }),
  ];
}

function hitView({ kind, foundBy, id, reference, applicationId, applicationName, ...hit }: Found) {
  return {
    kind,
    foundBy,
    id: toJsonInteger(id),
    reference,
    applicationId: applicationId === null ? null : toJsonInteger(applicationId),
    applicationName,
    mode: hit.mode,
    status: hit.status,
    amountMinor: hit.amountMinor === null ? null : toBoundedJsonInteger(hit.amountMinor),
    currency: hit.currency,
    createdAt: hit.createdAt.toISOString(),
  };
}
