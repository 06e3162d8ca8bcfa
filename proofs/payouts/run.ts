import { judge } from '../../domain/payouts/judge.ts';
import { checkCorpus, type Mismatch, type Planted, readCorpus, type ReadCorpus } from './check-corpus.ts';
import { type CorpusSize, type GatewayCorpus, makeCorpus } from './corpus.ts';
import { FAULTY_MATCHERS } from './faulty-matchers.ts';
import { GATEWAYS, type GatewayName } from './gateways.ts';

/** What the judge said of something that was planted to be noticed. */
interface Noticed {
  readonly planted: string;
  /** Verdicts at each gateway that differ from their labels. */
  readonly mismatches: Readonly<Record<GatewayName, number>>;
  /** Kinds of difference that showed it, in order of how often. */
  readonly kinds: readonly string[];
}

export interface ProofResult {
  readonly files: number;
  readonly rows: number;
  readonly movements: number;
  readonly payouts: number;
  /** Of all rows and movements: those labelled as a difference, those said to be one, and those of both that have the same label. */
  readonly differences: { readonly labelled: number; readonly said: number; readonly right: number };
  readonly mismatches: readonly Mismatch[];
  /** Rows, movements and payouts by kind and gateway. */
  readonly items: ReadonlyMap<string, Readonly<Record<GatewayName, number>>>;
  readonly noticed: readonly Noticed[];
}

/** Judges a corpus by the product's matcher, and then by each faulty one, to see that the corpus and its labels notice the fault. */
export async function provePayouts(size: CorpusSize, tell: (line: string) => void): Promise<ProofResult> {
  const corpus = makeCorpus(size);
  const read = await readAll(corpus, { storesKnownRows: false });
  const checked = read.map((part) => checkCorpus(part, { matcher: judge }));
  const mismatches = checked.flatMap((one) => one.mismatches);
  tell(`The product: ${mismatches.length} verdicts differ from their labels`);
  const readTwice = await readAll(corpus, { storesKnownRows: true });
  const faults: readonly { planted: string; parts: readonly ReadCorpus[]; how: Planted }[] = [
    ...Object.entries(FAULTY_MATCHERS).map(([planted, matcher]) => ({ planted, parts: read, how: { matcher } })),
    { planted: 'stores known rows again', parts: readTwice, how: { matcher: judge } },
    { planted: 'has wrong labels', parts: read, how: { matcher: judge, wrongLabels: true } },
  ];
  const noticed = faults.map(({ planted, parts, how }): Noticed => {
    const found = parts.map((part) => checkCorpus(part, how).mismatches);
    tell(`Planted: ${planted}: ${found.map(({ length }) => length).join(' + ')} verdicts differ`);
    return { planted, mismatches: perGateway((index) => found[index]?.length ?? 0), kinds: kindsOf(found.flat()) };
  });
  return {
    files: sum(corpus.map(({ files }) => files.length)),
    rows: sum(checked.map(({ rows }) => rows)),
    movements: sum(corpus.map(({ scene }) => scene.movements.length)),
    payouts: sum(checked.map(({ payouts }) => payouts)),
    differences: {
      labelled: sum(checked.map(({ differences }) => differences.labelled)),
      said: sum(checked.map(({ differences }) => differences.said)),
      right: sum(checked.map(({ differences }) => differences.right)),
    },
    mismatches,
    items: new Map(
      [...new Set(checked.flatMap(({ items }) => [...items.keys()]))]
        .sort()
        .map((kind) => [kind, perGateway((index) => checked[index]?.items.get(kind) ?? 0)]),
    ),
    noticed,
  };
}

/** What was planted and not noticed at some gateway. */
export function unnoticed({ noticed }: ProofResult): string[] {
  return noticed.flatMap(({ planted, mismatches }) =>
    GATEWAYS.filter((gateway) => mismatches[gateway] === 0).map((gateway) => `${planted} at ${gateway}`),
  );
}

async function readAll(
  corpus: readonly GatewayCorpus[],
  options: Parameters<typeof readCorpus>[1],
): Promise<ReadCorpus[]> {
  const read: ReadCorpus[] = [];
  for (const part of corpus) {
    read.push(await readCorpus(part, options));
  }
  return read;
}

function perGateway(valueOf: (index: number) => number): Record<GatewayName, number> {
  const [sslcommerz, bkash, nagad, stripe] = GATEWAYS.map((_, index) => valueOf(index));
  return { sslcommerz: sslcommerz ?? 0, bkash: bkash ?? 0, nagad: nagad ?? 0, stripe: stripe ?? 0 };
}

function kindsOf(mismatches: readonly Mismatch[]): string[] {
  return [...Map.groupBy(mismatches, ({ kind }) => kind)]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([kind]) => kind);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
