import type { Fact } from './fact.ts';
import { daysLater, GUARDED_STORE, type PlannedFile, type Sale, type Scene, WORD_MAX_MINOR } from './scene.ts';

/** A kind of difference, or of what looks like one: it invents its own trade, writes it, and labels every row and movement. */
export interface Kind {
  readonly name: string;
  readonly plant: (scene: Scene) => void;
}

const LATER = '2026-11-23';
/** A Thursday. Gateways rest on Friday and Saturday, so three business days later it is Tuesday the 24th. */
const BEFORE_A_WEEKEND = '2026-11-19';

/** The row of a sale, changed. What it says wrongly never moved. */
function wrong(scene: Scene, sale: Sale, changes: Partial<Fact>, reason: string): void {
  const fact = scene.factOf(sale);
  scene.moved(fact, fact.grossMinor - fact.feeMinor - fact.taxMinor);
  scene.write({ ...fact, ...changes }, { label: `FLAGGED ${reason}`, movedMinor: 0n });
  scene.expect(sale.movement, `FLAGGED ${reason}`);
}

/** A sale whose row is as it should be. */
function right(scene: Scene, changes: Parameters<Scene['sale']>[0] = {}): Sale {
  const sale = scene.sale(changes);
  scene.write(scene.factOf(sale));
  return sale;
}

const amounts: readonly Kind[] = [
  { name: 'plain', plant: (scene) => void right(scene) },
  {
    name: 'changed amount',
    plant(scene) {
      const sale = scene.sale();
      const { amountMinor } = sale.movement;
      const changes = [amountMinor - 1n, amountMinor + 1n, amountMinor - amountMinor / 50n, amountMinor * 10n];
      wrong(scene, sale, { grossMinor: scene.random.pick(changes) }, 'AMOUNT');
    },
  },
  {
    name: 'wrong fee',
    plant(scene) {
      const sale = scene.sale();
      wrong(scene, sale, { feeMinor: sale.feeMinor + scene.random.pick([1n, -1n, 500n]) }, 'FEE');
    },
  },
  {
    name: 'wrong tax',
    plant(scene) {
      const sale = scene.sale();
      wrong(scene, sale, { taxMinor: sale.taxMinor + scene.random.pick([1n, -1n, 75n]) }, 'FEE');
    },
  },
  {
    name: 'VAT in a line of its own',
    plant(scene) {
      const sale = scene.sale();
      const fact = scene.factOf(sale, { taxMinor: 0n });
      scene.write(fact);
      scene.write({ ...fact, kind: 'TAX', grossMinor: -sale.taxMinor, feeMinor: 0n, lineId: `L${scene.next()}` });
    },
  },
  {
    name: 'wrong VAT in a line of its own',
    plant(scene) {
      const sale = scene.sale();
      const fact = scene.factOf(sale, { taxMinor: 0n });
      scene.write(fact, { label: 'FLAGGED FEE' });
      const grossMinor = -sale.taxMinor - 1n;
      scene.write({ ...fact, kind: 'TAX', grossMinor, feeMinor: 0n, lineId: `L${scene.next()}` });
      scene.expect(sale.movement, 'FLAGGED FEE');
    },
  },
  {
    name: 'split over two payouts',
    plant(scene) {
      const sale = scene.sale();
      const fact = scene.factOf(sale);
      const firstMinor = sale.movement.amountMinor / 3n;
      const restMinor = sale.movement.amountMinor - firstMinor;
      scene.write({ ...fact, grossMinor: firstMinor, feeMinor: 0n, taxMinor: 0n });
      scene.write(scene.factOf(sale, { grossMinor: restMinor, paidOutOn: daysLater(fact.paidOutOn, 1) }));
    },
  },
  {
    name: 'charge taken back',
    plant(scene) {
      const sale = right(scene);
      const back = { grossMinor: -sale.movement.amountMinor, feeMinor: -sale.feeMinor, taxMinor: -sale.taxMinor };
      const label = 'FLAGGED AMOUNT';
      scene.write(scene.factOf(sale, { ...back, paidOutOn: LATER }), { label });
      scene.expect(sale.movement, label);
    },
  },
  {
    name: 'adjustment that corrects a charge',
    plant(scene) {
      const sale = scene.sale();
      scene.write(scene.factOf(sale, { grossMinor: sale.movement.amountMinor - 700n }));
      const correction = {
        kind: 'ADJUSTMENT',
        grossMinor: 700n,
        feeMinor: 0n,
        taxMinor: 0n,
        paidOutOn: LATER,
      } as const;
      scene.write(scene.factOf(sale, correction));
    },
  },
];

