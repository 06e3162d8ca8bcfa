import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { InvoiceAmountError, InvoiceRounding } from '../../domain/invoice-totals.ts';
import { checkInstallments, PLAN_STEPS, planned, shared } from '../../domain/installments.ts';

describe('installments', () => {
  test('of a plan are equal, and what does not divide goes to the first', () => {
    expect(planned(10_000n, { count: 3, every: 'MONTH', firstDueDate: '2027-01-31' })).toEqual([
      { dueDate: '2027-01-31', amountMinor: 3_334n },
      { dueDate: '2027-02-28', amountMinor: 3_333n },
      { dueDate: '2027-03-31', amountMinor: 3_333n },
    ]);
  });

  test('by shares leave the rest to the last', () => {
    const parts = [
      { dueDate: '2027-01-01', basisPoints: 3_333n },
      { dueDate: '2027-02-01', basisPoints: 3_333n },
      { dueDate: '2027-03-01', basisPoints: 3_334n },
    ];
    const amounts = (rounding: InvoiceRounding, totalMinor = 1_000n): bigint[] =>
      shared(totalMinor, parts, rounding).map(({ amountMinor }) => amountMinor);
    expect(amounts('DOWN')).toEqual([333n, 333n, 334n]);
    expect(amounts('HALF_UP')).toEqual([333n, 333n, 334n]);
    expect(amounts('UP')).toEqual([334n, 334n, 332n]);
    // Rounding of a fraction of a minor unit: 3 333 of 10 000 of 5 001 is 1 666.8333.
    expect(amounts('DOWN', 5_001n)).toEqual([1_666n, 1_666n, 1_669n]);
    expect(amounts('HALF_UP', 5_001n)).toEqual([1_667n, 1_667n, 1_667n]);
  });

  test('of any plan and total add up, rise in time and pass the check', () => {
    const plan = fc.record({
      count: fc.integer({ min: 1, max: 120 }),
      every: fc.constantFrom(...PLAN_STEPS),
      firstDueDate: fc.constantFrom('2026-11-30', '2027-01-31', '2028-02-29', '2027-12-31'),
    });
    fc.assert(
      fc.property(fc.bigInt(120n, 10n ** 12n), plan, (total, given) => {
        const installments = planned(total, given);
        checkInstallments(installments, total);
        expect(installments).toHaveLength(given.count);
        const amounts = installments.map(({ amountMinor }) => amountMinor);
        expect((amounts[0] ?? 0n) - (amounts.at(-1) ?? 0n) <= 1n).toBe(true);
      }),
    );
  });

  test.each<[string, { dueDate: string; amountMinor: bigint }[], string]>([
    ['that do not add up', [{ dueDate: '2027-01-01', amountMinor: 99n }], 'installments'],
    [
      'of nothing',
      [
        { dueDate: '2027-01-01', amountMinor: 100n },
        { dueDate: '2027-01-02', amountMinor: 0n },
      ],
      'installments.1',
    ],
    [
      'twice a day',
      [
        { dueDate: '2027-01-01', amountMinor: 50n },
        { dueDate: '2027-01-01', amountMinor: 50n },
      ],
      'installments.1',
    ],
    [
      'that go back in time',
      [
        { dueDate: '2027-01-02', amountMinor: 50n },
        { dueDate: '2027-01-01', amountMinor: 50n },
      ],
      'installments.1',
    ],
  ])('%s are refused', (_name, installments, field) => {
    expect((failureOf(() => checkInstallments(installments, 100n)) as InvoiceAmountError).field).toBe(field);
  });
});

function failureOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return null;
}
