import { judge } from '../../domain/payouts/judge.ts';
import type { Movement, StoredLine } from '../../domain/payouts/matching.ts';
import type { Matcher } from './check-corpus.ts';

type Books = Parameters<Matcher>[0];

/** Matchers with a fault that others have had. The corpus has to show each of them. */
export const FAULTY_MATCHERS: Readonly<Record<string, Matcher>> = {
  'matches by the amount alone': (books, by) => judge({ ...books, lines: byAmount(books) }, by),
  'takes empty references as equal': (books, by) => {
    const nameless = books.movements.filter(({ kind, gatewayTxnId }) => kind === 'CHARGE' && isEmpty(gatewayTxnId));
    const lines = books.lines.map((line) =>
      isEmpty(line.gatewayTxnId) && isEmpty(line.attemptReference)
        ? { ...line, attemptReference: nameless.shift()?.attemptReference ?? null }
        : line,
    );
    return judge({ ...books, lines }, by);
  },
  'tolerates 3 %': (books, by) =>
    judge({ ...books, lines: ofTheirMovements(books, (line, movement) => nearly(line, movement)) }, by),
  'tolerates one minor unit': (books, by) =>
    judge(books, { ...by, settings: { ...by.settings, tolerance: { amountMinor: 1n, feeMinor: 1n } } }),
  'ignores fees': (books, by) =>
    judge(books, { ...by, settings: { ...by.settings, tolerance: { amountMinor: 0n, feeMinor: 10n ** 12n } } }),
  'ignores stores': (books, by) =>
    judge({ ...books, lines: ofTheirMovements(books, (line, { storeId }) => ({ ...line, storeId })) }, by),
  'ignores currencies': (books, by) =>
    judge({ ...books, lines: ofTheirMovements(books, (line, { currency }) => ({ ...line, currency })) }, by),
  'takes ids as numbers': (books, by) => {
    const asNumber = <Named extends { gatewayTxnId: string | null }>(named: Named): Named => ({
      ...named,
      gatewayTxnId: named.gatewayTxnId?.replace(/^0+/, '') ?? null,
    });
    return judge({ ...books, movements: books.movements.map(asNumber), lines: books.lines.map(asNumber) }, by);
  },
  'ignores attempt references': (books, by) =>
    judge({ ...books, lines: books.lines.map((line) => ({ ...line, attemptReference: null })) }, by),
  'ignores transaction ids': (books, by) =>
    judge({ ...books, lines: books.lines.map((line) => ({ ...line, gatewayTxnId: null })) }, by),
  'takes the first of two lines and forgets the second': (books, by) => {
    const said = judge(books, by);
    return {
      ...said,
      lines: said.lines.map((verdict) =>
        verdict.reason === 'DUPLICATE' ? { ...verdict, status: 'MATCHED', reason: null } : verdict,
      ),
    };
  },
  'matches one line with one movement': (books, by) => {
    const first = new Map(books.lines.toReversed().map((line) => [line.gatewayTxnId, line.id]));
    const lines = books.lines.map((line) =>
      first.get(line.gatewayTxnId) === line.id ? line : { ...line, gatewayTxnId: null, attemptReference: null },
    );
    return judge({ ...books, lines }, by);
  },
  'takes a refund for any refund of its charge': (books, by) =>
    judge(
      {
        ...books,
        movements: books.movements.map((movement) => ({ ...movement, gatewayRefundId: null, refundReference: null })),
      },
      by,
    ),
  'calls everything due at once': (books, by) =>
    judge(books, { ...by, settings: { ...by.settings, expectedWithinDays: 0 } }),
  'takes Fridays for business days': (books, by) =>
    judge(books, {
      ...by,
      settings: { ...by.settings, businessDays: { ...by.settings.businessDays, weeklyHolidays: [] } },
    }),
  'waits for nothing that is pending': (books, by) => judge({ ...books, pendingReferences: new Set() }, by),
  'takes any word of a person': (books, by) =>
    judge({ ...books, lines: books.lines.map((line) => ({ ...line, word: null })) }, by),
  'adds up no costs': ({ costSums: _sums, ...books }, by) => judge(books, by),
  'takes any rate': (books, by) =>
    judge(books, {
      ...by,
      settings: { ...by.settings, rates: by.settings.rates.map((rate) => ({ ...rate, toleranceBps: 10_000 })) },
    }),
  'believes every dispute': (books, by) => {
    const movements = books.movements.map((movement) => ({ ...movement, disputedMinor: movement.amountMinor }));
    return judge({ ...books, movements }, by);
  },
  'loses a line': (books, by) => {
    const said = judge(books, by);
    return { ...said, lines: said.lines.slice(1) };
  },
  'judges a line twice': (books, by) => {
    const said = judge(books, by);
    return { ...said, lines: [...said.lines, ...said.lines.slice(0, 1)] };
  },
};

function isEmpty(reference: string | null): boolean {
  return reference === null || reference.trim() === '';
}

/** Lends lines that name nothing the ids of a movement with their amount. */
function byAmount({ movements, lines }: Books): StoredLine[] {
  const ids = new Set(movements.flatMap(({ gatewayTxnId, attemptReference }) => [gatewayTxnId, attemptReference]));
  const named = new Set(lines.flatMap(({ gatewayTxnId, attemptReference }) => [gatewayTxnId, attemptReference]));
  const open = movements.filter(
    ({ kind, gatewayTxnId, attemptReference }) =>
      kind === 'CHARGE' && !named.has(gatewayTxnId) && !named.has(attemptReference),
  );
  return lines.map((line) => {
    if (line.kind !== 'CHARGE' || ids.has(line.gatewayTxnId) || ids.has(line.attemptReference)) {
      return line;
    }
    const found = open.find(({ amountMinor }) => amountMinor === line.grossMinor);
    return found === undefined
      ? line
      : { ...line, gatewayTxnId: found.gatewayTxnId, attemptReference: found.attemptReference };
  });
}

function ofTheirMovements(
  { movements, lines }: Books,
  change: (line: StoredLine, movement: Movement) => StoredLine,
): StoredLine[] {
  const byAttempt = new Map(
    movements.filter(({ kind }) => kind === 'CHARGE').map((movement) => [movement.attemptReference, movement]),
  );
  return lines.map((line) => {
    const movement = byAttempt.get(line.attemptReference ?? '');
    return movement === undefined ? line : change(line, movement);
  });
}

function nearly(line: StoredLine, { amountMinor }: Movement): StoredLine {
  const differenceMinor = line.grossMinor - amountMinor;
  const isNear = line.kind === 'CHARGE' && differenceMinor ** 2n * 10_000n <= (amountMinor * 3n) ** 2n;
  return isNear ? { ...line, grossMinor: amountMinor } : line;
}
