import { setTimeout as sleep } from 'node:timers/promises';
import { open, press, type Page, type Visit } from '../../scripts/development/demo/payer.ts';
import type { GatewayName } from './booked.ts';
import { transactionOf, type Errand, type PayerAct } from './plan.ts';

const CONTINUE = 'form[action*="/continue"]';
const CANCEL = 'form[action*="/cancel"]';
const WAYS = 'form.ways';
/** The form with which a payer reports a manual payment. */
const SUBMIT = 'form[action*="/submission"]';
/** The published card that is declined, for gateways without a button that fails a payment. */
const DECLINED = { card: '4000000000000002' };
const STEPS_MAX = 5;
const LOOK_AGAIN_MS = 250;
const PAGE_TIMEOUT_MS = 4_000;
const COME_BACK_MS = 10_000;

export interface Visiting {
  readonly checkoutUrl: string;
  readonly errand: Errand;
  /** A separate address for each payer, because the page limits how often one address goes to the gateway. */
  readonly address: string;
  /** Returns true when it is time to give up. */
  readonly closed: () => boolean;
  /** Receives what a payer submitted for a manual payment, and whether the page showed it. */
  readonly told: (transaction: string, shown: boolean) => void;
}

/** Completes, after the payment is over, what the payer left open. */
export type ComeBack = () => Promise<string | null>;

export interface Visited {
  /** Why the payer gave up; null if they have done everything. */
  readonly gaveUp: string | null;
  readonly comeBack: ComeBack | null;
}

/** Acts as one payer, using only links and forms, on a network that may fail at any page. A page that does not load is tried again until `closed`. */
export async function actAsPayer({ checkoutUrl, errand, address, closed, told }: Visiting): Promise<Visited> {
  const visit: Visit = (url, request) =>
    fetch(url, {
      ...request,
      headers: { 'x-forwarded-for': address },
      signal: AbortSignal.any([request.signal, AbortSignal.timeout(PAGE_TIMEOUT_MS)]),
    });
  const patience: Patience = { closed, checkoutUrl, visit, errand, told };
  if (errand.act !== 'pay-after-expiry') {
    return { gaveUp: await untilGivenUp(act(patience, errand.act)), comeBack: null };
  }
  let page: Page | undefined;
  const gaveUp = await untilGivenUp(goTo(patience, errand.visits[0]).then((gateway) => void (page = gateway)));
  return { gaveUp, comeBack: page === undefined ? null : payLater(patience, page) };
}

/** Pays in the tab that stayed open, and closes the browser before it is sent back. */
function payLater(patience: Patience, page: Page): ComeBack {
  return () => {
    const closesAt = performance.now() + COME_BACK_MS;
    const closed = (): boolean => performance.now() > closesAt;
    return untilGivenUp(finishAt({ ...patience, closed }, page, { button: 'pay', comesBack: false }));
  };
}

