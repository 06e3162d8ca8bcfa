import { Readable } from 'node:stream';
import { DomainError } from '../../domain/errors.ts';
import { DocumentFailure } from '../../web/documents/press.ts';
import type { StreamReply } from '../http/route.ts';

export const PDF_TYPE = 'application/pdf';
const RETRY_AFTER_SECONDS = 5;

/** Headers of a document that a payer opens. There is no `default-src`, because it would block the browser's own PDF viewer. */
export const DOCUMENT_HEADERS = {
  'Content-Security-Policy': "frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Robots-Tag': 'noindex, nofollow',
} as const;

/**
 * Returns a PDF as a response.
 *
 * @param name - of the file that a browser saves: letters, digits and hyphens
 * @throws DomainError SERVICE_UNAVAILABLE when it cannot be made now
 */
export async function pdfReply(name: string, render: () => Promise<Uint8Array>): Promise<StreamReply> {
  const pdf = await rendered(render);
  return {
    status: 200,
    stream: Readable.from([Buffer.from(pdf.buffer, pdf.byteOffset, pdf.byteLength)]),
    headers: {
      'Content-Type': PDF_TYPE,
      'Content-Length': pdf.byteLength.toString(),
      'Content-Disposition': `inline; filename="${name}.pdf"`,
      'Cache-Control': 'private, no-store',
    },
  };
}

async function rendered(render: () => Promise<Uint8Array>): Promise<Uint8Array> {
  try {
    return await render();
  } catch (error) {
    if (error instanceof DocumentFailure) {
      throw new DomainError('SERVICE_UNAVAILABLE', 'the document cannot be created right now', {
        retryAfterSeconds: RETRY_AFTER_SECONDS,
      });
    }
    throw error;
  }
}