const lines: readonly Kind[] = [
  {
    name: 'missing line',
    plant(scene) {
      const sale = scene.sale();
      const fact = scene.factOf(sale);
      scene.moved(fact, fact.grossMinor - fact.feeMinor - fact.taxMinor);
      scene.expect(sale.movement, 'FLAGGED MISSING_IN_PAYOUT');
    },
  },
  {
    name: 'not yet due',
    plant(scene) {
      for (const date of [BEFORE_A_WEEKEND, LATER]) {
        scene.expect(scene.sale({ date }).movement, 'DEFERRED');
      }
    },
  },
  {
    name: 'duplicated line',
    plant(scene) {
      const sale = scene.sale();
      const fact = scene.factOf(sale);
      scene.write(fact);
      scene.write(fact, { label: 'FLAGGED DUPLICATE', movedMinor: 0n });
    },
  },
  {
    name: 'paid out twice',
    plant(scene) {
      const sale = right(scene);
      scene.write(scene.factOf(sale, { paidOutOn: LATER }), { label: 'FLAGGED DUPLICATE' });
    },
  },
  {
    name: 'late line',
    plant(scene) {
      const sale = scene.sale();
      scene.write(scene.factOf(sale, { paidOutOn: LATER }), { late: true });
      scene.expect(sale.movement, 'MATCHED', 'FLAGGED MISSING_IN_PAYOUT');
    },
  },
  {
    name: 'foreign line',
    plant(scene) {
      const { amountMinor } = right(scene).movement;
      const fact = scene.factAlone('CHARGE', amountMinor, scene.strangeIds());
      scene.write(fact, { label: 'FLAGGED MISSING_INTERNALLY' });
    },
  },
  {
    name: 'wrong store',
    plant(scene) {
      const sale = scene.sale({ storeId: 'shop-2' });
      const label = 'FLAGGED WRONG_STORE';
      scene.write(scene.factOf(sale, { payout: 'PO-shop-1-2026-11-19' }), { store: 'shop-1', label });
      scene.expect(sale.movement, label);
    },
  },
  {
    name: 'attempt not yet confirmed',
    plant(scene) {
      const ids = scene.strangeIds();
      scene.pending.add(ids.attempt);
      scene.write(scene.factAlone('CHARGE', 12_345n, ids), { label: 'DEFERRED' });
    },
  },
  {
    name: 'second charge of an attempt',
    plant(scene) {
      const sale = right(scene);
      const { txnId } = scene.strangeIds();
      scene.write(scene.factOf(sale, { txnId }), { label: 'FLAGGED MISSING_INTERNALLY' });
    },
  },
  {
    name: 'fees, taxes and reserves of no charge',
    plant(scene) {
      scene.write(scene.factAlone('FEE', -5_000n));
      scene.write(scene.factAlone('TAX', -750n));
      scene.write(scene.factAlone('RESERVE', -100_000n));
      scene.write(scene.factAlone('RESERVE', 100_000n));
    },
  },
  {
    name: 'adjustment of no charge',
    plant: (scene) => void scene.write(scene.factAlone('ADJUSTMENT', -4_321n), { label: 'FLAGGED MISSING_INTERNALLY' }),
  },
  {
    name: 'negative payout',
    plant(scene) {
      const payout = `PO-shop-1-negative-${scene.next()}`;
      const sale = scene.sale({ amountMinor: 50_000n, storeId: 'shop-1' });
      const big = right(scene, { amountMinor: 900_000n, storeId: 'shop-1' });
      const refund = scene.refund(big, 900_000n);
      scene.write(scene.factOf(sale, { payout }));
      scene.write(scene.refundFactOf(big, refund, 'own id', { payout }));
    },
  },
];

