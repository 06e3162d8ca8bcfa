import type { Database } from '../../database/connection.ts';
import { INBOX_KINDS, INBOX_PERMISSIONS, type InboxCount, type InboxKind } from '../../domain/inbox.ts';
import type { Mode } from '../../domain/mode.ts';
import { viewFor, type AppView, type Grant } from '../../domain/permissions.ts';
import { countWaiting } from './store/waiting.ts';

export interface InboxEntry {
  readonly kind: InboxKind;
  readonly applications: readonly InboxCount[];
}

/**
 * Counts what waits for an operator, of every kind that they may act on, in the applications where they may. What they have asked for themselves waits
 * for somebody else. Kinds that nothing waits for are included, so that an empty inbox differs from a missing permission.
 */
export async function readInbox(
  { database }: { readonly database: Database },
  { grants, ...asked }: { readonly grants: readonly Grant[]; readonly mode: Mode; readonly operatorId: bigint },
): Promise<InboxEntry[]> {
  const kinds = INBOX_KINDS.map((kind) => ({ kind, view: viewFor(grants, INBOX_PERMISSIONS[kind]) })).filter(
    ({ view }) => isSomewhere(view),
  );
  const entries: InboxEntry[] = [];
  // Each permission has its own view, so each view has its own transaction.
  for (const ofView of Map.groupBy(kinds, ({ view }) => (view === 'every-app' ? view : view.join(','))).values()) {
    const [first] = ofView;
    if (first !== undefined) {
      entries.push(
        ...(await database.withOperator(first.view, async (em) => {
          const counted: InboxEntry[] = [];
          for (const { kind } of ofView) {
            counted.push({ kind, applications: await countWaiting(em, kind, asked) });
          }
          return counted;
        })),
      );
    }
  }
  return entries.sort((a, b) => INBOX_KINDS.indexOf(a.kind) - INBOX_KINDS.indexOf(b.kind));
}

function isSomewhere(view: AppView): boolean {
  return view === 'every-app' || view.length > 0;
}
