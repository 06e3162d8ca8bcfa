import { NodeCompiler } from '@myriaddreamin/typst-ts-node-compiler';
import type { InvoiceDocument } from '../web/documents/document.ts';
import { loadFonts } from '../web/documents/fonts.ts';
import { closePress, renderInvoice } from '../web/documents/render.ts';
import { Typesetter } from '../web/documents/typesetter.ts';
import { banglaInvoice, installmentsInvoice, shortInvoice } from '../test/web/documents/examples.ts';
import { quantile } from './statistics.ts';
import type { Findings, Suite } from './suite.ts';

const WARM_UP = 5;
const EMPTY_PAGE = `#set document(title: "x", date: datetime(year: 2026, month: 1, day: 1))
#sys.inputs.text`;

const DOCUMENTS: readonly { readonly what: string; readonly invoice: InvoiceDocument; readonly share: number }[] = [
  { what: 'short invoice, English', invoice: shortInvoice, share: 1 },
  { what: 'short invoice with installments, Bangla', invoice: banglaInvoice, share: 1 },
  { what: '60 lines and 12 installments', invoice: installmentsInvoice, share: 1 },
  { what: '10,000 lines', invoice: manyLines(10_000), share: 0.02 },
];

/** Measures the cost of typesetting an invoice against an empty page set by the same Typst in the same process, in turns. */
export const pdf: Suite = {
  name: 'pdf',
  what: 'invoices as PDF, divided by an empty page',
  minutes: { full: 2, quick: 1 },
  async run({ quick, say }) {
    const rounds = quick ? 50 : 200;
    const typesetter = new Typesetter();
    const emptyPage = emptyPages();
    const measured: Measured[] = [];
    for (const { what, invoice, share } of DOCUMENTS) {
      say(`  ${what}`);
      const ours: number[] = [];
      const empty: number[] = [];
      const through: number[] = [];
      for (let round = -Math.ceil(WARM_UP * share); round < Math.ceil(rounds * share); round += 1) {
        const document = { ...invoice, number: `INV-${round}`, notes: `Round ${round}` };
        const emptyMs = await timed(() => emptyPage(`Round ${round} ${what}`));
        const oursMs = await timed(() => typesetter.set({ kind: 'invoice', document }));
        const throughMs = await timed(() => renderInvoice({ ...document, number: `INV-P${round}` }));
        if (round >= 0) {
          empty.push(emptyMs);
          ours.push(oursMs);
          through.push(throughMs);
        }
      }
      const { length: bytes } = typesetter.set({ kind: 'invoice', document: invoice });
      measured.push({ what, ours, empty, through, bytes });
    }
    closePress();
    return findingsOf(measured);
  },
};

interface Measured {
  readonly what: string;
  readonly ours: readonly number[];
  readonly empty: readonly number[];
  readonly through: readonly number[];
  readonly bytes: number;
}

function findingsOf(measured: readonly Measured[]): Findings {
  const rows = measured.map(({ what, ours, empty, through, bytes }) => ({
    what,
    documents: ours.length,
    p50Ms: quantile(ours, 0.5),
    p99Ms: quantile(ours, 0.99),
    emptyP50Ms: quantile(empty, 0.5),
    ratio: quantile(ours, 0.5) / quantile(empty, 0.5),
    throughP50Ms: quantile(through, 0.5),
    throughP99Ms: quantile(through, 0.99),
    bytes,
  }));
  const ms = (value: number): string => value.toFixed(1);
  return {
    order: 90,
    title: 'Invoices as PDF',
    summary: [
      'Setting a document in the process that Typst runs in, beside an empty page set by the same Typst in turns. "Through the press" is what a caller waits for: the way to that process and back. The event loop of the service is free meanwhile.',
    ],
    tables: [
      {
        caption: 'Milliseconds a document, warm',
        columns: ['document', 'p50', 'p99', 'empty page p50', 'ratio', 'through the press p50', 'p99', 'kB'],
        rows: rows.map((row) => [
          row.what,
          ms(row.p50Ms),
          ms(row.p99Ms),
          ms(row.emptyP50Ms),
          row.ratio.toFixed(1),
          ms(row.throughP50Ms),
          ms(row.throughP99Ms),
          (row.bytes / 1_000).toFixed(0),
        ]),
      },
    ],
    data: { rows },
  };
}

async function timed(work: () => unknown): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

function emptyPages(): (text: string) => Uint8Array {
  const compiler = NodeCompiler.create({ fontArgs: [{ fontBlobs: loadFonts() }] });
  return (text) => {
    try {
      return compiler.pdf({ mainFileContent: EMPTY_PAGE, inputs: { text } }, { pdfStandard: 'a-2b' });
    } finally {
      compiler.evictCache(0);
    }
  };
}

function manyLines(count: number): InvoiceDocument {
  const { lines } = shortInvoice;
  return {
    ...shortInvoice,
    lines: Array.from({ length: Math.ceil(count / lines.length) }, () => lines)
      .flat()
      .slice(0, count),
  };
}
