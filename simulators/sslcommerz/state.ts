import { append, applyCommon, clearTables, createTables, known } from '../kit/state.ts';
import type { CommonEntry } from '../kit/state.ts';
import type { PayOutcome, Script } from './scripts.ts';
import { defaultSettings } from './settings.ts';
import type { Settings } from './settings.ts';

/*
 * The gateway's state. It results only from the journal's entries, so after kill -9 a restart knows exactly what was on disk. Instants are
 * milliseconds since 1970; amounts are decimal text.
 */

export type Session = {
  key: string;
  storeId: string;
  tranId: string;
  /** Taka. */
  amount: string;
  currency: string;
  currencyAmount: string;
  rate: string;
  values: { a: string; b: string; c: string; d: string };
  urls: { success: string; fail: string; cancel: string; ipn: string };
  multiCardName: string;
  productName: string;
  script: Script;
  createdAt: number;
  expiresAt: number;
  openedAt?: number;
  /** When the payer chose an instrument without having finished. */
  channelAt?: number;
  outcome?: Outcome;
};

export type Outcome = {
  status: PayOutcome;
  at: number;
  error: string;
  /** The instrument's id; '' if none was chosen. */
  instrument: string;
  valId: string;
  bankTranId: string;
  /** The amount charged, in taka, and its equivalent in the merchant's currency. */
  amount: string;
  currencyAmount: string;
  /** '' unless charged. */
  storeAmount: string;
  /** When the merchant first validated it. */
  validatedAt?: number;
};

export type Refund = {
  refId: string;
  /** '' from a client that sends none. */
  transId: string;
  storeId: string;
  sessionKey: string;
  bankTranId: string;
  /** Taka. */
  amount: string;
  remarks: string;
  acceptedAt: number;
  /** If absent, the refund stays processing. */
  dueAt?: number;
  ends: 'refunded' | 'cancelled' | 'failed';
  endedAt?: number;
};

export type Delivery = {
  id: string;
  sessionKey: string;
  url: string;
  /** The urlencoded body, fixed at creation: every attempt sends the same bytes. */
  body: string;
  attempts: { at: number; answer: string }[];
  /** Absent if the delivery is over, or is held until the control API sends it. */
  dueAt?: number;
  over: boolean;
};

/** How a merchant names one payment. */
type Named = Owner & { tranId: string };
export type Owner = { storeId: string };

export type Entry =
  | { type: 'session'; session: Session }
  | { type: 'opened'; key: string; at: number }
  | { type: 'channel'; key: string; at: number }
  | { type: 'outcome'; key: string; outcome: Outcome }
  | { type: 'validated'; key: string; at: number }
  | { type: 'session_script'; key: string; script: Script }
  | { type: 'refund'; refund: Refund }
  | { type: 'refund_ended'; refId: string; at: number }
  | { type: 'delivery'; delivery: Delivery }
  | { type: 'delivery_attempt'; id: string; at: number; answer: string; dueAt?: number; over: boolean }
  | { type: 'delivery_due'; id: string; dueAt: number }
  | CommonEntry<Owner, Named, Script, Settings>;

export type State = ReturnType<typeof createState>;

/** Creates the state of an empty gateway and the one function that changes it. */
export function createState() {
  const state = {
    sessions: new Map<string, Session>(),
    /** Keys of sessions in order of creation, by `storeId tranId`. */
    byTranId: new Map<string, string[]>(),
    byValId: new Map<string, string>(),
    byBankTranId: new Map<string, string>(),
    /** Sessions that can still expire. */
    open: new Set<string>(),
    refunds: new Map<string, Refund>(),
    refundsByBankTranId: new Map<string, string[]>(),
    /** By `storeId refund_trans_id`. */
    refundsByTransId: new Map<string, string>(),
    unfinishedRefunds: new Set<string>(),
    deliveries: new Map<string, Delivery>(),
    deliveriesBySession: new Map<string, string[]>(),
    unfinishedDeliveries: new Set<string>(),
    ...createTables<Owner, Script, Settings>(defaultSettings),
  };
  return Object.assign(state, { apply: (entry: Entry) => apply(state, entry) });
}

