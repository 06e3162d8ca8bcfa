import { append, applyCommon, clearTables, createTables, known } from '../kit/state.ts';
import type { CommonEntry } from '../kit/state.ts';
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

/** How a merchant names one payment. */
type Named = Owner & { invoice: string };
export type Owner = { username: string };

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
  | CommonEntry<Owner, Named, Script, Settings>;

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
    ...createTables<Owner, Script, Settings>(defaultSettings),
  };
  return Object.assign(state, { apply: (entry: Entry) => apply(state, entry) });
}

/** Clears everything, including the settings. */
export function clearState(state: State): void {
  clearTables(state, defaultSettings);
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
      known(state.payments, entry.id).verified ??= { at: entry.at, wallet: entry.wallet };
      return;
    case 'wrong_pin':
      known(state.payments, entry.id).wrongPins += 1;
      return;
    case 'ended':
      return endPayment(state, entry.id, structuredClone(entry.end));
    case 'payment_script':
      known(state.payments, entry.id).script = entry.script;
      return;
    case 'refund':
      state.refunds.set(entry.refund.paymentId, { ...entry.refund });
      return;
    case 'token_call':
    case 'token_block':
    case 'token':
    case 'token_revoked':
      return applyToken(state, entry);
    default:
      applyCommon(state, entry, invoiceKey);
  }
}

function addPayment(state: Tables, payment: Payment): void {
  state.payments.set(payment.id, payment);
  append(state.byInvoice, invoiceKey(payment), payment.id);
}

function endPayment(state: Tables, id: string, end: End): void {
  known(state.payments, id).end ??= end;
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
