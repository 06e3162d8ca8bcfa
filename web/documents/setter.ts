import { type Order, Typesetter } from './typesetter.ts';

/** The process's answer: the PDF, or null. It contains no reason, because that could quote the document. */
export interface Answer {
  readonly pdf: Uint8Array | null;
  /** The memory that the process uses. */
  readonly residentBytes: number;
}

// Runs in a process of its own, because Typst can neither be interrupted nor release all of its memory.
const typesetter = new Typesetter();

process.on('message', (order: Order) => {
  process.send?.({ pdf: pdfOf(order), residentBytes: process.memoryUsage.rss() } satisfies Answer);
});
// The service has ended or crashed.
process.on('disconnect', () => process.exit(0));

function pdfOf(order: Order): Uint8Array | null {
  try {
    return typesetter.set(order);
  } catch {
    return null;
  }
}
