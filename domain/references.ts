const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Returns uniformly random text over [0-9A-Za-z] from a CSPRNG; 22 characters carry 131 bits. */
export function randomBase62(length: number): string {
  return randomText(BASE62, length);
}

function randomText(alphabet: string, length: number): string {
  // Bytes above a multiple of the alphabet's length would make its first letters more likely.
  const fair = 256 - (256 % alphabet.length);
  let text = '';
  while (text.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length * 2))) {
      if (byte < fair && text.length < length) {
        text += alphabet.charAt(byte % alphabet.length);
      }
    }
  }
  return text;
}

/** Returns the public reference of a payment: at least 128 bits, since it opens the checkout page without a login. */
export function paymentReference(): string {
  return `pay_${randomBase62(22)}`;
}

/**
 * Returns the public reference of a payment in OwnPay's contract, which has room for only 64 bits. A collision is retried, and guessing is
 * rate-limited.
 */
export function ownpayReference(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return `txn_${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

const BASE36 = BASE62.slice(0, 36);

/** Six characters are 31 bits, as in the contract's samples. A collision is retried, and guessing is rate-limited. */
function dated(kind: 'PAY' | 'REF', now: Date): string {
  return `${kind}_${now.toISOString().slice(0, 10).replaceAll('-', '')}_${randomText(BASE36, 6)}`;
}

/** Returns the public reference of a payment in ShadhinPay's contract: the UTC date and six characters. */
export function shadhinpayReference(now: Date): string {
  return dated('PAY', now);
}

export function shadhinpayRefundReference(now: Date): string {
  return dated('REF', now);
}

/** Returns 20 characters [0-9A-Za-z]: fits SSLCOMMERZ `tran_id`, Nagad `orderId`, bKash `merchantInvoiceNumber`, Stripe `client_reference_id`. */
export function attemptReference(): string {
  return randomBase62(20);
}

/**
 * Returns the public reference of an invoice, used in its payable link and its workflow id: at least 128 bits, since the link opens without a login.
 */
export function invoiceReference(): string {
  return `pay_${randomBase62(22)}`;
}

export function shadhinpayInvoiceReference(): string {
  return `sp_inv_${randomBase62(22)}`;
}

/**
 * Returns the reference of a refund, which is also its key at the gateway and stays the same over every retry. 26 characters; SSLCOMMERZ accepts 30.
 */
export function refundReference(): string {
  return `ref_${randomBase62(22)}`;
}

/** Returns the reference of a run of reconciliation. */
export function reconciliationReference(): string {
  return `rec_${randomBase62(22)}`;
}

/**
 * Returns the id of a webhook event. It stays the same over retries, so receivers deduplicate by it. It has no dot, which is a separator in
 * signatures.
 */
export function eventId(): string {
  return `evt_${randomBase62(22)}`;
}

export function payoutReference(): string {
  return `po_${randomBase62(22)}`;
}

export function payoutFileReference(): string {
  return `pof_${randomBase62(22)}`;
}

export function caseReference(): string {
  return `case_${randomBase62(22)}`;
}

/** Reports whether an id from outside has the form of a payment's or refund's reference in one of the three contracts. Others are not looked up. */
export function isReference(id: string): boolean {
  return /^[A-Za-z]{3}_[0-9A-Za-z_]{1,40}$/.test(id);
}
