import type { Step } from './payouts/book.ts';

/** A script that waits for the owner's next payments. `Owner` names the merchant, as the gateway's own API does. */
export type Queued<Owner, Script> = Owner & { id: string; script: Script; left: number };

/** The entries that the journal of every gateway has. `Payment` names one payment of one owner, as the merchant does. */
export type CommonEntry<Owner, Payment, Script, Settings> =
  | { type: 'fault_used'; counter: string }
  | { type: 'settings'; settings: Partial<Settings> }
  | { type: 'script_queued'; queued: Queued<Owner, Script> }
  | ({ type: 'script_taken'; id: string } & Payment)
  | { type: 'payout_step'; step: Step };

export type CommonTables<Owner, Script, Settings> = {
  /** How often each fault of limited `times` was used. */
  faultsUsed: Map<string, number>;
  queuedScripts: Map<string, Queued<Owner, Script>>;
  /** The queued script that a payment got, by the payment's key. It keeps it, so that a repeated call gets the same one. */
  takenScripts: Map<string, Script>;
  /** What has made payouts, in order, by id. */
  payoutSteps: Map<string, Step>;
  settings: Settings;
};

export function createTables<Owner, Script, Settings>(defaults: Settings): CommonTables<Owner, Script, Settings> {
  return {
    faultsUsed: new Map(),
    queuedScripts: new Map(),
    takenScripts: new Map(),
    payoutSteps: new Map(),
    settings: { ...defaults },
  };
}

/** Clears everything, including the settings. */
export function clearTables<Settings>(state: { settings: Settings }, defaults: Settings): void {
  for (const table of Object.values(state)) {
    if (table instanceof Map || table instanceof Set) {
      table.clear();
    }
  }
  state.settings = { ...defaults };
}

/** Applies an entry that every gateway has. `keyOf` returns the key of a payment in `takenScripts`. */
export function applyCommon<Owner, Payment, Script, Settings>(
  state: CommonTables<Owner, Script, Settings>,
  entry: CommonEntry<Owner, Payment, Script, Settings>,
  keyOf: (payment: Payment) => string,
): void {
  switch (entry.type) {
    case 'fault_used':
      state.faultsUsed.set(entry.counter, (state.faultsUsed.get(entry.counter) ?? 0) + 1);
      return;
    case 'settings':
      state.settings = { ...state.settings, ...entry.settings };
      return;
    case 'script_queued':
      state.queuedScripts.set(entry.queued.id, { ...entry.queued });
      return;
    case 'script_taken': {
      const queued = state.queuedScripts.get(entry.id);
      if (queued) {
        state.takenScripts.set(keyOf(entry), queued.script);
        queued.left -= 1;
        if (queued.left <= 0) {
          state.queuedScripts.delete(entry.id);
        }
      }
      return;
    }
    case 'payout_step':
      state.payoutSteps.set(entry.step.id, entry.step);
  }
}

/**
 * Returns the script that was queued for a payment, and takes the owner's next one if the payment has none yet.
 */
export function takeQueued<Owner, Script>(
  tables: Pick<CommonTables<Owner, Script, unknown>, 'queuedScripts' | 'takenScripts'>,
  { key, isOwner, take }: { key: string; isOwner: (queued: Owner) => boolean; take: (id: string) => void },
): Script | undefined {
  if (!tables.takenScripts.has(key)) {
    const next = [...tables.queuedScripts.values()].find(isOwner);
    if (next) {
      take(next.id);
    }
  }
  return tables.takenScripts.get(key);
}

/** Appends to the list under a key. */
export function append(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key);
  if (list) {
    list.push(value);
  } else {
    lists.set(key, [value]);
  }
}

/** @throws Error if the journal names an object before it was made */
export function known<Value>(table: Map<string, Value>, id: string): Value {
  const value = table.get(id);
  if (value === undefined) {
    throw new Error(`The journal names ${id} before it was made`);
  }
  return value;
}
