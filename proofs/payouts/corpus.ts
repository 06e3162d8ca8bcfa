import { Random } from '../simulation/random.ts';
import { FILE_KINDS } from './file-kinds.ts';
import { GATEWAY, GATEWAYS, type GatewayName } from './gateways.ts';
import { type Kind, LINE_KINDS } from './kinds.ts';
import { penOf, written } from './pen.ts';
import { type PlannedFile, type PlannedRow, Scene } from './scene.ts';

export interface CorpusSize {
  readonly seed: number;
  /** Charges of each gateway without any difference. */
  readonly plain: number;
  /** Times that each kind of difference is planted at each gateway. */
  readonly each: number;
}

export interface WrittenFile {
  readonly planned: PlannedFile;
  readonly bytes: Uint8Array;
  /** By physical line. */
  readonly rows: ReadonlyMap<number, PlannedRow>;
}

/** The trade of one gateway with its files. */
export interface GatewayCorpus {
  readonly gateway: GatewayName;
  readonly scene: Scene;
  readonly files: readonly WrittenFile[];
}

export const KINDS: readonly Kind[] = [...LINE_KINDS, ...FILE_KINDS];

/** Invents trade and writes it down, damaged. One seed gives the same bytes everywhere. */
export function makeCorpus({ seed, plain, each }: CorpusSize): GatewayCorpus[] {
  return GATEWAYS.map((gateway) => {
    const random = new Random(seed).fork(gateway);
    const scene = new Scene(GATEWAY[gateway], random);
    const [ordinary] = LINE_KINDS;
    const plan = [
      ...Array.from({ length: plain }, () => ordinary),
      ...KINDS.filter((kind) => kind !== ordinary).flatMap((kind) => Array.from({ length: each }, () => kind)),
    ].filter((kind) => kind !== undefined);
    for (const kind of shuffled(plan, random)) {
      scene.kind = kind.name;
      kind.plant(scene);
    }
    return { gateway, scene, files: scene.files.map((file) => writtenFile(file, gateway)) };
  });
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => ({ item, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

function writtenFile(planned: PlannedFile, name: GatewayName): WrittenFile {
  const { headings, cells, total, delimiter } = GATEWAY[name];
  const pen = penOf(planned.style);
  const rows: (readonly string[] | string)[] = [headings];
  const byLine = new Map<number, PlannedRow>();
  for (const row of planned.rows) {
    if (planned.style.emptyRows) {
      rows.push('', delimiter.repeat(headings.length - 1));
    }
    const plain = cells(row.fact, pen);
    const spoiled = row.spoil === undefined ? plain : row.spoil(plain);
    rows.push(row.cutAfterCells === undefined ? spoiled : spoiled.slice(0, row.cutAfterCells));
    byLine.set(rows.length, row);
  }
  if (planned.style.total) {
    rows.push(total(pen));
  }
  return { planned, rows: byLine, bytes: written(rows, { delimiter, style: planned.style }) };
}
