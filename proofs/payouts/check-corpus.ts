import { costSums } from '../../domain/payouts/file-word.ts';
import type { judge } from '../../domain/payouts/judge.ts';
import type { MatchSettings, StoredLine } from '../../domain/payouts/matching.ts';
import { residualsOf } from '../../domain/payouts/residual.ts';
import type { GatewayCorpus } from './corpus.ts';
import { netOf } from './fact.ts';
import { GATEWAY, type GatewayName } from './gateways.ts';
import { type Imported, importFiles } from './import-files.ts';
import type { Label, Scene } from './scene.ts';

export type Matcher = typeof judge;
type Judgement = ReturnType<Matcher>;

/** A row or a movement of which the matcher says something else than its label. */
export interface Mismatch {
  readonly gateway: GatewayName;
  readonly kind: string;
  readonly what: string;
  readonly label: string;
  readonly said: string;
}

export interface Checked {
  readonly mismatches: readonly Mismatch[];
  /** Rows and movements, by kind. */
  readonly items: ReadonlyMap<string, number>;
  /** Labelled with something else than MATCHED; said to be so; both, and the same. */
  readonly differences: { readonly labelled: number; readonly said: number; readonly right: number };
  readonly rows: number;
  readonly payouts: number;
}

const AS_OF = '2026-11-24';
/** How often a label is said to be another one if labels are planted wrong. */
const WRONG_LABEL_EVERY = 50;

/** The files of a gateway as they were read: without the late ones, and with them. */
export interface ReadCorpus {
  readonly corpus: GatewayCorpus;
  readonly before: Imported;
  readonly after: Imported;
}

/** Reads the files of a gateway. */
export async function readCorpus(
  corpus: GatewayCorpus,
  options: { readonly storesKnownRows: boolean },
): Promise<ReadCorpus> {
  const { gateway, files } = corpus;
  const early = files.filter(({ planned }) => !planned.late);
  return {
    corpus,
    before: await importFiles(early, { gateway, ...options }),
    after: await importFiles(files, { gateway, ...options }),
  };
}

export interface Planted {
  /** The matcher, or one with a fault. */
  readonly matcher: Matcher;
  /** Labels that are not true, which the judge must notice. */
  readonly wrongLabels?: boolean;
}

/** Has everything judged, before the late files and after them, and compares each verdict with its label. */
export function checkCorpus(
  { corpus: { gateway, scene }, before, after }: ReadCorpus,
  { matcher, wrongLabels = false }: Planted,
): Checked {
  const judged = (lines: readonly StoredLine[]): Judgement =>
    matcher(
      {
        movements: scene.movements.map(({ movement }) => movement),
        lines,
        pendingReferences: scene.pending,
        costSums: costSums(lines),
      },
      { asOf: AS_OF, settings: settingsOf(gateway) },
    );
  const findings = new Findings(gateway, wrongLabels);
  const first = judged(before.stored);
  const movementsBefore = verdictsBy(first.movements, ({ movementKey }) => movementKey);
  for (const { movement, kind, labelBefore } of scene.movements) {
    if (labelBefore !== null) {
      findings.compare(
        { kind, what: `${movement.key} before the late files`, label: labelBefore },
        movementsBefore.get(movement.key),
      );
    }
  }
  const last = judged(after.stored);
  const lines = verdictsBy(last.lines, ({ lineId }) => String(lineId));
  for (const { row, became } of after.met) {
    const said = typeof became === 'string' ? `REJECTED ${became}` : lines.get(String(became));
    findings.compare({ kind: row.kind, what: `row ${row.fact.lineId}`, label: row.label }, said);
  }
  const movements = verdictsBy(last.movements, ({ movementKey }) => movementKey);
  for (const { movement, kind, label } of scene.movements) {
    findings.compare({ kind, what: movement.key, label }, movements.get(movement.key));
  }
  after.problems.forEach((what) => findings.compare({ kind: 'files', what, label: 'MATCHED' }, 'misread'));
  const payouts = comparePayouts(scene, { findings, after, last });
  const { mismatches, items, differences } = findings;
  return { mismatches, items, differences, rows: after.met.length, payouts };
}

