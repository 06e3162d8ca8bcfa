import type { BegunExecution, ExecutionDoubt, Executions } from '../../gateways/bkash/executions.ts';
import type { KeptToken, TokenShelf } from '../../gateways/bkash/tokens.ts';

/** The rows that all processes share, kept in memory. */
export interface BkashRows {
  readonly shelf: TokenShelf;
  readonly executions: Executions & {
    /** Closes an attempt that has ended, so that its row allows no more executions. */
    close(attemptReference: string): void;
  };
}

export function bkashRows(nowMs: () => number = Date.now): BkashRows {
  return { shelf: tokenShelf(nowMs), executions: executionRows(nowMs) };
}

export function tokenShelf(nowMs: () => number = Date.now): TokenShelf {
  const kept = new Map<string, string>();
  const taken = new Set<string>();
  const read = (account: string): KeptToken => ({ kept: kept.get(account) ?? null, readAt: new Date(nowMs()) });
  return {
    read: (account) => Promise.resolve(read(account)),
    take(account) {
      if (taken.has(account)) {
        return Promise.resolve(null);
      }
      taken.add(account);
      return Promise.resolve({
        ...read(account),
        write: (words) => Promise.resolve(void kept.set(account, words)),
        release: () => Promise.resolve(void taken.delete(account)),
      });
    },
  };
}

interface Row {
  sent: number;
  atWorkUntilMs: number | null;
  doubt: ExecutionDoubt | null;
  barred: boolean;
}

function executionRows(nowMs: () => number): BkashRows['executions'] {
  const rows = new Map<string, Row>();
  const closed = new Set<string>();
  const rowOf = (reference: string): Row => {
    const row = rows.get(reference) ?? { sent: 0, atWorkUntilMs: null, doubt: null, barred: false };
    rows.set(reference, row);
    return row;
  };
  const doubtOf = ({ doubt, atWorkUntilMs }: Row): ExecutionDoubt | null =>
    doubt ?? (atWorkUntilMs === null ? null : 'lost');
  const isAtWork = ({ atWorkUntilMs }: Row): boolean => (atWorkUntilMs ?? 0) > nowMs();
  return {
    close: (reference) => void closed.add(reference),
    stateOf(reference) {
      const row = rowOf(reference);
      const readAt = new Date(nowMs());
      return Promise.resolve({ readAt, atWork: isAtWork(row), barred: row.barred, doubt: doubtOf(row) });
    },
    begin({ attemptReference: reference, atWorkMs }) {
      const row = rowOf(reference);
      if (closed.has(reference) || row.barred || isAtWork(row)) {
        return Promise.resolve(null);
      }
      row.doubt = doubtOf(row);
      row.sent += 1;
      row.atWorkUntilMs = nowMs() + atWorkMs;
      const { sent, doubt } = row;
      const begun: BegunExecution = {
        doubt,
        end(left) {
          if (row.sent === sent) {
            row.barred ||= left === 'barred';
            row.doubt = left === 'executed' || (left === 'lost' && row.doubt === null) ? left : row.doubt;
            row.atWorkUntilMs = left === 'lost' || left === 'executed' ? nowMs() + atWorkMs : null;
          }
          return Promise.resolve();
        },
      };
      return Promise.resolve(begun);
    },
  };
}
