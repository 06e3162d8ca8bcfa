import { getDocument, OPS, type PDFDocumentProxy } from 'pdfjs-dist/legacy/build/pdf.mjs';

/** What another program reads from a PDF. */
export interface ReadPdf {
  /** The text of each page, without the break opportunities that we insert into long words. */
  readonly pages: readonly string[];
  readonly info: Readonly<Record<string, unknown>>;
  readonly xmp: string;
  readonly links: readonly string[];
}

export async function readPdf(pdf: Uint8Array): Promise<ReadPdf> {
  const document = await openPdf(pdf);
  try {
    const pages: string[] = [];
    const links: string[] = [];
    for (let number = 1; number <= document.numPages; number += 1) {
      const page = await document.getPage(number);
      const { items } = await page.getTextContent();
      pages.push(items.map((item) => ('str' in item ? item.str + (item.hasEOL ? '\n' : '') : '')).join(''));
      const annotations: { url?: string }[] = await page.getAnnotations();
      links.push(...annotations.flatMap(({ url }) => url ?? []));
    }
    const { info, metadata } = await document.getMetadata();
    return { pages: pages.map(plain), info: { ...info }, xmp: metadata?.getRaw() ?? '', links };
  } finally {
    await document.loadingTask.destroy();
  }
}

/** Returns where every piece of text of every page begins and ends, in points. */
export async function textBoxes(pdf: Uint8Array): Promise<{ left: number; right: number; pageWidth: number }[]> {
  const document = await openPdf(pdf);
  try {
    const boxes: { left: number; right: number; pageWidth: number }[] = [];
    for (let number = 1; number <= document.numPages; number += 1) {
      const page = await document.getPage(number);
      const pageWidth = page.getViewport({ scale: 1 }).width;
      for (const item of (await page.getTextContent()).items) {
        if ('str' in item && item.str.trim() !== '') {
          const left: number = item.transform[4];
          boxes.push({ left, right: left + item.width, pageWidth });
        }
      }
    }
    return boxes;
  } finally {
    await document.loadingTask.destroy();
  }
}

/** Returns the number of glyphs on the first page. */
export async function glyphCount(pdf: Uint8Array): Promise<number> {
  const document = await openPdf(pdf);
  try {
    const { fnArray, argsArray } = await (await document.getPage(1)).getOperatorList();
    return fnArray
      .flatMap((operator, index): unknown[] => (operator === OPS.showText ? argsArray[index][0] : []))
      .filter((shown) => typeof shown === 'object').length;
  } finally {
    await document.loadingTask.destroy();
  }
}

/** Draws a page with `scale` pixels per point. */
export async function drawnPage(pdf: Uint8Array, number: number, scale: number): Promise<Drawn> {
  const document = await openPdf(pdf);
  try {
    const page = await document.getPage(number);
    const viewport = page.getViewport({ scale });
    const factory = document.canvasFactory as CanvasFactory;
    const { canvas, context } = factory.create(Math.ceil(viewport.width), Math.ceil(viewport.height));
    await page.render({ canvas, canvasContext: context, viewport }).promise;
    const { width, height } = canvas;
    return { png: canvas.toBuffer('image/png'), width, height, data: context.getImageData(0, 0, width, height).data };
  } finally {
    await document.loadingTask.destroy();
  }
}

export interface Drawn {
  readonly png: Buffer;
  readonly width: number;
  readonly height: number;
  /** Red, green, blue and alpha of each pixel. */
  readonly data: Uint8ClampedArray;
}

/** The part of pdf.js' own canvas for Node that is used here. */
interface CanvasFactory {
  create(
    width: number,
    height: number,
  ): {
    canvas: { readonly width: number; readonly height: number; toBuffer(type: 'image/png'): Buffer };
    context: { getImageData(x: number, y: number, width: number, height: number): { data: Uint8ClampedArray } };
  };
}

function openPdf(pdf: Uint8Array): Promise<PDFDocumentProxy> {
  // pdf.js takes ownership of the bytes, so it gets a copy. Verbosity 0 reports errors only.
  return getDocument({ data: Uint8Array.from(pdf), verbosity: 0, useSystemFonts: false }).promise;
}

function plain(text: string): string {
  return text.replaceAll('\u200b', '');
}
