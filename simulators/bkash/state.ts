import type { Code } from './codes.ts';
import type { Script } from './scripts.ts';
import { defaultSettings } from './settings.ts';
import type { Settings } from './settings.ts';

/*
 * The gateway's state. It results only from the journal's entries, so after kill -9 a restart knows exactly what was on disk. Instants are
 * milliseconds since 1970; amounts are decimal text in taka.
 */

export type Payment = {
  id: string;
  /** Part of the link to the page. */
  hash: string;
  username: string;
  invoice: string;
  mode: string;
  intent: string;
  amount: string;
  currency: string;
  payerReference: string;
  callbackUrl: string;
  script: Script;
  createdAt: number;
  expiresAt: number;
  /** The payer chose a wallet and proved with OTP and PIN that it is theirs. Money has not moved yet. */
  verified?: { at: number; wallet: string };
  wrongPins: number;
  end?: End;
};

/** How a payment ended. Only `Completed` moved money: `amount` from the payer's wallet. */
export type End =
  | { status: 'Completed'; at: number; trxId: string; amount: string }
  | { status: 'Cancelled' | 'Failed' | 'Expired'; at: number; code?: Code };

export type Refund = { trxId: string; paymentId: string; amount: string; sku: string; reason: string; at: number };

export type Token = { token: string; kind: 'id' | 'refresh'; username: string; expiresAt: number };

export type QueuedScript = { id: string; username: string; script: Script; left: number };

export type Entry =
  | { type: 'payment'; payment: Payment }
  | { type: 'verified'; id: string; at: number; wallet: string }
  | { type: 'wrong_pin'; id: string }
  | { type: 'ended'; id: string; end: End }
  | { type: 'payment_script'; id: string; script: Script }
  | { type: 'refund'; refund: Refund }
  | { type: 'token_call'; username: string; at: number }
  | { type: 'token_block'; username: string; until: number }
  | { type: 'token'; token: Token }
  | { type: 'token_revoked'; username: string }
  | { type: 'fault_used'; counter: string }
  | { type: 'settings'; settings: Partial<Settings> }
  | { type: 'script_queued'; queued: QueuedScript }
  | { type: 'script_taken'; id: string; username: string; invoice: string };

export type State = ReturnType<typeof createState>;

/** Creates the state of an empty gateway and the one function that changes it. */
export function createState() {
  const state = {
    payments: new Map<string, Payment>(),
    /** Ids in order of creation, by `username invoice`. */
    byInvoice: new Map<string, string[]>(),
    byTrxId: new Map<string, string>(),
    /** The only refund of a payment, by payment id. */
    refunds: new Map<string, Refund>(),
    tokens: new Map<string, Token>(),
    tokenCalls: new Map<string, number[]>(),
    tokenBlocks: new Map<string, number>(),
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
    if (table instanceof Map) {
      table.clear();
    }
  }
  state.settings = { ...defaultSettings };
}

export function invoiceKey({ username, invoice }: { username: string; invoice: string }): string {
  return `${username} ${invoice}`;
}

type Tables = Omit<State, 'apply'>;

function apply(state: Tables, entry: Entry): void {
  switch (entry.type) {
    case 'payment':
      return addPayment(state, structuredClone(entry.payment));
    case 'verified':
      paymentOf(state, entry.id).verified ??= { at: entry.at, wallet: entry.wallet };
      return;
    case 'wrong_pin':
      paymentOf(state, entry.id).wrongPins += 1;
      return;
    case 'ended':
      return endPayment(state, entry.id, structuredClone(entry.end));
    case 'payment_script':
      paymentOf(state, entry.id).script = entry.script;
      return;
    case 'refund':
      state.refunds.set(entry.refund.paymentId, { ...entry.refund });
      return;
    case 'token_call':
    case 'token_block':
    case 'token':
    case 'token_revoked':
      return applyToken(state, entry);
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

function addPayment(state: Tables, payment: Payment): void {
  state.payments.set(payment.id, payment);
  const key = invoiceKey(payment);
  state.byInvoice.set(key, [...(state.byInvoice.get(key) ?? []), payment.id]);
}

function endPayment(state: Tables, id: string, end: End): void {
  paymentOf(state, id).end ??= end;
  if (end.status === 'Completed') {
    state.byTrxId.set(end.trxId, id);
  }
}

type TokenEntry = Extract<Entry, { type: 'token_call' | 'token_block' | 'token' | 'token_revoked' }>;

function applyToken(state: Tables, entry: TokenEntry): void {
  switch (entry.type) {
    case 'token_call': {
      const recent = (state.tokenCalls.get(entry.username) ?? []).filter((at) => at > entry.at - 3_600_000);
      state.tokenCalls.set(entry.username, [...recent, entry.at]);
      return;
    }
    case 'token_block':
      state.tokenBlocks.set(entry.username, entry.until);
      return;
    case 'token':
      state.tokens.set(entry.token.token, { ...entry.token });
      return;
    case 'token_revoked':
      for (const [text, token] of state.tokens) {
        if (token.username === entry.username) {
          state.tokens.delete(text);
        }
      }
  }
}

function takeScript(state: Tables, taken: { id: string; username: string; invoice: string }): void {
  const queued = state.queuedScripts.get(taken.id);
  if (queued) {
    state.takenScripts.set(invoiceKey(taken), queued.script);
    queued.left -= 1;
    if (queued.left <= 0) {
      state.queuedScripts.delete(taken.id);
    }
  }
}

function paymentOf(state: Tables, id: string): Payment {
  const payment = state.payments.get(id);
  if (!payment) {
    throw new Error(`The journal names the payment ${id} before it was made`);
  }
  return payment;
}
