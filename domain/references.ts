const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Uniform random text over [0-9A-Za-z] from a CSPRNG; 22 characters carry 131 bits. */
export function randomBase62(length: number): string {
  return randomText(BASE62, length);
}

function randomText(alphabet: string, length: number): string {
  // Bytes above a multiple of the alphabet's length would make its first letters likelier.
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

/** Public reference of a payment, ≥ 128 bits, since it opens the checkout page without a login. */
export function paymentReference(): string {
  return `pay_${randomBase62(22)}`;
}

/** Public reference of a payment in OwnPay's contract, which has room for 64 bits: one that is taken is drawn again, and guesses are limited. */
export function ownpayReference(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return `txn_${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

const BASE36 = BASE62.slice(0, 36);

/** Six characters are 31 bits, as the contract's samples have them: a reference that is taken is drawn again, and guesses are limited. */
function dated(kind: 'PAY' | 'REF', now: Date): string {
  return `${kind}_${now.toISOString().slice(0, 10).replaceAll('-', '')}_${randomText(BASE36, 6)}`;
}

/** Public reference of a payment in ShadhinPay's contract: the day in UTC and six characters. */
export function shadhinpayReference(now: Date): string {
  return dated('PAY', now);
}

/** Reference of a refund in ShadhinPay's contract. */
export function shadhinpayRefundReference(now: Date): string {
  return dated('REF', now);
}

/** 20 characters [0-9A-Za-z]: fits SSLCOMMERZ `tran_id`, Nagad `orderId`, bKash `merchantInvoiceNumber`, Stripe `client_reference_id`. */
export function attemptReference(): string {
  return randomBase62(20);
}

/** Public reference of an invoice: of its payable link, ≥ 128 bits, since that opens without a login, and of its workflow. */
export function invoiceReference(): string {
  return `pay_${randomBase62(22)}`;
}

/** The same in ShadhinPay's contract. */
export function shadhinpayInvoiceReference(): string {
  return `sp_inv_${randomBase62(22)}`;
}

/** Reference of a refund and its key at the gateway, the same over every retry; 26 characters, where SSLCOMMERZ takes 30. */
export function refundReference(): string {
  return `ref_${randomBase62(22)}`;
}

/** Id of a webhook event: constant over retries, so receivers deduplicate by it. No dot, which the signature uses as separator. */
export function eventId(): string {
  return `evt_${randomBase62(22)}`;
}

/** Whether an id from outside has the form of a payment's or a refund's reference in one of the three contracts; what has not is never looked for. */
export function isReference(id: string): boolean {
  return /^[A-Za-z]{3}_[0-9A-Za-z_]{1,40}$/.test(id);
}
