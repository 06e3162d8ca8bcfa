import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { readJsonObject } from '../kit/form-body.ts';
import { answerCall, refuse } from './answers.ts';
import type { Answer } from './answers.ts';
import { refusal } from './codes.ts';
import { executePayment, expireIfDue, paymentsOf } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { newHash, newPaymentId } from './identifiers.ts';
import { readPaymentRequest } from './payment-request.ts';
import { createdFields, executedFields, queryFields, searchedFields } from './records.ts';
import { callOn, findPayment } from './merchant-call.ts';
import type { MerchantCall } from './merchant-call.ts';
import { refundCall } from './refunds.ts';
import { scriptForRequest } from './script-choice.ts';
import type { Payment } from './state.ts';
import { authenticate, tokenCall } from './tokens.ts';

const base = '/v1.2.0-beta/tokenized/checkout';

/** Registers the merchant's API. Every call is a POST with JSON, and a refusal is HTTP 200 with its code. */
export function merchantRoutes(router: Router, gateway: Gateway): void {
  router.post(`${base}/token/grant`, (ctx) => tokenCall(ctx, gateway, 'grant'));
  router.post(`${base}/token/refresh`, (ctx) => tokenCall(ctx, gateway, 'refresh'));
  const calls: Record<string, (ctx: Context, call: MerchantCall) => Promise<void>> = {
    '/create': createCall,
    '/execute': executeCall,
    '/payment/status': queryCall,
    '/general/searchTransaction': searchCall,
    '/payment/refund': refundCall,
  };
  for (const [path, call] of Object.entries(calls)) {
    router.post(`${base}${path}`, async (ctx) => {
      const merchant = authenticate(ctx, gateway);
      if (merchant) {
        await call(ctx, { gateway, merchant, body: await readJsonObject(ctx.req) });
      }
    });
  }
}

async function createCall(ctx: Context, { gateway, merchant, body }: MerchantCall): Promise<void> {
  const read = readPaymentRequest(body);
  if ('code' in read) {
    refuse(ctx, read.code);
    return;
  }
  const { username } = merchant;
  const script = scriptForRequest(gateway, { username, request: read });
  const act = (): Answer => {
    const paid = paymentsOf(gateway, { username, invoice: read.invoice }).some(isCompleted);
    if (paid && gateway.state.settings.paidInvoice === 'refused') {
      return refusal('2029');
    }
    const now = Date.now();
    const payment: Payment = {
      ...read,
      id: newPaymentId(now),
      hash: newHash(),
      username,
      script,
      createdAt: now,
      expiresAt: now + (script.paymentTtlMs ?? gateway.state.settings.paymentTtlMs),
      wrongPins: 0,
    };
    gateway.record({ type: 'payment', payment });
    return createdFields(gateway, payment);
  };
  const scope = `${username} ${read.invoice}`;
  await answerCall(ctx, { gateway, call: { operation: 'create', scope, script, finished: false, act } });
}

async function executeCall(ctx: Context, call: MerchantCall): Promise<void> {
  const { gateway } = call;
  const payment = findPayment(call);
  if (!payment) {
    refuse(ctx, '2002');
    return;
  }
  const act = (): Answer => {
    const code = executePayment(gateway, payment);
    return code === undefined && payment.end?.status === 'Completed'
      ? executedFields(gateway, payment, payment.end)
      : refusal(code ?? '2003');
  };
  await answerCall(ctx, { gateway, call: { operation: 'execute', ...callOn(payment), act } });
}

async function queryCall(ctx: Context, call: MerchantCall): Promise<void> {
  const { gateway } = call;
  const payment = findPayment(call);
  if (!payment) {
    refuse(ctx, '2002');
    return;
  }
  expireIfDue(gateway, payment);
  const act = (): Answer => queryFields(gateway, payment);
  await answerCall(ctx, { gateway, call: { operation: 'query', ...callOn(payment), act } });
}

async function searchCall(ctx: Context, { gateway, merchant, body }: MerchantCall): Promise<void> {
  const id = gateway.state.byTrxId.get(String(body['trxID'] ?? ''));
  const payment = gateway.state.payments.get(id ?? '');
  if (payment?.username !== merchant.username || payment.end?.status !== 'Completed') {
    refuse(ctx, '2033');
    return;
  }
  const { end } = payment;
  const act = (): Answer => searchedFields(gateway, payment, end);
  await answerCall(ctx, { gateway, call: { operation: 'search', ...callOn(payment), act } });
}

function isCompleted({ end }: Payment): boolean {
  return end?.status === 'Completed';
}
