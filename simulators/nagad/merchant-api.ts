import { isIPv4 } from 'node:net';
import type { KeyObject } from 'node:crypto';
import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { BodyError, readJsonObject } from '../kit/form-body.ts';
import { answerCall } from './answers.ts';
import type { Answer } from './answers.ts';
import { seal, unseal } from './envelope.ts';
import { advanceIfDue, completeOrder, createOrder, ordersOf, scriptAtCompletion } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { dhakaDateTime, dhakaDigits } from './identifiers.ts';
import { parseAmount, unpad } from './money.ts';
import { Refusal, refuse } from './refusal.ts';
import type { Reason } from './refusal.ts';
import { scriptForOrder } from './script-choice.ts';
import { orderKey } from './state.ts';
import type { Order, Purchase } from './state.ts';

/** The paths of the sandbox and of the live host. */
const prefixes = ['/remote-payment-gateway-1.0/api/dfs', '/api/dfs'];
const apiVersion = 'v-0.2.0';
const clientTypes = ['PC_WEB', 'MOBILE_WEB', 'MOBILE_APP', 'WALLET_WEB_VIEW', 'BILL_KEY'];
/** The taka's numeric code in ISO 4217. */
const takaCode = '050';
const callbackLengthMax = 500;
const additionalLengthMax = 4_000;

export function merchantRoutes(router: Router, gateway: Gateway): void {
  const call = (work: (ctx: Context, gateway: Gateway) => Promise<void>) => async (ctx: Context) => {
    try {
      await work(ctx, gateway);
    } catch (error) {
      if (error instanceof Refusal) {
        refuse(ctx, error.reason, error.detail);
      } else if (error instanceof BodyError) {
        refuse(ctx, 'InvalidApiRequest', error.message);
      } else {
        throw error;
      }
    }
  };
  for (const prefix of prefixes) {
    router.post(`${prefix}/check-out/initialize/:merchantId/:orderId`, call(initializeCall));
    router.post(`${prefix}/check-out/complete/:ref`, call(completeCall));
    router.get(`${prefix}/verify/payment/:ref`, call(verifyCall));
  }
}

async function initializeCall(ctx: Context, gateway: Gateway): Promise<void> {
  demandHeaders(ctx);
  const body = await readJsonObject(ctx.req);
  const of = { merchantId: parameter(ctx, 'merchantId'), orderId: parameter(ctx, 'orderId') };
  const merchantKey = demandMerchant(gateway, of.merchantId);
  const secret = openSecret(gateway, { body, merchantKey });
  demand(secret['merchantId'] === of.merchantId, 'InvalidMerchant', 'merchantId');
  demand(secret['orderId'] === of.orderId && /^[0-9A-Za-z]{1,20}$/.test(of.orderId), 'InvalidOrderId', 'orderId');
  const dateTime = body['dateTime'];
  const isDate = typeof dateTime === 'string' && /^\d{14}$/.test(dateTime);
  demand(isDate && secret['datetime'] === dateTime, 'InvalidApiRequest', 'dateTime, datetime');
  demand(/^[\w-]{1,100}$/.test(challengeText(secret['challenge'])), 'InvalidApiRequest', 'challenge');
  const script = scriptForOrder(gateway, of);
  demandNewOrder(gateway, of);
  const act = (): Answer => {
    const order = createOrder(gateway, { ...of, script });
    const told = {
      paymentReferenceId: order.ref,
      challenge: order.challenge,
      acceptDateTime: dhakaDigits(order.createdAt),
    };
    return seal(told, { reader: merchantKey, writer: gateway.keys.gateway });
  };
  await answerCall(ctx, {
    gateway,
    call: { operation: 'initialize', scope: orderKey(of), script, finished: false, act },
  });
}

async function completeCall(ctx: Context, gateway: Gateway): Promise<void> {
  demandHeaders(ctx);
  const body = await readJsonObject(ctx.req);
  const order = demandOrder(ctx, gateway);
  const secret = openSecret(gateway, { body, merchantKey: demandMerchant(gateway, order.merchantId) });
  demand(secret['merchantId'] === order.merchantId, 'InvalidMerchant', 'merchantId');
  demand(secret['orderId'] === order.orderId, 'InvalidOrderId', 'orderId');
  demand(secret['challenge'] === order.challenge, 'InvalidPurchaseInformation', 'challenge');
  demand((body['paymentRefId'] ?? order.ref) === order.ref, 'InvalidReferenceId', 'paymentRefId');
  const purchase = readPurchase({ body, secret });
  advanceIfDue(gateway, order);
  demand(!order.outcome && isSamePurchase(order.purchase, purchase), 'DuplicateOrderId', 'completed before');
  const act = (): Answer => {
    if (!order.purchase) {
      completeOrder(gateway, { order, purchase });
    }
    return { callBackUrl: `${gateway.publicUrl}/check-out/${order.ref}`, status: 'Success' };
  };
  const script = order.purchase ? order.script : scriptAtCompletion(order, purchase.amount);
  await answerCall(ctx, {
    gateway,
    call: { operation: 'complete', scope: orderKey(order), script, finished: false, act },
  });
}

/** Requires no headers and no credentials: anyone with the reference may query, as the published clients do. */
async function verifyCall(ctx: Context, gateway: Gateway): Promise<void> {
  const order = demandOrder(ctx, gateway);
  advanceIfDue(gateway, order);
  const { script, outcome } = order;
  await answerCall(ctx, {
    gateway,
    call: {
      operation: 'verify',
      scope: orderKey(order),
      script,
      finished: outcome !== undefined,
      act: () => verification(order),
    },
  });
}

