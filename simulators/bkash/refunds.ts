import type { Context } from 'koa';
import { answerCall, refuse } from './answers.ts';
import type { Answer } from './answers.ts';
import { refusal } from './codes.ts';
import type { Code } from './codes.ts';
import { recordRefund } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { newTrxId } from './identifiers.ts';
import { callOn, findPayment } from './merchant-call.ts';
import type { MerchantCall } from './merchant-call.ts';
import { formatAmount, parseAmount } from './money.ts';
import { refundFields } from './records.ts';
import type { Completed } from './records.ts';
import type { Payment, Refund } from './state.ts';

const textLengthMax = 255;

/** Serves two operations at one address: with an amount it makes a refund, without one it returns the refund's status. */
export async function refundCall(ctx: Context, call: MerchantCall): Promise<void> {
  const { gateway, body } = call;
  const payment = findPayment(call);
  if (!payment) {
    refuse(ctx, '2002');
    return;
  }
  const { end } = payment;
  if (end?.status !== 'Completed' || end.trxId !== body['trxID']) {
    refuse(ctx, '2077');
    return;
  }
  const asks = body['amount'] === undefined;
  const act = (): Answer =>
    asks
      ? refundFields(payment, end, gateway.state.refunds.get(payment.id))
      : startRefund(gateway, { payment, end, body: { ...body } });
  const operation = asks ? 'refundStatus' : 'refund';
  await answerCall(ctx, { gateway, call: { operation, ...callOn(payment), act } });
}

type Giving = { payment: Payment; end: Completed; body: Record<string, unknown> };

/** Starts a refund. A payment can be refunded once, in full or in part. */
function startRefund(gateway: Gateway, giving: Giving): Answer {
  const { payment, end, body } = giving;
  const bad = badRefund(gateway, giving);
  if (bad !== undefined) {
    return refusal(bad);
  }
  const refund: Refund = {
    trxId: newTrxId(),
    paymentId: payment.id,
    amount: formatAmount(parseAmount(body['amount']) ?? 0n),
    sku: String(body['sku']),
    reason: String(body['reason']),
    at: Date.now(),
  };
  gateway.record({ type: 'refund', refund });
  recordRefund(gateway, refund);
  return refundFields(payment, end, refund);
}

function badRefund({ state }: Gateway, { payment, end, body }: Giving): Code | undefined {
  const { sku, reason } = body;
  const amount = parseAmount(body['amount']);
  if (typeof sku !== 'string' || sku === '') {
    return '2073';
  }
  if (typeof reason !== 'string' || reason === '') {
    return '2078';
  }
  if (sku.length > textLengthMax || reason.length > textLengthMax) {
    return sku.length > textLengthMax ? '2075' : '2076';
  }
  if (amount === undefined || amount === 0n || amount > (parseAmount(end.amount) ?? 0n)) {
    return '2072';
  }
  if (state.refunds.has(payment.id)) {
    return '2034';
  }
  const windowMs = payment.script.refundWindowMs ?? state.settings.refundWindowMs;
  return Date.now() - end.at >= windowMs ? '2071' : undefined;
}