const disputes: readonly Kind[] = [
  { name: 'dispute', plant: (scene) => void dispute(scene) },
  {
    name: 'dispute withdrawn',
    plant(scene) {
      const sale = dispute(scene);
      const given = { kind: 'DISPUTE', feeMinor: 0n, taxMinor: 0n, paidOutOn: LATER } as const;
      scene.write(scene.factOf(sale, given));
    },
  },
  {
    name: 'withdrawal of no dispute',
    plant(scene) {
      const sale = right(scene);
      const given = { kind: 'DISPUTE', feeMinor: 0n, taxMinor: 0n, paidOutOn: LATER } as const;
      scene.write(scene.factOf(sale, given), { label: 'FLAGGED AMOUNT' });
    },
  },
];

function dispute(scene: Scene): Sale {
  const sale = right(scene);
  const taken = { kind: 'DISPUTE', grossMinor: -sale.movement.amountMinor, feeMinor: 1_500n, taxMinor: 0n } as const;
  scene.write(scene.factOf(sale, { ...taken, paidOutOn: '2026-11-21' }));
  return sale;
}

const currencies: readonly Kind[] = [
  {
    name: 'other currency',
    plant: (scene) => wrong(scene, scene.sale(), { currency: 'EUR' }, 'CURRENCY'),
  },
  {
    name: 'converted at the stated rate',
    plant(scene) {
      const sale = scene.sale({ currency: 'EUR' });
      scene.write(convertedFact(scene, sale, 108_345n, '1.08345'));
    },
  },
  {
    name: 'converted, with a fee that only the row states',
    plant(scene) {
      const sale = scene.sale({ currency: 'EUR', feeMinor: 0n });
      scene.write(convertedFact(scene, sale, 108_345n, '1.08345'));
    },
  },
  {
    name: 'converted at another rate',
    plant(scene) {
      const sale = scene.sale({ currency: 'EUR' });
      const label = 'FLAGGED CURRENCY';
      scene.write(convertedFact(scene, sale, 108_345n, '1.09345'), { label });
      scene.expect(sale.movement, label);
    },
  },
];

function convertedFact(
  scene: Scene,
  sale: Sale,
  hundredThousandths: bigint,
  rate: string,
  changes: Partial<Fact> = {},
): Fact {
  const convert = (minor: bigint): bigint => (minor * hundredThousandths + 50_000n) / 100_000n;
  return scene.factOf(sale, {
    currency: scene.gateway.currency,
    paidIn: sale.movement.currency,
    rate,
    grossMinor: convert(sale.movement.amountMinor),
    feeMinor: convert(sale.feeMinor),
    taxMinor: convert(sale.taxMinor),
    ...changes,
  });
}

