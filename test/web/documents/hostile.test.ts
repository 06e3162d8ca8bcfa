import { afterAll, describe, expect, test } from '@jest/globals';
import type { InvoiceDocument } from '../../../web/documents/document.ts';
import { coverageOf, loadFonts } from '../../../web/documents/fonts.ts';
import { closePress, renderInvoice, renderReceipt } from '../../../web/documents/render.ts';
import { xssCorpus } from '../xss-corpus.ts';
import { banglaInvoice, receipt, shortInvoice } from './examples.ts';
import { readPdf, textBoxes } from './read-pdf.ts';

afterAll(closePress);

/** Texts that are code, markup or misleading characters in some context. */
const corpus: readonly string[] = [
  '#panic("x")',
  '#read("/etc/passwd")',
  '#import "@preview/cetz:0.3.0": *',
  '#{ while true {} }',
  '$ sum_(i=0)^oo i $',
  '@reference <label>',
  '\\u{1F600} \\ \\#',
  '] #rect(width: 100cm) [',
  '*bold* _it_ `raw` ```typ #1 ``` = heading',
  '// comment /* and */ another',
  '"quoted" \'single\' -- --- ...',
  '#page and #pages',
  '{"content": "json"} \\" \\n',
  '(unbalanced (( parentheses ] } \\) PDF endstream endobj',
  ...xssCorpus,
];

/** Returns the invoice with a text in every place that takes one. */
function saying(text: string, base: InvoiceDocument = shortInvoice): InvoiceDocument {
  return {
    ...base,
    number: text,
    branding: {
      ...base.branding,
      companyName: text,
      companyAddress: text,
      contactDetails: text,
      footerNote: text,
      accentColor: text,
    },
    customer: { reference: text, name: text, address: text },
    lines: base.lines.map((line) => ({ ...line, description: text })),
    taxes: base.taxes.map((tax) => ({ ...tax, name: text })),
    notes: text,
  };
}

/** Returns a line with one piece. */
const oneOf = (description: string): InvoiceDocument['lines'][number] => ({
  description,
  qty: 1n,
  unitAmountMinor: 100n,
  lineTotalMinor: 100n,
  discountMinor: 0n,
  taxMinor: 0n,
});

/** Removes white space, control characters and direction overrides, and replaces broken surrogates. */
const squeezed = (text: string): string => text.toWellFormed().replace(/[\s\p{Cc}\u202a-\u202e]+/gu, '');

async function firstPages(document: InvoiceDocument): Promise<string> {
  return (await readPdf(await renderInvoice(document))).pages.join('\n');
}

