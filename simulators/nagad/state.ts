import type { Ending, Operation, Script } from './scripts.ts';
import { mergeScripts } from './scripts.ts';
import { defaultSettings } from './settings.ts';
import type { Settings } from './settings.ts';

/*
 * The gateway's state. It results only from the journal's entries, so after kill -9 a restart knows exactly what was on disk. Instants are
 * milliseconds since 1970; amounts are decimal text.
 */

/** How far the payer has come, in the words that a verification uses. */
export type Stage = 'Initiated' | 'Ready' | 'OtpSent' | 'OtpVerified' | 'InProgress';

export type Order = {
  /** The payment reference id. */
  ref: string;
  merchantId: string;
  orderId: string;
  challenge: string;
  createdAt: number;
  expiresAt: number;
  script: Script;
  stage: Stage;
  purchase?: Purchase;
  mobile?: string;
  /** When the money of an order in progress moves; absent: at once or never. */
  chargeDueAt?: number;
  outcome?: Outcome;
};

/** The content of the complete call. */
export type Purchase = {
  /** As the merchant wrote it. */
  amount: string;
  callbackUrl: string;
  /** JSON text, or null if the merchant sent none. */
  additionalInfo: string | null;
  completedAt: number;
};

export type Outcome = {
  status: Ending;
  at: number;
  message: string;
  /** The transaction id in the wallet; '' unless charged. */
  issuerRef: string;
  /** The amount charged; the requested amount if nothing was charged. */
  amount: string;
};

export type QueuedScript = { id: string; merchantId: string; script: Script; left: number };

export type Entry =
  | { type: 'order'; order: Order }
  | { type: 'purchase'; ref: string; purchase: Purchase; script: Script; expiresAt: number }
  | { type: 'stage'; ref: string; stage: Stage; mobile?: string; chargeDueAt?: number }
  | { type: 'order_script'; ref: string; script: Script }
  | { type: 'outcome'; ref: string; outcome: Outcome }
  | { type: 'fault_used'; counter: string }
  | { type: 'settings'; settings: Partial<Settings> }
  | { type: 'script_queued'; queued: QueuedScript }
  | { type: 'script_taken'; id: string; merchantId: string; orderId: string };

export type State = ReturnType<typeof createState>;

/** Creates the state of an empty gateway and the one function that changes it. */
export function createState() {
  const state = {
    orders: new Map<string, Order>(),
    /** References in order of creation, by `merchantId orderId`. */
    byOrderId: new Map<string, string[]>(),
    /** Orders without an outcome. */
    open: new Set<string>(),
    faultsUsed: new Map<string, number>(),
    queuedScripts: new Map<string, QueuedScript>(),
    takenScripts: new Map<string, Script>(),
    settings: { ...defaultSettings },
  };
  return Object.assign(state, { apply: (entry: Entry) => apply(state, entry) });
}

/** Clears everything, including the settings. */
export function clearState(state: State): void {
  for (const table of Object.values(state)) {
    if (table instanceof Map || table instanceof Set) {
      table.clear();
    }
  }
  state.settings = { ...defaultSettings };
}

export function orderKey({ merchantId, orderId }: { merchantId: string; orderId: string }): string {
  return `${merchantId} ${orderId}`;
}

/** Returns the counter's key for one fault. Calls are counted per order, so that a repeated call gets to the next stage. */
export function faultCounter(given: { operation: Operation; scope: string; index: number }): string {
  return `${given.operation} ${given.index} ${given.scope}`;
}

type Tables = Omit<State, 'apply'>;

function apply(state: Tables, entry: Entry): void {
  switch (entry.type) {
    case 'order':
      return addOrder(state, structuredClone(entry.order));
    case 'purchase':
      Object.assign(orderOf(state, entry.ref), {
        purchase: { ...entry.purchase },
        script: entry.script,
        expiresAt: entry.expiresAt,
      });
      return;
    case 'stage':
      return setStage(orderOf(state, entry.ref), entry);
    case 'order_script': {
      const order = orderOf(state, entry.ref);
      order.script = mergeScripts(order.script, entry.script);
      return;
    }
    case 'outcome':
      orderOf(state, entry.ref).outcome = { ...entry.outcome };
      state.open.delete(entry.ref);
      return;
    case 'fault_used':
      state.faultsUsed.set(entry.counter, (state.faultsUsed.get(entry.counter) ?? 0) + 1);
      return;
    case 'settings':
      state.settings = { ...state.settings, ...entry.settings };
      return;
    case 'script_queued':
      state.queuedScripts.set(entry.queued.id, { ...entry.queued });
      return;
    case 'script_taken':
      return takeScript(state, entry);
  }
}

function addOrder(state: Tables, order: Order): void {
  state.orders.set(order.ref, order);
  state.open.add(order.ref);
  const key = orderKey(order);
  const refs = state.byOrderId.get(key);
  if (refs) {
    refs.push(order.ref);
  } else {
    state.byOrderId.set(key, [order.ref]);
  }
}

function setStage(order: Order, { stage, mobile, chargeDueAt }: Extract<Entry, { type: 'stage' }>): void {
  order.stage = stage;
  if (mobile !== undefined) {
    order.mobile = mobile;
  }
  if (chargeDueAt !== undefined) {
    order.chargeDueAt = chargeDueAt;
  }
}

function takeScript(state: Tables, { id, ...of }: Extract<Entry, { type: 'script_taken' }>): void {
  const queued = state.queuedScripts.get(id);
  if (queued) {
    state.takenScripts.set(orderKey(of), queued.script);
    queued.left -= 1;
    if (queued.left <= 0) {
      state.queuedScripts.delete(id);
    }
  }
}

function orderOf(state: Tables, ref: string): Order {
  const order = state.orders.get(ref);
  if (!order) {
    throw new Error(`The journal names the order ${ref} before it was made`);
  }
  return order;
}