/** What one person's file says at a store where one person may not explain every amount. */
const words: readonly Kind[] = [
  {
    name: 'costs of no charge, as many as one person may explain',
    plant(scene) {
      const file = scene.guardedFile();
      scene.write(scene.factAlone('FEE', -400_000n), { file });
      scene.write(scene.factAlone('TAX', -100_000n), { file });
      scene.write(scene.factAlone('RESERVE', 300_000n), { file });
      scene.write(scene.factAlone('RESERVE', -200_000n), { file });
    },
  },
  {
    name: 'costs of no charge beyond what one person may explain, in two files',
    plant(scene) {
      const uploader = `person ${scene.next()}`;
      const [file, other] = [scene.guardedFile(uploader), scene.guardedFile(uploader)];
      scene.write(scene.factAlone('FEE', -600_000n), { file, label: 'FLAGGED FEE' });
      scene.write(scene.factAlone('TAX', -400_000n), { file: other, label: 'FLAGGED FEE' });
      scene.write(scene.factAlone('RESERVE', -1n), { file: other, label: 'FLAGGED AMOUNT' });
    },
  },
  {
    name: 'cost of a charge that nobody knows',
    plant(scene) {
      const file = scene.guardedFile();
      const label = 'FLAGGED MISSING_INTERNALLY';
      scene.write(scene.factAlone('FEE', -100n, scene.strangeIds()), { file, label });
      scene.write(scene.factAlone('RESERVE', -100n, scene.strangeIds()), { file, label });
    },
  },
  {
    name: 'reserve of a charge',
    plant(scene) {
      const sale = guardedSale(scene);
      const reserve = { kind: 'RESERVE', grossMinor: -5_000n, feeMinor: 0n, taxMinor: 0n } as const;
      scene.write(scene.factOf(sale, reserve), { file: sale.file });
    },
  },
  {
    name: 'cost of a charge whose line has not come',
    plant(scene) {
      const file = scene.guardedFile();
      const coming = scene.sale({ storeId: GUARDED_STORE, date: LATER });
      scene.write(scene.factOf(coming, TAX), { file, label: 'DEFERRED' });
      scene.expect(coming.movement, 'DEFERRED');
      const overdue = scene.sale({ storeId: GUARDED_STORE });
      scene.write(scene.factOf(overdue, TAX), { file, label: 'FLAGGED FEE' });
      scene.expect(overdue.movement, 'FLAGGED MISSING_IN_PAYOUT');
    },
  },
  {
    name: 'converted at a rate that was agreed',
    plant(scene) {
      const sale = scene.sale({ currency: 'EUR', storeId: GUARDED_STORE, amountMinor: 4_000_000n });
      scene.write(convertedFact(scene, sale, 109_000n, '1.09'), { file: scene.guardedFile() });
    },
  },
  {
    name: 'converted at a rate that was not agreed',
    plant(scene) {
      const label = 'FLAGGED CURRENCY';
      for (const [hundredThousandths, rate] of [
        [109_100n, '1.091'],
        [106_900n, '1.069'],
      ] as const) {
        const sale = scene.sale({ currency: 'EUR', storeId: GUARDED_STORE, amountMinor: 40_000n });
        scene.write(convertedFact(scene, sale, hundredThousandths, rate), { file: scene.guardedFile(), label });
        scene.expect(sale.movement, label);
      }
    },
  },
  {
    name: 'converted where no rate was agreed',
    plant(scene) {
      const small = scene.sale({ currency: 'GBP', storeId: GUARDED_STORE, amountMinor: 700_000n });
      scene.write(convertedFact(scene, small, 125_000n, '1.25'), { file: scene.guardedFile() });
      const label = 'FLAGGED CURRENCY';
      const large = scene.sale({ currency: 'GBP', storeId: GUARDED_STORE, amountMinor: 900_000n });
      scene.write(convertedFact(scene, large, 125_000n, '1.25'), { file: scene.guardedFile(), label });
      scene.expect(large.movement, label);
    },
  },
  {
    name: 'converted, with a fee beyond what one person may explain',
    plant(scene) {
      const sale = scene.sale({ currency: 'EUR', feeMinor: 0n, storeId: GUARDED_STORE, amountMinor: 4_000_000n });
      const taking = { feeMinor: WORD_MAX_MINOR + 1n, taxMinor: 0n };
      scene.write(convertedFact(scene, sale, 108_000n, '1.08', taking), {
        file: scene.guardedFile(),
        label: 'FLAGGED FEE',
      });
      scene.expect(sale.movement, 'FLAGGED FEE');
    },
  },
  {
    name: 'dispute of which the gateway does not tell',
    plant(scene) {
      for (const [grossMinor, label] of [
        [-WORD_MAX_MINOR, 'MATCHED'],
        [-WORD_MAX_MINOR - 1n, 'FLAGGED AMOUNT'],
      ] as const) {
        const sale = guardedSale(scene);
        scene.write(scene.factOf(sale, { ...TAKEN, grossMinor }), { file: sale.file, label });
      }
    },
  },
  {
    name: 'dispute beyond that of which the gateway tells',
    plant(scene) {
      for (const [grossMinor, label] of [
        [-1_200_000n, 'MATCHED'],
        [-1_200_001n, 'FLAGGED MISSING_INTERNALLY'],
      ] as const) {
        const sale = guardedSale(scene, 1_200_000n);
        scene.write(scene.factOf(sale, { ...TAKEN, grossMinor }), { file: sale.file, label });
      }
    },
  },
];

