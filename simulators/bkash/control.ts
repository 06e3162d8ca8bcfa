import { randomUUID } from 'node:crypto';
import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { BodyError, readJsonObject } from '../form-body.ts';
import { agreeByPayer, backUrl } from './checkout.ts';
import { parseScript, parseSettings } from './control-input.ts';
import { endPayment, executePayment, paymentsOf } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import type { Notices } from './notices.ts';
import { mergeScripts, scriptTable } from './scripts.ts';
import type { Payment } from './state.ts';
import { isWallet, payingWallets } from './wallets.ts';

const queuedPaymentsMax = 10_000;
const base = '/__sim/bkash';

/** Registers the control API, which tests and proofs use; ordinary payments never need it. Every change is a JSON request. */
export function controlRoutes(router: Router, { gateway, notices }: { gateway: Gateway; notices: Notices }): void {
  router.get(`${base}/config`, (ctx) => {
    ctx.body = gateway.state.settings;
  });
  router.put(`${base}/config`, async (ctx) => {
    gateway.record({ type: 'settings', settings: parseSettings(await readJsonObject(ctx.req)) });
    await gateway.settled();
    ctx.body = gateway.state.settings;
  });
  router.get(`${base}/scripts`, (ctx) => {
    ctx.body = { table: scriptTable, queued: [...gateway.state.queuedScripts.values()] };
  });
  router.post(`${base}/scripts`, (ctx) => queueScript(ctx, gateway));
  router.get(`${base}/tokens`, (ctx) => {
    const { tokenCalls, tokenBlocks } = gateway.state;
    ctx.body = gateway.merchants.map(({ username }) => ({
      username,
      calls: tokenCalls.get(username) ?? [],
      blockedUntil: tokenBlocks.get(username) ?? null,
    }));
  });
  router.post(`${base}/tokens/revoke`, async (ctx) => {
    const { username } = await readJsonObject(ctx.req);
    gateway.record({ type: 'token_revoked', username: merchantNamed(gateway, username).username });
    await gateway.settled();
    ctx.body = {};
  });
  router.get(`${base}/payments/:reference`, (ctx) => {
    ctx.body = findPayments(ctx, gateway).map((payment) => described(gateway, payment));
  });
  router.post(`${base}/payments/:reference/:action`, (ctx) => actOnPayment(ctx, gateway));
  router.get('/bkash/notice-certificate.pem', (ctx) => {
    ctx.type = 'text/plain';
    ctx.body = notices.certificate;
  });
}

async function queueScript(ctx: Context, gateway: Gateway): Promise<void> {
  const body = await readJsonObject(ctx.req);
  const { payments = 1 } = body;
  if (typeof payments !== 'number' || !Number.isInteger(payments) || payments < 1 || payments > queuedPaymentsMax) {
    throw new BodyError(400, `payments is a whole number from 1 to ${queuedPaymentsMax}`);
  }
  const { username } = merchantNamed(gateway, body['username']);
  const queued = { id: randomUUID(), username, script: parseScript(body['script']), left: payments };
  gateway.record({ type: 'script_queued', queued });
  await gateway.settled();
  ctx.status = 201;
  ctx.body = queued;
}

async function actOnPayment(ctx: Context, gateway: Gateway): Promise<void> {
  const body = await readJsonObject(ctx.req);
  const payment = findPayments(ctx, gateway).at(-1);
  if (!payment) {
    throw new BodyError(404, 'There is no such payment');
  }
  switch (ctx['params']['action']) {
    case 'agree':
      agreeNow(gateway, { payment, wallet: body['wallet'] ?? payingWallets[0] });
      break;
    case 'execute':
      executePayment(gateway, payment);
      break;
    case 'cancel':
      endPayment(gateway, payment, { status: 'Cancelled' });
      break;
    case 'fail':
      endPayment(gateway, payment, { status: 'Failed' });
      break;
    case 'expire':
      endPayment(gateway, payment, { status: 'Expired' });
      break;
    case 'notice':
      gateway.notify(payment);
      break;
    case 'script':
      gateway.record({
        type: 'payment_script',
        id: payment.id,
        script: mergeScripts(payment.script, parseScript(body['script'])),
      });
      break;
    default:
      throw new BodyError(404, 'The actions are agree, execute, cancel, fail, expire, notice and script');
  }
  await gateway.settled();
  ctx.body = described(gateway, payment);
}

/** Does what the payer would do on the page. */
function agreeNow(gateway: Gateway, { payment, wallet }: { payment: Payment; wallet: unknown }): void {
  if (typeof wallet !== 'string' || !isWallet(wallet)) {
    throw new BodyError(400, 'wallet is a number like 01770618575');
  }
  if (payment.end === undefined) {
    agreeByPayer(gateway, { payment, wallet });
  }
}

function described({ state }: Gateway, payment: Payment) {
  return { ...payment, backUrl: backUrl(payment), refund: state.refunds.get(payment.id) ?? null };
}

function findPayments(ctx: Context, gateway: Gateway): Payment[] {
  const reference = String(ctx['params']['reference']);
  const byId = gateway.state.payments.get(reference);
  return byId
    ? [byId]
    : gateway.merchants.flatMap(({ username }) => paymentsOf(gateway, { username, invoice: reference }));
}

function merchantNamed({ merchants }: Gateway, username: unknown) {
  const merchant = username === undefined ? merchants[0] : merchants.find((one) => one.username === username);
  if (!merchant) {
    throw new BodyError(400, 'username names no merchant');
  }
  return merchant;
}
