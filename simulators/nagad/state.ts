import { merged } from '../kit/scripts.ts';
import { append, applyCommon, clearTables, createTables, known } from '../kit/state.ts';
import type { CommonEntry } from '../kit/state.ts';
import type { Ending, Script } from './scripts.ts';
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

/** How a merchant names one payment. */
type Named = Owner & { orderId: string };
export type Owner = { merchantId: string };

export type Entry =
  | { type: 'order'; order: Order }
  | { type: 'purchase'; ref: string; purchase: Purchase; script: Script; expiresAt: number }
  | { type: 'stage'; ref: string; stage: Stage; mobile?: string; chargeDueAt?: number }
  | { type: 'order_script'; ref: string; script: Script }
  | { type: 'outcome'; ref: string; outcome: Outcome }
  | CommonEntry<Owner, Named, Script, Settings>;

export type State = ReturnType<typeof createState>;

/** Creates the state of an empty gateway and the one function that changes it. */
export function createState() {
  const state = {
    orders: new Map<string, Order>(),
    /** References in order of creation, by `merchantId orderId`. */
    byOrderId: new Map<string, string[]>(),
    /** Orders without an outcome. */
    open: new Set<string>(),
    ...createTables<Owner, Script, Settings>(defaultSettings),
  };
  return Object.assign(state, { apply: (entry: Entry) => apply(state, entry) });
}

/** Clears everything, including the settings. */
export function clearState(state: State): void {
  clearTables(state, defaultSettings);
}

export function orderKey({ merchantId, orderId }: { merchantId: string; orderId: string }): string {
  return `${merchantId} ${orderId}`;
}

type Tables = Omit<State, 'apply'>;

function apply(state: Tables, entry: Entry): void {
  switch (entry.type) {
    case 'order':
      return addOrder(state, structuredClone(entry.order));
    case 'purchase':
      Object.assign(known(state.orders, entry.ref), {
        purchase: { ...entry.purchase },
        script: entry.script,
        expiresAt: entry.expiresAt,
      });
      return;
    case 'stage':
      return setStage(known(state.orders, entry.ref), entry);
    case 'order_script': {
      const order = known(state.orders, entry.ref);
      order.script = merged(order.script, entry.script);
      return;
    }
    case 'outcome':
      known(state.orders, entry.ref).outcome = { ...entry.outcome };
      state.open.delete(entry.ref);
      return;
    default:
      applyCommon(state, entry, orderKey);
  }
}

function addOrder(state: Tables, order: Order): void {
  state.orders.set(order.ref, order);
  state.open.add(order.ref);
  append(state.byOrderId, orderKey(order), order.ref);
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