function untilGivenUp(visit: Promise<void>): Promise<string | null> {
  return visit.then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

interface Patience {
  readonly closed: () => boolean;
  readonly checkoutUrl: string;
  readonly visit: Visit;
  readonly errand: Errand;
  readonly told: Visiting['told'];
}

function act(patience: Patience, choice: Exclude<PayerAct, 'pay-after-expiry'>): Promise<void> {
  switch (choice) {
    case 'never-come':
      return Promise.resolve();
    case 'pay':
      return atGateway(patience, { button: 'pay', comesBack: true });
    case 'close-after-paying':
      return atGateway(patience, { button: 'pay', comesBack: false });
    case 'fail':
      return atGateway(patience, { button: 'fail', comesBack: true });
    case 'cancel-at-gateway':
      return atGateway(patience, { button: 'cancel', comesBack: true });
    case 'leave-the-gateway':
      return atGateway(patience, { button: 'leave', comesBack: false });
    case 'cancel-on-our-page':
      return cancelHere(patience);
    case 'cancel-then-pay':
      return cancelThenPay(patience, { comesBack: true });
    case 'cancel-then-pay-unseen':
      return cancelThenPay(patience, { comesBack: false });
    case 'change-mind':
      return changeMind(patience);
    case 'pay-at-both':
      return payAtBoth(patience);
  }
}

/** Gateways have different names for the same action. */
const ALIKE: Readonly<Record<string, readonly string[]>> = { cancel: ['abort'] };

interface Finishing {
  readonly button: string;
  readonly comesBack: boolean;
}

async function atGateway(patience: Patience, how: Finishing): Promise<void> {
  await finishAt(patience, await goTo(patience, patience.errand.visits[0]), how);
}

/** Follows the gateway's pages to the end. Some gateways ask for several inputs, one after the other. */
async function finishAt(patience: Patience, gateway: Page, { button, comesBack }: Finishing): Promise<void> {
  if (isByHand(gateway)) {
    // The page's only button is the one that reports the payment.
    return button === 'pay' ? payByHand(patience, gateway) : undefined;
  }
  let page = comesBack ? gateway : { ...gateway, visit: stayingAt(gateway) };
  for (let steps = 0; steps < STEPS_MAX && isAtGateway(patience, page); steps += 1) {
    const buttons = buttonsOf(page);
    if (buttons.length === 0) {
      break;
    }
    const wanted = [...(ALIKE[button] ?? []), button, 'next'].find((name) => buttons.includes(name)) ?? 'pay';
    const typed = button === 'fail' && wanted === 'pay' ? DECLINED : {};
    const current = page;
    page = await again(patience, () => press(current, { form: 'form', button: wanted, typed }));
    if (wanted !== 'next') {
      break;
    }
  }
  if (comesBack && page.document.querySelector('form#return') !== null) {
    await again(patience, () => press(page, { form: 'form#return' }));
  }
}

/** Simulates a browser that is closed as soon as the gateway would send it back. */
function stayingAt({ url: { origin }, visit }: Page): Visit {
  return (url, request) =>
    url.origin === origin
      ? visit(url, request)
      : Promise.resolve({ status: 200, headers: new Headers(), text: () => Promise.resolve('') });
}

function buttonsOf({ document }: Page): string[] {
  return document.querySelectorAll('form button[name="outcome"]').map((button) => button.getAttribute('value') ?? '');
}

function isAtGateway({ checkoutUrl }: Patience, { url }: Page): boolean {
  return url.origin !== new URL(checkoutUrl).origin;
}

/** Goes from Lenden's page to the gateway's, using that gateway's button if there are several. */
function goTo(patience: Patience, gateway: GatewayName | undefined): Promise<Page> {
  return again(patience, async () => {
    const checkout = await openCheckout(patience);
    const there = await goOn(checkout, gateway);
    if (!isThere(patience, there, gateway)) {
      throw isWaiting(there) || isPayable(there) ? new Error('the gateway is not open yet') : new NothingToPay();
    }
    return there;
  });
}

async function goOn(checkout: Page, gateway: GatewayName | undefined): Promise<Page> {
  if (gateway !== undefined && checkout.document.querySelector(WAYS) !== null) {
    return press(checkout, { form: WAYS, button: gateway });
  }
  return gateway === 'manual' && isByHand(checkout) ? checkout : press(checkout, { form: CONTINUE });
}

/** Returns whether the page is the gateway's own, or Lenden's page for manual payments. */
function isThere(patience: Patience, page: Page, gateway: GatewayName | undefined): boolean {
  return gateway === 'manual' ? isByHand(page) : isAtGateway(patience, page);
}

function isByHand({ document }: Page): boolean {
  return document.querySelector(SUBMIT) !== null;
}

/** Uses the link to the other payment methods, as a payer does who has returned from a gateway. */
async function chooseAgain(patience: Patience, gateway: GatewayName): Promise<Page> {
  return again(patience, async () => {
    const choosing = await open(`${patience.checkoutUrl}?choose=1`, patience.visit);
    if (choosing.document.querySelector(WAYS) === null) {
      throw isWaiting(choosing) ? new Error('the page waits') : new NothingToPay();
    }
    const there = await press(choosing, { form: WAYS, button: gateway });
    if (isThere(patience, there, gateway)) {
      return there;
    }
    const later = await open(patience.checkoutUrl, patience.visit);
    throw isWaiting(later) || isPayable(later) ? new Error('the gateway is not open yet') : new NothingToPay();
  });
}

/** Goes to each of the gateways and pays at the last one. */
async function changeMind(patience: Patience): Promise<void> {
  const [first, ...others] = patience.errand.visits;
  let page = await goTo(patience, first);
  for (const gateway of others) {
    page = await chooseAgain(patience, gateway);
  }
  await finishAt(patience, page, { button: 'pay', comesBack: true });
}

/** Pays in two tabs: first chooses again and pays in the second tab, then in the first one, whose page is still open. */
async function payAtBoth(patience: Patience): Promise<void> {
  const [first, second] = patience.errand.visits;
  const left = await goTo(patience, first);
  const chosen = second === undefined ? left : await chooseAgain(patience, second);
  await Promise.all([chosen, left].map((page) => finishAt(patience, page, { button: 'pay', comesBack: true })));
}

async function cancelHere(patience: Patience): Promise<void> {
  const checkout = await openCheckout(patience);
  await again(patience, () => press(checkout, { form: CANCEL }));
}

/** Uses two tabs: cancels on Lenden's page, then pays in the tab where the gateway's page is already open. */
async function cancelThenPay(patience: Patience, { comesBack }: Pick<Finishing, 'comesBack'>): Promise<void> {
  const gateway = await goTo(patience, patience.errand.visits[0]);
  await cancelHere(patience);
  await untilEnded(patience);
  await finishAt(patience, gateway, { button: 'pay', comesBack });
}

/** Submits a transaction, and whatever else the errand says about it. */
async function payByHand(patience: Patience, page: Page): Promise<void> {
  const { manual } = patience.errand;
  const other = manual === 'called-off' ? await openCheckout(patience) : null;
  const shown = await tell(patience, page, 0);
  if (other !== null) {
    await again(patience, () => press(other, { form: CANCEL }));
  }
  if (manual === 'retyped' && isByHand(shown)) {
    await tell(patience, shown, 1);
  }
  if (manual === 'corrected') {
    await tell(patience, await untilRejected(patience), 1);
  }
}

async function tell(patience: Patience, page: Page, turn: 0 | 1): Promise<Page> {
  const transaction = transactionOf(patience.errand, turn);
  const answered = await again(patience, () => press(page, { form: SUBMIT, typed: { transaction } }));
  const isSubmitted = answered.document.querySelector('body[data-state="submitted"]') !== null;
  patience.told(transaction, isSubmitted && answered.document.textContent.includes(transaction));
  return answered;
}

/** Waits until operators have rejected the first transaction, after which the page asks for another. */
function untilRejected(patience: Patience): Promise<Page> {
  return again(patience, async () => {
    const page = await open(patience.checkoutUrl, patience.visit);
    if (page.document.querySelector('body[data-state="manual"]') === null) {
      throw isWaiting(page) ? new Error('nobody has decided') : new NothingToPay();
    }
    return page;
  });
}

async function untilEnded({ closed, checkoutUrl, visit }: Patience): Promise<void> {
  for (let waiting = true; waiting && !closed();) {
    await sleep(LOOK_AGAIN_MS);
    waiting = await open(checkoutUrl, visit).then(
      (page) => isWaiting(page) || isPayable(page),
      () => true,
    );
  }
}

/** Reloads a checkout that is still being opened, as the page does itself. */
function openCheckout(patience: Patience): Promise<Page> {
  return again(patience, async () => {
    const page = await open(patience.checkoutUrl, patience.visit);
    if (!isPayable(page)) {
      throw isWaiting(page) ? new Error('the checkout is not open yet') : new NothingToPay();
    }
    return page;
  });
}

/** The error for a page that shows a final state, so there is no reason to come back. */
class NothingToPay extends Error {
  constructor() {
    super('the page shows an end');
  }
}

function isPayable({ document }: Page): boolean {
  return [CONTINUE, WAYS, SUBMIT].some((form) => document.querySelector(form) !== null);
}

/** Returns whether the page tells a browser without JavaScript to reload. */
function isWaiting({ status, document }: Page): boolean {
  return status >= 500 || document.querySelector('meta[http-equiv="refresh"]') !== null;
}

async function again<T>({ closed }: Patience, attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      const result = await attempt();
      if (!(isPage(result) && result.status >= 500)) {
        return result;
      }
    } catch (error) {
      if (closed() || error instanceof NothingToPay) {
        throw error;
      }
    }
    if (closed()) {
      throw new Error('the payer gave up');
    }
    await sleep(LOOK_AGAIN_MS);
  }
}

function isPage(result: unknown): result is Page {
  return typeof result === 'object' && result !== null && 'status' in result && typeof result.status === 'number';
}