const TAX = { kind: 'TAX', grossMinor: -50n, feeMinor: 0n, taxMinor: 0n } as const;
const TAKEN = { kind: 'DISPUTE', feeMinor: 0n, taxMinor: 0n, paidOutOn: LATER } as const;

/** A sale of the guarded store whose row is as it should be. */
function guardedSale(scene: Scene, disputedMinor: bigint | null = null): Sale & { readonly file: PlannedFile } {
  const file = scene.guardedFile();
  const sale = scene.sale({ storeId: GUARDED_STORE, amountMinor: 2_000_000n, disputedMinor });
  scene.write(scene.factOf(sale), { file });
  return { ...sale, file };
}

const references: readonly Kind[] = [
  {
    name: 'id mangled by a spreadsheet',
    plant(scene) {
      const sale = scene.sale();
      const { movement } = sale;
      scene.write(scene.factOf(sale), {
        label: 'REJECTED MANGLED_ID',
        spoil: (cells) => cells.map((cell) => (cell === movement.gatewayTxnId ? '1.2E+10' : cell)),
      });
      scene.expect(movement, 'FLAGGED MISSING_IN_PAYOUT');
    },
  },
  {
    name: 'id that only looks mangled',
    plant(scene) {
      right(scene, { gatewayTxnId: `9E${String(scene.next()).padStart(8, '7')}` });
    },
  },
  {
    name: 'leading zeros lost',
    plant(scene) {
      const number = String(scene.next()).padStart(7, '0');
      const sale = scene.sale({ gatewayTxnId: `00${number}` });
      const fact = scene.factOf(sale, { txnId: number.replace(/^0+/, ''), attempt: '' });
      scene.write(fact, { label: 'FLAGGED MISSING_INTERNALLY' });
      scene.expect(sale.movement, 'FLAGGED MISSING_IN_PAYOUT');
    },
  },
  {
    name: 'empty references',
    plant(scene) {
      const sale = scene.sale({ gatewayTxnId: scene.random.pick([null, '', ' ']) });
      scene.write(scene.factOf(sale, { txnId: '', attempt: '' }), { label: 'FLAGGED MISSING_INTERNALLY' });
      scene.write(scene.factAlone('REFUND', -sale.movement.amountMinor), { label: 'FLAGGED REFUND_UNKNOWN' });
      scene.expect(sale.movement, 'FLAGGED MISSING_IN_PAYOUT');
    },
  },
  {
    name: 'attempt reference alone',
    plant(scene) {
      const sale = scene.sale();
      scene.write(scene.factOf(sale, { txnId: '' }));
    },
  },
  {
    name: 'transaction id alone',
    plant(scene) {
      const sale = scene.sale();
      scene.write(scene.factOf(sale, { attempt: '' }));
    },
  },
  {
    name: 'shared transaction id',
    plant(scene) {
      const first = right(scene, { storeId: 'shop-1' });
      right(scene, { storeId: 'shop-1', gatewayTxnId: first.movement.gatewayTxnId });
    },
  },
  {
    name: 'shared transaction id and nothing else',
    plant(scene) {
      const first = scene.sale({ storeId: 'shop-1' });
      const second = scene.sale({ storeId: 'shop-1', gatewayTxnId: first.movement.gatewayTxnId });
      for (const sale of [first, second]) {
        scene.write(scene.factOf(sale, { attempt: '' }), { label: 'FLAGGED MISSING_INTERNALLY' });
        scene.expect(sale.movement, 'FLAGGED MISSING_IN_PAYOUT');
      }
    },
  },
  {
    name: 'references of two charges',
    plant(scene) {
      const [first, second] = [scene.sale({ storeId: 'shop-1' }), scene.sale({ storeId: 'shop-1' })];
      scene.write(scene.factOf(first, { attempt: second.movement.attemptReference }), {
        label: 'FLAGGED MISSING_INTERNALLY',
      });
      scene.expect(first.movement, 'FLAGGED MISSING_IN_PAYOUT');
      scene.expect(second.movement, 'FLAGGED MISSING_IN_PAYOUT');
    },
  },
  {
    name: 'equal amounts in one second',
    plant(scene) {
      const alike = { amountMinor: 77_700n, date: '2026-11-11', time: '12:00:00', storeId: 'shop-1' };
      right(scene, alike);
      const missing = scene.sale(alike);
      right(scene, alike);
      scene.moved(scene.factOf(missing), 77_700n - missing.feeMinor - missing.taxMinor);
      scene.expect(missing.movement, 'FLAGGED MISSING_IN_PAYOUT');
      const stranger = scene.factOf(missing, scene.strangeIds());
      scene.write(stranger, { label: 'FLAGGED MISSING_INTERNALLY' });
    },
  },
];