/** Clears everything, including the settings. */
export function clearState(state: State): void {
  clearTables(state, defaultSettings);
}

export function tranKey({ storeId, tranId }: { storeId: string; tranId: string }): string {
  return `${storeId} ${tranId}`;
}

type Tables = Omit<State, 'apply'>;

function apply(state: Tables, entry: Entry): void {
  switch (entry.type) {
    case 'session':
      return addSession(state, structuredClone(entry.session));
    case 'opened':
      known(state.sessions, entry.key).openedAt ??= entry.at;
      return;
    case 'channel':
      known(state.sessions, entry.key).channelAt ??= entry.at;
      return;
    case 'outcome':
      return addOutcome(state, entry.key, structuredClone(entry.outcome));
    case 'validated':
      return setValidated(state, entry);
    case 'session_script':
      known(state.sessions, entry.key).script = entry.script;
      return;
    case 'refund':
      return addRefund(state, structuredClone(entry.refund));
    case 'refund_ended':
      return endRefund(state, entry);
    default:
      return applyMachinery(state, entry);
  }
}

type MachineryEntry = Extract<
  Entry,
  {
    type:
      | 'delivery'
      | 'delivery_attempt'
      | 'delivery_due'
      | 'fault_used'
      | 'settings'
      | 'script_queued'
      | 'script_taken'
      | 'payout_step';
  }
>;

function applyMachinery(state: Tables, entry: MachineryEntry): void {
  switch (entry.type) {
    case 'delivery':
      state.deliveries.set(entry.delivery.id, structuredClone(entry.delivery));
      append(state.deliveriesBySession, entry.delivery.sessionKey, entry.delivery.id);
      state.unfinishedDeliveries.add(entry.delivery.id);
      return;
    case 'delivery_attempt':
      return addAttempt(state, entry);
    case 'delivery_due':
      return setDue(state, entry);
    default:
      applyCommon(state, entry, tranKey);
  }
}

function addSession(state: Tables, session: Session): void {
  state.sessions.set(session.key, session);
  state.open.add(session.key);
  append(state.byTranId, tranKey(session), session.key);
}

function addOutcome(state: Tables, key: string, outcome: Outcome): void {
  known(state.sessions, key).outcome = outcome;
  state.open.delete(key);
  if (outcome.valId !== '') {
    state.byValId.set(outcome.valId, key);
  }
  if (outcome.bankTranId !== '') {
    state.byBankTranId.set(outcome.bankTranId, key);
  }
}

function setValidated(state: Tables, { key, at }: { key: string; at: number }): void {
  const { outcome } = known(state.sessions, key);
  if (outcome) {
    outcome.validatedAt ??= at;
  }
}

function addRefund(state: Tables, refund: Refund): void {
  state.refunds.set(refund.refId, refund);
  append(state.refundsByBankTranId, refund.bankTranId, refund.refId);
  state.unfinishedRefunds.add(refund.refId);
  if (refund.transId !== '') {
    state.refundsByTransId.set(`${refund.storeId} ${refund.transId}`, refund.refId);
  }
}

function endRefund(state: Tables, { refId, at }: { refId: string; at: number }): void {
  const refund = state.refunds.get(refId);
  if (refund) {
    refund.endedAt = at;
  }
  state.unfinishedRefunds.delete(refId);
}

function addAttempt(state: Tables, entry: Extract<Entry, { type: 'delivery_attempt' }>): void {
  const delivery = state.deliveries.get(entry.id);
  if (!delivery) {
    return;
  }
  delivery.attempts.push({ at: entry.at, answer: entry.answer });
  delivery.over = entry.over;
  if (entry.dueAt === undefined) {
    delete delivery.dueAt;
  } else {
    delivery.dueAt = entry.dueAt;
  }
  if (entry.over) {
    state.unfinishedDeliveries.delete(entry.id);
  }
}

function setDue(state: Tables, { id, dueAt }: { id: string; dueAt: number }): void {
  const delivery = state.deliveries.get(id);
  if (delivery) {
    delivery.dueAt = dueAt;
    delivery.over = false;
    state.unfinishedDeliveries.add(id);
  }
}
