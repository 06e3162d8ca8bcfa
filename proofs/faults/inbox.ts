import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { parseJson } from './application.ts';
import type { Delivery } from './evidence.ts';
import { followLines } from './follow-lines.ts';

const Line = z.object({
  at: z.number(),
  id: z.string().default(''),
  timestamp: z.string().default(''),
  signature: z.string().default(''),
  body: z.string(),
});
const Body = z.object({
  type: z.string(),
  data: z.union([
    z
      .object({ id: z.int(), reference: z.string(), status: z.string() })
      .transform(({ id, reference, status }) => ({ paymentId: id, refundId: null, reference, status })),
    z
      .object({ id: z.int(), paymentId: z.int(), status: z.string() })
      .transform(({ id, paymentId, status }) => ({ paymentId, refundId: id, reference: '', status })),
  ]),
});
const UNKNOWN = { paymentId: null, refundId: null, reference: '', status: '' } as const;

const TOLERANCE_SECONDS = 300;

/** Reads what a receiver wrote down since the last call; checks each signature as an application would, by itself. */
export function openInbox(
  file: string,
  { receiver, secrets }: { receiver: number; secrets: readonly string[] },
): () => Promise<Delivery[]> {
  const added = followLines(file);
  return async () =>
    (await added()).map((line) => {
      const { at, id, timestamp, signature, body } = Line.parse(line);
      const known = Body.safeParse(parseJson(body));
      return {
        receiver,
        atMs: at,
        id,
        body,
        type: known.success ? known.data.type : '',
        ...(known.success ? known.data.data : UNKNOWN),
        signatureValid:
          Math.abs(at / 1_000 - Number(timestamp)) <= TOLERANCE_SECONDS &&
          secrets.some((secret) => isSigned({ signature, secret, text: `${id}.${timestamp}.${body}` })),
      };
    });
}

/** Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, base64, with the bytes behind `whsec_`. */
function isSigned({ signature, secret, text }: { signature: string; secret: string; text: string }): boolean {
  const expected = createHmac('sha256', Buffer.from(secret.replace(/^whsec_/, ''), 'base64'))
    .update(text)
    .digest();
  return signature.split(' ').some((entry) => {
    const given = Buffer.from(entry.replace(/^v1,/, ''), 'base64');
    return entry.startsWith('v1,') && given.length === expected.length && timingSafeEqual(given, expected);
  });
}
