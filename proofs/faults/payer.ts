import { setTimeout as sleep } from 'node:timers/promises';
import { open, press, type Page, type Visit } from '../../scripts/demo/payer.ts';
import type { GatewayName } from './booked.ts';
import { transactionOf, type Errand, type PayerAct } from './plan.ts';

const CONTINUE = 'form[action*="/continue"]';
const CANCEL = 'form[action*="/cancel"]';
const WAYS = 'form.ways';
/** Where a payer who pays by hand tells that he has. */
const SUBMIT = 'form[action*="/submission"]';
/** The published card that is declined: where no button fails a payment, a card does. */
const DECLINED = { card: '4000000000000002' };
const STEPS_MAX = 5;
const LOOK_AGAIN_MS = 250;
const PAGE_TIMEOUT_MS = 4_000;
const COME_BACK_MS = 10_000;

export interface Visiting {
  readonly checkoutUrl: string;
  readonly errand: Errand;
  /** Of its own, since a page limits how often one address goes on to the gateway. */
  readonly address: string;
  /** True when it is time to give up. */
  readonly closed: () => boolean;
  /** Hears what a payer who pays by hand has written, and whether the page showed it to him. */
  readonly told: (transaction: string, shown: boolean) => void;
}

/** What the payer left open, to come back to it when the payment is over. */
export type ComeBack = () => Promise<string | null>;

export interface Visited {
  /** Why he gave up; null when he has done what there was to do. */
  readonly gaveUp: string | null;
  readonly comeBack: ComeBack | null;
}

/** One payer's visit by links and forms, on a network that may fail at any page: what does not load is tried again until the patience ends. */
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

/** Gateways call the same thing differently. */
const ALIKE: Readonly<Record<string, readonly string[]>> = { cancel: ['abort'] };

interface Finishing {
  readonly button: string;
  readonly comesBack: boolean;
}

async function atGateway(patience: Patience, how: Finishing): Promise<void> {
  await finishAt(patience, await goTo(patience, patience.errand.visits[0]), how);
}

/** Follows the gateway's pages to their end: some ask for one thing after the other. */
async function finishAt(patience: Patience, gateway: Page, { button, comesBack }: Finishing): Promise<void> {
  if (isByHand(gateway)) {
    // There is no button but the one by which he tells that he has paid.
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

/** A browser that is closed as soon as the gateway would send it back. */
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

/** From our page to the gateway's, by the button of that gateway where there are several. */
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

/** At the gateway's own page, or at the one of ours that stands for it. */
function isThere(patience: Patience, page: Page, gateway: GatewayName | undefined): boolean {
  return gateway === 'manual' ? isByHand(page) : isAtGateway(patience, page);
}

function isByHand({ document }: Page): boolean {
  return document.querySelector(SUBMIT) !== null;
}

/** By the link to the other ways, as one who has come back from a gateway. */
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

/** Goes to each of the gateways, and pays at the last one. */
async function changeMind(patience: Patience): Promise<void> {
  const [first, ...others] = patience.errand.visits;
  let page = await goTo(patience, first);
  for (const gateway of others) {
    page = await chooseAgain(patience, gateway);
  }
  await finishAt(patience, page, { button: 'pay', comesBack: true });
}

/** Two tabs: the payer chooses once more in the second one and pays there, and then in the first one, where the page is still open. */
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

/** Two tabs: the payer cancels here, and then pays in the one where the gateway's page was open already. */
async function cancelThenPay(patience: Patience, { comesBack }: Pick<Finishing, 'comesBack'>): Promise<void> {
  const gateway = await goTo(patience, patience.errand.visits[0]);
  await cancelHere(patience);
  await untilEnded(patience);
  await finishAt(patience, gateway, { button: 'pay', comesBack });
}

/** Tells of a transaction, and whatever else the errand says of it. */
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

/** The page asks for another transaction once operators have rejected the first one. */
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

/** A checkout that is still being opened loads itself again until it is open; so does the payer. */
function openCheckout(patience: Patience): Promise<Page> {
  return again(patience, async () => {
    const page = await open(patience.checkoutUrl, patience.visit);
    if (!isPayable(page)) {
      throw isWaiting(page) ? new Error('the checkout is not open yet') : new NothingToPay();
    }
    return page;
  });
}

/** The page shows an end: there is nothing to come back for. */
class NothingToPay extends Error {
  constructor() {
    super('the page shows an end');
  }
}

function isPayable({ document }: Page): boolean {
  return [CONTINUE, WAYS, SUBMIT].some((form) => document.querySelector(form) !== null);
}

/** A page that waits says to a browser without script when it wants to be loaded again. */
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
