import { useQueryClient, type QueryClient, type QueryKey } from '@tanstack/react-query';
import { useEffect } from 'react';
import { ME } from '../session/session.tsx';

const UPDATES = '/api/v1/admin/updates';
/** Several updates of one change are followed by one reading. */
const GATHER_MS = 300;
/** The inbox is counted anew for whatever may wait for a person, so not each time. */
const INBOX_EVERY_MS = 5_000;
/** After an answer other than the stream the browser gives up, for example while the API restarts. */
const AGAIN_MS = 5_000;

/** The query keys of a list and of one of its things. */
const QUERIES: Readonly<Record<string, { readonly list: string; readonly one?: string }>> = {
  payments: { list: 'payments', one: 'payment' },
  refunds: { list: 'refunds', one: 'refund' },
  'unapplied-payments': { list: 'unapplied payments' },
  'manual-payments': { list: 'manual payments' },
  disputes: { list: 'disputes' },
  invoices: { list: 'invoices', one: 'invoice' },
  webhooks: { list: 'webhooks', one: 'webhook' },
  'gateway-callbacks': { list: 'callbacks' },
  payouts: { list: 'payouts', one: 'payout' },
  'payout-files': { list: 'payout files', one: 'payout file' },
  'reconciliation-cases': { list: 'cases', one: 'case' },
  'pending-changes': { list: 'changes' },
  'pending-operator-changes': { list: 'changes' },
  'pending-reconciliation-changes': { list: 'changes' },
};

/** Reads again what is shown as soon as the API says that it has changed. Only the tab that is seen follows, since a browser has few connections. */
export function useUpdates(): void {
  const queries = useQueryClient();
  useEffect(() => {
    const reader = new ChangedReader(queries);
    let source: EventSource | null = null;
    let again: ReturnType<typeof setTimeout> | undefined;
    const stop = (): void => {
      clearTimeout(again);
      source?.close();
      source = null;
    };
    const follow = (): void => {
      stop();
      if (document.visibilityState === 'hidden') {
        return;
      }
      // The login stands above the page.
      if (queries.getQueryData(ME.queryKey) === null) {
        again = setTimeout(follow, AGAIN_MS);
        return;
      }
      source = new EventSource(UPDATES);
      source.addEventListener('update', ({ data }: MessageEvent<unknown>) => reader.changed(String(data)));
      source.addEventListener('unknown', () => reader.unknown());
      source.addEventListener('error', () => {
        if (source?.readyState === EventSource.CLOSED) {
          again = setTimeout(follow, AGAIN_MS);
        }
      });
    };
    follow();
    document.addEventListener('visibilitychange', follow);
    return () => {
      document.removeEventListener('visibilitychange', follow);
      stop();
      reader.stop();
    };
  }, [queries]);
}

/** Gathers what has changed, and then reads what of it is shown. */
class ChangedReader {
  readonly #queries: QueryClient;
  readonly #changed = new Set<string>();
  #gathering: ReturnType<typeof setTimeout> | undefined;
  #inboxSoon: ReturnType<typeof setTimeout> | undefined;

  constructor(queries: QueryClient) {
    this.#queries = queries;
  }

  changed(data: string): void {
    const { kind, id } = JSON.parse(data) as { readonly kind: string; readonly id: string };
    const { list, one } = QUERIES[kind] ?? {};
    for (const key of [list, one === undefined ? undefined : keyOf(one, id)]) {
      if (key !== undefined) {
        this.#changed.add(key);
      }
    }
    this.#gathering ??= setTimeout(() => this.#read(), GATHER_MS);
    this.#inboxSoon ??= setTimeout(() => this.#readInbox(), INBOX_EVERY_MS);
  }

  /** Reads everything that is shown. */
  unknown(): void {
    for (const { list, one } of Object.values(QUERIES)) {
      this.#refresh(([first]) => first === list || first === one);
    }
    this.#inboxSoon ??= setTimeout(() => this.#readInbox(), INBOX_EVERY_MS);
  }

  stop(): void {
    clearTimeout(this.#gathering);
    clearTimeout(this.#inboxSoon);
  }

  #read(): void {
    this.#gathering = undefined;
    const changed = new Set(this.#changed);
    this.#changed.clear();
    this.#refresh(([first, second]) => changed.has(String(first)) || changed.has(keyOf(String(first), String(second))));
  }

  #readInbox(): void {
    this.#inboxSoon = undefined;
    this.#refresh(([first]) => first === 'inbox');
  }

  /** A list of which a person has loaded several pages stays as they have it. */
  #refresh(isChanged: (queryKey: QueryKey) => boolean): void {
    void this.#queries.invalidateQueries({
      predicate: ({ queryKey, state }) => isChanged(queryKey) && !isLong(state.data),
    });
  }
}

function keyOf(list: string, id: string): string {
  return `${list} ${id}`;
}

function isLong(data: unknown): boolean {
  return (
    typeof data === 'object' && data !== null && 'pages' in data && Array.isArray(data.pages) && data.pages.length > 1
  );
}
