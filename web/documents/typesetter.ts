import { NodeCompiler, type RenderPdfOpts } from '@myriaddreamin/typst-ts-node-compiler';
import { join } from 'node:path';
import type { CommonContent } from './content.ts';
import type { InvoiceDocument, ReceiptDocument } from './document.ts';
import { coverageOf, loadFonts } from './fonts.ts';
import { invoiceContent } from './invoice-content.ts';
import type { Logo } from './logo.ts';
import { Printable } from './printable.ts';
import { receiptContent } from './receipt-content.ts';

export type Order =
  | { readonly kind: 'invoice'; readonly document: InvoiceDocument }
  | { readonly kind: 'receipt'; readonly document: ReceiptDocument };

const TEMPLATES = join(import.meta.dirname, 'template');
/** The archival standard, with everything embedded. It requires a date, so drafts are plain PDF. */
const ARCHIVAL = 'a-2b';
const PLAIN = '1.7';
/** In a long table, tags take most of the bytes: 19 of 20 MB at 10,000 lines. */
const TAGGED_LINES_MAX = 1_000;

/**
 * Typst in this process. A document's content reaches it as JSON, never as markup, and the templates read no file but the logo. It sets one document
 * at a time, because the logo has a fixed path.
 */
export class Typesetter {
  readonly #compiler: NodeCompiler;
  readonly #print: Printable;

  constructor() {
    const fonts = loadFonts();
    this.#print = new Printable(coverageOf(fonts));
    this.#compiler = NodeCompiler.create({ workspace: TEMPLATES, fontArgs: [{ fontBlobs: fonts }] });
  }

  /** @throws Error without any content of the document */
  set(order: Order): Uint8Array {
    const content =
      order.kind === 'invoice'
        ? invoiceContent(order.document, this.#print)
        : receiptContent(order.document, this.#print);
    const { logo } = order.document.branding;
    const tagged = order.kind === 'receipt' || order.document.lines.length <= TAGGED_LINES_MAX;
    const pdfStandard = content.metadata.date === null ? PLAIN : ARCHIVAL;
    return this.#compile(`${order.kind}.typ`, { content, logo, options: { pdfStandard, pdfTags: tagged } });
  }

  #compile(
    template: string,
    {
      content,
      logo,
      options,
    }: { readonly content: CommonContent; readonly logo: Logo | null; readonly options: RenderPdfOpts },
  ): Uint8Array {
    const logoPath = join(TEMPLATES, 'logo');
    try {
      if (logo !== null) {
        this.#compiler.mapShadow(logoPath, Buffer.from(logo.bytes));
      }
      const source = { mainFilePath: join(TEMPLATES, template), inputs: { content: JSON.stringify(content) } };
      return this.#compiler.pdf(source, options);
    } catch {
      // Typst's diagnostics quote the document.
      throw new Error(`Typst could not set ${template}.`);
    } finally {
      this.#compiler.resetShadow();
      this.#compiler.evictCache(0);
    }
  }
}
