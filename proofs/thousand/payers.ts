import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, fetch } from 'undici';
import { open, press, titleOf, type Page, type Visit } from '../../scripts/development/demo/payer.ts';
import type { Choice } from './plan.ts';

const CONTINUE = 'form[action*="/continue"]';
/** A payment with a single gateway may lead there without a page of Lenden. */
const AT_GATEWAY = 'form button[name=outcome]';
const CANCEL = 'form[action*="/cancel"]';
const NEXT = 'form button[value=next]';
const RETURN = 'form#return';
const STEPS_MAX = 4;
const LOOK_AGAIN_MS = 2_000;
const LOOKS_MAX = 45;

/** Makes one payer's whole visit, using only links and forms. Resolves when the payer has nothing left to do. */
export async function actAsPayer(checkoutUrl: string, { choice, number }: { choice: Choice; number: number }) {
  const agent = agentFrom(addressOf(number));
  const visit: Visit = (url, request) => fetch(url, { ...request, dispatcher: agent });
  try {
    await act(await mustOpen(checkoutUrl, visit), choice);
  } finally {
    await agent.close();
  }
}

async function act(checkout: Page, choice: Choice): Promise<void> {
  switch (choice) {
    case 'never-continue':
      return;
    case 'cancel-on-our-page':
      await press(checkout, { form: CANCEL });
      return;
    case 'leave-the-gateway':
      await pressAtGateway(checkout, 'leave');
      return;
    case 'pay':
      return returnFrom(await pressAtGateway(checkout, 'pay'));
    case 'fail':
      return returnFrom(await pressAtGateway(checkout, 'fail'));
    case 'cancel-at-gateway':
      return returnFrom(await pressAtGateway(checkout, 'cancel'));
  }
}

async function pressAtGateway(checkout: Page, button: string): Promise<Page> {
  const gateway = has(checkout, CONTINUE) ? await press(checkout, { form: CONTINUE }) : checkout;
  return button === 'pay' ? payStepByStep(gateway) : press(gateway, { form: 'form', button });
}

/** bKash and Nagad ask for number, password and PIN one after the other. */
async function payStepByStep(gateway: Page): Promise<Page> {
  let page = await press(gateway, { form: 'form', button: has(gateway, NEXT) ? 'next' : 'pay' });
  for (let step = 1; step < STEPS_MAX && has(page, AT_GATEWAY); step += 1) {
    page = await press(page, { form: 'form', button: has(page, NEXT) ? 'next' : 'pay' });
  }
  return page;
}

function has({ document }: Page, selector: string): boolean {
  return document.querySelector(selector) !== null;
}

/** SSLCOMMERZ shows a page with a form that leads back; the other gateways redirect at once. */
async function returnFrom(gateway: Page): Promise<void> {
  const back = has(gateway, RETURN) ? await press(gateway, { form: RETURN }) : gateway;
  if (back.status !== 200) {
    throw new Error(`the payer came back to "${titleOf(back)}" (${back.status})`);
  }
}

/** Reloads a checkout that is still being opened, as the page does itself. */
async function mustOpen(url: string, visit: Visit): Promise<Page> {
  for (let looks = 1; ; looks += 1) {
    const page = await open(url, visit);
    if (page.status !== 200) {
      throw new Error(`the checkout page answered ${page.status}`);
    }
    if (has(page, CONTINUE) || has(page, AT_GATEWAY)) {
      return page;
    }
    if (looks === LOOKS_MAX) {
      throw new Error(`the checkout was not open after ${looks} looks: "${titleOf(page)}"`);
    }
    await sleep(LOOK_AGAIN_MS);
  }
}

/** Gives each payer a separate address, because the page limits how often one address goes to the gateway. */
function addressOf(number: number): string | undefined {
  // Linux answers on all of 127.0.0.0/8. Other systems answer only on the first address, so the limit slows them down.
  return process.platform === 'linux' ? `127.1.${Math.floor(number / 250)}.${(number % 250) + 1}` : undefined;
}

function agentFrom(localAddress: string | undefined): Agent {
  return new Agent(localAddress === undefined ? {} : { localAddress, connect: { family: 4 } });
}