const refunds: readonly Kind[] = [
  {
    name: 'refund by its own id',
    plant(scene) {
      const sale = right(scene);
      scene.write(scene.refundFactOf(sale, scene.refund(sale, sale.movement.amountMinor / 2n), 'own id'));
    },
  },
  {
    name: 'refunds by the id of their charge',
    plant(scene) {
      const sale = right(scene);
      const parts = [1_000n, 2_000n, 2_000n].map((amount) => scene.refund(sale, amount));
      parts.forEach((refund) => scene.write(scene.refundFactOf(sale, refund, 'charge')));
    },
  },
  {
    name: 'one line for two equal refunds',
    plant(scene) {
      const sale = right(scene);
      const parts = [1_500n, 1_500n].map((amount) => scene.refund(sale, amount));
      scene.write(scene.factOf(sale, { kind: 'REFUND', grossMinor: -1_500n, feeMinor: 0n, taxMinor: 0n }), {
        label: 'FLAGGED REFUND_UNKNOWN',
      });
      parts.forEach((refund) => scene.expect(refund, 'FLAGGED MISSING_IN_PAYOUT'));
    },
  },
  {
    name: 'one of two equal refunds, by its own id',
    plant(scene) {
      const sale = right(scene);
      const [paid, missing] = [scene.refund(sale, 1_500n), scene.refund(sale, 1_500n)];
      scene.write(scene.refundFactOf(sale, paid, 'own id'));
      scene.expect(missing, 'FLAGGED MISSING_IN_PAYOUT');
    },
  },
  {
    name: 'refund of another amount',
    plant(scene) {
      const sale = right(scene);
      const refund = scene.refund(sale, 4_000n);
      const fact = scene.refundFactOf(sale, refund, scene.random.pick(['own id', 'charge']));
      scene.write({ ...fact, grossMinor: -4_100n }, { label: 'FLAGGED AMOUNT' });
      scene.expect(refund, 'FLAGGED AMOUNT');
    },
  },
  {
    name: 'foreign refund',
    plant(scene) {
      const sale = right(scene);
      const fact = scene.factOf(sale, { kind: 'REFUND', grossMinor: -3_000n, feeMinor: 0n, taxMinor: 0n });
      scene.write({ ...fact, ...scene.random.pick([{}, scene.strangeIds()]) }, { label: 'FLAGGED REFUND_UNKNOWN' });
    },
  },
  {
    name: 'foreign refund beside ours',
    plant(scene) {
      const sale = right(scene);
      scene.write(scene.refundFactOf(sale, scene.refund(sale, 4_000n), 'charge'));
      scene.write(scene.factOf(sale, { kind: 'REFUND', grossMinor: -3_000n, feeMinor: 0n, taxMinor: 0n }), {
        label: 'FLAGGED REFUND_UNKNOWN',
      });
    },
  },
  {
    name: 'refund paid out twice',
    plant(scene) {
      const sale = right(scene);
      const refund = scene.refund(sale, 4_000n);
      scene.write(scene.refundFactOf(sale, refund, 'own id'));
      const again = scene.refundFactOf(sale, refund, 'own id', { paidOutOn: LATER });
      scene.write(again, { label: 'FLAGGED DUPLICATE' });
    },
  },
  {
    name: 'refund older than the window',
    plant(scene) {
      const sale = scene.sale({ date: '2025-12-30' });
      scene.write(scene.factOf(sale));
      const refund = scene.refund(sale, sale.movement.amountMinor, { happenedOn: '2026-11-15' });
      scene.write(scene.refundFactOf(sale, refund, 'charge', { at: '2026-11-15 10:00:00', paidOutOn: '2026-11-17' }));
    },
  },
  {
    name: 'refund that failed after it had succeeded',
    plant(scene) {
      const sale = right(scene);
      const refund = scene.refund(sale, 6_000n, { reversed: true });
      scene.write(scene.refundFactOf(sale, refund, 'own id'));
      scene.write(scene.refundFactOf(sale, refund, 'own id', { grossMinor: 6_000n, paidOutOn: LATER }));
    },
  },
  {
    name: 'refund reversed behind our back',
    plant(scene) {
      const sale = right(scene);
      const refund = scene.refund(sale, 6_000n);
      scene.write(scene.refundFactOf(sale, refund, 'own id'));
      const back = scene.refundFactOf(sale, refund, 'own id', { grossMinor: 6_000n, paidOutOn: LATER });
      scene.write(back, { label: 'FLAGGED AMOUNT' });
      scene.expect(refund, 'FLAGGED AMOUNT');
    },
  },
];

