import { createVerify } from 'node:crypto';
import { z } from 'zod';
import { hmacSha256, secretEquals } from '../../runtime/secrets.ts';
import type { ParsedCallback } from '../port.ts';
import type { BkashCredentials } from './credentials.ts';

const CLAIMS: ReadonlyMap<string, ParsedCallback['claims']> = new Map([
  ['success', 'paid'],
  ['failure', 'failed'],
  ['cancel', 'cancelled'],
]);

const SEAL_CHARACTERS = 22;

/**
 * Returns the URL to which bKash redirects the browser. The scheme of bKash's own `signature` is not published, so the URL carries a seal of ours. A
 * valid seal shows that the caller has visited this URL or received it from the gateway. It proves nothing about money.
 */
export function sealedAddress(back: string, attemptReference: string, credentials: BkashCredentials): string {
  return `${back}/${attemptReference}.${sealOf(attemptReference, credentials)}`;
}

/** Returns the attempt that a callback names, unverified. */
export function attemptNamedIn(raw: string): string | null {
  return raw.startsWith('{')
    ? plainReference(noticeIn(raw)?.merchantInvoiceNumber)
    : (returnIn(raw)?.reference ?? null);
}

/** Reads the browser's return, `reference.seal?paymentID=…&status=…`, or a posted notification. */
export function parseCallback(raw: string, credentials: BkashCredentials): ParsedCallback {
  return raw.startsWith('{') ? parseNotice(raw, credentials) : parseReturn(raw, credentials);
}

function parseReturn(raw: string, credentials: BkashCredentials): ParsedCallback {
  const found = returnIn(raw);
  if (found === null) {
    return { ...NOTHING, note: 'UNREADABLE' };
  }
  const { reference, seal, fields } = found;
  const paymentId = fields.get('paymentID');
  return {
    attemptReference: reference,
    signatureValid: secretEquals(seal, sealOf(reference, credentials)),
    claims: CLAIMS.get(fields.get('status') ?? '') ?? 'unknown',
    claimedValidationId: paymentId !== null && /^[0-9A-Za-z]{1,64}$/.test(paymentId) ? paymentId : null,
    note: null,
  };
}

const NOTHING: ParsedCallback = {
  attemptReference: null,
  signatureValid: false,
  claims: 'unknown',
  claimedValidationId: null,
  note: null,
};

function returnIn(raw: string): { reference: string; seal: string; fields: URLSearchParams } | null {
  const match = /^([0-9A-Za-z]{20})\.([0-9A-Za-z_-]{1,64})\?(.*)$/s.exec(raw);
  const [, reference = '', seal = '', query = ''] = match ?? [];
  return match === null ? null : { reference, seal, fields: new URLSearchParams(query) };
}

function sealOf(attemptReference: string, { appSecret }: BkashCredentials): string {
  return hmacSha256(appSecret, `the way back of ${attemptReference}`).toString('base64url').slice(0, SEAL_CHARACTERS);
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
    return { ...NOTHING, note: 'SUBSCRIPTION_CONFIRMATION' };
  }
  const notice = noticeIn(raw);
  if (!envelope.success || notice === null) {
    return { ...NOTHING, note: 'UNREADABLE' };
  }
  return {
    attemptReference: plainReference(notice.merchantInvoiceNumber),
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

function plainReference(text: string | undefined): string | null {
  return text !== undefined && /^[0-9A-Za-z_-]{1,64}$/.test(text) ? text : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
