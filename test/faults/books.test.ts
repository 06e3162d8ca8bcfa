import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readByHand } from '../../proofs/faults/books/manual.ts';
import { readNagadOrders } from '../../proofs/faults/books/nagad.ts';
import { BY_HAND, handEnd } from './round-evidence.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lenden-books-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("the reader of Nagad's journal", () => {
  const order = (ref: string) => ({
    type: 'order',
    order: { ref, merchantId: '683000000000101', orderId: `order${ref}`, script: {}, stage: 'Initiated' },
  });
  const purchase = (ref: string, script: object = {}) => ({ type: 'purchase', ref, script, purchase: {} });
  const read = async (...entries: object[]) => {
    const file = join(folder, 'journal.jsonl');
    appendFileSync(file, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
    const orders = await readNagadOrders(file)();
    return orders.map(({ key, tranId, outcome, outcomeIsSaid }) => ({ key, tranId, outcome, outcomeIsSaid }));
  };

  test.each([
    ['Success', 'VALID'],
    ['Failed', 'FAILED'],
    ['Aborted', 'CANCELLED'],
    ['Cancelled', 'CANCELLED'],
  ])('calls %s what other gateways call %s', async (status, outcome) => {
    // Otherwise the judges would not know the gateway's status.
    const ended = { type: 'outcome', ref: 'A', outcome: { status, at: 1 } };
    expect(await read(order('A'), purchase('A'), { type: 'settings', settings: {} }, ended)).toEqual([
      { key: 'A', tranId: 'orderA', outcome, outcomeIsSaid: true },
    ]);
  });

  test('has only orders that were completed, since nobody can pay the others', async () => {
    // Otherwise a second initialization would be reported as a second order.
    expect(await read(order('A'), order('B'), purchase('B'))).toMatchObject([{ key: 'B', outcome: null }]);
  });

  test('knows what no verification ever says', async () => {
    // Otherwise a payment that only an operator can end would be reported as a defect.
    const held = purchase('A', { faults: { verify: [{ kind: 'fields', set: { status: 'Held' } }] } });
    const first = purchase('B', { faults: { verify: [{ kind: 'fields', set: { status: 'InProgress' }, times: 2 }] } });
    const never = purchase('C', { when: 'never' });
    const begun = { type: 'stage', ref: 'C', stage: 'InProgress' };
    expect(await read(order('A'), order('B'), order('C'), held, first, never, begun)).toMatchObject([
      { key: 'A', outcomeIsSaid: false },
      { key: 'B', outcomeIsSaid: true },
      { key: 'C', outcome: 'PROCESSING', outcomeIsSaid: false },
    ]);
  });
});

describe("the operators' journal as the book of a gateway", () => {
  test('has a charge for each transaction that is confirmed, and an order for each attempt that was written for', () => {
    // The judges of charges need these entries: without a charge no manual payment may succeed.
    const { sessions, charges } = readByHand([
      handEnd({ id: 1, code: 'A', status: 'REJECTED' }),
      handEnd({ id: 2, code: 'A', transaction: ' tx-1 ' }),
      handEnd({ id: 3, code: 'B', status: 'WAITING' }),
      { ...handEnd({ id: 4, code: 'C' }), status: 503 },
    ]);
    expect(sessions).toMatchObject([
      { tranId: 'A', mark: BY_HAND.mark, outcome: 'VALID' },
      { tranId: 'B', outcome: null },
    ]);
    expect(charges).toMatchObject([{ gateway: 'manual', tranId: 'A', valId: 'TX1', amountMinor: '16000' }]);
  });
});