const rejections: readonly Kind[] = [
  { name: 'truncated line', plant: (scene) => rejected(scene, 'TOO_FEW_FIELDS', { cutAfterCells: 5 }) },
  {
    name: 'amount that is none',
    plant(scene) {
      const bad = scene.random.pick(['1.2E+05', '12,3,4', '100.001', 'n/a']);
      rejected(scene, 'BAD_AMOUNT', { spoil: (cells, gross) => cells.map((cell) => (cell === gross ? bad : cell)) });
    },
  },
  {
    name: 'date that is none',
    plant: (scene) =>
      rejected(scene, 'BAD_DATE', {
        spoil: (cells) => cells.map((cell) => (/\d:\d\d:\d/.test(cell) ? '31/02/2026 10:00:00' : cell)),
      }),
  },
];

interface Rejecting {
  readonly cutAfterCells?: number;
  readonly spoil?: (cells: string[], gross: string) => string[];
}

function rejected(scene: Scene, code: string, { spoil, cutAfterCells }: Rejecting): void {
  const sale = scene.sale();
  const fact = scene.factOf(sale);
  const digits = fact.grossMinor.toString();
  const gross = `${digits.slice(0, -2)}.${digits.slice(-2)}`;
  scene.write(fact, {
    label: `REJECTED ${code}`,
    ...(spoil === undefined ? {} : { spoil: (cells) => spoil(cells, gross) }),
    ...(cutAfterCells === undefined ? {} : { cutAfterCells }),
  });
  scene.expect(sale.movement, 'FLAGGED MISSING_IN_PAYOUT');
}

/** What can be wrong, or look wrong, within any file. */
export const LINE_KINDS: readonly Kind[] = [
  ...amounts,
  ...lines,
  ...disputes,
  ...currencies,
  ...words,
  ...references,
  ...refunds,
  ...rejections,
];
