import { afterAll, describe, expect, test } from '@jest/globals';
import { DocumentFailure, Press, type PressLimits } from '../../../web/documents/press.ts';
import { closePress, renderInvoice } from '../../../web/documents/render.ts';
import { banglaInvoice, installmentsInvoice, receipt, shortInvoice } from './examples.ts';

afterAll(closePress);

const invoice = { kind: 'invoice', document: shortInvoice } as const;
const limits: PressLimits = { processes: 1, waiting: 8, timeMs: 60_000, residentBytes: 1_000_000_000 };

async function withPress(changed: Partial<PressLimits>, work: (press: Press) => Promise<void>): Promise<void> {
  const press = new Press({ ...limits, ...changed });
  try {
    await work(press);
  } finally {
    press.close();
  }
}

describe('the bytes of a document', () => {
  test.each([
    ['short', shortInvoice],
    ['long', installmentsInvoice],
    ['Bangla', banglaInvoice],
  ])('are the same again, after others, and in another process: %s', async (_, document) => {
    // Otherwise a signature or hash of an invoice would become invalid.
    const first = await renderInvoice(document);
    await renderInvoice({ ...document, number: 'INV-999999' });
    const second = await renderInvoice(document);
    closePress();
    const third = await renderInvoice(document);
    expect(Buffer.compare(first, second)).toBe(0);
    expect(Buffer.compare(first, third)).toBe(0);
  });

  test('differ with what they say', async () => {
    // Otherwise the test above would prove nothing.
    const [one, other] = await Promise.all([
      renderInvoice(shortInvoice),
      renderInvoice({ ...shortInvoice, number: 'INV-000043' }),
    ]);
    expect(Buffer.compare(one, other)).not.toBe(0);
  });
});

describe('a press', () => {
  test('refuses more than may wait', async () => {
    // A burst of downloads must delay only the last ones, not stop the service.
    await withPress({ waiting: 1 }, async (press) => {
      const outcomes = await Promise.allSettled(Array.from({ length: 4 }, () => press.print(invoice)));
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
      expect(outcomes.at(-1)).toMatchObject({ reason: { problem: 'busy' } });
    });
  });

  test('gives up what takes too long, and goes on with the next', async () => {
    // One document must not stop the others.
    const lines = Array.from({ length: 20 }, () => installmentsInvoice.lines).flat();
    await withPress({ timeMs: 1 }, async (press) => {
      const slow = { kind: 'invoice', document: { ...installmentsInvoice, lines } } as const;
      await expect(press.print(slow)).rejects.toMatchObject({ problem: 'timed_out' });
      await expect(press.print(slow)).rejects.toBeInstanceOf(DocumentFailure);
    });
  });

  test('answers a failure of Typst without a word of the document', async () => {
    // Logs and error pages must not show customers' data.
    const logo = { type: 'png', bytes: Buffer.from('not a picture') } as const;
    const broken = { ...shortInvoice, branding: { ...shortInvoice.branding, logo } };
    await withPress({}, async (press) => {
      const failure: unknown = await press
        .print({ kind: 'invoice', document: broken })
        .catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(DocumentFailure);
      expect(failure).toMatchObject({ problem: 'failed', message: 'The document could not be created: failed.' });
      expect((failure as Error).cause).toBeUndefined();
      await expect(press.print(invoice)).resolves.toBeInstanceOf(Buffer);
    });
  });

  test('replaces a process that has come to too much memory', async () => {
    // Typst does not release all of its memory; ending its process does.
    await withPress({ residentBytes: 1 }, async (press) => {
      const first = await press.print(invoice);
      const second = await press.print({ kind: 'receipt', document: receipt });
      const third = await press.print(invoice);
      expect(Buffer.compare(first, third)).toBe(0);
      expect(second.length).toBeGreaterThan(0);
    });
  });

  test('ends documents under way when it is closed, and can be used again', async () => {
    // A service that stops must leave no process running and no promise pending.
    await withPress({}, async (press) => {
      const under = press.print(invoice);
      press.close();
      await expect(under).rejects.toMatchObject({ problem: 'failed' });
      await expect(press.print(invoice)).resolves.toBeInstanceOf(Buffer);
    });
  });
});
