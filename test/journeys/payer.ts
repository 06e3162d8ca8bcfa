import { open, press, type Page } from '../../scripts/development/demo/payer.ts';

/**
 * Pays a payment's checkout through links and forms. Returns the page that sends the payer back, or the last page
 * reached.
 */
export async function payAtGateway(checkoutUrl: string): Promise<Page> {
  const gateway = await press(await open(checkoutUrl), { form: 'form[action*="/continue"]' });
  return press(gateway, { form: 'form', button: 'pay' });
}

/** Pays as `payAtGateway` does and returns to our page. */
export async function payAndReturn(checkoutUrl: string): Promise<Page> {
  return press(await payAtGateway(checkoutUrl), { form: 'form#return' });
}