/** Only `000` is a real code. The simulator invents the others, and also the status of an order before its complete call. */
const statusCodes: Readonly<Record<string, string>> = {
  Success: '000',
  Aborted: '101',
  Cancelled: '102',
  Failed: '103',
};
const openStatusCode = '001';

function verification(order: Order): Answer {
  const { purchase, outcome, script } = order;
  const amount = outcome?.amount ?? purchase?.amount ?? null;
  const charged = outcome?.status === 'Success';
  const status = outcome?.status ?? order.stage;
  return {
    merchantId: order.merchantId,
    orderId: order.orderId,
    paymentRefId: order.ref,
    amount: amount !== null && script.unpadded ? unpad(amount) : amount,
    clientMobileNo: order.mobile === undefined ? null : `${order.mobile.slice(0, 3)}****${order.mobile.slice(-4)}`,
    merchantMobileNo: '01500000000',
    orderDateTime: dhakaDateTime(order.createdAt),
    issuerPaymentDateTime: charged ? dhakaDateTime(outcome.at) : null,
    issuerPaymentRefNo: charged ? outcome.issuerRef : null,
    additionalMerchantInfo: purchase?.additionalInfo ?? null,
    status,
    statusCode: statusCodes[status] ?? openStatusCode,
    cancelIssuerDateTime: null,
    cancelIssuerRefNo: null,
    serviceType: null,
  };
}

function demandHeaders(ctx: Context): void {
  demand(ctx.get('x-km-api-version') === apiVersion, 'InvalidApiRequest', 'X-KM-Api-Version');
  demand(isIPv4(ctx.get('x-km-ip-v4')), 'InvalidApiRequest', 'X-KM-IP-V4');
  demand(clientTypes.includes(ctx.get('x-km-client-type')), 'InvalidApiRequest', 'X-KM-Client-Type');
}

function demandMerchant(gateway: Gateway, merchantId: string): KeyObject {
  const key = gateway.keys.merchants.get(merchantId);
  if (!key) {
    throw new Refusal('InvalidMerchant');
  }
  demand(!gateway.state.settings.inactiveMerchants.includes(merchantId), 'InactiveMerchant');
  return key;
}

function demandOrder(ctx: Context, gateway: Gateway): Order {
  const order = gateway.state.orders.get(parameter(ctx, 'ref'));
  if (!order) {
    throw new Refusal('InvalidReferenceId');
  }
  return order;
}

function demandNewOrder(gateway: Gateway, of: { merchantId: string; orderId: string }): void {
  const orders = ordersOf(gateway, of);
  const { repeatedOrder } = gateway.state.settings;
  const refused = {
    refused: orders.length > 0,
    untilComplete: orders.some((order) => order.purchase !== undefined),
    accepted: orders.some((order) => order.outcome?.status === 'Success'),
  };
  demand(!refused[repeatedOrder], 'DuplicateOrderId');
}

type OpenSecret = { body: Record<string, unknown>; merchantKey: KeyObject };

function openSecret(gateway: Gateway, { body, merchantKey }: OpenSecret): Record<string, unknown> {
  const { sensitiveData, signature } = body;
  if (typeof sensitiveData !== 'string' || typeof signature !== 'string') {
    throw new Refusal('InvalidApiRequest', 'sensitiveData, signature');
  }
  const opened = unseal({ sensitiveData, signature }, { reader: gateway.keys.gateway, writer: merchantKey });
  // A wrong ciphertext decrypts to random bytes. Because these are not JSON, it can be distinguished from a wrong signature.
  const secret = opened === undefined ? undefined : parseObject(opened.bytes.toString('utf8'));
  if (!secret) {
    throw new Refusal('DecryptionError');
  }
  demand(opened?.signed === true, 'SignatureVerificationFailed');
  return secret;
}

function readPurchase(given: { body: Record<string, unknown>; secret: Record<string, unknown> }): Purchase {
  const { amount, currencyCode } = given.secret;
  const { merchantCallbackURL: callbackUrl, additionalMerchantInfo: additional = null } = given.body;
  demand(currencyCode === takaCode, 'InvalidCurrency');
  if (typeof amount !== 'string' || parseAmount(amount) === undefined) {
    throw new Refusal('InvalidPurchaseInformation', 'amount');
  }
  if (typeof callbackUrl !== 'string' || callbackUrl.length > callbackLengthMax || !isWebAddress(callbackUrl)) {
    throw new Refusal('InvalidPurchaseInformation', 'merchantCallbackURL');
  }
  const additionalInfo = additional === null ? null : JSON.stringify(additional);
  const fits = typeof additional === 'object' && (additionalInfo ?? '').length <= additionalLengthMax;
  demand(fits, 'InvalidPurchaseInformation', 'additionalMerchantInfo');
  return { amount, callbackUrl, additionalInfo, completedAt: Date.now() };
}

function isSamePurchase(known: Purchase | undefined, now: Purchase): boolean {
  return known === undefined || (known.amount === now.amount && known.callbackUrl === now.callbackUrl);
}

/** Accepts a number too, because one published readme sends one. */
function challengeText(challenge: unknown): string {
  return typeof challenge === 'string' || typeof challenge === 'number' ? String(challenge) : '';
}

function isWebAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function parameter(ctx: Context, name: string): string {
  return String(ctx['params'][name] ?? '');
}

function demand(holds: boolean, reason: Reason, detail = ''): void {
  if (!holds) {
    throw new Refusal(reason, detail);
  }
}
