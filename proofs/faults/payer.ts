import { setTimeout as sleep } from 'node:timers/promises';
import { open, press, type Page, type Visit } from '../../scripts/demo/payer.ts';
import type { Errand, PayerAct } from './plan.ts';

const CONTINUE = 'form[action*="/continue"]';
const CANCEL = 'form[action*="/cancel"]';
const LOOK_AGAIN_MS = 250;
const PAGE_TIMEOUT_MS = 4_000;

export interface Visiting {
  readonly checkoutUrl: string;
  readonly errand: Errand;
  /** Of its own, since a page limits how often one address goes on to the gateway. */
  readonly address: string;
  /** True when it is time to give up. */
  readonly closed: () => boolean;
}

/**
 * One payer's visit by links and forms, on a network that may fail at any page: what does not load is tried again until the patience ends.
 * Resolves when the payer has done what there was to do, or with the reason for which he has given up.
 */
export async function actAsPayer({ checkoutUrl, errand, address, closed }: Visiting): Promise<string | null> {
  const visit: Visit = (url, request) =>
    fetch(url, {
      ...request,
      headers: { 'x-forwarded-for': address },
      signal: AbortSignal.any([request.signal, AbortSignal.timeout(PAGE_TIMEOUT_MS)]),
    });
  const patience: Patience = { closed, checkoutUrl, visit };
  return act(patience, errand.act).then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

interface Patience {
  readonly closed: () => boolean;
  readonly checkoutUrl: string;
  readonly visit: Visit;
}

function act(patience: Patience, choice: PayerAct): Promise<void> {
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
      return cancelThenPay(patience);
  }
}

async function atGateway(patience: Patience, how: { button: string; comesBack: boolean }): Promise<void> {
  const page = await openCheckout(patience);
  await finishAt(patience, page, how);
}

async function finishAt(
  patience: Patience,
  checkout: Page,
  { button, comesBack }: { button: string; comesBack: boolean },
): Promise<void> {
  const gateway = await again(patience, () => press(checkout, { form: CONTINUE }));
  const done = await again(patience, () => press(gateway, { form: 'form', button }));
  if (comesBack && done.document.querySelector('form#return') !== null) {
    await again(patience, () => press(done, { form: 'form#return' }));
  }
}

async function cancelHere(patience: Patience): Promise<void> {
  const checkout = await openCheckout(patience);
  await again(patience, () => press(checkout, { form: CANCEL }));
}

/** Two tabs: the payer cancels here, and then pays in the one where the gateway's page was open already. */
async function cancelThenPay(patience: Patience): Promise<void> {
  const checkout = await openCheckout(patience);
  const gateway = await again(patience, () => press(checkout, { form: CONTINUE }));
  await again(patience, () => press(checkout, { form: CANCEL }));
  await untilEnded(patience);
  const done = await again(patience, () => press(gateway, { form: 'form', button: 'pay' }));
  if (done.document.querySelector('form#return') !== null) {
    await again(patience, () => press(done, { form: 'form#return' }));
  }
}

async function untilEnded({ closed, checkoutUrl, visit }: Patience): Promise<void> {
  for (let waiting = true; waiting && !closed();) {
    await sleep(LOOK_AGAIN_MS);
    waiting = await open(checkoutUrl, visit).then(
      (page) => isWaiting(page) || page.document.querySelector(CONTINUE) !== null,
      () => true,
    );
  }
}

/** A checkout that is still being opened loads itself again until it is open; so does the payer. */
function openCheckout(patience: Patience): Promise<Page> {
  return again(patience, async () => {
    const page = await open(patience.checkoutUrl, patience.visit);
    if (page.document.querySelector(CONTINUE) === null) {
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
