import type { Database } from '../../database/connection.ts';
import { viewFor, type Grant } from '../../domain/permissions.ts';
import { FOUND_BY, SEARCH_KINDS, SEARCH_PERMISSIONS, searchTermsOf, type SearchKind } from '../../domain/search.ts';
import { findOfKind, type Hit } from './store/hits.ts';

export interface Found extends Hit {
  readonly kind: SearchKind;
}

/**
 * Finds whatever has the typed text as one of its identifiers, of each kind that the operator may read, where they may read it. The surest matches come
 * first; of each kind and way of matching at most ten are returned, the newest.
 */
export async function search(
  { database }: { readonly database: Database },
  { grants, typed }: { readonly grants: readonly Grant[]; readonly typed: string },
): Promise<Found[]> {
  const terms = searchTermsOf(typed);
  const found: Found[] = [];
  for (const kind of SEARCH_KINDS) {
    const view = viewFor(grants, SEARCH_PERMISSIONS[kind]);
    // A payout belongs to a whole store, so it is read with a permission in every application.
    if (kind === 'PAYOUT' ? view === 'every-app' : view === 'every-app' || view.length > 0) {
      const hits = await database.withOperator(view, (em) => findOfKind(em, kind, terms));
      found.push(...firstOfEach(hits).map((hit) => ({ kind, ...hit })));
    }
  }
  return found.sort((a, b) => FOUND_BY.indexOf(a.foundBy) - FOUND_BY.indexOf(b.foundBy));
}

/** What is found in several ways is named once, by the surest. */
function firstOfEach(hits: readonly Hit[]): Hit[] {
  const sorted = [...hits].sort((a, b) => FOUND_BY.indexOf(a.foundBy) - FOUND_BY.indexOf(b.foundBy));
  return [...new Map(sorted.toReversed().map((hit) => [hit.id, hit])).values()].reverse();
}
