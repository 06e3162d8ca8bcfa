import type { Kind } from './kinds.ts';
import { PLAIN, type Style } from './pen.ts';
import type { PlannedFile, PlannedRow, Scene } from './scene.ts';

/** Writes some trade into a file: charges, a refund, something negative, and one difference, so that the file is seen to be read exactly. */
function fill(scene: Scene, file: PlannedFile, charges = 5): PlannedRow[] {
  const rows: PlannedRow[] = [];
  for (let count = 0; count < charges; count += 1) {
    const sale = scene.sale({ storeId: file.store, amountMinor: BigInt(scene.random.between(10_000, 1_500_000_000)) });
    rows.push(scene.write(scene.factOf(sale), { file }));
  }
  const refunded = scene.sale({ storeId: file.store, amountMinor: 12_345_678_901n });
  rows.push(scene.write(scene.factOf(refunded), { file }));
  const refund = scene.refund(refunded, 12_345_678_900n);
  rows.push(scene.write(scene.refundFactOf(refunded, refund, 'own id'), { file }));
  // Another amount each time: bKash's statement gives it no id, and a row that says the same in two files is one.
  const heldMinor = 123_456_789n + BigInt(scene.next());
  rows.push(scene.write(scene.factAlone('RESERVE', -heldMinor, { text: 'Hold, "rolling"' }), { file }));
  const changed = scene.sale({ storeId: file.store });
  const grossMinor = changed.movement.amountMinor + 1n;
  rows.push(scene.write(scene.factOf(changed, { grossMinor }), { file, label: 'FLAGGED AMOUNT' }));
  scene.expect(changed.movement, 'FLAGGED AMOUNT');
  return rows;
}

function styled(name: string, style: Partial<Style>): Kind {
  return { name, plant: (scene) => void fill(scene, scene.file({ style: { ...PLAIN, ...style } })) };
}

/** What can be wrong with a file as a whole, or only looks so. */
export const FILE_KINDS: readonly Kind[] = [
  styled('byte order mark', { encoding: 'utf-8 with mark', newline: '\r\n' }),
  styled('UTF-16', { encoding: 'utf-16le', newline: '\r\n' }),
  styled('UTF-16, big end first', { encoding: 'utf-16be' }),
  styled('Bangla digits', { bangla: true }),
  styled('lakh grouping', { grouping: 'lakh' }),
  styled('lakh grouping in Bangla digits, UTF-16', { grouping: 'lakh', bangla: true, encoding: 'utf-16le' }),
  styled('thousands and trailing minus', { grouping: 'thousands', negative: 'trailing minus' }),
  styled('parentheses', { negative: 'parentheses', grouping: 'thousands' }),
  styled('trailing total', { total: true }),
  styled('guarded ids', { guardedIds: true }),
  styled('empty rows', { emptyRows: true }),
  {
    name: 'same rows under another name',
    plant(scene) {
      const rows = fill(scene, scene.file());
      const copies: readonly Style[] = [PLAIN, { ...PLAIN, encoding: 'utf-16le', grouping: 'lakh', newline: '\r\n' }];
      for (const style of copies) {
        const copy = scene.file({ style });
        rows.forEach((row) => scene.repeat(row, copy));
      }
    },
  },
  {
    name: 'overlapping windows',
    plant(scene) {
      const first = scene.file();
      const second = scene.file();
      const rows = fill(scene, first, 8);
      rows.slice(4).forEach((row) => scene.repeat(row, second));
      fill(scene, second, 3);
    },
  },
  {
    name: 'duplicated line in overlapping windows',
    plant(scene) {
      const [first, second] = [scene.file(), scene.file()];
      const fact = scene.factOf(scene.sale({ storeId: first.store }));
      const row = scene.write(fact, { file: first });
      const again = scene.write(fact, { file: first, label: 'FLAGGED DUPLICATE', movedMinor: 0n });
      [row, again].forEach((known) => scene.repeat(known, second));
    },
  },
  {
    name: 'truncated file',
    plant(scene) {
      const file = scene.file();
      fill(scene, file);
      const sale = scene.sale({ storeId: file.store });
      scene.write(scene.factOf(sale), { file, cutAfterCells: 3, label: 'REJECTED TOO_FEW_FIELDS' });
      scene.expect(sale.movement, 'FLAGGED MISSING_IN_PAYOUT');
    },
  },
];