/** What was said of each; of one that was judged twice, both. */
function verdictsBy<Verdict extends { readonly status: string; readonly reason: string | null }>(
  verdicts: readonly Verdict[],
  nameOf: (verdict: Verdict) => string,
): Map<string, string> {
  const said = new Map<string, string>();
  for (const verdict of verdicts) {
    const text = verdict.reason === null ? verdict.status : `${verdict.status} ${verdict.reason}`;
    const other = said.get(nameOf(verdict));
    said.set(nameOf(verdict), other === undefined ? text : `${other} and ${text}`);
  }
  return said;
}

class Findings {
  readonly mismatches: Mismatch[] = [];
  readonly items = new Map<string, number>();
  readonly differences = { labelled: 0, said: 0, right: 0 };
  readonly #gateway: GatewayName;
  readonly #wrongLabels: boolean;
  #count = 0;

  constructor(gateway: GatewayName, wrongLabels: boolean) {
    this.#gateway = gateway;
    this.#wrongLabels = wrongLabels;
  }

  compare(truth: { kind: string; what: string; label: Label }, said = 'nothing'): void {
    this.#count += 1;
    const isWrong = this.#wrongLabels && this.#count % WRONG_LABEL_EVERY === 0;
    const label = !isWrong ? truth.label : truth.label === 'MATCHED' ? 'FLAGGED AMOUNT' : 'MATCHED';
    this.items.set(truth.kind, (this.items.get(truth.kind) ?? 0) + 1);
    this.differences.labelled += label === 'MATCHED' ? 0 : 1;
    this.differences.said += said === 'MATCHED' ? 0 : 1;
    this.differences.right += label !== 'MATCHED' && said === label ? 1 : 0;
    if (said !== label) {
      this.mismatches.push({ gateway: this.#gateway, kind: truth.kind, what: truth.what, label, said });
    }
  }
}

/** Compares what is left of each payout with what the generator knows to be left: the bank's amount less what the rows say. */
function comparePayouts(
  scene: Scene,
  { findings, after, last }: { findings: Findings; after: Imported; last: Judgement },
): number {
  const verdicts = new Map(last.lines.map((verdict) => [verdict.lineId, verdict]));
  const rows = new Set(after.met.flatMap(({ row, became }) => (typeof became === 'string' ? [] : [row])));
  const expected = new Map(scene.bank);
  for (const { fact } of rows) {
    const key = `${fact.payout} ${fact.currency}`;
    expected.set(key, (expected.get(key) ?? 0n) - netOf(fact));
  }
  const byPayout = Map.groupBy(after.stored, ({ payoutReference }) => payoutReference ?? '');
  for (const [key, residualMinor] of expected) {
    const [payout = '', currency = ''] = key.split(' ');
    const residuals = residualsOf({
      bankAmounts: [{ currency, amountMinor: scene.bank.get(key) ?? 0n }],
      lines: (byPayout.get(payout) ?? []).flatMap((line) => {
        const verdict = verdicts.get(line.id);
        return verdict === undefined ? [] : [{ ...line, status: verdict.status, reason: verdict.reason }];
      }),
    });
    const said = residuals.find((residual) => residual.currency === currency)?.residualMinor ?? 0n;
    findings.compare(
      { kind: 'residual of a payout', what: `${key}: ${residualMinor} is left`, label: 'MATCHED' },
      said === residualMinor ? 'MATCHED' : `residual ${said}`,
    );
  }
  return expected.size;
}

function settingsOf(name: GatewayName): MatchSettings {
  const { feeKnownWithTheCharge, feeBps, taxBps, currency } = GATEWAY[name];
  return {
    tolerance: { amountMinor: 0n, feeMinor: 0n },
    statesNetOnly: false,
    agreedFee: feeKnownWithTheCharge ? null : { feeBps: Number(feeBps), taxBps: Number(taxBps) },
    rates: [{ from: 'EUR', to: currency, rate: '1.08', toleranceBps: 100 }],
    expectedWithinDays: 3,
    businessDays: { weeklyHolidays: [5, 6], holidays: [] },
  };
}