describe('hostile texts', () => {
  test.each(corpus)('%s is shown as it is', async (text) => {
    // Text from strangers must be printed as it is and must not be executed.
    const page = squeezed(await firstPages(saying(text)));
    const times = page.split(squeezed(text)).length - 1;
    // Name, address, contact, footer, number, customer three times, three lines, a tax, the notes.
    expect(times).toBe(13);
  });

  test.each([
    ['a right-to-left override', 'abc\u202e\u2066dlrow\u2069', 'abcdlrow'],
    ['zero-width characters', 'a\u200bb\u2060c\ufeffd\u00ade', 'abcde'],
    ['control characters', 'a\u0000b\u0007c\u001b[31md', 'a b c [31md'],
    ['tag characters', 'safe\u{E0041}\u{E0042}', 'safe'],
    ['an emoji family', 'x \u{1F468}\u200d\u{1F469}\u200d\u{1F467} y', 'x \ufffd\ufffd\ufffd y'],
    ['a lone surrogate', 'x\ud800y', 'x\ufffdy'],
    ['scripts without a font', '你好 שלום', '\ufffd\ufffd \ufffd\ufffd\ufffd\ufffd'],
  ])('%s cannot disguise anything', async (_, text, shown) => {
    // A reader must see every visible character, in the order in which it is stored.
    const page = await firstPages({ ...shortInvoice, customer: { reference: null, name: text, address: null } });
    expect(page).toContain(`Billed to\n${shown}\n`);
  });

  test('every character that the fonts have can be set', async () => {
    // If a glyph were missing after shaping, the PDF/A would fail for everyone with that name.
    const all = [...coverageOf(loadFonts())];
    const lines = Array.from({ length: Math.ceil(all.length / 40) }, (_, at) => all.slice(at * 40, at * 40 + 40));
    const pdf = await renderInvoice({
      ...shortInvoice,
      lines: lines.flatMap((characters) => [oneOf(characters.join(' ')), oneOf(characters.join(''))]),
    });
    expect((await readPdf(pdf)).pages.length).toBeGreaterThan(1);
  });

  test('stray marks and broken clusters can be set', async () => {
    // People type names: a vowel sign without its consonant is a typo and must not cause a failure.
    const marks = [...coverageOf(loadFonts())].filter((character) => /[\p{M}\u200c-\u200d\u25cc]/u.test(character));
    const letters = [...' aক৳ক্১.\ufffd'];
    const broken = marks.map((mark, at) => {
      const letter = letters[at % letters.length] ?? '';
      return `${mark}${letter}${mark}${marks[(at * 7) % marks.length] ?? ''} ${mark}${mark}`;
    });
    await expect(renderInvoice({ ...banglaInvoice, lines: broken.map(oneOf) })).resolves.toBeInstanceOf(Buffer);
    for (const text of ['\u09be', '\u09cd\u09cd', '\u200d\u200c', '\u0301', ' \u09cb', '']) {
      await expect(renderInvoice(saying(text, banglaInvoice))).resolves.toBeInstanceOf(Buffer);
    }
  });

  test.each([
    ['Latin', 'W'.repeat(10_000)],
    ['Bangla', 'ক্ষ'.repeat(3_000)],
    ['a link', `https://x.example/${'a'.repeat(2_000)}`],
  ])('a word of thousands of letters stays on the page: %s', async (_, word) => {
    // No text may be cut off or cover an amount.
    const pdf = await renderInvoice({
      ...shortInvoice,
      customer: { reference: word.slice(0, 200), name: word.slice(0, 200), address: word.slice(0, 200) },
      lines: shortInvoice.lines.map((line, index) => (index === 0 ? { ...line, description: word } : line)),
      notes: word,
      payableUrl: `https://pay.example/${'p'.repeat(1_500)}`,
    });
    const beyond = (await textBoxes(pdf)).filter(({ left, right, pageWidth }) => left < 40 || right > pageWidth - 40);
    expect(beyond).toEqual([]);
  });

  test('a receipt takes them, too', async () => {
    // Invoice and receipt share their layout, but not their fields.
    const text = corpus.join(' ');
    const pdf = await renderReceipt({
      ...receipt,
      number: text,
      description: text,
      gatewayName: text,
      gatewayTransactionId: text,
      customer: { reference: text, name: text, address: text },
      invoice: { number: text, totalMinor: 1n, paidMinor: 1n, dueMinor: 0n },
    });
    expect(squeezed((await readPdf(pdf)).pages.join(''))).toContain(squeezed('#read("/etc/passwd")'));
  });
});

describe('hostile sizes', () => {
  test('10,000 lines are set, more are refused', async () => {
    // A long invoice must not slow down others, and its length is limited.
    const lines = Array.from({ length: 10_000 }, (_, index) => oneOf(`Item ${index + 1}`));
    const startedMs = performance.now();
    const short = renderInvoice(shortInvoice);
    const pdf = await renderInvoice({ ...shortInvoice, lines });
    console.info(`10,000 lines: ${Math.round(performance.now() - startedMs)} ms, ${Math.round(pdf.length / 1_000)} kB`);
    await expect(short).resolves.toBeInstanceOf(Buffer);
    const { pages } = await readPdf(pdf);
    expect(pages.length).toBe(251);
    expect(pages.at(-1)).toContain('Page 251 of 251');
    expect(pages.join('')).toContain('Item 10000');
    await expect(renderInvoice({ ...shortInvoice, lines: [...lines, ...lines.slice(0, 1)] })).rejects.toMatchObject({
      problem: 'too_large',
    });
  });

  test('texts of megabytes are refused', async () => {
    // The limit on the input limits the memory.
    await expect(renderInvoice({ ...shortInvoice, notes: 'x'.repeat(4_000_001) })).rejects.toMatchObject({
      problem: 'too_large',
    });
    await expect(
      renderReceipt({ ...receipt, customer: { reference: null, name: 'x'.repeat(4_000_001), address: null } }),
    ).rejects.toMatchObject({ problem: 'too_large' });
  });
});
