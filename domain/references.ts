const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Uniform random text over [0-9A-Za-z] from a CSPRNG; 22 characters carry 131 bits. */
export function randomBase62(length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length * 2))) {
      // 248 = 4 × 62: bytes above it would make the first letters likelier.
      if (byte < 248 && text.length < length) {
        text += BASE62.charAt(byte % 62);
      }
    }
  }
  return text;
}

/** Public reference of a payment, ≥ 128 bits, since it opens the checkout page without a login. */
export function paymentReference(): string {
  return `pay_${randomBase62(22)}`;
}

/** 20 characters [0-9A-Za-z]: fits SSLCOMMERZ `tran_id`, Nagad `orderId`, bKash `merchantInvoiceNumber`, Stripe `client_reference_id`. */
export function attemptReference(): string {
  return randomBase62(20);
}

/** Reference of a refund and its key at the gateway, the same over every retry; 26 characters, where SSLCOMMERZ takes 30. */
export function refundReference(): string {
  return `ref_${randomBase62(22)}`;
}

/** Id of a webhook event: constant over retries, so receivers deduplicate by it. No dot, which the signature uses as separator. */
export function eventId(): string {
  return `evt_${randomBase62(22)}`;
}
