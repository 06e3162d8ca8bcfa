import { append, applyCommon, clearTables, createTables, known } from '../kit/state.ts';
import type { CommonEntry } from '../kit/state.ts';
import type { Script } from './scripts.ts';
import { defaultSettings } from './settings.ts';
import type { Settings } from './settings.ts';

/*
 * The gateway's state. It results only from the journal's entries, so after kill -9 a restart knows exactly what was on disk. Instants are
 * milliseconds since 1970; amounts are integers of the currency's smallest unit.
 */

export type Session = {
  id: string;
  account: string;
  createdAt: number;
  expiresAt: number;
  reference: string | null;
  amount: number;
  currency: string;
  productName: string;
  successUrl: string;
  cancelUrl: string | null;
  email: string | null;
  locale: string | null;
  metadata: Readonly<Record<string, string>>;
  intentMetadata: Readonly<Record<string, string>>;
  script: Script;
  status: 'open' | 'complete' | 'expired';
  paid: boolean;
  /** Created when the payer first tries to pay. */
  intent?: Intent;
  /** The number of the card with which the payer is asked to confirm the payment. */
  confirming?: string | null;
  charge?: Charge;
};

export type Intent = {
  id: string;
  createdAt: number;
  status: 'requires_payment_method' | 'requires_action' | 'processing' | 'succeeded' | 'canceled';
  lastError?: { code: string; declineCode?: string; message: string };
  /** When and how a delayed method ends; absent means not by itself. */
  delayed?: { dueAt: number | null; ends: 'succeeded' | 'failed' };
};

export type Charge = {
  id: string;
  at: number;
  amount: number;
  fee: number;
  balanceTransaction: string | null;
  settledIn: string;
  /** What a unit of the session's currency is worth in `settledIn`, with six decimals; absent if that is the same currency. */
  rate?: string;
  card: { brand: string; last4: string } | null;
  riskLevel: string;
};

export type Refund = {
  id: string;
  sessionId: string;
  at: number;
  amount: number;
  reason: string | null;
  metadata: Readonly<Record<string, string>>;
  status: 'pending' | 'succeeded' | 'failed';
  dueAt: number | null;
  ends: 'succeeded' | 'failed';
};

/** An event. Its content is what was true when it was created, for every copy. */
export type Event = {
  id: string;
  account: string;
  sessionId: string;
  type: string;
  at: number;
  object: Readonly<Record<string, unknown>>;
  /** The previous values of changed members; absent for a new object. */
  previous?: Readonly<Record<string, unknown>>;
  deliveries: Delivery[];
};

export type Delivery = {
  /** Absent: not sent automatically. */
  dueAt?: number;
  attempts: { at: number; answer: string }[];
  over: boolean;
};

export type Saved = { fingerprint: string; status: number; body: unknown; at: number };
/** How a merchant names one payment. */
type Named = Owner & { reference: string };
export type Owner = { account: string };

export type Entry =
  | { type: 'session'; session: Session }
  | { type: 'session_changed'; id: string; change: Partial<Session> }
  | { type: 'refund'; refund: Refund }
  | { type: 'refund_changed'; id: string; status: Refund['status'] }
  | { type: 'event'; event: Event }
  | { type: 'delivery_due'; id: string; index: number; dueAt: number }
  | { type: 'delivery_attempt'; id: string; index: number; at: number; answer: string; over: boolean; dueAt?: number }
  | { type: 'saved'; key: string; saved: Saved }
  | CommonEntry<Owner, Named, Script, Settings>;

export type State = ReturnType<typeof createState>;

/** Creates the state of an empty gateway and the one function that changes it. */
export function createState() {
  const state = {
    sessions: new Map<string, Session>(),
    byReference: new Map<string, string[]>(),
    byIntent: new Map<string, string>(),
    byCharge: new Map<string, string>(),
    refunds: new Map<string, Refund>(),
    /** Ids in order of creation, by session. */
    refundsOf: new Map<string, string[]>(),
    events: new Map<string, Event>(),
    eventsOf: new Map<string, string[]>(),
    /** Events with a delivery that is not over. */
    undelivered: new Set<string>(),
    /** Sessions that end by time alone. */
    unfinished: new Set<string>(),
    pendingRefunds: new Set<string>(),
    saved: new Map<string, Saved>(),
    ...createTables<Owner, Script, Settings>(defaultSettings),
  };
  return Object.assign(state, { apply: (entry: Entry) => apply(state, entry) });
}

/** Clears everything, including the settings. */
export function clearState(state: State): void {
  clearTables(state, defaultSettings);
}

export function referenceKey({ account, reference }: { account: string; reference: string }): string {
  return `${account} ${reference}`;
}

type Tables = Omit<State, 'apply'>;

function apply(state: Tables, entry: Entry): void {
  switch (entry.type) {
    case 'session':
      addSession(state, structuredClone(entry.session));
      return;
    case 'session_changed':
      changeSession(state, entry.id, structuredClone(entry.change));
      return;
    case 'refund':
      addRefund(state, { ...entry.refund });
      return;
    case 'refund_changed':
      known(state.refunds, entry.id).status = entry.status;
      state.pendingRefunds.delete(entry.id);
      return;
    case 'event':
    case 'delivery_due':
    case 'delivery_attempt':
      applyEvent(state, entry);
      return;
    case 'saved':
      state.saved.set(entry.key, entry.saved);
      return;
    default:
      applyCommon(state, entry, referenceKey);
  }
}

function addSession(state: Tables, session: Session): void {
  state.sessions.set(session.id, session);
  state.unfinished.add(session.id);
  if (session.reference !== null) {
    append(state.byReference, referenceKey({ account: session.account, reference: session.reference }), session.id);
  }
}

function changeSession(state: Tables, id: string, change: Partial<Session>): void {
  const session = Object.assign(known(state.sessions, id), change);
  if (session.intent) {
    state.byIntent.set(session.intent.id, id);
  }
  if (session.charge) {
    state.byCharge.set(session.charge.id, id);
  }
  const waits = session.status === 'open' || typeof session.intent?.delayed?.dueAt === 'number';
  if (!waits || session.paid) {
    state.unfinished.delete(id);
  }
}

function addRefund(state: Tables, refund: Refund): void {
  state.refunds.set(refund.id, refund);
  append(state.refundsOf, refund.sessionId, refund.id);
  if (refund.status === 'pending') {
    state.pendingRefunds.add(refund.id);
  }
}

type EventEntry = Extract<Entry, { type: 'event' | 'delivery_due' | 'delivery_attempt' }>;

function applyEvent(state: Tables, entry: EventEntry): void {
  if (entry.type === 'event') {
    const event = structuredClone(entry.event);
    state.events.set(event.id, event);
    append(state.eventsOf, event.sessionId, event.id);
    if (event.deliveries.length > 0) {
      state.undelivered.add(event.id);
    }
    return;
  }
  const event = known(state.events, entry.id);
  if (entry.type === 'delivery_due') {
    event.deliveries[entry.index] = { attempts: [], ...event.deliveries[entry.index], over: false, dueAt: entry.dueAt };
    state.undelivered.add(event.id);
    return;
  }
  const { index, at, answer, over, dueAt } = entry;
  const attempts = [...(event.deliveries[index]?.attempts ?? []), { at, answer }];
  event.deliveries[index] = { attempts, over, ...(dueAt === undefined ? {} : { dueAt }) };
  if (event.deliveries.every((delivery) => delivery.over)) {
    state.undelivered.delete(event.id);
  }
}
