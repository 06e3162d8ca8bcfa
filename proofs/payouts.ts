import { parseArgs } from 'node:util';
import {
  describeMachine,
  type ResultFile,
  type ResultTable,
  writeResult,
} from '../scripts/repository/results/result-file.ts';
import { KINDS } from './payouts/corpus.ts';
import { GATEWAYS } from './payouts/gateways.ts';
import { type ProofResult, provePayouts, unnoticed } from './payouts/run.ts';

const USAGE = `npm run proof:payouts -- [--seed S] [--plain N] [--each N] [--record]

Invents trade at four gateways, writes their payout files, damages them in known ways, and compares every verdict of the matcher with the truth. Then it
plants faults that the comparison has to notice. Exit 0 only if every verdict is right and every fault was noticed.
  --seed S   what the trade is made from (1)
  --plain N  charges of each gateway without any difference (5000)
  --each N   times that each kind of difference is planted at each gateway (25)
  --record   keep the result for docs/proofs.md`;

const MISMATCHES_SHOWN_MAX = 30;
const KINDS_SHOWN_MAX = 3;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    plain: { type: 'string', default: '5000' },
    each: { type: 'string', default: '25' },
    record: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

process.exitCode = values.help ? usage() : await main();

function usage(): number {
  console.log(USAGE);
  return 0;
}

async function main(): Promise<number> {
  const size = { seed: whole(values.seed), plain: whole(values.plain), each: whole(values.each) };
  const startedMs = performance.now();
  const result = await provePayouts(size, console.log);
  const seconds = Math.round((performance.now() - startedMs) / 1_000);
  const missed = unnoticed(result);
  for (const table of tablesOf(result)) {
    print(table);
  }
  for (const { gateway, kind, what, label, said } of result.mismatches.slice(0, MISMATCHES_SHOWN_MAX)) {
    console.log(`WRONG ${gateway}, ${kind}, ${what}: is ${label}, said ${said}`);
  }
  missed.forEach((what) => console.log(`NOT NOTICED ${what}`));
  console.log(`\n${figuresOf(result)}`);
  console.log(writeResult(resultOf(result, { ...size, seconds }), { record: values.record }));
  return result.mismatches.length === 0 && missed.length === 0 ? 0 : 1;
}

function whole(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) {
    throw new RangeError(`not a whole number: ${text}`);
  }
  return number;
}

function figuresOf({ files, rows, movements, payouts, differences, mismatches }: ProofResult): string {
  const { labelled, said, right } = differences;
  return (
    `${files} files with ${rows} rows of ${payouts} payouts against ${movements} charges and refunds: ${labelled} differences, ` +
    `precision ${right} of ${said}, recall ${right} of ${labelled}, ${mismatches.length} verdicts wrong.`
  );
}

function tablesOf({ items, noticed }: ProofResult): ResultTable[] {
  return [
    {
      caption: 'Rows, movements and payouts that were judged, by what was planted',
      columns: ['kind', ...GATEWAYS],
      rows: [...items].map(([kind, counts]) => [kind, ...GATEWAYS.map((gateway) => String(counts[gateway]))]),
    },
    {
      caption: 'Faults planted in what is judged, and the verdicts that showed them',
      columns: ['a matcher that', ...GATEWAYS, 'shown by'],
      rows: noticed.map(({ planted, mismatches, kinds }) => [
        planted,
        ...GATEWAYS.map((gateway) => String(mismatches[gateway])),
        kinds.slice(0, KINDS_SHOWN_MAX).join(', ') + (kinds.length > KINDS_SHOWN_MAX ? ', …' : ''),
      ]),
    },
  ];
}

function print({ caption, columns, rows }: ResultTable): void {
  const widths = columns.map((column, index) => Math.max(column.length, ...rows.map((row) => row[index]?.length ?? 0)));
  const text = (row: readonly string[]): string => row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('  ');
  console.log(['', caption, text(columns), ...rows.map(text)].join('\n'));
}

function resultOf(
  result: ProofResult,
  { seed, plain, each, seconds }: { seed: number; plain: number; each: number; seconds: number },
): ResultFile {
  return {
    name: 'payouts',
    page: 'proofs',
    order: 25,
    title: 'Payouts: every line of a damaged file is explained',
    command: `npm run proof:payouts -- --seed ${seed} --plain ${plain} --each ${each}`,
    at: new Date().toISOString(),
    machine: describeMachine(),
    summary: [
      `${figuresOf(result)} ${seconds} s.`,
      `A generator that shares no code with the matcher invents trade at four gateways, writes the files in which they state it, and plants ${KINDS.length - 1} kinds of ` +
        'difference, or of what only looks like one. It labels every row, charge and refund. The product’s own reader and matcher go through the files, once before the late ' +
        'files and once after them; a verdict is right only if status and reason are those of the label, and what is left of each payout has to be what the generator knows.',
      `Then ${result.noticed.length} faults are planted, such as matching by the amount alone: each must make verdicts wrong at each gateway. ` +
        'What the labels say of a fee is by the agreed rate at bKash and Nagad, which state it in their files only. The gateways’ real files may look different: SSLCOMMERZ, bKash and ' +
        'Nagad publish no format, so the columns are the shipped mappings’, completed as an operator would.',
    ],
    tables: tablesOf(result),
    data: {
      seed,
      plain,
      each,
      seconds,
      files: result.files,
      rows: result.rows,
      movements: result.movements,
      payouts: result.payouts,
      differences: result.differences,
      wrong: result.mismatches.length,
    },
  };
}
