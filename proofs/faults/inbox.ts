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
  ownpayId: z.string().default(''),
  ownpaySignature: z.string().default(''),
  body: z.string(),
});
type Line = z.infer<typeof Line>;
/** An event as OwnPay documents it. */
const OwnpayBody = z.object({ event: z.string(), transaction_id: z.string(), status: z.string() });
const Body = z.object({
  type: z.string(),
  sequence: z.int().default(0),
  data: z.union([
    z
      .object({ id: z.int(), reference: z.string(), status: z.string() })
      .transform(({ id, reference, status }) => ({ paymentId: id, refundId: null, reference, status })),
    z
      .object({ id: z.int(), paymentId: z.int(), status: z.string() })
      .transform(({ id, paymentId, status }) => ({ paymentId, refundId: id, reference: '', status })),
    z
      .object({
        id: z.int(),
        number: z.string(),
        status: z.string(),
        notice: z.object({ dueDate: z.string(), offsetDays: z.int() }).optional(),
      })
      .transform(({ id, status, notice }) => ({
        paymentId: null,
        refundId: null,
        reference: '',
        status,
        invoiceId: id,
        noticed: notice === undefined ? null : `${notice.dueDate} ${notice.offsetDays}`,
      })),
  ]),
});
const UNKNOWN = { paymentId: null, refundId: null, reference: '', status: '' } as const;

const TOLERANCE_SECONDS = 300;

/** Reads what a receiver recorded since the last call. It checks each signature independently of the product, as an application would. */
export function openInbox(file: string, { receiver, secrets }: Listening): () => Promise<Delivery[]> {
  const added = followLines(file);
  return async () =>
    (await added()).map((text) => {
      const line = Line.parse(text);
      if (line.ownpaySignature !== '') {
        return ownpayDelivery(line, { receiver, secrets });
      }
      const { at, id, timestamp, signature, body } = line;
      const known = Body.safeParse(parseJson(body));
      return {
        receiver,
        atMs: at,
        id,
        body,
        type: known.success ? known.data.type : '',
        sequence: known.success ? known.data.sequence : 0,
        ...(known.success ? known.data.data : UNKNOWN),
        signatureValid:
          Math.abs(at / 1_000 - Number(timestamp)) <= TOLERANCE_SECONDS &&
          secrets.some((secret) => isSigned({ signature, secret, text: `${id}.${timestamp}.${body}` })),
      };
    });
}

interface Listening {
  readonly receiver: number;
  readonly secrets: readonly string[];
}

/** Checks OwnPay's signature: hex over the raw body, keyed with the secret as shown. */
function ownpayDelivery({ at, ownpayId, ownpaySignature, body }: Line, { receiver, secrets }: Listening): Delivery {
  const known = OwnpayBody.safeParse(parseJson(body));
  const given = Buffer.from(ownpaySignature.replace(/^sha256=/, ''), 'hex');
  return {
    receiver,
    atMs: at,
    id: ownpayId,
    body,
    contract: 'ownpay',
    type: known.success ? known.data.event : '',
    ...UNKNOWN,
    reference: known.success ? known.data.transaction_id : '',
    status: known.success ? known.data.status : '',
    signatureValid: secrets.some((secret) => {
      const expected = createHmac('sha256', secret).update(body).digest();
      return given.length === expected.length && timingSafeEqual(given, expected);
    }),
  };
}

/** Checks a signature of Standard Webhooks: base64 of HMAC-SHA256 over `id.timestamp.body`, keyed with the bytes after `whsec_`. */
function isSigned({ signature, secret, text }: { signature: string; secret: string; text: string }): boolean {
  const expected = createHmac('sha256', Buffer.from(secret.replace(/^whsec_/, ''), 'base64'))
    .update(text)
    .digest();
  return signature.split(' ').some((entry) => {
    const given = Buffer.from(entry.replace(/^v1,/, ''), 'base64');
    return entry.startsWith('v1,') && given.length === expected.length && timingSafeEqual(given, expected);
  });
}
