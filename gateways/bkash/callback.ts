import { createVerify } from 'node:crypto';
import { z } from 'zod';
import { plainId, readReturn, unreadable } from '../callback.ts';
import { parseJson } from '../json.ts';
import type { ParsedCallback } from '../port.ts';
import type { BkashCredentials } from './credentials.ts';

const CLAIMS: ReadonlyMap<string, ParsedCallback['claims']> = new Map([
  ['success', 'paid'],
  ['failure', 'failed'],
  ['cancel', 'cancelled'],
]);

/** Returns the attempt that a callback names, unverified. */
export function attemptNamedIn(raw: string): string | null {
  return raw.startsWith('{')
    ? plainId(noticeIn(raw)?.merchantInvoiceNumber)
    : (readReturn(raw)?.attemptReference ?? null);
}

/** Reads the browser's return, `reference.seal?paymentID=…&status=…`, or a posted notification. */
export function parseCallback(raw: string, credentials: BkashCredentials): ParsedCallback {
  return raw.startsWith('{') ? parseNotice(raw, credentials) : parseReturn(raw, credentials);
}

function parseReturn(raw: string, credentials: BkashCredentials): ParsedCallback {
  const found = readReturn(raw);
  if (found === null) {
    return unreadable('UNREADABLE');
  }
  const fields = new URLSearchParams(found.query);
  const paymentId = fields.get('paymentID');
  return {
    attemptReference: found.attemptReference,
    signatureValid: found.isSealedWith(credentials.appSecret),
    claims: CLAIMS.get(fields.get('status') ?? '') ?? 'unknown',
    claimedValidationId: paymentId !== null && /^[0-9A-Za-z]{1,64}$/.test(paymentId) ? paymentId : null,
    note: null,
  };
}

/** The envelope of an Amazon SNS notification. Source: Amazon's documentation; which members are signed depends on the type. */
const Envelope = z.looseObject({
  Type: z.string(),
  Message: z.string(),
  SignatureVersion: z.string().optional(),
  Signature: z.string().optional(),
});
const Notice = z.looseObject({
  merchantInvoiceNumber: z.string().optional(),
  transactionStatus: z.string().optional(),
});
const SIGNED_NAMES = ['Message', 'MessageId', 'Subject', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];

/** bKash posts a notification for every payment into the wallet, including those that were not made through Lenden. */
function parseNotice(raw: string, credentials: BkashCredentials): ParsedCallback {
  const envelope = Envelope.safeParse(parseJson(raw));
  if (envelope.success && envelope.data.Type === 'SubscriptionConfirmation') {
    return unreadable('SUBSCRIPTION_CONFIRMATION');
  }
  const notice = noticeIn(raw);
  if (!envelope.success || notice === null) {
    return unreadable('UNREADABLE');
  }
  return {
    attemptReference: plainId(notice.merchantInvoiceNumber),
    signatureValid: noticeIsSigned(envelope.data, credentials.noticeCertificate),
    claims: notice.transactionStatus === 'Completed' ? 'paid' : 'unknown',
    // The notification names the transaction, not the payment id that a query needs.
    claimedValidationId: null,
    note: credentials.noticeCertificate === undefined ? 'NO_CERTIFICATE' : null,
  };
}

function noticeIn(raw: string): z.infer<typeof Notice> | null {
  const envelope = Envelope.safeParse(parseJson(raw));
  const notice = envelope.success ? Notice.safeParse(parseJson(envelope.data.Message)) : undefined;
  return notice?.success === true ? notice.data : null;
}

function noticeIsSigned(envelope: z.infer<typeof Envelope>, certificate: string | undefined): boolean {
  const { Signature: signature, SignatureVersion: version } = envelope;
  if (certificate === undefined || signature === undefined || (version !== '1' && version !== '2')) {
    return false;
  }
  const text = SIGNED_NAMES.filter((name) => typeof envelope[name] === 'string')
    .map((name) => `${name}\n${String(envelope[name])}\n`)
    .join('');
  try {
    const verify = createVerify(version === '1' ? 'RSA-SHA1' : 'RSA-SHA256').update(text);
    return verify.verify(certificate, signature, 'base64');
  } catch {
    return false;
  }
}
