import { randomUUID } from 'node:crypto';
import type { ChargeLog } from '../charge-log.ts';
import type { Book, Made, Step } from './book.ts';
import { createBook, take } from './book.ts';
import type { PayoutSource } from './movements.ts';
import { settingsFor } from './settings.ts';
import type { PayoutChanges, PayoutSettings } from './settings.ts';

type Paying = {
  state: { settings: { payouts: PayoutChanges }; payoutSteps: ReadonlyMap<string, Step> };
  charges: ChargeLog;
  record(entry: { type: 'payout_step'; step: Step }): void;
  settled(): Promise<void>;
};

/** A step as it is asked for. */
export type Asked = Step extends infer One ? (One extends Step ? Omit<One, 'id' | 'at'> : never) : never;

/** Where a gateway's payouts are made and read. */
export type PayoutDesk = {
  source: PayoutSource;
  owners: readonly string[];
  book(): Book;
  /** Returns the settings of a merchant, as they are now. */
  settings(owner: string): PayoutSettings;
  /** Records a step once everything before it is on disk, and carries it out. */
  take(asked: Asked): Promise<Made>;
};

/** Creates the desk. The book is made again from the journal's steps whenever it does not belong to them: after a restart or a reset. */
export function createPayoutDesk(
  gateway: Paying,
  { source, owners }: { source: PayoutSource; owners: readonly string[] },
): PayoutDesk {
  let book = createBook();
  let taken: string[] = [];
  const catchUp = (): Made => {
    const steps = [...gateway.state.payoutSteps.values()];
    if (taken.some((id, index) => steps[index]?.id !== id)) {
      book = createBook();
      taken = [];
    }
    let made: Made = { payouts: [], planted: [] };
    for (const step of steps.slice(taken.length)) {
      made = take(book, step, { source, log: gateway.charges.lines() });
      taken.push(step.id);
    }
    return made;
  };
  return {
    source,
    owners,
    book() {
      catchUp();
      return book;
    },
    settings: (owner) => settingsFor(source.defaults, gateway.state.settings.payouts, owner),
    async take(asked) {
      catchUp();
      // After a crash, lines of the charge log are restored at its end: none may be counted before it is on disk.
      await gateway.settled();
      gateway.record({ type: 'payout_step', step: { ...asked, id: randomUUID(), at: Date.now() } });
      const made = catchUp();
      await gateway.settled();
      return made;
    },
  };
}
