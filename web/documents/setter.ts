import { type Order, Typesetter } from './typesetter.ts';

/** What the process answers: the PDF, or that there is none. Why stays here, since it could quote the document. */
export interface Answer {
  readonly pdf: Uint8Array | null;
  /** How much memory the process has come to. */
  readonly residentBytes: number;
}

// A process of its own: Typst can neither be interrupted nor give all of its memory back.
const typesetter = new Typesetter();

process.on('message', (order: Order) => {
  process.send?.({ pdf: pdfOf(order), residentBytes: process.memoryUsage.rss() } satisfies Answer);
});
// The service has gone, however it went.
process.on('disconnect', () => process.exit(0));

function pdfOf(order: Order): Uint8Array | null {
  try {
    return typesetter.set(order);
  } catch {
    return null;
  }
}
