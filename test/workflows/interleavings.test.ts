import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canBecome, isOpen, type PaymentStatus, type FinalStatus } from '../../domain/payment.ts';

/** The payment's rows as the activities see them. Each statement is atomic, and other actors may run between two statements. */
class Rows {
  status: PaymentStatus = 'PENDING';
  confirmed = false;
  readonly transitions: PaymentStatus[] = [];
  readonly postings: string[] = [];
  readonly events: number[] = [];
  readonly late = new Set<string>();

  /** The conditional update with posting and event in one transaction, as in `finalizePayment`. */
  settle(to: FinalStatus): FinalStatus | PaymentStatus {
    if (to === 'SUCCEEDED' && !this.confirmed) {
      throw new Error('not confirmed');
    }
    if (!isOpen(this.status) || !canBecome('PENDING', to)) {
      return this.status;
    }
    this.status = to;
    this.transitions.push(to);
    this.events.push(this.events.length + 1);
    if (to === 'SUCCEEDED') {
      this.postings.push('charge');
    }
    return to;
  }
}

type Actor = 'browser' | 'ipn' | 'sweep' | 'expiry';

/** Runs one actor: query the gateway, then finalize by its answer. A step may be lost and is then repeated. */
async function act(
  rows: Rows,
  gateway: { readonly paid: boolean },
  { actor, step, dies }: { actor: Actor; step: <T>(label: string, work: () => T) => Promise<T>; dies: boolean },
): Promise<void> {
  for (let run = 0; run < (dies ? 2 : 1); run += 1) {
    const open = await step(`${actor} looks`, () => isOpen(rows.status));
    const paid = await step(`${actor} asks`, () => gateway.paid);
    if (!open) {
      // Unapplied money is posted once by its cause, however many actors find it.
      if (paid) {
        await step(`${actor} books unapplied money`, () => rows.status !== 'SUCCEEDED' && rows.late.add('charge'));
      }
      continue;
    }
    if (paid) {
      await step(`${actor} confirms`, () => {
        rows.confirmed = true;
      });
      const end = await step(`${actor} settles`, () => rows.settle('SUCCEEDED'));
      if (end !== 'SUCCEEDED') {
        await step(`${actor} books unapplied money`, () => rows.late.add('charge'));
      }
    } else if (actor === 'expiry') {
      await step(`${actor} settles`, () => rows.settle('EXPIRED'));
    }
  }
}

test('any interleaving of return, IPNs, sweeper and expiry makes one transition, one event, and books a charge once', async () => {
  // Target T-21: a charge may happen at any moment, and actors may die and start again.
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.boolean(),
      fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
      async (scheduler, paysEventually, deaths) => {
        const rows = new Rows();
        const gateway = { paid: false };
        const step = async <T>(label: string, work: () => T): Promise<T> => {
          await scheduler.schedule(Promise.resolve(), label);
          return work();
        };
        const actors: Actor[] = ['browser', 'ipn', 'ipn', 'ipn', 'sweep', 'expiry'];
        const all = Promise.all([
          ...(paysEventually
            ? [
                step('the payer pays', () => {
                  gateway.paid = true;
                }),
              ]
            : []),
          ...actors.map((actor, index) => act(rows, gateway, { actor, step, dies: deaths[index] ?? false })),
        ]);
        await scheduler.waitFor(all);
        // The gateway's last IPN. After it nothing more arrives.
        const last = act(rows, gateway, { actor: 'ipn', step, dies: false });
        await scheduler.waitFor(last);
        await scheduler.waitFor(act(rows, gateway, { actor: 'expiry', step, dies: false }));
        expect(rows.transitions).toHaveLength(1);
        expect(rows.events).toEqual([1]);
        expect(isOpen(rows.status)).toBe(false);
        expect(rows.postings.length + rows.late.size).toBe(paysEventually ? 1 : 0);
        expect(rows.postings.length).toBe(rows.status === 'SUCCEEDED' ? 1 : 0);
      },
    ),
    { numRuns: 500 },
  );
});
