import type { Context } from 'koa';

/**
 * The reasons for refusing a call. The names come from an open-source client. The real gateway's texts are unknown, so these are the simulator's own.
 * The form, JSON with `reason` and `message` and a status other than 200, is what clients read.
 */
const messages = {
  InvalidMerchant: 'The merchant is not known',
  InactiveMerchant: 'The merchant is switched off',
  DecryptionError: 'The sensitive data could not be decrypted',
  SignatureVerificationFailed: 'The signature does not belong to the sensitive data',
  InvalidApiRequest: 'The request is malformed',
  InvalidOrderId: 'The order id is malformed, or not the one of this payment',
  DuplicateOrderId: 'The order id was used before',
  InvalidPurchaseInformation: 'The purchase is malformed, or not the one of this payment',
  InvalidReferenceId: 'The payment reference is not known',
  InvalidCurrency: 'The currency is not taken',
  ServerError: 'Something went wrong here',
} as const;

export type Reason = keyof typeof messages;

/** Thrown by the checks of a call; `detail` names the member for the developer. */
export class Refusal extends Error {
  readonly reason: Reason;
  readonly detail: string;

  constructor(reason: Reason, detail = '') {
    super(reason);
    this.reason = reason;
    this.detail = detail;
  }
}

export function refuse(ctx: Context, reason = 'ServerError', detail = ''): void {
  const known = Object.entries(messages).find(([name]) => name === reason);
  const message = known?.[1] ?? 'Refused';
  ctx.status = reason === 'ServerError' ? 500 : 400;
  ctx.body = { reason, message, devMessage: detail === '' ? message : `${message}: ${detail}` };
}
