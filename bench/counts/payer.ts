import { Agent, fetch } from 'undici';
import { open, press, titleOf, type Page, type Visit } from '../../scripts/development/demo/payer.ts';

const CONTINUE = 'form[action*="/continue"]';
const SUBMIT = 'form[action*="/submission"]';
/** More steps than the longest gateway page has. */
const STEPS_MAX = 5;
let payers = 0;

/** An invoice's page asks to pay what is due, and does not say "continue". */
const PAY_INVOICE = 'form[method=post]';

/** One person with links and forms. */
export interface Payer {
  open(url: string): Promise<Page>;
  /** Goes from our page to the gateway's, or chooses one of several there. */
  goOn(checkout: Page, gateway?: string): Promise<Page>;
  /** Pays what an invoice's page asks for, up to the gateway's page. */
  payInvoice(payable: Page): Promise<Page>;
  /** Follows the gateway's pages until the money has moved. */
  pay(gatewayPage: Page): Promise<Page>;
  /** Comes back by hand where the gateway does not send the browser back by itself. */
  comeBack(paid: Page): Promise<Page>;
  /** Reports a manual payment. */
  submit(checkout: Page, transaction: string): Promise<Page>;
  leave(): Promise<void>;
}

/** A payer has an address of their own, since a page limits how often one address goes on to a gateway. */
export function newPayer(): Payer {
  payers += 1;
  // Only Linux answers on all of 127.0.0.0/8.
  const own =
    process.platform === 'linux' ? { localAddress: `127.2.${Math.floor(payers / 250)}.${(payers % 250) + 1}` } : {};
  const agent = new Agent({ ...own, connect: { family: 4 } });
  const visit: Visit = (url, request) => fetch(url, { ...request, dispatcher: agent });
  return {
    open: (url) => open(url, visit),
    async goOn(checkout, gateway) {
      if (gateway !== undefined) {
        return press(checkout, { form: 'form.ways', button: gateway });
      }
      // The page of a payment that has only one way may lead there at once.
      return checkout.document.querySelector(CONTINUE) === null ? checkout : press(checkout, { form: CONTINUE });
    },
    payInvoice: (payable) => press(payable, { form: PAY_INVOICE }),
    pay: payStepByStep,
    async comeBack(paid) {
      const back = await press(paid, { form: 'form#return' });
      if (back.status !== 200) {
        throw new Error(`the payer came back to "${titleOf(back)}" (${back.status})`);
      }
      return back;
    },
    submit: (checkout, transaction) => press(checkout, { form: SUBMIT, typed: { transaction } }),
    leave: () => agent.close(),
  };
}

export function hasReturnForm({ document }: Page): boolean {
  return document.querySelector('form#return') !== null;
}

/** Some gateways ask for number, password and PIN one after the other. */
async function payStepByStep(gatewayPage: Page): Promise<Page> {
  let page = gatewayPage;
  for (let step = 0; step < STEPS_MAX; step += 1) {
    const buttons = page.document
      .querySelectorAll('form button[name=outcome]')
      .map((each) => each.getAttribute('value'));
    const button = ['next', 'pay'].find((name) => buttons.includes(name));
    if (button === undefined && step > 0) {
      return page;
    }
    if (button === undefined) {
      throw new Error(`"${titleOf(page)}" at ${page.url.href} is no gateway's page`);
    }
    page = await press(page, { form: 'form', button });
  }
  throw new Error(`"${titleOf(page)}" does not end`);
}
