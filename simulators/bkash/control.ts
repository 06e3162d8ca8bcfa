import type { Router } from '@koa/router';
import { actionRoutes, commonControlRoutes, ownerNamed } from '../kit/control.ts';
import { merged } from '../kit/scripts.ts';
import { BodyError, readJsonObject } from '../kit/form-body.ts';
import { payoutRoutes } from '../kit/payouts/control.ts';
import type { PayoutDesk } from '../kit/payouts/desk.ts';
import { agreeByPayer, backUrl } from './checkout.ts';
import { parseScript, parseSettings } from './control-input.ts';
import { endPayment, executePayment, paymentsOf } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import type { Notices } from './notices.ts';
import { payoutColumns } from './payouts.ts';
import { scriptTable } from './scripts.ts';
import type { Payment } from './state.ts';
import { isWallet, payingWallets } from './wallets.ts';

const base = '/__sim/bkash';

type Parts = { gateway: Gateway; notices: Notices; desk: PayoutDesk };

/** Registers the control API, which tests and proofs use; ordinary payments never need it. Every change is a JSON request. */
export function controlRoutes(router: Router, { gateway, notices, desk }: Parts): void {
  const usernameIn = (body: Readonly<Record<string, unknown>>): string =>
    ownerNamed(gateway.merchants, { idOf: (one) => one.username, id: body['username'], member: 'username' }).username;
  commonControlRoutes(router, {
    base,
    gateway,
    scriptTable,
    parseScript,
    parseSettings,
    countedAs: 'payments',
    ownerIn: (body) => ({ username: usernameIn(body) }),
  });
  router.get(`${base}/tokens`, (ctx) => {
    const { tokenCalls, tokenBlocks } = gateway.state;
    ctx.body = gateway.merchants.map(({ username }) => ({
      username,
      calls: tokenCalls.get(username) ?? [],
      blockedUntil: tokenBlocks.get(username) ?? null,
    }));
  });
  router.post(`${base}/tokens/revoke`, async (ctx) => {
    gateway.record({ type: 'token_revoked', username: usernameIn(await readJsonObject(ctx.req)) });
    await gateway.settled();
    ctx.body = {};
  });
  actionRoutes(router, {
    path: `${base}/payments`,
    called: 'payment',
    find: (reference) => findPayments(gateway, reference),
    described: (payment) => described(gateway, payment),
    actions: {
      agree: (payment, body) => agreeNow(gateway, { payment, wallet: body['wallet'] ?? payingWallets[0] }),
      execute: (payment) => void executePayment(gateway, payment),
      cancel: (payment) => endPayment(gateway, payment, { status: 'Cancelled' }),
      fail: (payment) => endPayment(gateway, payment, { status: 'Failed' }),
      expire: (payment) => endPayment(gateway, payment, { status: 'Expired' }),
      notice: (payment) => gateway.notify(payment),
      script(payment, body) {
        const script = merged(payment.script, parseScript(body['script']));
        gateway.record({ type: 'payment_script', id: payment.id, script });
      },
    },
    settled: () => gateway.settled(),
  });
  payoutRoutes(router, { base, desk, charges: gateway.charges, ownerMember: 'username', columns: payoutColumns });
  router.get('/bkash/notice-certificate.pem', (ctx) => {
    ctx.type = 'text/plain';
    ctx.body = notices.certificate;
  });
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

function findPayments(gateway: Gateway, reference: string): Payment[] {
  const byId = gateway.state.payments.get(reference);
  return byId
    ? [byId]
    : gateway.merchants.flatMap(({ username }) => paymentsOf(gateway, { username, invoice: reference }));
}
